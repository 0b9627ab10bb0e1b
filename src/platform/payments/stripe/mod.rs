//! Stripe: Checkout sessions, refunds and disputes, and subscriptions.
//!
//! Source: <https://docs.stripe.com/api>, version `VERSION`.

mod amount;
mod follow_up;
mod subscription;
pub mod tax;

use chrono::{DateTime, Utc};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{HeaderMap, Request};
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded::Serializer;

pub(super) use self::amount::amount;
use self::amount::{charged, minor};
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
    /// What the session has started; `None` in the mode `payment`.
    subscription: Option<String>,
    /// What a session that starts a subscription is paid by: the id, or all of it if it was asked for.
    invoice: Option<Value>,
}

/// A payment intent: <https://docs.stripe.com/api/payment_intents/object>.
#[derive(Deserialize)]
struct Intent {
    status: String,
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
        let back = new.return_url.as_str();
        let amount = charged(new.amount_minor, &new.currency)?.to_string();
        let title: String = new.title.chars().take(LONGEST_TITLE).collect();
        let currency = new.currency.to_lowercase();
        let subscription = new.subscription.as_ref();
        let trial_end = subscription.map(|new| new.starts_at.timestamp().to_string()).unwrap_or_default();
        let mut form = vec![
            ("mode", if subscription.is_some() { "subscription" } else { "payment" }),
            ("client_reference_id", new.reference.as_str()),
            ("success_url", back),
            ("cancel_url", back),
            ("line_items[0][quantity]", "1"),
            ("line_items[0][price_data][currency]", currency.as_str()),
            ("line_items[0][price_data][unit_amount]", amount.as_str()),
            ("line_items[0][price_data][product_data][name]", title.as_str()),
            ("metadata[payment]", new.reference.as_str()),
        ];
        let key = match subscription {
            Some(starts) => {
                // The first amount is on the first invoice alone, which is paid at once though the trial has begun.
                form.extend([
                    ("line_items[1][quantity]", "1"),
                    ("line_items[1][price]", starts.plan.as_str()),
                    ("subscription_data[trial_end]", trial_end.as_str()),
                    ("subscription_data[metadata][payment]", new.reference.as_str()),
                ]);
                format!("subscribe-{trial_end}-{}", new.reference)
            }
            None => {
                form.push(("payment_intent_data[metadata][payment]", new.reference.as_str()));
                format!("checkout-{}", new.reference)
            }
        };
        let session: Session = self.post(app, "checkout/sessions", &form, &key).await?;
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
            (Some("complete"), "unpaid") => self.debited(app, &session).await?,
            _ => CheckoutState::Open,
        };
        let Some((amount_minor, currency)) = session.amount() else {
            return Err(InternalError::new("a checkout of Stripe has no amount").into());
        };
        let Session { id: checkout, payment_intent, subscription, invoice, .. } = session;
        let transaction = payment_intent.or_else(|| subscription::intent_of(invoice?));
        if state == CheckoutState::Paid && subscription.is_some() && transaction.is_none() {
            return Err(InternalError::new("the first invoice of a subscription of Stripe names no payment").into());
        }
        Ok(Some(Known { checkout, transaction, state, amount_minor, currency, subscription }))
    }

    /// What has become of the money of a session that is complete and was not paid at once. The session stays unpaid
    /// when a bank debit fails; its payment intent tells.
    async fn debited(&self, app: &App, session: &Session) -> Result<CheckoutState, GatewayError> {
        let of_invoice = || subscription::open_intent_of(session.invoice.clone()?);
        let Some(id) = session.payment_intent.clone().or_else(of_invoice) else {
            return Ok(CheckoutState::Processing);
        };
        let intent: Intent = self.get(app, &format!("payment_intents/{id}")).await?;
        Ok(match intent.status.as_str() {
            "requires_payment_method" | "canceled" => CheckoutState::Failed,
            _ => CheckoutState::Processing,
        })
    }

    pub(super) async fn close(&self, app: &App, checkout: &str) -> Result<(), GatewayError> {
        let path = format!("checkout/sessions/{checkout}/expire");
        match self.post::<Session>(app, &path, &[], &format!("expire-{checkout}")).await {
            Ok(_) => Ok(()),
            // It is complete or expired already.
            Err(GatewayError::Refused(why)) => {
                let session = self.session(app, checkout).await?;
                match (session.status.as_deref(), session.payment_status.as_str(), session.subscription) {
                    (Some("open"), ..) => Err(GatewayError::Refused(why)),
                    // The money did not come, or not yet. What was started is not to charge later.
                    (_, "unpaid", Some(subscription)) => self.end_subscription(app, &subscription).await,
                    _ => Ok(()),
                }
            }
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
        self.read(body)
    }

    /// Reads an event that was verified.
    pub(super) fn read(&self, body: &[u8]) -> Result<GatewayEvent, Unverified> {
        let event: Event = serde_json::from_slice(body).map_err(|_| Unverified::Malformed)?;
        read(&self.settings, event).map_err(|_| Unverified::Malformed)
    }

    async fn session(&self, app: &App, id: &str) -> Result<Session, GatewayError> {
        self.get(app, &format!("checkout/sessions/{id}?expand%5B%5D=invoice.payments")).await
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

    async fn delete<T: for<'a> Deserialize<'a>>(&self, app: &App, path: &str) -> Result<T, GatewayError> {
        let request = self.request(Request::delete(format!("{}/v1/{path}", self.settings.url)));
        self.client.call(request.body(String::new()), app.clock.now()).await
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
        "invoice.paid" | "invoice.payment_failed" => {
            subscription::of_invoice(&kind, serde_json::from_value(data.object)?)
        }
        "customer.subscription.deleted" => subscription::of_ended(serde_json::from_value(data.object)?),
        _ => None,
    };
    Ok(told.unwrap_or_else(|| Told::other(kind)).into_event(id, account))
}

fn of_session(kind: &str, session: Session) -> Option<Told> {
    let fact = match (kind, session.payment_status.as_str()) {
        ("checkout.session.expired", _) => GatewayFact::Expired,
        ("checkout.session.async_payment_failed", _) => GatewayFact::Failed,
        // Its invoice names the money, which is not sent along: that is asked for.
        (_, "paid") if session.subscription.is_some() => GatewayFact::Approved,
        (_, "paid") => GatewayFact::Paid,
        // The money is on its way, as with bank debits.
        ("checkout.session.completed", "unpaid") => GatewayFact::Approved,
        _ => return None,
    };
    let amount = session.amount()?;
    // Without a reference, another program has made it.
    let reference = session.client_reference_id?;
    let Session { id: checkout, payment_intent: transaction, subscription, .. } = session;
    Some(Told { checkout, transaction, reference, amount, subscription, fact })
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
