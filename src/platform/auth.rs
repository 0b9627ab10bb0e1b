//! Authentication and authorization.
//!
//! Covers roles, passwords (Argon2id), access tokens (signed JWTs) and their revocation, personal API tokens with
//! scopes, and emailed codes and links.

mod api_tokens;
mod client;
mod code;
mod cookie;
mod opaque;
mod password;
mod revocations;
mod scope;
mod seal;
mod token;
mod totp;

use super::db::stored_as_text;
use chrono::{DateTime, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use uuid::Uuid;

pub use api_tokens::ApiTokens;
pub use client::Client;
pub use code::{Codes, Link, Proof};
pub use cookie::TokenCookie;
pub use opaque::{TokenHash, hash_token, opaque};
pub use password::{Passwords, Verdict};
pub use revocations::Revocations;
pub use scope::{Scope, Scopes};
pub use seal::Seal;
pub use token::{Grant, InvalidToken, Tokens};
pub use totp::{OneTimePasswords, base32};

/// Derives a secret for one purpose, from which the original cannot be recovered.
pub fn derived(secret: &str, purpose: &str) -> [u8; 32] {
    Sha256::digest(format!("lyceum/{purpose}/{secret}")).into()
}

/// A user's role, in ascending order. A role includes the permissions of the roles before it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, AsExpression, FromSqlRow,
)]
#[diesel(sql_type = Text)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    /// Takes courses.
    Student,
    /// Creates courses and edits their own.
    Instructor,
    /// Administers the platform.
    Admin,
}

stored_as_text!(Role { Student = "STUDENT", Instructor = "INSTRUCTOR", Admin = "ADMIN" });

impl Role {}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The caller of a request: a signed-in user or anonymous. Built without a database read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Not signed in.
    Anonymous,
    /// A signed-in user, until `expires_at`.
    User {
        /// The user's id.
        id: Uuid,
        /// The role when the token was issued; for an API token, when it was last looked up.
        role: Role,
        /// The session that the token belongs to, or the id of the API token.
        session: Uuid,
        /// The user's token version when the token was issued or looked up. A version below the current one is
        /// rejected.
        version: i32,
        /// When the token expires.
        expires_at: DateTime<Utc>,
        /// The scopes of a personal API token; `None` for a session, which only the role limits.
        scopes: Option<Scopes>,
    },
}

impl Actor {
    /// The user's id, if signed in.
    pub fn id(&self) -> Option<Uuid> {
        match self {
            Actor::Anonymous => None,
            Actor::User { id, .. } => Some(*id),
        }
    }

    /// The session, if signed in.
    pub fn session(&self) -> Option<Uuid> {
        match self {
            Actor::Anonymous => None,
            Actor::User { session, .. } => Some(*session),
        }
    }

    /// Whether this is the user with `id`.
    pub fn is(&self, id: impl Into<Uuid>) -> bool {
        self.id() == Some(id.into())
    }

    /// Whether the actor is signed in with `role` or a higher one.
    pub fn has(&self, role: Role) -> bool {
        matches!(self, Actor::User { role: own, .. } if *own >= role)
    }

    /// The actor for an operation that requires `scope`. An API token without it counts as anonymous.
    pub fn within(&self, scope: Scope) -> &Actor {
        match self {
            Actor::User { scopes: Some(scopes), .. } if !scopes.allow(scope) => &Actor::Anonymous,
            actor => actor,
        }
    }

    /// The actor for an operation that requires a session. An API token counts as anonymous, whatever its scopes.
    pub fn in_session(&self) -> &Actor {
        match self {
            Actor::User { scopes: Some(_), .. } => &Actor::Anonymous,
            actor => actor,
        }
    }
}
