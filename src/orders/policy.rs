//! Authorization rules of orders, and whether something is owned.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::model::Coupon;
use crate::accounts::{User, UserId, can_see_private};
use crate::entitlements::{Entitlement, Source};
use crate::graphql::money::CurrencyCode;
use crate::platform::auth::{Actor, Role};

/// Whether the actor may see an order: its buyer and administrators may.
pub fn can_see(actor: &Actor, buyer: UserId) -> bool {
    can_see_private(actor, buyer)
}

/// Whether the actor may list all orders and refund them: administrators may.
pub fn can_manage(actor: &Actor) -> bool {
    actor.has(Role::Admin)
}

/// Whether the actor may see what a channel earns: its owner and administrators may.
pub fn can_see_earnings(actor: &Actor, owner: UserId) -> bool {
    can_see_private(actor, owner)
}

/// Whether a user who has asked for a table of it before may still see what a channel earns: see [`can_see_earnings`].
pub(crate) fn still_sees_earnings(user: &User, owner: UserId) -> bool {
    user.id == owner || user.role == Role::Admin
}

/// Whether a user has a course for good, so that buying it would be a mistake.
///
/// `ledger` has all entitlements of the user that may cover the course. Access that ends, or that is part of something
/// larger, is no reason not to buy the course.
pub(crate) fn owns(ledger: &[Entitlement], course: Uuid, now: DateTime<Utc>) -> bool {
    ledger.iter().any(|row| {
        row.course_id == Some(course)
            && row.is_active(now)
            && row.expires_at.is_none()
            && matches!(row.source, Source::Purchase | Source::Gift | Source::Grant | Source::Free)
    })
}

/// Whether a coupon is valid now, for orders in a currency.
///
/// # Errors
/// Why it is not.
pub(crate) fn is_valid(coupon: &Coupon, currency: CurrencyCode, now: DateTime<Utc>) -> Result<(), &'static str> {
    if coupon.archived_at.is_some() || coupon.ends_at.is_some_and(|end| end <= now) {
        return Err("This coupon is not valid anymore.");
    }
    if coupon.starts_at.is_some_and(|start| now < start) {
        return Err("This coupon is not valid yet.");
    }
    if coupon.currency.is_some_and(|own| own != currency) {
        return Err("This coupon is for another currency.");
    }
    Ok(())
}

/// Whether a coupon that so many orders of all, and of the buyer, use can be used once more.
///
/// # Errors
/// Why it cannot.
pub(crate) fn has_uses_left(coupon: &Coupon, (all, own): (i64, i64)) -> Result<(), &'static str> {
    if coupon.max_uses.is_some_and(|most| all >= i64::from(most)) {
        return Err("This coupon has been used up.");
    }
    if coupon.max_uses_per_user.is_some_and(|most| own >= i64::from(most)) {
        return Err("You have used this coupon already.");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::entitlements::{EndReason, Scope};
    use crate::graphql::Id;

    #[test]
    fn a_coupon_has_a_window_a_currency_and_limits() {
        let at = |day| DateTime::UNIX_EPOCH + TimeDelta::days(day);
        let (euro, dollar) = (CurrencyCode::parse("EUR").unwrap(), CurrencyCode::USD);
        let coupon = Coupon {
            id: Id::new(Uuid::nil()),
            code: "SPRING".into(),
            percent: None,
            amount_minor: Some(500),
            currency: Some(euro),
            starts_at: Some(at(1)),
            ends_at: Some(at(3)),
            max_uses: Some(2),
            max_uses_per_user: Some(1),
            created_at: at(0),
            archived_at: None,
        };
        for (what, coupon, currency, day, valid) in [
            ("too early", coupon.clone(), euro, 0, false),
            ("from now on", coupon.clone(), euro, 1, true),
            ("until now", coupon.clone(), euro, 3, false),
            ("another currency", coupon.clone(), dollar, 1, false),
            ("archived", Coupon { archived_at: Some(at(0)), ..coupon.clone() }, euro, 1, false),
            ("percents", Coupon { percent: Some(5), currency: None, ..coupon.clone() }, dollar, 1, true),
        ] {
            assert_eq!(is_valid(&coupon, currency, at(day)).is_ok(), valid, "{what}");
        }
        for (uses, left) in [((0, 0), true), ((1, 0), true), ((1, 1), false), ((2, 0), false)] {
            assert_eq!(has_uses_left(&coupon, uses).is_ok(), left, "{uses:?}");
        }
        let unlimited = Coupon { max_uses: None, max_uses_per_user: None, ..coupon };
        assert!(has_uses_left(&unlimited, (1_000_000, 1_000_000)).is_ok());
    }

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
