//! Razorpay: payment links, refunds, plans and subscriptions, and the events of them.

mod subscriptions;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Call, Wire};

pub(in crate::orders) const ACCOUNT: &str = "acc_Lyceum";
pub(in crate::orders) const WEBHOOK_SECRET: &str = "razorpay-webhook-secret";
const KEY: (&str, &str) = ("rzp_test_Lyceum", "razorpay-key-secret");

pub(in crate::orders) struct RazorpayFake {
    pub(in crate::orders) url: String,
    pub(in crate::orders) wire: Arc<Wire>,
    inside: Arc<Mutex<Inside>>,
}

#[derive(Default)]
struct Inside {
    links: Vec<Value>,
    refunds: Vec<Value>,
    plans: Vec<Value>,
    subscriptions: Vec<Value>,
    /// Those of subscriptions, in the order in which they were made.
    invoices: Vec<Value>,
    /// The refunds that were answered, by idempotency key.
    keys: HashMap<String, (String, Value)>,
    refuses: bool,
    /// The states of the disputes that are decided.
    decisions: HashMap<String, &'static str>,
}

impl RazorpayFake {
    pub(in crate::orders) async fn start() -> RazorpayFake {
        let (wire, inside) = (Arc::new(Wire::default()), Arc::new(Mutex::new(Inside::default())));
        let shared = inside.clone();
        let url = super::start(wire.clone(), move |call| shared.lock().unwrap().answer(call)).await;
        RazorpayFake { url, wire, inside }
    }

    pub(in crate::orders) fn settings(&self) -> [(&str, &str); 5] {
        [
            ("LYCEUM_RAZORPAY_KEY_ID", KEY.0),
            ("LYCEUM_RAZORPAY_KEY_SECRET", KEY.1),
            ("LYCEUM_RAZORPAY_ACCOUNT", ACCOUNT),
            ("LYCEUM_RAZORPAY_WEBHOOK_SECRET", WEBHOOK_SECRET),
            ("LYCEUM_RAZORPAY_URL", &self.url),
        ]
    }

    pub(in crate::orders) fn links(&self) -> Vec<Value> {
        self.inside.lock().unwrap().links.clone()
    }

    pub(in crate::orders) fn refunds(&self) -> Vec<Value> {
        self.inside.lock().unwrap().refunds.clone()
    }

    pub(in crate::orders) fn refuse_refunds(&self, refuses: bool) {
        self.inside.lock().unwrap().refuses = refuses;
    }

    pub(in crate::orders) fn forget_keys(&self) {
        self.inside.lock().unwrap().keys.clear();
    }

    /// The customer pays a link; returns the payload of the event that tells.
    pub(in crate::orders) fn pay(&self, place: usize) -> Value {
        let link = &mut self.inside.lock().unwrap().links[place];
        assert_eq!(link["status"], "created", "only an open link can be paid");
        let id = format!("pay_{place}Lyceum");
        link["status"] = "paid".into();
        link["amount_paid"] = link["amount"].clone();
        link["payments"] = json!([{
            "amount": link["amount"], "method": "upi", "payment_id": id, "status": "captured",
        }]);
        let payment = json!({
            "id": id,
            "entity": "payment",
            "amount": link["amount"],
            "amount_refunded": 0,
            "captured": true,
            "contact": "+919999999999",
            "currency": link["currency"],
            "email": "sam@example.org",
            "method": "upi",
            "notes": [],
            "order_id": format!("order_{place}Lyceum"),
            "status": "captured",
        });
        json!({
            "order": { "entity": { "id": format!("order_{place}Lyceum"), "entity": "order" } },
            "payment": { "entity": payment },
            "payment_link": { "entity": link },
        })
    }

    /// The time to pay a link is over.
    pub(in crate::orders) fn lapse(&self, place: usize) {
        self.inside.lock().unwrap().links[place]["status"] = "expired".into();
    }

    /// Sets what has become of a refund.
    pub(in crate::orders) fn set_refund(&self, place: usize, status: &str) {
        self.inside.lock().unwrap().refunds[place]["status"] = status.into();
    }

    /// The dispute of a link's payment is decided.
    pub(in crate::orders) fn decide(&self, place: usize, status: &'static str) {
        self.inside.lock().unwrap().decisions.insert(format!("disp_{place}Lyceum"), status);
    }

    /// The payload of an event about a dispute of a link's payment.
    pub(in crate::orders) fn dispute(&self, place: usize, phase: &str) -> Value {
        let link = &self.inside.lock().unwrap().links[place];
        json!({
            "dispute": { "entity": {
                "id": format!("disp_{place}Lyceum"),
                "entity": "dispute",
                "amount": link["amount"],
                "amount_deducted": 0,
                "currency": link["currency"],
                "payment_id": format!("pay_{place}Lyceum"),
                "phase": phase,
                "reason_code": "goods_or_services_not_received_or_partially_received",
                "status": "open",
            } },
            "payment": { "entity": { "id": format!("pay_{place}Lyceum"), "email": "sam@example.org" } },
        })
    }
}

