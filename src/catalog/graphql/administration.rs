//! Mutations of many courses, and the transfer of a course.

use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};

use super::course::CourseObject;
use super::mutation::{AUTHOR, CoursePayload, author, edited_course};
use crate::catalog::command;
use crate::catalog::model::{BulkArchiveCoursesInput, BulkPublishCoursesInput, Course, CourseId, TransferCourseInput};
use crate::graphql::bulk::{BulkPayload, Done};
use crate::graphql::context::{actor, app, client};
use crate::graphql::guard::{Role, Scope, requires, scoped};
use crate::graphql::{Requires, Result, Sequential, UserError};

// Markers: each mutation has a payload or result type of its own in the schema, which is named after it.
pub(super) struct Publish;
pub(super) struct Archive;
pub(super) struct Transfer;

/// What a bulk mutation did with one course.
#[derive(SimpleObject)]
#[graphql(concrete(name = "BulkPublishCoursesResult", params(Publish)))]
#[graphql(concrete(name = "BulkArchiveCoursesResult", params(Archive)))]
pub(super) struct CourseResult<M: Send + Sync> {
    /// The id in the input.
    id: CourseId,
    /// The course in its current state; null if there are `userErrors`.
    course: Option<Sequential<CourseObject>>,
    /// Why nothing was done with this course; empty on success.
    user_errors: Vec<Sequential<UserError>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

impl<M: Send + Sync> From<Done<Course, Course>> for CourseResult<M> {
    fn from(Done { id, value, user_errors }: Done<Course, Course>) -> CourseResult<M> {
        let course = value.map(|row| Sequential(CourseObject(Arc::new(row))));
        CourseResult { id, course, user_errors, mutation: PhantomData }
    }
}

/// The mutations of many courses, and the transfer of a course.
#[derive(Default)]
pub(super) struct AdministrationMutation;

#[Object]
impl AdministrationMutation {
    /// Publishes courses, each as by `publishCourse`. One that fails leaves the others. Repeating the mutation is safe.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn bulk_publish_courses(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The courses.")] input: BulkPublishCoursesInput,
    ) -> Result<Option<Sequential<BulkPayload<CourseResult<Publish>>>>> {
        BulkPayload::of(command::publish_courses(app(ctx), author(ctx), input).await, CourseResult::from)
    }

    /// Archives courses, each as by `archiveCourse`. One that fails leaves the others. Repeating the mutation is safe.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn bulk_archive_courses(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The courses.")] input: BulkArchiveCoursesInput,
    ) -> Result<Option<Sequential<BulkPayload<CourseResult<Archive>>>>> {
        BulkPayload::of(command::archive_courses(app(ctx), author(ctx), input).await, CourseResult::from)
    }

    /// Gives a course to another instructor. It stays in its channel if the new instructor teaches there; otherwise it
    /// moves to their default channel. Its videos, files, students and URL stay.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn transfer_course(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The course and the new instructor.")] input: TransferCourseInput,
    ) -> Result<Option<Sequential<CoursePayload<Transfer>>>> {
        edited_course(command::transfer_course(app(ctx), actor(ctx), client(ctx), input).await)
    }
}
