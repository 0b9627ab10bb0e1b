//! Authorization rules of plans and memberships.

use super::model::Plan;
use crate::accounts::{UserId, can_see_private};
use crate::platform::auth::{Actor, Role};

/// Whether the actor may manage a plan: administrators may, and who may edit its course (`edits`).
pub(super) fn can_manage(actor: &Actor, edits: bool) -> bool {
    actor.has(Role::Admin) || edits
}

/// Whether the actor sees a plan: archived ones are for those who may manage it. Members see theirs by their membership.
pub(super) fn can_see_plan(plan: &Plan, manages: bool) -> bool {
    plan.archived_at.is_none() || manages
}

/// Whether the actor may see a membership: the member and administrators may.
pub(super) fn can_see(actor: &Actor, member: UserId) -> bool {
    can_see_private(actor, member)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use uuid::Uuid;

    use super::*;
    use crate::memberships::model::{PlanId, PlanKind};

    fn actor(id: u128, role: Role) -> Actor {
        let id = Uuid::from_u128(id);
        Actor::User { id, role, session: Uuid::nil(), version: 0, expires_at: DateTime::<Utc>::MAX_UTC, scopes: None }
    }

    #[test]
    fn administrators_manage_plans_and_a_course_s_team_those_for_it() {
        let member = UserId::new(Uuid::from_u128(1));
        for (who, edits, manages, sees) in [
            (Actor::Anonymous, false, false, false),
            (actor(1, Role::Student), false, false, true),
            (actor(2, Role::Instructor), false, false, false),
            (actor(2, Role::Instructor), true, true, false),
            (actor(3, Role::Admin), false, true, true),
        ] {
            assert_eq!(can_manage(&who, edits), manages, "{who:?}");
            assert_eq!(can_see(&who, member), sees, "{who:?}");
        }
    }

    #[test]
    fn archived_plans_are_for_those_who_manage_them() {
        let plan = Plan {
            id: PlanId::new(Uuid::nil()),
            slug: "all".into(),
            name: "All".into(),
            description: String::new(),
            kind: PlanKind::AllAccess,
            course_id: None,
            category_id: None,
            live_minutes_per_month: None,
            rollover_minutes: None,
            renewal_cron: None,
            created_at: DateTime::UNIX_EPOCH,
            archived_at: None,
        };
        assert!(can_see_plan(&plan, false));
        let archived = Plan { archived_at: Some(DateTime::UNIX_EPOCH), ..plan };
        assert!(!can_see_plan(&archived, false) && can_see_plan(&archived, true));
    }
}
