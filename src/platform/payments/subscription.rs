//! Subscriptions at the providers that have them.

use chrono::{DateTime, TimeDelta, Utc};

use super::gateways::Gateway;
use super::{GatewayError, Provider};
use crate::platform::App;

/// What a provider knows of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownSubscription {
    /// What has become of it.
    pub state: SubscriptionStatus,
    /// What it has charged, latest first, at most 10, without what was paid with the checkout.
    pub charges: Vec<SubscriptionCharge>,
}

/// The state of a subscription at a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscriptionStatus {
    /// It waits for its first charge, or runs.
    Active,
    /// A charge has failed, and is tried again.
    PastDue,
    /// It charges nothing more.
    Ended,
}

/// A charge of a subscription that has succeeded.
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

/// Whether a checkout can start a subscription that charges for the first time at `starts_at`.
// part A
pub fn can_subscribe(provider: Provider, starts_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    provider.has_subscriptions() && starts_at > now + TimeDelta::hours(48)
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
    match app.payments.of(provider)? {
        Gateway::Sandbox(_) => Ok(None),
        // part A
        Gateway::Stripe(_) | Gateway::Razorpay(_) | Gateway::Paypal(_) => {
            Err(GatewayError::Refused(format!("the subscription {id} cannot be asked about")))
        }
    }
}

/// Ends a subscription at once: it charges nothing more. Doing it again, or one that has ended or is unknown, does
/// nothing.
///
/// # Errors
/// See [`GatewayError`].
pub async fn end_subscription(app: &App, provider: Provider, id: &str) -> Result<(), GatewayError> {
    match app.payments.of(provider)? {
        Gateway::Sandbox(_) => Ok(()),
        // part A
        Gateway::Stripe(_) | Gateway::Razorpay(_) | Gateway::Paypal(_) => {
            Err(GatewayError::Refused(format!("the subscription {id} cannot be ended")))
        }
    }
}
