//! Stripe: Checkout sessions, refunds, prices and subscriptions, and the events of them; taxes are in
//! [`super::stripe_tax`].

mod subscriptions;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::stripe_tax::TaxFake;
use super::{Call, Wire, hmac};

pub(in crate::orders) const KEY: &str = "sk_test_51Lyceum";
pub(in crate::orders) const ACCOUNT: &str = "acct_1Lyceum";
pub(in crate::orders) const WEBHOOK_SECRET: &str = "whsec_Lyceum";

pub(crate) struct StripeFake {
    pub(in crate::orders) url: String,
    pub(crate) wire: Arc<Wire>,
    inside: Arc<Mutex<Inside>>,
}

#[derive(Default)]
struct Inside {
    sessions: Vec<Value>,
    refunds: Vec<Value>,
    prices: Vec<Value>,
    subscriptions: Vec<Value>,
    /// Those of subscriptions, with their payments.
    invoices: Vec<Value>,
    /// The payment intents that have failed after their sessions were complete.
    failed: Vec<Value>,
    /// The disputes as they are now.
    disputes: HashMap<String, Value>,
    /// The products that are archived.
    archived: Vec<String>,
    /// What was answered, by idempotency key and with the parameters.
    keys: HashMap<String, (String, (u16, Value))>,
    /// Why refunds are refused.
    refusal: Option<&'static str>,
    tax: TaxFake,
}

impl StripeFake {
    pub(crate) async fn start() -> StripeFake {
        let (wire, inside) = (Arc::new(Wire::default()), Arc::new(Mutex::new(Inside::default())));
        let shared = inside.clone();
        let url = super::start(wire.clone(), move |call| shared.lock().unwrap().answer(call)).await;
        StripeFake { url, wire, inside }
    }

    pub(crate) fn settings(&self) -> [(&str, &str); 4] {
        [
            ("LYCEUM_STRIPE_SECRET_KEY", KEY),
            ("LYCEUM_STRIPE_ACCOUNT", ACCOUNT),
            ("LYCEUM_STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET),
            ("LYCEUM_STRIPE_URL", &self.url),
        ]
    }

    pub(in crate::orders) fn sessions(&self) -> Vec<Value> {
        self.inside.lock().unwrap().sessions.clone()
    }

    pub(in crate::orders) fn refunds(&self) -> Vec<Value> {
        self.inside.lock().unwrap().refunds.clone()
    }

    /// The tax that was collected, given back, and collected after all.
    pub(crate) fn taxes(&self) -> Vec<Value> {
        self.inside.lock().unwrap().tax.transactions.clone()
    }

    /// Has refunds refused with this code, or no longer.
    pub(in crate::orders) fn refuse_refunds(&self, code: Option<&'static str>) {
        self.inside.lock().unwrap().refusal = code;
    }

    /// The idempotency keys are forgotten, as after 24 hours.
    pub(in crate::orders) fn forget_keys(&self) {
        self.inside.lock().unwrap().keys.clear();
    }

    /// The customer pays a session; returns the event that tells.
    pub(in crate::orders) fn pay(&self, place: usize) -> Value {
        self.inside.lock().unwrap().pay(place)
    }

    /// A customer pays one of the open sessions, if there is one.
    pub(in crate::orders) fn pay_any(&self) -> Option<Value> {
        let mut inside = self.inside.lock().unwrap();
        let place = inside.sessions.iter().position(|session| session["status"] == "open")?;
        Some(inside.pay(place))
    }

    /// The time to pay a session is over.
    pub(in crate::orders) fn lapse(&self, place: usize) {
        self.inside.lock().unwrap().sessions[place]["status"] = "expired".into();
    }

    /// A refund that is made in the dashboard.
    pub(in crate::orders) fn refund(&self, place: usize, amount: i64) -> Value {
        let mut inside = self.inside.lock().unwrap();
        let intent = inside.intent(place);
        let refund = refund(&format!("re_dashboard{}", inside.refunds.len()), amount, &intent, Value::Null);
        inside.refunds.push(refund.clone());
        event("refund.created", refund)
    }

    /// Sets what has become of a refund.
    pub(in crate::orders) fn set_refund(&self, place: usize, status: &str) {
        self.inside.lock().unwrap().refunds[place]["status"] = status.into();
    }

    /// An event about a dispute of a session's payment.
    pub(in crate::orders) fn dispute(&self, place: usize, kind: &str, status: &str) -> Value {
        let mut inside = self.inside.lock().unwrap();
        let (session, intent) = (&inside.sessions[place], inside.intent(place));
        let dispute = json!({
            "id": format!("du_{place}Lyceum"),
            "object": "dispute",
            "amount": session["amount_total"],
            "balance_transactions": [],
            "charge": format!("ch_{place}Lyceum"),
            "currency": session["currency"],
            "evidence": { "customer_email_address": "sam@example.org" },
            "is_charge_refundable": false,
            "livemode": false,
            "metadata": {},
            "payment_intent": intent,
            "reason": "fraudulent",
            "status": status,
        });
        inside.disputes.insert(format!("du_{place}Lyceum"), dispute.clone());
        event(kind, dispute)
    }
}

impl Inside {
    fn pay(&mut self, place: usize) -> Value {
        let session = &mut self.sessions[place];
        assert_eq!(session["status"], "open", "only an open checkout can be paid");
        session["status"] = "complete".into();
        session["payment_status"] = "paid".into();
        session["customer_details"] = json!({ "email": "sam@example.org", "name": "Sam", "phone": null });
        if session["mode"] == "subscription" {
            self.subscribe(place);
        } else {
            session["payment_intent"] = format!("pi_{place}Lyceum").into();
        }
        event("checkout.session.completed", self.sessions[place].clone())
    }

