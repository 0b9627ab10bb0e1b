//! PayPal: orders, captures, refunds and disputes, and subscriptions.
//!
//! A buyer approves an order on PayPal's page; the money moves when this server captures the order, once it hears of
//! the approval or asks. An order that has ended here is not captured, so there is nothing to close at PayPal.
//!
//! Source: <https://developer.paypal.com/docs/api/orders/v2/>, <https://developer.paypal.com/docs/api/payments/v2/>,
//! <https://developer.paypal.com/api/rest/webhooks/event-names/>.

mod amount;
mod follow_up;
mod subscription;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{HeaderMap, Request};
use serde::Deserialize;
use serde_json::{Value, json};

use self::amount::Amount;
pub(super) use self::amount::can_charge;
use super::client::Client;
use super::transmission::{Certificates, Transmission};
use super::{
    Asked, Checkout, CheckoutState, GatewayError, GatewayEvent, GatewayFact, Known, NewCheckout, NewRefund, Told,
    Unverified,
};
use crate::config::gateways::PayPalSettings;
use crate::platform::App;
use crate::platform::access_token::{AccessToken, Granted};
use crate::platform::internal_error::InternalError;

/// The longest description of an order, in characters.
const LONGEST_TITLE: usize = 127;
/// The states of a capture that has taken the money.
const TAKEN: [&str; 3] = ["COMPLETED", "REFUNDED", "PARTIALLY_REFUNDED"];
/// The outcomes of a dispute after which the buyer has the money.
const BUYER_WINS: [&str; 2] = ["RESOLVED_BUYER_FAVOUR", "ACCEPTED"];

/// An account at PayPal.
pub struct PayPal {
    settings: PayPalSettings,
    client: Client,
    certificates: Certificates,
    token: AccessToken,
}

#[derive(Deserialize)]
struct Order {
    id: String,
    status: String,
    #[serde(default)]
    purchase_units: Vec<Unit>,
    #[serde(default)]
    links: Vec<Link>,
}

#[derive(Deserialize)]
struct Unit {
    amount: Option<Amount>,
    custom_id: Option<String>,
    payee: Option<Payee>,
    #[serde(default)]
    payments: Payments,
}

#[derive(Default, Deserialize)]
struct Payments {
    #[serde(default)]
    captures: Vec<Capture>,
}

#[derive(Deserialize)]
struct Payee {
    merchant_id: Option<String>,
}

#[derive(Deserialize)]
struct Link {
    href: String,
    rel: String,
}

/// A capture, or a refund of one.
#[derive(Deserialize)]
struct Capture {
    id: String,
    status: String,
    amount: Option<Amount>,
    custom_id: Option<String>,
    #[serde(default)]
    supplementary_data: Supplement,
    payee: Option<Payee>,
    #[serde(default)]
    links: Vec<Link>,
}

#[derive(Default, Deserialize)]
struct Supplement {
    #[serde(default)]
    related_ids: Related,
}

#[derive(Default, Deserialize)]
struct Related {
    order_id: Option<String>,
}

#[derive(Deserialize)]
struct Dispute {
    dispute_id: String,
    dispute_amount: Option<Amount>,
    #[serde(default)]
    disputed_transactions: Vec<Disputed>,
    dispute_life_cycle_stage: Option<String>,
    dispute_outcome: Option<Outcome>,
}

#[derive(Deserialize)]
struct Disputed {
    seller_transaction_id: Option<String>,
    seller: Option<Payee>,
}

#[derive(Deserialize)]
struct Outcome {
    outcome_code: String,
}

#[derive(Deserialize)]
struct Event {
    id: String,
    event_type: String,
    resource: Value,
}

impl PayPal {
    /// Creates the client of an account, whose webhooks' certificates go back to one of `roots`.
    ///
    /// # Errors
    /// No root certificates are installed on this machine.
    pub fn new(
        settings: PayPalSettings,
        roots: std::sync::Arc<rustls::RootCertStore>,
    ) -> Result<PayPal, InternalError> {
        let certificates = Certificates::new(&settings.url, roots)?;
        Ok(PayPal { settings, client: Client::new("PayPal")?, certificates, token: AccessToken::default() })
    }

    /// The school's account.
    pub fn account(&self) -> &str {
        &self.settings.merchant
    }

