//! Purchases on Google Play, and what they mean for their memberships.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::membership::{Membership, MembershipId, MembershipStatus};
use super::plan::PlanPriceId;
use crate::accounts::UserId;
use crate::memberships::event::MembershipChange;
use crate::platform::db::schema::{play_products, play_purchases};
use crate::platform::db::stored_as_text;
use crate::platform::payments::google_play::{Subscription, SubscriptionState};

/// How long what renews gives access after its end: Google may be late, or not answer.
const LATE: TimeDelta = TimeDelta::hours(1);
/// When Google is asked again about what should have been renewed.
const SOON: TimeDelta = TimeDelta::minutes(5);
/// How often Google is asked about a purchase at least.
pub(crate) const DAILY: TimeDelta = TimeDelta::days(1);

/// The product on Google Play that a price of a plan is.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = play_products, check_for_backend(diesel::pg::Pg))]
pub struct PlayProduct {
    /// The price.
    pub plan_price_id: PlanPriceId,
    /// The id of the product.
    pub product: String,
    /// The id of its base plan; empty for subscriptions from before base plans.
    pub base_plan: String,
}

/// A purchase on Google Play. It has no `Debug`, as its token is a secret.
#[derive(Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(
    table_name = play_purchases,
    primary_key(token),
    check_for_backend(diesel::pg::Pg),
    treat_none_as_null = true
)]
pub(crate) struct PlayPurchase {
    /// The token, which is the key at Google.
    pub(crate) token: String,
    /// Whose it is.
    pub user_id: UserId,
    /// What it pays for.
    pub membership_id: MembershipId,
    /// The id of the product.
    pub product: String,
    /// The id of its base plan; empty for subscriptions from before base plans.
    pub base_plan: String,
    /// Google's id of the latest order that was paid.
    pub(crate) google_order: Option<String>,
    /// The state.
    pub(crate) state: PlayState,
    /// When it ends, unless it is renewed.
    pub expires_at: Option<DateTime<Utc>>,
    /// The token of the purchase that this one has replaced.
    pub(crate) linked_token: Option<String>,
    /// When it was acknowledged.
    pub(crate) acknowledged_at: Option<DateTime<Utc>>,
    /// When Google was asked last.
    pub(crate) checked_at: DateTime<Utc>,
    /// When Google is asked next; `None` if it is not.
    pub(crate) check_at: Option<DateTime<Utc>>,
    /// How often that, or the acknowledgement, has failed since it succeeded.
    pub(crate) failures: i32,
    /// When it was confirmed.
    pub created_at: DateTime<Utc>,
}

impl PlayPurchase {
    /// Keeps what Google has said at a time, and when it is asked again.
    pub(crate) fn keep(
        &mut self,
        read: &Subscription,
        standing: &Standing,
        (asked_at, now): (DateTime<Utc>, DateTime<Utc>),
    ) {
        self.google_order = read.order.clone().or(self.google_order.take());
        self.state = standing.state;
        self.expires_at = read.expires_at;
        self.checked_at = asked_at;
        if read.is_acknowledged {
            self.acknowledged_at = self.acknowledged_at.or(Some(now));
            self.failures = 0;
        }
        // Due until it is acknowledged: Google gives the money back after three days.
        self.check_at = if self.lacks_acknowledgement() { Some(now) } else { standing.check_at };
    }

    /// Whether Google is to be told that it was received.
    pub(crate) fn lacks_acknowledgement(&self) -> bool {
        self.acknowledged_at.is_none() && !matches!(self.state, PlayState::Expired | PlayState::Replaced)
    }
}

/// The state of a purchase on Google Play.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum PlayState {
    /// It is paid.
    Active,
    /// A renewal has failed; the access goes on.
    InGracePeriod,
    /// A renewal has failed; there is no access until it is paid.
    OnHold,
    /// It is paused by its owner.
    Paused,
    /// It is not renewed.
    Canceled,
    /// It has ended, or was revoked.
    Expired,
    /// Another one has replaced it.
    Replaced,
}

