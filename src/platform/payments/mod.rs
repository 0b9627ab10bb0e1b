//! Payment providers: checkouts, refunds, and the verification of their webhooks.
//!
//! A customer pays on a page of the provider, so no card data is ever seen here. What has become of a checkout, the
//! provider tells by a webhook, and when it is asked ([`fetch_state`]); either may come first, or twice.

mod client;
mod follow_up;
mod gateways;
mod google_keys;
pub mod google_play;
pub mod paypal;
pub mod razorpay;
mod request;
pub mod sandbox;
mod signature;
pub mod stripe;
mod subscription;
mod told;
mod transmission;

use std::fmt;
use std::time::Duration;

use async_graphql::Enum;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use hyper::HeaderMap;
use serde::{Deserialize, Serialize};

pub use self::follow_up::{DisputeDecision, RefundProgress, fetch_dispute, fetch_refund};
use self::gateways::Gateway;
pub use self::gateways::Payments;
pub use self::request::{Asked, GatewayPlan, NewCharge, NewCheckout, NewRefund, NewSubscription};
pub use self::subscription::{
    KnownSubscription, SubscriptionCharge, SubscriptionStatus, can_subscribe, create_plan, end_subscription,
    fetch_subscription, retire_plan,
};
use self::told::Told;
pub use self::told::read_webhook;
use super::App;
use super::db::stored_as_text;
use super::internal_error::InternalError;

/// The timeout of one call of a provider.
const CALL: Duration = Duration::from_secs(10);

/// After what time a provider may have forgotten an idempotency key: Stripe keeps them for 24 hours, others longer. A
/// refund that is older is looked for before it is made again.
const KEY_AGE: TimeDelta = TimeDelta::hours(23);

/// A payment provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "PaymentProvider")]
pub enum Provider {
    /// The sandbox of this server, for development: its checkout pages take no money.
    Sandbox,
    /// Stripe.
    Stripe,
    /// Razorpay.
    Razorpay,
    /// PayPal.
    Paypal,
}

stored_as_text!(Provider { Sandbox = "SANDBOX", Stripe = "STRIPE", Razorpay = "RAZORPAY", Paypal = "PAYPAL" });

impl Provider {
    /// Returns the provider whose webhooks are sent to `/webhooks/<name>`; `None` if there is none.
    pub fn of_webhook(name: &str) -> Option<Provider> {
        match name {
            "sandbox" => Some(Provider::Sandbox),
            "stripe" => Some(Provider::Stripe),
            "razorpay" => Some(Provider::Razorpay),
            "paypal" => Some(Provider::Paypal),
            _ => None,
        }
    }

    /// Whether a customer who has paid once can be charged again without a page ([`charge`]).
    pub fn charges_again(self) -> bool {
        self == Provider::Sandbox
    }

    /// Whether the provider charges each period itself, by a subscription that the first checkout starts.
    pub fn has_subscriptions(self) -> bool {
        match self {
            Provider::Stripe | Provider::Razorpay | Provider::Paypal => true,
            Provider::Sandbox => false,
        }
    }
}

/// Why a call of a provider failed.
#[derive(Debug)]
pub enum GatewayError {
    /// The provider is not set up anymore.
    Off,
    /// The provider did not answer in time. What was asked for may have happened.
    TimedOut,
    /// The provider refused for good; what it said.
    Refused(String),
    /// The provider could not be asked.
    Failed(InternalError),
}

impl fmt::Display for GatewayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GatewayError::Off => f.write_str("the payment provider is not set up"),
            GatewayError::TimedOut => f.write_str("the payment provider did not answer in time"),
            GatewayError::Refused(why) => write!(f, "the payment provider refused: {why}"),
            GatewayError::Failed(error) => write!(f, "the payment provider could not be asked: {}", error.report()),
        }
    }
}

impl std::error::Error for GatewayError {}

impl From<InternalError> for GatewayError {
    fn from(error: InternalError) -> GatewayError {
        GatewayError::Failed(error)
    }
}

/// A checkout at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    /// The provider's id.
    pub id: String,
    /// The URL of the page on which the customer pays.
    pub url: String,
}

/// What a provider knows of a checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckoutState {
    /// The customer can still pay.
    Open,
    /// The customer has done what they can, and the money is on its way, as with bank debits: it is not decided yet.
    Processing,
    /// The customer has paid.
    Paid,
    /// The payment has failed for good.
    Failed,
    /// The time to pay is over, or the checkout was closed.
    Expired,
}

/// What a provider knows of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The provider's id of the checkout.
    pub checkout: String,
    /// The provider's id of the money, once it has arrived; `None` at the sandbox.
    pub transaction: Option<String>,
    /// What has become of it.
    pub state: CheckoutState,
    /// The amount in minor units; 0 if that is not known, which is so only of money that has not arrived.
    pub amount_minor: i64,
    /// The currency (ISO 4217); empty where the amount is not known.
    pub currency: String,
    /// The provider's id of the subscription that the checkout has started.
    pub subscription: Option<String>,
}