    pub(super) async fn create_checkout(&self, app: &App, new: &NewCheckout) -> Result<Checkout, GatewayError> {
        if let Some(starts) = &new.subscription {
            return self.subscribe(app, new, starts).await;
        }
        let experience = json!({
            "return_url": new.return_url,
            "cancel_url": new.return_url,
            "user_action": "PAY_NOW",
            "shipping_preference": "NO_SHIPPING",
        });
        let body = json!({
            "intent": "CAPTURE",
            "purchase_units": [{
                "reference_id": new.reference,
                "custom_id": new.reference,
                "description": new.title.chars().take(LONGEST_TITLE).collect::<String>(),
                "amount": amount::charged(new.amount_minor, &new.currency)?,
            }],
            "payment_source": { "paypal": { "experience_context": experience } },
        });
        let order: Order = self.post(app, "v2/checkout/orders", &body, &new.reference).await?;
        Ok(Checkout { id: order.id, url: page(order.links)? })
    }

    pub(super) async fn fetch_state(&self, app: &App, asked: &Asked<'_>) -> Result<Option<Known>, GatewayError> {
        let Some(id) = asked.checkout else { return Ok(None) };
        if subscription::is_id(id) {
            return self.first_payment(app, id).await.map(Some);
        }
        let order = match self.order(app, id).await {
            // An order that nobody has approved is gone after some hours.
            Err(GatewayError::Refused(why)) if is_unknown(&why) => return Ok(Some(Known::expired(id))),
            order => order?,
        };
        if order.status == "APPROVED" && asked.is_wanted {
            return Ok(Some(self.capture(app, order).await?.known()?));
        }
        Ok(Some(order.known()?))
    }

    /// Takes the money of an order that is approved; returns the order as it is now.
    async fn capture(&self, app: &App, order: Order) -> Result<Order, GatewayError> {
        let path = format!("v2/checkout/orders/{}/capture", order.id);
        // A key of its own: an order can be captured only once, and what was declined may be tried again.
        match self.post(app, &path, &json!({}), &app.clock.uuid().to_string()).await {
            // The buyer can choose another way to pay on the same page.
            Err(GatewayError::Refused(why)) if why.starts_with("INSTRUMENT_DECLINED") => Ok(order),
            Err(GatewayError::Refused(why)) if why.starts_with("ORDER_ALREADY_CAPTURED") => {
                self.order(app, &order.id).await
            }
            captured => captured,
        }
    }

    /// Closes a checkout. An order that is not captured is not paid.
    pub(super) async fn close(&self, app: &App, checkout: &str) -> Result<(), GatewayError> {
        if subscription::is_id(checkout) { self.end_unpaid(app, checkout).await } else { Ok(()) }
    }

    pub(super) async fn refund(&self, app: &App, new: &NewRefund<'_>) -> Result<String, GatewayError> {
        let capture = new.transaction.ok_or_else(|| GatewayError::Refused("the payment has not arrived".into()))?;
        if subscription::is_id(new.checkout) {
            return self.refund_sale(app, new, capture).await;
        }
        let body = json!({ "amount": amount::charged(new.amount_minor, new.currency)?, "custom_id": new.reference });
        // PayPal keeps the keys of refunds for 45 days, longer than it is asked.
        let path = format!("v2/payments/captures/{capture}/refund");
        let made: Capture = match self.post(app, &path, &body, &format!("refund-{}", new.reference)).await {
            // What a subscription has charged is no capture.
            Err(GatewayError::Refused(why)) if is_unknown(&why) => return self.refund_sale(app, new, capture).await,
            made => made?,
        };
        match made.status.as_str() {
            "FAILED" | "CANCELLED" => Err(GatewayError::Refused(made.status)),
            _ => Ok(made.id),
        }
    }

