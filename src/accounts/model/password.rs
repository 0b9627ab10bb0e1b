//! What commands about passwords are given.

use std::fmt;

use async_graphql::InputObject;

/// Asks for a mail with a link to a new password.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct RequestPasswordResetInput {
    /// The address of the account.
    pub email: String,
}

/// Sets a new password with a mailed link.
#[derive(Clone, InputObject)]
pub(crate) struct ResetPasswordInput {
    /// The `token` of the link in the mail.
    pub token: String,
    /// 10 to 200 characters, any characters.
    pub new_password: String,
}

/// Replaces the viewer's password.
#[derive(Clone, InputObject)]
pub(crate) struct ChangePasswordInput {
    /// The password so far.
    pub current_password: String,
    /// 10 to 200 characters, any characters.
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
