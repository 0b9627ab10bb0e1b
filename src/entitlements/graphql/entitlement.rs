//! Entitlements in the schema.

use std::cmp::Reverse;
use std::sync::Arc;

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::accounts::{UserId, UserObject, user_node};
use crate::catalog::{CategoryId, CategoryObject, CourseId, CourseObject, category_node, course_node};
use crate::entitlements::loader::{EntitlementById, LedgerCount, LedgerPage};
use crate::entitlements::model::{self, EndReason, Entitlement, EntitlementId, Source};
use crate::graphql::context::{loaders, within};
use crate::graphql::guard::{self, Scope, scoped};
use crate::graphql::page::{encode_cursor, wants_total};
use crate::graphql::{Connection, Error, PageArgs, Result, Sequential, page};
use crate::memberships::{MembershipObject, membership_of_entitlement};
use crate::orders::{OrderObject, order_of_entitlement};
use crate::platform::auth::Role;

const ENTITLEMENTS: &str = "entitlements";

/// An entitlement in the schema.
#[derive(Clone)]
pub struct EntitlementObject(pub Arc<Entitlement>);

/// A user's access to a course from one source, active or ended. Each source has its own entitlement.
#[Object(name = "Entitlement")]
impl EntitlementObject {
    /// The id of the entitlement.
    async fn id(&self) -> EntitlementId {
        self.0.id
    }

    /// The user who has access; null if the account was deleted.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<Sequential<UserObject>>> {
        user(ctx, self.0.user_id).await
    }

    /// The course; null for other scopes, and if it is not visible to the viewer.
    async fn course(&self, ctx: &Context<'_>) -> Result<Option<Sequential<CourseObject>>> {
        let Some(id) = self.0.course_id else { return Ok(None) };
        Ok(course_node(ctx, CourseId::new(id)).await?.map(Sequential))
    }

    /// What it gives access to.
    async fn scope(&self) -> model::Scope {
        self.0.scope
    }

    /// The category, with its subcategories and courses that are added later; null for other scopes, and once it is
    /// deleted.
    async fn category(&self, ctx: &Context<'_>) -> Result<Option<Sequential<CategoryObject>>> {
        let Some(id) = self.0.category_id else { return Ok(None) };
        Ok(category_node(ctx, CategoryId::new(id)).await?.map(Sequential))
    }

    /// The source of the access.
    async fn source(&self) -> Source {
        self.0.source
    }

    /// When the access starts.
    async fn starts_at(&self) -> DateTime<Utc> {
        self.0.starts_at
    }

    /// When the access expires; null if it is permanent.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at
    }

    /// When the entitlement was ended; null if it was not.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.0.ended_at
    }

    /// Why the entitlement was ended; null if it was not.
    async fn end_reason(&self) -> Option<EndReason> {
        self.0.end_reason
    }

    /// The order with which it was bought; null for other sources, and if the viewer is neither the buyer nor an
    /// administrator.
    async fn order(&self, ctx: &Context<'_>) -> Result<Option<Sequential<OrderObject>>> {
        match self.0.source {
            Source::Purchase | Source::Membership => order_of_entitlement(ctx, self.0.id).await,
            _ => Ok(None),
        }
    }

    /// The membership that it is a part of; null for other sources, and if the viewer is neither the member nor an
    /// administrator.
    async fn membership(&self, ctx: &Context<'_>) -> Result<Option<Sequential<MembershipObject>>> {
        match self.0.source {
            Source::Membership => membership_of_entitlement(ctx, self.0.id).await,
            _ => Ok(None),
        }
    }

    /// The administrator's reason for granting it; may be empty. Visible to administrators only.
    #[graphql(directive = scoped::apply(guard::Role::Admin, Scope::ReadCourses))]
    async fn reason(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        only_administrators(ctx)?;
        Ok(Some(&self.0.note))
    }

    /// The administrator who granted it; null for other sources. Visible to administrators only.
    #[graphql(directive = scoped::apply(guard::Role::Admin, Scope::ReadCourses))]
    async fn granted_by(&self, ctx: &Context<'_>) -> Result<Option<Sequential<UserObject>>> {
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

async fn user(ctx: &Context<'_>, id: UserId) -> Result<Option<Sequential<UserObject>>> {
    Ok(user_node(ctx, id).await?.map(Sequential))
}

/// Returns a page of the entitlements to a course, newest first.
///
/// The caller has checked that the viewer may see them.
///
/// # Errors
/// An argument is invalid; the database failed.
pub async fn entitlements_of(
    ctx: &Context<'_>,
    course: Uuid,
    page: PageArgs,
) -> Result<Sequential<Connection<EntitlementObject>>> {
    let page = page.timed_page(ENTITLEMENTS)?;
    let rows = loaders(ctx).load(LedgerPage(course, page.clone())).await?.unwrap_or_default();
    let connection = page.connection(rows, EntitlementObject, |EntitlementObject(row)| {
        encode_cursor(ENTITLEMENTS, &(row.starts_at.timestamp_micros(), row.id))
    });
    if !wants_total(ctx) {
        return Ok(Sequential(connection));
    }
    let total = loaders(ctx).load(LedgerCount(course)).await?.unwrap_or_default();
    Ok(Sequential(connection.with_total(total)))
}

/// Returns a page of a short list of entitlements, which are sorted latest first.
///
/// # Errors
/// An argument is invalid.
pub fn connection_of(rows: Vec<Arc<Entitlement>>, args: PageArgs) -> Result<Connection<EntitlementObject>> {
    let rows = rows.into_iter().map(EntitlementObject).collect();
    let place = |EntitlementObject(row): &EntitlementObject| Reverse((row.starts_at.timestamp_micros(), row.id.uuid()));
    page::slice(args, ENTITLEMENTS, rows, place)
}

/// Returns an entitlement to the user who has it and to administrators.
///
/// # Errors
/// The database failed.
pub async fn entitlement_node(ctx: &Context<'_>, id: EntitlementId) -> Result<Option<EntitlementObject>> {
    let viewer = within(ctx, Scope::ReadCourses);
    let entitlement = loaders(ctx).load(EntitlementById(id)).await?;
    let sees = |row: &Entitlement| viewer.is(row.user_id) || viewer.has(Role::Admin);
    Ok(entitlement.filter(|row| sees(row)).map(EntitlementObject))
}
