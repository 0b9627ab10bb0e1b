//! Who may see and do what with accounts.

use super::model::{User, UserId};
use crate::graphql::UserErrorCode;
use crate::platform::auth::{Actor, Role};

const SHORTEST_PASSWORD: usize = 10;
const LONGEST_PASSWORD: usize = 200;

/// What a password must be like.
///
/// # Errors
/// What is wrong with it.
pub(super) fn password(password: &str) -> Result<(), (UserErrorCode, String)> {
    let length = password.chars().count();
    if length < SHORTEST_PASSWORD {
        let message = format!("The password has {length} characters; at least {SHORTEST_PASSWORD} are needed.");
        return Err((UserErrorCode::TooShort, message));
    }
    if length > LONGEST_PASSWORD {
        let message = format!("The password has {length} characters; at most {LONGEST_PASSWORD} are allowed.");
        return Err((UserErrorCode::TooLong, message));
    }
    Ok(())
}

/// Whether this can be anybody's password. A longer one is not worth the work of hashing it.
pub(super) fn can_be_password(password: &str) -> bool {
    password.chars().count() <= LONGEST_PASSWORD
}

/// An address is its owner's and the administrators' business.
pub(super) fn can_see_email(actor: &Actor, user: &User) -> bool {
    actor.is(user.id) || actor.has(Role::Admin)
}

/// Only administrators appoint.
pub(super) fn can_change_role(actor: &Actor) -> bool {
    actor.has(Role::Admin)
}

/// Only administrators help somebody who has lost a second factor; nobody gets rid of their own without it.
pub(super) fn can_reset_second_factor(actor: &Actor, user: UserId) -> bool {
    actor.has(Role::Admin) && !actor.is(user)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use uuid::Uuid;

    use super::*;
    use crate::accounts::UserId;

    fn actor(id: u128, role: Role) -> Actor {
        let id = Uuid::from_u128(id);
        Actor::User { id, role, session: Uuid::nil(), version: 0, expires_at: DateTime::<Utc>::MAX_UTC }
    }

    #[test]
    fn the_table() {
        let user = User {
            id: UserId::new(Uuid::from_u128(1)),
            email: "ada@example.org".into(),
            name: "Ada".into(),
            role: Role::Student,
            created_at: DateTime::UNIX_EPOCH,
            token_version: 0,
            banned_at: None,
            banned_until: None,
            ban_reason: None,
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
