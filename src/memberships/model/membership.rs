//! Memberships and their states.

use async_graphql::Enum;
use chrono::{DateTime, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::plan::{Plan, PlanId, PlanKind, PlanPrice, PlanPriceId};
use crate::accounts::UserId;
use crate::entitlements::EntitlementId;
use crate::graphql::{Entity, Id};
use crate::platform::db::schema::memberships;
use crate::platform::db::stored_as_text;
use crate::platform::payments::Provider;

/// A membership's id: `membership_01j…`.
pub type MembershipId = Id<Membership>;

/// A user's membership of a plan.
#[derive(Clone, Debug, Queryable, Selectable, AsChangeset)]
#[diesel(table_name = memberships, check_for_backend(diesel::pg::Pg), treat_none_as_null = true)]
pub struct Membership {
    /// The id.
    pub id: MembershipId,
    /// The member.
    pub user_id: UserId,
    /// The plan.
    pub plan_id: PlanId,
    /// The price.
    pub plan_price_id: PlanPriceId,
    /// The price from the next renewal on; `None` if it stays.
    pub next_price_id: Option<PlanPriceId>,
    /// The kind of its plans.
    pub kind: PlanKind,
    /// The state.
    pub status: MembershipStatus,
    /// The member's country (ISO 3166-1, two letters).
    pub country: String,
    /// The number of the latest period that was paid for; 0 before the first.
    pub period: i32,
    /// When that period starts.
    pub period_starts_at: Option<DateTime<Utc>>,
    /// When that period ends.
    pub period_ends_at: Option<DateTime<Utc>>,
    /// What the ends of periods are counted from.
    pub anchor_at: Option<DateTime<Utc>>,
    /// How many intervals after the anchor the period ends.
    pub anchor_intervals: i32,
    /// When the next period is charged; `None` if it is not, or while that is in flight.
    pub billing_at: Option<DateTime<Utc>>,
    /// When the member is reminded of that.
    pub remind_at: Option<DateTime<Utc>>,
    /// How often charging the next period has failed.
    pub failures: i16,
    /// When that failed for the first time.
    pub failed_at: Option<DateTime<Utc>>,
    /// When it was paused.
    pub paused_at: Option<DateTime<Utc>>,
    /// How much less the next periods cost, in minor units.
    pub credit_minor: i64,
    /// The provider of [`Membership::authorization_id`] or [`Membership::subscription_id`].
    pub provider: Option<Provider>,
    /// The provider's id of a paid checkout that can be charged again.
    pub authorization_id: Option<String>,
    /// The provider's id of the subscription that charges the next periods.
    pub subscription_id: Option<String>,
    /// Whether it is paid on Google Play: what becomes of it, is decided there.
    pub is_play: bool,
    /// The access.
    pub entitlement_id: Option<EntitlementId>,
    /// Since when it is of this plan, without a pause.
    pub plan_since: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Membership {
    /// Makes it one of another price.
    pub(crate) fn move_to(&mut self, price: &PlanPrice, plan: &Plan, now: DateTime<Utc>) {
        if self.plan_id != plan.id || self.plan_since.is_none() {
            self.plan_since = Some(now);
        }
        self.plan_id = plan.id;
        self.plan_price_id = price.id;
        self.next_price_id = None;
    }

    /// How its next period is paid; `None` if it is not renewed.
    pub fn renewal(&self) -> Option<MembershipRenewal> {
        let is_stored = self.is_play || self.provider.is_some();
        let renewal = if is_stored { MembershipRenewal::Automatic } else { MembershipRenewal::ByPage };
        self.status.renews().then_some(renewal)
    }
}

/// How the next period of a membership is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum MembershipRenewal {
    /// It is charged without the member: to what they have paid with, by a subscription at the provider, or by Google
    /// Play.
    Automatic,
    /// The member pays it on a page of the provider, of which a mail tells.
    ByPage,
}

impl Entity for Membership {
    const PREFIX: &'static str = "membership";
}

/// A membership to insert.
#[derive(Insertable)]
#[diesel(table_name = memberships)]
pub(crate) struct NewMembership<'a> {
    pub id: MembershipId,
    pub user_id: UserId,
    pub plan_id: PlanId,
    pub plan_price_id: PlanPriceId,
    pub kind: PlanKind,
    pub course_id: Option<Uuid>,
    pub category_id: Option<Uuid>,
    pub status: MembershipStatus,
    pub(crate) country: &'a str,
    pub is_play: bool,
    pub created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

/// The state of a membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MembershipStatus {
    /// Its first order waits for the payment.
    Pending,
    /// It is free until the trial ends.
    Trialing,
    /// It is paid for, and renews itself.
    Active,
    /// Its renewal could not be charged; that is tried again, and access lasts until then.
    PastDue,
    /// The member has paused it: there is no access, and the days that are left are kept.
    Paused,
    /// It is paid for, and ends with its period.
    Canceled,
    /// It has ended.
    Expired,
}

