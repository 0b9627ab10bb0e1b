//! The courses that the user has access to.

use std::sync::Arc;

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};

use crate::accounts::{UserId, viewer};
use crate::catalog::{CourseId, CourseObject, course_node};
use crate::entitlements::{HeldCourse, HeldCoursesCount, HeldCoursesOf};
use crate::graphql::context::{loaders, within};
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::page::{encode_cursor, wants_total};
use crate::graphql::{Connection, Entity, Id, PageArgs, Result, Scoped, Sequential};

const ENROLLMENTS: &str = "enrollments";

/// A course that a user has access to, in the schema.
#[derive(Clone)]
pub struct EnrollmentObject {
    user: UserId,
    held: Arc<HeldCourse>,
}

impl Entity for EnrollmentObject {
    const PREFIX: &'static str = "enrollment";
}

/// A course that a user has access to, whatever the source.
#[Object(name = "Enrollment")]
impl EnrollmentObject {
    /// The id of the enrollment, unique per user and course.
    async fn id(&self) -> Id<EnrollmentObject> {
        Id::connecting(self.user.uuid(), self.held.course_id)
    }

    /// The course; null if it is not published and the viewer may not edit it. An archived course is not null.
    async fn course(&self, ctx: &Context<'_>) -> Result<Option<Sequential<CourseObject>>> {
        Ok(course_node(ctx, CourseId::new(self.held.course_id)).await?.map(Sequential))
    }

    /// When the user's oldest active access began. The unlock days of lessons count from here.
    async fn enrolled_at(&self) -> DateTime<Utc> {
        self.held.since
    }
}

/// The enrollments of the viewer.
#[derive(Default)]
pub(super) struct ViewerEnrollments;

#[Object]
impl ViewerEnrollments {
    /// The courses that the user has access to, each once, most recent access first.
    #[graphql(
        guard = "Scoped(Role::Student, Scope::ReadCourses)",
        directive = scoped::apply(Role::Student, Scope::ReadCourses)
    )]
    async fn enrollments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<EnrollmentObject>>>> {
        let viewer = viewer(within(ctx, Scope::ReadCourses))?;
        enrollments_of(ctx, viewer, PageArgs { first, after, last, before }).await
    }
}

/// Returns a page of the courses that a user has access to, most recent access first.
///
/// The caller has checked that the viewer may see them.
///
/// # Errors
/// An argument is invalid; the database failed.
pub async fn enrollments_of(
    ctx: &Context<'_>,
    user: UserId,
    args: PageArgs,
) -> Result<Option<Sequential<Connection<EnrollmentObject>>>> {
    let page = args.timed_page(ENROLLMENTS)?;
    let rows = loaders(ctx).load(HeldCoursesOf(user, page.clone())).await?.unwrap_or_default();
    let connection = page.connection(
        rows,
        move |held| EnrollmentObject { user, held },
        |EnrollmentObject { held, .. }| encode_cursor(ENROLLMENTS, &(held.since.timestamp_micros(), held.course_id)),
    );
    if !wants_total(ctx) {
        return Ok(Some(Sequential(connection)));
    }
    let total = loaders(ctx).load(HeldCoursesCount(user)).await?.unwrap_or_default();
    Ok(Some(Sequential(connection.with_total(total))))
}
