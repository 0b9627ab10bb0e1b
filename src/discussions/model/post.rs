//! Posts of any kind.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{
    ContextSelectionSet, Enum, ID, InputType, InputValueError, InputValueResult, OutputType, Positioned, ServerResult,
    Value,
};
use chrono::{DateTime, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use diesel::{Queryable, Selectable};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::accounts::UserId;
use crate::catalog::{CourseId, LessonId};
use crate::graphql::id;
use crate::platform::db::schema::{post_edits, post_stats, posts};
use crate::platform::db::stored_as_text;

/// What a post is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PostKind {
    /// A question about a lesson.
    Question,
    /// A reply to a post of another kind.
    Reply,
    /// A review of a course. This feature stores reviews, and knows only what applies to all posts.
    Review,
}

stored_as_text!(PostKind { Question = "QUESTION", Reply = "REPLY", Review = "REVIEW" });

impl PostKind {
    const ALL: [PostKind; 3] = [PostKind::Question, PostKind::Reply, PostKind::Review];

    /// The prefix of the ids.
    pub fn prefix(self) -> &'static str {
        match self {
            PostKind::Question => "question",
            PostKind::Reply => "reply",
            PostKind::Review => "review",
        }
    }
}

/// The id of a post of any kind: `question_01j…`, `reply_01j…` or `review_01j…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PostId {
    /// What the post is.
    pub kind: PostKind,
    /// The id of the row.
    pub id: Uuid,
}

impl PostId {
    /// Encodes the id in its public form.
    pub fn encode(self) -> String {
        id::encode(self.kind.prefix(), self.id)
    }
}

impl InputType for PostId {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        <ID as InputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <ID as InputType>::create_type_info(registry)
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let text = match value.unwrap_or_default() {
            Value::String(text) => text,
            other => return Err(InputValueError::expected_type(other)),
        };
        let found = id::split(&text).and_then(|(prefix, id)| {
            let kind = PostKind::ALL.into_iter().find(|kind| kind.prefix() == prefix)?;
            Some(PostId { kind, id })
        });
        found.ok_or_else(|| {
            let shown: String = text.chars().take(64).collect();
            InputValueError::custom(format!("{shown:?} is not the id of a post, like question_01j… or reply_01j…"))
        })
    }

    fn to_value(&self) -> Value {
        Value::String(self.encode())
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

impl OutputType for PostId {
    fn type_name() -> Cow<'static, str> {
        <ID as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <ID as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(Value::String(self.encode()))
    }
}

/// Why a post is hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum HiddenReason {
    /// It was held automatically: it has a link, and its author's account is new.
    Link,
    /// It was held automatically: it has a word that the platform blocks.
    BlockedWord,
    /// A member of the course's team or an administrator has hidden it.
    Moderator,
}

stored_as_text!(HiddenReason { Link = "LINK", BlockedWord = "BLOCKED_WORD", Moderator = "MODERATOR" });

/// Something that a user has written: a question, a reply or a review.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = posts, check_for_backend(diesel::pg::Pg))]
pub struct Post {
    /// The id.
    pub id: Uuid,
    /// What it is.
    pub kind: PostKind,
    /// The course.
    pub course_id: CourseId,
    /// The lesson; `None` if it is about the course as a whole.
    pub lesson_id: Option<LessonId>,
    /// What a reply answers.
    pub parent_id: Option<Uuid>,
    /// The author.
    pub author_id: UserId,
    /// The text in Markdown; empty if it was deleted.
    pub body: String,
    /// The version, incremented by each edit.
    pub version: i32,
    /// Whether the author was in the course's team when they wrote it.
    pub is_by_team: bool,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it was last edited.
    pub edited_at: Option<DateTime<Utc>>,
    /// When it was deleted, if it has replies and therefore a tombstone.
    pub deleted_at: Option<DateTime<Utc>>,
    /// When it was hidden.
    pub hidden_at: Option<DateTime<Utc>>,
    /// Why it is hidden.
    pub hidden_reason: Option<HiddenReason>,
    /// The counts.
    #[diesel(embed)]
    pub stats: PostStats,
}

