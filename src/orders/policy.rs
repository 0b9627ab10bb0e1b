//! Authorization rules of orders, and whether something is owned.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::accounts::{UserId, can_see_private};
use crate::entitlements::{Entitlement, Source};
use crate::platform::auth::{Actor, Role};

/// Whether the actor may see an order: its buyer and administrators may.
pub(super) fn can_see(actor: &Actor, buyer: UserId) -> bool {
    can_see_private(actor, buyer)
}

/// Whether the actor may list all orders and refund them: administrators may.
pub(super) fn can_manage(actor: &Actor) -> bool {
    actor.has(Role::Admin)
}

/// Whether a user has a course for good, so that buying it would be a mistake.
///
/// `ledger` has all entitlements of the user that may cover the course. Access that ends, or that is part of something
/// larger, is no reason not to buy the course.
pub(super) fn owns(ledger: &[Entitlement], course: Uuid, now: DateTime<Utc>) -> bool {
    ledger.iter().any(|row| {
        row.course_id == Some(course)
            && row.is_active(now)
            && row.expires_at.is_none()
            && matches!(row.source, Source::Purchase | Source::Gift | Source::Grant | Source::Free)
    })
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::entitlements::{EndReason, Scope};
    use crate::graphql::Id;

    #[test]
    fn what_a_user_has_for_good_is_not_sold_to_them() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(9);
        let course = Uuid::from_u128(1);
        let row = |source| Entitlement {
            id: Id::new(Uuid::from_u128(2)),
            user_id: Id::new(Uuid::from_u128(3)),
            scope: Scope::Course,
            course_id: Some(course),
            category_id: None,
            source,
            starts_at: DateTime::UNIX_EPOCH,
            expires_at: None,
            ended_at: None,
            end_reason: None,
            note: String::new(),
            granted_by: None,
        };
        let refunded =
            Entitlement { ended_at: Some(now), end_reason: Some(EndReason::Refunded), ..row(Source::Purchase) };
        let for_a_week = Entitlement { expires_at: Some(now + TimeDelta::days(7)), ..row(Source::Grant) };
        let elsewhere = Entitlement { course_id: Some(Uuid::from_u128(4)), ..row(Source::Purchase) };
        let category =
            Entitlement { scope: Scope::Category, course_id: None, category_id: Some(course), ..row(Source::Grant) };
        for (what, ledger, owned) in [
            ("nothing", vec![], false),
            ("bought", vec![row(Source::Purchase)], true),
            ("a gift", vec![row(Source::Gift)], true),
            ("granted", vec![row(Source::Grant)], true),
            ("was free", vec![row(Source::Free)], true),
            ("a membership", vec![row(Source::Membership)], false),
            ("refunded", vec![refunded.clone()], false),
            ("bought again", vec![refunded, row(Source::Purchase)], true),
            ("for a week", vec![for_a_week], false),
            ("another course", vec![elsewhere], false),
            ("a category", vec![category], false),
        ] {
            assert_eq!(owns(&ledger, course, now), owned, "{what}");
        }
    }
}