impl Known {
    /// A checkout that is gone.
    fn expired(checkout: &str) -> Known {
        Known::in_state(checkout, CheckoutState::Expired)
    }

    /// A checkout of which no more is known.
    fn in_state(checkout: &str, state: CheckoutState) -> Known {
        let checkout = checkout.to_owned();
        Known { checkout, transaction: None, state, amount_minor: 0, currency: String::new(), subscription: None }
    }
}

/// An event that a provider tells by a webhook, without what is personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayEvent {
    /// The provider's id of the event, which is the same when it is sent again.
    pub id: String,
    /// The account at the provider.
    pub account: String,
    /// The provider's id of the checkout; empty if the provider does not tell.
    pub checkout: String,
    /// The provider's id of the money; `None` if it has not arrived, and at the sandbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// The id of the payment, as it was passed to [`create_checkout`]; empty if only the transaction or the
    /// subscription tells.
    pub reference: String,
    /// The amount in minor units: that of the payment, of the charge, of the refund, or the disputed one; 0 if the end of
    /// a subscription, or a charge that has failed, names none.
    pub amount_minor: i64,
    /// The currency (ISO 4217); empty where no amount is told.
    pub currency: String,
    /// The provider's id of the subscription that the checkout has started, or of the one that this is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<String>,
    /// What has happened.
    #[serde(flatten)]
    pub fact: GatewayFact,
}

/// What has happened at a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum GatewayFact {
    /// The customer has approved the payment: the money can be taken, by asking for its state. Or it is on its way, or
    /// has arrived, and only the state says so.
    #[serde(rename = "checkout.approved")]
    Approved,
    /// The customer has paid.
    #[serde(rename = "checkout.paid")]
    Paid,
    /// The payment has failed for good.
    #[serde(rename = "checkout.failed")]
    Failed,
    /// The time to pay is over, or the checkout was closed.
    #[serde(rename = "checkout.expired")]
    Expired,
    /// Money was refunded.
    #[serde(rename = "refund.created")]
    Refunded {
        /// The provider's id of the refund.
        refund: String,
        /// The id that was passed to [`refund`]; `None` if it was made at the provider.
        refund_reference: Option<String>,
    },
    /// A refund did not reach the customer: the money is back.
    #[serde(rename = "refund.failed")]
    RefundFailed {
        /// The provider's id of the refund.
        refund: String,
        /// The id that was passed to [`refund`]; `None` if it was made at the provider.
        refund_reference: Option<String>,
    },
    /// The provider has taken money back, because of a case that is told of apart, as a dispute, before or after.
    #[serde(rename = "payment.reversed")]
    Reversed {
        /// The provider's id of the reversal.
        reversal: String,
    },
    /// The customer's bank has taken the money back.
    #[serde(rename = "dispute.opened")]
    DisputeOpened {
        /// The provider's id of the dispute.
        dispute: String,
    },
    /// The dispute was won: the money is back.
    #[serde(rename = "dispute.won")]
    DisputeWon {
        /// The provider's id of the dispute.
        dispute: String,
    },
    /// The dispute was lost: the money is gone.
    #[serde(rename = "dispute.lost")]
    DisputeLost {
        /// The provider's id of the dispute.
        dispute: String,
    },
    /// A subscription has charged an interval. Not every provider names the money here: [`fetch_subscription`] does.
    #[serde(rename = "subscription.paid")]
    SubscriptionPaid,
    /// A charge of a subscription has failed; the provider tries again by itself.
    #[serde(rename = "subscription.failed")]
    SubscriptionFailed,
    /// The subscription charges nothing more.
    #[serde(rename = "subscription.ended")]
    SubscriptionEnded,
    /// Something that changes nothing here.
    #[serde(rename = "other")]
    Other {
        /// The provider's name of the kind of event.
        kind: String,
    },
}

impl GatewayFact {
    /// The name of the kind of event.
    pub fn kind(&self) -> &str {
        match self {
            GatewayFact::Approved => "checkout.approved",
            GatewayFact::Paid => "checkout.paid",
            GatewayFact::Failed => "checkout.failed",
            GatewayFact::Expired => "checkout.expired",
            GatewayFact::Refunded { .. } => "refund.created",
            GatewayFact::RefundFailed { .. } => "refund.failed",
            GatewayFact::Reversed { .. } => "payment.reversed",
            GatewayFact::DisputeOpened { .. } => "dispute.opened",
            GatewayFact::DisputeWon { .. } => "dispute.won",
            GatewayFact::DisputeLost { .. } => "dispute.lost",
            GatewayFact::SubscriptionPaid => "subscription.paid",
            GatewayFact::SubscriptionFailed => "subscription.failed",
            GatewayFact::SubscriptionEnded => "subscription.ended",
            GatewayFact::Other { kind } => kind,
        }
    }
}

