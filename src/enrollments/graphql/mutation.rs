//! The enrollment mutations.

use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};

use crate::enrollments::command;
use crate::enrollments::model::{EnrollInput, GrantCourseAccessInput, RevokeCourseAccessInput};
use crate::entitlements::{Entitlement, EntitlementObject};
use crate::graphql::context::{actor, app, client, within};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, Scope, requires, scoped};
use crate::graphql::{Requires, Result, Scoped, Sequential, UserError};
use crate::platform::auth::Actor;

// Markers for the mutation of a payload.
pub(super) struct Grant;
pub(super) struct Revoke;
pub(super) struct Enroll;

/// The payload of an enrollment mutation.
#[derive(SimpleObject)]
#[graphql(concrete(name = "GrantCourseAccessPayload", params(Grant)))]
#[graphql(concrete(name = "RevokeCourseAccessPayload", params(Revoke)))]
#[graphql(concrete(name = "EnrollPayload", params(Enroll)))]
pub(super) struct EntitlementPayload<M: Send + Sync> {
    /// The entitlement in its current state; null if there are `userErrors`.
    entitlement: Option<Sequential<EntitlementObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

/// The guard of the mutations of learners.
pub(super) const LEARNER: Scoped = Scoped(Role::Student, Scope::WriteLearning);

/// The learner; an API token needs the scope.
pub(super) fn learner<'c>(ctx: &Context<'c>) -> &'c Actor {
    within(ctx, Scope::WriteLearning)
}

/// The enrollment mutations.
#[derive(Default)]
pub(super) struct EnrollmentsMutation;

#[Object]
impl EnrollmentsMutation {
    /// Grants a user access to a course. If a grant exists, it gets the new expiry and reason and keeps its start;
    /// granting the same terms again does nothing. Access from other sources is not affected.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn grant_course_access(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user, the course and the expiry.")] input: GrantCourseAccessInput,
    ) -> Result<Option<Sequential<EntitlementPayload<Grant>>>> {
        answer(command::grant(app(ctx), actor(ctx), client(ctx), input).await)
    }

    /// Revokes access granted with `grantCourseAccess`. Access from other sources is not affected.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn revoke_course_access(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user and the course.")] input: RevokeCourseAccessInput,
    ) -> Result<Option<Sequential<EntitlementPayload<Revoke>>>> {
        answer(command::revoke(app(ctx), actor(ctx), client(ctx), input).await)
    }

    /// Enrolls the viewer in a free course. Does nothing if the viewer is already enrolled.
    #[graphql(guard = "LEARNER", directive = scoped::apply(Role::Student, Scope::WriteLearning))]
    async fn enroll(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The course.")] input: EnrollInput,
    ) -> Result<Option<Sequential<EntitlementPayload<Enroll>>>> {
        answer(command::enroll(app(ctx), learner(ctx), input).await)
    }
}

fn answer<M: Send + Sync>(outcome: Result<Entitlement>) -> Result<Option<Sequential<EntitlementPayload<M>>>> {
    let (row, user_errors) = payload(outcome)?;
    let entitlement = row.map(|row| Sequential(EntitlementObject(Arc::new(row))));
    Ok(Some(Sequential(EntitlementPayload { entitlement, user_errors, mutation: PhantomData })))
}
