//! Users.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::{Queryable, Selectable};
use uuid::Uuid;

use crate::graphql::{Entity, Id, guard};
use crate::platform::auth::Role;
use crate::platform::db::CacheKey;
use crate::platform::db::schema::users;

/// A user's id: `user_01j…`.
pub type UserId = Id<User>;

/// A user, without the password hash and the bio, which may be long and is rarely shown.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = users, check_for_backend(diesel::pg::Pg))]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The email address, trimmed and in lower case.
    pub email: String,
    /// The name that others see.
    pub name: String,
    /// The role, which determines the user's rights.
    pub role: Role,
    /// When the role was changed last; `None` if it is the one that the user registered with.
    pub role_since: Option<DateTime<Utc>>,
    /// When the user registered.
    pub created_at: DateTime<Utc>,
    /// Incremented to invalidate the access tokens that were issued before.
    pub token_version: i32,
    /// When the user was banned.
    pub banned_at: Option<DateTime<Utc>>,
    /// When the ban ends; `None` if it is permanent.
    pub banned_until: Option<DateTime<Utc>>,
    /// The reason for the ban, visible to the user and to administrators.
    pub ban_reason: Option<String>,
    /// The language that the user chose, as a BCP 47 tag.
    pub locale: Option<String>,
    /// The time zone that the user chose, by its IANA name.
    pub time_zone: Option<String>,
    /// When the account is due for deletion; `None` if no deletion was requested.
    pub deletion_due_at: Option<DateTime<Utc>>,
    /// When the account was deleted; its row is anonymized then.
    pub deleted_at: Option<DateTime<Utc>>,
    /// The file of the user's picture.
    pub avatar_id: Option<Uuid>,
    /// When the user's row was last changed.
    pub updated_at: DateTime<Utc>,
}

impl User {
    /// Whether the user is banned at `now`.
    pub fn is_banned(&self, now: DateTime<Utc>) -> bool {
        self.banned_at.is_some() && self.banned_until.is_none_or(|until| until > now)
    }

    /// Whether the account is neither deleted nor banned at `now`.
    pub fn is_active(&self, now: DateTime<Utc>) -> bool {
        self.deleted_at.is_none() && !self.is_banned(now)
    }

    /// The time zone that the user chose, or UTC.
    pub fn zone(&self) -> Tz {
        self.time_zone.as_deref().and_then(|name| name.parse().ok()).unwrap_or_default()
    }
}

impl Entity for User {
    const PREFIX: &'static str = "user";
}

/// A user with the password hash, for password checks.
#[derive(Queryable)]
pub(crate) struct Credentials {
    pub user: User,
    /// `None` if the user has no password and signs in with identity providers only.
    pub(crate) password_hash: Option<String>,
}

impl Credentials {
    /// Returns the state that a password reset link is bound to.
    ///
    /// A change of the password or of the email address invalidates the link.
    pub(crate) fn reset_state(&self) -> String {
        format!("{}\0{}", self.user.email, self.password_hash.as_deref().unwrap_or_default())
    }
}

/// A user who is imported from another system.
#[derive(Clone)]
pub struct ImportedUser {
    /// The email address.
    pub email: String,
    /// The name that others see.
    pub name: String,
    /// The role.
    pub role: Role,
    /// The Argon2 hash of the password, in PHC string format.
    pub password_hash: String,
}

/// The input of `changeUserRole`.
#[derive(Clone, Debug, InputObject)]
pub struct ChangeUserRoleInput {
    /// The user whose role to change.
    pub user_id: UserId,
    /// The new role.
    pub role: guard::Role,
}

/// The cache key of a user.
pub(crate) fn user_key(id: UserId) -> CacheKey {
    CacheKey::of(User::PREFIX, id.uuid())
}
