//! A course in the schema.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::access::{course_access, edits, entitled, is_entitled};
use super::browse::{Within, matching};
use super::category::{CategoryObject, category_node};
use super::facet::CourseConnection;
use super::lesson::LessonObject;
use super::section::{SectionObject, visible_lessons, visible_sections};
use crate::accounts::{UserObject, user_node};
use crate::catalog::loader::{CompletionOf, CourseById, DescriptionOf, Html, ListsOf, PricesOf, StatsOf};
use crate::catalog::model::{
    Course, CourseId, CourseLevel, CourseLists, CourseStats, LessonId, MOST_LESSONS, MOST_SECTIONS, PublicationStatus,
    Showing,
};
use crate::catalog::{error, policy};
use crate::channels::{ChannelObject, channel_node};
use crate::discussions::{QuestionConnection, QuestionFilter, QuestionSort, course_questions};
use crate::enrollments::{EnrollmentObject, PlayableVideo, playable, viewer_enrollment};
use crate::entitlements::{AccessObject, EntitlementObject, entitlements_of};
use crate::graphql::context::loaders;
use crate::graphql::guard::{Role, Scope, owned};
use crate::graphql::money::Money;
use crate::graphql::sequential::SequentialList;
use crate::graphql::{Connection, Error, ImageObject, PageArgs, Result, Sequential, page};
use crate::media::image;
use crate::memberships::{PlanObject, plans_of_course};
use crate::platform::internal_error::InternalError;
use crate::reviews::{ReviewConnection, ReviewFilter, ReviewObject, ReviewSort, course_reviews, viewer_review};

/// The number of a course's reviews with the same number of stars.
#[derive(SimpleObject)]
pub(super) struct RatingBucket {
    /// The number of stars, 1 to 5.
    stars: i32,
    /// The number of reviews.
    count: i32,
}

/// A course in the schema.
#[derive(Clone)]
pub struct CourseObject(pub Arc<Course>);

/// A course: an instructor's lessons, in sections.
#[Object(name = "Course")]
impl CourseObject {
    /// The id of the course.
    pub async fn id(&self) -> CourseId {
        self.0.id
    }

    /// The URL slug; unique.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// The title.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// The subtitle: one sentence; may be empty.
    async fn subtitle(&self) -> &str {
        &self.0.subtitle
    }

    /// The description in Markdown; may be empty.
    async fn description(&self, ctx: &Context<'_>) -> Result<String> {
        let text = loaders(ctx).load(DescriptionOf(self.0.id)).await?;
        Ok(text.map(|text| text.to_string()).unwrap_or_default())
    }

    /// The description as sanitized HTML that a page can embed: without scripts, styles, forms and frames, and with
    /// links to `http`, `https` and `mailto` only.
    async fn description_html(&self, ctx: &Context<'_>) -> Result<String> {
        let text = loaders(ctx).load(Html(DescriptionOf(self.0.id))).await?;
        Ok(text.map(|text| text.to_string()).unwrap_or_default())
    }

    /// The required prior knowledge; null if unspecified.
    async fn level(&self) -> Option<CourseLevel> {
        self.0.level
    }

    /// The spoken language, as a BCP 47 tag; null if unspecified.
    async fn language(&self) -> Option<&str> {
        self.0.language.as_deref()
    }

    /// The channel; null if the course has none.
    async fn channel(&self, ctx: &Context<'_>) -> Result<Option<Sequential<ChannelObject>>> {
        let Some(id) = self.0.channel_id else { return Ok(None) };
        Ok(channel_node(ctx, id).await?.map(Sequential))
    }

    /// The category; null if the course has none.
    async fn category(&self, ctx: &Context<'_>) -> Result<Option<Sequential<CategoryObject>>> {
        let Some(id) = self.0.category_id else { return Ok(None) };
        Ok(category_node(ctx, id).await?.map(Sequential))
    }

