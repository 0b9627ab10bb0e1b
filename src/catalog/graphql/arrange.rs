//! Mutations that reorder an outline or delete its parts.

use async_graphql::{Context, Object};

use super::mutation::{AUTHOR, CoursePayload, DeleteLesson, DeleteSection, Reorder, author, course, edited_course};
use crate::catalog::command;
use crate::catalog::model::{DeleteLessonInput, DeleteSectionInput, ReorderCourseInput};
use crate::graphql::context::app;
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::{Result, Sequential};

/// The mutations that reorder an outline or delete its parts.
#[derive(Default)]
pub(super) struct ArrangeMutation;

#[Object]
impl ArrangeMutation {
    /// Reorders the sections and lessons of a course; lessons may move between sections. The input must list all of
    /// them. If two users reorder a course at the same time, the later request wins.
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
    ) -> Result<Option<Sequential<CoursePayload<DeleteSection>>>> {
        course(command::delete_section(app(ctx), author(ctx), input).await)
    }

    /// Deletes a lesson. This cannot be undone.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn delete_lesson(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lesson.")] input: DeleteLessonInput,
    ) -> Result<Option<Sequential<CoursePayload<DeleteLesson>>>> {
        course(command::delete_lesson(app(ctx), author(ctx), input).await)
    }
}
