//! PayPal: tokens, orders, captures, refunds, plans and subscriptions, and the signed events of them.

mod subscriptions;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::http::HeaderMap;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, SecondsFormat, Utc};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use super::{Call, Wire};

pub(in crate::orders) const MERCHANT: &str = "MERCHANTLYCEUM";
pub(in crate::orders) const WEBHOOK_ID: &str = "1JE4291016473214C";
const CLIENT: (&str, &str) = ("paypal-client", "paypal-client-secret");
const TOKEN: &str = "A21AALyceum";

/// The key of all certificates in the folder `paypal`, for tests only. `good` goes back to `root` by an intermediate one
/// and is valid until 2056; `expired` was until 2021, `name` is issued to another name, and `rogue` by another authority of
/// the same name as `root`.
const KEY: &str = include_str!("paypal/key.pem");

pub(in crate::orders) struct PayPalFake {
    pub(in crate::orders) url: String,
    pub(in crate::orders) wire: Arc<Wire>,
    inside: Arc<Mutex<Inside>>,
}

#[derive(Default)]
struct Inside {
    orders: Vec<Value>,
    refunds: Vec<Value>,
    products: Vec<Value>,
    plans: Vec<Value>,
    subscriptions: Vec<Value>,
    /// What each subscription has taken, by its place.
    sales: Vec<(usize, Value)>,
    keys: HashMap<String, (u16, Value)>,
    /// The disputes as they are now.
    disputes: HashMap<String, Value>,
    /// Whether the bank declines the next capture.
    declines: bool,
    /// Whether the next capture is decided later.
    holds: bool,
    refuses: bool,
}

impl PayPalFake {
    pub(in crate::orders) async fn start() -> PayPalFake {
        let (wire, inside) = (Arc::new(Wire::default()), Arc::new(Mutex::new(Inside::default())));
        let shared = inside.clone();
        let url = super::start(wire.clone(), move |call| shared.lock().unwrap().answer(call)).await;
        PayPalFake { url, wire, inside }
    }

    pub(in crate::orders) fn settings(&self) -> [(&str, &str); 5] {
        [
            ("LYCEUM_PAYPAL_CLIENT_ID", CLIENT.0),
            ("LYCEUM_PAYPAL_CLIENT_SECRET", CLIENT.1),
            ("LYCEUM_PAYPAL_MERCHANT_ID", MERCHANT),
            ("LYCEUM_PAYPAL_WEBHOOK_ID", WEBHOOK_ID),
            ("LYCEUM_PAYPAL_URL", &self.url),
        ]
    }

    pub(in crate::orders) fn orders(&self) -> Vec<Value> {
        self.inside.lock().unwrap().orders.clone()
    }

    pub(in crate::orders) fn refunds(&self) -> Vec<Value> {
        self.inside.lock().unwrap().refunds.clone()
    }

    /// Sets what has become of a refund.
    pub(in crate::orders) fn set_refund(&self, place: usize, status: &str) {
        let refund = &mut self.inside.lock().unwrap().refunds[place];
        let field = if refund["state"].is_string() { "state" } else { "status" };
        refund[field] = status.into();
    }

    pub(in crate::orders) fn decline_next(&self) {
        self.inside.lock().unwrap().declines = true;
    }

    pub(in crate::orders) fn hold_next(&self) {
        self.inside.lock().unwrap().holds = true;
    }

    /// A capture that was held is decided; returns the event that tells.
    pub(in crate::orders) fn decide(&self, place: usize, status: &str, kind: &str) -> Value {
        let capture = "/purchase_units/0/payments/captures/0/status";
        *self.inside.lock().unwrap().orders[place].pointer_mut(capture).unwrap() = status.into();
        self.captured(place, kind)
    }

    pub(in crate::orders) fn forget_keys(&self) {
        self.inside.lock().unwrap().keys.clear();
    }

    pub(in crate::orders) fn refuse_refunds(&self, refuses: bool) {
        self.inside.lock().unwrap().refuses = refuses;
    }

    /// The buyer approves an order; returns the event that tells.
    pub(in crate::orders) fn approve(&self, place: usize) -> Value {
        let order = &mut self.inside.lock().unwrap().orders[place];
        order["status"] = "APPROVED".into();
        order["payer"] = json!({ "email_address": "sam@example.org", "payer_id": "QYR5Z8XDVJNXQ" });
        event("CHECKOUT.ORDER.APPROVED", "checkout-order", order.clone())
    }

    /// The event about the capture of an order.
    pub(in crate::orders) fn captured(&self, place: usize, kind: &str) -> Value {
        let order = &self.inside.lock().unwrap().orders[place];
        let mut capture = order["purchase_units"][0]["payments"]["captures"][0].clone();
        capture["supplementary_data"] = json!({ "related_ids": { "order_id": order["id"] } });
        event(kind, "capture", capture)
    }

