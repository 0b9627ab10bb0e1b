//! Changes of an address that wait for a proof that the new one is the user's.

use std::fmt;

use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};

use super::UserId;
use crate::graphql::{Entity, Id};
use crate::platform::db::schema::email_changes;

/// The id of a change of an address: `email_change_01j…`.
pub(crate) type EmailChangeId = Id<EmailChange>;

/// A user who wants another address.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = email_changes, check_for_backend(diesel::pg::Pg))]
pub(crate) struct EmailChange {
    /// The id.
    pub id: EmailChangeId,
    /// Who.
    pub user_id: UserId,
    /// The address when it was asked for.
    pub old_email: String,
    /// The address that is to be.
    pub new_email: String,
    /// How many more codes may be typed in.
    pub tries_left: i32,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When its code and link end.
    pub expires_at: DateTime<Utc>,
    /// When it was confirmed, or replaced by a later one.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Entity for EmailChange {
    const PREFIX: &'static str = "email_change";
}

impl EmailChange {
    /// Whether its code and link can still be used at `now`.
    pub(crate) fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }
}

/// Asks for another address.
#[derive(Clone, InputObject)]
pub(crate) struct ChangeEmailInput {
    /// The new address. Upper and lower case are the same.
    pub new_email: String,
    /// The viewer's password.
    pub password: String,
}

// Passwords must not reach a log by way of a derived Debug.
impl fmt::Debug for ChangeEmailInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangeEmailInput").field("new_email", &self.new_email).finish_non_exhaustive()
    }
}

/// Confirms the new address: with the code, by the user who is signed in, or with the token of the link.
#[derive(Clone, InputObject)]
pub(crate) struct ConfirmEmailChangeInput {
    /// The six digits of the mail to the new address.
    pub code: Option<String>,
    /// The `token` of the link in that mail; instead of the code.
    pub token: Option<String>,
}
