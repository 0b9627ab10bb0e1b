//! Which videos lessons and courses show.

use async_graphql::{Context, Object};

use super::mutation::{CoursePayload, LessonPayload, SetVideo, author, course, lesson};
use crate::catalog::command;
use crate::catalog::model::{SetCourseDemoVideoInput, SetLessonVideoInput};
use crate::graphql::context::app;
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::{Result, Scoped, Sequential};

/// What can be done with the videos of courses.
#[derive(Default)]
pub(super) struct VideoMutation;

#[Object(name = "CatalogVideoMutation")]
impl VideoMutation {
    /// Gives a lesson another video, or none. When the video's duration is known it becomes the lesson's, otherwise as
    /// soon as it is. A video that nothing shows any more is deleted after a while.
    #[graphql(
        guard = "Scoped(Role::Instructor, Scope::WriteCourses)",
        directive = scoped::apply(Role::Instructor, Scope::WriteCourses)
    )]
    async fn set_lesson_video(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which lesson, and which video.")] input: SetLessonVideoInput,
    ) -> Result<Option<Sequential<LessonPayload<SetVideo>>>> {
        lesson(command::set_lesson_video(app(ctx), author(ctx), input).await)
    }

    /// Gives a course another video that everybody may watch once the course is published, or none.
    #[graphql(
        guard = "Scoped(Role::Instructor, Scope::WriteCourses)",
        directive = scoped::apply(Role::Instructor, Scope::WriteCourses)
    )]
    async fn set_course_demo_video(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which course, and which video.")] input: SetCourseDemoVideoInput,
    ) -> Result<Option<Sequential<CoursePayload<SetVideo>>>> {
        course(command::set_course_demo_video(app(ctx), author(ctx), input).await)
    }
}
