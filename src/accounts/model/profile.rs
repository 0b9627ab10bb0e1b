//! Changes of user profiles, and their limits.

use async_graphql::{InputObject, MaybeUndefined};
use diesel::AsChangeset;

use crate::platform::db::schema::users;

/// The maximum length of a bio, in characters.
pub(crate) const LONGEST_BIO: usize = 1000;

/// The input of `updateProfile`. Omitted fields stay unchanged.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateProfileInput {
    /// The name that others see, 1 to 100 characters.
    pub name: Option<String>,
    /// Plain text of at most 1,000 characters; null removes it.
    pub bio: MaybeUndefined<String>,
    /// The language as a BCP 47 tag: `de`, `pt-BR`. Null removes the choice.
    pub locale: MaybeUndefined<String>,
    /// The time zone by its IANA name: `Europe/Zurich`. Null removes the choice.
    pub time_zone: MaybeUndefined<String>,
}

/// A validated [`UpdateProfileInput`]. Fields that are `None` stay unchanged.
#[derive(AsChangeset)]
#[diesel(table_name = users)]
pub(crate) struct ProfileChanges {
    pub name: Option<String>,
    pub bio: Option<String>,
    pub locale: Option<Option<String>>,
    pub time_zone: Option<Option<String>>,
}
