//! Subscriptions at Stripe: what they charge and when they end, and the prices that they charge.
//!
//! A Checkout session with a one-time and a recurring price starts one. It has a trial until the end of what the
//! one-time price pays for. Each charge is an invoice; its money is a payment intent, which only an expanded invoice
//! names.
//!
//! Source: <https://docs.stripe.com/api/prices>, <https://docs.stripe.com/api/subscriptions>,
//! <https://docs.stripe.com/api/invoices>, <https://docs.stripe.com/api/invoice-payment>.

use chrono::DateTime;
use serde::Deserialize;
use serde_json::Value;

use super::{LONGEST_TITLE, Stripe, charged, minor};
use crate::platform::App;
use crate::platform::payments::subscription::MOST_CHARGES;
use crate::platform::payments::told::Told;
use crate::platform::payments::{
    GatewayError, GatewayFact, GatewayPlan, KnownSubscription, SubscriptionCharge, SubscriptionStatus,
};

/// What Stripe calls something that it does not know.
const UNKNOWN: &str = "resource_missing";
/// The states in which a subscription is over.
const OVER: [&str; 2] = ["canceled", "incomplete_expired"];
/// Why a charge of a subscription was made: a next interval has begun.
const CYCLE: &str = "subscription_cycle";

#[derive(Deserialize)]
struct Price {
    id: String,
    product: String,
}

#[derive(Deserialize)]
struct Prices {
    data: Vec<Price>,
}

/// A subscription: <https://docs.stripe.com/api/subscriptions/object>.
#[derive(Deserialize)]
pub(super) struct Subscription {
    id: String,
    status: String,
    #[serde(default)]
    metadata: Metadata,
}

/// What a checkout has written into its subscription.
#[derive(Default, Deserialize)]
struct Metadata {
    payment: Option<String>,
}

/// An invoice: <https://docs.stripe.com/api/invoices/object>.
#[derive(Deserialize)]
pub(super) struct Invoice {
    billing_reason: Option<String>,
    amount_paid: i64,
    currency: String,
    parent: Option<Parent>,
    /// Only if it was asked for.
    payments: Option<Payments>,
    status_transitions: Option<Transitions>,
}

#[derive(Deserialize)]
struct Parent {
    subscription_details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    subscription: String,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Payments {
    data: Vec<InvoicePayment>,
}

#[derive(Deserialize)]
struct InvoicePayment {
    status: String,
    payment: Paid,
}

#[derive(Deserialize)]
struct Paid {
    payment_intent: Option<String>,
}

#[derive(Deserialize)]
struct Transitions {
    /// Seconds since 1970.
    paid_at: Option<i64>,
}

#[derive(Deserialize)]
struct Invoices {
    data: Vec<Invoice>,
}

impl Stripe {
    pub(in crate::payments) async fn fetch_subscription(
        &self,
        app: &App,
        id: &str,
    ) -> Result<Option<KnownSubscription>, GatewayError> {
        let Some(subscription) = self.subscription(app, id).await? else { return Ok(None) };
        // One more: the first one is that of the checkout.
        let limit = MOST_CHARGES + 1;
        let path = format!("invoices?subscription={id}&status=paid&limit={limit}&expand%5B%5D=data.payments");
        let invoices: Invoices = self.get(app, &path).await?;
        let charges = invoices.data.into_iter().filter_map(Invoice::charge).take(MOST_CHARGES).collect();
        Ok(Some(KnownSubscription { state: subscription.state(), charges }))
    }

    pub(in crate::payments) async fn end_subscription(&self, app: &App, id: &str) -> Result<(), GatewayError> {
        match self.delete::<Value>(app, &format!("subscriptions/{id}")).await {
            Err(GatewayError::Refused(why)) => match self.subscription(app, id).await? {
                Some(subscription) if !OVER.contains(&subscription.status.as_str()) => Err(GatewayError::Refused(why)),
                _ => Ok(()),
            },
            outcome => outcome.map(drop),
        }
    }

    pub(in crate::payments) async fn create_plan(&self, app: &App, new: &GatewayPlan) -> Result<String, GatewayError> {
        // The idempotency key may be forgotten: an earlier attempt whose answer was lost is found by its reference.
        if let Some(made) = self.price(app, &new.reference).await? {
            return Ok(made.id);
        }
        let amount = charged(new.amount_minor, &new.currency)?.to_string();
        let (currency, months) = (new.currency.to_lowercase(), new.interval_months.to_string());
        let title: String = new.title.chars().take(LONGEST_TITLE).collect();
        let form = [
            ("lookup_key", new.reference.as_str()),
            ("currency", currency.as_str()),
            ("unit_amount", amount.as_str()),
            ("recurring[interval]", "month"),
            ("recurring[interval_count]", months.as_str()),
            ("product_data[name]", title.as_str()),
        ];
        let made: Price = self.post(app, "prices", &form, &format!("price-{}", new.reference)).await?;
        Ok(made.id)
    }

