//! The hours that users have for live sessions, and what they have used of them.

use async_graphql::Enum;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;

use super::family::Pool;
use crate::accounts::UserId;
use crate::graphql::YearMonth;
use crate::platform::db::schema::live_usage;

/// The share of the hours from which on a member is warned, in percent.
const NEARLY_USED: i64 = 80;

/// What a user may attend per month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// The minutes per month.
    pub minutes: i32,
    /// The most of them that count in the next month if they are left.
    pub(crate) rollover: i32,
    /// Since when the membership is of its plan; `None` if the minutes are free, or there are none.
    pub since: Option<DateTime<Utc>>,
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
    /// The minutes that were bought for it besides.
    pub extra_minutes: i32,
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
            extra_minutes: 0,
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
    pub(crate) fn with_allowance(self, allowance: Option<Allowance>, start: DateTime<Utc>) -> Usage {
        let minutes = allowance.map_or(0, |allowance| allowance.minutes);
        let is_of_change = allowance.and_then(|allowance| allowance.since).is_some_and(|since| since >= start);
        let spent = self.held_minutes + self.attended_minutes - self.rolled_over_minutes;
        // What is spent of extra minutes is covered by them.
        let least = if is_of_change { self.allowed_minutes } else { spent.min(self.allowed_minutes) };
        Usage { allowed_minutes: minutes.max(least), ..self }
    }

    /// Adopts what is left of the month before, whose row is `before`, if there is one, and which began at `earlier`; this
    /// one began at `start`. As with [`Usage::with_allowance`], a change of the plan takes nothing away from its month,
    /// and no seat is lost.
    ///
    /// Without a row, nothing was used in the month before, and the plan was not changed in it: all its minutes are left
    /// if the membership was of its plan before this month.
    #[must_use]
    pub(crate) fn with_rollover(
        self,
        before: Option<Usage>,
        allowance: Option<Allowance>,
        (earlier, start): (DateTime<Utc>, DateTime<Utc>),
    ) -> Usage {
        let since = allowance.and_then(|allowance| allowance.since);
        let before = match before {
            // What the plan gave at its end, also if nothing was booked since the plan was changed.
            Some(row) if since.is_some_and(|since| since < start) => row.with_allowance(allowance, earlier),
            Some(row) => row,
            None => {
                let gave = allowance.filter(|_| since.is_some_and(|since| since < start));
                Usage::empty(self.user_id, self.month).with_allowance(gave, earlier)
            }
        };
        let most = allowance.map_or(0, |allowance| allowance.rollover);
        let is_of_change = since.is_some_and(|since| since >= start);
        let kept = if is_of_change { self.rolled_over_minutes } else { 0 };
        let needed = (self.held_minutes + self.attended_minutes - self.allowed_minutes).min(self.rolled_over_minutes);
        Usage { rolled_over_minutes: before.unused().min(most).max(kept).max(needed), ..self }
    }

    /// Adopts the minutes that were bought for the month, after all else. Those that were taken back and are spent stay,
    /// as far as nothing else covers them.
    #[must_use]
    pub(crate) fn with_extra(self, minutes: i32) -> Usage {
        let needed = self.held_minutes + self.attended_minutes - self.allowed_minutes - self.rolled_over_minutes;
        Usage { extra_minutes: minutes.max(needed), ..self }
    }

    /// The minutes of the month's own that are left; what was rolled over is spent first, as it expires first, and what
    /// was bought besides is spent last, so that it does not roll over.
    pub(crate) fn unused(&self) -> i32 {
        (self.remaining() - self.extra_minutes).min(self.allowed_minutes).max(0)
    }

    /// The minutes that are left of a month, but spent in those after it, to which they were rolled over; `later` are
    /// their rows, earliest first.
    pub(crate) fn lent(&self, later: &[Usage]) -> i32 {
        let followers: Vec<&Usage> = self.followers(later).collect();
        followers.iter().rev().fold(0, |lent, row| row.borrowed(lent))
    }

    /// The minutes of what was rolled over into it that are spent, here or, `lent` of its own, in later months.
    fn borrowed(&self, lent: i32) -> i32 {
        let lacks = self.held_minutes + self.attended_minutes - self.allowed_minutes + lent;
        lacks.clamp(0, self.rolled_over_minutes)
    }

    /// Takes what is spent in a month that is over from what was rolled over into those after it, whose rows are `later`,
    /// earliest first. What is spent there stays. Returns those that have changed, each as it was and as it is.
    pub(crate) fn taken_from(&self, later: &[Usage]) -> Vec<(Usage, Usage)> {
        let (mut before, mut changed) = (self.clone(), Vec::new());
        for (place, old) in self.followers(later).enumerate() {
            let spent = old.borrowed(old.lent(later.get(place + 1..).unwrap_or_default()));
            let rolled_over_minutes = old.rolled_over_minutes.min(before.unused().max(spent));
            if rolled_over_minutes == old.rolled_over_minutes {
                break;
            }
            let new = Usage { rolled_over_minutes, ..old.clone() };
            changed.push((old.clone(), new.clone()));
            before = new;
        }
        changed
    }

    /// The months after this one without a gap. Nothing was spent in a month that is missing, so that what came after it
    /// does not depend on this one.
    fn followers<'a>(&self, later: &'a [Usage]) -> impl Iterator<Item = &'a Usage> + use<'a> {
        let mut next = YearMonth::of_day(self.month).next();
        later.iter().take_while(move |row| {
            let follows = row.month == next.first_day();
            next = next.next();
            follows
        })
    }

    /// All minutes of the month.
    pub fn total(&self) -> i32 {
        self.allowed_minutes + self.rolled_over_minutes + self.extra_minutes
    }

    /// The minutes that are neither held nor attended.
    pub fn remaining(&self) -> i32 {
        self.total() - self.held_minutes - self.attended_minutes
    }

    /// What the hours of a family are for one of its users: what the others have used of them does not count. What the
    /// user has used of other hours as well, is added to them.
    #[must_use]
    pub(crate) fn of_person(self, user: UserId, (held, attended): (i32, i32)) -> Usage {
        let others = self.held_minutes + self.attended_minutes - held - attended;
        let total = self.total() - others;
        let rolled_over_minutes = self.rolled_over_minutes.min(total);
        let given = self.allowed_minutes + (-others).max(0);
        let allowed_minutes = given.min(total - rolled_over_minutes);
        Usage {
            user_id: user,
            allowed_minutes,
            rolled_over_minutes,
            extra_minutes: total - rolled_over_minutes - allowed_minutes,
            held_minutes: held,
            attended_minutes: attended,
            ..self
        }
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
pub struct Hours {
    /// The month.
    pub pool: Pool,
    /// The minutes of it that are left, but spent in the month after it, to which they were rolled over.
    pub(crate) lent: i32,
    /// What the membership allows; `None` if there is no membership, and nothing is free.
    pub(crate) allowance: Option<Allowance>,
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
pub fn hours(minutes: impl Into<Decimal>) -> Decimal {
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
    fn what_others_of_a_family_have_used_is_not_a_persons() {
        let user = UserId::new(uuid::Uuid::from_u128(1));
        for (extra_minutes, own) in [(0, [60, 60, 0]), (150, [60, 210, 0]), (240, [60, 240, 60])] {
            let shared = Usage { rolled_over_minutes: 60, extra_minutes, ..usage(240, 60, 180) };
            let found = shared.clone().of_person(user, (0, 60));
            assert_eq!((found.attended_minutes, found.remaining()), (60, shared.remaining()));
            assert_eq!([found.rolled_over_minutes, found.allowed_minutes, found.extra_minutes], own);
            assert_eq!((found.user_id, found.total()), (user, own.iter().sum::<i32>()));
        }
        // Three hours of a family, and one of their own.
        let own = usage(240, 0, 60).of_person(user, (0, 240));
        assert_eq!((own.allowed_minutes, own.extra_minutes, own.attended_minutes, own.remaining()), (420, 0, 240, 180));
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
            let plan = Allowance { minutes, rollover: 0, since: Some(since) };
            assert_eq!(usage.clone().with_allowance(Some(plan), start).total(), total, "{usage:?} {plan:?}");
        }
        let free = Allowance { minutes: 60, rollover: 0, since: None };
        assert_eq!(usage(240, 0, 0).with_allowance(Some(free), start).total(), 60);
        assert_eq!(usage(240, 60, 30).with_allowance(None, start).total(), 90);
    }

    #[test]
    fn what_is_left_of_a_months_own_minutes_rolls_over_up_to_a_cap() {
        let (start, earlier): (DateTime<Utc>, DateTime<Utc>) =
            ("2026-12-01T00:00:00Z".parse().unwrap(), "2026-11-01T00:00:00Z".parse().unwrap());
        let plan = |rollover, since| Some(Allowance { minutes: 240, rollover, since: Some(since) });
        let (whole, within) = (earlier, earlier + TimeDelta::days(9));
        let rolled = |allowed, rolled_over_minutes, held, attended| {
            Some(Usage { rolled_over_minutes, ..usage(allowed, held, attended) })
        };
        for (before, allowance, expected) in [
            (None, plan(120, whole), 120),
            (None, plan(120, within), 120),
            (None, plan(120, start), 0),
            (None, plan(0, whole), 0),
            (None, None, 0),
            (Some(usage(240, 0, 180)), plan(120, whole), 60),
            (Some(usage(240, 60, 180)), plan(120, whole), 0),
            (Some(usage(60, 0, 60)), plan(120, within), 120),
            (Some(usage(60, 0, 0)), plan(120, start), 60),
            (Some(usage(240, 0, 0)), Some(Allowance { minutes: 240, rollover: 0, since: None }), 0),
            // What was rolled over into the month before is spent first, and does not roll over again.
            (rolled(240, 120, 0, 120), plan(600, whole), 240),
            (rolled(240, 120, 60, 120), plan(600, whole), 180),
            (rolled(240, 120, 0, 0), plan(600, whole), 240),
        ] {
            let found = usage(240, 0, 0).with_rollover(before.clone(), allowance, (earlier, start));
            assert_eq!(found.rolled_over_minutes, expected, "{before:?} {allowance:?}");
        }
        let spent = Usage { rolled_over_minutes: 60, ..usage(240, 30, 240) };
        let found = |allowance| spent.clone().with_rollover(None, allowance, (earlier, start)).rolled_over_minutes;
        assert_eq!([found(plan(0, whole)), found(None)], [30, 30], "no seat is lost");
        assert_eq!(found(plan(0, start)), 60, "the month of the change keeps its minutes");
    }

    #[test]
    fn what_is_spent_later_is_taken_from_what_was_rolled_over() {
        let month = |month, rolled_over_minutes, spent| {
            let month = NaiveDate::from_ymd_opt(2026, month, 1).unwrap();
            Usage { month, rolled_over_minutes, ..usage(240, 0, spent) }
        };
        let before = month(9, 0, 120);
        for (later, lent, left) in [
            (vec![], 0, vec![]),
            (vec![month(10, 120, 60)], 0, vec![60]),
            (vec![month(10, 120, 270)], 30, vec![60]),
            (vec![month(10, 120, 300), month(11, 30, 240)], 60, vec![60, 0]),
            // What is spent there stays.
            (vec![month(10, 120, 330), month(11, 30, 270)], 120, vec![]),
            (vec![month(11, 120, 330)], 0, vec![]),
        ] {
            assert_eq!(before.lent(&later), lent, "{later:?}");
            let after = Usage { attended_minutes: 180, ..before.clone() };
            let found: Vec<i32> = after.taken_from(&later).iter().map(|(_, new)| new.rolled_over_minutes).collect();
            assert_eq!(found, left, "{later:?}");
        }
    }

    #[test]
    fn extra_minutes_are_spent_last_and_do_not_roll_over() {
        let start: DateTime<Utc> = "2026-12-01T00:00:00Z".parse().unwrap();
        let earlier: DateTime<Utc> = "2026-11-01T00:00:00Z".parse().unwrap();
        let plan = Some(Allowance { minutes: 240, rollover: 240, since: Some(earlier) });
        for (spent, rolls_over, left, after_refund) in
            [(0, 240, 300, 240), (180, 60, 120, 60), (240, 0, 60, 0), (270, 0, 30, 0), (300, 0, 0, 0)]
        {
            let month = usage(240, 0, spent).with_extra(60);
            assert_eq!((month.total(), month.remaining()), (300, left), "{spent}");
            let next = usage(240, 0, 0).with_rollover(Some(month.clone()), plan, (earlier, start));
            assert_eq!((month.unused(), next.rolled_over_minutes), (rolls_over, rolls_over), "{spent}");
            // What is spent stays when they are taken back, and is gone once it is given back.
            let refunded = month.with_extra(0);
            assert_eq!(refunded.remaining(), after_refund, "{spent}");
            assert_eq!(refunded.extra_minutes, (spent - 240).max(0), "{spent}");
            let released = Usage { attended_minutes: 0, ..refunded };
            assert_eq!(released.with_extra(0).total(), 240, "{spent}");
        }
        // They cover their own part of a month whose plan has fewer minutes than before.
        let spent = usage(240, 0, 300).with_extra(60).with_allowance(None, start).with_extra(60);
        assert_eq!((spent.allowed_minutes, spent.extra_minutes), (240, 60));
        // What was lent to the next month is not lent once more.
        let next = |extra_minutes, spent| {
            let month = NaiveDate::from_ymd_opt(2026, 10, 1).unwrap();
            Usage { month, rolled_over_minutes: 120, extra_minutes, ..usage(240, 0, spent) }
        };
        let month = Usage { month: NaiveDate::from_ymd_opt(2026, 9, 1).unwrap(), ..usage(240, 0, 120) };
        assert_eq!([month.lent(&[next(60, 300)]), month.lent(&[next(60, 420)])], [60, 120]);
    }
}
