//! Subscriptions at payment providers, which charge the periods of memberships.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::membership::{Membership, MembershipId, MembershipStatus};
use super::period::end_of_interval;
use super::plan::BillingInterval;
use crate::platform::db::schema::provider_subscriptions;
use crate::platform::db::stored_as_text;
use crate::platform::payments::Provider;

/// The most charges of a subscription that are counted: monthly ones of two centuries.
const MOST_CHARGES: i32 = 2400;

/// A subscription at a payment provider that the checkout of a membership has started.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = provider_subscriptions, check_for_backend(diesel::pg::Pg))]
pub struct ProviderSubscription {
    /// The provider.
    pub provider: Provider,
    /// The provider's id.
    pub external_id: String,
    /// The membership.
    pub membership_id: MembershipId,
    /// What it does.
    pub state: SubscriptionState,
    /// When it charges for the first time, from which its other charges are counted.
    pub starts_at: DateTime<Utc>,
    /// When it was started.
    pub created_at: DateTime<Utc>,
    /// When the provider is asked about it, or told to end it; `None` if there is nothing more to ask.
    pub check_at: Option<DateTime<Utc>>,
    /// How often that was tried since something came of it.
    pub attempts: i32,
}

/// What a subscription does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum SubscriptionState {
    /// It charges its membership.
    Active,
    /// The provider is to be told to end it.
    Ending,
    /// It charges nothing more.
    Ended,
}

stored_as_text!(SubscriptionState { Active = "ACTIVE", Ending = "ENDING", Ended = "ENDED" });

impl Membership {
    /// Whether this subscription charges its next period.
    pub fn is_charged_by(&self, provider: Provider, subscription: &str) -> bool {
        self.provider == Some(provider) && self.subscription_id.as_deref() == Some(subscription)
    }

    /// Whether a subscription can charge its next period: that is charged, at the price of this one.
    pub(crate) fn may_have_subscription(&self) -> bool {
        matches!(self.status, MembershipStatus::Active | MembershipStatus::PastDue)
            && self.next_price_id.is_none()
            && self.credit_minor == 0
    }
}

/// Returns when a subscription charges next after `now` that charges for the first time at `starts_at`.
pub(crate) fn next_charge(
    starts_at: DateTime<Utc>,
    interval: BillingInterval,
    now: DateTime<Utc>,
    zone: Tz,
) -> DateTime<Utc> {
    let mut charges = (0..MOST_CHARGES).map(|count| end_of_interval(starts_at, interval, count, zone));
    charges.find(|at| *at > now).unwrap_or(starts_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_charges_at_the_end_of_each_interval_from_its_start_on() {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        let start = at("2026-01-31T12:00:00Z");
        for (now, interval, next) in [
            ("2026-01-01T00:00:00Z", BillingInterval::Month, "2026-01-31T12:00:00Z"),
            ("2026-01-31T12:00:00Z", BillingInterval::Month, "2026-02-28T12:00:00Z"),
            ("2026-03-01T00:00:00Z", BillingInterval::Month, "2026-03-31T12:00:00Z"),
            ("2026-03-01T00:00:00Z", BillingInterval::Year, "2027-01-31T12:00:00Z"),
        ] {
            assert_eq!(next_charge(start, interval, at(now), Tz::UTC), at(next), "{now} {interval:?}");
        }
    }
}
