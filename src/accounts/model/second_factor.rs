//! The second factor of a sign-in: codes of an authenticator app, and recovery codes for when the phone is lost.

use std::fmt;

use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};
use rand::distr::{Distribution, Uniform};
use serde::{Deserialize, Serialize};

use super::{SignedIn, TokenTransport, UserId};
use crate::platform::audit::Action;
use crate::platform::auth::{TokenHash, hash_token};
use crate::platform::db::schema::{second_factors, sign_in_challenges};
use crate::platform::fault::{Context, Fault};

/// How many recovery codes there are at first.
pub(crate) const RECOVERY_CODES: usize = 10;
/// Letters and digits that nobody takes for another.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// Of five bits each: too many to guess, even from a stolen hash.
const LETTERS: usize = 16;

/// A second factor as it is stored.
#[derive(Queryable, Selectable)]
#[diesel(table_name = second_factors, check_for_backend(diesel::pg::Pg))]
pub(crate) struct SecondFactor {
    /// The encrypted secret of the codes.
    pub(crate) sealed_secret: Vec<u8>,
    /// When the first code was given; before that it does not count.
    pub(crate) confirmed_at: Option<DateTime<Utc>>,
    /// The time step of the last code.
    pub(crate) last_step: i64,
}

/// A sign-in that waits for the second factor, as it is stored.
#[derive(Queryable, Selectable)]
#[diesel(table_name = sign_in_challenges, check_for_backend(diesel::pg::Pg))]
pub(crate) struct StoredChallenge {
    /// Whose.
    pub(crate) user_id: UserId,
    /// Until when the second factor may be given.
    pub(crate) expires_at: DateTime<Utc>,
    /// How many more codes may be tried.
    pub(crate) tries_left: i32,
}

/// What comes of proving who one is.
pub enum Admission {
    /// A session.
    Open(Box<SignedIn>),
    /// The question for the second factor.
    Challenge(Challenge),
}

/// Asks for the second factor.
#[derive(Clone)]
pub struct Challenge {
    /// Goes with the code.
    pub token: String,
    /// Until when.
    pub expires_at: DateTime<Utc>,
}

/// A second factor that waits for its first code.
pub(crate) struct PendingFactor {
    /// In base 32, to be typed in.
    pub(crate) secret: String,
    /// For a QR code.
    pub(crate) uri: String,
}

/// A user's second factor and what is left of the recovery codes.
pub(crate) struct FactorState {
    /// Since when it is asked for.
    pub(crate) enabled_at: DateTime<Utc>,
    /// How many recovery codes are unused.
    pub(crate) codes_left: i64,
}

/// What happened to a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FactorChange {
    /// It is asked for from now on.
    Enabled,
    /// It is no longer asked for.
    Disabled,
    /// A recovery code was used in its place.
    RecoveryCodeUsed,
    /// There are new recovery codes.
    CodesRenewed,
}

impl FactorChange {
    /// As the audit trail names it.
    pub(crate) fn action(self) -> Action {
        match self {
            FactorChange::Enabled => Action::SecondFactorEnabled,
            FactorChange::Disabled => Action::SecondFactorDisabled,
            FactorChange::RecoveryCodeUsed => Action::RecoveryCodeUsed,
            FactorChange::CodesRenewed => Action::RecoveryCodesRenewed,
        }
    }
}

/// A recovery code: `ABCD-EFGH-JKLM-NPQR`, 80 random bits.
///
/// # Errors
/// None at present.
pub(crate) fn recovery_code() -> Result<String, Fault> {
    let places = Uniform::new(0, ALPHABET.len()).context("recovery codes")?;
    let letters = places.sample_iter(rand::rng()).filter_map(|place| ALPHABET.get(place)).take(LETTERS);
    let mut code = String::new();
    for (index, letter) in letters.enumerate() {
        if index > 0 && index % 4 == 0 {
            code.push('-');
        }
        code.push(char::from(*letter));
    }
    Ok(code)
}

/// The hash of a recovery code however it was typed: in small letters, without dashes, with spaces.
pub(crate) fn recovery_hash(typed: &str) -> TokenHash {
    let plain: String =
        typed.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect();
    hash_token(&plain)
}

/// Begins to set a second factor up.
#[derive(Clone, InputObject)]
pub(crate) struct StartSecondFactorInput {
    /// The viewer's password; may be left out by who has none.
    pub(crate) password: Option<String>,
}

/// Ends the set-up of a second factor.
#[derive(Clone, InputObject)]
pub(crate) struct ConfirmSecondFactorInput {
    /// What the authenticator app shows.
    pub(crate) code: String,
}

/// Gives a second factor up.
#[derive(Clone, InputObject)]
pub(crate) struct DisableSecondFactorInput {
    /// What the authenticator app shows, or a recovery code.
    pub(crate) code: String,
}

/// Replaces the recovery codes.
#[derive(Clone, InputObject)]
pub(crate) struct RenewRecoveryCodesInput {
    /// What the authenticator app shows, or a recovery code.
    pub(crate) code: String,
}

/// Takes somebody's second factor away who has lost it and the recovery codes.
#[derive(Clone, InputObject)]
pub(crate) struct ResetSecondFactorInput {
    /// Whose.
    pub(crate) user_id: UserId,
}

/// Gives the second factor.
#[derive(Clone, InputObject)]
pub(crate) struct CompleteSignInInput {
    /// What `signIn` answered.
    pub(crate) challenge: String,
    /// What the authenticator app shows, or a recovery code.
    pub(crate) code: String,
    /// How the tokens are given to the client.
    #[graphql(default)]
    pub(crate) transport: TokenTransport,
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenge").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_code_is_read_however_it_is_typed() {
        let code = recovery_code().unwrap();
        assert_eq!(code.len(), 19, "{code}");
        assert_ne!(code, recovery_code().unwrap());
        assert_eq!(recovery_hash(&code), recovery_hash(&code.replace('-', " ").to_lowercase()));
        assert_ne!(recovery_hash(&code), recovery_hash(&recovery_code().unwrap()));
    }
}