    /// The payment intent of a session.
    fn intent(&self, place: usize) -> Value {
        let session = &self.sessions[place];
        let invoice = self.invoices.iter().find(|invoice| invoice["id"] == session["invoice"]);
        invoice.map_or(session["payment_intent"].clone(), intent_of)
    }

    fn answer(&mut self, call: &Call) -> (u16, Value) {
        assert_eq!(call.header("authorization"), format!("Bearer {KEY}"));
        assert!(call.header("stripe-version").starts_with("20"), "the version is pinned");
        let path = call.path.strip_prefix("/v1/").unwrap();
        match call.method.as_str() {
            "GET" => return self.read(path),
            "DELETE" => return self.end(path),
            _ => {}
        }
        let key = call.header("idempotency-key").to_owned();
        assert!(!key.is_empty(), "{path} has an idempotency key");
        if let Some((parameters, answer)) = self.keys.get(&key) {
            return if *parameters == call.body {
                answer.clone()
            } else {
                refused(400, "idempotency_error", "Keys can only be used with the same parameters.")
            };
        }
        let answer = match path {
            "checkout/sessions" => self.create(&call.form()),
            "refunds" => self.make_refund(&call.form()),
            "tax/calculations" => self.tax.calculate(&call.form()),
            "tax/transactions/create_from_calculation" => self.tax.record(&call.form()),
            "tax/transactions/create_reversal" => self.tax.reverse(&call.form()),
            "prices" => self.make_price(&call.form()),
            path if path.starts_with("prices/") => self.retire(path, &call.form()),
            path if path.starts_with("products/") => {
                assert_eq!(call.form()["active"], "false");
                let id = path.trim_start_matches("products/");
                self.archived.push(id.into());
                (200, json!({ "id": id, "object": "product", "active": false }))
            }
            path => self.expire(path),
        };
        self.keys.insert(key, (call.body.clone(), answer.clone()));
        answer
    }

    fn read(&self, path: &str) -> (u16, Value) {
        if let Some(intent) = path.strip_prefix("refunds?limit=100&payment_intent=") {
            let of_intent = self.refunds.iter().filter(|refund| refund["payment_intent"] == intent);
            let data: Vec<&Value> = of_intent.collect();
            return (200, json!({ "object": "list", "data": data, "has_more": false, "url": "/v1/refunds" }));
        }
        if let Some(rest) = path.strip_prefix("tax/transactions/") {
            return self.tax.lines(rest);
        }
        let list = |data: Vec<Value>| (200, json!({ "object": "list", "data": data, "has_more": false }));
        if let Some(key) = path.strip_prefix("prices?lookup_keys%5B%5D=") {
            return list(self.prices.iter().filter(|price| price["lookup_key"] == key).cloned().collect());
        }
        if let Some(query) = path.strip_prefix("invoices?subscription=") {
            let id = query.strip_suffix("&status=paid&limit=11&expand%5B%5D=data.payments").unwrap();
            let of = |invoice: &&Value| invoice["parent"]["subscription_details"]["subscription"] == id;
            return list(self.invoices.iter().rev().filter(of).cloned().collect());
        }
        if let Some(id) = path.strip_prefix("subscriptions/") {
            return match self.subscriptions.iter().find(|subscription| subscription["id"] == id) {
                Some(subscription) => (200, subscription.clone()),
                None => refused(404, "resource_missing", "No such subscription"),
            };
        }
        if let Some(id) = path.strip_prefix("refunds/") {
            return (200, self.refunds.iter().find(|refund| refund["id"] == id).unwrap().clone());
        }
        if let Some(id) = path.strip_prefix("disputes/") {
            return (200, self.disputes[id].clone());
        }
        if let Some(id) = path.strip_prefix("payment_intents/") {
            let status =
                if self.failed.iter().any(|intent| intent == id) { "requires_payment_method" } else { "processing" };
            return (200, json!({ "id": id, "object": "payment_intent", "status": status }));
        }
        let id = path.strip_prefix("checkout/sessions/").unwrap();
        let id = id.strip_suffix("?expand%5B%5D=invoice.payments").expect("its invoice is wanted");
        let Some(session) = self.sessions.iter().find(|session| session["id"] == id) else {
            return refused(404, "resource_missing", "No such checkout.session");
        };
        let mut session = session.clone();
        if let Some(invoice) = self.invoices.iter().find(|invoice| invoice["id"] == session["invoice"]) {
            session["invoice"] = invoice.clone();
        }
        (200, session)
    }

