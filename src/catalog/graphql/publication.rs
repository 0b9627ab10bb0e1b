//! Mutations of publication statuses, schedules and unlock times.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};

use super::course::CourseObject;
use super::mutation::{
    AUTHOR, Archive, CoursePayload, LessonPayload, Schedule, SetUnlock, Unarchive, Unpublish, author, course,
    edited_course, edited_lesson, lesson,
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

/// The payload of `deleteCourse`.
#[derive(SimpleObject)]
pub(super) struct DeleteCoursePayload {
    /// The course, if it was archived instead because a user is entitled to it; null if it was deleted.
    course: Option<Sequential<CourseObject>>,
    /// The id of the deleted course; null if the course was archived or there are `userErrors`.
    deleted_course_id: Option<CourseId>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The mutations of publication statuses, schedules and unlock times.
#[derive(Default)]
pub(super) struct PublicationMutation;

#[Object]
impl PublicationMutation {
    /// Unpublishes a course: only its instructor and administrators can see it then. It is hidden even from users who
    /// have access to it; `archiveCourse` keeps it visible to them. Publishing it again does not announce it again.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn unpublish_course(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The course.")] input: UnpublishCourseInput,
    ) -> Result<Option<Sequential<CoursePayload<Unpublish>>>> {
        course(command::unpublish_course(app(ctx), author(ctx), input).await)
    }

    /// Unpublishes a lesson: only the course's instructor and administrators can see it then. Publishing it again does
    /// not announce it again.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn unpublish_lesson(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lesson.")] input: UnpublishLessonInput,
    ) -> Result<Option<Sequential<LessonPayload<Unpublish>>>> {
        lesson(command::unpublish_lesson(app(ctx), author(ctx), input).await)
    }

    /// Schedules a draft course to be published, as by `publishCourse`. A new time replaces the previous one; null
    /// cancels the schedule. If the course has no published lesson at that time, it stays a draft.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn schedule_course(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The course and the time of publication.")] input: ScheduleCourseInput,
    ) -> Result<Option<Sequential<CoursePayload<Schedule>>>> {
        edited_course(command::schedule_course(app(ctx), author(ctx), input).await)
    }

    /// Schedules a draft lesson to be published, as by `publishLesson`. A new time replaces the previous one; null
    /// cancels the schedule.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn schedule_lesson(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lesson and the time.")] input: ScheduleLessonInput,
    ) -> Result<Option<Sequential<LessonPayload<Schedule>>>> {
        edited_lesson(command::schedule_lesson(app(ctx), author(ctx), input).await)
    }

    /// Sets when a lesson's content unlocks for users with access to the course. Its title is visible before.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn set_lesson_unlock(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lesson and the time.")] input: SetLessonUnlockInput,
    ) -> Result<Option<Sequential<LessonPayload<SetUnlock>>>> {
        edited_lesson(command::set_lesson_unlock(app(ctx), author(ctx), input).await)
    }

    /// Archives a course: only users who have access to it, its instructor and administrators can see it then.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn archive_course(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The course.")] input: ArchiveCourseInput,
    ) -> Result<Option<Sequential<CoursePayload<Archive>>>> {
        course(command::archive_course(app(ctx), author(ctx), input).await)
    }

    /// Restores an archived course as a draft, visible only to its instructor and administrators. To make it visible to
    /// everybody again, use `publishCourse`.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn unarchive_course(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The course.")] input: UnarchiveCourseInput,
    ) -> Result<Option<Sequential<CoursePayload<Unarchive>>>> {
        course(command::unarchive_course(app(ctx), author(ctx), input).await)
    }

    /// Deletes a course with its sections and lessons; this cannot be undone. If a user is entitled to it, it is
    /// archived instead.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn delete_course(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The course.")] input: DeleteCourseInput,
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
