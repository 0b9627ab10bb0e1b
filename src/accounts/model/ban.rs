//! Bans and the inputs that set and lift them.

use async_graphql::{InputObject, SimpleObject};
use chrono::{DateTime, Utc};

use super::{User, UserId};
use crate::graphql::Time;

/// The input of `banUser`.
#[derive(Clone, Debug, InputObject)]
pub struct BanUserInput {
    /// The user to ban.
    pub user_id: UserId,
    /// The reason, 1 to 500 characters. The user sees it in an email and when trying to sign in.
    pub reason: String,
    /// When the ban ends by itself; permanent if omitted.
    pub ends_at: Option<Time>,
}

/// The input of `unbanUser`.
#[derive(Clone, Debug, InputObject)]
pub struct UnbanUserInput {
    /// The user to unban.
    pub user_id: UserId,
}

/// A ban that is in force.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct Ban {
    /// The reason, as reported to the user.
    pub reason: String,
    /// When the user was banned.
    pub started_at: DateTime<Utc>,
    /// When the ban ends by itself; null if it is permanent.
    pub ends_at: Option<DateTime<Utc>>,
}

impl Ban {
    /// Returns the ban of `user` that is in force at `now`.
    pub fn of(user: &User, now: DateTime<Utc>) -> Option<Ban> {
        let started_at = user.banned_at.filter(|_| user.is_banned(now))?;
        Some(Ban { reason: user.ban_reason.clone().unwrap_or_default(), started_at, ends_at: user.banned_until })
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;
    use crate::platform::auth::Role;

    #[test]
    fn a_ban_ends_at_its_end() {
        let at = |seconds| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let user = |banned_at, banned_until| User {
            id: UserId::new(Uuid::from_u128(1)),
            email: "ada@example.org".into(),
            name: "Ada".into(),
            role: Role::Student,
            role_since: None,
            created_at: at(0),
            token_version: 0,
            banned_at,
            banned_until,
            ban_reason: Some("Spam".into()),
            locale: None,
            time_zone: None,
            avatar_id: None,
            updated_at: DateTime::UNIX_EPOCH,
            deletion_due_at: None,
            deleted_at: None,
        };
        for (case, user, now, banned) in [
            ("never banned", user(None, None), 50, false),
            ("for good", user(Some(at(10)), None), 1_000_000, true),
            ("until later", user(Some(at(10)), Some(at(100))), 99, true),
            ("until now", user(Some(at(10)), Some(at(100))), 100, false),
            ("until earlier", user(Some(at(10)), Some(at(100))), 101, false),
        ] {
            assert_eq!(user.is_banned(at(now)), banned, "{case}");
            assert_eq!(Ban::of(&user, at(now)).is_some(), banned, "{case}");
        }
    }
}
