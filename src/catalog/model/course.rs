//! Courses.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};

use super::{CategoryId, CourseFacts, Level};
use crate::accounts::UserId;
use crate::channels::ChannelId;
use crate::graphql::money::CurrencyCode;
use crate::graphql::{Entity, Id};
use crate::media::{FileId, VideoId};
use crate::platform::db::schema::{course_stats, courses};

/// A course's id: `course_01j…`.
pub type CourseId = Id<Course>;

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
    /// Under which subject.
    pub category_id: Option<CategoryId>,
    /// From which channel.
    pub channel_id: Option<ChannelId>,
    /// How much one has to know before.
    pub level: Option<Level>,
    /// The language that is spoken, a BCP 47 tag.
    pub language: Option<String>,
    /// The picture in the object store, for those who show it.
    pub thumbnail_key: Option<String>,
    /// The same file, for those who change it; there are both or neither.
    pub thumbnail_id: Option<FileId>,
    /// What everybody may watch of it.
    pub demo_video_id: Option<VideoId>,
    /// What it costs, in minor units of the currency; 0: nothing.
    pub price_minor: i64,
    /// What it cost before or elsewhere, in minor units; only shown.
    pub estimated_price_minor: Option<i64>,
    /// The currency of both (ISO 4217).
    pub currency: CurrencyCode,
    /// The average rating in hundredths of a star, as lists are sorted by it: up to a minute old.
    pub rating_hundredths: i32,
    /// The number of students, as lists are sorted by it: up to a minute old.
    pub popularity: i32,
    /// Published lessons.
    pub lesson_count: i32,
    /// Seconds of published lessons.
    pub duration_seconds: i32,
    /// When it was published; `None`: a draft.
    pub published_at: Option<DateTime<Utc>>,
    /// When it publishes itself.
    pub publish_at: Option<DateTime<Utc>>,
    /// When it was archived: those who have access keep it, nobody else sees it.
    pub archived_at: Option<DateTime<Utc>>,
    /// Counts its edits, from 1.
    pub version: i32,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl Entity for Course {
    const PREFIX: &'static str = "course";
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
    /// What a catalog tells.
    #[graphql(flatten)]
    pub facts: CourseFacts,
}

/// Changes of a course; what is left out stays as it is.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateCourseInput {
    /// Which course.
    pub course_id: CourseId,
    /// The version that was read, and that these changes are of: another one is a conflict, and nothing is changed.
    pub version: i32,
    /// The name, 1 to 120 characters.
    pub title: Option<String>,
    /// The name in addresses.
    pub slug: Option<String>,
    /// One sentence, at most 200 characters.
    pub subtitle: Option<String>,
    /// Markdown, at most 20,000 characters.
    pub description: Option<String>,
    /// What a catalog tells.
    #[graphql(flatten)]
    pub facts: CourseFacts,
}

/// What is counted and computed for a course.
#[derive(Clone, Copy, Debug, Queryable, Selectable)]
#[diesel(table_name = course_stats, check_for_backend(diesel::pg::Pg))]
pub(in crate::catalog) struct CourseStats {
    /// The course.
    pub course_id: CourseId,
    /// How many users are entitled to the course by an open entitlement of its own.
    pub student_count: i32,
    /// The average rating in hundredths of a star; 0 without reviews.
    pub rating_hundredths: i32,
    /// How many reviews there are.
    pub rating_count: i32,
}
