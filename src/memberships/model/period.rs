//! Periods of memberships: what is charged, when, and what is left of it.

use chrono::{DateTime, Months, TimeDelta, Utc};
use chrono_tz::Tz;
use croner::Cron;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::membership::MembershipId;
use super::plan::{BillingInterval, PlanPriceId};
use crate::graphql::{Entity, Id};
use crate::platform::clock::local_instant;
use crate::platform::db::schema::membership_periods;
use crate::platform::db::stored_as_text;

/// How long before the charge of a quarter or a year, and before the end of a trial, the member is reminded.
const REMINDER: TimeDelta = TimeDelta::days(7);
/// The longest part of a trial that may be left when the member is reminded, as a divisor of its length.
const OF_TRIAL: i32 = 2;

/// A period's id.
pub type PeriodId = Id<Period>;

/// A period of a membership, which is paid by an order.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = membership_periods, check_for_backend(diesel::pg::Pg))]
pub struct Period {
    /// The id.
    pub id: PeriodId,
    /// The membership.
    pub membership_id: MembershipId,
    /// The number; the first is 1.
    pub number: i32,
    /// Why it is charged.
    pub reason: PeriodReason,
    /// The price.
    pub plan_price_id: PlanPriceId,
    /// What has become of it.
    pub state: PeriodState,
    /// The price without credit, in minor units.
    pub price_minor: i64,
    /// What credit pays of it, in minor units.
    pub credit_minor: i64,
    /// What credit is left then, in minor units.
    pub credit_left_minor: i64,
    /// What the member has paid, without tax that is added to prices, in minor units.
    pub paid_minor: i64,
    /// When it starts; `None` until it is paid.
    pub starts_at: Option<DateTime<Utc>>,
    /// When it ends; `None` until it is paid.
    pub ends_at: Option<DateTime<Utc>>,
    /// When it was ordered.
    pub created_at: DateTime<Utc>,
}

impl Entity for Period {
    const PREFIX: &'static str = "membership_period";
}

impl Period {
    /// What its order costs before coupon and tax, in minor units.
    pub fn charged_minor(&self) -> i64 {
        self.price_minor - self.credit_minor
    }
}

/// A period to insert.
#[derive(Insertable)]
#[diesel(table_name = membership_periods)]
pub(crate) struct NewPeriod {
    pub id: PeriodId,
    pub membership_id: MembershipId,
    pub number: i32,
    pub(crate) reason: PeriodReason,
    pub plan_price_id: PlanPriceId,
    pub(crate) state: PeriodState,
    pub(crate) price_minor: i64,
    pub credit_minor: i64,
    pub(crate) credit_left_minor: i64,
    pub created_at: DateTime<Utc>,
}

/// Why a period is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum PeriodReason {
    /// The membership begins.
    Start,
    /// The membership begins with a trial, which costs nothing.
    Trial,
    /// The period before it ends.
    Renewal,
    /// The member has changed the price in the middle of a period.
    Change,
}

stored_as_text!(PeriodReason { Start = "START", Trial = "TRIAL", Renewal = "RENEWAL", Change = "CHANGE" });

/// What has become of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum PeriodState {
    /// It is ordered.
    Open,
    /// It is paid.
    Paid,
    /// It was not paid.
    Void,
    /// It was refunded in full or charged back.
    Revoked,
}

stored_as_text!(PeriodState { Open = "OPEN", Paid = "PAID", Void = "VOID", Revoked = "REVOKED" });

/// Returns the end of the `count`th interval after `anchor`, in a time zone.
///
/// The day of the month is that of the anchor, or the last one of a shorter month. A local time that daylight saving
/// time skips is an hour later; of one that comes twice, it is the first.
pub(crate) fn end_of_interval(anchor: DateTime<Utc>, interval: BillingInterval, count: i32, zone: Tz) -> DateTime<Utc> {
    let months = interval.months().saturating_mul(count.unsigned_abs());
    let local = anchor.with_timezone(&zone).naive_local();
    let Some(end) = local.checked_add_months(Months::new(months)) else { return DateTime::<Utc>::MAX_UTC };
    local_instant(end, zone)
}

/// Returns when the period after one that ends at `end` is charged: at the first time of `cron` in the 24 hours before,
/// or at its end if there is none.
pub(crate) fn billing_time(end: DateTime<Utc>, cron: Option<&Cron>, zone: Tz) -> DateTime<Utc> {
    let from = (end - TimeDelta::days(1)).with_timezone(&zone);
    let first = cron.and_then(|cron| cron.find_next_occurrence(&from, true).ok());
    first.map(|at| at.to_utc()).filter(|at| *at <= end).unwrap_or(end)
}

/// Returns when a member is reminded of the charge at `billing`, of a period that began at `start`; `None` for months, of
/// which members are not reminded.
pub(crate) fn reminder_time(
    start: DateTime<Utc>,
    billing: DateTime<Utc>,
    reason: PeriodReason,
    interval: BillingInterval,
) -> Option<DateTime<Utc>> {
    match (reason, interval) {
        (PeriodReason::Trial, _) => Some(billing - REMINDER.min((billing - start) / OF_TRIAL)),
        (_, BillingInterval::Month) => None,
        (_, BillingInterval::Quarter | BillingInterval::Year) => Some(billing - REMINDER),
    }
}

