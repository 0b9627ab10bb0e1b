//! Sections and lessons.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};

use super::{CourseId, LessonContentInput};
use crate::graphql::{Entity, Id};
use crate::media::VideoId;
use crate::platform::db::schema::{lessons, sections};

/// The maximum number of sections of a course.
pub(in crate::catalog) const MOST_SECTIONS: i32 = 200;
/// The maximum number of lessons of a course, in all sections.
pub(in crate::catalog) const MOST_LESSONS: i32 = 500;

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
    /// The version, from 1; each edit increments it.
    pub version: i32,
}

/// A lesson: a video and the content that accompanies it.
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
    /// The duration of the video, in seconds.
    pub duration_seconds: i32,
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
    /// The version, from 1; each edit increments it.
    pub version: i32,
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
    /// The duration of the video in seconds, 1 to 86,400.
    pub duration_seconds: i32,
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
    /// The duration in seconds, 1 to 86,400. It cannot be changed if the duration of the lesson's video is known.
    pub duration_seconds: Option<i32>,
    /// Whether the lesson is a free preview: everybody may watch it once it and its course are published.
    pub is_preview: Option<bool>,
    /// The content that accompanies the video.
    pub content: Option<LessonContentInput>,
}