    /// Tags, in lower case; at most 20.
    async fn tags(&self, ctx: &Context<'_>) -> Result<Vec<String>> {
        Ok(self.lists(ctx).await?.map(|lists| lists.tags.clone()).unwrap_or_default())
    }

    /// What students learn; at most 20 sentences.
    async fn benefits(&self, ctx: &Context<'_>) -> Result<Vec<String>> {
        Ok(self.lists(ctx).await?.map(|lists| lists.benefits.clone()).unwrap_or_default())
    }

    /// What students need beforehand; at most 20 sentences.
    async fn prerequisites(&self, ctx: &Context<'_>) -> Result<Vec<String>> {
        Ok(self.lists(ctx).await?.map(|lists| lists.prerequisites.clone()).unwrap_or_default())
    }

    /// The thumbnail; null if there is none. See `setCourseThumbnail`.
    async fn thumbnail(&self, ctx: &Context<'_>) -> Result<Option<Sequential<ImageObject>>> {
        let Some(id) = self.0.thumbnail_id else { return Ok(None) };
        image(ctx, id, &self.0.title).await
    }

    /// The price.
    async fn price(&self) -> Sequential<Money> {
        Sequential(Money::new(self.0.price_minor, self.0.currency))
    }

    /// The prices in all currencies that the course is sold in, at most 21: first `price`, then the others by currency.
    async fn prices(&self, ctx: &Context<'_>) -> Result<SequentialList<Money>> {
        let own = Money::new(self.0.price_minor, self.0.currency);
        let others = loaders(ctx).load(PricesOf(self.0.id)).await?.unwrap_or_default();
        let others = others.iter().filter(|(currency, _)| *currency != self.0.currency && self.0.price_minor > 0);
        let others = others.map(|(currency, amount)| Money::new(*amount, *currency));
        Ok(SequentialList(std::iter::once(own).chain(others).collect()))
    }

    /// A previous or comparison price, for display only; null if there is none.
    async fn estimated_price(&self) -> Option<Sequential<Money>> {
        self.0.estimated_price_minor.map(|minor| Sequential(Money::new(minor, self.0.currency)))
    }

    /// Whether the course is free.
    async fn is_free(&self) -> bool {
        self.0.price_minor == 0
    }

    /// Whether the course is sold by itself: it is published, and not free. `plans` are the memberships for it.
    async fn is_purchasable(&self) -> bool {
        PublicationStatus::of_course(&self.0) == PublicationStatus::Published && self.0.price_minor > 0
    }

