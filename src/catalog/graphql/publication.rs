//! What appears when, in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};

use super::course::CourseObject;
use super::mutation::{
    AUTHOR, Archive, CoursePayload, LessonPayload, Schedule, SetUnlock, Unarchive, Unpublish, author, course, lesson,
};
use crate::catalog::command;
use crate::catalog::model::{
    ArchiveCourseInput, CourseId, DeleteCourseInput, Deleted, ScheduleCourseInput, ScheduleLessonInput,
    SetLessonUnlockInput, UnarchiveCourseInput, UnpublishCourseInput, UnpublishLessonInput,
};
use crate::graphql::context::app;
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::{Result, Sequential, UserError};

/// The answer to `deleteCourse`.
#[derive(SimpleObject)]
pub(super) struct DeleteCoursePayload {
    /// The course that is archived now, because somebody has access to it; null when it is gone.
    course: Option<Sequential<CourseObject>>,
    /// The id of the course that is gone; null when it is archived.
    deleted_course_id: Option<CourseId>,
    /// What is wrong with the input.
    user_errors: Vec<Sequential<UserError>>,
}

/// The mutations of what appears when.
#[derive(Default)]
pub(super) struct PublicationMutation;

#[Object]
impl PublicationMutation {
    /// Takes a course away from everybody but its instructor and administrators, also from those who have access to it:
    /// archiveCourse leaves it to them. It can be published again, which is no news then.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn unpublish_course(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which course.")] input: UnpublishCourseInput,
    ) -> Result<Option<Sequential<CoursePayload<Unpublish>>>> {
        course(command::unpublish_course(app(ctx), author(ctx), input).await)
    }

    /// Takes a lesson away from everybody but the course's instructor and administrators. Publishing it again pushes
    /// nothing.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn unpublish_lesson(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which lesson.")] input: UnpublishLessonInput,
    ) -> Result<Option<Sequential<LessonPayload<Unpublish>>>> {
        lesson(command::unpublish_lesson(app(ctx), author(ctx), input).await)
    }

    /// Has a draft publish itself at a time, as publishCourse does; another time takes the place of the first, and null
    /// gives it up. A course that has no published lesson by then stays a draft.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn schedule_course(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which course, and when.")] input: ScheduleCourseInput,
    ) -> Result<Option<Sequential<CoursePayload<Schedule>>>> {
        course(command::schedule_course(app(ctx), author(ctx), input).await)
    }

    /// Has a draft publish itself at a time, as publishLesson does; another time takes the place of the first, and null
    /// gives it up.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn schedule_lesson(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which lesson, and when.")] input: ScheduleLessonInput,
    ) -> Result<Option<Sequential<LessonPayload<Schedule>>>> {
        lesson(command::schedule_lesson(app(ctx), author(ctx), input).await)
    }

    /// Sets when a lesson's content opens for those who have access to the course. Its title is seen before.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn set_lesson_unlock(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which lesson, and when.")] input: SetLessonUnlockInput,
    ) -> Result<Option<Sequential<LessonPayload<SetUnlock>>>> {
        lesson(command::set_lesson_unlock(app(ctx), author(ctx), input).await)
    }

    /// Takes a course away from everybody but those who have access to it, its instructor and administrators.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn archive_course(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which course.")] input: ArchiveCourseInput,
    ) -> Result<Option<Sequential<CoursePayload<Archive>>>> {
        course(command::archive_course(app(ctx), author(ctx), input).await)
    }

    /// Brings an archived course back as a draft, which nobody else sees; `publishCourse` brings it back for everybody.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn unarchive_course(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which course.")] input: UnarchiveCourseInput,
    ) -> Result<Option<Sequential<CoursePayload<Unarchive>>>> {
        course(command::unarchive_course(app(ctx), author(ctx), input).await)
    }

    /// Deletes a course with its sections and lessons; there is no way back. When somebody has access to it, it is
    /// archived instead.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn delete_course(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which course.")] input: DeleteCourseInput,
    ) -> Result<Option<Sequential<DeleteCoursePayload>>> {
        let (deleted, user_errors) = payload(command::delete_course(app(ctx), author(ctx), input).await)?;
        let (course, deleted_course_id) = match deleted {
            Some(Deleted::Archived(course)) => (Some(Sequential(CourseObject(Arc::new(*course)))), None),
            Some(Deleted::Removed(id)) => (None, Some(id)),
            None => (None, None),
        };
        Ok(Some(Sequential(DeleteCoursePayload { course, deleted_course_id, user_errors })))
    }
}
