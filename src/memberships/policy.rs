//! Authorization rules of plans and memberships.

use super::error;
use super::model::Plan;
use crate::accounts::{UserId, can_see_private};
use crate::graphql::Error;
use crate::platform::auth::{Actor, Role};
use crate::platform::payments::google_play::Subscription;

/// Whether the actor may manage a plan: administrators may, and who may edit its course (`edits`).
pub(crate) fn can_manage(actor: &Actor, edits: bool) -> bool {
    actor.has(Role::Admin) || edits
}

/// Whether the actor sees a plan: archived ones are for those who may manage it. Members see theirs by their membership.
pub fn can_see_plan(plan: &Plan, manages: bool) -> bool {
    plan.archived_at.is_none() || manages
}

/// Whether the actor may see a membership: the member and administrators may.
pub fn can_see(actor: &Actor, member: UserId) -> bool {
    can_see_private(actor, member)
}

/// Why a purchase on Google Play cannot be a user's; `None` if it can. Testers pay nothing, and an app may have named
/// another user to Google.
pub(crate) fn refusal(user: UserId, read: &Subscription, is_production: bool) -> Option<Error> {
    if read.is_test && is_production {
        return Some(error::test_purchase());
    }
    let is_of_another = read.app_account.as_deref().is_some_and(|account| account != user.encode());
    is_of_another.then(error::purchase_taken)
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
            max_extra_hours: None,
            family_size: None,
            family_member_minutes: None,
            renewal_cron: None,
            created_at: DateTime::UNIX_EPOCH,
            archived_at: None,
        };
        assert!(can_see_plan(&plan, false));
        let archived = Plan { archived_at: Some(DateTime::UNIX_EPOCH), ..plan };
        assert!(!can_see_plan(&archived, false) && can_see_plan(&archived, true));
    }

    #[test]
    fn purchases_of_testers_and_of_other_users_are_refused() {
        use crate::platform::payments::google_play::SubscriptionState;
        let user = UserId::new(Uuid::from_u128(1));
        let (own, other) = (user.encode(), UserId::new(Uuid::from_u128(2)).encode());
        for (is_test, account, in_production, in_development) in [
            (false, None, true, true),
            (true, None, false, true),
            (false, Some(&own), true, true),
            (false, Some(&other), false, false),
        ] {
            let read = Subscription {
                state: SubscriptionState::Active,
                product: "basic".into(),
                base_plan: None,
                order: None,
                expires_at: None,
                country: None,
                renews: true,
                linked_token: None,
                is_acknowledged: false,
                app_account: account.cloned(),
                is_test,
            };
            assert_eq!(refusal(user, &read, true).is_none(), in_production, "{read:?}");
            assert_eq!(refusal(user, &read, false).is_none(), in_development, "{read:?}");
        }
    }
}
