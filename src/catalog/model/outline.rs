//! Sections and lessons.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};

use super::{CourseId, LessonContentInput};
use crate::graphql::{Entity, Id};
use crate::media::VideoId;
use crate::platform::db::schema::{lessons, sections};

/// A section's id: `section_01j…`.
pub type SectionId = Id<Section>;

/// A lesson's id: `lesson_01j…`.
pub type LessonId = Id<Lesson>;

/// A chapter of a course.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = sections, check_for_backend(diesel::pg::Pg))]
pub struct Section {
    /// The id.
    pub id: SectionId,
    /// The course.
    pub course_id: CourseId,
    /// Its place in the course, from 1.
    pub position: i32,
    /// The name.
    pub title: String,
    /// Counts its edits, from 1.
    pub version: i32,
}

/// One video with what belongs to it.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = lessons, check_for_backend(diesel::pg::Pg))]
pub struct Lesson {
    /// The id.
    pub id: LessonId,
    /// The course.
    pub course_id: CourseId,
    /// The section.
    pub section_id: SectionId,
    /// Its place in the section, from 1.
    pub position: i32,
    /// The name.
    pub title: String,
    /// How long the video is, in seconds.
    pub duration_seconds: i32,
    /// Whether everybody may watch it once the course is published.
    pub is_preview: bool,
    /// What is watched.
    pub video_id: Option<VideoId>,
    /// When it was published; `None`: a draft.
    pub published_at: Option<DateTime<Utc>>,
    /// When it publishes itself.
    pub publish_at: Option<DateTime<Utc>>,
    /// So many days of 24 hours after somebody's access began it opens for them.
    pub unlock_after_days: Option<i32>,
    /// At this instant it opens for those who have access.
    pub unlock_at: Option<DateTime<Utc>>,
    /// Counts its edits, from 1.
    pub version: i32,
}

impl Entity for Section {
    const PREFIX: &'static str = "section";
}

impl Entity for Lesson {
    const PREFIX: &'static str = "lesson";
}

/// A new section at the end of a course.
#[derive(Clone, Debug, InputObject)]
pub struct CreateSectionInput {
    /// In which course.
    pub course_id: CourseId,
    /// The name, 1 to 120 characters.
    pub title: String,
}

/// Changes of a section.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateSectionInput {
    /// Which section.
    pub section_id: SectionId,
    /// The version that was read, and that these changes are of: another one is a conflict, and nothing is changed.
    pub version: i32,
    /// The name, 1 to 120 characters.
    pub title: String,
}

/// A new lesson at the end of a section.
#[derive(Clone, Debug, InputObject)]
pub struct CreateLessonInput {
    /// In which section.
    pub section_id: SectionId,
    /// The name, 1 to 120 characters.
    pub title: String,
    /// How long the video is: 1 to 86,400 seconds.
    pub duration_seconds: i32,
}

/// Changes of a lesson; what is left out stays as it is.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateLessonInput {
    /// Which lesson.
    pub lesson_id: LessonId,
    /// The version that was read, and that these changes are of: another one is a conflict, and nothing is changed.
    pub version: i32,
    /// The name, 1 to 120 characters.
    pub title: Option<String>,
    /// How long the video is: 1 to 86,400 seconds.
    pub duration_seconds: Option<i32>,
    /// Whether everybody may watch it once it and its course are published.
    pub is_preview: Option<bool>,
    /// What the video comes with.
    pub content: Option<LessonContentInput>,
}
