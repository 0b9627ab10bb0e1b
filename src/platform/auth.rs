//! Who is acting: roles, passwords (Argon2id), access tokens (signed JWTs), which of those are no longer good,
//! personal API tokens with their scopes, and codes and links that are mailed.

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

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use diesel::deserialize::{FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{Output, ToSql};
use diesel::sql_types::Text;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use api_tokens::ApiTokens;
pub use client::Client;
pub use code::{Codes, Link, Proof};
pub use cookie::TokenCookie;
pub use opaque::{TokenHash, hash_token, opaque};
pub use password::{Passwords, Unhashed, Verdict};
pub use revocations::Revocations;
pub use scope::{Scope, Scopes};
pub use seal::Seal;
pub use token::{Grant, Refused, Tokens};
pub use totp::{OneTimePasswords, base32};

/// What somebody is to the platform, from least to most. A role includes the rights of those before it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, AsExpression, FromSqlRow,
)]
#[diesel(sql_type = Text)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    /// Learns.
    Student,
    /// Teaches: creates courses and edits their own.
    Instructor,
    /// Runs the platform.
    Admin,
}

impl Role {
    /// The name in tokens, in the database and in the schema.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Student => "STUDENT",
            Role::Instructor => "INSTRUCTOR",
            Role::Admin => "ADMIN",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Role, String> {
        [Role::Student, Role::Instructor, Role::Admin]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| format!("{text:?} is not a role"))
    }
}

impl ToSql<Text, Pg> for Role {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> diesel::serialize::Result {
        <str as ToSql<Text, Pg>>::to_sql(self.as_str(), out)
    }
}

impl FromSql<Text, Pg> for Role {
    fn from_sql(value: PgValue<'_>) -> diesel::deserialize::Result<Role> {
        Ok(<String as FromSql<Text, Pg>>::from_sql(value)?.parse()?)
    }
}

/// Who asks: a signed-in user, or nobody in particular. Made from a token without a database read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Not signed in.
    Anonymous,
    /// Signed in until `expires_at`.
    User {
        /// The user's id.
        id: Uuid,
        /// The role when the token was issued; for an API token, when it was last looked up.
        role: Role,
        /// The session that the token belongs to, or the id of the API token.
        session: Uuid,
        /// The user's token version when it was issued or looked up; older ones than the user's own are refused.
        version: i32,
        /// When the token ends.
        expires_at: DateTime<Utc>,
        /// What a personal API token is limited to; `None` in a session, which is limited by the role only.
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

    /// The actor where `scope` is asked for: an API token without it is nobody.
    pub fn within(&self, scope: Scope) -> &Actor {
        match self {
            Actor::User { scopes: Some(scopes), .. } if !scopes.allow(scope) => &Actor::Anonymous,
            actor => actor,
        }
    }

    /// The actor where only a session counts: an API token is nobody, whatever its scopes.
    pub fn in_session(&self) -> &Actor {
        match self {
            Actor::User { scopes: Some(_), .. } => &Actor::Anonymous,
            actor => actor,
        }
    }
}
