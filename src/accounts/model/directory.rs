//! How administrators list users.

use async_graphql::{Enum, InputObject};
use chrono::{DateTime, Utc};

use super::{User, UserId};
use crate::graphql::context;
use crate::graphql::page::OrderDirection;

/// Which users. What is left out restricts nothing; what is given must hold together.
#[derive(Clone, Debug, Default, InputObject)]
pub(crate) struct UserFilter {
    /// Part of the name or of the e-mail address; upper and lower case are the same, and no character is special.
    pub query: Option<String>,
    /// With one of these roles. The team is `[INSTRUCTOR, ADMIN]`.
    pub roles: Option<Vec<context::Role>>,
    /// Only those who are banned now, or only those who are not.
    pub banned: Option<bool>,
    /// Registered at this time or later.
    pub created_from: Option<DateTime<Utc>>,
    /// Registered before this time.
    pub created_to: Option<DateTime<Utc>>,
}

/// What users are ordered by. Those who are equal are ordered by id, in the same direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum UserOrderField {
    /// When they registered.
    CreatedAt,
    /// The name; upper and lower case are the same.
    Name,
    /// The e-mail address.
    Email,
}

/// How users are ordered.
#[derive(Clone, Copy, Debug, InputObject)]
pub(crate) struct UserOrder {
    /// By what.
    pub field: UserOrderField,
    /// In which direction.
    pub direction: OrderDirection,
}

impl Default for UserOrder {
    fn default() -> UserOrder {
        UserOrder { field: UserOrderField::CreatedAt, direction: OrderDirection::Desc }
    }
}

/// Where a user stands in the list: the value that it is ordered by, as text, and the id.
pub(crate) type UserPlace = (String, UserId);

impl UserOrder {
    /// The list's name in its cursors. A cursor is good in either direction.
    pub(crate) fn list(self) -> &'static str {
        match self.field {
            UserOrderField::CreatedAt => "users by createdAt",
            UserOrderField::Name => "users by name",
            UserOrderField::Email => "users by email",
        }
    }

    /// Where `user` stands.
    pub(crate) fn place(self, user: &User) -> UserPlace {
        let value = match self.field {
            UserOrderField::CreatedAt => user.created_at.timestamp_micros().to_string(),
            UserOrderField::Name => user.name.clone(),
            UserOrderField::Email => user.email.clone(),
        };
        (value, user.id)
    }
}
