//! Stripe: Checkout sessions, refunds and disputes.
//!
//! Source: <https://docs.stripe.com/api>, version `VERSION`.

pub mod tax;

use chrono::{DateTime, Utc};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{HeaderMap, Request};
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::client::Client;
use super::{
    Asked, Checkout, CheckoutState, GatewayError, GatewayEvent, GatewayFact, KEY_AGE, Known, NewCheckout, NewRefund,
    Told, Unverified, signature,
};
use crate::config::gateways::StripeSettings;
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// The version of the API whose forms this file reads.
const VERSION: &str = "2025-03-31.basil";
/// The header with the signature of a webhook.
const SIGNATURE: &str = "stripe-signature";
/// The longest title of a line item that is sent, in characters.
const LONGEST_TITLE: usize = 250;

/// An account at Stripe.
pub struct Stripe {
    settings: StripeSettings,
    client: Client,
}

/// A Checkout session: <https://docs.stripe.com/api/checkout/sessions/object>.
#[derive(Deserialize)]
struct Session {
    id: String,
    url: Option<String>,
    status: Option<String>,
    payment_status: String,
    amount_total: Option<i64>,
    currency: Option<String>,
    client_reference_id: Option<String>,
    payment_intent: Option<String>,
}

/// A refund: <https://docs.stripe.com/api/refunds/object>.
#[derive(Deserialize)]
struct Refund {
    id: String,
    amount: i64,
    currency: String,
    payment_intent: Option<String>,
    status: Option<String>,
    failure_reason: Option<String>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
struct Metadata {
    /// The id that was passed to [`Stripe::refund`].
    refund: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Refund>,
}

/// A dispute: <https://docs.stripe.com/api/disputes/object>.
#[derive(Deserialize)]
struct Dispute {
    id: String,
    amount: i64,
    currency: String,
    payment_intent: Option<String>,
    status: String,
}

/// An event: <https://docs.stripe.com/api/events/object>.
#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    /// The connected account; `None` for the account of the key.
    account: Option<String>,
    livemode: bool,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Value,
}

impl Stripe {
    /// Creates the client of an account.
    ///
    /// # Errors
    /// No root certificates are installed on this machine.
    pub fn new(settings: StripeSettings) -> Result<Stripe, InternalError> {
        Ok(Stripe { settings, client: Client::new("Stripe")? })
    }

    /// The school's account.
    pub fn account(&self) -> &str {
        &self.settings.account
    }

    pub(super) async fn create_checkout(&self, app: &App, new: &NewCheckout) -> Result<Checkout, GatewayError> {
        let back = new.return_url.as_deref().unwrap_or(&app.config.app_url);
        let amount = charged(new.amount_minor, &new.currency)?.to_string();
        let title: String = new.title.chars().take(LONGEST_TITLE).collect();
        let currency = new.currency.to_lowercase();
        let form = [
            ("mode", "payment"),
            ("client_reference_id", &new.reference),
            ("success_url", back),
            ("cancel_url", back),
            ("line_items[0][quantity]", "1"),
            ("line_items[0][price_data][currency]", &currency),
            ("line_items[0][price_data][unit_amount]", &amount),
            ("line_items[0][price_data][product_data][name]", &title),
            ("metadata[payment]", &new.reference),
            ("payment_intent_data[metadata][payment]", &new.reference),
        ];
        let session: Session =
            self.post(app, "checkout/sessions", &form, &format!("checkout-{}", new.reference)).await?;
        let url = session.url.ok_or_else(|| InternalError::new("a checkout of Stripe has no URL"))?;
        Ok(Checkout { id: session.id, url })
    }

    pub(super) async fn fetch_state(&self, app: &App, asked: &Asked<'_>) -> Result<Option<Known>, GatewayError> {
        // Stripe cannot be asked by our reference. Until the id is known, the session is created again by its key.
        let Some(checkout) = asked.checkout else { return Ok(None) };
        let session = self.session(app, checkout).await?;
        let state = match (session.status.as_deref(), session.payment_status.as_str()) {
            (_, "paid") => CheckoutState::Paid,
            (Some("expired"), _) => CheckoutState::Expired,
            // Complete and not paid: the money is on its way, as with bank debits.
            _ => CheckoutState::Open,
        };
        let Some((amount_minor, currency)) = session.amount() else {
            return Err(InternalError::new("a checkout of Stripe has no amount").into());
        };
        let (checkout, transaction) = (session.id, session.payment_intent);
        Ok(Some(Known { checkout, transaction, state, amount_minor, currency, subscription: None }))
    }

