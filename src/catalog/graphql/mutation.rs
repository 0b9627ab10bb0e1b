//! Mutations of courses, sections and lessons.

use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};

use super::administration::Transfer;
use super::course::CourseObject;
use super::lesson::LessonObject;
use super::section::SectionObject;
use crate::catalog::command;
use crate::catalog::model::{
    Course, CreateCourseInput, CreateLessonInput, CreateSectionInput, Lesson, PublishCourseInput, PublishLessonInput,
    Section, UpdateCourseInput, UpdateLessonInput, UpdateSectionInput,
};
use crate::graphql::context::{app, within};
use crate::graphql::error::{Edit, edit_payload};
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::{Result, Scoped, Sequential, UserError};
use crate::platform::auth::Actor;

/// The guard of the authoring mutations.
pub(super) const AUTHOR: Scoped = Scoped(Role::Instructor, Scope::WriteCourses);

/// Returns the caller of an authoring mutation; anonymous for an API token without the scope.
pub(super) fn author<'a>(ctx: &Context<'a>) -> &'a Actor {
    within(ctx, Scope::WriteCourses)
}

// Markers: each mutation has a payload type of its own in the schema, which is named after it.
pub(super) struct Create;
pub(super) struct Update;
pub(super) struct Publish;
pub(super) struct Reorder;
pub(super) struct Unpublish;
pub(super) struct Schedule;
pub(super) struct Archive;
pub(super) struct Unarchive;
pub(super) struct SetUnlock;
pub(super) struct SetVideo;
pub(super) struct SetThumbnail;

/// The payload of a mutation of a course.
#[derive(SimpleObject)]
#[graphql(concrete(name = "CreateCoursePayload", params(Create)))]
#[graphql(concrete(name = "UpdateCoursePayload", params(Update)))]
#[graphql(concrete(name = "PublishCoursePayload", params(Publish)))]
#[graphql(concrete(name = "UnpublishCoursePayload", params(Unpublish)))]
#[graphql(concrete(name = "ScheduleCoursePayload", params(Schedule)))]
#[graphql(concrete(name = "ArchiveCoursePayload", params(Archive)))]
#[graphql(concrete(name = "UnarchiveCoursePayload", params(Unarchive)))]
#[graphql(concrete(name = "ReorderCoursePayload", params(Reorder)))]
#[graphql(concrete(name = "SetCourseDemoVideoPayload", params(SetVideo)))]
#[graphql(concrete(name = "SetCourseThumbnailPayload", params(SetThumbnail)))]
#[graphql(concrete(name = "TransferCoursePayload", params(Transfer)))]
pub(super) struct CoursePayload<M: Send + Sync> {
    /// The course in its current state; null if there are `userErrors`. If the input has a `version`, it is returned
    /// with CONFLICT, too.
    course: Option<Sequential<CourseObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

/// The payload of a mutation of a section.
#[derive(SimpleObject)]
#[graphql(concrete(name = "CreateSectionPayload", params(Create)))]
#[graphql(concrete(name = "UpdateSectionPayload", params(Update)))]
pub(super) struct SectionPayload<M: Send + Sync> {
    /// The section in its current state; null if there are `userErrors`. If the input has a `version`, it is returned
    /// with CONFLICT, too.
    section: Option<Sequential<SectionObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

/// The payload of a mutation of a lesson.
#[derive(SimpleObject)]
#[graphql(concrete(name = "CreateLessonPayload", params(Create)))]
#[graphql(concrete(name = "UpdateLessonPayload", params(Update)))]
#[graphql(concrete(name = "PublishLessonPayload", params(Publish)))]
#[graphql(concrete(name = "UnpublishLessonPayload", params(Unpublish)))]
#[graphql(concrete(name = "ScheduleLessonPayload", params(Schedule)))]
#[graphql(concrete(name = "SetLessonUnlockPayload", params(SetUnlock)))]
#[graphql(concrete(name = "SetLessonVideoPayload", params(SetVideo)))]
pub(super) struct LessonPayload<M: Send + Sync> {
    /// The lesson in its current state; null if there are `userErrors`. If the input has a `version`, it is returned
    /// with CONFLICT, too.
    lesson: Option<Sequential<LessonObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

/// The mutations of courses, sections and lessons.
#[derive(Default)]
pub(super) struct CourseMutation;

#[Object]
impl CourseMutation {
    /// Creates a draft course that belongs to the viewer.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn create_course(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new course.")] input: CreateCourseInput,
    ) -> Result<Option<Sequential<CoursePayload<Create>>>> {
        course(command::create_course(app(ctx), author(ctx), input).await)
    }

