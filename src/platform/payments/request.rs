//! What providers are asked for.

use chrono::{DateTime, Utc};

use super::Provider;

/// A checkout to create.
#[derive(Clone, Debug)]
pub struct NewCheckout {
    /// The id of the payment, which is also the idempotency key: the same id again is the same checkout.
    pub reference: String,
    /// What is paid for, as the customer reads it.
    pub title: String,
    /// The amount in minor units.
    pub amount_minor: i64,
    /// The currency (ISO 4217).
    pub currency: String,
    /// Where the checkout leads back to.
    pub return_url: String,
    /// The subscription that the customer starts with it; `None` where [`can_subscribe`](super::can_subscribe) is
    /// false.
    pub subscription: Option<NewSubscription>,
}

/// A subscription that the customer starts with a checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSubscription {
    /// The provider's id of the plan, from [`create_plan`](super::create_plan).
    pub plan: String,
    /// What each interval costs, in minor units of the checkout's currency: the amount of the plan.
    pub amount_minor: i64,
    /// The number of calendar months of an interval: that of the plan.
    pub interval_months: u32,
    /// When it charges for the first time: the end of what the checkout pays for.
    pub starts_at: DateTime<Utc>,
}

/// A payment, as the caller knows it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The provider.
    pub provider: Provider,
    /// The id of the payment, as it was passed to [`create_checkout`](super::create_checkout).
    pub reference: &'a str,
    /// The provider's id of the checkout; `None` while that is not known.
    pub checkout: Option<&'a str>,
    /// Whether the money is still wanted: what a customer has only approved is taken then.
    pub is_wanted: bool,
}

/// A refund to make.
#[derive(Clone, Copy, Debug)]
pub struct NewRefund<'a> {
    /// The provider's id of the checkout; of money that a subscription has charged, that of the subscription.
    pub checkout: &'a str,
    /// The provider's id of the money that has arrived; `None` at the sandbox.
    pub transaction: Option<&'a str>,
    /// The id of the refund, which is also the idempotency key: the same id again refunds nothing more.
    pub reference: &'a str,
    /// The amount in minor units.
    pub amount_minor: i64,
    /// The currency (ISO 4217).
    pub currency: &'a str,
    /// When the refund was asked for.
    pub requested_at: DateTime<Utc>,
}

/// A price of a plan to create at a provider.
#[derive(Clone, Debug)]
pub struct GatewayPlan {
    /// The id of the price, which is also the idempotency key.
    pub reference: String,
    /// What it is called.
    pub title: String,
    /// The amount for an interval, in minor units.
    pub amount_minor: i64,
    /// The currency (ISO 4217).
    pub currency: String,
    /// The number of calendar months of an interval.
    pub interval_months: u32,
}

/// A charge without a page, to what a customer has paid with before.
#[derive(Clone, Debug)]
pub struct NewCharge {
    /// The id of the payment, which is also the idempotency key: the same id again charges nothing more.
    pub reference: String,
    /// The provider's id of the checkout that was paid before.
    pub authorization: String,
    /// What is paid for, as the customer reads it.
    pub title: String,
    /// The amount in minor units.
    pub amount_minor: i64,
    /// The currency (ISO 4217).
    pub currency: String,
}
