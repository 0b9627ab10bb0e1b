//! Authoring.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};

use super::course::CourseObject;
use super::lesson::LessonObject;
use super::section::SectionObject;
use crate::catalog::command;
use crate::catalog::model::{
    Course, CourseIdInput, CreateCourseInput, CreateLessonInput, CreateSectionInput, Lesson, LessonIdInput, Section,
    UpdateCourseInput, UpdateLessonInput, UpdateSectionInput,
};
use crate::graphql::context::{Role, actor, app, requires};
use crate::graphql::error::payload;
use crate::graphql::{Inline, Requires, Result, UserError};

/// The answer to a mutation of a course.
#[derive(SimpleObject)]
pub(super) struct CoursePayload {
    /// The course as it is now; null when there are userErrors.
    course: Option<Inline<CourseObject>>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to a mutation of a section.
#[derive(SimpleObject)]
pub(super) struct SectionPayload {
    /// The section as it is now; null when there are userErrors.
    section: Option<Inline<SectionObject>>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to a mutation of a lesson.
#[derive(SimpleObject)]
pub(super) struct LessonPayload {
    /// The lesson as it is now; null when there are userErrors.
    lesson: Option<Inline<LessonObject>>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The catalog mutations.
#[derive(Default)]
pub struct CatalogMutation;

#[Object]
impl CatalogMutation {
    /// Creates a draft course that belongs to the viewer.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn create_course(
        &self,
        ctx: &Context<'_>,
        input: CreateCourseInput,
    ) -> Result<Option<Inline<CoursePayload>>> {
        course(command::create_course(app(ctx), actor(ctx), input).await)
    }

    /// Changes a course's texts.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn update_course(
        &self,
        ctx: &Context<'_>,
        input: UpdateCourseInput,
    ) -> Result<Option<Inline<CoursePayload>>> {
        course(command::update_course(app(ctx), actor(ctx), input).await)
    }

    /// Shows a course with at least one published lesson to everybody. Publishing it again changes nothing.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn publish_course(&self, ctx: &Context<'_>, input: CourseIdInput) -> Result<Option<Inline<CoursePayload>>> {
        course(command::publish_course(app(ctx), actor(ctx), input).await)
    }

    /// Adds a section at the end of a course.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn create_section(
        &self,
        ctx: &Context<'_>,
        input: CreateSectionInput,
    ) -> Result<Option<Inline<SectionPayload>>> {
        section(command::create_section(app(ctx), actor(ctx), input).await)
    }

    /// Changes a section's title.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn update_section(
        &self,
        ctx: &Context<'_>,
        input: UpdateSectionInput,
    ) -> Result<Option<Inline<SectionPayload>>> {
        section(command::update_section(app(ctx), actor(ctx), input).await)
    }

    /// Adds a draft lesson at the end of a section.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn create_lesson(
        &self,
        ctx: &Context<'_>,
        input: CreateLessonInput,
    ) -> Result<Option<Inline<LessonPayload>>> {
        lesson(command::create_lesson(app(ctx), actor(ctx), input).await)
    }

    /// Changes a lesson.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn update_lesson(
        &self,
        ctx: &Context<'_>,
        input: UpdateLessonInput,
    ) -> Result<Option<Inline<LessonPayload>>> {
        lesson(command::update_lesson(app(ctx), actor(ctx), input).await)
    }

    /// Shows a lesson to everybody who sees its course, and pushes it to the followers of new videos. Publishing it
    /// again changes nothing and pushes nothing.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn publish_lesson(&self, ctx: &Context<'_>, input: LessonIdInput) -> Result<Option<Inline<LessonPayload>>> {
        lesson(command::publish_lesson(app(ctx), actor(ctx), input).await)
    }
}

fn course(outcome: Result<Course>) -> Result<Option<Inline<CoursePayload>>> {
    let (row, user_errors) = payload(outcome)?;
    let course = row.map(|row| Inline(CourseObject(Arc::new(row))));
    Ok(Some(Inline(CoursePayload { course, user_errors })))
}

fn section(outcome: Result<(Course, Section)>) -> Result<Option<Inline<SectionPayload>>> {
    let (row, user_errors) = payload(outcome)?;
    let section = row.map(|(course, row)| Inline(SectionObject { course: Arc::new(course), row: Arc::new(row) }));
    Ok(Some(Inline(SectionPayload { section, user_errors })))
}

fn lesson(outcome: Result<(Course, Lesson)>) -> Result<Option<Inline<LessonPayload>>> {
    let (row, user_errors) = payload(outcome)?;
    let lesson = row.map(|(course, row)| Inline(LessonObject { course: Arc::new(course), row: Arc::new(row) }));
    Ok(Some(Inline(LessonPayload { lesson, user_errors })))
}
