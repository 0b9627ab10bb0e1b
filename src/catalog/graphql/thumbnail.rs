//! Mutations of course thumbnails.

use async_graphql::{Context, Object};

use super::mutation::{AUTHOR, CoursePayload, SetThumbnail, author, edited_course};
use crate::catalog::command;
use crate::catalog::model::SetCourseThumbnailInput;
use crate::graphql::context::app;
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::{Result, Sequential};

/// The mutations of course thumbnails.
#[derive(Default)]
pub(super) struct ThumbnailMutation;

#[Object]
impl ThumbnailMutation {
    /// Sets or removes the thumbnail of a course. A file that is no longer used is deleted after a grace period.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn set_course_thumbnail(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The course and the image file.")] input: SetCourseThumbnailInput,
    ) -> Result<Option<Sequential<CoursePayload<SetThumbnail>>>> {
        edited_course(command::set_course_thumbnail(app(ctx), author(ctx), input).await)
    }
}