    fn create(&mut self, form: &HashMap<String, String>) -> (u16, Value) {
        let price = form.get("line_items[1][price]");
        assert_eq!(form["mode"] == "subscription", price.is_some());
        assert_eq!(price.is_none(), form.contains_key("payment_intent_data[metadata][payment]"));
        let is_offered = |id: &String| self.prices.iter().any(|price| price["id"] == **id && price["active"] == true);
        if price.is_some_and(|id| !is_offered(id)) {
            return refused(400, "resource_missing", "No such price");
        }
        let id = format!("cs_test_{}Lyceum", self.sessions.len());
        let amount: i64 = form["line_items[0][price_data][unit_amount]"].parse().unwrap();
        let session = json!({
            "id": id,
            "object": "checkout.session",
            "amount_subtotal": amount,
            "amount_total": amount,
            "cancel_url": form["cancel_url"],
            "client_reference_id": form["client_reference_id"],
            "created": 1_700_000_000,
            "currency": form["line_items[0][price_data][currency]"],
            "customer": null,
            "customer_details": null,
            "expires_at": 1_700_086_400,
            "livemode": false,
            "metadata": { "payment": form["metadata[payment]"] },
            "mode": form["mode"],
            "payment_intent": null,
            "invoice": null,
            "payment_status": "unpaid",
            "price": price,
            "status": "open",
            "subscription": null,
            "success_url": form["success_url"],
            "trial_end": form.get("subscription_data[trial_end]"),
            "url": format!("https://checkout.stripe.com/c/pay/{id}"),
        });
        self.sessions.push(session.clone());
        (200, session)
    }

    fn expire(&mut self, path: &str) -> (u16, Value) {
        let id = path.strip_prefix("checkout/sessions/").and_then(|rest| rest.strip_suffix("/expire")).unwrap();
        let session = self.sessions.iter_mut().find(|session| session["id"] == id).unwrap();
        if session["status"] != "open" {
            return refused(400, "", "Only Checkout Sessions with a status in [\"open\"] can be expired.");
        }
        session["status"] = "expired".into();
        session["url"] = Value::Null;
        (200, session.clone())
    }

    fn make_refund(&mut self, form: &HashMap<String, String>) -> (u16, Value) {
        if let Some(code) = self.refusal {
            return refused(400, code, "This charge cannot be refunded.");
        }
        let amount: i64 = form["amount"].parse().unwrap();
        let intent = Value::from(form["payment_intent"].clone());
        let paid = self.sessions.iter().find(|session| session["payment_intent"] == intent);
        let paid = paid.map(|session| &session["amount_total"]);
        let of_invoice = self.invoices.iter().find(|invoice| intent_of(invoice) == intent);
        let paid = paid.or(of_invoice.map(|invoice| &invoice["amount_paid"])).unwrap();
        let before: i64 = self.refunds.iter().filter(|refund| refund["payment_intent"] == intent).map(cents).sum();
        if before + amount > paid.as_i64().unwrap() {
            return refused(400, "charge_already_refunded", "The charge has already been refunded.");
        }
        let id = format!("re_{}Lyceum", self.refunds.len());
        let refund = refund(&id, amount, &intent, form["metadata[refund]"].clone().into());
        self.refunds.push(refund.clone());
        (200, refund)
    }
}

fn intent_of(invoice: &Value) -> Value {
    invoice["payments"]["data"][0]["payment"]["payment_intent"].clone()
}

fn cents(refund: &Value) -> i64 {
    refund["amount"].as_i64().unwrap()
}

fn refund(id: &str, amount: i64, intent: &Value, own: Value) -> Value {
    let metadata = if own.is_null() { json!({}) } else { json!({ "refund": own }) };
    json!({
        "id": id,
        "object": "refund",
        "amount": amount,
        "charge": "ch_Lyceum",
        "currency": "eur",
        "metadata": metadata,
        "payment_intent": intent,
        "reason": null,
        "status": "succeeded",
    })
}

pub(super) fn refused(status: u16, code: &str, message: &str) -> (u16, Value) {
    (status, json!({ "error": { "code": code, "message": message, "type": "invalid_request_error" } }))
}

/// An event of the test mode.
pub(in crate::orders) fn event(kind: &str, object: Value) -> Value {
    json!({
        "id": format!("evt_{}", uuid::Uuid::new_v4().simple()),
        "object": "event",
        "api_version": "2025-03-31.basil",
        "created": 1_700_000_000,
        "data": { "object": object },
        "livemode": false,
        "pending_webhooks": 1,
        "request": { "id": null, "idempotency_key": null },
        "type": kind,
    })
}

/// The value of `Stripe-Signature`.
pub(in crate::orders) fn signature(secret: &str, body: &[u8], at: DateTime<Utc>) -> String {
    let seconds = at.timestamp();
    let signed = [format!("{seconds}.").as_bytes(), body].concat();
    format!("t={seconds},v1={}", hmac(secret, &signed))
}