    /// The plans for this very course that are sold, latest first.
    async fn plans(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Sequential<Connection<PlanObject>>> {
        plans_of_course(ctx, self.0.id, PageArgs { first, after, last, before }).await
    }

    /// The average rating, 1 to 5 stars; null if no review counts. `Review.stars` says which reviews count.
    async fn rating_average(&self, ctx: &Context<'_>) -> Result<Option<f64>> {
        let stats = self.stats(ctx).await?.filter(|stats| stats.rating_count > 0);
        Ok(stats.map(|stats| f64::from(stats.rating_hundredths) / 100.0))
    }

    /// The number of reviews that count.
    async fn rating_count(&self, ctx: &Context<'_>) -> Result<i32> {
        Ok(self.stats(ctx).await?.map_or(0, |stats| stats.rating_count))
    }

    /// The number of reviews that count with each number of stars, from 5 to 1.
    async fn rating_histogram(&self, ctx: &Context<'_>) -> Result<Vec<RatingBucket>> {
        let counts = self.stats(ctx).await?.map_or([0; 5], |stats| stats.stars.counts());
        Ok([1, 2, 3, 4, 5].into_iter().zip(counts).rev().map(|(stars, count)| RatingBucket { stars, count }).collect())
    }

    /// The publication status, which decides who can see the course.
    async fn status(&self) -> PublicationStatus {
        PublicationStatus::of_course(&self.0)
    }

    /// When the course is scheduled to be published; null if it is not scheduled.
    async fn publish_at(&self) -> Option<DateTime<Utc>> {
        self.0.publish_at
    }

    /// The number of published lessons.
    async fn lesson_count(&self) -> i32 {
        self.0.lesson_count
    }

    /// The total duration of the published lessons, in seconds.
    async fn duration_seconds(&self) -> i32 {
        self.0.duration_seconds
    }

    /// When the course was first published; null if it is not published.
    async fn published_at(&self) -> Option<DateTime<Utc>> {
        self.0.published_at
    }

    /// When the course was created.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When the course or its outline was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// The version, incremented by each edit. Pass it to updates: an update with a stale version is rejected.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// The demo video, which everybody may watch once the course is published; null if there is none.
    async fn demo_video(&self, ctx: &Context<'_>) -> Result<Option<Sequential<PlayableVideo>>> {
        playable(ctx, Showing::Demo(self.0.clone())).await
    }

    /// The instructor of the course.
    async fn instructor(&self, ctx: &Context<'_>) -> Result<Sequential<UserObject>> {
        let user = user_node(ctx, self.0.instructor_id).await?;
        user.map(Sequential).ok_or_else(|| Error::from(InternalError::new("a course has no instructor")))
    }

    /// Whether the viewer has access to the course's content, and the reason. Access to single lessons can differ.
    async fn viewer_access(&self, ctx: &Context<'_>) -> Result<Sequential<AccessObject>> {
        Ok(Sequential(AccessObject(course_access(ctx, &self.0).await?)))
    }

    /// What the viewer learns of the course; null if they never had access to it. It stays when the access ends.
    async fn viewer_enrollment(&self, ctx: &Context<'_>) -> Result<Option<Sequential<EnrollmentObject>>> {
        viewer_enrollment(ctx, self.0.id).await
    }

    /// The number of students: users with an entitlement to this very course.
    async fn student_count(&self, ctx: &Context<'_>) -> Result<i32> {
        Ok(self.stats(ctx).await?.map_or(0, |stats| stats.student_count))
    }

    /// The share of a lesson's video that completes the lesson when a student has watched it, in percent; null if it is
    /// the default of the server. Visible to the course's instructor and administrators; for others it is null, with an
    /// error. See `updateCourse`.
    #[graphql(directive = owned::apply(Role::Admin, Some(Scope::ReadCourses)))]
    async fn completion_percent(&self, ctx: &Context<'_>) -> Result<Option<i32>> {
        if !edits(ctx, &self.0).await? {
            return Err(error::settings_forbidden());
        }
        Ok(loaders(ctx).load(CompletionOf(self.0.id)).await?)
    }

    /// The current and past entitlements to the course, latest first. Visible to the course's instructor and
    /// administrators; for others it is null, with an error.
    #[graphql(directive = owned::apply(Role::Admin, Some(Scope::ReadCourses)))]
    async fn entitlements(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<EntitlementObject>>>> {
        if !edits(ctx, &self.0).await? {
            return Err(error::ledger_forbidden());
        }
        entitlements_of(ctx, self.0.id.uuid(), PageArgs { first, after, last, before }).await.map(Some)
    }

    /// The other published courses by the same instructor, newest first.
    async fn more_by_instructor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Sequential<CourseConnection>> {
        let within = Within::InstructorOf(self.0.id, self.0.instructor_id);
        matching(ctx, within, None, None, PageArgs { first, after, last, before }).await.map(Sequential)
    }

    /// The course's sections in order. Sections without a visible lesson are included only for users who may edit the
    /// course.
    async fn sections(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 200; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 200.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Sequential<Connection<SectionObject>>> {
        let sections = visible_sections(ctx, &self.0).await?;
        let args = PageArgs { first, after, last, before };
        Ok(Sequential(page::slice_up_to(MOST_SECTIONS, args, "sections", sections, |section| section.row.position)?))
    }

    /// The questions about those lessons whose content the viewer may see: pinned ones first, then the latest, unless they
    /// are sorted otherwise.
    #[allow(clippy::too_many_arguments)]
    async fn questions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which questions to return; defaults to all.")] filter: Option<QuestionFilter>,
        #[graphql(default, desc = "The sort order. A cursor is valid for one order only.")] sort: QuestionSort,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Sequential<QuestionConnection>> {
        course_questions(ctx, &self.0, (filter, sort), PageArgs { first, after, last, before }).await
    }

    /// The reviews: the latest first, unless they are sorted otherwise. `ratingAverage`, `ratingCount` and
    /// `ratingHistogram` are about those that count; see `Review.stars`.
    #[allow(clippy::too_many_arguments)]
    async fn reviews(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which reviews to return; defaults to all.")] filter: Option<ReviewFilter>,
        #[graphql(default, desc = "The sort order. A cursor is valid for one order only.")] sort: ReviewSort,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Sequential<ReviewConnection>> {
        course_reviews(ctx, &self.0, (filter, sort), PageArgs { first, after, last, before }).await
    }

    /// The viewer's review of the course; null if there is none, and for anonymous viewers.
    async fn viewer_review(&self, ctx: &Context<'_>) -> Result<Option<Sequential<ReviewObject>>> {
        viewer_review(ctx, self.0.id).await
    }

    /// The course's lessons in the order of the outline, without their sections. Drafts are included only for users who
    /// may edit them.
    async fn lessons(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 500; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 500.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Sequential<Connection<LessonObject>>> {
        let rows = visible_lessons(ctx, &self.0).await?;
        let places: HashMap<LessonId, i32> = rows.iter().map(|lesson| lesson.id).zip(1..).collect();
        let lessons = rows.into_iter().map(|row| LessonObject { course: self.0.clone(), row }).collect();
        let place = move |lesson: &LessonObject| places.get(&lesson.row.id).copied().unwrap_or_default();
        let args = PageArgs { first, after, last, before };
        Ok(Sequential(page::slice_up_to(MOST_LESSONS, args, "courseLessons", lessons, place)?))
    }
}

impl CourseObject {
    async fn stats(&self, ctx: &Context<'_>) -> Result<Option<CourseStats>> {
        Ok(loaders(ctx).load(StatsOf(self.0.id)).await?)
    }

    async fn lists(&self, ctx: &Context<'_>) -> Result<Option<Arc<CourseLists>>> {
        Ok(loaders(ctx).load(ListsOf(self.0.id)).await?)
    }
}

/// Returns the course with this id, if the viewer may see it.
///
/// # Errors
/// The database failed.
pub async fn course_node(ctx: &Context<'_>, id: CourseId) -> Result<Option<CourseObject>> {
    visible(ctx, loaders(ctx).load(CourseById(id)).await?).await
}

/// Returns the course that an enrollment is in: also an unpublished one, if the viewer is entitled to it.
///
/// Of its outline, `visible_lessons` shows nothing then, and nothing of it plays.
///
/// # Errors
/// The database failed.
pub async fn course_for_enrolled(ctx: &Context<'_>, id: CourseId) -> Result<Option<CourseObject>> {
    let Some(course) = loaders(ctx).load(CourseById(id)).await? else { return Ok(None) };
    let edits = edits(ctx, &course).await?;
    let seen = policy::can_see(&course, edits, false) || is_entitled(ctx, &course, edits).await?;
    Ok(seen.then_some(CourseObject(course)))
}

/// Returns the course, if the viewer may see it.
pub(super) async fn visible(ctx: &Context<'_>, course: Option<Arc<Course>>) -> Result<Option<CourseObject>> {
    let Some(course) = course else { return Ok(None) };
    // Without asking for the viewer: what all may see is shared by their subscriptions.
    if policy::can_see(&course, false, false) {
        return Ok(Some(CourseObject(course)));
    }
    let edits = edits(ctx, &course).await?;
    let seen = policy::can_see(&course, edits, entitled(ctx, &course, edits).await?);
    Ok(seen.then_some(CourseObject(course)))
}
