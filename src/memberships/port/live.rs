//! What live classes ask of memberships.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::accounts::UserId;
use crate::memberships::model::{Membership, MembershipId, MembershipStatus, Plan, PlanId};
use crate::memberships::query::membership as rows;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

/// The live classes that a member may attend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveAllowance {
    /// The membership.
    pub membership: MembershipId,
    /// The plan.
    pub plan: PlanId,
    /// The minutes per calendar month.
    pub minutes_per_month: i32,
    /// Since when the membership is of this plan.
    pub since: DateTime<Utc>,
}

impl LiveAllowance {
    /// Returns what a membership allows at a time; `None` if that is nothing.
    ///
    /// A membership that renews itself is taken to go on after its period.
    pub(in crate::memberships) fn of(row: &Membership, plan: &Plan, at: DateTime<Utc>) -> Option<LiveAllowance> {
        let since = row.plan_since.filter(|since| *since <= at && row.status.is_entitled())?;
        let ends = row.status == MembershipStatus::Canceled;
        if ends && row.period_ends_at.is_none_or(|end| end <= at) {
            return None;
        }
        let minutes_per_month = plan.live_minutes_per_month?;
        Some(LiveAllowance { membership: row.id, plan: plan.id, minutes_per_month, since })
    }
}

/// Returns what the live memberships of users allow at a time. Users without one are missing.
///
/// # Errors
/// The database failed.
pub async fn live_allowance(
    tx: &mut Tx,
    users: &[UserId],
    at: DateTime<Utc>,
) -> Result<HashMap<UserId, LiveAllowance>, InternalError> {
    let found = rows::of_live_classes(tx.conn(), users).await?;
    Ok(found.iter().filter_map(|(row, plan)| Some((row.user_id, LiveAllowance::of(row, plan, at)?))).collect())
}
