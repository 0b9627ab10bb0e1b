//! One-time codes and links that are emailed to a user to prove that they own the mailbox.
//!
//! Nothing is stored. A code is computed with a key that only the server has (HMAC, RFC 2104) from what it proves: a
//! purpose, the id of a row, and the state of the row. So a retried job emails the same code, no event and no row
//! contains anything that grants access to an account, and a code becomes invalid when the state changes, for example
//! because it was used or sent again. Storing a hash instead would not protect a six-digit code: an attacker
//! who reads the hash can try all million codes within a second.
//!
//! A link carries the id, the expiry, and 256 bits of the MAC, but no code, no password, and nothing about the user.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use super::opaque::{TokenHash, hash_token};
use crate::platform::internal_error::{Context, InternalError};

type HmacSha256 = Hmac<Sha256>;

/// What a code or link proves. One that was made for a purpose is invalid for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// That a new user owns their email address.
    Activation,
    /// That someone who doesn't know the password is the user.
    PasswordReset,
    /// That a user owns their new email address.
    EmailChange,
    /// That someone who joins the team is the invited person.
    TeamInvitation,
    /// That a user who joins a family was invited to it.
    FamilyInvitation,
    /// That someone who wants no more mails has got one of them.
    Unsubscription,
    /// That someone who fetches a file was given its URL.
    Download,
}

impl Proof {
    /// The name in the MAC's input. A NUL follows it, so no name can be a prefix of another one's input.
    fn name(self) -> &'static str {
        match self {
            Proof::Activation => "activation",
            Proof::PasswordReset => "password-reset",
            Proof::EmailChange => "email-change",
            Proof::TeamInvitation => "team-invitation",
            Proof::FamilyInvitation => "family-invitation",
            Proof::Unsubscription => "unsubscription",
            Proof::Download => "download",
        }
    }
}

/// The content of a link. Don't trust it before [`Codes::is_link`] has verified it.
#[derive(Clone, Debug)]
pub struct Link {
    /// The id of the row that the link is about.
    pub id: Uuid,
    /// The expiry, in seconds since 1970.
    expires: i64,
    mac: Vec<u8>,
}

impl Link {
    /// Parses the `token` of a link; `None` if it is malformed.
    pub fn parse(token: &str) -> Option<Link> {
        let bytes = URL_SAFE_NO_PAD.decode(token.trim()).ok()?;
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let (expires, mac) = rest.split_first_chunk::<8>()?;
        Some(Link { id: Uuid::from_bytes(*id), expires: i64::from_be_bytes(*expires), mac: mac.to_vec() })
    }
}

/// Creates and verifies codes and links; cheap to clone.
#[derive(Clone)]
pub struct Codes {
    /// The first key creates codes; codes of the other keys are still accepted.
    keys: Arc<[HmacSha256]>,
}

impl Codes {
    /// Creates codes with the first of `secrets` and accepts those of all.
    ///
    /// # Errors
    /// A secret is not a valid key, which does not happen: HMAC accepts any.
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Result<Codes, InternalError> {
        let keys = secrets.into_iter().map(|secret| HmacSha256::new_from_slice(secret.as_bytes()));
        Ok(Codes { keys: keys.collect::<Result<_, _>>().context("a key for codes")? })
    }

    /// Returns a code of six digits. `state` is everything that must not have changed when the code is used.
    pub fn code(&self, proof: Proof, id: Uuid, state: &str) -> String {
        self.keys.first().map(|key| digits(key, proof, id, state)).unwrap_or_default()
    }

    /// Whether `given` is the code; whitespace in it is ignored.
    pub fn is_code(&self, given: &str, proof: Proof, id: Uuid, state: &str) -> bool {
        let given: String = given.chars().filter(|letter| !letter.is_whitespace()).collect();
        self.keys.iter().any(|key| {
            // Comparing the MACs of both takes constant time, so the timing reveals nothing about the code.
            let expected = key.clone().chain_update(digits(key, proof, id, state)).finalize().into_bytes();
            key.clone().chain_update(&given).verify(&expected).is_ok()
        })
    }

    /// Returns the token of a link that expires at `expires_at`, truncated to seconds.
    pub fn link(&self, proof: Proof, id: Uuid, expires_at: DateTime<Utc>, state: &str) -> String {
        let expires = expires_at.timestamp();
        let mac = self.keys.first().map(|key| over(key, "link", proof, id, expires, state).finalize().into_bytes());
        URL_SAFE_NO_PAD.encode([id.as_bytes().as_slice(), &expires.to_be_bytes(), &mac.unwrap_or_default()].concat())
    }

    /// Whether `link` was made for this purpose and state, and has not expired.
    pub fn is_link(&self, link: &Link, proof: Proof, state: &str, now: DateTime<Utc>) -> bool {
        let made = |key| over(key, "link", proof, link.id, link.expires, state).verify_slice(&link.mac).is_ok();
        now.timestamp() < link.expires && self.keys.iter().any(made)
    }
}

