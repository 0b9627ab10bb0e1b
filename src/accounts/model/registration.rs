//! Registrations: accounts that wait for a proof that their address is their owner's.

use std::fmt;

use async_graphql::InputObject;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::{Queryable, Selectable};

use super::TokenTransport;
use crate::graphql::{Entity, Id};
use crate::platform::db::schema::registrations;

/// How long a mailed code or link is good.
pub(crate) const CODE_LIFETIME: TimeDelta = TimeDelta::minutes(30);
/// How many codes may be typed in for each that was mailed.
pub(crate) const TRIES: i32 = 5;
/// How often a new code may be asked for.
const MOST_RESENDS: i32 = 5;

/// A registration's id: `registration_01j…`.
pub(crate) type RegistrationId = Id<Registration>;

/// Somebody who wants an account.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = registrations, check_for_backend(diesel::pg::Pg))]
pub(crate) struct Registration {
    /// The id.
    pub id: RegistrationId,
    /// The address, trimmed and in lower case.
    pub email: String,
    /// The name that others will see.
    pub name: String,
    /// How many codes there were before the current one.
    pub resends: i32,
    /// How many more codes may be typed in.
    pub tries_left: i32,
    /// When the current code was made.
    pub sent_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

impl Entity for Registration {
    const PREFIX: &'static str = "registration";
}

impl Registration {
    /// From when on another code may be asked for: after 1 minute, then 2, 4, 8, 16. `None` when there were enough.
    pub(crate) fn resend_at(&self) -> Option<DateTime<Utc>> {
        let doublings = u32::try_from(self.resends).ok().filter(|_| self.resends < MOST_RESENDS)?;
        Some(self.sent_at + TimeDelta::minutes(1 << doublings))
    }

    /// Whether its code and link can still be used at `now`.
    pub(crate) fn is_live(&self, now: DateTime<Utc>) -> bool {
        now < self.expires_at
    }

    /// What its code and link are made for: they end when another one is sent.
    pub(crate) fn state(&self) -> String {
        self.resends.to_string()
    }
}

/// What a person fills in to get an account.
#[derive(Clone, InputObject)]
pub struct RegisterInput {
    /// The address to sign in with. Upper and lower case are the same.
    pub email: String,
    /// The name that others see, 1 to 100 characters.
    pub name: String,
    /// 10 to 200 characters, any characters.
    pub password: String,
}

// Passwords must not reach a log by way of a derived Debug.
impl fmt::Debug for RegisterInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisterInput").field("email", &self.email).field("name", &self.name).finish_non_exhaustive()
    }
}

/// Confirms the address of a registration: with its id and the code, or with the token of the link.
#[derive(Clone, InputObject)]
pub(crate) struct ActivateRegistrationInput {
    /// The registration; goes with the code.
    pub registration_id: Option<RegistrationId>,
    /// The six digits of the mail.
    pub code: Option<String>,
    /// The `token` of the link in the mail; instead of id and code.
    pub token: Option<String>,
    /// How the tokens of the new session are given to the client.
    #[graphql(default)]
    pub transport: TokenTransport,
}

/// Asks for another code.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct ResendActivationInput {
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
