//! The live classes that memberships allow.

use chrono::{DateTime, Utc};

use super::{Membership, MembershipId, MembershipStatus, Plan, PlanId};
use crate::accounts::UserId;

/// The live classes that a member may attend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveAllowance {
    /// The membership.
    pub membership: MembershipId,
    /// The plan.
    pub plan: PlanId,
    /// The minutes per calendar month; 0 if the plan has no live classes.
    pub minutes_per_month: i32,
    /// The most minutes that are left of a month and count in the next one; 0 if none do.
    pub rollover_minutes: i32,
    /// Since when the membership is of this plan.
    pub since: DateTime<Utc>,
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
        Some(LiveAllowance { membership: row.id, plan: plan.id, minutes_per_month, rollover_minutes, since })
    }

    /// Returns what allows a user most of what their memberships allow at a time.
    pub(in crate::memberships) fn most(
        rows: &[(Membership, Plan)],
        user: UserId,
        at: DateTime<Utc>,
    ) -> Option<LiveAllowance> {
        let own = rows.iter().filter(|(row, _)| row.user_id == user);
        own.filter_map(|(row, plan)| LiveAllowance::of(row, plan, at))
            .max_by_key(|allowance| allowance.minutes_per_month)
    }
}