stored_as_text!(MembershipStatus {
    Pending = "PENDING",
    Trialing = "TRIALING",
    Active = "ACTIVE",
    PastDue = "PAST_DUE",
    Paused = "PAUSED",
    Canceled = "CANCELED",
    Expired = "EXPIRED",
});

/// What happens to a membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A period is paid.
    Pay,
    /// The trial begins.
    Try,
    /// A renewal could not be charged, and is tried again.
    Fail,
    /// The member cancels.
    Cancel,
    /// The member takes the cancellation back, or ends the pause.
    Resume,
    /// The member takes the cancellation of a trial back.
    ResumeTrial,
    /// The member pauses it.
    Pause,
    /// Its time is over, its money went back, or its first order was not paid.
    End,
    /// Its money is back.
    Restore,
}

impl Step {
    /// All steps.
    const ALL: [Step; 9] = [
        Step::Pay,
        Step::Try,
        Step::Fail,
        Step::Cancel,
        Step::Resume,
        Step::ResumeTrial,
        Step::Pause,
        Step::End,
        Step::Restore,
    ];
}

impl MembershipStatus {
    /// Returns the state after a step; `None` if the step is not possible.
    ///
    /// Money may arrive for a membership whose first order has ended without it, and a won dispute brings it back until its
    /// period ends.
    pub fn after(self, step: Step) -> Option<MembershipStatus> {
        use MembershipStatus::{Active, Canceled, Expired, PastDue, Paused, Pending, Trialing};
        match (self, step) {
            (Pending | Trialing | Active | PastDue | Expired, Step::Pay) => Some(Active),
            (Pending, Step::Try) => Some(Trialing),
            (Trialing | Active | PastDue, Step::Fail) => Some(PastDue),
            (Trialing | Active, Step::Cancel) => Some(Canceled),
            // Nothing of it is paid for, or nothing of it is running.
            (Pending | PastDue | Paused, Step::Cancel) => Some(Expired),
            (Canceled | Paused, Step::Resume) => Some(Active),
            (Canceled, Step::ResumeTrial) => Some(Trialing),
            (Active, Step::Pause) => Some(Paused),
            (Expired, Step::End) => None,
            (Expired, Step::Restore) => Some(Canceled),
            (_, Step::End) => Some(Expired),
            _ => None,
        }
    }

    /// Returns the states that may come next, each once.
    pub fn next(self) -> Vec<MembershipStatus> {
        let mut next: Vec<MembershipStatus> = Vec::new();
        for status in Step::ALL.into_iter().filter_map(|step| self.after(step)) {
            if status != self && !next.contains(&status) {
                next.push(status);
            }
        }
        next
    }

    /// Whether the member has access.
    pub fn is_entitled(self) -> bool {
        use MembershipStatus::{Active, Canceled, PastDue, Trialing};
        matches!(self, Trialing | Active | PastDue | Canceled)
    }

    /// Whether the next period is to be charged.
    pub fn renews(self) -> bool {
        matches!(self, MembershipStatus::Trialing | MembershipStatus::Active | MembershipStatus::PastDue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_membership_takes_only_these_steps() {
        use MembershipStatus::{Active, Canceled, Expired, PastDue, Paused, Pending, Trialing};
        // After Pay, Try, Fail, Cancel, Resume, ResumeTrial, Pause, End, Restore.
        for (status, after) in [
            (Pending, [Some(Active), Some(Trialing), None, Some(Expired), None, None, None, Some(Expired), None]),
            (Trialing, [Some(Active), None, Some(PastDue), Some(Canceled), None, None, None, Some(Expired), None]),
            (
                Active,
                [Some(Active), None, Some(PastDue), Some(Canceled), None, None, Some(Paused), Some(Expired), None],
            ),
            (PastDue, [Some(Active), None, Some(PastDue), Some(Expired), None, None, None, Some(Expired), None]),
            (Paused, [None, None, None, Some(Expired), Some(Active), None, None, Some(Expired), None]),
            (Canceled, [None, None, None, None, Some(Active), Some(Trialing), None, Some(Expired), None]),
            (Expired, [Some(Active), None, None, None, None, None, None, None, Some(Canceled)]),
        ] {
            assert_eq!(Step::ALL.map(|step| status.after(step)), after, "{status:?}");
            assert!(!status.renews() || status.is_entitled(), "{status:?}");
        }
        assert_eq!(Pending.next(), [Active, Trialing, Expired]);
        assert_eq!(Active.next(), [PastDue, Canceled, Paused, Expired]);
        assert_eq!(Expired.next(), [Active, Canceled]);
        assert!([Trialing, Active, PastDue, Canceled].into_iter().all(MembershipStatus::is_entitled));
        assert!(![Pending, Paused, Expired].into_iter().any(MembershipStatus::is_entitled));
    }
}
