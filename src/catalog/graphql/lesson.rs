//! A lesson in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};

use super::access::{edits, entitled, lesson_access};
use super::content::LessonContentObject;
use super::course::{CourseObject, course_node};
use super::section::{SectionObject, visible_lessons};
use crate::catalog::loader::{ContentOf, LessonById, SectionById};
use crate::catalog::model::{Course, Lesson, LessonId, LessonKind, PublicationStatus, Showing};
use crate::catalog::policy;
use crate::discussions::{QuestionConnection, QuestionFilter, QuestionSort, lesson_questions};
use crate::enrollments::{LessonProgress, PlayableVideo, playable, viewer_progress};
use crate::entitlements::AccessObject;
use crate::graphql::context::loaders;
use crate::graphql::{Error, PageArgs, Result, Sequential};
use crate::platform::internal_error::InternalError;

/// A lesson in the schema, with the course that decides whether the viewer may see it.
#[derive(Clone)]
pub struct LessonObject {
    /// Its course.
    pub course: Arc<Course>,
    /// The lesson.
    pub row: Arc<Lesson>,
}

/// A lesson: a video or an article, with content.
#[Object(name = "Lesson")]
impl LessonObject {
    /// The id of the lesson.
    pub async fn id(&self) -> LessonId {
        self.row.id
    }

    /// The title.
    async fn title(&self) -> &str {
        &self.row.title
    }

    /// The position in the section, from 1.
    async fn position(&self) -> i32 {
        self.row.position
    }

    /// What the lesson consists of.
    async fn kind(&self) -> LessonKind {
        self.row.kind
    }

    /// The duration in seconds: that of the video, or the time that reading the article takes. Null if it is unknown.
    async fn duration_seconds(&self) -> Option<i32> {
        self.row.duration_seconds
    }

    /// The publication status.
    async fn status(&self) -> PublicationStatus {
        PublicationStatus::of_lesson(&self.row)
    }

    /// When the lesson is scheduled to be published; null if it is not scheduled.
    async fn publish_at(&self) -> Option<DateTime<Utc>> {
        self.row.publish_at
    }

    /// When the lesson was first published; null for a draft.
    async fn published_at(&self) -> Option<DateTime<Utc>> {
        self.row.published_at
    }

    /// Whether the lesson is a free preview: everybody may watch it once it and its course are published.
    async fn is_preview(&self) -> bool {
        self.row.is_preview
    }

    /// The content that accompanies the video, or is the article; null if the viewer may not see it, for which `viewerAccess` has the
    /// reason. It is not an error, as `video { playback }` would be: one refusal is told once.
    async fn content(&self, ctx: &Context<'_>) -> Result<Option<Sequential<LessonContentObject>>> {
        if !lesson_access(ctx, &self.course, &self.row).await?.granted {
            return Ok(None);
        }
        let content = loaders(ctx).load(ContentOf(self.row.id)).await?;
        Ok(content.map(|content| Sequential(LessonContentObject { lesson: self.row.id, content })))
    }

    /// When the lesson was last edited or published.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.row.updated_at
    }

    /// The version, incremented by each edit. Pass it to updates: an update with a stale version is rejected.
    async fn version(&self) -> i32 {
        self.row.version
    }

    /// Whether the viewer may see the lesson's content, the reason, and when it unlocks for them.
    async fn viewer_access(&self, ctx: &Context<'_>) -> Result<Sequential<AccessObject>> {
        Ok(Sequential(AccessObject(lesson_access(ctx, &self.course, &self.row).await?)))
    }

    /// The viewer's progress in the lesson; null if they have not begun it.
    async fn viewer_progress(&self, ctx: &Context<'_>) -> Result<Option<Sequential<LessonProgress>>> {
        viewer_progress(ctx, self.course.id, self.row.id).await
    }

    /// The delay before the lesson unlocks; null if there is none. It is in days of 24 hours since the user's access to
    /// the course began.
    async fn unlock_after_days(&self) -> Option<i32> {
        self.row.unlock_after_days
    }

    /// When the lesson unlocks for users with access to the course; null if it does not unlock at a fixed time.
    async fn unlocks_at(&self) -> Option<DateTime<Utc>> {
        self.row.unlock_at
    }

    /// The video; null if the lesson is an article, or has none yet. Its `playback` checks whether the viewer may watch it.
    async fn video(&self, ctx: &Context<'_>) -> Result<Option<Sequential<PlayableVideo>>> {
        playable(ctx, Showing::Lesson(self.course.clone(), self.row.clone())).await
    }

    /// The questions about the lesson: pinned ones first, then the latest, unless they are sorted otherwise. Null if the
    /// viewer may not see the lesson's content, for which `viewerAccess` has the reason.
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
    ) -> Result<Option<Sequential<QuestionConnection>>> {
        let args = PageArgs { first, after, last, before };
        lesson_questions(ctx, &self.course, &self.row, (filter, sort), args).await
    }

    /// The lesson before this one in the outline, among those that the viewer may see; null for the first one.
    async fn previous_lesson(&self, ctx: &Context<'_>) -> Result<Option<Sequential<LessonObject>>> {
        self.neighbor(ctx, -1).await
    }

    /// The lesson after this one in the outline, among those that the viewer may see; null for the last one.
    async fn next_lesson(&self, ctx: &Context<'_>) -> Result<Option<Sequential<LessonObject>>> {
        self.neighbor(ctx, 1).await
    }

    /// The course.
    async fn course(&self) -> Sequential<CourseObject> {
        Sequential(CourseObject(self.course.clone()))
    }

    /// The section.
    async fn section(&self, ctx: &Context<'_>) -> Result<Sequential<SectionObject>> {
        let row = loaders(ctx).load(SectionById(self.row.section_id)).await?;
        let row = row.ok_or_else(|| Error::from(InternalError::new("a lesson has no section")))?;
        Ok(Sequential(SectionObject::new(self.course.clone(), row)))
    }
}

impl LessonObject {
    /// The lesson at `distance` from this one in the outline, among those that the viewer may see.
    async fn neighbor(&self, ctx: &Context<'_>, distance: isize) -> Result<Option<Sequential<LessonObject>>> {
        let lessons = visible_lessons(ctx, &self.course).await?;
        let place = lessons.iter().position(|lesson| lesson.id == self.row.id);
        let row = place.and_then(|place| lessons.get(place.checked_add_signed(distance)?));
        Ok(row.map(|row| Sequential(LessonObject { course: self.course.clone(), row: row.clone() })))
    }
}

/// Returns the lesson with this id, if the viewer may see it.
///
/// # Errors
/// The database failed.
pub async fn lesson_node(ctx: &Context<'_>, id: LessonId) -> Result<Option<LessonObject>> {
    let Some(row) = loaders(ctx).load(LessonById(id)).await? else { return Ok(None) };
    let Some(CourseObject(course)) = course_node(ctx, row.course_id).await? else { return Ok(None) };
    if policy::can_see_lesson(&course, &row, false, false) {
        return Ok(Some(LessonObject { course, row }));
    }
    let edits = edits(ctx, &course).await?;
    let seen = policy::can_see_lesson(&course, &row, edits, entitled(ctx, &course, edits).await?);
    Ok(seen.then_some(LessonObject { course, row }))
}
