//! The live classes that memberships allow.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Membership, MembershipId, MembershipStatus, Plan, PlanId};
use crate::accounts::UserId;

/// The live classes that a member may attend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveAllowance {
    /// The membership.
    pub membership: MembershipId,
    /// Whose membership it is: the member themself, or the owner of the family in which they are.
    pub payer: UserId,
    /// The plan.
    pub plan: PlanId,
    /// The minutes per calendar month; 0 if the plan has no live classes.
    pub minutes_per_month: i32,
    /// The most minutes that are left of a month and count in the next one; 0 if none do.
    pub rollover_minutes: i32,
    /// The most minutes per month that a family member can use; `None` for no limit of their own.
    pub family_member_minutes: Option<i32>,
    /// Since when the membership is of this plan, without a pause.
    pub since: DateTime<Utc>,
}

/// The live classes that a membership gave until it changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveGiven {
    /// The minutes per calendar month.
    pub minutes_per_month: i32,
    /// The most minutes that are left of a month and count in the next one.
    pub rollover_minutes: i32,
    /// Since when it gave them.
    pub since: DateTime<Utc>,
}

impl LiveGiven {
    /// Returns what a membership gives; `None` if it gives no live classes.
    pub fn of(row: &Membership, plan: &Plan) -> Option<LiveGiven> {
        let since = row.plan_since.filter(|_| row.status.is_entitled())?;
        let minutes_per_month = plan.live_minutes_per_month?;
        Some(LiveGiven { minutes_per_month, rollover_minutes: plan.rollover_minutes.unwrap_or_default(), since })
    }
}

impl LiveAllowance {
    /// Returns what a membership allows at a time; `None` if that is nothing.
    ///
    /// A membership that renews itself is taken to go on after its period.
    fn of(row: &Membership, plan: &Plan, at: DateTime<Utc>) -> Option<LiveAllowance> {
        let since = row.plan_since.filter(|since| *since <= at && row.status.is_entitled())?;
        let ends = row.status == MembershipStatus::Canceled;
        if ends && row.period_ends_at.is_none_or(|end| end <= at) {
            return None;
        }
        let minutes_per_month = plan.live_minutes_per_month.unwrap_or_default();
        let rollover_minutes = plan.rollover_minutes.unwrap_or_default();
        let (payer, family_member_minutes) = (row.user_id, plan.family_member_minutes);
        let (membership, plan) = (row.id, plan.id);
        Some(LiveAllowance {
            membership,
            payer,
            plan,
            minutes_per_month,
            rollover_minutes,
            family_member_minutes,
            since,
        })
    }

    /// Returns what allows a user most of what their memberships allow at a time, of each of which there is a row, and
    /// for the one whose hours they share.
    pub(crate) fn most(rows: &[(Membership, Plan, UserId)], user: UserId, at: DateTime<Utc>) -> Option<LiveAllowance> {
        let own = rows.iter().filter(|(_, _, member)| *member == user);
        own.filter_map(|(row, plan, _)| LiveAllowance::of(row, plan, at))
            .max_by_key(|allowance| allowance.minutes_per_month)
    }
}
