//! Subscriptions at the providers that have them: when a checkout can start one, what has become of it, and its end;
//! and the plans whose prices they charge.
//!
//! A checkout pays for a first period, whatever that costs, and starts a subscription that charges the price of the
//! plan from its end on. Nothing but that is ever charged: what changes a next charge ends the subscription.

use chrono::{DateTime, TimeDelta, Utc};

use super::gateways::Gateway;
use super::{GatewayError, GatewayPlan, Provider, timed};
use crate::platform::App;

/// The number of charges of a subscription that are returned.
pub(super) const MOST_CHARGES: usize = 10;

/// How long before its first charge a subscription is started at the latest. Stripe takes 48 hours; the page is open
/// for a day.
const SOONEST: TimeDelta = TimeDelta::days(3);
/// How long before its first charge a subscription is started at the earliest. Stripe takes two years.
const EARLIEST: TimeDelta = TimeDelta::days(700);
/// How much earlier than agreed a subscription may charge: some providers have an hour of the day for that.
const MARGIN: TimeDelta = TimeDelta::days(1);

/// What a provider knows of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownSubscription {
    /// What it does.
    pub state: SubscriptionStatus,
    /// What it has charged, latest first and at most ten: without the payment of the checkout that has started it.
    pub charges: Vec<SubscriptionCharge>,
}

/// What a subscription does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscriptionStatus {
    /// It waits for its first charge, or runs.
    Active,
    /// A charge has failed, and is tried again.
    PastDue,
    /// It charges nothing more by itself. At some providers it can be revived there, unless [`end_subscription`] ends
    /// it.
    Ended,
}

/// Money that a subscription has charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionCharge {
    /// The provider's id of the money.
    pub transaction: String,
    /// The amount in minor units.
    pub amount_minor: i64,
    /// The currency (ISO 4217).
    pub currency: String,
    /// When it was charged.
    pub charged_at: DateTime<Utc>,
}

/// Whether a checkout that is made now can start a subscription that charges for the first time at `starts_at`.
pub fn can_subscribe(provider: Provider, starts_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    provider.has_subscriptions() && (SOONEST..=EARLIEST).contains(&(starts_at - now))
}

/// Whether what was paid at a time is the payment of the checkout, not a charge of the subscription that it has
/// started.
pub(super) fn is_first(paid_at: DateTime<Utc>, starts_at: DateTime<Utc>) -> bool {
    paid_at < starts_at - MARGIN
}

/// Asks what has become of a subscription; `None` if the provider does not know it.
///
/// # Errors
/// See [`GatewayError`].
pub async fn fetch_subscription(
    app: &App,
    provider: Provider,
    id: &str,
) -> Result<Option<KnownSubscription>, GatewayError> {
    timed(async {
        match app.payments.of(provider)? {
            Gateway::Sandbox(_) => Ok(None),
            Gateway::Stripe(stripe) => stripe.fetch_subscription(app, id).await,
            Gateway::Razorpay(razorpay) => razorpay.fetch_subscription(app, id).await,
            Gateway::Paypal(paypal) => paypal.fetch_subscription(app, id).await,
        }
    })
    .await
}

/// Ends a subscription at once: it charges nothing more. Doing it again does nothing, nor does it for one that has
/// ended or is unknown.
///
/// # Errors
/// See [`GatewayError`].
pub async fn end_subscription(app: &App, provider: Provider, id: &str) -> Result<(), GatewayError> {
    timed(async {
        match app.payments.of(provider)? {
            Gateway::Sandbox(_) => Ok(()),
            Gateway::Stripe(stripe) => stripe.end_subscription(app, id).await,
            Gateway::Razorpay(razorpay) => razorpay.end_subscription(app, id).await,
            Gateway::Paypal(paypal) => paypal.end_subscription(app, id).await,
        }
    })
    .await
}

/// Creates a price of a plan; returns the provider's id. The same reference again creates nothing more.
///
/// # Errors
/// See [`GatewayError`].
pub async fn create_plan(app: &App, provider: Provider, new: &GatewayPlan) -> Result<String, GatewayError> {
    timed(async {
        match app.payments.of(provider)? {
            Gateway::Sandbox(sandbox) => sandbox.create_plan(new),
            Gateway::Stripe(stripe) => stripe.create_plan(app, new).await,
            Gateway::Razorpay(razorpay) => razorpay.create_plan(app, new).await,
            Gateway::Paypal(paypal) => paypal.create_plan(app, new).await,
        }
    })
    .await
}

/// Retires a price of a plan, so that nothing new is bought for it. `external_id` is `None` if the answer to its
/// creation was lost, or it was never created. Doing it again does nothing.
///
/// # Errors
/// See [`GatewayError`].
pub async fn retire_plan(
    app: &App,
    provider: Provider,
    reference: &str,
    external_id: Option<&str>,
) -> Result<(), GatewayError> {
    // An earlier version made no plans at these providers, and took the reference for the id.
    let made = external_id.filter(|id| *id != reference);
    timed(async {
        match app.payments.of(provider)? {
            Gateway::Sandbox(sandbox) => sandbox.retire_plan(reference, external_id),
            Gateway::Stripe(stripe) => stripe.retire_plan(app, reference, made).await,
            // Razorpay keeps its plans for ever. What is not offered here is not bought there: only this server
            // starts subscriptions.
            Gateway::Razorpay(_) => Ok(()),
            Gateway::Paypal(paypal) => paypal.retire_plan(app, reference, made).await,
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_starts_days_before_its_first_charge_and_not_at_the_sandbox() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let can = |provider, ahead: TimeDelta| can_subscribe(provider, now + ahead, now);
        for provider in [Provider::Stripe, Provider::Razorpay, Provider::Paypal] {
            assert!(can(provider, TimeDelta::days(30)) && can(provider, TimeDelta::days(3)));
            assert!(!can(provider, TimeDelta::hours(71)) && !can(provider, TimeDelta::days(-30)));
            assert!(!can(provider, TimeDelta::days(731)), "Stripe has no longer trials");
        }
        assert!(!can(Provider::Sandbox, TimeDelta::days(30)));
    }
}