    pub(super) async fn close(&self, app: &App, checkout: &str) -> Result<(), GatewayError> {
        let path = format!("checkout/sessions/{checkout}/expire");
        match self.post::<Session>(app, &path, &[], &format!("expire-{checkout}")).await {
            Ok(_) => Ok(()),
            // It is complete or expired already.
            Err(GatewayError::Refused(why)) => match self.session(app, checkout).await?.status.as_deref() {
                Some("open") => Err(GatewayError::Refused(why)),
                _ => Ok(()),
            },
            Err(error) => Err(error),
        }
    }

    pub(super) async fn refund(&self, app: &App, new: &NewRefund<'_>) -> Result<String, GatewayError> {
        let intent = new.transaction.ok_or_else(|| GatewayError::Refused("the payment has not arrived".into()))?;
        let amount = charged(new.amount_minor, new.currency)?.to_string();
        if app.clock.now() - new.requested_at > KEY_AGE {
            // The key may be forgotten: an earlier attempt whose answer was lost is found by its reference.
            let page: Page = self.get(app, &format!("refunds?limit=100&payment_intent={intent}")).await?;
            let is_same = |refund: &Refund| refund.metadata.refund.as_deref() == Some(new.reference);
            if let Some(made) = page.data.into_iter().find(is_same) {
                return made.accepted();
            }
        }
        let form = [("payment_intent", intent), ("amount", &amount), ("metadata[refund]", new.reference)];
        let made: Refund = self.post(app, "refunds", &form, &format!("refund-{}", new.reference)).await?;
        made.accepted()
    }

    pub(super) fn verify(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<GatewayEvent, Unverified> {
        let header = headers.get(SIGNATURE).and_then(|value| value.to_str().ok()).ok_or(Unverified::Forged)?;
        signature::verify(self.settings.webhook_secret.as_bytes(), header, body, now)?;
        let event: Event = serde_json::from_slice(body).map_err(|_| Unverified::Malformed)?;
        read(&self.settings, event).map_err(|_| Unverified::Malformed)
    }

    async fn session(&self, app: &App, id: &str) -> Result<Session, GatewayError> {
        self.get(app, &format!("checkout/sessions/{id}")).await
    }

    async fn get<T: for<'a> Deserialize<'a>>(&self, app: &App, path: &str) -> Result<T, GatewayError> {
        let request = self.request(Request::get(format!("{}/v1/{path}", self.settings.url)));
        self.client.call(request.body(String::new()), app.clock.now()).await
    }

    async fn post<T: for<'a> Deserialize<'a>>(
        &self,
        app: &App,
        path: &str,
        form: &[(&str, &str)],
        key: &str,
    ) -> Result<T, GatewayError> {
        let request = self.request(Request::post(format!("{}/v1/{path}", self.settings.url)));
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").header("idempotency-key", key);
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        self.client.call(request.body(body), app.clock.now()).await
    }

    fn request(&self, request: hyper::http::request::Builder) -> hyper::http::request::Builder {
        let bearer = format!("Bearer {}", self.settings.key);
        request.header(AUTHORIZATION, bearer).header("stripe-version", VERSION)
    }
}

impl Session {
    fn amount(&self) -> Option<(i64, String)> {
        minor(self.amount_total?, self.currency.as_deref()?)
    }
}

impl Refund {
    /// Returns the id, unless the refund has failed at once.
    fn accepted(self) -> Result<String, GatewayError> {
        match self.status.as_deref() {
            Some("failed" | "canceled") => Err(GatewayError::Refused(self.failure_reason.unwrap_or_default())),
            _ => Ok(self.id),
        }
    }
}

/// Reads an event. What changes nothing here, and what is of another kind of checkout, is `Other`.
fn read(settings: &StripeSettings, event: Event) -> Result<GatewayEvent, serde_json::Error> {
    let Event { id, kind, account, livemode, data } = event;
    let account = account.unwrap_or_else(|| settings.account.clone());
    // A live endpoint is never told of tests; if it is, they are of another account.
    let account = if livemode == settings.is_test() { format!("{account}/livemode={livemode}") } else { account };
    let told = match kind.as_str() {
        "checkout.session.completed"
        | "checkout.session.async_payment_succeeded"
        | "checkout.session.async_payment_failed"
        | "checkout.session.expired" => of_session(&kind, serde_json::from_value(data.object)?),
        "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
            of_refund(serde_json::from_value(data.object)?)
        }
        "charge.dispute.created" | "charge.dispute.funds_withdrawn" | "charge.dispute.closed" => {
            of_dispute(&kind, serde_json::from_value(data.object)?)
        }
        _ => None,
    };
    Ok(told.unwrap_or_else(|| Told::other(kind)).into_event(id, account))
}

