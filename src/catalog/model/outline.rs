//! Sections and lessons.

use async_graphql::{Enum, InputObject, MaybeUndefined};
use chrono::{DateTime, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use diesel::{Queryable, Selectable};
use serde::{Deserialize, Serialize};

use super::{CourseId, LessonContentInput};
use crate::graphql::{Entity, Id, Idempotency};
use crate::media::VideoId;
use crate::platform::db::schema::{lessons, sections};
use crate::platform::db::stored_as_text;

/// The maximum number of sections of a course.
pub const MOST_SECTIONS: i32 = 200;
/// The maximum number of lessons of a course, in all sections.
pub const MOST_LESSONS: i32 = 500;

/// A section's id: `section_01j…`.
pub type SectionId = Id<Section>;

/// A lesson's id: `lesson_01j…`.
pub type LessonId = Id<Lesson>;

/// A section of a course.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = sections, check_for_backend(diesel::pg::Pg))]
pub struct Section {
    /// The id.
    pub id: SectionId,
    /// The course.
    pub course_id: CourseId,
    /// The position in the course, from 1.
    pub position: i32,
    /// The title.
    pub title: String,
    /// When it was last edited.
    pub updated_at: DateTime<Utc>,
    /// The version, from 1; each edit increments it.
    pub version: i32,
}

/// What a lesson consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LessonKind {
    /// A video and the content that accompanies it. It needs a video before it can be published.
    Video,
    /// Content without a video.
    Article,
}

stored_as_text!(LessonKind { Video = "VIDEO", Article = "ARTICLE" });

/// A lesson: a video or an article, with content.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = lessons, check_for_backend(diesel::pg::Pg))]
pub struct Lesson {
    /// The id.
    pub id: LessonId,
    /// The course.
    pub course_id: CourseId,
    /// The section.
    pub section_id: SectionId,
    /// The position in the section, from 1.
    pub position: i32,
    /// The title.
    pub title: String,
    /// What it consists of.
    pub kind: LessonKind,
    /// The duration of the video, or the time that reading takes, in seconds; `None` if it is unknown.
    pub duration_seconds: Option<i32>,
    /// Whether the lesson is a free preview once it and its course are published.
    pub is_preview: bool,
    /// The video; `None` if there is none yet.
    pub video_id: Option<VideoId>,
    /// When it was first published; `None` for a draft.
    pub published_at: Option<DateTime<Utc>>,
    /// When it is scheduled to be published.
    pub publish_at: Option<DateTime<Utc>>,
    /// When it unlocks, in days of 24 hours since the user's access began.
    pub unlock_after_days: Option<i32>,
    /// When it unlocks for all users with access.
    pub unlock_at: Option<DateTime<Utc>>,
    /// When it was last edited.
    pub updated_at: DateTime<Utc>,
    /// The version, from 1; each edit increments it.
    pub version: i32,
}

impl Lesson {
    /// Returns what the lesson adds to the duration of its course, in seconds.
    pub fn seconds(&self) -> i32 {
        self.duration_seconds.unwrap_or_default()
    }

    /// Returns whether the lesson's chapters may be after second `seconds`.
    pub(crate) fn is_longer_than(&self, seconds: i32) -> bool {
        self.duration_seconds.is_none_or(|now| now > seconds)
    }
}

impl Entity for Section {
    const PREFIX: &'static str = "section";
}

impl Entity for Lesson {
    const PREFIX: &'static str = "lesson";
}

/// The input of `createSection`.
#[derive(Clone, Debug, InputObject)]
pub struct CreateSectionInput {
    /// The course.
    pub course_id: CourseId,
    /// The title, 1 to 120 characters.
    pub title: String,
    /// Identifies this request.
    #[graphql(flatten)]
    pub once: Idempotency,
}

/// The input of `updateSection`.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateSectionInput {
    /// The section.
    pub section_id: SectionId,
    /// The version that the changes are based on. If it is stale, nothing is changed and the error is CONFLICT.
    pub version: i32,
    /// The title, 1 to 120 characters.
    pub title: String,
}

/// The input of `createLesson`.
#[derive(Clone, Debug, InputObject)]
pub struct CreateLessonInput {
    /// The section.
    pub section_id: SectionId,
    /// The title, 1 to 120 characters.
    pub title: String,
    /// What the lesson consists of.
    #[graphql(default_with = "LessonKind::Video")]
    pub kind: LessonKind,
    /// The duration in seconds, 1 to 86,400: for an article the time that reading takes. It is found out for a video.
    pub duration_seconds: Option<i32>,
    /// Identifies this request.
    #[graphql(flatten)]
    pub once: Idempotency,
}

/// The input of `updateLesson`. Omitted fields stay unchanged.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateLessonInput {
    /// The lesson.
    pub lesson_id: LessonId,
    /// The version that the changes are based on. If it is stale, nothing is changed and the error is CONFLICT.
    pub version: i32,
    /// The title, 1 to 120 characters.
    pub title: Option<String>,
    /// What the lesson consists of. An article has no video: the lesson's video is removed from it. A published article
    /// must be unpublished before it can become a VIDEO.
    pub kind: Option<LessonKind>,
    /// The duration in seconds, 1 to 86,400. If null, it is unknown. It cannot be changed if the duration of the
    /// lesson's video is known.
    pub duration_seconds: MaybeUndefined<i32>,
    /// Whether the lesson is a free preview: everybody may watch it once it and its course are published.
    pub is_preview: Option<bool>,
    /// The content that accompanies the video, or is the article.
    pub content: Option<LessonContentInput>,
}

impl UpdateLessonInput {
    /// Returns the lesson's new duration in seconds; `now` is the current one.
    pub(crate) fn seconds(&self, mut now: Option<i32>) -> Option<i32> {
        self.duration_seconds.update_to(&mut now);
        now
    }
}
