//! The mutations of questions, replies and votes.

use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};

use super::post::{PostFields, PostObject, post_object};
use super::question::QuestionObject;
use super::reply::ReplyObject;
use crate::discussions::command::{self, Deleted, Found, Subject};
use crate::discussions::model::{
    AcceptReplyInput, CreateQuestionInput, CreateReplyInput, DeletePostInput, FollowQuestionInput, PostId, Question,
    SetQuestionResolvedInput, UpdateQuestionInput, UpdateReplyInput, VotePostInput,
};
use crate::graphql::context::{loaders, within};
use crate::graphql::error::{edit_payload, payload};
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::{Result, Scoped, Sequential, UserError};
use crate::platform::auth::Actor;

/// The guard of the mutations.
pub(super) const WRITER: Scoped = Scoped(Role::Student, Scope::WriteDiscussions);

/// Returns the caller of a mutation; anonymous for an API token without the scope.
pub(super) fn writer<'a>(ctx: &Context<'a>) -> &'a Actor {
    within(ctx, Scope::WriteDiscussions)
}

// Markers: each mutation has a payload type of its own in the schema, which is named after it.
pub(super) struct Create;
pub(super) struct Update;
pub(super) struct SetResolved;
pub(super) struct Accept;
pub(super) struct Follow;

/// The payload of a mutation of a question.
#[derive(SimpleObject)]
#[graphql(concrete(name = "CreateQuestionPayload", params(Create)))]
#[graphql(concrete(name = "UpdateQuestionPayload", params(Update)))]
#[graphql(concrete(name = "SetQuestionResolvedPayload", params(SetResolved)))]
#[graphql(concrete(name = "AcceptReplyPayload", params(Accept)))]
#[graphql(concrete(name = "FollowQuestionPayload", params(Follow)))]
pub(super) struct QuestionPayload<M: Send + Sync> {
    /// The question in its current state; null if there are `userErrors`. If the input has a `version`, it is returned
    /// with CONFLICT, too.
    question: Option<Sequential<QuestionObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

/// The payload of a mutation of a reply.
#[derive(SimpleObject)]
#[graphql(concrete(name = "CreateReplyPayload", params(Create)))]
#[graphql(concrete(name = "UpdateReplyPayload", params(Update)))]
pub(super) struct ReplyPayload<M: Send + Sync> {
    /// The reply in its current state; null if there are `userErrors`. If the input has a `version`, it is returned
    /// with CONFLICT, too.
    reply: Option<Sequential<ReplyObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

/// The payload of `votePost`.
#[derive(SimpleObject)]
pub(super) struct VotePostPayload {
    /// The post; null if there are `userErrors`.
    post: Option<PostObject>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `deletePost`.
#[derive(SimpleObject)]
pub(super) struct DeletePostPayload {
    /// The tombstone that the post has left; null if there is none, and if there are `userErrors`.
    post: Option<PostObject>,
    /// The id of the post; null if there are `userErrors`.
    deleted_post_id: Option<PostId>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The mutations of questions and replies.
#[derive(Default)]
pub(super) struct QuestionMutation;

#[Object]
impl QuestionMutation {
    /// Asks a question about a lesson. Only those who are entitled to the lesson and the course's team may. The asker
    /// follows the question. The course's team gets an email.
    #[graphql(guard = "WRITER", directive = scoped::apply(Role::Student, Scope::WriteDiscussions))]
    async fn create_question(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lesson and the question.")] input: CreateQuestionInput,
    ) -> Result<Option<Sequential<QuestionPayload<Create>>>> {
        answer(command::create_question(loaders(ctx), writer(ctx), input).await)
    }

    /// Changes a question of the viewer.
    #[graphql(guard = "WRITER", directive = scoped::apply(Role::Student, Scope::WriteDiscussions))]
    async fn update_question(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The question and its new values.")] input: UpdateQuestionInput,
    ) -> Result<Option<Sequential<QuestionPayload<Update>>>> {
        let outcome = command::update_question(loaders(ctx), writer(ctx), input).await;
        let (found, user_errors) = edit_payload(outcome)?;
        Ok(Some(Sequential(question_payload(found, user_errors))))
    }

    /// Replies to a question. Only those who are entitled to the lesson and the course's team may. The author of the
    /// reply follows the question from then on. The other followers get an email. To a review, only the course's team
    /// replies, and a review has one such response at a time.
    #[graphql(guard = "WRITER", directive = scoped::apply(Role::Student, Scope::WriteDiscussions))]
    async fn create_reply(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The question or review, and the reply.")] input: CreateReplyInput,
    ) -> Result<Option<Sequential<ReplyPayload<Create>>>> {
        let (made, user_errors) = payload(command::create_reply(loaders(ctx), writer(ctx), input).await)?;
        let reply = made.map(|(post, question, subject)| reply_of(Found { post, question, subject }));
        Ok(Some(Sequential(ReplyPayload { reply, user_errors, mutation: PhantomData })))
    }

