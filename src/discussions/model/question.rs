//! Questions and replies.

use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};

use super::Post;
use crate::graphql::{Entity, Id};
use crate::platform::db::schema::questions;

/// A question's id: `question_01j…`.
pub type QuestionId = Id<Question>;

/// A reply's id: `reply_01j…`.
pub type ReplyId = Id<Reply>;

/// A question about a lesson.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = questions, check_for_backend(diesel::pg::Pg))]
pub struct Question {
    /// The post, which has the text.
    #[diesel(embed)]
    pub post: Post,
    /// The title; empty if the question was deleted.
    pub title: String,
    /// The second of the video that it is about.
    pub at_seconds: Option<i32>,
    /// Whether it comes first in all lists.
    pub is_pinned: bool,
    /// Whether it is closed for replies.
    pub is_locked: bool,
    /// When it was resolved.
    pub resolved_at: Option<DateTime<Utc>>,
    /// The accepted reply.
    pub accepted_reply_id: Option<ReplyId>,
    /// The number of votes by which it is sorted; see [`crate::discussions::model::PostStats`].
    pub votes: i32,
    /// The last activity by which it is sorted.
    pub active_at: DateTime<Utc>,
}

impl Question {
    /// The id.
    pub fn id(&self) -> QuestionId {
        QuestionId::new(self.post.id)
    }
}

impl Entity for Question {
    const PREFIX: &'static str = "question";
}

/// A reply, which is a post and nothing more.
#[derive(Clone, Copy, Debug)]
pub enum Reply {}

impl Entity for Reply {
    const PREFIX: &'static str = "reply";
}
