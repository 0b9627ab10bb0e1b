//! Payment providers: checkouts, refunds, and the verification of their webhooks.
//!
//! A customer pays on a page of the provider, so no card data is ever seen here. What has become of a checkout, the
//! provider tells by a webhook, and when it is asked ([`fetch_state`]); either may come first, or twice.

pub mod sandbox;
mod signature;

use std::fmt;
use std::time::Duration;

use async_graphql::Enum;
use chrono::{DateTime, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use hyper::HeaderMap;
use serde::{Deserialize, Serialize};

use self::sandbox::Sandbox;
use super::App;
use super::db::stored_as_text;
use super::internal_error::InternalError;

/// The timeout of one call of a provider.
const CALL: Duration = Duration::from_secs(8);

/// A payment provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "PaymentProvider")]
pub enum Provider {
    /// The sandbox of this server, for development: its checkout pages take no money.
    Sandbox,
}

stored_as_text!(Provider { Sandbox = "SANDBOX" });

impl Provider {
    /// Returns the provider whose webhooks are sent to `/webhooks/<name>`; `None` if there is none.
    pub fn of_webhook(name: &str) -> Option<Provider> {
        match name {
            "sandbox" => Some(Provider::Sandbox),
            _ => None,
        }
    }
}

/// The providers that are set up.
pub struct Payments {
    sandbox: Option<Sandbox>,
}

impl Payments {
    /// Creates the providers; `None` to take no payments.
    pub fn new(sandbox: Option<Sandbox>) -> Payments {
        Payments { sandbox }
    }

    /// The provider of new payments, and the school's account there; `None` if none is set up.
    pub fn of_new_orders(&self) -> Option<(Provider, &str)> {
        self.sandbox.as_ref().map(|sandbox| (Provider::Sandbox, sandbox.account()))
    }

    /// The providers that are told of plans.
    pub fn of_plans(&self) -> Vec<Provider> {
        self.sandbox.iter().map(|_| Provider::Sandbox).collect()
    }

    /// The sandbox; `None` if it is off.
    pub fn sandbox(&self) -> Option<&Sandbox> {
        self.sandbox.as_ref()
    }

    fn of(&self, provider: Provider) -> Result<&Sandbox, GatewayError> {
        match provider {
            Provider::Sandbox => self.sandbox.as_ref().ok_or(GatewayError::Off),
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
    /// The provider refused; what it said.
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
    pub return_url: Option<String>,
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
    /// The customer has paid.
    Paid,
    /// The payment has failed for good.
    Failed,
}

/// What a provider knows of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The provider's id of the checkout.
    pub checkout: String,
    /// What has become of it.
    pub state: CheckoutState,
    /// The amount in minor units.
    pub amount_minor: i64,
    /// The currency (ISO 4217).
    pub currency: String,
}

/// An event that a provider tells by a webhook, without what is personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayEvent {
    /// The provider's id of the event, which is the same when it is sent again.
    pub id: String,
    /// The account at the provider.
    pub account: String,
    /// The provider's id of the checkout.
    pub checkout: String,
    /// The id of the payment, as it was passed to [`create_checkout`].
    pub reference: String,
    /// The amount in minor units: that of the payment, of the refund, or the disputed one.
    pub amount_minor: i64,
    /// The currency (ISO 4217).
    pub currency: String,
    /// What has happened.
    #[serde(flatten)]
    pub fact: GatewayFact,
}

/// What has happened at a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum GatewayFact {
    /// The customer has paid.
    #[serde(rename = "checkout.paid")]
    Paid,
    /// The payment has failed for good.
    #[serde(rename = "checkout.failed")]
    Failed,
    /// Money was refunded.
    #[serde(rename = "refund.created")]
    Refunded {
        /// The provider's id of the refund.
        refund: String,
        /// The id that was passed to [`refund`]; `None` if it was made at the provider.
        refund_reference: Option<String>,
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
}

impl GatewayFact {
    /// The name of the kind of event.
    pub fn kind(&self) -> &'static str {
        match self {
            GatewayFact::Paid => "checkout.paid",
            GatewayFact::Failed => "checkout.failed",
            GatewayFact::Refunded { .. } => "refund.created",
            GatewayFact::DisputeOpened { .. } => "dispute.opened",
            GatewayFact::DisputeWon { .. } => "dispute.won",
            GatewayFact::DisputeLost { .. } => "dispute.lost",
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
    /// The body cannot be read.
    Malformed,
}

/// Creates a checkout. The same reference again returns the same checkout.
///
/// # Errors
/// See [`GatewayError`].
pub async fn create_checkout(app: &App, provider: Provider, new: &NewCheckout) -> Result<Checkout, GatewayError> {
    timed(app.payments.of(provider)?.create_checkout(app, new)).await
}

/// Refunds `amount_minor` of a paid checkout; returns the provider's id of the refund. The same reference again refunds
/// nothing more.
///
/// # Errors
/// See [`GatewayError`].
pub async fn refund(
    app: &App,
    provider: Provider,
    checkout: &str,
    reference: &str,
    amount_minor: i64,
) -> Result<String, GatewayError> {
    timed(app.payments.of(provider)?.refund(app, checkout, reference, amount_minor)).await
}

/// Charges what a customer has paid with before; returns what has become of it. The same reference again charges nothing
/// more.
///
/// # Errors
/// See [`GatewayError`].
pub async fn charge(app: &App, provider: Provider, new: &NewCharge) -> Result<Known, GatewayError> {
    timed(app.payments.of(provider)?.charge(app, new)).await
}

/// Creates a price of a plan; returns the provider's id. The same reference again creates nothing more.
///
/// # Errors
/// See [`GatewayError`].
pub async fn create_plan(app: &App, provider: Provider, new: &GatewayPlan) -> Result<String, GatewayError> {
    let sandbox = app.payments.of(provider)?;
    timed(async { sandbox.create_plan(new) }).await
}

/// Retires a price of a plan, so that nothing new is bought for it. `external_id` is `None` if the answer to its creation
/// was lost, or it was never created. Doing it again does nothing.
///
/// # Errors
/// See [`GatewayError`].
pub async fn retire_plan(
    app: &App,
    provider: Provider,
    reference: &str,
    external_id: Option<&str>,
) -> Result<(), GatewayError> {
    let sandbox = app.payments.of(provider)?;
    timed(async { sandbox.retire_plan(reference, external_id) }).await
}

/// Asks what has become of the payment `reference`; `None` if the provider has no checkout for it.
///
/// # Errors
/// See [`GatewayError`].
pub async fn fetch_state(app: &App, provider: Provider, reference: &str) -> Result<Option<Known>, GatewayError> {
    timed(app.payments.of(provider)?.fetch_state(app, reference)).await
}

/// Checks the signature of a webhook over its raw body, and reads it.
///
/// # Errors
/// See [`Unverified`].
pub fn verify_webhook(
    payments: &Payments,
    provider: Provider,
    headers: &HeaderMap,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<GatewayEvent, Unverified> {
    payments.of(provider).map_err(|_| Unverified::Off)?.verify(headers, body, now)
}

async fn timed<T>(call: impl Future<Output = Result<T, GatewayError>>) -> Result<T, GatewayError> {
    tokio::time::timeout(CALL, call).await.unwrap_or(Err(GatewayError::TimedOut))
}