    /// Changes a reply of the viewer.
    #[graphql(guard = "WRITER", directive = scoped::apply(Role::Student, Scope::WriteDiscussions))]
    async fn update_reply(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The reply and its new text.")] input: UpdateReplyInput,
    ) -> Result<Option<Sequential<ReplyPayload<Update>>>> {
        let (edited, user_errors) = edit_payload(command::update_reply(loaders(ctx), writer(ctx), input).await)?;
        let reply = edited.map(|(post, question, subject)| reply_of(Found { post, question, subject }));
        Ok(Some(Sequential(ReplyPayload { reply, user_errors, mutation: PhantomData })))
    }

    /// Marks a question as resolved, or not. Who has asked it and the course's team may.
    #[graphql(guard = "WRITER", directive = scoped::apply(Role::Student, Scope::WriteDiscussions))]
    async fn set_question_resolved(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The question, and whether it is resolved.")] input: SetQuestionResolvedInput,
    ) -> Result<Option<Sequential<QuestionPayload<SetResolved>>>> {
        answer(command::set_question_resolved(loaders(ctx), writer(ctx), input).await)
    }

    /// Accepts a reply as the answer, in place of any other one, and resolves the question; or accepts none, after
    /// which the question is not resolved. Who has asked the question and the course's team may.
    #[graphql(guard = "WRITER", directive = scoped::apply(Role::Student, Scope::WriteDiscussions))]
    async fn accept_reply(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The question and the reply.")] input: AcceptReplyInput,
    ) -> Result<Option<Sequential<QuestionPayload<Accept>>>> {
        answer(command::accept_reply(loaders(ctx), writer(ctx), input).await)
    }

    /// Follows a question, or does so no longer. Followers get an email for each new reply.
    #[graphql(guard = "WRITER", directive = scoped::apply(Role::Student, Scope::WriteDiscussions))]
    async fn follow_question(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The question, and whether the viewer follows it.")] input: FollowQuestionInput,
    ) -> Result<Option<Sequential<QuestionPayload<Follow>>>> {
        answer(command::follow_question(loaders(ctx), writer(ctx), input).await)
    }
}

/// The mutations of posts of any kind.
#[derive(Default)]
pub(super) struct PostMutation;

#[Object]
impl PostMutation {
    /// Votes for a post, or takes the vote back. Only those who are entitled to the lesson and the course's team may,
    /// and not for their own posts.
    #[graphql(guard = "WRITER", directive = scoped::apply(Role::Student, Scope::WriteDiscussions))]
    async fn vote_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The post, and whether the viewer votes for it.")] input: VotePostInput,
    ) -> Result<Option<Sequential<VotePostPayload>>> {
        let (found, user_errors) = payload(command::vote_post(loaders(ctx), writer(ctx), input).await)?;
        let post = match found {
            Some(found) => Some(post_object(ctx, found).await?),
            None => None,
        };
        Ok(Some(Sequential(VotePostPayload { post, user_errors })))
    }

    /// Deletes a post of the viewer, with its history. A question with replies leaves a tombstone. A
    /// review is deleted with the response to it, and its stars count no longer.
    #[graphql(guard = "WRITER", directive = scoped::apply(Role::Student, Scope::WriteDiscussions))]
    async fn delete_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The post.")] input: DeletePostInput,
    ) -> Result<Option<Sequential<DeletePostPayload>>> {
        let (deleted, user_errors) = payload(command::delete_post(loaders(ctx), writer(ctx), input).await)?;
        let deleted_post_id = deleted.is_some().then_some(input.post_id);
        let post = match deleted {
            Some(Deleted::Buried(found)) => Some(post_object(ctx, *found).await?),
            Some(Deleted::Gone) | None => None,
        };
        Ok(Some(Sequential(DeletePostPayload { post, deleted_post_id, user_errors })))
    }
}

fn answer<M: Send + Sync>(
    outcome: Result<(Arc<Question>, Arc<Subject>)>,
) -> Result<Option<Sequential<QuestionPayload<M>>>> {
    let (found, user_errors) = payload(outcome)?;
    Ok(Some(Sequential(question_payload(found, user_errors))))
}

fn question_payload<M: Send + Sync>(
    found: Option<(Arc<Question>, Arc<Subject>)>,
    user_errors: Vec<Sequential<UserError>>,
) -> QuestionPayload<M> {
    let question = found.map(|(question, subject)| Sequential(QuestionObject::new(question, subject)));
    QuestionPayload { question, user_errors, mutation: PhantomData }
}

fn reply_of(found: Found) -> Sequential<ReplyObject> {
    Sequential(ReplyObject(PostFields(found)))
}
