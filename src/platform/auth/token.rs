//! Access tokens: JSON Web Tokens (RFC 7519) signed with HMAC-SHA-256. Everything a request needs to know of its
//! sender is in the token, so authentication costs no database read.

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Actor, Role};
use crate::platform::clock::Clock;
use crate::platform::fault::{Context, Fault};

const ISSUER: &str = "lyceum";

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It was good once.
    Expired,
    /// It is not ours, or was changed, or is no token at all.
    Forged,
}

impl Refused {
    /// The sentence for the client.
    pub fn message(self) -> &'static str {
        match self {
            Refused::Expired => "The access token has expired; sign in again.",
            Refused::Forged => "The access token is not valid.",
        }
    }
}

/// Issues and reads access tokens; cheap to clone.
#[derive(Clone)]
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    lifetime: TimeDelta,
    clock: Clock,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: Uuid,
    role: Role,
    iat: i64,
    exp: i64,
}

impl Tokens {
    /// Tokens signed with `secret` (at least 32 bytes) that live for `lifetime`.
    pub fn new(secret: &[u8], lifetime: TimeDelta, clock: Clock) -> Tokens {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        // The library would ask the system's clock; ours can be set by a test.
        validation.validate_exp = false;
        Tokens {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            validation,
            lifetime,
            clock,
        }
    }

    /// A token for `user` and the instant at which it ends.
    ///
    /// # Errors
    /// The claims cannot be serialised, which does not happen.
    pub fn issue(&self, user: Uuid, role: Role) -> Result<(String, DateTime<Utc>), Fault> {
        let now = self.clock.now();
        let expires_at = DateTime::from_timestamp((now + self.lifetime).timestamp(), 0).unwrap_or(now);
        let claims = Claims { iss: ISSUER.into(), sub: user, role, iat: now.timestamp(), exp: expires_at.timestamp() };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .context("cannot sign a token")?;
        Ok((token, expires_at))
    }

    /// Whom a token speaks for.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn read(&self, token: &str) -> Result<Actor, Refused> {
        let data =
            jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation).map_err(|error| {
                match error.kind() {
                    ErrorKind::ExpiredSignature => Refused::Expired,
                    _ => Refused::Forged,
                }
            })?;
        let expires_at = DateTime::from_timestamp(data.claims.exp, 0).ok_or(Refused::Forged)?;
        if expires_at <= self.clock.now() {
            return Err(Refused::Expired);
        }
        Ok(Actor::User { id: data.claims.sub, role: data.claims.role, expires_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(secret: &str, clock: &Clock) -> Tokens {
        Tokens::new(secret.as_bytes(), TimeDelta::minutes(10), clock.clone())
    }

    #[test]
    fn a_token_speaks_for_its_user_until_it_expires() {
        let clock = Clock::manual(DateTime::UNIX_EPOCH + TimeDelta::days(20_000));
        let tokens = tokens("0123456789abcdef0123456789abcdef", &clock);
        let user = clock.uuid();
        let (token, expires_at) = tokens.issue(user, Role::Instructor).unwrap();
        assert_eq!(tokens.read(&token), Ok(Actor::User { id: user, role: Role::Instructor, expires_at }));
        clock.advance(TimeDelta::minutes(10));
        assert_eq!(tokens.read(&token), Err(Refused::Expired));
    }

    #[test]
    fn what_we_did_not_sign_is_forged() {
        let clock = Clock::manual(DateTime::UNIX_EPOCH + TimeDelta::days(20_000));
        let ours = tokens("0123456789abcdef0123456789abcdef", &clock);
        let theirs = tokens("another secret, another secret!!", &clock);
        let (foreign, _) = theirs.issue(clock.uuid(), Role::Admin).unwrap();
        // {"alg":"none"} with the claims of a real token and no signature
        let claims = foreign.split('.').nth(1).unwrap();
        let unsigned = format!("eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.{claims}.");
        for token in [foreign.as_str(), unsigned.as_str(), "", "a.b.c", "not a token"] {
            assert_eq!(ours.read(token), Err(Refused::Forged), "{token}");
        }
    }
}
