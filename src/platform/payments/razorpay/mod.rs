//! Razorpay: payment links, refunds and disputes, and subscriptions.
//!
//! A payment link is Razorpay's page for one payment. Its `reference_id` is unique at Razorpay, so it is the
//! idempotency key of the creation.
//!
//! Source: <https://razorpay.com/docs/api/payments/payment-links/>, <https://razorpay.com/docs/api/refunds/>,
//! <https://razorpay.com/docs/webhooks/>.

mod follow_up;
mod subscription;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{HeaderMap, Request};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::client::Client;
use super::{
    Asked, Checkout, CheckoutState, GatewayError, GatewayEvent, GatewayFact, KEY_AGE, Known, NewCheckout, NewRefund,
    Told, Unverified,
};
use crate::config::gateways::RazorpaySettings;
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// The header with the signature of a webhook.
const SIGNATURE: &str = "x-razorpay-signature";
/// The header with the id of an event, which is the same when it is sent again.
const EVENT_ID: &str = "x-razorpay-event-id";
/// How old an event may be. Razorpay sends one again for 24 hours, with the time of the first attempt.
const TOLERANCE: TimeDelta = TimeDelta::days(3);
/// The longest title of a link that is sent, in characters.
const LONGEST_TITLE: usize = 250;

/// An account at Razorpay.
pub struct Razorpay {
    settings: RazorpaySettings,
    client: Client,
}

/// A payment link.
#[derive(Deserialize)]
struct Link {
    id: String,
    reference_id: Option<String>,
    short_url: Option<String>,
    amount: i64,
    currency: String,
    status: String,
    #[serde(default)]
    payments: Option<Vec<LinkPayment>>,
}

#[derive(Deserialize)]
struct LinkPayment {
    payment_id: String,
    status: String,
}

#[derive(Deserialize)]
struct Links {
    payment_links: Vec<Link>,
}

#[derive(Deserialize)]
struct Payment {
    id: String,
    amount: i64,
    currency: String,
    status: Option<String>,
    /// Seconds since 1970.
    created_at: Option<i64>,
}

#[derive(Deserialize)]
struct Refund {
    id: String,
    payment_id: String,
    amount: i64,
    currency: String,
    /// An empty list if there are none.
    #[serde(default)]
    notes: Value,
    status: Option<String>,
}

#[derive(Deserialize)]
struct Refunds {
    items: Vec<Refund>,
}

#[derive(Deserialize)]
struct Dispute {
    id: String,
    payment_id: String,
    amount: i64,
    currency: String,
    phase: Option<String>,
}

#[derive(Deserialize)]
struct Event {
    account_id: String,
    event: String,
    /// Seconds since 1970.
    created_at: i64,
    payload: Value,
}

impl Razorpay {
    /// Creates the client of an account.
    ///
    /// # Errors
    /// No root certificates are installed on this machine.
    pub fn new(settings: RazorpaySettings) -> Result<Razorpay, InternalError> {
        Ok(Razorpay { settings, client: Client::new("Razorpay")? })
    }

    /// The school's account.
    pub fn account(&self) -> &str {
        &self.settings.account
    }

    pub(super) async fn create_checkout(&self, app: &App, new: &NewCheckout) -> Result<Checkout, GatewayError> {
        if let Some(starts) = &new.subscription {
            return self.subscribe(app, new, starts).await;
        }
        let body = json!({
            "amount": new.amount_minor,
            "currency": new.currency,
            "accept_partial": false,
            "reference_id": new.reference,
            "description": new.title.chars().take(LONGEST_TITLE).collect::<String>(),
            "notify": { "sms": false, "email": false },
            "reminder_enable": false,
            "notes": { "payment": new.reference },
            "callback_url": new.return_url,
            "callback_method": "get",
        });
        let made = match self.post::<Link>(app, "payment_links", &body, None).await {
            // Its creation was answered, and the answer lost.
            Err(GatewayError::Refused(why)) if why.contains("already exists") => {
                self.by_reference(app, &new.reference).await?.ok_or(GatewayError::Refused(why))?
            }
            made => made?,
        };
        let url = made.short_url.ok_or_else(|| InternalError::new("a payment link of Razorpay has no URL"))?;
        Ok(Checkout { id: made.id, url })
    }

