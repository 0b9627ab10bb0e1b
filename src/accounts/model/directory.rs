//! Filters and orders of the user list for administrators.

use async_graphql::{Enum, InputObject};
use chrono::{DateTime, Utc};

use super::{User, UserId};
use crate::graphql::page::{Page, SortDirection, instant};
use crate::graphql::{Error, Result, Time, guard};

/// Selects users. The fields are combined with AND; omitted fields match everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, InputObject)]
pub struct UserFilter {
    /// Part of the name or of the email address. Case-insensitive; all characters are matched literally.
    pub query: Option<String>,
    /// Only users with one of these roles. The team is `[INSTRUCTOR, ADMIN]`.
    pub roles: Option<Vec<guard::Role>>,
    /// If true, only users who are banned now; if false, only users who are not.
    pub is_banned: Option<bool>,
    /// Only users who registered at this time or later.
    pub created_from: Option<Time>,
    /// Only users who registered before this time.
    pub created_to: Option<Time>,
}

/// The fields that users can be sorted by. Ties are ordered by id, in the same direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum UserSortField {
    /// The time of registration.
    CreatedAt,
    /// The name, case-insensitive.
    Name,
    /// The email address.
    Email,
}

/// How to sort users.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct UserSort {
    /// The field to sort by.
    pub field: UserSortField,
    /// The direction.
    pub direction: SortDirection,
}

impl Default for UserSort {
    fn default() -> UserSort {
        UserSort { field: UserSortField::CreatedAt, direction: SortDirection::Desc }
    }
}

/// A page of the list, in one of its orders.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum UserListPage {
    /// By the time of registration.
    CreatedAt(Page<(DateTime<Utc>, UserId)>),
    /// By the name.
    Name(Page<UserPlace>),
    /// By the email address.
    Email(Page<UserPlace>),
}

/// The position of a user in the list: the value that it is ordered by, as text, and the id.
pub type UserPlace = (String, UserId);

impl UserSort {
    /// Returns the name of the list in its cursors. A cursor is valid in either direction.
    pub fn list(self) -> &'static str {
        match self.field {
            UserSortField::CreatedAt => "users by createdAt",
            UserSortField::Name => "users by name",
            UserSortField::Email => "users by email",
        }
    }

    /// Returns the page, if its cursors are positions in this order.
    ///
    /// # Errors
    /// A cursor is not one that the list returned.
    pub fn page(self, page: Page<UserPlace>) -> Result<UserListPage> {
        let list = self.list();
        Ok(match self.field {
            UserSortField::CreatedAt => UserListPage::CreatedAt(page.try_map(|(micros, id)| {
                // Not a number: `instant` rejects -1.
                Ok((instant(list, micros.parse().unwrap_or(-1))?, id))
            })?),
            UserSortField::Name => UserListPage::Name(page.try_map(|place| text(list, place))?),
            UserSortField::Email => UserListPage::Email(page.try_map(|place| text(list, place))?),
        })
    }

    /// Returns the position of `user` in the list.
    pub fn place(self, user: &User) -> UserPlace {
        let value = match self.field {
            UserSortField::CreatedAt => user.created_at.timestamp_micros().to_string(),
            UserSortField::Name => user.name.clone(),
            UserSortField::Email => user.email.clone(),
        };
        (value, user.id)
    }
}

/// Rejects text with a NUL character, which PostgreSQL does not accept. Cursors are not signed.
fn text(list: &str, (text, id): UserPlace) -> Result<UserPlace> {
    match text.contains('\0') {
        false => Ok((text, id)),
        true => Err(Error::BadInput(format!("The cursor is not one that {list} returned."))),
    }
}
