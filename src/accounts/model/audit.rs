//! The audit trail as it is read.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};
use serde_json::Value;

use super::UserId;
use crate::graphql::{Entity, Id};
use crate::platform::audit::Action;
use crate::platform::db::schema::audit_entries;

/// One line of the trail.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = audit_entries, check_for_backend(diesel::pg::Pg))]
pub(crate) struct AuditEntry {
    /// The id.
    pub id: Id<AuditEntry>,
    /// When.
    pub at: DateTime<Utc>,
    /// What was done; see [`Action::parse`].
    pub action: String,
    /// Who did it.
    pub actor_id: Option<UserId>,
    /// To whom.
    pub subject_id: Option<UserId>,
    /// From which address.
    pub ip: Option<String>,
    /// With which program.
    pub user_agent: String,
    /// What else is known.
    pub details: Value,
}

impl Entity for AuditEntry {
    const PREFIX: &'static str = "audit";
}

/// Which lines. What is left out restricts nothing; what is given must hold together.
#[derive(Clone, Debug, Default, InputObject)]
pub(crate) struct AuditFilter {
    /// Only of this kind.
    pub action: Option<Action>,
    /// Only what this user did.
    pub actor_id: Option<UserId>,
    /// Only what was done to this user.
    pub subject_id: Option<UserId>,
    /// At this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Before this time.
    pub to: Option<DateTime<Utc>>,
}
