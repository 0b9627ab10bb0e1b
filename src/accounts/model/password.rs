//! Inputs of the password commands.

use std::fmt;

use async_graphql::InputObject;

/// The input of `requestPasswordReset`.
#[derive(Clone, Debug, InputObject)]
pub struct RequestPasswordResetInput {
    /// The email address of the account.
    pub email: String,
}

/// The input of `resetPassword`.
#[derive(Clone, InputObject)]
pub struct ResetPasswordInput {
    /// The `token` parameter of the link in the email.
    pub token: String,
    /// The new password: 10 to 200 characters, without other restrictions.
    pub new_password: String,
    /// Whether to unlink all accounts at identity providers, which the email lists. Defaults to false; use it if an
    /// attacker may have linked one.
    #[graphql(default)]
    pub unlink_identities: bool,
}

/// The input of `changePassword`.
#[derive(Clone, InputObject)]
pub struct ChangePasswordInput {
    /// The current password.
    pub current_password: String,
    /// The new password: 10 to 200 characters, without other restrictions.
    pub new_password: String,
}

// Neither passwords nor links must reach a log by way of a derived Debug.
impl fmt::Debug for ResetPasswordInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResetPasswordInput").finish_non_exhaustive()
    }
}

impl fmt::Debug for ChangePasswordInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangePasswordInput").finish_non_exhaustive()
    }
}