/// Returns when a renewal that has failed so many times since `first` is tried again; `None` if it is not.
///
/// `days` are the days after the first failure on which it is tried.
pub(crate) fn next_attempt(first: DateTime<Utc>, failures: i16, days: &[u32]) -> Option<DateTime<Utc>> {
    let day = days.get(usize::try_from(failures).ok()?.checked_sub(1)?)?;
    Some(first + TimeDelta::days(i64::from(*day)))
}

/// Returns the part of `value` that is left at `now` of the time from `start` to `end`, by the second, rounded down.
pub(crate) fn remaining(value: i64, (start, end): (DateTime<Utc>, DateTime<Utc>), now: DateTime<Utc>) -> i64 {
    let whole = (end - start).num_seconds();
    let left = (end - now).num_seconds().clamp(0, whole.max(0));
    if whole <= 0 {
        return 0;
    }
    i64::try_from(i128::from(value) * i128::from(left) / i128::from(whole)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    #[test]
    fn a_period_ends_on_the_day_of_the_month_on_which_it_began() {
        use BillingInterval::{Month, Quarter, Year};
        let zurich = chrono_tz::Europe::Zurich;
        for (anchor, interval, count, zone, end) in [
            ("2026-01-31T12:00:00Z", Month, 1, Tz::UTC, "2026-02-28T12:00:00Z"),
            ("2026-01-31T12:00:00Z", Month, 2, Tz::UTC, "2026-03-31T12:00:00Z"),
            ("2026-01-31T12:00:00Z", Quarter, 1, Tz::UTC, "2026-04-30T12:00:00Z"),
            ("2028-02-29T12:00:00Z", Year, 1, Tz::UTC, "2029-02-28T12:00:00Z"),
            ("2028-02-29T12:00:00Z", Year, 4, Tz::UTC, "2032-02-29T12:00:00Z"),
            // Local time stays the same over daylight saving time; 02:30 does not exist on the day of the change.
            ("2026-03-01T11:00:00Z", Month, 1, zurich, "2026-04-01T10:00:00Z"),
            ("2026-02-28T01:30:00Z", Month, 1, zurich, "2026-03-28T01:30:00Z"),
            ("2026-01-29T01:30:00Z", Month, 2, zurich, "2026-03-29T01:30:00Z"),
            // The last hour of a month in the zone is in the next month elsewhere.
            ("2026-01-31T23:30:00Z", Month, 1, zurich, "2026-02-28T23:30:00Z"),
        ] {
            assert_eq!(end_of_interval(at(anchor), interval, count, zone), at(end), "{anchor} {interval:?} {count}");
        }
    }

    #[test]
    fn the_next_period_is_charged_on_the_last_day_when_the_plan_says() {
        let end = at("2026-03-15T10:00:00Z");
        for (cron, zone, charged) in [
            (None, Tz::UTC, "2026-03-15T10:00:00Z"),
            (Some("0 6 * * *"), Tz::UTC, "2026-03-15T06:00:00Z"),
            (Some("0 18 * * *"), Tz::UTC, "2026-03-14T18:00:00Z"),
            (Some("0 6 * * *"), chrono_tz::Europe::Zurich, "2026-03-15T05:00:00Z"),
            // Not on that day.
            (Some("0 6 1 * *"), Tz::UTC, "2026-03-15T10:00:00Z"),
        ] {
            let cron: Option<Cron> = cron.map(|text| text.parse().unwrap());
            assert_eq!(billing_time(end, cron.as_ref(), zone), at(charged), "{zone}");
        }
    }

    #[test]
    fn members_are_reminded_of_a_charge_that_they_may_have_forgotten() {
        use BillingInterval::{Month, Quarter, Year};
        let start = at("2026-01-01T00:00:00Z");
        let after = |days| start + TimeDelta::days(days);
        for (reason, interval, days, reminded) in [
            (PeriodReason::Start, Month, 31, None),
            (PeriodReason::Renewal, Quarter, 90, Some(83)),
            (PeriodReason::Change, Year, 365, Some(358)),
            (PeriodReason::Trial, Month, 30, Some(23)),
            (PeriodReason::Trial, Year, 2, Some(1)),
        ] {
            assert_eq!(reminder_time(start, after(days), reason, interval), reminded.map(after), "{reason:?}");
        }
    }

    #[test]
    fn a_renewal_is_tried_on_the_days_after_its_first_failure() {
        let first = at("2026-01-01T06:00:00Z");
        for (failures, day) in [(0, None), (1, Some(1)), (2, Some(3)), (3, Some(5)), (4, None)] {
            assert_eq!(next_attempt(first, failures, &[1, 3, 5]), day.map(|day| first + TimeDelta::days(day)));
        }
        assert_eq!(next_attempt(first, 1, &[]), None);
    }

    #[test]
    fn what_is_left_of_a_period_is_counted_by_the_second_and_rounded_down() {
        let (start, end) = (at("2026-01-01T00:00:00Z"), at("2026-01-31T00:00:00Z"));
        for (now, left) in [
            ("2025-12-31T00:00:00Z", 3000),
            ("2026-01-01T00:00:00Z", 3000),
            ("2026-01-16T00:00:00Z", 1500),
            ("2026-01-30T23:59:59Z", 0),
            ("2026-02-01T00:00:00Z", 0),
        ] {
            assert_eq!(remaining(3000, (start, end), at(now)), left, "{now}");
        }
        assert_eq!(remaining(3000, (start, start), start), 0);
        assert_eq!(remaining(i64::MAX, (start, end), start), i64::MAX);
    }
}
