//! Who may do what with videos.

use crate::platform::auth::{Actor, Role};

/// Those who teach upload.
pub(super) fn can_upload(actor: &Actor) -> bool {
    actor.has(Role::Instructor)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_table() {
        let user = |role| Actor::User {
            id: Uuid::from_u128(1),
            role,
            session: Uuid::nil(),
            version: 0,
            expires_at: DateTime::<Utc>::MAX_UTC,
            scopes: None,
        };
        for (actor, uploads) in [
            (Actor::Anonymous, false),
            (user(Role::Student), false),
            (user(Role::Instructor), true),
            (user(Role::Admin), true),
        ] {
            assert_eq!(can_upload(&actor), uploads, "{actor:?}");
        }
    }
}
