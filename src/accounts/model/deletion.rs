//! Giving an account up.

use std::fmt;

use async_graphql::InputObject;

use super::UserId;

/// The name of everybody who is deleted.
pub(crate) const DELETED_NAME: &str = "Deleted user";

/// Gives the viewer's account up.
#[derive(Clone, InputObject)]
pub(crate) struct DeleteAccountInput {
    /// The viewer's password. Leave it out if there is none.
    pub(crate) password: Option<String>,
}

/// Keeps an account that was given up.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct CancelAccountDeletionInput {
    /// Whose; the viewer's own if left out. Administrators may keep anybody's.
    pub(crate) user_id: Option<UserId>,
}

/// The address of somebody who is deleted: unique, and nobody's (RFC 2606).
pub(crate) fn deleted_email(id: UserId) -> String {
    format!("{}@deleted.invalid", id.uuid().simple())
}

// Passwords must not reach a log by way of a derived Debug.
impl fmt::Debug for DeleteAccountInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeleteAccountInput").finish_non_exhaustive()
    }
}
