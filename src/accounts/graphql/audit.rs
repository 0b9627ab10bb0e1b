//! The audit trail in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::audit_details::AuditDetails;
use super::user::{UserObject, user_node};
use crate::accounts::command;
use crate::accounts::loader::{AuditCount, AuditEntryById, AuditPage};
use crate::accounts::model::{AuditEntry, AuditFilter, Device, UserId};
use crate::graphql::context::{actor, loaders};
use crate::graphql::guard::{Role, requires};
use crate::graphql::node::{self, Node};
use crate::graphql::page::{Page, encode_cursor, wants_total};
use crate::graphql::{Connection, Error, Id, PageArgs, Requires, Result, Sequential};
use crate::platform::audit::Action;

const AUDIT_ENTRIES: &str = "auditEntries";

/// An entry of the audit trail in the schema.
#[derive(Clone)]
pub(super) struct AuditEntryObject(Arc<AuditEntry>);

/// An entry of the audit trail: who did what to whom, and from where. It outlives the accounts that it mentions.
#[Object(name = "AuditEntry")]
impl AuditEntryObject {
    /// The id of the entry.
    async fn id(&self) -> Id<AuditEntry> {
        self.0.id
    }

    /// When it happened.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.at
    }

    /// What was done; null if this version of the server does not know the action.
    async fn action(&self) -> Option<Action> {
        Action::parse(&self.0.action)
    }

    /// The id of the user who did it; null if unknown, for example after a wrong password.
    async fn actor_id(&self) -> Option<UserId> {
        self.0.actor_id
    }

    /// The user who did it, anonymized if the account was deleted; null if unknown.
    async fn actor(&self, ctx: &Context<'_>) -> Result<Option<Sequential<UserObject>>> {
        user(ctx, self.0.actor_id).await
    }

    /// The id of the user to whom it was done; null if it concerns no particular user.
    async fn subject_id(&self) -> Option<UserId> {
        self.0.subject_id
    }

    /// The user to whom it was done, anonymized if the account was deleted. Null if it concerns no particular user.
    async fn subject(&self, ctx: &Context<'_>) -> Result<Option<Sequential<UserObject>>> {
        user(ctx, self.0.subject_id).await
    }

    /// The IP address of the client. Null if it was not done over the network, or after the account was deleted.
    async fn ip(&self) -> Option<&str> {
        self.0.ip.as_deref()
    }

    /// The device of the client, as far as its user agent identifies it.
    async fn device(&self) -> Sequential<Device> {
        Sequential(Device::of(&self.0.user_agent))
    }

    /// What was acted upon: a session, an API token, an invitation, a linked identity, a course, a category, a channel,
    /// a job, otherwise the user to whom it was done. Null if it is gone or not visible to the viewer.
    async fn target(&self, ctx: &Context<'_>) -> Result<Option<Node>> {
        let Some(id) = self.0.target() else { return Ok(None) };
        match node::find(ctx, &id).await {
            // Another version of the program, whose objects have other ids, may have written the entry.
            Err(Error::BadInput(_)) => Ok(None),
            found => found,
        }
    }

    /// The id of the request, as in the log and in `extensions.requestId` of errors. Null if it was not done by an
    /// operation of this API, if another user did it and the viewer is no administrator, or after the account was
    /// deleted.
    async fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Details; null if there are none, or none that this version of the server knows.
    async fn details(&self) -> Option<AuditDetails> {
        AuditDetails::of(&self.0)
    }
}

async fn user(ctx: &Context<'_>, id: Option<UserId>) -> Result<Option<Sequential<UserObject>>> {
    let Some(id) = id else { return Ok(None) };
    Ok(user_node(ctx, id).await?.map(Sequential))
}

/// A page of entries in the list `list`.
pub(super) fn connection(
    list: &'static str,
    page: &Page<(DateTime<Utc>, Uuid)>,
    rows: Vec<AuditEntry>,
) -> Connection<AuditEntryObject> {
    page.connection(
        rows,
        |entry| AuditEntryObject(Arc::new(entry)),
        |AuditEntryObject(entry)| encode_cursor(list, &(entry.at.timestamp_micros(), entry.id)),
    )
}

/// The audit trail queries.
#[derive(Default)]
pub(super) struct AuditQuery;

#[Object]
impl AuditQuery {
    /// The audit trail, newest first: sign-ins, failed sign-ins, role changes, bans and more.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    #[allow(clippy::too_many_arguments)]
    async fn audit_entries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which audit entries to return; defaults to all.")] filter: Option<AuditFilter>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<AuditEntryObject>>>> {
        let filter = filter.unwrap_or_default();
        let page = PageArgs { first, after, last, before }.timed_page(AUDIT_ENTRIES)?;
        let rows = loaders(ctx).load(AuditPage(filter.clone(), page.clone())).await?.unwrap_or_default();
        let connection = connection(AUDIT_ENTRIES, &page, rows);
        if !wants_total(ctx) {
            return Ok(Some(Sequential(connection)));
        }
        let total = loaders(ctx).load(AuditCount(filter)).await?.unwrap_or_default();
        Ok(Some(Sequential(connection.with_total(total))))
    }
}

/// Returns an entry of the audit trail for administrators, or of the viewer's security log.
pub(super) async fn audit_entry_node(ctx: &Context<'_>, id: Id<AuditEntry>) -> Result<Option<AuditEntryObject>> {
    let Some(entry) = loaders(ctx).load(AuditEntryById(id)).await? else { return Ok(None) };
    let shown = command::shown(actor(ctx), AuditEntry::clone(&entry));
    Ok(shown.map(|entry| AuditEntryObject(Arc::new(entry))))
}
