//! Lines of the ledger in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};

use crate::accounts::{UserById, UserId, UserObject};
use crate::catalog::{Course, CourseObject, can_edit, course_node};
use crate::enrollments::loader::{LedgerCount, LedgerPage};
use crate::enrollments::model::{EndReason, Entitlement, EntitlementId, Source};
use crate::graphql::context::{Scope, loaders, within};
use crate::graphql::page::{encode_cursor, wants_total};
use crate::graphql::{Connection, Error, Inline, PageArgs, Result};
use crate::platform::auth::Role;

const ENTITLEMENTS: &str = "entitlements";

/// A line of the ledger in the schema.
#[derive(Clone)]
pub struct EntitlementObject(pub(in crate::enrollments) Arc<Entitlement>);

/// Why somebody has, or had, access to a course. Each source of access is a line of its own.
#[Object(name = "Entitlement")]
impl EntitlementObject {
    /// Identifies the line.
    async fn id(&self) -> EntitlementId {
        self.0.id
    }

    /// Who has access; null when the account is gone.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<Inline<UserObject>>> {
        user(ctx, self.0.user_id).await
    }

    /// The course; null for those who do not see it.
    async fn course(&self, ctx: &Context<'_>) -> Result<Option<Inline<CourseObject>>> {
        let Some(id) = self.0.course_id else { return Ok(None) };
        Ok(course_node(ctx, id).await?.map(Inline))
    }

    /// Where the access comes from.
    async fn source(&self) -> Source {
        self.0.source
    }

    /// From when on.
    async fn starts_at(&self) -> DateTime<Utc> {
        self.0.starts_at
    }

    /// Until when; null: for good.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at
    }

    /// When it was ended; null if it was not.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.0.ended_at
    }

    /// Why it was ended; null if it was not.
    async fn end_reason(&self) -> Option<EndReason> {
        self.0.end_reason
    }

    /// Why an administrator gave it, in their words; may be empty. Only administrators see it.
    async fn reason(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        only_administrators(ctx)?;
        Ok(Some(&self.0.note))
    }

    /// The administrator who gave it; null for what was not given by one. Only administrators see it.
    async fn granted_by(&self, ctx: &Context<'_>) -> Result<Option<Inline<UserObject>>> {
        only_administrators(ctx)?;
        match self.0.granted_by {
            Some(id) => user(ctx, id).await,
            None => Ok(None),
        }
    }
}

fn only_administrators(ctx: &Context<'_>) -> Result<()> {
    if within(ctx, Scope::ReadCourses).has(Role::Admin) {
        return Ok(());
    }
    Err(Error::Forbidden("Only administrators see who gave access, and why.".into()))
}

async fn user(ctx: &Context<'_>, id: UserId) -> Result<Option<Inline<UserObject>>> {
    Ok(loaders(ctx).load(UserById(id)).await?.map(|user| Inline(UserObject::new(user))))
}

/// A course's ledger, for its instructor and administrators.
///
/// # Errors
/// The viewer is neither; an argument is wrong; the database failed.
pub async fn entitlements_of(
    ctx: &Context<'_>,
    course: &Course,
    page: PageArgs,
) -> Result<Inline<Connection<EntitlementObject>>> {
    if !can_edit(within(ctx, Scope::ReadCourses), course) {
        return Err(Error::Forbidden("Only the course's instructor and administrators see who has access.".into()));
    }
    let page = page.timed_page(ENTITLEMENTS)?;
    let rows = loaders(ctx).load(LedgerPage(course.id, page.clone())).await?.unwrap_or_default();
    let connection = page.connection(rows, EntitlementObject, |EntitlementObject(row)| {
        encode_cursor(ENTITLEMENTS, &(row.starts_at.timestamp_micros(), row.id))
    });
    if !wants_total(ctx) {
        return Ok(Inline(connection));
    }
    let total = loaders(ctx).load(LedgerCount(course.id)).await?.unwrap_or_default();
    Ok(Inline(connection.with_total(total)))
}
