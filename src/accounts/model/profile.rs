//! What people tell about themselves, and how much of it there may be.

use async_graphql::{InputObject, MaybeUndefined};
use diesel::AsChangeset;

use crate::platform::db::schema::users;

/// The most characters of a bio.
pub(crate) const LONGEST_BIO: usize = 1000;

/// Changes of the viewer's profile; what is left out stays as it is.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct UpdateProfileInput {
    /// The name that others see, 1 to 100 characters.
    pub(crate) name: Option<String>,
    /// Plain text of at most 1,000 characters; null removes it.
    pub(crate) bio: MaybeUndefined<String>,
    /// The language as a BCP 47 tag: `de`, `pt-BR`. Null: no choice.
    pub(crate) locale: MaybeUndefined<String>,
    /// The time zone by its name in the IANA database: `Europe/Zurich`. Null: no choice.
    pub(crate) time_zone: MaybeUndefined<String>,
}

/// A checked [`UpdateProfileInput`]: `None` stays as it is.
#[derive(AsChangeset)]
#[diesel(table_name = users)]
pub(in crate::accounts) struct ProfileChanges {
    pub(in crate::accounts) name: Option<String>,
    pub(in crate::accounts) bio: Option<String>,
    pub(in crate::accounts) locale: Option<Option<String>>,
    pub(in crate::accounts) time_zone: Option<Option<String>>,
}
