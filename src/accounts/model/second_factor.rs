//! The second factor: codes of an authenticator app, and recovery codes in case it is lost.

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
use crate::platform::internal_error::{Context, InternalError};

/// How many recovery codes a user gets.
pub(crate) const RECOVERY_CODES: usize = 10;
/// Letters and digits that cannot be confused with one another.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// The number of letters in a recovery code. At 5 bits each, it cannot be guessed even from a stolen hash.
const LETTERS: usize = 16;

/// A second factor as it is stored.
#[derive(Queryable, Selectable)]
#[diesel(table_name = second_factors, check_for_backend(diesel::pg::Pg))]
pub struct SecondFactor {
    /// The encrypted TOTP secret.
    pub sealed_secret: Vec<u8>,
    /// When the first code was entered; until then the second factor is not enabled.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// The time step of the last code, to reject a second use of it.
    pub last_step: i64,
}

/// A sign-in that waits for the second factor, as it is stored.
#[derive(Queryable, Selectable)]
#[diesel(table_name = sign_in_challenges, check_for_backend(diesel::pg::Pg))]
pub(crate) struct StoredChallenge {
    /// The user who signs in.
    pub user_id: UserId,
    /// When the challenge expires.
    pub expires_at: DateTime<Utc>,
    /// How many more codes may be tried.
    pub tries_left: i32,
}

/// The outcome of a sign-in before the second factor.
pub enum Admission {
    /// A session was opened.
    Open(Box<SignedIn>),
    /// The second factor is required.
    Challenge(Challenge),
}

/// A challenge to provide the second factor.
#[derive(Clone)]
pub struct Challenge {
    /// The token to send together with the code.
    pub token: String,
    /// When the challenge expires.
    pub expires_at: DateTime<Utc>,
}

/// A second factor that is not yet confirmed with its first code.
pub struct PendingFactor {
    /// The secret in Base32, for manual entry.
    pub secret: String,
    /// The `otpauth` URI, for a QR code.
    pub uri: String,
}

/// The state of an enabled second factor.
pub struct FactorState {
    /// When it was enabled.
    pub enabled_at: DateTime<Utc>,
    /// How many recovery codes are unused.
    pub codes_left: i64,
}

/// A change of a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactorChange {
    /// The second factor was enabled.
    Enabled,
    /// The second factor was disabled.
    Disabled,
    /// A recovery code was used in place of a code.
    RecoveryCodeUsed,
    /// The recovery codes were replaced.
    CodesRenewed,
}

impl FactorChange {
    /// Returns the action for the audit trail.
    pub fn action(self) -> Action {
        match self {
            FactorChange::Enabled => Action::SecondFactorEnabled,
            FactorChange::Disabled => Action::SecondFactorDisabled,
            FactorChange::RecoveryCodeUsed => Action::RecoveryCodeUsed,
            FactorChange::CodesRenewed => Action::RecoveryCodesRenewed,
        }
    }
}

/// Generates a recovery code such as `ABCD-EFGH-JKLM-NPQR`, with 80 random bits.
///
/// # Errors
/// The alphabet is empty, which never happens.
pub(crate) fn recovery_code() -> Result<String, InternalError> {
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

/// Returns the hash of a recovery code, ignoring case, dashes and spaces.
pub(crate) fn recovery_hash(typed: &str) -> TokenHash {
    let plain: String =
        typed.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect();
    hash_token(&plain)
}

/// The input of `startSecondFactor`.
#[derive(Clone, InputObject)]
pub struct StartSecondFactorInput {
    /// The viewer's password. Optional within 15 minutes of signing in or `reauthenticate`.
    pub password: Option<String>,
}

/// The input of `confirmSecondFactor`.
#[derive(Clone, InputObject)]
pub struct ConfirmSecondFactorInput {
    /// The code that the authenticator app shows.
    pub code: String,
}

/// The input of `disableSecondFactor`.
#[derive(Clone, InputObject)]
pub struct DisableSecondFactorInput {
    /// The code that the authenticator app shows, or a recovery code.
    pub code: String,
}

/// The input of `renewRecoveryCodes`.
#[derive(Clone, InputObject)]
pub struct RenewRecoveryCodesInput {
    /// The code that the authenticator app shows, or a recovery code.
    pub code: String,
}

/// The input of `resetSecondFactor`.
#[derive(Clone, InputObject)]
pub struct ResetSecondFactorInput {
    /// The user whose second factor to remove.
    pub user_id: UserId,
}

/// The input of `completeSignIn`.
#[derive(Clone, InputObject)]
pub struct CompleteSignInInput {
    /// The `token` of the challenge that the sign-in returned.
    pub challenge: String,
    /// The code that the authenticator app shows, or a recovery code.
    pub code: String,
    /// How the client receives the tokens; defaults to `BEARER`.
    #[graphql(default)]
    pub transport: TokenTransport,
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