    /// The event about a refund.
    pub(in crate::orders) fn refunded(&self, place: usize, kind: &str) -> Value {
        event(kind, "refund", self.inside.lock().unwrap().refunds[place].clone())
    }

    /// The event that PayPal has taken back so much of the capture of an order.
    pub(in crate::orders) fn reversed(&self, place: usize, value: &str) -> Value {
        let order = &self.inside.lock().unwrap().orders[place];
        let capture = &order["purchase_units"][0]["payments"]["captures"][0];
        let up = format!("https://api.paypal.com/v2/payments/captures/{}", capture["id"].as_str().unwrap());
        let reversal = json!({
            "id": format!("REVERSAL{place}LYCEUM"),
            "status": "COMPLETED",
            "amount": { "currency_code": "EUR", "value": value },
            "custom_id": capture["custom_id"],
            "note_to_payer": "A case of sam@example.org",
            "links": [{ "href": up, "rel": "up", "method": "GET" }],
        });
        event("PAYMENT.CAPTURE.REVERSED", "refund", reversal)
    }

    /// An event about a dispute of an order's capture.
    pub(in crate::orders) fn dispute(&self, place: usize, kind: &str, stage: &str, outcome: Option<&str>) -> Value {
        let mut inside = self.inside.lock().unwrap();
        let capture = &inside.orders[place]["purchase_units"][0]["payments"]["captures"][0];
        let mut dispute = json!({
            "dispute_id": format!("PP-D-{place}"),
            "disputed_transactions": [{
                "seller_transaction_id": capture["id"],
                "seller": { "merchant_id": MERCHANT, "name": "Test Store" },
            }],
            "dispute_amount": capture["amount"],
            "dispute_life_cycle_stage": stage,
            "reason": "UNAUTHORISED",
            "status": "OPEN",
            "messages": [{ "posted_by": "BUYER", "content": "sam@example.org" }],
        });
        if let Some(code) = outcome {
            dispute["dispute_outcome"] = json!({ "outcome_code": code });
        }
        inside.disputes.insert(format!("PP-D-{place}"), dispute.clone());
        event(kind, "dispute", dispute)
    }

    /// The headers of a webhook, with a certificate from the folder `paypal`.
    pub(in crate::orders) fn headers(&self, body: &[u8], at: DateTime<Utc>, certificate: &str) -> HeaderMap {
        let url = format!("{}/v1/notifications/certs/{certificate}", self.url);
        self.headers_with(body, at, &url)
    }

    pub(in crate::orders) fn headers_with(&self, body: &[u8], at: DateTime<Utc>, url: &str) -> HeaderMap {
        let (id, time) = (uuid::Uuid::new_v4().to_string(), at.to_rfc3339_opts(SecondsFormat::Secs, true));
        let message = format!("{id}|{time}|{WEBHOOK_ID}|{}", crc32fast::hash(body));
        let key = EncodingKey::from_rsa_pem(KEY.as_bytes()).unwrap();
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::RS256).unwrap();
        let signature = BASE64_STANDARD.encode(BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap());
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("paypal-auth-algo", "SHA256withRSA"),
            ("paypal-cert-url", url),
            ("paypal-transmission-id", &id),
            ("paypal-transmission-sig", &signature),
            ("paypal-transmission-time", &time),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        headers
    }
}

impl Inside {
    fn answer(&mut self, call: &Call) -> (u16, Value) {
        if let Some(name) = call.path.strip_prefix("/v1/notifications/certs/") {
            return match name {
                "good" => (200, include_str!("paypal/good.pem").into()),
                "expired" => (200, include_str!("paypal/expired.pem").into()),
                "name" => (200, include_str!("paypal/name.pem").into()),
                "rogue" => (200, include_str!("paypal/rogue.pem").into()),
                _ => (404, Value::Null),
            };
        }
        if call.path == "/v1/oauth2/token" {
            let basic = BASE64_STANDARD.encode(format!("{}:{}", CLIENT.0, CLIENT.1));
            assert_eq!(call.header("authorization"), format!("Basic {basic}"));
            assert_eq!(call.form()["grant_type"], "client_credentials");
            return (200, json!({ "access_token": TOKEN, "token_type": "Bearer", "expires_in": 32_400 }));
        }
        assert_eq!(call.header("authorization"), format!("Bearer {TOKEN}"));
        let parts: Vec<&str> = call.path.trim_start_matches('/').split('/').collect();
        if let ("GET", ["v2", "checkout", "orders", id]) = (call.method.as_str(), parts.as_slice()) {
            return match self.orders.iter().find(|order| order["id"] == **id) {
                Some(order) => (200, order.clone()),
                None => refused(404, "INVALID_RESOURCE_ID"),
            };
        }
        if let ("GET", ["v1", "customer", "disputes", id]) = (call.method.as_str(), parts.as_slice()) {
            return (200, self.disputes[*id].clone());
        }
        // A refund of a sale is known to the first version alone, in another form.
        if let ("GET", [version, "payments", "refunds" | "refund", id]) = (call.method.as_str(), parts.as_slice()) {
            let field = if *version == "v1" { "state" } else { "status" };
            let is_same = |refund: &&Value| refund["id"] == **id && refund[field].is_string();
            return match self.refunds.iter().find(is_same) {
                Some(refund) => (200, refund.clone()),
                None => refused(404, "RESOURCE_NOT_FOUND"),
            };
        }
        if let ("GET", ["v1", "billing", rest @ ..]) = (call.method.as_str(), parts.as_slice()) {
            return self.read_billing(rest);
        }
        let key = format!("{} {}", parts.join("/"), call.header("paypal-request-id"));
        assert!(!call.header("paypal-request-id").is_empty(), "{key}");
        if let Some(answer) = self.keys.get(&key) {
            return answer.clone();
        }
        let answer = match parts.as_slice() {
            ["v2", "checkout", "orders"] => self.create(&call.json()),
            ["v2", "checkout", "orders", id, "capture"] => self.capture(id),
            ["v2", "payments", "captures", id, "refund"] => self.refund(id, &call.json()),
            ["v1", rest @ ..] => self.answer_of_subscriptions(rest, &call.json()),
            other => panic!("{other:?}"),
        };
        if answer.0 < 300 {
            self.keys.insert(key, answer.clone());
        }
        answer
    }

