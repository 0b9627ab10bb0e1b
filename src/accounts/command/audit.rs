//! Who sees what of the audit trail.

use crate::accounts::model::{AuditEntry, UserId};
use crate::accounts::policy;
use crate::platform::auth::Actor;

/// Returns the entry as the actor may see it: administrators the trail, others their own security log.
pub fn shown(actor: &Actor, entry: AuditEntry) -> Option<AuditEntry> {
    if policy::can_administer(actor) {
        return Some(entry);
    }
    let viewer = entry.subject_id.filter(|subject| actor.is(*subject))?;
    Some(redacted(entry, viewer))
}

/// Returns an entry of the viewer's security log: where another user acted, the IP address, the user agent and the
/// request id are left out.
pub fn redacted(mut entry: AuditEntry, viewer: UserId) -> AuditEntry {
    if entry.actor_id.is_some_and(|actor| actor != viewer) {
        entry.ip = None;
        entry.user_agent.clear();
        entry.request_id = None;
    }
    entry
}