stored_as_text!(PlayState {
    Active = "ACTIVE",
    InGracePeriod = "IN_GRACE_PERIOD",
    OnHold = "ON_HOLD",
    Paused = "PAUSED",
    Canceled = "CANCELED",
    Expired = "EXPIRED",
    Replaced = "REPLACED",
});

impl PlayState {
    /// Returns the state that Google tells; `None` if it is not paid yet, or this version does not know the state.
    fn of(state: SubscriptionState) -> Option<PlayState> {
        match state {
            SubscriptionState::Active => Some(PlayState::Active),
            SubscriptionState::InGracePeriod => Some(PlayState::InGracePeriod),
            SubscriptionState::OnHold => Some(PlayState::OnHold),
            SubscriptionState::Paused => Some(PlayState::Paused),
            SubscriptionState::Canceled => Some(PlayState::Canceled),
            SubscriptionState::Expired | SubscriptionState::PendingCanceled => Some(PlayState::Expired),
            SubscriptionState::Pending | SubscriptionState::Unknown => None,
        }
    }
}

/// What has come of a notification of Google Play.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlayOutcome {
    /// The membership follows what Google says, or nothing follows from it.
    Followed,
    /// What it is about is not known yet, or Google does not answer; which of them.
    Waits(&'static str),
    /// The purchase is no membership; why.
    Refused(String),
}

/// What Google's answer means for a membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The state of the purchase.
    pub(crate) state: PlayState,
    /// The state of the membership.
    pub status: MembershipStatus,
    /// Until when it gives access; `None` if it gives none.
    pub(crate) access_until: Option<DateTime<Utc>>,
    /// When Google is asked next; `None` if it is not.
    pub(crate) check_at: Option<DateTime<Utc>>,
}

impl Standing {
    /// Returns what an answer means at a time; `None` if it is not paid yet, or in a state that this version does not
    /// know.
    ///
    /// On hold, a membership is paused: there is no access until it is paid.
    pub(crate) fn of(read: &Subscription, now: DateTime<Utc>) -> Option<Standing> {
        let state = PlayState::of(read.state)?;
        if read.expires_at.is_none() && state != PlayState::Expired {
            return None;
        }
        let end = read.expires_at.filter(|end| *end > now);
        let late = read.expires_at.map(|end| end + LATE);
        let (status, access_until) = match (state, end) {
            (PlayState::Active, _) if read.renews => (MembershipStatus::Active, late),
            (PlayState::InGracePeriod, _) => (MembershipStatus::PastDue, late),
            (PlayState::Active | PlayState::Canceled, Some(end)) => (MembershipStatus::Canceled, Some(end)),
            (PlayState::Paused | PlayState::OnHold, _) => (MembershipStatus::Paused, None),
            (PlayState::Active | PlayState::Canceled | PlayState::Expired | PlayState::Replaced, _) => {
                (MembershipStatus::Expired, None)
            }
        };
        let check_at = match (status, end) {
            (MembershipStatus::Expired, _) => None,
            (_, Some(end)) => Some(end.min(now + DAILY)),
            (MembershipStatus::Paused, None) => Some(now + DAILY),
            (_, None) => Some(now + SOON),
        };
        Some(Standing { state, status, access_until, check_at })
    }

    /// Changes a membership that it is for, except for its access.
    pub(crate) fn apply(&self, row: &mut Membership, read: &Subscription, now: DateTime<Utc>) {
        let runs = matches!(self.state, PlayState::Active | PlayState::Canceled);
        // It gave nothing meanwhile.
        let resumes = !row.status.is_entitled() && self.status.is_entitled();
        if let Some(end) = read.expires_at.filter(|_| runs) {
            let renewed = row.period_ends_at.filter(|was| end > *was);
            let start = match (renewed, row.status) {
                // The time of a pause is not paid for.
                (Some(_), MembershipStatus::Paused) => now,
                (Some(was), _) => was,
                (None, _) => row.period_starts_at.unwrap_or(now),
            };
            if start < end {
                row.period_starts_at = Some(start);
                row.period_ends_at = Some(end);
            }
        }
        row.status = self.status;
        row.ended_at = (self.status == MembershipStatus::Expired).then(|| row.ended_at.unwrap_or(now));
        row.paused_at = (self.status == MembershipStatus::Paused).then(|| row.paused_at.unwrap_or(now));
        row.started_at = row.started_at.or(Some(now));
        row.plan_since = row.plan_since.filter(|_| !resumes).or(Some(now));
    }
}

