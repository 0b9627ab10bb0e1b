//! Registrations: accounts that wait for a proof of ownership of their email address.

use std::fmt;

use async_graphql::{InputObject, OneofObject};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::{Queryable, Selectable};

use super::TokenTransport;
use crate::graphql::{Entity, Id};
use crate::platform::db::schema::registrations;

/// How long an emailed code or link is valid.
pub(crate) const CODE_LIFETIME: TimeDelta = TimeDelta::minutes(30);
/// How many attempts to enter a code are allowed for each code.
pub(crate) const TRIES: i32 = 5;
/// How often a new code may be requested.
const MOST_RESENDS: i32 = 5;

/// A registration's id: `registration_01j…`.
pub type RegistrationId = Id<Registration>;

/// A pending registration.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = registrations, check_for_backend(diesel::pg::Pg))]
pub struct Registration {
    /// The id.
    pub id: RegistrationId,
    /// The email address, trimmed and in lower case.
    pub email: String,
    /// The name that others will see.
    pub name: String,
    /// How many codes were requested before the current one.
    pub resends: i32,
    /// How many more attempts to enter the code are allowed.
    pub tries_left: i32,
    /// When the current code was created.
    pub sent_at: DateTime<Utc>,
    /// When the current code expires.
    pub expires_at: DateTime<Utc>,
}

impl Entity for Registration {
    const PREFIX: &'static str = "registration";
}

impl Registration {
    /// Returns when another code may be requested; `None` if the limit is reached.
    ///
    /// The wait doubles each time: 1, 2, 4, 8 and 16 minutes after the previous code.
    pub fn resend_at(&self) -> Option<DateTime<Utc>> {
        let doublings = u32::try_from(self.resends).ok().filter(|_| self.resends < MOST_RESENDS)?;
        Some(self.sent_at + TimeDelta::minutes(1 << doublings))
    }

    /// Whether its code and link are still valid at `now`.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        now < self.expires_at
    }

    /// Returns the state that its code and link are bound to. Sending another code invalidates them.
    pub fn state(&self) -> String {
        self.resends.to_string()
    }
}

/// The input of `register`.
#[derive(Clone, InputObject)]
pub struct RegisterInput {
    /// The email address to sign in with. Case-insensitive.
    pub email: String,
    /// The name that others see, 1 to 100 characters.
    pub name: String,
    /// The password: 10 to 200 characters, without other restrictions.
    pub password: String,
}

// Passwords must not reach a log by way of a derived Debug.
impl fmt::Debug for RegisterInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisterInput").field("email", &self.email).field("name", &self.name).finish_non_exhaustive()
    }
}

/// The input of `activateRegistration`.
#[derive(Clone, InputObject)]
pub struct ActivateRegistrationInput {
    /// The proof that the email address is yours.
    pub proof: RegistrationProof,
    /// How the client receives the tokens of the new session; defaults to `BEARER`.
    #[graphql(default)]
    pub transport: TokenTransport,
}

/// The proof that a registration's email address belongs to the client: the code or the link in the email.
#[derive(Clone, OneofObject)]
pub enum RegistrationProof {
    /// The code.
    Code(RegistrationCodeInput),
    /// The link.
    Link(RegistrationLinkInput),
}

/// The code in the email.
#[derive(Clone, InputObject)]
pub struct RegistrationCodeInput {
    /// The registration.
    pub registration_id: RegistrationId,
    /// The six-digit code.
    pub code: String,
}

/// The link in the email.
#[derive(Clone, InputObject)]
pub struct RegistrationLinkInput {
    /// The `token` parameter of the link.
    pub token: String,
    /// The password of the account: 10 to 200 characters, without other restrictions. It replaces the one of the
    /// registration, which someone else may have made.
    pub new_password: String,
}

/// The input of `resendActivation`.
#[derive(Clone, Debug, InputObject)]
pub struct ResendActivationInput {
    /// The registration.
    pub registration_id: RegistrationId,
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_wait_for_another_code_doubles_and_there_are_five() {
        let waits: Vec<Option<i64>> = (0..7)
            .map(|resends| {
                let sent_at = DateTime::UNIX_EPOCH;
                let id = Id::new(Uuid::nil());
                let (email, name) = (String::new(), String::new());
                let expires_at = sent_at + CODE_LIFETIME;
                let row = Registration { id, email, name, resends, tries_left: TRIES, sent_at, expires_at };
                row.resend_at().map(|at| (at - sent_at).num_minutes())
            })
            .collect();
        assert_eq!(waits, [Some(1), Some(2), Some(4), Some(8), Some(16), None, None]);
    }
}
