//! A lesson in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};

use super::course::{CourseObject, course_node};
use super::section::SectionObject;
use crate::catalog::loader::{LessonById, SectionById};
use crate::catalog::model::{Course, Lesson, LessonId, PublicationStatus, Showing};
use crate::catalog::policy;
use crate::graphql::context::{Scope, loaders, within};
use crate::graphql::{Error, Inline, Result};
use crate::media::{PlayableVideo, playable};
use crate::platform::fault::Fault;

/// A lesson in the schema, with the course that says who may see it.
#[derive(Clone)]
pub struct LessonObject {
    /// Its course.
    pub course: Arc<Course>,
    /// The lesson.
    pub row: Arc<Lesson>,
}

/// One video with what belongs to it.
#[Object(name = "Lesson")]
impl LessonObject {
    /// Identifies the lesson.
    pub async fn id(&self) -> LessonId {
        self.row.id
    }

    /// The name.
    async fn title(&self) -> &str {
        &self.row.title
    }

    /// Its place in the section, from 1.
    async fn position(&self) -> i32 {
        self.row.position
    }

    /// How long the video is, in seconds.
    async fn duration_seconds(&self) -> i32 {
        self.row.duration_seconds
    }

    /// Whether everybody who sees the course sees the lesson.
    async fn status(&self) -> PublicationStatus {
        self.row.published_at.into()
    }

    /// When the lesson was published; null for a draft.
    async fn published_at(&self) -> Option<DateTime<Utc>> {
        self.row.published_at
    }

    /// Counts the edits: pass it to an update, which is refused if it is another one by then.
    async fn version(&self) -> i32 {
        self.row.version
    }

    /// The video; null if the lesson has none yet. Who may watch it is asked for its `playback`.
    async fn video(&self, ctx: &Context<'_>) -> Result<Option<Inline<PlayableVideo>>> {
        playable(ctx, Showing::Lesson(self.course.clone(), self.row.clone())).await
    }

    /// The course.
    async fn course(&self) -> Inline<CourseObject> {
        Inline(CourseObject(self.course.clone()))
    }

    /// The section.
    async fn section(&self, ctx: &Context<'_>) -> Result<Inline<SectionObject>> {
        let row = loaders(ctx).load(SectionById(self.row.section_id)).await?;
        let row = row.ok_or_else(|| Error::from(Fault::new("a lesson has no section")))?;
        Ok(Inline(SectionObject::new(self.course.clone(), row)))
    }
}

/// The lesson with this id, if the viewer may know of it.
///
/// # Errors
/// The database failed.
pub async fn lesson_node(ctx: &Context<'_>, id: LessonId) -> Result<Option<LessonObject>> {
    let Some(row) = loaders(ctx).load(LessonById(id)).await? else { return Ok(None) };
    let course = course_node(ctx, row.course_id).await?;
    Ok(course
        .filter(|CourseObject(course)| policy::can_see_lesson(within(ctx, Scope::ReadCourses), course, &row))
        .map(|CourseObject(course)| LessonObject { course, row }))
}