impl Inside {
    fn answer(&mut self, call: &Call) -> (u16, Value) {
        let basic = BASE64_STANDARD.encode(format!("{}:{}", KEY.0, KEY.1));
        assert_eq!(call.header("authorization"), format!("Basic {basic}"));
        let path = call.path.strip_prefix("/v1/").unwrap();
        let parts: Vec<&str> = path.split('/').collect();
        match (call.method.as_str(), parts.as_slice()) {
            ("POST", ["payment_links"]) => self.create(&call.json()),
            ("POST", ["payment_links", id, "cancel"]) => self.cancel(id),
            ("POST", ["payments", id, "refund"]) => self.refund(id, call),
            ("GET", ["payments", id, "refunds?count=100"]) => {
                let items: Vec<&Value> = self.refunds.iter().filter(|refund| refund["payment_id"] == **id).collect();
                (200, json!({ "entity": "collection", "count": items.len(), "items": items }))
            }
            ("GET", ["refunds", id]) => (200, self.refunds.iter().find(|refund| refund["id"] == **id).unwrap().clone()),
            ("GET", ["disputes", id]) => {
                let status = self.decisions.get(*id).copied().unwrap_or("under_review");
                (200, json!({ "id": id, "entity": "dispute", "status": status }))
            }
            ("GET", ["payment_links", id]) => match self.links.iter().find(|link| link["id"] == **id) {
                Some(link) => (200, link.clone()),
                None => refused("The id provided does not exist"),
            },
            (_, ["plans" | "subscriptions", ..] | ["plans?count=100" | "subscriptions?count=100"]) => {
                self.answer_of_subscriptions(call, &parts)
            }
            ("GET", [query]) if query.starts_with("invoices?") => self.list_invoices(query),
            ("GET", [query]) => {
                let reference = query.strip_prefix("payment_links?reference_id=").unwrap();
                let found: Vec<Value> =
                    self.links.iter().filter(|link| link["reference_id"] == reference).cloned().collect();
                (200, json!({ "payment_links": found }))
            }
            other => panic!("{other:?}"),
        }
    }

    fn create(&mut self, body: &Value) -> (u16, Value) {
        let reference = body["reference_id"].as_str().unwrap();
        assert!(reference.len() <= 40, "the longest that Razorpay takes");
        if self.links.iter().any(|link| link["reference_id"] == reference) {
            return refused(&format!("payment link with given reference_id ({reference}) already exists"));
        }
        let id = format!("plink_{}Lyceum", self.links.len());
        let link = json!({
            "id": id,
            "accept_partial": false,
            "amount": body["amount"],
            "amount_paid": 0,
            "callback_method": body["callback_method"],
            "callback_url": body["callback_url"],
            "currency": body["currency"],
            "customer": {},
            "description": body["description"],
            "notes": body["notes"],
            "payments": null,
            "reference_id": reference,
            "short_url": format!("https://rzp.io/i/{id}"),
            "status": "created",
        });
        self.links.push(link.clone());
        (200, link)
    }

    fn cancel(&mut self, id: &str) -> (u16, Value) {
        let link = self.links.iter_mut().find(|link| link["id"] == id).unwrap();
        if link["status"] != "created" {
            return refused("payment link can not be cancelled");
        }
        link["status"] = "cancelled".into();
        (200, link.clone())
    }

    fn refund(&mut self, payment: &str, call: &Call) -> (u16, Value) {
        let (key, body) = (call.header("x-refund-idempotency").to_owned(), call.json());
        assert!(key.len() >= 10);
        if let Some((parameters, made)) = self.keys.get(&key) {
            assert_eq!(*parameters, call.body);
            return (200, made.clone());
        }
        if self.refuses {
            return refused("The payment is disputed");
        }
        let made = json!({
            "id": format!("rfnd_{}Lyceum", self.refunds.len()),
            "entity": "refund",
            "amount": body["amount"],
            "currency": "INR",
            "notes": body["notes"],
            "payment_id": payment,
            "receipt": body["receipt"],
            "speed_requested": "normal",
            "status": "pending",
        });
        self.refunds.push(made.clone());
        self.keys.insert(key, (call.body.clone(), made.clone()));
        (200, made)
    }
}

fn refused(description: &str) -> (u16, Value) {
    (400, json!({ "error": { "code": "BAD_REQUEST_ERROR", "description": description, "source": "business" } }))
}

/// An event that is told for the first time at an instant.
pub(in crate::orders) fn event(kind: &str, payload: Value, at: DateTime<Utc>) -> Value {
    let contains: Vec<&String> = payload.as_object().unwrap().keys().collect();
    json!({
        "account_id": ACCOUNT,
        "contains": contains,
        "created_at": at.timestamp(),
        "entity": "event",
        "event": kind,
        "payload": payload,
    })
}