    fn create(&mut self, body: &Value) -> (u16, Value) {
        assert_eq!(body["intent"], "CAPTURE");
        let (id, unit) = (format!("ORDER{}LYCEUM", self.orders.len()), &body["purchase_units"][0]);
        let order = json!({
            "id": id,
            "intent": "CAPTURE",
            "status": "PAYER_ACTION_REQUIRED",
            "payment_source": { "paypal": {} },
            "purchase_units": [{
                "reference_id": unit["reference_id"],
                "custom_id": unit["custom_id"],
                "amount": unit["amount"],
                "payee": { "email_address": "school@example.org", "merchant_id": MERCHANT },
            }],
            "links": [
                { "href": format!("https://api.paypal.com/v2/checkout/orders/{id}"), "rel": "self", "method": "GET" },
                {
                    "href": format!("https://www.paypal.com/checkoutnow?token={id}"),
                    "rel": "payer-action",
                    "method": "GET",
                },
            ],
        });
        self.orders.push(order.clone());
        (200, order)
    }

    fn capture(&mut self, id: &str) -> (u16, Value) {
        let order = self.orders.iter_mut().find(|order| order["id"] == id).unwrap();
        match order["status"].as_str().unwrap() {
            "COMPLETED" => return refused(422, "ORDER_ALREADY_CAPTURED"),
            "APPROVED" => {}
            _ => return refused(422, "ORDER_NOT_APPROVED"),
        }
        if std::mem::take(&mut self.declines) {
            return refused(422, "INSTRUMENT_DECLINED");
        }
        order["status"] = "COMPLETED".into();
        let status = if std::mem::take(&mut self.holds) { "PENDING" } else { "COMPLETED" };
        let unit = &mut order["purchase_units"][0];
        unit["payments"] = json!({ "captures": [{
            "id": format!("CAPTURE-{id}"),
            "status": status,
            "amount": unit["amount"],
            "custom_id": unit["custom_id"],
            "final_capture": true,
        }] });
        (201, order.clone())
    }

    fn refund(&mut self, capture: &str, body: &Value) -> (u16, Value) {
        if self.refuses {
            return refused(422, "CAPTURE_FULLY_REFUNDED");
        }
        if self.sales.iter().any(|(_, sale)| sale["id"] == capture) {
            return refused(404, "INVALID_RESOURCE_ID");
        }
        let up = format!("https://api.paypal.com/v2/payments/captures/{capture}");
        let refund = json!({
            "id": format!("REFUND{}LYCEUM", self.refunds.len()),
            "status": "COMPLETED",
            "amount": body["amount"],
            "custom_id": body["custom_id"],
            "links": [
                { "href": "https://api.paypal.com/v2/payments/refunds/1", "rel": "self", "method": "GET" },
                { "href": up, "rel": "up", "method": "GET" },
            ],
        });
        self.refunds.push(refund.clone());
        (201, refund)
    }
}

fn refused(status: u16, issue: &str) -> (u16, Value) {
    let details = json!([{ "issue": issue, "description": "It cannot be done." }]);
    (status, json!({ "name": "UNPROCESSABLE_ENTITY", "message": "See details.", "details": details }))
}

fn event(kind: &str, resource_type: &str, resource: Value) -> Value {
    json!({
        "id": format!("WH-{}", uuid::Uuid::new_v4().simple()),
        "event_version": "1.0",
        "event_type": kind,
        "resource_type": resource_type,
        "resource_version": "2.0",
        "summary": "Something has happened to sam@example.org",
        "resource": resource,
    })
}
