//! Authorization rules of channels.

use super::model::Channel;
use crate::accounts::UserId;
use crate::platform::auth::{Actor, Role};

/// Whether the actor may create channels: instructors and administrators may.
pub(crate) fn can_create(actor: &Actor) -> bool {
    actor.has(Role::Instructor)
}

/// Whether the actor may change a channel.
///
/// Its owner may, as long as they are an instructor, and administrators may.
pub(crate) fn can_edit(actor: &Actor, channel: &Channel) -> bool {
    (actor.has(Role::Instructor) && actor.is(channel.owner_id)) || actor.has(Role::Admin)
}

/// Whether the actor may remove a member: those who may change the channel, and the member.
pub(crate) fn can_remove(actor: &Actor, channel: &Channel, member: UserId) -> bool {
    can_edit(actor, channel) || actor.is(member)
}

/// Whether the actor may know which addresses are registered: administrators may.
pub(crate) fn can_see_addresses(actor: &Actor) -> bool {
    actor.has(Role::Admin)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use uuid::Uuid;

    use super::*;
    use crate::graphql::Id;

    #[test]
    fn the_table() {
        let user = |id| Id::new(Uuid::from_u128(id));
        let actor = |id: u128, role| Actor::User {
            id: Uuid::from_u128(id),
            role,
            session: Uuid::nil(),
            version: 0,
            expires_at: DateTime::<Utc>::MAX_UTC,
            scopes: None,
        };
        let channel = Channel {
            id: Id::new(Uuid::from_u128(10)),
            slug: "ada".into(),
            name: "Ada".into(),
            description: String::new(),
            owner_id: user(1),
            is_default: false,
            members_edit: false,
            version: 1,
            created_at: DateTime::UNIX_EPOCH,
            image_id: None,
        };
        // who, creates, edits, removes member 2
        for (who, actor, creates, edits, removes) in [
            ("anonymous", Actor::Anonymous, false, false, false),
            ("a student", actor(3, Role::Student), false, false, false),
            ("its owner", actor(1, Role::Instructor), true, true, true),
            ("its owner, now a student", actor(1, Role::Student), false, false, false),
            ("the member", actor(2, Role::Instructor), true, false, true),
            ("another instructor", actor(4, Role::Instructor), true, false, false),
            ("an administrator", actor(5, Role::Admin), true, true, true),
        ] {
            assert_eq!(can_create(&actor), creates, "{who}");
            assert_eq!(can_edit(&actor, &channel), edits, "{who}");
            assert_eq!(can_remove(&actor, &channel, user(2)), removes, "{who}");
        }
    }
}
