//! Mutations that reorder an outline or delete its parts.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};

use super::course::CourseObject;
use super::mutation::{AUTHOR, CoursePayload, Reorder, author, edited_course};
use crate::catalog::command;
use crate::catalog::model::{Course, DeleteLessonInput, DeleteSectionInput, LessonId, ReorderCourseInput, SectionId};
use crate::graphql::context::app;
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::{Result, Sequential, UserError};

/// The payload of `deleteSection`.
#[derive(SimpleObject)]
pub(super) struct DeleteSectionPayload {
    /// The course without the section; null if there are `userErrors`.
    course: Option<Sequential<CourseObject>>,
    /// The id of the deleted section; null if there are `userErrors`.
    deleted_section_id: Option<SectionId>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `deleteLesson`.
#[derive(SimpleObject)]
pub(super) struct DeleteLessonPayload {
    /// The course without the lesson; null if there are `userErrors`.
    course: Option<Sequential<CourseObject>>,
    /// The id of the deleted lesson; null if there are `userErrors`.
    deleted_lesson_id: Option<LessonId>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The mutations that reorder an outline or delete its parts.
#[derive(Default)]
pub(super) struct ArrangeMutation;

#[Object]
impl ArrangeMutation {
    /// Reorders the sections and lessons of a course; lessons may move between sections. The input must list all of
    /// them.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn reorder_course(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The course and its new order.")] input: ReorderCourseInput,
    ) -> Result<Option<Sequential<CoursePayload<Reorder>>>> {
        edited_course(command::reorder_course(app(ctx), author(ctx), input).await)
    }

    /// Deletes a section with all its lessons. This cannot be undone.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn delete_section(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The section.")] input: DeleteSectionInput,
    ) -> Result<Option<Sequential<DeleteSectionPayload>>> {
        let section = input.section_id;
        let (course, user_errors) = payload(command::delete_section(app(ctx), author(ctx), input).await)?;
        let deleted_section_id = course.is_some().then_some(section);
        Ok(Some(Sequential(DeleteSectionPayload { course: course.map(object), deleted_section_id, user_errors })))
    }

    /// Deletes a lesson. This cannot be undone.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn delete_lesson(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lesson.")] input: DeleteLessonInput,
    ) -> Result<Option<Sequential<DeleteLessonPayload>>> {
        let lesson = input.lesson_id;
        let (course, user_errors) = payload(command::delete_lesson(app(ctx), author(ctx), input).await)?;
        let deleted_lesson_id = course.is_some().then_some(lesson);
        Ok(Some(Sequential(DeleteLessonPayload { course: course.map(object), deleted_lesson_id, user_errors })))
    }
}

fn object(course: Course) -> Sequential<CourseObject> {
    Sequential(CourseObject(Arc::new(course)))
}
