//! Mutations of lesson videos and demo videos.

use async_graphql::{Context, Object};

use super::mutation::{CoursePayload, LessonPayload, SetVideo, author, edited_course, edited_lesson};
use crate::catalog::command;
use crate::catalog::model::{SetCourseDemoVideoInput, SetLessonVideoInput};
use crate::graphql::context::app;
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::{Result, Scoped, Sequential};

/// The mutations of lesson videos and demo videos.
#[derive(Default)]
pub(super) struct VideoMutation;

#[Object(name = "CatalogVideoMutation")]
impl VideoMutation {
    /// Sets or removes the video of a lesson. The lesson takes the video's duration as soon as it is known. A video
    /// that is no longer used is deleted after a grace period.
    #[graphql(
        guard = "Scoped(Role::Instructor, Scope::WriteCourses)",
        directive = scoped::apply(Role::Instructor, Scope::WriteCourses)
    )]
    async fn set_lesson_video(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lesson and the video.")] input: SetLessonVideoInput,
    ) -> Result<Option<Sequential<LessonPayload<SetVideo>>>> {
        edited_lesson(command::set_lesson_video(app(ctx), author(ctx), input).await)
    }

    /// Sets or removes the demo video of a course. Everybody may watch it once the course is published.
    #[graphql(
        guard = "Scoped(Role::Instructor, Scope::WriteCourses)",
        directive = scoped::apply(Role::Instructor, Scope::WriteCourses)
    )]
    async fn set_course_demo_video(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The course and the video.")] input: SetCourseDemoVideoInput,
    ) -> Result<Option<Sequential<CoursePayload<SetVideo>>>> {
        edited_course(command::set_course_demo_video(app(ctx), author(ctx), input).await)
    }
}