/// Returns what has happened to a membership on Google Play, of which it is told; `None` if that is nothing.
pub(crate) fn change_between(before: &Membership, after: &Membership) -> Option<MembershipChange> {
    use MembershipStatus::{Active, Canceled, Expired, PastDue, Paused, Pending};
    match (before.status, after.status) {
        (Expired, Expired) => None,
        (_, Expired) => Some(MembershipChange::Ended),
        (Pending, _) => Some(MembershipChange::Started),
        (Expired, _) => Some(MembershipChange::Restored),
        _ if before.plan_price_id != after.plan_price_id => Some(MembershipChange::PlanChanged),
        (was, now) if was != now && now != Active => match now {
            Canceled => Some(MembershipChange::Canceled),
            Paused => Some(MembershipChange::Paused),
            PastDue => Some(MembershipChange::PaymentFailed),
            _ => None,
        },
        (Canceled | Paused, Active) => Some(MembershipChange::Resumed),
        _ => (after.period_ends_at > before.period_ends_at).then_some(MembershipChange::Renewed),
    }
}

/// Returns the part of Google's id of an order that is the same for all renewals: `GPA.1-2-3-4` of `GPA.1-2-3-4..0`.
pub(crate) fn base_order(order: &str) -> &str {
    order.split_once("..").map_or(order, |(base, _)| base)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(state: SubscriptionState, expires_at: DateTime<Utc>, renews: bool) -> Subscription {
        Subscription {
            state,
            product: "basic".into(),
            base_plan: None,
            order: None,
            expires_at: Some(expires_at),
            country: None,
            renews,
            linked_token: None,
            is_acknowledged: false,
            app_account: None,
            is_test: false,
        }
    }

    #[test]
    fn what_google_says_decides_state_access_and_when_it_is_asked_again() {
        use SubscriptionState as State;
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(1000);
        let after = |delta: TimeDelta| now + delta;
        let (minute, hour, day) = (TimeDelta::minutes(1), TimeDelta::hours(1), TimeDelta::days(1));
        for (state, end, renews, status, until, check) in [
            (State::Active, day * 30, true, MembershipStatus::Active, Some(day * 30 + hour), Some(day)),
            (State::Active, hour, true, MembershipStatus::Active, Some(hour * 2), Some(hour)),
            // Google is late.
            (State::Active, -minute, true, MembershipStatus::Active, Some(hour - minute), Some(minute * 5)),
            (State::Active, hour, false, MembershipStatus::Canceled, Some(hour), Some(hour)),
            (State::Active, -minute, false, MembershipStatus::Expired, None, None),
            (State::Canceled, hour, false, MembershipStatus::Canceled, Some(hour), Some(hour)),
            (State::Canceled, -minute, false, MembershipStatus::Expired, None, None),
            (State::InGracePeriod, day * 3, true, MembershipStatus::PastDue, Some(day * 3 + hour), Some(day)),
            (State::OnHold, -day, true, MembershipStatus::Paused, None, Some(day)),
            (State::Paused, -day, true, MembershipStatus::Paused, None, Some(day)),
            (State::Expired, day, false, MembershipStatus::Expired, None, None),
            (State::PendingCanceled, day, false, MembershipStatus::Expired, None, None),
        ] {
            let standing = Standing::of(&read(state, after(end), renews), now).unwrap();
            let expected = (status, until.map(after), check.map(after));
            assert_eq!((standing.status, standing.access_until, standing.check_at), expected, "{state:?} {end}");
        }
        for state in [State::Pending, State::Unknown] {
            assert_eq!(Standing::of(&read(state, after(day), true), now), None, "{state:?}");
        }
    }

    #[test]
    fn the_order_of_a_renewal_is_that_of_the_purchase() {
        for order in ["GPA.1-2-3-4", "GPA.1-2-3-4..0", "GPA.1-2-3-4..17"] {
            assert_eq!(base_order(order), "GPA.1-2-3-4");
        }
    }
}