    pub(in crate::payments) async fn retire_plan(
        &self,
        app: &App,
        reference: &str,
        external_id: Option<&str>,
    ) -> Result<(), GatewayError> {
        let id = match external_id {
            Some(id) => id.to_owned(),
            None => match self.price(app, reference).await? {
                Some(price) => price.id,
                None => return Ok(()),
            },
        };
        let form = [("active", "false")];
        let retired = self.post::<Price>(app, &format!("prices/{id}"), &form, &format!("retire-{id}")).await;
        let Some(Price { product, .. }) = known(retired)? else { return Ok(()) };
        let path = format!("products/{product}");
        let archived = self.post::<Value>(app, &path, &form, &format!("archive-{product}")).await;
        known(archived).map(drop)
    }

    async fn price(&self, app: &App, reference: &str) -> Result<Option<Price>, GatewayError> {
        let found: Prices = self.get(app, &format!("prices?lookup_keys%5B%5D={reference}")).await?;
        Ok(found.data.into_iter().next())
    }

    async fn subscription(&self, app: &App, id: &str) -> Result<Option<Subscription>, GatewayError> {
        known(self.get(app, &format!("subscriptions/{id}")).await)
    }
}

impl Subscription {
    fn state(&self) -> SubscriptionStatus {
        match self.status.as_str() {
            "past_due" => SubscriptionStatus::PastDue,
            // `unpaid` and `paused` make invoices that nothing collects.
            "canceled" | "incomplete_expired" | "unpaid" | "paused" => SubscriptionStatus::Ended,
            _ => SubscriptionStatus::Active,
        }
    }
}

impl Invoice {
    /// Returns the payment intent that has paid it.
    fn intent(&mut self) -> Option<String> {
        let payments = self.payments.take().map(|payments| payments.data).unwrap_or_default();
        payments.into_iter().find(|payment| payment.status == "paid")?.payment.payment_intent
    }

    /// Returns what an interval was charged; `None` for the first invoice, and for others that are not of an interval.
    fn charge(mut self) -> Option<SubscriptionCharge> {
        if self.billing_reason.as_deref() != Some(CYCLE) {
            return None;
        }
        let transaction = self.intent()?;
        let (amount_minor, currency) = minor(self.amount_paid, &self.currency)?;
        let charged_at = DateTime::from_timestamp(self.status_transitions?.paid_at?, 0)?;
        Some(SubscriptionCharge { transaction, amount_minor, currency, charged_at })
    }
}

/// Returns the payment intent that has paid an invoice, if that was expanded.
pub(super) fn intent_of(invoice: Value) -> Option<String> {
    serde_json::from_value::<Invoice>(invoice).ok()?.intent()
}

/// Returns the payment intent that is to pay an invoice, if that was expanded.
pub(super) fn open_intent_of(invoice: Value) -> Option<String> {
    let payments = serde_json::from_value::<Invoice>(invoice).ok()?.payments?.data;
    payments.into_iter().find(|payment| payment.status == "open")?.payment.payment_intent
}

/// What an invoice of a subscription says; `None` of the first one, of which the session tells.
pub(super) fn of_invoice(kind: &str, invoice: Invoice) -> Option<Told> {
    let details = invoice.parent?.subscription_details?;
    // Without a reference, another program has made it.
    details.metadata?.payment?;
    if invoice.billing_reason.as_deref() != Some(CYCLE) {
        return None;
    }
    match kind {
        "invoice.paid" => {
            Some(Told::of_charge(details.subscription, None, minor(invoice.amount_paid, &invoice.currency)?))
        }
        _ => Some(Told::of_subscription(details.subscription, GatewayFact::SubscriptionFailed)),
    }
}

/// What the end of a subscription says.
pub(super) fn of_ended(subscription: Subscription) -> Option<Told> {
    subscription.metadata.payment?;
    Some(Told::of_subscription(subscription.id, GatewayFact::SubscriptionEnded))
}

/// Returns what Stripe answers; `None` if it does not know what was asked for.
fn known<T>(answer: Result<T, GatewayError>) -> Result<Option<T>, GatewayError> {
    match answer {
        Err(GatewayError::Refused(why)) if why.starts_with(UNKNOWN) => Ok(None),
        answer => answer.map(Some),
    }
}
