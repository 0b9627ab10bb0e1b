//! Stripe, Razorpay and PayPal, as far as the fakes of all of them do the same.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::orders::fakes::Wire;
use crate::orders::fakes::paypal::PayPalFake;
use crate::orders::fakes::razorpay::RazorpayFake;
use crate::orders::fakes::stripe::StripeFake;

/// The states of subscriptions that charge nothing more, whatever happens.
const OVER: [&str; 6] = ["canceled", "cancelled", "completed", "expired", "CANCELLED", "EXPIRED"];
/// Those of subscriptions that charge nothing more by themselves, but can be revived at the provider.
const STOPPED: [&str; 2] = ["halted", "SUSPENDED"];

/// What a provider tells. Razorpay's body is made when it is sent.
pub(super) struct Event {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) body: Value,
}

impl Event {
    fn new(kind: &str, body: Value) -> Event {
        Event { id: uuid::Uuid::new_v4().to_string(), kind: kind.into(), body }
    }
}

/// A subscription that a buyer has started.
pub(super) struct Started {
    pub(super) place: usize,
    pub(super) id: String,
    pub(super) starts_at: DateTime<Utc>,
    pub(super) months: u32,
    /// Whether it charges by itself.
    pub(super) runs: bool,
    /// Whether it charges nothing more, whatever happens.
    pub(super) is_over: bool,
}

/// A provider.
pub(super) enum At {
    Stripe(StripeFake),
    Razorpay(RazorpayFake),
    Paypal(PayPalFake),
}

impl At {
    pub(super) fn settings(&self) -> Vec<(&str, &str)> {
        match self {
            At::Stripe(fake) => fake.settings().to_vec(),
            At::Razorpay(fake) => fake.settings().to_vec(),
            At::Paypal(fake) => fake.settings().to_vec(),
        }
    }

    pub(super) fn wire(&self) -> &Wire {
        match self {
            At::Stripe(fake) => &fake.wire,
            At::Razorpay(fake) => &fake.wire,
            At::Paypal(fake) => &fake.wire,
        }
    }

    /// The country and the currency of the buyers.
    pub(super) fn market(&self) -> (&'static str, &'static str) {
        if matches!(self, At::Razorpay(_)) { ("IN", "INR") } else { ("DE", "EUR") }
    }

    /// How long a buyer may still pay on a page. PayPal's stay open when their orders have ended.
    pub(super) fn patience(&self) -> TimeDelta {
        TimeDelta::hours(if matches!(self, At::Paypal(_)) { 47 } else { 23 })
    }

    /// The buyer pays on a page; returns what is told of it, or `None` if it is not open.
    pub(super) fn pay(&self, checkout: &str, now: DateTime<Utc>) -> Option<Event> {
        let open = |rows: Vec<Value>, status: &str| {
            rows.iter().position(|row| row["id"] == checkout && row["status"] == status)
        };
        match self {
            At::Stripe(fake) => open(fake.sessions(), "open").map(|place| Event::new("", fake.pay(place))),
            At::Razorpay(fake) => {
                if let Some(place) = open(fake.links(), "created") {
                    return Some(Event::new("payment_link.paid", fake.pay(place)));
                }
                let place = open(fake.subscriptions(), "created")?;
                let until = fake.subscriptions()[place]["expire_by"].as_i64().unwrap();
                let is_open = until > now.timestamp();
                is_open.then(|| Event::new("subscription.authenticated", fake.pay_subscription(place, now)))
            }
            At::Paypal(fake) => {
                if let Some(place) = open(fake.orders(), "PAYER_ACTION_REQUIRED") {
                    return Some(Event::new("", fake.approve(place)));
                }
                let place = open(fake.subscriptions(), "APPROVAL_PENDING")?;
                Some(Event::new("", fake.approve_subscription(place, now)))
            }
        }
    }

