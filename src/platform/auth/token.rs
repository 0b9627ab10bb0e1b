//! Access tokens: JSON Web Tokens (RFC 7519) signed with HMAC-SHA-256.
//!
//! A token contains everything that a request needs to know about its sender, so authentication costs no database read.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Actor, Role};
use crate::platform::clock::Clock;
use crate::platform::internal_error::{Context, InternalError};

const ISSUER: &str = "lyceum";

/// Why a token is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidToken {
    /// The token has expired.
    Expired,
    /// The token was modified, was not signed by this server, or is malformed.
    Forged,
}

impl InvalidToken {
    /// The error message for the client.
    pub fn message(self) -> &'static str {
        match self {
            InvalidToken::Expired => "The access token has expired; refresh the session or sign in again.",
            InvalidToken::Forged => "The access token is not valid.",
        }
    }
}

/// Issues and verifies access tokens; cheap to clone.
#[derive(Clone)]
pub struct Tokens {
    /// The first key signs; tokens signed with the others are still accepted.
    keys: Arc<[Key]>,
    validation: Validation,
    lifetime: TimeDelta,
    clock: Clock,
}

struct Key {
    id: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl Key {
    /// Derives the key id from the secret. It reveals nothing about the secret and is the same on every node.
    fn new(secret: &str) -> Key {
        let mut id = hex::encode(Sha256::digest(format!("lyceum/key-id/{secret}")));
        id.truncate(16);
        Key {
            id,
            encoding: EncodingKey::from_secret(secret.as_bytes()),
            decoding: DecodingKey::from_secret(secret.as_bytes()),
        }
    }
}

/// The claims of a token about its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The user's id.
    pub user: Uuid,
    /// The user's role.
    pub role: Role,
    /// The session that the token belongs to.
    pub session: Uuid,
    /// The user's token version.
    pub version: i32,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: Uuid,
    sid: Uuid,
    ver: i32,
    role: Role,
    iat: i64,
    exp: i64,
}

impl Tokens {
    /// Returns a service that signs with `secret` (at least 32 bytes). Tokens are valid for `lifetime`.
    ///
    /// Tokens that were signed with one of the `previous` secrets are accepted until they expire.
    pub fn new(secret: &str, previous: &[String], lifetime: TimeDelta, clock: Clock) -> Tokens {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        // The library would use the system clock instead of `clock`.
        validation.validate_exp = false;
        let keys = std::iter::once(secret).chain(previous.iter().map(String::as_str)).map(Key::new).collect();
        Tokens { keys, validation, lifetime, clock }
    }

    /// Issues a token and returns it with its expiry.
    ///
    /// # Errors
    /// The claims cannot be serialized, which does not happen.
    pub fn issue(&self, grant: Grant) -> Result<(String, DateTime<Utc>), InternalError> {
        let now = self.clock.now();
        let expires_at = DateTime::from_timestamp((now + self.lifetime).timestamp(), 0).unwrap_or(now);
        let claims = Claims {
            iss: ISSUER.into(),
            sub: grant.user,
            sid: grant.session,
            ver: grant.version,
            role: grant.role,
            iat: now.timestamp(),
            exp: expires_at.timestamp(),
        };
        let key = self.keys.first().ok_or_else(|| InternalError::new("there is no key to sign with"))?;
        let header = Header { kid: Some(key.id.clone()), ..Header::new(Algorithm::HS256) };
        let token = jsonwebtoken::encode(&header, &claims, &key.encoding).context("cannot sign a token")?;
        Ok((token, expires_at))
    }

