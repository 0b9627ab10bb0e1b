//! Entries and filters of the audit trail.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};
use serde_json::Value;

use super::{IdentityId, UserId};
use crate::graphql::{Entity, Id, Time};
use crate::platform::audit::Action;
use crate::platform::db::schema::audit_entries;

/// An entry of the audit trail.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = audit_entries, check_for_backend(diesel::pg::Pg))]
pub struct AuditEntry {
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
    /// The id of the request, as in the log.
    pub request_id: Option<String>,
}

impl Entity for AuditEntry {
    const PREFIX: &'static str = "audit";
}

impl AuditEntry {
    /// Returns the id of what was acted upon: the object that the details name, otherwise the user to whom it was done.
    pub fn target(&self) -> Option<String> {
        let named = TARGETS.iter().find_map(|key| self.details.get(key)?.as_str());
        let identity = || self.details.get(IDENTITY)?.as_str()?.parse().ok().map(IdentityId::new);
        match (named, identity()) {
            (Some(text), _) => Some(text.to_owned()),
            (None, Some(identity)) => Some(identity.encode()),
            (None, None) => self.subject_id.map(UserId::encode),
        }
    }
}

/// The fields of details with the id of what was acted upon.
const TARGETS: [&str; 10] = [
    "sessionId",
    "apiTokenId",
    "invitationId",
    "postId",
    "course",
    "courseId",
    "categoryId",
    "channelId",
    "announcementId",
    "jobId",
];
/// The field with the UUID of a linked identity.
const IDENTITY: &str = "identityId";

/// Selects entries of the audit trail. The fields are combined with AND; omitted fields match everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, InputObject)]
pub struct AuditFilter {
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
    pub fn about(user: UserId) -> AuditFilter {
        AuditFilter { subject_id: Some(user), ..AuditFilter::default() }
    }
}
