//! The hours that a user can spend, and what family members use of those of their family.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;

use super::usage::Usage;
use crate::accounts::UserId;
use crate::platform::db::schema::live_family_usage;

/// What a family member has of the hours of the family in a month: a row of the ledger, or what it would be. All of it
/// is in the row of the payer as well.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = live_family_usage, check_for_backend(diesel::pg::Pg), treat_none_as_null = true)]
#[diesel(primary_key(user_id, month, payer_id))]
pub struct MemberUsage {
    /// The member.
    pub user_id: UserId,
    /// The first day of the month.
    pub month: NaiveDate,
    /// Whose hours they are: the owner of the family.
    pub payer_id: UserId,
    /// The minutes that the member can use at most; `None` for no limit of their own.
    pub allowed_minutes: Option<i32>,
    /// The minutes of their seats in sessions that are not settled.
    pub held_minutes: i32,
    /// The minutes of sessions that they attended.
    pub attended_minutes: i32,
    /// The number of sessions that they attended.
    pub sessions_attended: i32,
    /// The number of sessions in which they had a seat and were not there.
    pub sessions_missed: i32,
    /// When they entered the latest session that they attended.
    pub last_attended_at: Option<DateTime<Utc>>,
}

impl MemberUsage {
    /// A month in which nothing was used.
    pub(crate) fn empty(user: UserId, month: NaiveDate, payer: UserId) -> MemberUsage {
        MemberUsage {
            user_id: user,
            month,
            payer_id: payer,
            allowed_minutes: None,
            held_minutes: 0,
            attended_minutes: 0,
            sessions_attended: 0,
            sessions_missed: 0,
            last_attended_at: None,
        }
    }

    /// Adopts the most minutes that a member can use now. No seat is lost by it.
    #[must_use]
    pub(crate) fn with_limit(self, minutes: Option<i32>) -> MemberUsage {
        let spent = self.held_minutes + self.attended_minutes;
        MemberUsage { allowed_minutes: minutes.map(|minutes| minutes.max(spent)), ..self }
    }

    /// The minutes that the member can still use, if there are as many left of the family's; `None` for no limit of
    /// their own.
    pub fn remaining(&self) -> Option<i32> {
        self.allowed_minutes.map(|allowed| allowed - self.held_minutes - self.attended_minutes)
    }
}

/// The hours that a user can spend in a month: their own, or as a family member those of the family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// The hours.
    pub usage: Usage,
    /// What the user has of them as a family member; `None` if they are the user's own.
    pub member: Option<MemberUsage>,
}

impl Pool {
    /// Hours of the user's own.
    pub fn own(usage: Usage) -> Pool {
        Pool { usage, member: None }
    }

    /// The user who can spend them.
    pub fn user(&self) -> UserId {
        self.member.as_ref().map_or(self.usage.user_id, |member| member.user_id)
    }

    /// Whose hours they are; `None` if they are the user's own.
    pub fn payer(&self) -> Option<UserId> {
        self.member.as_ref().map(|member| member.payer_id)
    }

    /// The minutes that a limit of the user's own leaves; `None` if there is none.
    pub(crate) fn member_remaining(&self) -> Option<i32> {
        self.member.as_ref().and_then(MemberUsage::remaining)
    }

    /// Holds more minutes; fewer than none are given back.
    pub(crate) fn hold(&mut self, minutes: i32) {
        self.usage.held_minutes += minutes;
        if let Some(member) = &mut self.member {
            member.held_minutes += minutes;
        }
    }

    /// Counts a settled session as attended, if `minutes` are more than none, or as missed, which gives them back.
    pub(crate) fn correct(&mut self, minutes: i32, entered: DateTime<Utc>) {
        self.usage.attended_minutes += minutes;
        let (attended, missed, last) = match &mut self.member {
            Some(member) => {
                member.attended_minutes += minutes;
                (&mut member.sessions_attended, &mut member.sessions_missed, &mut member.last_attended_at)
            }
            None => {
                let usage = &mut self.usage;
                (&mut usage.sessions_attended, &mut usage.sessions_missed, &mut usage.last_attended_at)
            }
        };
        *attended += minutes.signum();
        *missed -= minutes.signum();
        if minutes > 0 {
            *last = (*last).max(Some(entered));
        }
    }

    /// The number of sessions that the user attended.
    pub fn sessions_attended(&self) -> i32 {
        self.member.as_ref().map_or(self.usage.sessions_attended, |member| member.sessions_attended)
    }

    /// When the user entered the latest of them.
    pub fn last_attended_at(&self) -> Option<DateTime<Utc>> {
        match &self.member {
            Some(member) => member.last_attended_at,
            None => self.usage.last_attended_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn pool(allowed: Option<i32>) -> Pool {
        let (user, payer) = (UserId::new(Uuid::from_u128(1)), UserId::new(Uuid::from_u128(2)));
        let member = MemberUsage::empty(user, NaiveDate::default(), payer).with_limit(allowed);
        Pool { usage: Usage::empty(payer, NaiveDate::default()), member: Some(member) }
    }

    #[test]
    fn what_a_member_holds_is_held_of_the_family() {
        let mut pool = pool(Some(120));
        pool.hold(90);
        assert_eq!((pool.usage.held_minutes, pool.member_remaining()), (90, Some(30)));
        assert_eq!((pool.user(), pool.payer()), (UserId::new(Uuid::from_u128(1)), Some(pool.usage.user_id)));
        pool.hold(-90);
        assert_eq!((pool.usage.held_minutes, pool.member_remaining()), (0, Some(120)));
    }

    #[test]
    fn sessions_are_counted_for_who_was_there() {
        let entered: DateTime<Utc> = "2026-11-20T09:00:00Z".parse().unwrap();
        let mut shared = pool(None);
        shared.correct(60, entered);
        assert_eq!((shared.usage.attended_minutes, shared.usage.sessions_attended), (60, 0));
        assert_eq!((shared.sessions_attended(), shared.last_attended_at()), (1, Some(entered)));
        let mut own = Pool::own(shared.usage);
        own.correct(-60, entered);
        assert_eq!((own.usage.attended_minutes, own.sessions_attended(), own.last_attended_at()), (0, -1, None));
    }

    #[test]
    fn a_lower_limit_takes_no_seat() {
        let mut pool = pool(Some(120));
        pool.hold(120);
        let member = pool.member.unwrap().with_limit(Some(60));
        assert_eq!((member.allowed_minutes, member.remaining()), (Some(120), Some(0)));
        assert_eq!(member.with_limit(None).remaining(), None);
    }
}