    /// Changes a course. Its earlier slugs still lead to it.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn update_course(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The course and the fields to change.")] input: UpdateCourseInput,
    ) -> Result<Option<Sequential<CoursePayload<Update>>>> {
        edited_course(command::update_course(app(ctx), author(ctx), input).await)
    }

    /// Publishes a course, so that everybody can see it, even if it is archived. It needs at least one published
    /// lesson. Publishing a published course changes nothing.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn publish_course(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The course.")] input: PublishCourseInput,
    ) -> Result<Option<Sequential<CoursePayload<Publish>>>> {
        course(command::publish_course(app(ctx), author(ctx), input).await)
    }

    /// Adds a section at the end of a course.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn create_section(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new section.")] input: CreateSectionInput,
    ) -> Result<Option<Sequential<SectionPayload<Create>>>> {
        section(command::create_section(app(ctx), author(ctx), input).await)
    }

    /// Changes a section's title.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn update_section(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The section and the fields to change.")] input: UpdateSectionInput,
    ) -> Result<Option<Sequential<SectionPayload<Update>>>> {
        edited_section(command::update_section(app(ctx), author(ctx), input).await)
    }

    /// Adds a draft lesson at the end of a section.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn create_lesson(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new lesson.")] input: CreateLessonInput,
    ) -> Result<Option<Sequential<LessonPayload<Create>>>> {
        lesson(command::create_lesson(app(ctx), author(ctx), input).await)
    }

    /// Changes a lesson.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn update_lesson(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lesson and the fields to change.")] input: UpdateLessonInput,
    ) -> Result<Option<Sequential<LessonPayload<Update>>>> {
        edited_lesson(command::update_lesson(app(ctx), author(ctx), input).await)
    }

    /// Publishes a lesson, so that everybody who can see its course can see it. The first time that everybody can see
    /// it, the subscription `newVideo` delivers it. Publishing a published lesson changes nothing.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn publish_lesson(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lesson.")] input: PublishLessonInput,
    ) -> Result<Option<Sequential<LessonPayload<Publish>>>> {
        lesson(command::publish_lesson(app(ctx), author(ctx), input).await)
    }
}

pub(super) fn course<M: Send + Sync>(outcome: Result<Course>) -> Result<Option<Sequential<CoursePayload<M>>>> {
    edited_course(outcome.map(Edit::Saved))
}

pub(super) fn edited_course<M: Send + Sync>(
    outcome: Result<Edit<Course>>,
) -> Result<Option<Sequential<CoursePayload<M>>>> {
    let (row, user_errors) = edit_payload(outcome)?;
    let course = row.map(|row| Sequential(CourseObject(Arc::new(row))));
    Ok(Some(Sequential(CoursePayload { course, user_errors, mutation: PhantomData })))
}

fn section<M: Send + Sync>(outcome: Result<(Course, Section)>) -> Result<Option<Sequential<SectionPayload<M>>>> {
    edited_section(outcome.map(Edit::Saved))
}

fn edited_section<M: Send + Sync>(
    outcome: Result<Edit<(Course, Section)>>,
) -> Result<Option<Sequential<SectionPayload<M>>>> {
    let (row, user_errors) = edit_payload(outcome)?;
    let section = row.map(|(course, row)| Sequential(SectionObject::new(Arc::new(course), Arc::new(row))));
    Ok(Some(Sequential(SectionPayload { section, user_errors, mutation: PhantomData })))
}

pub(super) fn lesson<M: Send + Sync>(
    outcome: Result<(Course, Lesson)>,
) -> Result<Option<Sequential<LessonPayload<M>>>> {
    edited_lesson(outcome.map(Edit::Saved))
}

pub(super) fn edited_lesson<M: Send + Sync>(
    outcome: Result<Edit<(Course, Lesson)>>,
) -> Result<Option<Sequential<LessonPayload<M>>>> {
    let (row, user_errors) = edit_payload(outcome)?;
    let lesson = row.map(|(course, row)| Sequential(LessonObject { course: Arc::new(course), row: Arc::new(row) }));
    Ok(Some(Sequential(LessonPayload { lesson, user_errors, mutation: PhantomData })))
}
