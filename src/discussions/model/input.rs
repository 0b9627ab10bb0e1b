//! The inputs of the mutations.

use async_graphql::{InputObject, MaybeUndefined};

use super::{PostId, QuestionId, ReplyId};
use crate::catalog::LessonId;
use crate::graphql::Idempotency;

/// The input of `createQuestion`.
#[derive(Clone, Debug, InputObject)]
pub struct CreateQuestionInput {
    /// The lesson that the question is about.
    pub lesson_id: LessonId,
    /// The title, 1 to 150 characters.
    pub title: String,
    /// The question in Markdown, 1 to 10,000 characters.
    pub body: String,
    /// The second of the video that it is about.
    pub at_seconds: Option<i32>,
    /// Identifies this request.
    #[graphql(flatten)]
    pub once: Idempotency,
}

/// The input of `updateQuestion`. Omitted fields stay unchanged.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateQuestionInput {
    /// The question.
    pub question_id: QuestionId,
    /// The version that the changes are based on. If it is stale, nothing is changed and the error is CONFLICT.
    pub version: i32,
    /// The title, 1 to 150 characters.
    pub title: Option<String>,
    /// The question in Markdown, 1 to 10,000 characters.
    pub body: Option<String>,
    /// The second of the video that it is about; null if it is about none.
    pub at_seconds: MaybeUndefined<i32>,
}

/// The input of `createReply`.
#[derive(Clone, Debug, InputObject)]
pub struct CreateReplyInput {
    /// The question to reply to, or the review that the course's team responds to.
    pub parent_id: PostId,
    /// The reply in Markdown, 1 to 10,000 characters.
    pub body: String,
    /// Identifies this request.
    #[graphql(flatten)]
    pub once: Idempotency,
}

/// The input of `updateReply`.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateReplyInput {
    /// The reply.
    pub reply_id: ReplyId,
    /// The version that the changes are based on. If it is stale, nothing is changed and the error is CONFLICT.
    pub version: i32,
    /// The reply in Markdown, 1 to 10,000 characters.
    pub body: String,
}

/// The input of `deletePost`.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct DeletePostInput {
    /// The post.
    pub post_id: PostId,
}

/// The input of `votePost`.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct VotePostInput {
    /// The post.
    pub post_id: PostId,
    /// Whether the viewer votes for it, or takes their vote back.
    pub voted: bool,
}

/// The input of `followQuestion`.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct FollowQuestionInput {
    /// The question.
    pub question_id: QuestionId,
    /// Whether the viewer follows it: they get an email for each new reply.
    pub following: bool,
}

/// The input of `acceptReply`.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct AcceptReplyInput {
    /// The question.
    pub question_id: QuestionId,
    /// The reply to accept. If null or omitted, no reply is accepted anymore.
    pub reply_id: Option<ReplyId>,
}

/// The input of `setQuestionResolved`.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct SetQuestionResolvedInput {
    /// The question.
    pub question_id: QuestionId,
    /// Whether it is resolved.
    pub resolved: bool,
}
