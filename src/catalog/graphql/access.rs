//! What the viewer of a request may see of a course.

use std::sync::Arc;

use async_graphql::Context;
use uuid::Uuid;

use crate::accounts::UserId;
use crate::catalog::command::{covered_path, edits_course};
use crate::catalog::model::{Course, Lesson};
use crate::catalog::policy;
use crate::entitlements::{Access, Entitlement, Held};
use crate::graphql::Result;
use crate::graphql::context::{app, loaders, viewer_loaders, within};
use crate::graphql::guard::Scope;

/// Returns whether the viewer has access to the course as a whole.
pub(super) async fn course_access(ctx: &Context<'_>, course: &Course) -> Result<Access> {
    access(ctx, course, None).await
}

/// Returns whether the viewer may see a lesson's content.
///
/// Every resolver that returns such content must call this, and require the access.
pub(super) async fn lesson_access(ctx: &Context<'_>, course: &Course, lesson: &Lesson) -> Result<Access> {
    access(ctx, course, Some(lesson)).await
}

async fn access(ctx: &Context<'_>, course: &Course, lesson: Option<&Lesson>) -> Result<Access> {
    let edits = edits(ctx, course).await?;
    let (held, path) = held(ctx, course, edits).await?;
    let viewer = within(ctx, Scope::ReadCourses);
    Ok(policy::access(viewer, course, edits, &path, lesson, &held, app(ctx).clock.now()))
}

/// Returns whether the viewer may edit the course.
pub(super) async fn edits(ctx: &Context<'_>, course: &Course) -> Result<bool> {
    Ok(edits_course(loaders(ctx), within(ctx, Scope::ReadCourses), course).await?)
}

/// Returns whether the viewer is entitled to the course, for [`policy::can_see`].
///
/// Only archived courses depend on it, and only for those who may not edit them (`edits`); otherwise it is `false`.
pub(super) async fn entitled(ctx: &Context<'_>, course: &Course, edits: bool) -> Result<bool> {
    if course.archived_at.is_none() {
        return Ok(false);
    }
    is_entitled(ctx, course, edits).await
}

/// Returns whether the viewer is entitled to the course; it is `false` for those who may edit it (`edits`).
pub(super) async fn is_entitled(ctx: &Context<'_>, course: &Course, edits: bool) -> Result<bool> {
    let (held, path) = held(ctx, course, edits).await?;
    let now = app(ctx).clock.now();
    Ok(held.iter().any(|row| row.covers(course.id.uuid(), &path) && row.is_active(now)))
}

/// Returns the viewer's entitlements that may cover the course.
///
/// Also returns the path of the course's category if one of them covers a category. Reads nothing for anonymous viewers
/// and for those who may edit the course (`edits`).
async fn held(ctx: &Context<'_>, course: &Course, edits: bool) -> Result<(Arc<Vec<Entitlement>>, Vec<Uuid>)> {
    let viewer = within(ctx, Scope::ReadCourses);
    let Some(user) = viewer.id().filter(|_| !edits) else { return Ok(Default::default()) };
    let key = Held { user: UserId::new(user), course: course.id.uuid() };
    let held = viewer_loaders(ctx).load(key).await?.unwrap_or_default();
    let path = covered_path(loaders(ctx), course, &held).await?;
    Ok((held, path))
}