impl Codes {
    /// Derives the opaque token that follows `token`, which is always the same one.
    ///
    /// Only the holder of the key can compute it. So a client that lost the response and retries gets the same
    /// successor.
    pub fn successor(&self, prefix: &str, token: &str) -> (String, TokenHash) {
        let mac = self.keys.first().map(|key| key.clone().chain_update("successor\0").chain_update(token).finalize());
        let text = URL_SAFE_NO_PAD.encode(mac.map(|mac| mac.into_bytes()).unwrap_or_default());
        let next = format!("{prefix}{text}");
        let hash = hash_token(&next);
        (next, hash)
    }
}

/// Computes the MAC of what is proved.
///
/// Everything before the state has a fixed length or ends with a NUL, so that the parts cannot be split differently.
fn over(key: &HmacSha256, kind: &str, proof: Proof, id: Uuid, expires: i64, state: &str) -> HmacSha256 {
    let head = format!("{kind}/{}\0", proof.name());
    key.clone().chain_update(head).chain_update(id.as_bytes()).chain_update(expires.to_be_bytes()).chain_update(state)
}

fn digits(key: &HmacSha256, proof: Proof, id: Uuid, state: &str) -> String {
    let bytes = over(key, "code", proof, id, 0, state).finalize().into_bytes();
    // 2^64 is so much larger than a million that the bias of the remainder is negligible.
    let number = bytes.first_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes)).unwrap_or_default();
    format!("{:06}", number % 1_000_000)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    const ID: Uuid = Uuid::from_u128(7);

    fn codes(secrets: &[&str]) -> Codes {
        Codes::new(secrets.iter().map(ToString::to_string)).unwrap()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    #[test]
    fn a_code_is_six_digits_and_good_for_one_thing() {
        let codes = codes(&["one"]);
        let code = codes.code(Proof::Activation, ID, "0");
        assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
        assert_eq!(code, codes.code(Proof::Activation, ID, "0"), "a job that is repeated sends the same");
        let spaced = format!(" {} {}\n", &code[..3], &code[3..]);
        for (given, proof, id, state, expected) in [
            (&*code, Proof::Activation, ID, "0", true),
            (&*spaced, Proof::Activation, ID, "0", true),
            (&*code, Proof::EmailChange, ID, "0", false),
            (&*code, Proof::Activation, Uuid::from_u128(8), "0", false),
            (&*code, Proof::Activation, ID, "1", false),
            (&code[..5], Proof::Activation, ID, "0", false),
            ("", Proof::Activation, ID, "0", false),
        ] {
            assert_eq!(codes.is_code(given, proof, id, state), expected, "{given:?} {proof:?} {id} {state}");
        }
    }

    #[test]
    fn codes_are_spread_evenly() {
        let codes = codes(&["one"]);
        let mut seen = std::collections::BTreeMap::<char, u32>::new();
        for number in 0..2000 {
            let code = codes.code(Proof::Activation, Uuid::from_u128(number), "0");
            code.chars().for_each(|digit| *seen.entry(digit).or_default() += 1);
        }
        assert!(seen.len() == 10 && seen.values().all(|count| (1000..1400).contains(count)), "{seen:?}");
    }

    #[test]
    fn a_link_is_good_for_one_thing_until_it_expires() {
        let codes = codes(&["one"]);
        let token = codes.link(Proof::PasswordReset, ID, at(100), "hash");
        let link = Link::parse(&token).unwrap();
        assert_eq!(link.id, ID);
        for (proof, state, now, expected) in [
            (Proof::PasswordReset, "hash", 99, true),
            (Proof::PasswordReset, "hash", 100, false),
            (Proof::PasswordReset, "another hash", 99, false),
            (Proof::Activation, "hash", 99, false),
        ] {
            assert_eq!(codes.is_link(&link, proof, state, at(now)), expected, "{proof:?} {state} {now}");
        }
        assert!(!token.contains(&codes.code(Proof::PasswordReset, ID, "hash")));
    }

    #[test]
    fn a_secret_can_be_replaced_while_its_codes_live() {
        let (old, new) = (codes(&["one"]), codes(&["two", "one"]));
        let code = old.code(Proof::Activation, ID, "0");
        let link = Link::parse(&old.link(Proof::Activation, ID, at(100), "0")).unwrap();
        assert!(new.is_code(&code, Proof::Activation, ID, "0") && new.is_link(&link, Proof::Activation, "0", at(9)));
        assert_ne!(new.code(Proof::Activation, ID, "0"), code);
        let stranger = codes(&["three"]);
        assert!(!stranger.is_link(&link, Proof::Activation, "0", at(9)));
    }

    proptest! {
        #[test]
        fn nothing_else_is_a_link(text in "[A-Za-z0-9_-]{0,90}", at_byte in 0usize..56, bit in 0u8..8) {
            let codes = codes(&["one"]);
            let good = |token: &str| {
                Link::parse(token).is_some_and(|link| codes.is_link(&link, Proof::Activation, "0", at(9)))
            };
            prop_assert!(!good(&text));
            let token = codes.link(Proof::Activation, ID, at(100), "0");
            prop_assert!(good(&token));
            let mut bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
            prop_assert_eq!(bytes.len(), 56);
            bytes[at_byte] ^= 1 << bit;
            prop_assert!(!good(&URL_SAFE_NO_PAD.encode(&bytes)), "a bit was changed");
            bytes[at_byte] ^= 1 << bit;
            bytes.pop();
            prop_assert!(!good(&URL_SAFE_NO_PAD.encode(&bytes)), "it was cut");
        }
    }
}