    pub(super) fn started(&self) -> Vec<Started> {
        let (rows, plans) = match self {
            At::Stripe(fake) => (fake.subscriptions(), fake.prices()),
            At::Razorpay(fake) => (fake.subscriptions(), fake.plans()),
            At::Paypal(fake) => (fake.subscriptions(), fake.plans()),
        };
        let (buyer, starts_at, plan, months) = match self {
            At::Stripe(_) => ("/customer", "/trial_end", "/items/data/0/price", "/recurring/interval_count"),
            At::Razorpay(_) => ("/customer_id", "/start_at", "/plan_id", "/interval"),
            At::Paypal(_) => ("/subscriber", "/start_time", "/plan_id", "/billing_cycles/0/frequency/interval_count"),
        };
        let is_started = |row: &Value| row.pointer(buyer).is_some_and(|buyer| !buyer.is_null());
        let mut started = Vec::new();
        for (place, row) in rows.iter().enumerate().filter(|(_, row)| is_started(row)) {
            let of_plan = plans.iter().find(|known| Some(&known["id"]) == row.pointer(plan)).unwrap();
            let months = of_plan.pointer(months).unwrap().as_u64().unwrap();
            let status = row["status"].as_str().unwrap();
            let is_over = OVER.contains(&status);
            started.push(Started {
                place,
                id: text(&row["id"]),
                starts_at: time(row.pointer(starts_at).unwrap()),
                months: u32::try_from(months).unwrap(),
                runs: !is_over && !STOPPED.contains(&status),
                is_over,
            });
        }
        started
    }

    /// A subscription charges an interval.
    pub(super) fn charge(&self, place: usize, now: DateTime<Utc>) -> Event {
        match self {
            At::Stripe(fake) => Event::new("", fake.charge(place, now)),
            At::Razorpay(fake) => Event::new("subscription.charged", fake.charge(place, now)),
            At::Paypal(fake) => {
                let told = fake.charge(place, now);
                // What failed before does not count anymore, which is not told.
                fake.set_subscription(place, "ACTIVE", "ACTIVATED");
                Event::new("", told)
            }
        }
    }

    /// A subscription cannot charge an interval yet.
    pub(super) fn fail(&self, place: usize, now: DateTime<Utc>) -> Event {
        match self {
            At::Stripe(fake) => Event::new("", fake.decline(place, now)),
            At::Razorpay(fake) => Event::new("subscription.pending", fake.set_subscription(place, "pending")),
            At::Paypal(fake) => Event::new("", fake.set_subscription(place, "ACTIVE", "PAYMENT.FAILED")),
        }
    }

    /// A subscription ends at the provider: by its buyer, or because nothing could be charged.
    pub(super) fn end(&self, place: usize, by_buyer: bool) -> Event {
        match self {
            At::Stripe(fake) => Event::new("", fake.cancel(place)),
            At::Razorpay(fake) => {
                let status = if by_buyer { "cancelled" } else { "halted" };
                Event::new(&format!("subscription.{status}"), fake.set_subscription(place, status))
            }
            At::Paypal(fake) => {
                let status = if by_buyer { "CANCELLED" } else { "SUSPENDED" };
                Event::new("", fake.set_subscription(place, status, status))
            }
        }
    }

    /// The money that was taken: its id, the cents and the currency.
    pub(super) fn taken(&self) -> Vec<(String, i64, String)> {
        match self {
            At::Stripe(fake) => fake.all_taken(),
            At::Razorpay(fake) => fake.all_taken(),
            At::Paypal(fake) => fake.all_taken(),
        }
    }

    /// The cents that were given back of each.
    pub(super) fn returned(&self) -> HashMap<String, i64> {
        let rows = match self {
            At::Stripe(fake) => fake.refunds(),
            At::Razorpay(fake) => fake.refunds(),
            At::Paypal(fake) => fake.refunds(),
        };
        let cents = |value: &Value| text(value).replace('.', "").parse::<i64>().unwrap();
        let mut returned = HashMap::new();
        for row in &rows {
            let amount = &row["amount"];
            let (id, cents) = match self {
                At::Stripe(_) => (text(&row["payment_intent"]), amount.as_i64().unwrap()),
                At::Razorpay(_) => (text(&row["payment_id"]), amount.as_i64().unwrap()),
                At::Paypal(_) if row["sale_id"].is_string() => (text(&row["sale_id"]), cents(&amount["total"])),
                At::Paypal(_) => {
                    let capture = text(&row["links"][1]["href"]);
                    (capture.rsplit('/').next().unwrap().to_owned(), cents(&amount["value"]))
                }
            };
            *returned.entry(id).or_insert(0) += cents;
        }
        returned
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// A time as seconds since 1970, also as text, or in words.
fn time(value: &Value) -> DateTime<Utc> {
    let seconds = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    match seconds {
        Some(seconds) => DateTime::from_timestamp(seconds, 0).unwrap(),
        None => DateTime::parse_from_rfc3339(value.as_str().unwrap()).unwrap().to_utc(),
    }
}
