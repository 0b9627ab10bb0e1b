//! Who may see and do what with accounts.

use super::model::User;
use crate::platform::auth::{Actor, Role};

/// An address is its owner's and the administrators' business.
pub(super) fn can_see_email(actor: &Actor, user: &User) -> bool {
    actor.is(user.id) || actor.has(Role::Admin)
}

/// Only administrators appoint.
pub(super) fn can_change_role(actor: &Actor) -> bool {
    actor.has(Role::Admin)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use uuid::Uuid;

    use super::*;
    use crate::accounts::UserId;

    fn actor(id: u128, role: Role) -> Actor {
        Actor::User { id: Uuid::from_u128(id), role, expires_at: DateTime::<Utc>::MAX_UTC }
    }

    #[test]
    fn the_table() {
        let user = User {
            id: UserId::new(Uuid::from_u128(1)),
            email: "ada@example.org".into(),
            name: "Ada".into(),
            role: Role::Student,
            created_at: DateTime::UNIX_EPOCH,
        };
        for (who, actor, sees_email, changes_role) in [
            ("anonymous", Actor::Anonymous, false, false),
            ("herself", actor(1, Role::Student), true, false),
            ("another student", actor(2, Role::Student), false, false),
            ("an instructor", actor(2, Role::Instructor), false, false),
            ("an administrator", actor(2, Role::Admin), true, true),
        ] {
            assert_eq!(can_see_email(&actor, &user), sees_email, "{who}");
            assert_eq!(can_change_role(&actor), changes_role, "{who}");
        }
    }
}
