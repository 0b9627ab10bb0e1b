//! Account deletion: inputs, and the values that replace personal data.

use std::fmt;

use async_graphql::InputObject;

use super::UserId;

/// The name of every deleted user.
pub(crate) const DELETED_NAME: &str = "Deleted user";

/// The input of `deleteAccount`.
#[derive(Clone, InputObject)]
pub struct DeleteAccountInput {
    /// The viewer's password. Optional within 15 minutes of signing in or `reauthenticate`.
    pub password: Option<String>,
}

/// The input of `cancelAccountDeletion`.
#[derive(Clone, Debug, InputObject)]
pub struct CancelAccountDeletionInput {
    /// Whose account to keep; defaults to the viewer. Administrators may keep the account of any user.
    pub user_id: Option<UserId>,
}

/// Returns the email address of a deleted user: unique, and undeliverable (RFC 2606).
pub(crate) fn deleted_email(id: UserId) -> String {
    format!("{}@deleted.invalid", id.uuid().simple())
}

// Passwords must not reach a log by way of a derived Debug.
impl fmt::Debug for DeleteAccountInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeleteAccountInput").finish_non_exhaustive()
    }
}
