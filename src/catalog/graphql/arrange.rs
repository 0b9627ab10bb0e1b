//! The order of an outline, and what is taken out of it.

use async_graphql::{Context, Object};

use super::mutation::{AUTHOR, CoursePayload, DeleteLesson, DeleteSection, Reorder, author, course};
use crate::catalog::command;
use crate::catalog::model::{DeleteLessonInput, DeleteSectionInput, ReorderCourseInput};
use crate::graphql::context::app;
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::{Result, Sequential};

/// Mutations of a course's outline as a whole.
#[derive(Default)]
pub(super) struct ArrangeMutation;

#[Object]
impl ArrangeMutation {
    /// Puts a course's sections and lessons into a new order; lessons may move between sections. The input names all of
    /// them. Of two new orders at once the later one stays.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn reorder_course(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which course, and its new order.")] input: ReorderCourseInput,
    ) -> Result<Option<Sequential<CoursePayload<Reorder>>>> {
        course(command::reorder_course(app(ctx), author(ctx), input).await)
    }

    /// Deletes a section with all its lessons. There is no way back.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn delete_section(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which section.")] input: DeleteSectionInput,
    ) -> Result<Option<Sequential<CoursePayload<DeleteSection>>>> {
        course(command::delete_section(app(ctx), author(ctx), input).await)
    }

    /// Deletes a lesson. There is no way back.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn delete_lesson(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which lesson.")] input: DeleteLessonInput,
    ) -> Result<Option<Sequential<CoursePayload<DeleteLesson>>>> {
        course(command::delete_lesson(app(ctx), author(ctx), input).await)
    }
}
