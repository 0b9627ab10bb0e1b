//! Courses.

use async_graphql::{InputObject, MaybeUndefined};
use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};

use super::{CategoryId, CourseFacts, CourseLevel};
use crate::accounts::UserId;
use crate::channels::ChannelId;
use crate::graphql::money::{CurrencyCode, MoneyInput};
use crate::graphql::{Entity, Id, Idempotency};
use crate::media::{FileId, VideoId};
use crate::platform::db::schema::{course_stats, courses};

/// A course's id: `course_01j…`.
pub type CourseId = Id<Course>;

/// A course, without its description, which may be long and is not shown in lists.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = courses, check_for_backend(diesel::pg::Pg))]
pub struct Course {
    /// The id.
    pub id: CourseId,
    /// The URL slug; unique.
    pub slug: String,
    /// The title.
    pub title: String,
    /// The subtitle: one sentence; may be empty.
    pub subtitle: String,
    /// The instructor, who owns the course.
    pub instructor_id: UserId,
    /// The category.
    pub category_id: Option<CategoryId>,
    /// The channel.
    pub channel_id: Option<ChannelId>,
    /// The required prior knowledge.
    pub level: Option<CourseLevel>,
    /// The spoken language, as a BCP 47 tag.
    pub language: Option<String>,
    /// The file of the thumbnail.
    pub thumbnail_id: Option<FileId>,
    /// The demo video, which everybody may watch once the course is published.
    pub demo_video_id: Option<VideoId>,
    /// The price in minor units of the currency; 0 if the course is free.
    pub price_minor: i64,
    /// A previous or comparison price in minor units, for display only.
    pub estimated_price_minor: Option<i64>,
    /// The currency of both prices (ISO 4217).
    pub currency: CurrencyCode,
    /// The average rating in hundredths of a star, as a sort key: up to a minute stale.
    pub rating_hundredths: i32,
    /// The number of students, as a sort key: up to a minute stale.
    pub popularity: i32,
    /// The number of published lessons.
    pub lesson_count: i32,
    /// The total duration of the published lessons, in seconds.
    pub duration_seconds: i32,
    /// When it was first published; `None` if it is not published.
    pub published_at: Option<DateTime<Utc>>,
    /// When it is scheduled to be published.
    pub publish_at: Option<DateTime<Utc>>,
    /// When it was archived; only entitled users and those who may edit it see it then.
    pub archived_at: Option<DateTime<Utc>>,
    /// The version, from 1; each edit increments it.
    pub version: i32,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl Entity for Course {
    const PREFIX: &'static str = "course";
}

/// The input of `createCourse`.
#[derive(Clone, Debug, Default, InputObject)]
pub struct CreateCourseInput {
    /// The title, 1 to 120 characters.
    pub title: String,
    /// The URL slug: lower-case letters, digits and single hyphens, at most 80 characters. Defaults to one made from
    /// the title.
    pub slug: Option<String>,
    /// The subtitle: one sentence, at most 200 characters.
    #[graphql(default)]
    pub subtitle: String,
    /// The description in Markdown, at most 20,000 characters.
    #[graphql(default)]
    pub description: String,
    /// Identifies this request.
    #[graphql(flatten)]
    pub once: Idempotency,
    /// The metadata.
    #[graphql(flatten)]
    pub facts: CourseFacts,
}

/// The input of `updateCourse`. Omitted fields stay unchanged.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateCourseInput {
    /// The course.
    pub course_id: CourseId,
    /// The version that the changes are based on. If it is stale, nothing is changed and the error is CONFLICT.
    pub version: i32,
    /// The title, 1 to 120 characters.
    pub title: Option<String>,
    /// The URL slug: lower-case letters, digits and single hyphens, at most 80 characters. Earlier slugs still lead to
    /// the course.
    pub slug: Option<String>,
    /// The subtitle: one sentence, at most 200 characters.
    pub subtitle: Option<String>,
    /// The description in Markdown, at most 20,000 characters.
    pub description: Option<String>,
    /// The share of a lesson's video that completes the lesson when a student has watched it, in percent, 1 to 100; null
    /// for the default of the server. What is completed stays completed.
    pub completion_percent: MaybeUndefined<i32>,
    /// The prices in other currencies than that of `price`, each once and more than 0, at most 20. They replace the
    /// earlier ones. A free course is free in all currencies, whatever they are.
    pub prices: Option<Vec<MoneyInput>>,
    /// The metadata.
    #[graphql(flatten)]
    pub facts: CourseFacts,
}

/// The counts and aggregates of a course.
#[derive(Clone, Copy, Debug, Queryable, Selectable)]
#[diesel(table_name = course_stats, check_for_backend(diesel::pg::Pg))]
pub struct CourseStats {
    /// The course.
    pub course_id: CourseId,
    /// The number of users with an open entitlement to this very course.
    pub student_count: i32,
    /// The numbers of reviews with one to five stars.
    #[diesel(embed)]
    pub stars: Stars,
    /// The number of reviews.
    pub rating_count: i32,
    /// The average rating in hundredths of a star; 0 without reviews.
    pub rating_hundredths: i32,
}

/// The numbers of reviews with each number of stars.
#[derive(Clone, Copy, Debug, Queryable, Selectable)]
#[diesel(table_name = course_stats, check_for_backend(diesel::pg::Pg))]
pub struct Stars {
    stars_1: i32,
    stars_2: i32,
    stars_3: i32,
    stars_4: i32,
    stars_5: i32,
}

impl Stars {
    /// Returns the number of reviews with one star, with two stars, and so on.
    pub fn counts(self) -> [i32; 5] {
        [self.stars_1, self.stars_2, self.stars_3, self.stars_4, self.stars_5]
    }
}
