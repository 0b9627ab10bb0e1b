//! The scopes of personal API tokens.

use std::str::FromStr;

use diesel::deserialize::{FromSql, FromSqlRow};
use diesel::pg::{Pg, PgValue};
use diesel::sql_types::{Array, Text};

/// A permission of an API token. The GraphQL schema documents what each scope allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Read the owner's account.
    ReadAccount,
    /// Read the drafts that the owner may see.
    ReadCourses,
    /// Create and edit courses; includes [`Scope::ReadCourses`].
    WriteCourses,
    /// Read the owner's enrollments, progress and certificates.
    ReadLearning,
    /// Enroll and save progress; includes [`Scope::ReadLearning`].
    WriteLearning,
    /// Read what administrators may see of other users.
    ReadUsers,
    /// Read the discussions that the owner may read.
    ReadDiscussions,
    /// Write and vote in discussions; includes [`Scope::ReadDiscussions`].
    WriteDiscussions,
    /// Read the owner's notifications and their settings.
    ReadNotifications,
    /// Mark and mute notifications, change their settings, make announcements; includes [`Scope::ReadNotifications`].
    WriteNotifications,
    /// Read the owner's orders and memberships; for administrators, all orders and payment events.
    ReadOrders,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Scope; 11] = [
        Scope::ReadAccount,
        Scope::ReadCourses,
        Scope::WriteCourses,
        Scope::ReadLearning,
        Scope::WriteLearning,
        Scope::ReadUsers,
        Scope::ReadDiscussions,
        Scope::WriteDiscussions,
        Scope::ReadNotifications,
        Scope::WriteNotifications,
        Scope::ReadOrders,
    ];

    /// The name in the database and in the GraphQL schema.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::ReadAccount => "READ_ACCOUNT",
            Scope::ReadCourses => "READ_COURSES",
            Scope::WriteCourses => "WRITE_COURSES",
            Scope::ReadLearning => "READ_LEARNING",
            Scope::WriteLearning => "WRITE_LEARNING",
            Scope::ReadUsers => "READ_USERS",
            Scope::ReadDiscussions => "READ_DISCUSSIONS",
            Scope::WriteDiscussions => "WRITE_DISCUSSIONS",
            Scope::ReadNotifications => "READ_NOTIFICATIONS",
            Scope::WriteNotifications => "WRITE_NOTIFICATIONS",
            Scope::ReadOrders => "READ_ORDERS",
        }
    }

    fn bit(self) -> u32 {
        1 << self as u32
    }

    /// The bits of the scope and of those that it includes: writing includes reading.
    fn reach(self) -> u32 {
        match self {
            Scope::WriteCourses => self.bit() | Scope::ReadCourses.bit(),
            Scope::WriteLearning => self.bit() | Scope::ReadLearning.bit(),
            Scope::WriteDiscussions => self.bit() | Scope::ReadDiscussions.bit(),
            Scope::WriteNotifications => self.bit() | Scope::ReadNotifications.bit(),
            scope => scope.bit(),
        }
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Scope, String> {
        let found = Scope::ALL.into_iter().find(|scope| scope.as_str() == text);
        found.ok_or_else(|| format!("{text:?} is not a scope"))
    }
}

/// A set of scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromSqlRow)]
pub struct Scopes(u32);

impl Scopes {
    /// The scopes in the set, in declaration order.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.0 & scope.bit() != 0)
    }

    /// Whether the set contains `scope` or one that includes it.
    pub fn allow(self, scope: Scope) -> bool {
        self.iter().any(|own| own.reach() & scope.bit() != 0)
    }

    /// The names of the scopes in the set.
    pub fn names(self) -> Vec<&'static str> {
        self.iter().map(Scope::as_str).collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Scopes {
        Scopes(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

impl FromSql<Array<Text>, Pg> for Scopes {
    fn from_sql(value: PgValue<'_>) -> diesel::deserialize::Result<Scopes> {
        let names = <Vec<String> as FromSql<Array<Text>, Pg>>::from_sql(value)?;
        // Ignores scopes that only a newer version of the program knows.
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use uuid::Uuid;

    use super::*;
    use crate::platform::auth::{Actor, Role};

    #[test]
    fn a_scope_allows_itself_and_to_write_is_to_read() {
        for chosen in Scope::ALL {
            let scopes = Scopes::from_iter([chosen]);
            for asked in Scope::ALL {
                let pairs = [
                    (Scope::WriteCourses, Scope::ReadCourses),
                    (Scope::WriteLearning, Scope::ReadLearning),
                    (Scope::WriteDiscussions, Scope::ReadDiscussions),
                    (Scope::WriteNotifications, Scope::ReadNotifications),
                ];
                let included = pairs.contains(&(chosen, asked));
                assert_eq!(scopes.allow(asked), chosen == asked || included, "{chosen:?} {asked:?}");
                assert!(!Scopes::default().allow(asked));
            }
            assert_eq!(scopes.names(), [chosen.as_str()]);
            assert_eq!(chosen.as_str().parse(), Ok(chosen));
        }
        assert!(Scope::ALL.into_iter().all(|scope| Scopes::from_iter(Scope::ALL).allow(scope)));
        assert!("EVERYTHING".parse::<Scope>().is_err());
    }

    #[test]
    fn a_token_is_nobody_outside_its_scopes_and_a_session_is_its_user_everywhere() {
        let actor = |scopes: Option<Scopes>| Actor::User {
            id: Uuid::from_u128(1),
            role: Role::Admin,
            session: Uuid::from_u128(2),
            version: 0,
            expires_at: DateTime::<Utc>::MAX_UTC,
            scopes,
        };
        let (session, all) = (actor(None), actor(Some(Scopes::from_iter(Scope::ALL))));
        let reader = actor(Some(Scopes::from_iter([Scope::ReadCourses])));
        for scope in Scope::ALL {
            assert_eq!(session.within(scope), &session);
            assert_eq!(all.within(scope), &all);
            assert_eq!(reader.within(scope).id().is_some(), scope == Scope::ReadCourses, "{scope:?}");
            assert_eq!(Actor::Anonymous.within(scope), &Actor::Anonymous);
        }
        assert_eq!(session.in_session(), &session);
        assert_eq!(all.in_session(), &Actor::Anonymous);
        assert_eq!(Actor::Anonymous.in_session(), &Actor::Anonymous);
    }
}
