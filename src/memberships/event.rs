//! The events of plans and memberships. No field ends with `_id`: an event with `user_id` or `course_id` says that those
//! have changed.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::model::{FamilyInvitationId, LiveGiven, MembershipId, MembershipStatus, PlanId};
use crate::accounts::UserId;
use crate::platform::outbox::Event;

/// What has happened to a membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MembershipChange {
    /// It was ordered, and waits for its payment.
    Ordered,
    /// Its trial has begun.
    TrialStarted,
    /// It was paid for the first time.
    Started,
    /// It was paid for another period.
    Renewed,
    /// Its renewal could not be charged.
    PaymentFailed,
    /// It is of another plan or price now.
    PlanChanged,
    /// It will be of another price from the next renewal on.
    ChangePlanned,
    /// The member has paused it.
    Paused,
    /// The member has resumed it, or taken the cancellation back.
    Resumed,
    /// It was canceled, and ends with its period.
    Canceled,
    /// It has ended.
    Ended,
    /// A won dispute has brought it back.
    Restored,
    /// It is about to be charged: the member is reminded.
    RenewsSoon,
}

/// A membership has changed, or is about to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MembershipChanged {
    /// The membership.
    pub membership: MembershipId,
    /// The member.
    pub member: UserId,
    /// The plan.
    pub plan: PlanId,
    /// What has happened.
    pub change: MembershipChange,
    /// The state since then.
    pub status: MembershipStatus,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The live classes that it gave until then; `None` if it gave none.
    #[serde(default)]
    pub gave: Option<LiveGiven>,
}

impl Event for MembershipChanged {
    const KIND: &'static str = "membership_changed";
}

/// Extra hours of live classes of a member for a month were paid, or their money goes back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExtraHoursChanged {
    /// The member.
    pub member: UserId,
    /// The first day of the month.
    pub month: NaiveDate,
}

impl Event for ExtraHoursChanged {
    const KIND: &'static str = "extra_hours_changed";
}

/// A plan was archived: its members are not renewed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlanArchived {
    /// The plan.
    pub plan: PlanId,
}

impl Event for PlanArchived {
    const KIND: &'static str = "plan_archived";
}

/// An email address was invited to share the hours of a membership.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FamilyMemberInvited {
    /// The invitation.
    pub invitation: FamilyInvitationId,
}

impl Event for FamilyMemberInvited {
    const KIND: &'static str = "family_member_invited";
}

/// A user shares the hours of another user's membership now.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FamilyJoined {
    /// The user.
    pub member: UserId,
}

impl Event for FamilyJoined {
    const KIND: &'static str = "family_joined";
}

/// A user no longer shares the hours of another user's membership.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FamilyLeft {
    /// The user.
    pub member: UserId,
}

impl Event for FamilyLeft {
    const KIND: &'static str = "family_left";
}
