//! Who may see what, for the viewer of a request.

use std::sync::Arc;

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};

use crate::accounts::UserId;
use crate::catalog::{Course, Lesson, can_edit};
use crate::enrollments::loader::Held;
use crate::enrollments::model::{Access, AccessReason, Entitlement, Source};
use crate::enrollments::{error, policy};
use crate::graphql::Result;
use crate::graphql::context::{Scope, app, loaders, within};

/// What the ledger has on the viewer and this course. Nothing is read for those who need nothing from it.
async fn held(ctx: &Context<'_>, course: &Course) -> Result<Arc<Vec<Entitlement>>> {
    let viewer = within(ctx, Scope::ReadCourses);
    match viewer.id() {
        Some(id) if !can_edit(viewer, course) => {
            Ok(loaders(ctx).load(Held(UserId::new(id), course.id)).await?.unwrap_or_default())
        }
        _ => Ok(Arc::default()),
    }
}

/// Whether the viewer has access to the course as a whole.
///
/// # Errors
/// The database failed.
pub async fn course_access(ctx: &Context<'_>, course: &Course) -> Result<Access> {
    let held = held(ctx, course).await?;
    Ok(policy::access(within(ctx, Scope::ReadCourses), course, None, &held, app(ctx).clock.now()))
}

/// Whether the viewer may see a lesson's content: what hands it out asks this, and [`Access::require`]s it.
///
/// # Errors
/// The database failed.
pub async fn lesson_access(ctx: &Context<'_>, course: &Course, lesson: &Lesson) -> Result<Access> {
    let held = held(ctx, course).await?;
    Ok(policy::access(within(ctx, Scope::ReadCourses), course, Some(lesson), &held, app(ctx).clock.now()))
}

/// Whether the viewer has access to the course from the ledger, which lets them see it when it is archived.
///
/// # Errors
/// The database failed.
pub async fn is_entitled(ctx: &Context<'_>, course: &Course) -> Result<bool> {
    let now = app(ctx).clock.now();
    Ok(held(ctx, course).await?.iter().any(|row| row.is_active(now)))
}

impl Access {
    /// Refuses what is not granted.
    ///
    /// # Errors
    /// `FORBIDDEN`, with the reason in `extensions.reason`.
    pub fn require(&self) -> Result<()> {
        if self.granted { Ok(()) } else { Err(error::refused(self)) }
    }

    /// Whether the viewer may not even know that there is content.
    pub fn is_hidden(&self) -> bool {
        matches!(self.reason, AccessReason::NotPublished | AccessReason::Archived)
    }
}

/// Access in the schema.
#[derive(Clone, Copy)]
pub struct AccessObject(pub Access);

/// Whether the viewer may see content, and why.
#[Object(name = "Access")]
impl AccessObject {
    /// Whether they may.
    async fn granted(&self) -> bool {
        self.0.granted
    }

    /// Where the viewer's access to the course comes from; null if they have none.
    async fn source(&self) -> Option<Source> {
        self.0.source
    }

    /// Why they may or may not.
    async fn reason(&self) -> AccessReason {
        self.0.reason
    }

    /// When the lesson opens for the viewer; null unless the reason is LOCKED_UNTIL.
    async fn unlocks_at(&self) -> Option<DateTime<Utc>> {
        self.0.unlocks_at
    }

    /// When the viewer's access to the course ends or has ended; null if it is for good, or there never was any.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at
    }
}