impl Post {
    /// The id in its public form.
    pub fn post_id(&self) -> PostId {
        PostId { kind: self.kind, id: self.id }
    }

    /// The question that a question or a reply belongs to; what a reply to another kind of post answers.
    pub fn thread_id(&self) -> Uuid {
        self.parent_id.unwrap_or(self.id)
    }

    /// Whether it is hidden since it was written: nobody was told of it.
    pub fn was_held(&self) -> bool {
        self.hidden_at == Some(self.created_at)
    }

    /// Whether it is neither deleted nor hidden.
    pub fn is_shown(&self) -> bool {
        self.deleted_at.is_none() && self.hidden_at.is_none()
    }
}

/// The counts of a post.
#[derive(Clone, Copy, Debug, Default, Queryable, Selectable)]
#[diesel(table_name = post_stats, check_for_backend(diesel::pg::Pg))]
pub struct PostStats {
    /// The number of votes.
    pub vote_count: i32,
    /// The number of replies that everybody sees.
    pub reply_count: i32,
    /// When it was written, or its last reply.
    pub active_at: DateTime<Utc>,
}

/// A post that is written.
#[derive(Clone, Debug)]
pub struct NewPost<'a> {
    /// The id.
    pub id: Uuid,
    /// What it is.
    pub kind: PostKind,
    /// The course.
    pub course_id: CourseId,
    /// The lesson.
    pub lesson_id: Option<LessonId>,
    /// What a reply answers.
    pub parent_id: Option<Uuid>,
    /// The author.
    pub author_id: UserId,
    /// The text in Markdown.
    pub body: &'a str,
    /// Whether the author is in the course's team.
    pub is_by_team: bool,
    /// Why it is held.
    pub held: Option<HiddenReason>,
}

/// An earlier version of a post.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = post_edits, check_for_backend(diesel::pg::Pg))]
pub struct PostEdit {
    /// The version.
    pub version: i32,
    /// The title of a question.
    pub title: Option<String>,
    /// The text in Markdown.
    pub body: String,
    /// When it was replaced.
    pub edited_at: DateTime<Utc>,
}

/// What a user can do with a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum PostAction {
    /// Change the text: `updateQuestion`, `updateReply`, `updateReview`.
    Update,
    /// Delete it: `deletePost`.
    Delete,
    /// Vote for it: `votePost`.
    Vote,
    /// Report it to the course's team: `reportPost`.
    Report,
    /// Reply to it: `createReply`.
    Reply,
    /// Accept this reply: `acceptReply`.
    Accept,
    /// Mark the question as resolved, or not: `setQuestionResolved`.
    Resolve,
    /// Pin the question to the top of the lists, or not: `moderatePost`.
    Pin,
    /// Close the question for replies, or open it again: `moderatePost`.
    Lock,
    /// Hide it from all but its author and the course's team: `moderatePost`.
    Hide,
    /// Show it again: `moderatePost`.
    Restore,
    /// Delete it as a member of the course's team: `moderatePost`.
    Remove,
}

impl PostAction {
    /// All actions.
    pub const ALL: [PostAction; 12] = [
        PostAction::Update,
        PostAction::Delete,
        PostAction::Vote,
        PostAction::Report,
        PostAction::Reply,
        PostAction::Accept,
        PostAction::Resolve,
        PostAction::Pin,
        PostAction::Lock,
        PostAction::Hide,
        PostAction::Restore,
        PostAction::Remove,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_post_tells_its_kind_and_other_ids_are_rejected() {
        let id = Uuid::from_u128(7);
        for kind in PostKind::ALL {
            let post = PostId { kind, id };
            assert_eq!(PostId::parse(Some(post.to_value())).ok(), Some(post));
        }
        for wrong in [id::encode("course", id), "question_".into(), String::new()] {
            assert!(PostId::parse(Some(Value::String(wrong.clone()))).is_err(), "{wrong}");
        }
    }
}