    pub(super) async fn fetch_state(&self, app: &App, asked: &Asked<'_>) -> Result<Option<Known>, GatewayError> {
        let link = match asked.checkout {
            Some(id) if subscription::is_id(id) => return self.first_payment(app, id).await.map(Some),
            Some(id) => self.link(app, id).await?,
            // The list may leave payments out.
            None => match self.by_reference(app, asked.reference).await? {
                Some(link) => self.link(app, &link.id).await?,
                None => return self.first_payment_by_reference(app, asked.reference).await,
            },
        };
        let transaction = link.captured();
        let state = match link.status.as_str() {
            "paid" if transaction.is_some() => CheckoutState::Paid,
            "expired" | "cancelled" => CheckoutState::Expired,
            _ => CheckoutState::Open,
        };
        let Link { id: checkout, amount: amount_minor, currency, .. } = link;
        Ok(Some(Known { checkout, transaction, state, amount_minor, currency, subscription: None }))
    }

    pub(super) async fn close(&self, app: &App, checkout: &str) -> Result<(), GatewayError> {
        if subscription::is_id(checkout) {
            return self.end_unpaid(app, checkout).await;
        }
        match self.post::<Value>(app, &format!("payment_links/{checkout}/cancel"), &json!({}), None).await {
            Err(GatewayError::Refused(why)) => match self.link(app, checkout).await?.status.as_str() {
                "created" => Err(GatewayError::Refused(why)),
                _ => Ok(()),
            },
            outcome => outcome.map(drop),
        }
    }

    pub(super) async fn refund(&self, app: &App, new: &NewRefund<'_>) -> Result<String, GatewayError> {
        let payment = new.transaction.ok_or_else(|| GatewayError::Refused("the payment has not arrived".into()))?;
        if app.clock.now() - new.requested_at > KEY_AGE {
            let made: Refunds = self.get(app, &format!("payments/{payment}/refunds?count=100")).await?;
            let is_same = |refund: &Refund| refund.own() == Some(new.reference);
            if let Some(made) = made.items.into_iter().find(is_same) {
                return made.accepted();
            }
        }
        let body = json!({
            "amount": new.amount_minor,
            "speed": "normal",
            "receipt": new.reference,
            "notes": { "refund": new.reference },
        });
        let path = format!("payments/{payment}/refund");
        let made: Refund = self.post(app, &path, &body, Some(("x-refund-idempotency", new.reference))).await?;
        made.accepted()
    }

    /// Checks the signature and reads the event. The id is in a header that is not signed: an event that is sent again
    /// with another id changes nothing more, because what it says has happened.
    pub(super) fn verify(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<GatewayEvent, Unverified> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let signature = header(SIGNATURE).and_then(|text| hex::decode(text).ok()).ok_or(Unverified::Forged)?;
        let is_of = |secret: &String| {
            let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
            mac.is_ok_and(|mac| mac.chain_update(body).verify_slice(&signature).is_ok())
        };
        if !self.settings.webhook_secrets.iter().any(is_of) {
            return Err(Unverified::Forged);
        }
        let event: Event = serde_json::from_slice(body).map_err(|_| Unverified::Malformed)?;
        let sent = DateTime::from_timestamp(event.created_at, 0).ok_or(Unverified::Malformed)?;
        if (now - sent).abs() > TOLERANCE {
            return Err(Unverified::Stale);
        }
        let id = header(EVENT_ID).map_or_else(|| hex::encode(Sha256::digest(body)), str::to_owned);
        read(id, event).map_err(|_| Unverified::Malformed)
    }

    /// Reads an event that was verified before, without its headers.
    pub(super) fn read(body: &[u8]) -> Result<GatewayEvent, Unverified> {
        let event: Event = serde_json::from_slice(body).map_err(|_| Unverified::Malformed)?;
        read(hex::encode(Sha256::digest(body)), event).map_err(|_| Unverified::Malformed)
    }

    async fn by_reference(&self, app: &App, reference: &str) -> Result<Option<Link>, GatewayError> {
        let mut found: Links = self.get(app, &format!("payment_links?reference_id={reference}")).await?;
        found.payment_links.retain(|link| link.reference_id.as_deref() == Some(reference));
        Ok(found.payment_links.pop())
    }

    async fn link(&self, app: &App, id: &str) -> Result<Link, GatewayError> {
        self.get(app, &format!("payment_links/{id}")).await
    }

    async fn get<T: for<'a> Deserialize<'a>>(&self, app: &App, path: &str) -> Result<T, GatewayError> {
        let request = Request::get(format!("{}/v1/{path}", self.settings.url)).header(AUTHORIZATION, self.basic());
        self.client.call(request.body(String::new()), app.clock.now()).await
    }

    async fn post<T: for<'a> Deserialize<'a>>(
        &self,
        app: &App,
        path: &str,
        body: &Value,
        key: Option<(&str, &str)>,
    ) -> Result<T, GatewayError> {
        let request = Request::post(format!("{}/v1/{path}", self.settings.url)).header(AUTHORIZATION, self.basic());
        let mut request = request.header(CONTENT_TYPE, "application/json");
        if let Some((name, key)) = key {
            request = request.header(name, key);
        }
        self.client.call(request.body(body.to_string()), app.clock.now()).await
    }

