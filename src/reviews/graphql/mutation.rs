//! The mutations of reviews.

use std::marker::PhantomData;

use async_graphql::{Context, Object, SimpleObject};

use super::review::ReviewObject;
use crate::discussions::PostFields;
use crate::graphql::context::{loaders, within};
use crate::graphql::error::{edit_payload, payload};
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::{Result, Scoped, Sequential, UserError};
use crate::reviews::command::{self, Reviewed};
use crate::reviews::model::{CreateReviewInput, UpdateReviewInput};

/// The guard of the mutations.
const WRITER: Scoped = Scoped(Role::Student, Scope::WriteDiscussions);

// Markers: each mutation has a payload type of its own in the schema, which is named after it.
struct Create;
struct Update;

/// The payload of a mutation of a review.
#[derive(SimpleObject)]
#[graphql(concrete(name = "CreateReviewPayload", params(Create)))]
#[graphql(concrete(name = "UpdateReviewPayload", params(Update)))]
struct ReviewPayload<M: Send + Sync> {
    /// The review in its current state; null if there are `userErrors`. If the input has a `version`, it is returned
    /// with CONFLICT, too.
    review: Option<Sequential<ReviewObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

/// The mutations of reviews.
#[derive(Default)]
pub(super) struct ReviewMutation;

#[Object]
impl ReviewMutation {
    /// Reviews a course. Only users who are entitled to the course may, and not its team. A user has one review of a
    /// course.
    #[graphql(guard = "WRITER", directive = scoped::apply(Role::Student, Scope::WriteDiscussions))]
    async fn create_review(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The course and the review.")] input: CreateReviewInput,
    ) -> Result<Option<Sequential<ReviewPayload<Create>>>> {
        let actor = within(ctx, Scope::WriteDiscussions);
        let (made, user_errors) = payload(command::create_review(loaders(ctx), actor, input).await)?;
        let review = made.map(object);
        Ok(Some(Sequential(ReviewPayload { review, user_errors, mutation: PhantomData })))
    }

    /// Changes a review of the viewer, also after the access to the course has ended.
    #[graphql(guard = "WRITER", directive = scoped::apply(Role::Student, Scope::WriteDiscussions))]
    async fn update_review(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The review and its new values.")] input: UpdateReviewInput,
    ) -> Result<Option<Sequential<ReviewPayload<Update>>>> {
        let actor = within(ctx, Scope::WriteDiscussions);
        let (edited, user_errors) = edit_payload(command::update_review(loaders(ctx), actor, input).await)?;
        let review = edited.map(object);
        Ok(Some(Sequential(ReviewPayload { review, user_errors, mutation: PhantomData })))
    }
}

fn object(Reviewed { post, review, subject }: Reviewed) -> Sequential<ReviewObject> {
    Sequential(ReviewObject::new(PostFields::new(post, subject), review))
}
