//! Pending changes of email addresses, which wait for a proof of ownership of the new one.

use std::fmt;

use async_graphql::{InputObject, OneofObject};
use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};

use super::UserId;
use crate::graphql::{Entity, Id};
use crate::platform::db::schema::email_changes;

/// The id of an email change: `email_change_01j…`.
pub type EmailChangeId = Id<EmailChange>;

/// A requested change of a user's email address.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = email_changes, check_for_backend(diesel::pg::Pg))]
pub struct EmailChange {
    /// The id.
    pub id: EmailChangeId,
    /// The user.
    pub user_id: UserId,
    /// The email address at the time of the request.
    pub old_email: String,
    /// The requested email address.
    pub new_email: String,
    /// How many more attempts to enter the code are allowed.
    pub tries_left: i32,
    /// When it was requested.
    pub requested_at: DateTime<Utc>,
    /// When its code and link expire.
    pub expires_at: DateTime<Utc>,
    /// When it was confirmed, replaced by a later one, or canceled by a password change.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Entity for EmailChange {
    const PREFIX: &'static str = "email_change";
}

impl EmailChange {
    /// Whether its code and link are still valid at `now`.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }
}

/// The input of `changeEmail`.
#[derive(Clone, InputObject)]
pub struct ChangeEmailInput {
    /// The new email address. Case-insensitive.
    pub new_email: String,
    /// The viewer's password. Optional within 15 minutes of signing in or `reauthenticate`.
    pub password: Option<String>,
}

// Passwords must not reach a log by way of a derived Debug.
impl fmt::Debug for ChangeEmailInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangeEmailInput").field("new_email", &self.new_email).finish_non_exhaustive()
    }
}

/// The input of `confirmEmailChange`.
#[derive(Clone, OneofObject)]
pub enum ConfirmEmailChangeInput {
    /// The six-digit code in the email to the new address, which requires a signed-in user.
    Code(String),
    /// The `token` parameter of the link in that email.
    Token(String),
}
