//! What the fakes of Stripe, Razorpay and PayPal have in common.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::orders::fakes::paypal::PayPalFake;
use crate::orders::fakes::razorpay::{self, RazorpayFake};
use crate::orders::fakes::stripe::{self, StripeFake};
use crate::orders::fakes::{Wire, hmac};

/// A provider's fake.
pub(super) enum Gateway {
    Stripe(StripeFake),
    Razorpay(RazorpayFake),
    PayPal(PayPalFake),
}

/// What a provider knows of a checkout, in minor units.
pub(super) struct Checkout {
    /// The id of our payment.
    pub(super) reference: String,
    pub(super) charged: i64,
    /// What was refunded; what a bank has taken back is not in it.
    pub(super) returned: i64,
    /// Whether it can be paid.
    pub(super) is_open: bool,
}

/// How courses are sold: the country, the currency, and the totals of the first course, of the other one and of both,
/// without the coupon and with it.
pub(super) type Market = (&'static str, &'static str, [(&'static str, &'static str); 3]);

impl Gateway {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Gateway::Stripe(_) => "STRIPE",
            Gateway::Razorpay(_) => "RAZORPAY",
            Gateway::PayPal(_) => "PAYPAL",
        }
    }

    pub(super) fn settings(&self) -> Vec<(&str, &str)> {
        match self {
            Gateway::Stripe(fake) => fake.settings().to_vec(),
            Gateway::Razorpay(fake) => fake.settings().to_vec(),
            Gateway::PayPal(fake) => fake.settings().to_vec(),
        }
    }

    pub(super) fn market(&self) -> Market {
        match self {
            Gateway::Razorpay(_) => ("IN", "INR", [("499", "449.10"), ("99.50", "89.55"), ("598.50", "538.65")]),
            _ => ("DE", "EUR", [("19.90", "17.91"), ("5", "4.50"), ("24.90", "22.41")]),
        }
    }

    pub(super) fn wire(&self) -> &Arc<Wire> {
        match self {
            Gateway::Stripe(fake) => &fake.wire,
            Gateway::Razorpay(fake) => &fake.wire,
            Gateway::PayPal(fake) => &fake.wire,
        }
    }

    /// The requests that create or close checkouts, that make refunds, and that ask.
    pub(super) fn calls(&self) -> [&'static str; 3] {
        match self {
            Gateway::Stripe(_) => ["POST /v1/checkout/sessions", "POST /v1/refunds", "GET /v1/"],
            Gateway::Razorpay(_) => ["POST /v1/payment_links", "POST /v1/payments/", "GET /v1/"],
            Gateway::PayPal(_) => ["POST /v2/checkout/orders", "POST /v2/payments/captures/", "GET /v2/"],
        }
    }

    /// All checkouts, in the order in which they were made.
    pub(super) fn checkouts(&self) -> Vec<Checkout> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        match self {
            Gateway::Stripe(fake) => {
                let refunds = fake.refunds();
                let checkout = |session: Value| {
                    let is_paid = session["payment_status"] == "paid";
                    let own = refunds.iter().filter(|refund| refund["payment_intent"] == session["payment_intent"]);
                    Checkout {
                        reference: text(&session["client_reference_id"]),
                        charged: if is_paid { session["amount_total"].as_i64().unwrap() } else { 0 },
                        returned: own.map(|refund| refund["amount"].as_i64().unwrap()).sum(),
                        is_open: session["status"] == "open",
                    }
                };
                fake.sessions().into_iter().map(checkout).collect()
            }
            Gateway::Razorpay(fake) => {
                let refunds = fake.refunds();
                let checkout = |link: Value| {
                    let payment = &link["payments"][0]["payment_id"];
                    let own = refunds.iter().filter(|refund| refund["payment_id"] == *payment);
                    Checkout {
                        reference: text(&link["reference_id"]),
                        charged: link["amount_paid"].as_i64().unwrap(),
                        returned: own.map(|refund| refund["amount"].as_i64().unwrap()).sum(),
                        is_open: link["status"] == "created",
                    }
                };
                fake.links().into_iter().map(checkout).collect()
            }
            Gateway::PayPal(fake) => {
                let refunds = fake.refunds();
                let checkout = |order: Value| {
                    let capture = captured_of(&order);
                    let up = format!("/captures/{}", capture["id"].as_str().unwrap_or_default());
                    let own =
                        refunds.iter().filter(|refund| refund["links"][1]["href"].as_str().unwrap().ends_with(&up));
                    Checkout {
                        reference: text(&order["purchase_units"][0]["custom_id"]),
                        charged: if capture["status"] == "COMPLETED" { cents(&capture["amount"]) } else { 0 },
                        returned: own.map(|refund| cents(&refund["amount"])).sum(),
                        is_open: order["status"] == "PAYER_ACTION_REQUIRED",
                    }
                };
                fake.orders().into_iter().map(checkout).collect()
            }
        }
    }

    /// The buyer pays an open checkout, or approves it; returns the event that tells.
    pub(super) fn pay(&self, place: usize, now: DateTime<Utc>) -> Value {
        match self {
            Gateway::Stripe(fake) => fake.pay(place),
            Gateway::Razorpay(fake) => razorpay::event("payment_link.paid", fake.pay(place), now),
            Gateway::PayPal(fake) => fake.approve(place),
        }
    }

    /// The time to pay an open checkout is over; returns the event that tells, if the provider has such an end.
    pub(super) fn lapse(&self, place: usize, now: DateTime<Utc>) -> Option<Value> {
        match self {
            Gateway::Stripe(fake) => {
                fake.lapse(place);
                Some(stripe::event("checkout.session.expired", fake.sessions()[place].clone()))
            }
            Gateway::Razorpay(fake) => {
                fake.lapse(place);
                let told = json!({ "payment_link": { "entity": fake.links()[place] } });
                Some(razorpay::event("payment_link.expired", told, now))
            }
            Gateway::PayPal(_) => None,
        }
    }

    /// A refund that is made in the dashboard of Stripe; the other fakes have none.
    pub(super) fn refund(&self, place: usize, amount: i64) -> Option<Value> {
        match self {
            Gateway::Stripe(fake) => Some(fake.refund(place, amount)),
            Gateway::Razorpay(_) | Gateway::PayPal(_) => None,
        }
    }

    /// A dispute about all of a payment is opened, or decided; returns the event that tells.
    pub(super) fn dispute(&self, place: usize, is_won: Option<bool>, now: DateTime<Utc>) -> Value {
        match self {
            Gateway::Stripe(fake) => match is_won {
                None => fake.dispute(place, "charge.dispute.created", "needs_response"),
                Some(is_won) => fake.dispute(place, "charge.dispute.closed", if is_won { "won" } else { "lost" }),
            },
            Gateway::Razorpay(fake) => {
                let status = is_won.map(|is_won| if is_won { "won" } else { "lost" });
                if let Some(status) = status {
                    fake.decide(place, status);
                }
                let kind = format!("payment.dispute.{}", status.unwrap_or("created"));
                razorpay::event(&kind, fake.dispute(place, "chargeback"), now)
            }
            Gateway::PayPal(fake) => {
                let kind = if is_won.is_some() { "CUSTOMER.DISPUTE.RESOLVED" } else { "CUSTOMER.DISPUTE.CREATED" };
                let outcome = |is_won| if is_won { "RESOLVED_SELLER_FAVOUR" } else { "RESOLVED_BUYER_FAVOUR" };
                fake.dispute(place, kind, "CHARGEBACK", is_won.map(outcome))
            }
        }
    }

    /// PayPal takes the money of a dispute back, and tells that apart from it.
    pub(super) fn reverse(&self, place: usize) -> Option<Value> {
        let Gateway::PayPal(fake) = self else { return None };
        let order = fake.orders().swap_remove(place);
        Some(fake.reversed(place, order["purchase_units"][0]["amount"]["value"].as_str().unwrap()))
    }

    /// The events about what this server has done at the provider and was not `told`.
    pub(super) fn news(&self, told: &mut HashSet<String>, now: DateTime<Utc>) -> Vec<Value> {
        let mut is_new = |of: &Value| of["id"].as_str().is_some_and(|id| told.insert(id.to_owned()));
        match self {
            Gateway::Stripe(fake) => {
                let new = fake.refunds().into_iter().filter(is_new);
                new.map(|refund| stripe::event("refund.created", refund)).collect()
            }
            Gateway::Razorpay(fake) => {
                let new = fake.refunds().into_iter().filter(is_new);
                let told = |refund: Value| {
                    let payment = json!({ "id": refund["payment_id"] });
                    json!({ "refund": { "entity": refund }, "payment": { "entity": payment } })
                };
                new.map(|refund| razorpay::event("refund.created", told(refund), now)).collect()
            }
            Gateway::PayPal(fake) => {
                let mut events = Vec::new();
                for (place, order) in fake.orders().iter().enumerate() {
                    if is_new(captured_of(order)) {
                        events.push(fake.captured(place, "PAYMENT.CAPTURE.COMPLETED"));
                    }
                }
                for (place, refund) in fake.refunds().iter().enumerate() {
                    if is_new(refund) {
                        events.push(fake.refunded(place, "PAYMENT.CAPTURE.REFUNDED"));
                    }
                }
                events
            }
        }
    }

    /// Signs a webhook.
    pub(super) fn sign(
        &self,
        request: reqwest::RequestBuilder,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> reqwest::RequestBuilder {
        match self {
            Gateway::Stripe(_) => {
                request.header("stripe-signature", stripe::signature(stripe::WEBHOOK_SECRET, body, now))
            }
            Gateway::Razorpay(_) => request.header("x-razorpay-signature", hmac(razorpay::WEBHOOK_SECRET, body)),
            Gateway::PayPal(fake) => request.headers(fake.headers(body, now, "good")),
        }
    }
}

/// The capture of an order of PayPal; null if there is none.
fn captured_of(order: &Value) -> &Value {
    &order["purchase_units"][0]["payments"]["captures"][0]
}

/// An amount of PayPal, which has two decimals here, in minor units.
fn cents(amount: &Value) -> i64 {
    amount["value"].as_str().unwrap().replace('.', "").parse().unwrap()
}