/// Why a webhook is not one of the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unverified {
    /// The provider is not set up.
    Off,
    /// The signature is missing or wrong.
    Forged,
    /// The signature is too old, or from the future.
    Stale,
    /// The signature is right, and the body cannot be read.
    Malformed,
    /// What is needed to check it cannot be fetched now.
    Unavailable,
}

/// Whether a provider can charge this amount exactly. Some have amounts of their own in some currencies.
pub fn can_charge(provider: Provider, amount_minor: i64, currency: &str) -> bool {
    match provider {
        Provider::Sandbox => true,
        Provider::Stripe => stripe::amount(amount_minor, currency).is_some(),
        Provider::Razorpay => razorpay::can_charge(amount_minor, currency),
        Provider::Paypal => paypal::can_charge(amount_minor, currency),
    }
}

/// Creates a checkout. The same reference again returns the same checkout.
///
/// # Errors
/// See [`GatewayError`].
pub async fn create_checkout(app: &App, provider: Provider, new: &NewCheckout) -> Result<Checkout, GatewayError> {
    timed(async {
        match app.payments.of(provider)? {
            Gateway::Sandbox(sandbox) => sandbox.create_checkout(app, new).await,
            Gateway::Stripe(stripe) => stripe.create_checkout(app, new).await,
            Gateway::Razorpay(razorpay) => razorpay.create_checkout(app, new).await,
            Gateway::Paypal(paypal) => paypal.create_checkout(app, new).await,
        }
    })
    .await
}

/// Closes a checkout, so that it cannot be paid anymore. One that is paid stays paid.
///
/// # Errors
/// See [`GatewayError`].
pub async fn close_checkout(app: &App, provider: Provider, checkout: &str) -> Result<(), GatewayError> {
    timed(async {
        match app.payments.of(provider)? {
            Gateway::Sandbox(sandbox) => sandbox.close(app, checkout).await,
            Gateway::Stripe(stripe) => stripe.close(app, checkout).await,
            Gateway::Razorpay(razorpay) => razorpay.close(app, checkout).await,
            Gateway::Paypal(paypal) => paypal.close(app, checkout).await,
        }
    })
    .await
}

/// Charges what a customer has paid with before; returns what has become of it. The same reference again charges nothing
/// more.
///
/// # Errors
/// See [`GatewayError`]. Where [`Provider::charges_again`] is false, it is refused.
pub async fn charge(app: &App, provider: Provider, new: &NewCharge) -> Result<Known, GatewayError> {
    match app.payments.of(provider)? {
        Gateway::Sandbox(sandbox) => timed(sandbox.charge(app, new)).await,
        Gateway::Stripe(_) | Gateway::Razorpay(_) | Gateway::Paypal(_) => {
            Err(GatewayError::Refused("each period is paid on a page".into()))
        }
    }
}

/// Refunds a part of a paid checkout; returns the provider's id of the refund.
///
/// # Errors
/// See [`GatewayError`].
pub async fn refund(app: &App, provider: Provider, new: &NewRefund<'_>) -> Result<String, GatewayError> {
    timed(async {
        match app.payments.of(provider)? {
            Gateway::Sandbox(sandbox) => sandbox.refund(app, new.checkout, new.reference, new.amount_minor).await,
            Gateway::Stripe(stripe) => stripe.refund(app, new).await,
            Gateway::Razorpay(razorpay) => razorpay.refund(app, new).await,
            Gateway::Paypal(paypal) => paypal.refund(app, new).await,
        }
    })
    .await
}

/// Asks what has become of a payment; `None` if the provider has no checkout for it, as far as that is known.
///
/// # Errors
/// See [`GatewayError`].
pub async fn fetch_state(app: &App, asked: &Asked<'_>) -> Result<Option<Known>, GatewayError> {
    timed(async {
        match app.payments.of(asked.provider)? {
            Gateway::Sandbox(sandbox) => sandbox.fetch_state(app, asked.reference).await,
            Gateway::Stripe(stripe) => stripe.fetch_state(app, asked).await,
            Gateway::Razorpay(razorpay) => razorpay.fetch_state(app, asked).await,
            Gateway::Paypal(paypal) => paypal.fetch_state(app, asked).await,
        }
    })
    .await
}

/// Checks the signature of a webhook over its raw body, and reads it.
///
/// # Errors
/// See [`Unverified`].
pub async fn verify_webhook(
    payments: &Payments,
    provider: Provider,
    headers: &HeaderMap,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<GatewayEvent, Unverified> {
    match payments.of(provider).map_err(|_| Unverified::Off)? {
        Gateway::Sandbox(sandbox) => sandbox.verify(headers, body, now),
        Gateway::Stripe(stripe) => stripe.verify(headers, body, now),
        Gateway::Razorpay(razorpay) => razorpay.verify(headers, body, now),
        Gateway::Paypal(paypal) => paypal.verify(headers, body, now).await,
    }
}

async fn timed<T>(call: impl Future<Output = Result<T, GatewayError>>) -> Result<T, GatewayError> {
    tokio::time::timeout(CALL, call).await.unwrap_or(Err(GatewayError::TimedOut))
}
