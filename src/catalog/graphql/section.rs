//! A section in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};
use tokio::sync::OnceCell;

use super::access::{edits, entitled};
use super::course::{CourseObject, course_node};
use super::lesson::LessonObject;
use crate::catalog::loader::{LessonsOf, SectionById, SectionsOf};
use crate::catalog::model::{Course, Lesson, MOST_LESSONS, Section, SectionId};
use crate::catalog::policy;
use crate::graphql::context::loaders;
use crate::graphql::cost::cost;
use crate::graphql::{Connection, Error, PageArgs, Result, Sequential, page};

/// A section in the schema, with the course that decides what the viewer may see of it.
#[derive(Clone)]
pub struct SectionObject {
    /// Its course.
    pub course: Arc<Course>,
    /// The section.
    pub row: Arc<Section>,
    /// The lessons that the viewer may see, loaded when a field first needs them.
    visible: Arc<OnceCell<Vec<Arc<Lesson>>>>,
}

/// Returns the sections of a course that the viewer may see, in order.
///
/// Only those who may edit the course see sections without a visible lesson.
///
/// # Errors
/// The database failed.
pub(super) async fn visible_sections(ctx: &Context<'_>, course: &Arc<Course>) -> Result<Vec<SectionObject>> {
    let (rows, lessons) = tokio::join!(loaders(ctx).load(SectionsOf(course.id)), visible_lessons(ctx, course));
    let (rows, lessons) = (rows?.unwrap_or_default(), lessons?);
    let sections = rows.iter().map(|row| {
        let own = lessons.iter().filter(|lesson| lesson.section_id == row.id).cloned().collect();
        SectionObject { course: course.clone(), row: row.clone(), visible: Arc::new(OnceCell::new_with(Some(own))) }
    });
    let edits = edits(ctx, course).await?;
    Ok(sections.filter(|section| edits || section.visible.get().is_some_and(|own| !own.is_empty())).collect())
}

/// Returns the lessons of a course that the viewer may see, section by section.
pub(super) async fn visible_lessons(ctx: &Context<'_>, course: &Course) -> Result<Vec<Arc<Lesson>>> {
    let all = loaders(ctx).load(LessonsOf(course.id)).await?.unwrap_or_default();
    let edits = edits(ctx, course).await?;
    let entitled = entitled(ctx, course, edits).await?;
    let seen = all.iter().filter(|lesson| policy::can_see_lesson(course, lesson, edits, entitled));
    Ok(seen.cloned().collect())
}

impl SectionObject {
    /// A section of `course`.
    pub fn new(course: Arc<Course>, row: Arc<Section>) -> SectionObject {
        SectionObject { course, row, visible: Arc::default() }
    }

    async fn visible_lessons(&self, ctx: &Context<'_>) -> Result<&[Arc<Lesson>]> {
        let visible = self.visible.get_or_try_init(async || {
            let mut own = visible_lessons(ctx, &self.course).await?;
            own.retain(|lesson| lesson.section_id == self.row.id);
            Ok::<_, Error>(own)
        });
        Ok(visible.await?)
    }
}

/// A section of a course.
#[Object(name = "Section")]
impl SectionObject {
    /// The id of the section.
    pub async fn id(&self) -> SectionId {
        self.row.id
    }

    /// The title.
    async fn title(&self) -> &str {
        &self.row.title
    }

    /// The position in the course, from 1.
    async fn position(&self) -> i32 {
        self.row.position
    }

    /// When the section was last edited.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.row.updated_at
    }

    /// The version, incremented by each edit. Pass it to updates: an update with a stale version is rejected.
    async fn version(&self) -> i32 {
        self.row.version
    }

    /// The course.
    async fn course(&self) -> Sequential<CourseObject> {
        Sequential(CourseObject(self.course.clone()))
    }

    /// The number of the section's lessons that the viewer may see.
    async fn lesson_count(&self, ctx: &Context<'_>) -> Result<usize> {
        Ok(self.visible_lessons(ctx).await?.len())
    }

    /// The section's lessons in order. Drafts are included only for users who may edit them.
    #[graphql(directive = cost::apply(None, Some(MOST_LESSONS), Some("Course.sections".into())))]
    async fn lessons(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 500; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 500.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Sequential<Connection<LessonObject>>> {
        let rows = self.visible_lessons(ctx).await?;
        let lessons = rows.iter().map(|row| LessonObject { course: self.course.clone(), row: row.clone() }).collect();
        let args = PageArgs { first, after, last, before };
        Ok(Sequential(page::slice_up_to(MOST_LESSONS, args, "lessons", lessons, |lesson| lesson.row.position)?))
    }
}

/// Returns the section with this id, if the viewer may see it.
///
/// # Errors
/// The database failed.
pub async fn section_node(ctx: &Context<'_>, id: SectionId) -> Result<Option<SectionObject>> {
    let Some(row) = loaders(ctx).load(SectionById(id)).await? else { return Ok(None) };
    let Some(CourseObject(course)) = course_node(ctx, row.course_id).await? else { return Ok(None) };
    let edits = edits(ctx, &course).await?;
    let section = SectionObject::new(course, row);
    let seen = edits || !section.visible_lessons(ctx).await?.is_empty();
    Ok(seen.then_some(section))
}
