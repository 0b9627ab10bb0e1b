//! Entries and filters of the audit trail.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};
use serde_json::Value;

use super::UserId;
use crate::graphql::{Entity, Id, Time};
use crate::platform::audit::Action;
use crate::platform::db::schema::audit_entries;

/// An entry of the audit trail.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = audit_entries, check_for_backend(diesel::pg::Pg))]
pub(crate) struct AuditEntry {
    /// The id.
    pub id: Id<AuditEntry>,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The action; see [`Action::parse`].
    pub action: String,
    /// The user who did it.
    pub actor_id: Option<UserId>,
    /// The user to whom it was done.
    pub subject_id: Option<UserId>,
    /// The IP address of the client.
    pub ip: Option<String>,
    /// The user agent of the client.
    pub user_agent: String,
    /// Details, which depend on the action.
    pub details: Value,
}

impl Entity for AuditEntry {
    const PREFIX: &'static str = "audit";
}

/// Selects entries of the audit trail. The fields are combined with AND; omitted fields match everything.
#[derive(Clone, Debug, Default, InputObject)]
pub(crate) struct AuditFilter {
    /// Only entries with one of these actions.
    pub actions: Option<Vec<Action>>,
    /// Only what this user did.
    pub actor_id: Option<UserId>,
    /// Only what was done to this user.
    pub subject_id: Option<UserId>,
    /// Only entries at this time or later.
    pub created_from: Option<Time>,
    /// Only entries before this time.
    pub created_to: Option<Time>,
}

impl AuditFilter {
    /// Selects what was done to `user`.
    pub(in crate::accounts) fn about(user: UserId) -> AuditFilter {
        AuditFilter { subject_id: Some(user), ..AuditFilter::default() }
    }
}
