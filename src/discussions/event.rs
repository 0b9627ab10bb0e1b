//! The events of discussions.
//!
//! Those that readers may know of are in the topic of their course, and have a [`Place`] that a subscriber can read
//! without knowing the event. No field ends with `_id`, because an event with `course_id` says that the course has
//! changed ([`Invalidation::reached`](crate::platform::db::Invalidation::reached)).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::model::{Post, PostId, PostKind};
use crate::accounts::UserId;
use crate::catalog::{CourseId, LessonId};
use crate::platform::outbox::Event;

/// The topic of the discussions of a course.
pub fn topic(course: CourseId) -> String {
    format!("discussions:{}", course.uuid())
}

/// The post that an event is about.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Place {
    /// The course.
    pub course: CourseId,
    /// The lesson; `None` if the post is about the course as a whole.
    pub lesson: Option<LessonId>,
    /// The question that the post belongs to; see [`Post::thread_id`].
    pub thread: Uuid,
    /// The post.
    pub post: Uuid,
    /// What the post is.
    pub kind: PostKind,
    /// The author of the post.
    pub author: UserId,
}

impl Place {
    /// The place of a post.
    pub fn of(post: &Post) -> Place {
        Place {
            course: post.course_id,
            lesson: post.lesson_id,
            thread: post.thread_id(),
            post: post.id,
            kind: post.kind,
            author: post.author_id,
        }
    }

    /// The id of the post.
    pub fn post_id(&self) -> PostId {
        PostId { kind: self.kind, id: self.post }
    }
}

/// Defines events that say no more than which post they are about.
macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $kind:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, Deserialize)]
        pub struct $name {
            /// The post.
            #[serde(flatten)]
            pub place: Place,
        }

        impl Event for $name {
            const KIND: &'static str = $kind;

            fn topics(&self) -> Vec<String> {
                vec![topic(self.place.course)]
            }
        }
    )*};
}

events! {
    /// A question has been asked, and everybody sees it who may see the lesson.
    QuestionAsked = "question_asked";
    /// A reply has been posted, and everybody sees it who sees what it answers.
    ReplyPosted = "reply_posted";
    /// A question is resolved, or not anymore, or no reply is accepted anymore.
    QuestionResolved = "question_resolved";
    /// The author has changed a post.
    PostEdited = "post_edited";
    /// A moderator has pinned, unpinned, locked, unlocked, hidden or restored a post, or it was held automatically.
    PostModerated = "post_moderated";
    /// A post was deleted by its author or a moderator. It may have left a tombstone.
    PostDeleted = "post_deleted";
    /// The number of a post's votes has changed, or that of its replies.
    PostCounted = "post_counted";
}

/// A reply has been accepted as the answer to its question.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReplyAccepted {
    /// The reply.
    #[serde(flatten)]
    pub place: Place,
    /// The user who has accepted it; `None` if the previous version of the program recorded the event.
    #[serde(default)]
    pub accepted_by: Option<UserId>,
}

impl Event for ReplyAccepted {
    const KIND: &'static str = "reply_accepted";

    fn topics(&self) -> Vec<String> {
        vec![topic(self.place.course)]
    }
}

/// A user has reported a post, or it was held automatically. Only moderators know of it, so it is in no topic.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PostReported {
    /// The post.
    #[serde(flatten)]
    pub place: Place,
    /// The user; `None` if it was held automatically, or if the previous version of the program recorded the event.
    #[serde(default)]
    pub reporter: Option<UserId>,
}

impl Event for PostReported {
    const KIND: &'static str = "post_reported";
}

/// What a subscriber reads of any of these events. Never recorded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Activity {
    /// Where it happened.
    #[serde(flatten)]
    pub place: Place,
}

impl Event for Activity {
    const KIND: &'static str = "discussion_activity";
}
