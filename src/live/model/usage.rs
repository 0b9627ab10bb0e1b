//! The hours that users have for live sessions, and what they have used of them.

use async_graphql::Enum;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;

use crate::accounts::UserId;
use crate::platform::db::schema::live_usage;

/// The share of the hours from which on a member is warned, in percent.
const NEARLY_USED: i64 = 80;

/// What a user may attend per month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::live) struct Allowance {
    /// The minutes per month.
    pub(in crate::live) minutes: i32,
    /// Since when the membership is of its plan; `None` if the minutes are free.
    pub(in crate::live) since: Option<DateTime<Utc>>,
}

/// The minutes of a user in a month: a row of the ledger, or what it would be.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, QueryableByName, Selectable, Insertable)]
#[diesel(table_name = live_usage, check_for_backend(diesel::pg::Pg))]
pub struct Usage {
    /// The user.
    pub user_id: UserId,
    /// The first day of the month.
    pub month: NaiveDate,
    /// The minutes that the membership gives.
    pub allowed_minutes: i32,
    /// The minutes that were left of the month before.
    pub rolled_over_minutes: i32,
    /// The minutes of seats in sessions that are not settled.
    pub held_minutes: i32,
    /// The minutes of sessions that the user attended.
    pub attended_minutes: i32,
    /// The number of sessions that the user attended.
    pub sessions_attended: i32,
    /// The number of sessions in which the user had a seat and was not there.
    pub sessions_missed: i32,
    /// When the user entered the latest of them.
    pub last_attended_at: Option<DateTime<Utc>>,
}

impl Usage {
    /// A month in which nothing was used.
    pub fn empty(user: UserId, month: NaiveDate) -> Usage {
        Usage {
            user_id: user,
            month,
            allowed_minutes: 0,
            rolled_over_minutes: 0,
            held_minutes: 0,
            attended_minutes: 0,
            sessions_attended: 0,
            sessions_missed: 0,
            last_attended_at: None,
        }
    }

    /// Adopts what the membership gives in the month, which begins at `start`. Nothing is taken away from the month in
    /// which the plan was changed, so that fewer hours count from the next month on, and no seat is lost by it.
    #[must_use]
    pub(in crate::live) fn with_allowance(self, allowance: Option<Allowance>, start: DateTime<Utc>) -> Usage {
        let minutes = allowance.map_or(0, |allowance| allowance.minutes);
        let is_of_change = allowance.and_then(|allowance| allowance.since).is_some_and(|since| since >= start);
        let spent = self.held_minutes + self.attended_minutes - self.rolled_over_minutes;
        let least = if is_of_change { self.allowed_minutes } else { spent };
        Usage { allowed_minutes: minutes.max(least), ..self }
    }

    /// All minutes of the month.
    pub fn total(&self) -> i32 {
        self.allowed_minutes + self.rolled_over_minutes
    }

    /// The minutes that are neither held nor attended.
    pub fn remaining(&self) -> i32 {
        self.total() - self.held_minutes - self.attended_minutes
    }

    /// How much is left, in words.
    pub fn warning(&self) -> UsageWarning {
        let (spent, total) = (i64::from(self.held_minutes) + i64::from(self.attended_minutes), i64::from(self.total()));
        match total {
            0 => UsageWarning::None,
            _ if spent >= total => UsageWarning::UsedUp,
            _ if spent * 100 >= total * NEARLY_USED => UsageWarning::NearlyUsed,
            _ => UsageWarning::None,
        }
    }
}

/// The hours of a user in a month, with what their membership allows at a time in it.
#[derive(Clone, Debug)]
pub(in crate::live) struct Hours {
    /// The month.
    pub(in crate::live) usage: Usage,
    /// What the membership allows; `None` if there is no membership, and nothing is free.
    pub(in crate::live) allowance: Option<Allowance>,
}

/// Whether the hours of a month are running out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Enum)]
pub enum UsageWarning {
    /// Less than 80 % are held or attended.
    None,
    /// At least 80 % are held or attended.
    NearlyUsed,
    /// None are left.
    UsedUp,
}

/// Minutes as hours: 90 is 1.5. Rounded to two decimals.
pub(in crate::live) fn hours(minutes: impl Into<Decimal>) -> Decimal {
    let minutes: Decimal = minutes.into();
    (minutes / Decimal::from(60)).round_dp(2).normalize()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn usage(allowed: i32, held: i32, attended: i32) -> Usage {
        let empty = Usage::empty(UserId::new(uuid::Uuid::nil()), NaiveDate::default());
        Usage { allowed_minutes: allowed, held_minutes: held, attended_minutes: attended, ..empty }
    }

    #[test]
    fn hours_are_decimals() {
        for (minutes, text) in [(0, "0"), (30, "0.5"), (45, "0.75"), (60, "1"), (150, "2.5"), (600, "10"), (20, "0.33")]
        {
            assert_eq!(hours(minutes).to_string(), text);
        }
    }

    #[test]
    fn a_member_is_warned_at_80_percent_and_at_the_end() {
        for (usage, warning, remaining) in [
            (usage(0, 0, 0), UsageWarning::None, 0),
            (usage(240, 60, 60), UsageWarning::None, 120),
            (usage(300, 120, 119), UsageWarning::None, 61),
            (usage(300, 120, 120), UsageWarning::NearlyUsed, 60),
            (usage(240, 60, 180), UsageWarning::UsedUp, 0),
        ] {
            assert_eq!((usage.warning(), usage.remaining()), (warning, remaining), "{usage:?}");
        }
    }

    #[test]
    fn a_change_of_plan_takes_nothing_from_its_month() {
        let start: DateTime<Utc> = "2026-11-01T00:00:00Z".parse().unwrap();
        let (earlier, within) = (start - TimeDelta::seconds(1), start);
        for (usage, minutes, since, total) in [
            (usage(240, 0, 0), 480, within, 480),
            (usage(480, 0, 0), 240, within, 480),
            (usage(240, 0, 0), 480, earlier, 480),
            (usage(480, 60, 0), 240, earlier, 240),
            (usage(480, 300, 0), 240, earlier, 300),
        ] {
            let plan = Allowance { minutes, since: Some(since) };
            assert_eq!(usage.clone().with_allowance(Some(plan), start).total(), total, "{usage:?} {plan:?}");
        }
        let free = Allowance { minutes: 60, since: None };
        assert_eq!(usage(240, 0, 0).with_allowance(Some(free), start).total(), 60);
        assert_eq!(usage(240, 60, 30).with_allowance(None, start).total(), 90);
    }
}