    fn basic(&self) -> String {
        let pair = format!("{}:{}", self.settings.key_id, self.settings.key_secret);
        format!("Basic {}", BASE64_STANDARD.encode(pair))
    }
}

impl Link {
    /// Returns the id of the payment that has arrived.
    fn captured(&self) -> Option<String> {
        let payments = self.payments.as_deref().unwrap_or_default();
        payments.iter().find(|payment| payment.status == "captured").map(|payment| payment.payment_id.clone())
    }
}

impl Refund {
    /// Returns the id that was passed to [`Razorpay::refund`].
    fn own(&self) -> Option<&str> {
        self.notes.get("refund")?.as_str()
    }

    /// Returns the id, unless the refund has failed at once.
    fn accepted(self) -> Result<String, GatewayError> {
        match self.status.as_deref() {
            Some("failed") => Err(GatewayError::Refused("the refund failed".into())),
            _ => Ok(self.id),
        }
    }
}

/// Reads an event. What changes nothing here is `Other`.
fn read(id: String, event: Event) -> Result<GatewayEvent, serde_json::Error> {
    let Event { account_id: account, event: kind, payload, .. } = event;
    let entity = |name: &str| payload.get(name).and_then(|part| part.get("entity")).cloned().unwrap_or_default();
    let told = match kind.as_str() {
        "payment_link.paid" => {
            of_paid(serde_json::from_value(entity("payment_link"))?, serde_json::from_value(entity("payment"))?)
        }
        "payment_link.expired" | "payment_link.cancelled" => {
            of_expired(serde_json::from_value(entity("payment_link"))?)
        }
        "refund.created" | "refund.processed" | "refund.failed" => {
            Some(of_refund(&kind, serde_json::from_value(entity("refund"))?))
        }
        "payment.dispute.created" | "payment.dispute.won" | "payment.dispute.lost" | "payment.dispute.closed" => {
            of_dispute(&kind, serde_json::from_value(entity("dispute"))?)
        }
        kind if subscription::KINDS.contains(&kind) => subscription::of_event(
            kind,
            serde_json::from_value(entity("subscription"))?,
            serde_json::from_value(entity("payment"))?,
        ),
        _ => None,
    };
    Ok(told.unwrap_or_else(|| Told::other(kind)).into_event(id, account))
}

fn of_paid(link: Link, payment: Payment) -> Option<Told> {
    let (amount, transaction) = ((payment.amount, payment.currency), Some(payment.id));
    // Without a reference, another program has made it.
    let reference = link.reference_id.filter(|reference| !reference.is_empty())?;
    Some(Told { checkout: link.id, transaction, reference, amount, subscription: None, fact: GatewayFact::Paid })
}

fn of_expired(link: Link) -> Option<Told> {
    let amount = (link.amount, link.currency);
    let reference = link.reference_id.filter(|reference| !reference.is_empty())?;
    let (checkout, fact) = (link.id, GatewayFact::Expired);
    Some(Told { checkout, transaction: None, reference, amount, subscription: None, fact })
}

fn of_refund(kind: &str, told: Refund) -> Told {
    let (refund_reference, refund) = (told.own().map(str::to_owned), told.id);
    let fact = match kind {
        "refund.failed" => GatewayFact::RefundFailed { refund, refund_reference },
        _ => GatewayFact::Refunded { refund, refund_reference },
    };
    Told::of_transaction(told.payment_id, (told.amount, told.currency), fact)
}

fn of_dispute(kind: &str, told: Dispute) -> Option<Told> {
    // Questions of a bank, and reports of fraud: no money is taken.
    if told.phase.as_deref().is_some_and(|phase| ["retrieval", "fraud"].contains(&phase)) {
        return None;
    }
    let dispute = told.id;
    let fact = match kind {
        "payment.dispute.created" => GatewayFact::DisputeOpened { dispute },
        "payment.dispute.lost" => GatewayFact::DisputeLost { dispute },
        _ => GatewayFact::DisputeWon { dispute },
    };
    Some(Told::of_transaction(told.payment_id, (told.amount, told.currency), fact))
}

/// Whether Razorpay can charge this amount: of currencies with three decimals, the last one must be zero.
///
/// Source: <https://razorpay.com/docs/payments/international-payments/>.
pub(super) fn can_charge(minor: i64, currency: &str) -> bool {
    let decimals = iso_currency::Currency::from_code(currency).and_then(iso_currency::Currency::exponent);
    decimals != Some(3) || minor % 10 == 0
}
