//! The audit trail in the schema.

use std::sync::Arc;

use async_graphql::{Context, Json, Object};
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::user::UserObject;
use crate::accounts::command;
use crate::accounts::loader::UserById;
use crate::accounts::model::{AuditEntry, AuditFilter, Device, UserId};
use crate::graphql::context::{Role, actor, app, loaders, requires};
use crate::graphql::page::{encode_cursor, wants_total};
use crate::graphql::{Connection, Id, Inline, PageArgs, Requires, Result};
use crate::platform::audit::Action;

const AUDIT_ENTRIES: &str = "auditEntries";

/// A line of the trail in the schema.
#[derive(Clone)]
pub(super) struct AuditEntryObject(Arc<AuditEntry>);

/// One line of the audit trail: who did what to whom, and from where. It outlives those whom it tells of.
#[Object(name = "AuditEntry")]
impl AuditEntryObject {
    /// Identifies the line.
    async fn id(&self) -> Id<AuditEntry> {
        self.0.id
    }

    /// When it happened.
    async fn at(&self) -> DateTime<Utc> {
        self.0.at
    }

    /// What was done; null for what only another version of the program knows.
    async fn action(&self) -> Option<Action> {
        Action::parse(&self.0.action)
    }

    /// The id of the user who did it; null when nobody is known to have, as after a wrong password.
    async fn actor_id(&self) -> Option<UserId> {
        self.0.actor_id
    }

    /// The user who did it; null when nobody is known to have, and when the account is gone.
    async fn actor(&self, ctx: &Context<'_>) -> Result<Option<Inline<UserObject>>> {
        user(ctx, self.0.actor_id).await
    }

    /// The id of the user to whom it was done; null when it concerns nobody in particular.
    async fn subject_id(&self) -> Option<UserId> {
        self.0.subject_id
    }

    /// The user to whom it was done; null when it concerns nobody in particular, and when the account is gone.
    async fn subject(&self, ctx: &Context<'_>) -> Result<Option<Inline<UserObject>>> {
        user(ctx, self.0.subject_id).await
    }

    /// The network address that it was done from; null when it was not done over the network.
    async fn ip(&self) -> Option<&str> {
        self.0.ip.as_deref()
    }

    /// The device that it was done with, as far as it tells.
    async fn device(&self) -> Inline<Device> {
        Inline(Device::of(&self.0.user_agent))
    }

    /// What else is known; an object whose fields depend on the action.
    async fn details(&self) -> Json<&Value> {
        Json(&self.0.details)
    }
}

async fn user(ctx: &Context<'_>, id: Option<UserId>) -> Result<Option<Inline<UserObject>>> {
    let Some(id) = id else { return Ok(None) };
    let user = loaders(ctx).load(UserById(id)).await?;
    Ok(user.map(|user| Inline(UserObject::new(user))))
}

/// The queries about the audit trail.
#[derive(Default)]
pub(super) struct AuditQuery;

#[Object]
impl AuditQuery {
    /// The audit trail, newest first: sign-ins and failed ones, ended sessions, changes of roles, bans.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    #[allow(clippy::too_many_arguments)]
    async fn audit_entries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which lines; all if left out.")] filter: Option<AuditFilter>,
        #[graphql(desc = "At most this many, from the start; 1 to 100, 20 if neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most this many, from the end; 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Inline<Connection<AuditEntryObject>>> {
        let filter = filter.unwrap_or_default();
        let page = PageArgs { first, after, last, before }.timed_page(AUDIT_ENTRIES)?;
        let rows = command::audit_entries(app(ctx), actor(ctx), &filter, &page).await?;
        let connection = page.connection(
            rows,
            |entry| AuditEntryObject(Arc::new(entry)),
            |AuditEntryObject(entry)| encode_cursor(AUDIT_ENTRIES, &(entry.at.timestamp_micros(), entry.id)),
        );
        if !wants_total(ctx) {
            return Ok(Inline(connection));
        }
        let total = command::count_audit_entries(app(ctx), actor(ctx), &filter).await?;
        Ok(Inline(connection.with_total(total)))
    }
}