    /// Verifies a token and returns its user.
    ///
    /// # Errors
    /// See [`InvalidToken`].
    pub fn read(&self, token: &str) -> Result<Actor, InvalidToken> {
        let id = jsonwebtoken::decode_header(token).map_err(|_| InvalidToken::Forged)?.kid;
        let key = self.keys.iter().find(|key| Some(&key.id) == id.as_ref()).ok_or(InvalidToken::Forged)?;
        let data = jsonwebtoken::decode::<Claims>(token, &key.decoding, &self.validation);
        let Claims { sub, sid, ver, role, exp, .. } = data.map_err(|_| InvalidToken::Forged)?.claims;
        let expires_at = DateTime::from_timestamp(exp, 0).ok_or(InvalidToken::Forged)?;
        if expires_at <= self.clock.now() {
            return Err(InvalidToken::Expired);
        }
        Ok(Actor::User { id: sub, role, session: sid, version: ver, expires_at, scopes: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "0123456789abcdef0123456789abcdef";
    const THEIRS: &str = "another secret, another secret!!";

    fn clock() -> Clock {
        Clock::manual(DateTime::UNIX_EPOCH + TimeDelta::days(20_000))
    }

    fn tokens(secret: &str, previous: &[&str], clock: &Clock) -> Tokens {
        let previous: Vec<String> = previous.iter().map(ToString::to_string).collect();
        Tokens::new(secret, &previous, TimeDelta::minutes(10), clock.clone())
    }

    fn grant(role: Role) -> Grant {
        Grant { user: Uuid::from_u128(1), role, session: Uuid::from_u128(2), version: 3 }
    }

    #[test]
    fn a_token_speaks_for_its_user_until_it_expires() {
        let clock = clock();
        let tokens = tokens(OURS, &[], &clock);
        let (token, expires_at) = tokens.issue(grant(Role::Instructor)).unwrap();
        let (id, session) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let expected = Actor::User { id, role: Role::Instructor, session, version: 3, expires_at, scopes: None };
        assert_eq!(tokens.read(&token), Ok(expected));
        clock.advance(TimeDelta::minutes(10));
        assert_eq!(tokens.read(&token), Err(InvalidToken::Expired));
    }

    #[test]
    fn a_key_can_be_replaced_while_its_tokens_live() {
        let clock = clock();
        let (old, new) = (tokens(THEIRS, &[], &clock), tokens(OURS, &[THEIRS], &clock));
        let (before, _) = old.issue(grant(Role::Student)).unwrap();
        let (after, _) = new.issue(grant(Role::Student)).unwrap();
        assert!(new.read(&before).is_ok() && new.read(&after).is_ok());
        assert_eq!(old.read(&after), Err(InvalidToken::Forged), "a key that it does not know");
    }

    #[test]
    fn what_we_did_not_sign_is_forged() {
        let clock = clock();
        let ours = tokens(OURS, &[THEIRS], &clock);
        let (foreign, _) = tokens("a third secret that nobody knows", &[], &clock).issue(grant(Role::Admin)).unwrap();
        let (good, _) = ours.issue(grant(Role::Student)).unwrap();
        let parts: Vec<&str> = good.split('.').collect();
        let sign = |header: Header, claims: &Claims, secret: &str| {
            jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
        };
        let claims = |issuer: &str| Claims {
            iss: issuer.into(),
            sub: Uuid::from_u128(1),
            sid: Uuid::from_u128(2),
            ver: 3,
            role: Role::Admin,
            iat: clock.now().timestamp(),
            exp: clock.now().timestamp() + 60,
        };
        let header = |secret: &str, algorithm| Header { kid: Some(Key::new(secret).id), ..Header::new(algorithm) };
        // {"alg":"none"} with the claims of a valid token and no signature
        let unsigned = format!("eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.{}.", parts[1]);
        for (case, token) in [
            ("another key", foreign),
            ("no algorithm", unsigned),
            ("another issuer", sign(header(OURS, Algorithm::HS256), &claims("elsewhere"), OURS)),
            ("swapped keys", sign(header(OURS, Algorithm::HS256), &claims(ISSUER), THEIRS)),
            ("another algorithm", sign(header(OURS, Algorithm::HS512), &claims(ISSUER), OURS)),
            ("no key id", sign(Header::new(Algorithm::HS256), &claims(ISSUER), OURS)),
            ("no signature", format!("{}.{}.", parts[0], parts[1])),
            ("nothing", String::new()),
            ("nonsense", "a.b.c".into()),
        ] {
            assert_eq!(ours.read(&token), Err(InvalidToken::Forged), "{case}");
        }
        assert!(
            ours.read(&sign(header(THEIRS, Algorithm::HS256), &claims(ISSUER), THEIRS)).is_ok(),
            "the test is fair"
        );
    }
}
