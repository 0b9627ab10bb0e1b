//! A course in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};

use super::section::SectionObject;
use crate::accounts::{UserById, UserObject};
use crate::catalog::loader::{CourseById, DescriptionOf, SectionsOf};
use crate::catalog::model::{Course, CourseId, PublicationStatus, Showing};
use crate::catalog::policy;
use crate::graphql::context::{Scope, loaders, within};
use crate::graphql::{Connection, Error, Inline, PageArgs, Result, page};
use crate::media::{PlayableVideo, playable};
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

    /// Whether everybody sees the course.
    async fn status(&self) -> PublicationStatus {
        self.0.published_at.into()
    }

    /// How many published lessons the course has.
    async fn lesson_count(&self) -> i32 {
        self.0.lesson_count
    }

    /// How long the published lessons are together, in seconds.
    async fn duration_seconds(&self) -> i32 {
        self.0.duration_seconds
    }

    /// When the course was published; null for a draft.
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

    /// The video that shows what the course is like; null if there is none. Everybody may watch it once the course is
    /// published.
    async fn demo_video(&self, ctx: &Context<'_>) -> Result<Option<Inline<PlayableVideo>>> {
        playable(ctx, Showing::Demo(self.0.clone())).await
    }

    /// Who teaches the course.
    async fn instructor(&self, ctx: &Context<'_>) -> Result<Inline<UserObject>> {
        let user = loaders(ctx).load(UserById(self.0.instructor_id)).await?;
        user.map(|user| Inline(UserObject::new(user)))
            .ok_or_else(|| Error::from(Fault::new("a course has no instructor")))
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
    let course = loaders(ctx).load(CourseById(id)).await?;
    Ok(course.filter(|course| policy::can_see(within(ctx, Scope::ReadCourses), course)).map(CourseObject))
}
