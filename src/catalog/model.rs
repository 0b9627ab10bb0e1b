//! Courses, sections and lessons as rows, and what commands are given.

use async_graphql::{Enum, InputObject};
use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};

use crate::accounts::UserId;
use crate::graphql::{Entity, Id};
use crate::platform::db::schema::{courses, lessons, sections};

/// What courses, sections and lessons are called where it is noted that some have changed.
pub(super) const ROWS: &str = "catalog_rows";

/// A course's id: `course_01j…`.
pub type CourseId = Id<Course>;
/// A section's id: `section_01j…`.
pub type SectionId = Id<Section>;
/// A lesson's id: `lesson_01j…`.
pub type LessonId = Id<Lesson>;

/// Something to learn. The description is not part of the row: it may be long, and a catalog does not show it.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = courses, check_for_backend(diesel::pg::Pg))]
pub struct Course {
    /// The id.
    pub id: CourseId,
    /// The name in addresses; unique.
    pub slug: String,
    /// The name.
    pub title: String,
    /// One sentence.
    pub subtitle: String,
    /// Whose course it is.
    pub instructor_id: UserId,
    /// Published lessons.
    pub lesson_count: i32,
    /// Seconds of published lessons.
    pub duration_seconds: i32,
    /// When it was published; `None`: a draft.
    pub published_at: Option<DateTime<Utc>>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

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
    /// When it was published; `None`: a draft.
    pub published_at: Option<DateTime<Utc>>,
}

impl Entity for Course {
    const PREFIX: &'static str = "course";
}

impl Entity for Section {
    const PREFIX: &'static str = "section";
}

impl Entity for Lesson {
    const PREFIX: &'static str = "lesson";
}

/// Where a course or a lesson stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum PublicationStatus {
    /// Only its instructor and administrators see it.
    Draft,
    /// Everybody sees it.
    Published,
}

impl From<Option<DateTime<Utc>>> for PublicationStatus {
    fn from(published_at: Option<DateTime<Utc>>) -> PublicationStatus {
        if published_at.is_some() { PublicationStatus::Published } else { PublicationStatus::Draft }
    }
}

/// A new course.
#[derive(Clone, Debug, Default, InputObject)]
pub struct CreateCourseInput {
    /// The name, 1 to 120 characters.
    pub title: String,
    /// The name in addresses: lower-case letters, digits and single hyphens, at most 80. Made from the title if left
    /// out.
    pub slug: Option<String>,
    /// One sentence, at most 200 characters.
    #[graphql(default)]
    pub subtitle: String,
    /// Markdown, at most 20,000 characters.
    #[graphql(default)]
    pub description: String,
}

/// Changes of a course; what is left out stays as it is.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateCourseInput {
    /// Which course.
    pub course_id: CourseId,
    /// The name, 1 to 120 characters.
    pub title: Option<String>,
    /// The name in addresses.
    pub slug: Option<String>,
    /// One sentence, at most 200 characters.
    pub subtitle: Option<String>,
    /// Markdown, at most 20,000 characters.
    pub description: Option<String>,
}

/// The course to publish.
#[derive(Clone, Debug, InputObject)]
pub struct PublishCourseInput {
    /// Which course.
    pub course_id: CourseId,
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
    /// The name, 1 to 120 characters.
    pub title: Option<String>,
    /// How long the video is: 1 to 86,400 seconds.
    pub duration_seconds: Option<i32>,
}

/// The lesson to publish.
#[derive(Clone, Debug, InputObject)]
pub struct PublishLessonInput {
    /// Which lesson.
    pub lesson_id: LessonId,
}