fn of_session(kind: &str, session: Session) -> Option<Told> {
    let fact = match (kind, session.payment_status.as_str()) {
        ("checkout.session.expired", _) => GatewayFact::Expired,
        ("checkout.session.async_payment_failed", _) => GatewayFact::Failed,
        (_, "paid") => GatewayFact::Paid,
        // The money is on its way.
        _ => return None,
    };
    let amount = session.amount()?;
    // Without a reference, another program has made it.
    let reference = session.client_reference_id?;
    Some(Told { checkout: session.id, transaction: session.payment_intent, reference, amount, fact })
}

fn of_refund(told: Refund) -> Option<Told> {
    let (refund, refund_reference) = (told.id, told.metadata.refund);
    let fact = match told.status.as_deref() {
        Some("succeeded" | "pending") => GatewayFact::Refunded { refund, refund_reference },
        Some("failed" | "canceled") => GatewayFact::RefundFailed { refund, refund_reference },
        _ => return None,
    };
    let amount = minor(told.amount, &told.currency)?;
    Some(Told::of_transaction(told.payment_intent?, amount, fact))
}

fn of_dispute(kind: &str, told: Dispute) -> Option<Told> {
    let dispute = told.id;
    let fact = match (kind, told.status.as_str()) {
        ("charge.dispute.closed", "won") => GatewayFact::DisputeWon { dispute },
        ("charge.dispute.closed", "lost") => GatewayFact::DisputeLost { dispute },
        // Inquiries and warnings: the money stays.
        ("charge.dispute.closed", _) => return None,
        (_, status) if status.starts_with("warning") => return None,
        _ => GatewayFact::DisputeOpened { dispute },
    };
    let amount = minor(told.amount, &told.currency)?;
    Some(Told::of_transaction(told.payment_intent?, amount, fact))
}

/// How Stripe counts the minor units of a currency, compared with ISO 4217.
enum Units {
    /// In the same way.
    Same,
    /// The least amount is so many minor units of ISO 4217, and so many of Stripe.
    Steps(i64, i64),
    /// It is not known for sure.
    Unknown,
}

/// Source: <https://docs.stripe.com/currencies>, "Zero-decimal", "Three-decimal", "Special cases".
fn units(currency: &str) -> Units {
    match currency {
        // Whole krónur, counted in hundredths.
        "ISK" => Units::Steps(1, 100),
        // Two decimals in ISO 4217, none at Stripe.
        "MGA" => Units::Steps(100, 1),
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => Units::Steps(10, 10),
        // Its page lists it among those without decimals and among those that are counted in hundredths.
        "UGX" => Units::Unknown,
        _ => Units::Same,
    }
}

/// Converts minor units of ISO 4217 to those of Stripe; `None` if Stripe cannot charge the amount exactly.
pub(super) fn amount(minor: i64, currency: &str) -> Option<i64> {
    match units(currency) {
        Units::Same => Some(minor),
        Units::Steps(iso, stripe) if minor % iso == 0 => (minor / iso).checked_mul(stripe),
        Units::Steps(..) | Units::Unknown => None,
    }
}

/// Converts what Stripe says to minor units of ISO 4217 and its code.
fn minor(amount: i64, currency: &str) -> Option<(i64, String)> {
    let currency = currency.to_uppercase();
    let minor = match units(&currency) {
        Units::Same => amount,
        Units::Steps(iso, stripe) if amount % stripe == 0 => (amount / stripe).checked_mul(iso)?,
        Units::Steps(..) | Units::Unknown => return None,
    };
    Some((minor, currency))
}

fn charged(minor: i64, currency: &str) -> Result<i64, GatewayError> {
    amount(minor, currency).ok_or_else(|| GatewayError::Refused(format!("no such amount of {currency} can be charged")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_exponents_of_stripe() {
        for (iso, currency, stripe) in [
            (1990, "EUR", Some(1990)),
            (500, "JPY", Some(500)),
            (5, "ISK", Some(500)),
            (500, "MGA", Some(5)),
            (550, "MGA", None),
            (5120, "KWD", Some(5120)),
            (5124, "KWD", None),
            (1990, "HUF", Some(1990)),
            (1990, "TWD", Some(1990)),
            (1, "UGX", None),
        ] {
            assert_eq!(amount(iso, currency), stripe, "{iso} {currency}");
            if let Some(stripe) = stripe {
                assert_eq!(minor(stripe, &currency.to_lowercase()), Some((iso, currency.to_owned())));
            }
        }
    }
}
