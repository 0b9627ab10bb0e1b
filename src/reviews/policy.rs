//! Authorization rules of reviews.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::discussions::Rights;
use crate::entitlements::{EndReason, Entitlement};

/// Whether the user may review a course: those who are entitled to it may, but not its team.
pub(crate) fn can_review(rights: &Rights) -> bool {
    rights.writes && !rights.is_team
}

/// Whether the user's access to a course was refunded and has not returned, so that their stars do not count.
///
/// `ledger` has all entitlements of the user that may cover the course; `category_path` is that of the course. What
/// counts is the access that ended last: whose membership expired after a purchase was refunded had access until then.
pub(crate) fn is_refunded(ledger: &[Entitlement], course: Uuid, category_path: &[Uuid], now: DateTime<Utc>) -> bool {
    let rows = || ledger.iter().filter(|row| row.covers(course, category_path));
    if rows().any(|row| row.is_active(now)) {
        return false;
    }
    let end = |row: &&Entitlement| row.ended_at.into_iter().chain(row.expires_at).min();
    rows().max_by_key(end).is_some_and(|row| row.end_reason == Some(EndReason::Refunded))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::accounts::UserId;
    use crate::entitlements::{Scope, Source};
    use crate::graphql::Id;

    const COURSE: Uuid = Uuid::from_u128(10);
    const CATEGORY: Uuid = Uuid::from_u128(20);

    fn day(number: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(number)
    }

    /// Access to the course since day 1.
    fn access() -> Entitlement {
        Entitlement {
            id: Id::new(Uuid::from_u128(30)),
            user_id: UserId::new(Uuid::from_u128(1)),
            scope: Scope::Course,
            course_id: Some(COURSE),
            category_id: None,
            source: Source::Purchase,
            starts_at: day(1),
            expires_at: None,
            ended_at: None,
            end_reason: None,
            note: String::new(),
            granted_by: None,
        }
    }

    fn ended(number: i64, reason: EndReason) -> Entitlement {
        Entitlement { ended_at: Some(day(number)), end_reason: Some(reason), ..access() }
    }

    #[test]
    fn stars_count_unless_the_access_that_ended_last_was_refunded() {
        let elsewhere = Entitlement { course_id: Some(Uuid::from_u128(11)), ..access() };
        let category = |id| Entitlement {
            scope: Scope::Category,
            course_id: None,
            category_id: Some(Uuid::from_u128(id)),
            ..access()
        };
        let everything = Entitlement { scope: Scope::Everything, course_id: None, ..access() };
        let expired = |number| Entitlement { expires_at: Some(day(number)), ..access() };
        let refunded = || ended(5, EndReason::Refunded);
        for (what, ledger, expected) in [
            ("never had access", vec![], false),
            ("has access", vec![access()], false),
            ("revoked", vec![ended(5, EndReason::Revoked)], false),
            ("expired", vec![expired(5)], false),
            ("refunded", vec![refunded()], true),
            ("bought again", vec![access(), refunded()], false),
            ("refunded again", vec![ended(8, EndReason::Refunded), refunded()], true),
            ("another course is left", vec![elsewhere, refunded()], true),
            ("the category is left", vec![category(20), refunded()], false),
            ("another category is left", vec![category(21), refunded()], true),
            ("a membership is left", vec![everything, refunded()], false),
            ("a membership expired later", vec![expired(7), refunded()], false),
            ("a membership had expired before", vec![expired(3), refunded()], true),
        ] {
            assert_eq!(is_refunded(&ledger, COURSE, &[CATEGORY], day(9)), expected, "{what}");
        }
    }

    #[test]
    fn who_is_entitled_reviews_and_the_team_does_not() {
        let viewer = Some(UserId::new(Uuid::from_u128(1)));
        for (who, writes, is_team, expected) in
            [("entitled", true, false, true), ("a reader", false, false, false), ("the team", true, true, false)]
        {
            assert_eq!(can_review(&Rights { viewer, reads: true, writes, is_team }), expected, "{who}");
        }
    }
}