    pub(super) async fn verify(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<GatewayEvent, Unverified> {
        let transmission = Transmission::read(headers)?;
        self.certificates.verify(&transmission, (&self.settings.webhook_id, body), now).await?;
        self.read(body)
    }

    /// Reads an event that was verified.
    pub(super) fn read(&self, body: &[u8]) -> Result<GatewayEvent, Unverified> {
        let event: Event = serde_json::from_slice(body).map_err(|_| Unverified::Malformed)?;
        read(&self.settings.merchant, event).map_err(|_| Unverified::Malformed)
    }

    async fn order(&self, app: &App, id: &str) -> Result<Order, GatewayError> {
        self.get(app, &format!("v2/checkout/orders/{id}")).await
    }

    async fn get<T: for<'a> Deserialize<'a>>(&self, app: &App, path: &str) -> Result<T, GatewayError> {
        self.call(app, Request::get(format!("{}/{path}", self.settings.url)), String::new()).await
    }

    async fn post<T: for<'a> Deserialize<'a>>(
        &self,
        app: &App,
        path: &str,
        body: &Value,
        key: &str,
    ) -> Result<T, GatewayError> {
        let request = Request::post(format!("{}/{path}", self.settings.url)).header(CONTENT_TYPE, "application/json");
        let request = request.header("paypal-request-id", key).header("prefer", "return=representation");
        self.call(app, request, body.to_string()).await
    }

    async fn call<T: for<'a> Deserialize<'a>>(
        &self,
        app: &App,
        request: hyper::http::request::Builder,
        body: String,
    ) -> Result<T, GatewayError> {
        let access = self.token.get(app.clock.now(), self.grant(app)).await?;
        let request = request.header(AUTHORIZATION, format!("Bearer {access}"));
        let outcome = self.client.call(request.body(body), app.clock.now()).await;
        if let Err(GatewayError::Failed(_)) = &outcome {
            // It may be the token; the next call has a new one.
            self.token.forget().await;
        }
        outcome
    }

    async fn grant(&self, app: &App) -> Result<Granted, GatewayError> {
        let pair = format!("{}:{}", self.settings.client_id, self.settings.client_secret);
        let request = Request::post(format!("{}/v1/oauth2/token", self.settings.url))
            .header(AUTHORIZATION, format!("Basic {}", BASE64_STANDARD.encode(pair)))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials".to_owned());
        match self.client.call(request, app.clock.now()).await {
            // A wrong secret is no reason to give up a payment.
            Err(GatewayError::Refused(why)) => Err(GatewayError::Failed(InternalError::new(why))),
            granted => granted,
        }
    }
}

impl Order {
    fn known(self) -> Result<Known, InternalError> {
        let unit = self.purchase_units.into_iter().next();
        let (total, captures) = unit.map_or((None, Vec::new()), |unit| (unit.amount, unit.payments.captures));
        // After one that was declined, the buyer may have paid in another way.
        let is_taken = |capture: &Capture| TAKEN.contains(&capture.status.as_str());
        let place = captures.iter().position(is_taken).unwrap_or_default();
        let capture = captures.into_iter().nth(place);
        let state = match (self.status.as_str(), capture.as_ref().map(|capture| capture.status.as_str())) {
            (_, Some(status)) if TAKEN.contains(&status) => CheckoutState::Paid,
            (_, Some("DECLINED" | "FAILED")) => CheckoutState::Failed,
            // It is decided by PayPal or the buyer's bank later.
            (_, Some("PENDING")) => CheckoutState::Processing,
            ("VOIDED", _) => CheckoutState::Expired,
            _ => CheckoutState::Open,
        };
        let (transaction, captured) = capture.map_or((None, None), |capture| (Some(capture.id), capture.amount));
        let amount = captured.or(total).and_then(|amount| amount.minor());
        let (amount_minor, currency) = amount.ok_or_else(|| InternalError::new("an order of PayPal has no amount"))?;
        Ok(Known { checkout: self.id, transaction, state, amount_minor, currency, subscription: None })
    }
}

/// Returns the page on which the buyer approves.
fn page(links: Vec<Link>) -> Result<String, InternalError> {
    let page = links.into_iter().find(|link| ["payer-action", "approve"].contains(&link.rel.as_str()));
    Ok(page.ok_or_else(|| InternalError::new("a checkout of PayPal has no page"))?.href)
}

/// Whether PayPal refuses because it does not know what is asked for.
fn is_unknown(why: &str) -> bool {
    why.starts_with("INVALID_RESOURCE_ID") || why.starts_with("RESOURCE_NOT_FOUND")
}

/// Reads an event. What changes nothing here is `Other`.
fn read(merchant: &str, event: Event) -> Result<GatewayEvent, serde_json::Error> {
    let Event { id, event_type: kind, resource } = event;
    let (payee, told) = match kind.as_str() {
        "CHECKOUT.ORDER.APPROVED" => of_order(serde_json::from_value(resource)?),
        "PAYMENT.CAPTURE.COMPLETED" | "PAYMENT.CAPTURE.DENIED" | "PAYMENT.CAPTURE.DECLINED" => {
            of_capture(&kind, serde_json::from_value(resource)?)
        }
        "PAYMENT.CAPTURE.REFUNDED" | "PAYMENT.CAPTURE.REVERSED" | "PAYMENT.REFUND.FAILED" => {
            of_refund(&kind, serde_json::from_value(resource)?)
        }
        "CUSTOMER.DISPUTE.CREATED" | "CUSTOMER.DISPUTE.UPDATED" | "CUSTOMER.DISPUTE.RESOLVED" => {
            of_dispute(&kind, serde_json::from_value(resource)?)
        }
        "PAYMENT.SALE.COMPLETED" => (None, subscription::of_sale(serde_json::from_value(resource)?)),
        "PAYMENT.SALE.REFUNDED" | "PAYMENT.SALE.REVERSED" => {
            (None, subscription::of_refund(&kind, serde_json::from_value(resource)?))
        }
        "BILLING.SUBSCRIPTION.PAYMENT.FAILED"
        | "BILLING.SUBSCRIPTION.SUSPENDED"
        | "BILLING.SUBSCRIPTION.CANCELLED"
        | "BILLING.SUBSCRIPTION.EXPIRED" => (None, subscription::of_change(&kind, serde_json::from_value(resource)?)),
        _ => (None, None),
    };
    // The signature names our webhook; where the event names an account as well, it must be ours.
    let account = payee.and_then(|payee| payee.merchant_id).unwrap_or_else(|| merchant.to_owned());
    Ok(told.unwrap_or_else(|| Told::other(kind)).into_event(id, account))
}

type OfPayee = (Option<Payee>, Option<Told>);

fn of_order(order: Order) -> OfPayee {
    let Some(unit) = order.purchase_units.into_iter().next() else { return (None, None) };
    let told = unit.amount.as_ref().and_then(Amount::minor).zip(unit.custom_id);
    let told = told.map(|(amount, reference)| Told {
        checkout: order.id,
        transaction: None,
        reference,
        amount,
        subscription: None,
        fact: GatewayFact::Approved,
    });
    (unit.payee, told)
}

fn of_capture(kind: &str, capture: Capture) -> OfPayee {
    let fact = if kind == "PAYMENT.CAPTURE.COMPLETED" { GatewayFact::Paid } else { GatewayFact::Failed };
    let amount = capture.amount.as_ref().and_then(Amount::minor);
    let told = amount.zip(capture.custom_id).map(|(amount, reference)| Told {
        checkout: capture.supplementary_data.related_ids.order_id.unwrap_or_default(),
        transaction: Some(capture.id),
        reference,
        amount,
        subscription: None,
        fact,
    });
    (capture.payee, told)
}

fn of_refund(kind: &str, refund: Capture) -> OfPayee {
    // The link up is the capture.
    let up = refund.links.iter().find(|link| link.rel == "up" && link.href.contains("/captures/"));
    let capture = up.and_then(|link| link.href.rsplit('/').next()).map(str::to_owned);
    let (refund_reference, amount) = (refund.custom_id, refund.amount.as_ref().and_then(Amount::minor));
    let refund_id = refund.id;
    let fact = match kind {
        "PAYMENT.REFUND.FAILED" => GatewayFact::RefundFailed { refund: refund_id, refund_reference },
        "PAYMENT.CAPTURE.REVERSED" => GatewayFact::Reversed { reversal: refund_id },
        _ => GatewayFact::Refunded { refund: refund_id, refund_reference },
    };
    let told = capture.zip(amount).map(|(capture, amount)| Told::of_transaction(capture, amount, fact));
    (refund.payee, told)
}

fn of_dispute(kind: &str, told: Dispute) -> OfPayee {
    let Some(disputed) = told.disputed_transactions.into_iter().next() else { return (None, None) };
    let (dispute, outcome) = (told.dispute_id, told.dispute_outcome.map(|outcome| outcome.outcome_code));
    let fact = match (kind, outcome.as_deref(), told.dispute_life_cycle_stage.as_deref()) {
        ("CUSTOMER.DISPUTE.RESOLVED", Some(code), _) if BUYER_WINS.contains(&code) => {
            GatewayFact::DisputeLost { dispute }
        }
        ("CUSTOMER.DISPUTE.RESOLVED", Some(_), stage) if stage != Some("INQUIRY") => {
            GatewayFact::DisputeWon { dispute }
        }
        // A question of the buyer: the money stays.
        ("CUSTOMER.DISPUTE.RESOLVED", ..) | (_, _, Some("INQUIRY")) => return (disputed.seller, None),
        _ => GatewayFact::DisputeOpened { dispute },
    };
    let amount = told.dispute_amount.as_ref().and_then(Amount::minor);
    let told = disputed.seller_transaction_id.zip(amount);
    (disputed.seller, told.map(|(capture, amount)| Told::of_transaction(capture, amount, fact)))
}
