//! A course in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};

use super::section::SectionObject;
use crate::accounts::{UserById, UserObject};
use crate::catalog::loader::{CourseById, DescriptionOf, SectionsOf};
use crate::catalog::model::{Course, CourseId, PublicationStatus};
use crate::catalog::policy;
use crate::enrollments::{self, AccessObject, EntitlementObject};
use crate::graphql::context::{Scope, loaders, within};
use crate::graphql::{Connection, Error, Inline, PageArgs, Result, page};
use crate::platform::fault::Fault;

/// A course in the schema.
#[derive(Clone)]
pub struct CourseObject(pub Arc<Course>);

/// Something to learn: sections of lessons by an instructor.
#[Object(name = "Course")]
impl CourseObject {
    /// Identifies the course.
    pub async fn id(&self) -> CourseId {
        self.0.id
    }

    /// The name in addresses; unique.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// The name.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// The course in one sentence; may be empty.
    async fn subtitle(&self) -> &str {
        &self.0.subtitle
    }

    /// What the course is about, in Markdown; may be empty.
    async fn description(&self, ctx: &Context<'_>) -> Result<String> {
        let text = loaders(ctx).load(DescriptionOf(self.0.id)).await?;
        Ok(text.map(|text| text.to_string()).unwrap_or_default())
    }

    /// Who sees the course.
    async fn status(&self) -> PublicationStatus {
        PublicationStatus::of_course(&self.0)
    }

    /// When the course publishes itself; null if it doesn't.
    async fn publish_at(&self) -> Option<DateTime<Utc>> {
        self.0.publish_at
    }

    /// How many published lessons the course has.
    async fn lesson_count(&self) -> i32 {
        self.0.lesson_count
    }

    /// How long the published lessons are together, in seconds.
    async fn duration_seconds(&self) -> i32 {
        self.0.duration_seconds
    }

    /// When the course was published first; null unless it is published.
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

    /// Counts the edits: pass it to an update, which is refused if it is another one by then.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Who teaches the course.
    async fn instructor(&self, ctx: &Context<'_>) -> Result<Inline<UserObject>> {
        let user = loaders(ctx).load(UserById(self.0.instructor_id)).await?;
        user.map(|user| Inline(UserObject::new(user)))
            .ok_or_else(|| Error::from(Fault::new("a course has no instructor")))
    }

    /// Whether the viewer has access to the course's content, and why. Single lessons may be open to more or fewer.
    async fn viewer_access(&self, ctx: &Context<'_>) -> Result<Inline<AccessObject>> {
        Ok(Inline(AccessObject(enrollments::course_access(ctx, &self.0).await?)))
    }

    /// How many people have access to the course.
    async fn student_count(&self) -> i32 {
        self.0.student_count
    }

    /// Who has, or had, access to the course, and why, the latest first. For the course's instructor and administrators.
    async fn entitlements(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many, from the start; 1 to 100, 20 if neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most this many, from the end; 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Option<Inline<Connection<EntitlementObject>>>> {
        enrollments::entitlements_of(ctx, &self.0, PageArgs { first, after, last, before }).await.map(Some)
    }

    /// The course's sections in order.
    async fn sections(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many, from the start; 1 to 100, 20 if neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most this many, from the end; 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Inline<Connection<SectionObject>>> {
        let rows = loaders(ctx).load(SectionsOf(self.0.id)).await?.unwrap_or_default();
        let sections = rows.iter().map(|row| SectionObject::new(self.0.clone(), row.clone())).collect();
        let args = PageArgs { first, after, last, before };
        Ok(Inline(page::slice(args, "sections", sections, |section| section.row.position)?))
    }
}

/// The course with this id, if the viewer may know of it.
///
/// # Errors
/// The database failed.
pub async fn course_node(ctx: &Context<'_>, id: CourseId) -> Result<Option<CourseObject>> {
    visible(ctx, loaders(ctx).load(CourseById(id)).await?).await
}

/// The course, if the viewer may know of it.
pub(super) async fn visible(ctx: &Context<'_>, course: Option<Arc<Course>>) -> Result<Option<CourseObject>> {
    let Some(course) = course else { return Ok(None) };
    let seen = policy::can_see(within(ctx, Scope::ReadCourses), &course, entitled(ctx, &course).await?);
    Ok(seen.then_some(CourseObject(course)))
}

/// What [`policy::can_see`] has to know of the ledger, which only an archived course is looked up in.
pub(super) async fn entitled(ctx: &Context<'_>, course: &Course) -> Result<bool> {
    Ok(course.archived_at.is_some() && enrollments::is_entitled(ctx, course).await?)
}
