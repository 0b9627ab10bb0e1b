//! Users.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};

use crate::graphql::{Entity, Id, context};
use crate::platform::auth::Role;
use crate::platform::db::schema::users;

/// A user's id: `user_01j…`.
pub type UserId = Id<User>;

/// Somebody with an account. The password's hash is not part of the row that travels through the program, nor is the
/// bio: it may be long, and few pages show it.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = users, check_for_backend(diesel::pg::Pg))]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The address, trimmed and in lower case.
    pub email: String,
    /// The name that others see.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// When they registered.
    pub created_at: DateTime<Utc>,
    /// Raised when tokens that were issued before are no longer good.
    pub token_version: i32,
    /// Since when the user is banned.
    pub banned_at: Option<DateTime<Utc>>,
    /// Until when; `None` is for good.
    pub banned_until: Option<DateTime<Utc>>,
    /// Why, for the user and for administrators.
    pub ban_reason: Option<String>,
    /// The language that the user chose, a BCP 47 tag.
    pub locale: Option<String>,
    /// The time zone that the user chose, by its IANA name.
    pub time_zone: Option<String>,
    /// Where the user's picture is in the object store.
    pub avatar_key: Option<String>,
    /// When the account is to be deleted, if the user has given it up.
    pub deletion_due_at: Option<DateTime<Utc>>,
    /// When it was. Nothing of the person is left then.
    pub deleted_at: Option<DateTime<Utc>>,
}

impl User {
    /// Whether the user may not sign in at `now`.
    pub fn is_banned(&self, now: DateTime<Utc>) -> bool {
        self.banned_at.is_some() && self.banned_until.is_none_or(|until| until > now)
    }
}

impl Entity for User {
    const PREFIX: &'static str = "user";
}

/// What sign-in compares with.
#[derive(Queryable)]
pub(in crate::accounts) struct Credentials {
    pub(in crate::accounts) user: User,
    /// None for somebody who signs in with another provider only.
    pub(in crate::accounts) password_hash: Option<String>,
}

impl Credentials {
    /// What a link for a new password is made for: it ends with the old one, and when the account gets another address.
    pub(in crate::accounts) fn reset_state(&self) -> String {
        format!("{}\0{}", self.user.email, self.password_hash.as_deref().unwrap_or_default())
    }
}

/// A user from elsewhere, with a password hash in PHC form.
#[derive(Clone)]
pub struct ImportedUser {
    /// The address.
    pub email: String,
    /// The name that others see.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Argon2 in PHC string form.
    pub password_hash: String,
}

/// Gives a user another role.
#[derive(Clone, Debug, InputObject)]
pub struct ChangeUserRoleInput {
    /// Whose role.
    pub user_id: UserId,
    /// The new role.
    pub role: context::Role,
}
