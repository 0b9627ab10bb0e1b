//! What Stripe knows of prices, subscriptions and their invoices.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Inside, StripeFake, event, intent_of, refused};

impl StripeFake {
    pub(crate) fn prices(&self) -> Vec<Value> {
        self.inside.lock().unwrap().prices.clone()
    }

    pub(in crate::orders) fn subscriptions(&self) -> Vec<Value> {
        self.inside.lock().unwrap().subscriptions.clone()
    }

    pub(in crate::orders) fn archived_products(&self) -> Vec<String> {
        self.inside.lock().unwrap().archived.clone()
    }

    /// The money that sessions and subscriptions have taken: its id, the cents and the currency.
    pub(in crate::orders) fn all_taken(&self) -> Vec<(String, i64, String)> {
        let inside = self.inside.lock().unwrap();
        let mut taken = Vec::new();
        for session in inside.sessions.iter().filter(|session| session["payment_status"] == "paid") {
            // That of a subscription is in its invoice.
            if let Some(id) = session["payment_intent"].as_str() {
                taken.push((id.to_owned(), &session["amount_total"], &session["currency"]));
            }
        }
        for invoice in &inside.invoices {
            let id = intent_of(invoice).as_str().unwrap().to_owned();
            taken.push((id, &invoice["amount_paid"], &invoice["currency"]));
        }
        let read = |(id, cents, currency): (String, &Value, &Value)| {
            (id, cents.as_i64().unwrap(), currency.as_str().unwrap().to_uppercase())
        };
        taken.into_iter().map(read).collect()
    }

    /// The customer completes a session by a bank debit that takes days; returns the event that tells.
    pub(in crate::orders) fn debit(&self, place: usize) -> Value {
        self.pay(place);
        let mut inside = self.inside.lock().unwrap();
        inside.set_debit(place, ("open", "unpaid"));
        event("checkout.session.completed", inside.sessions[place].clone())
    }

    /// The money of a bank debit has arrived, or never will; returns the event that tells.
    pub(in crate::orders) fn debited(&self, place: usize, succeeds: bool) -> Value {
        let mut inside = self.inside.lock().unwrap();
        let kind = if succeeds {
            inside.set_debit(place, ("paid", "paid"));
            "checkout.session.async_payment_succeeded"
        } else {
            let intent = inside.intent(place);
            inside.failed.push(intent);
            "checkout.session.async_payment_failed"
        };
        event(kind, inside.sessions[place].clone())
    }

    /// A subscription charges an interval; returns the event that tells.
    pub(in crate::orders) fn charge(&self, place: usize, at: DateTime<Utc>) -> Value {
        let mut inside = self.inside.lock().unwrap();
        inside.subscriptions[place]["status"] = "active".into();
        let item = inside.subscriptions[place]["items"]["data"][0]["price"].clone();
        let price = inside.prices.iter().find(|price| price["id"] == item).unwrap();
        let (amount, currency) = (price["unit_amount"].as_i64().unwrap(), price["currency"].clone());
        let invoice = inside.invoice(place, "subscription_cycle", (amount, currency), at);
        event("invoice.paid", untold(invoice))
    }

    /// A charge of a subscription fails; returns the event that tells.
    pub(in crate::orders) fn decline(&self, place: usize, at: DateTime<Utc>) -> Value {
        let told = self.charge(place, at)["data"]["object"].clone();
        let mut inside = self.inside.lock().unwrap();
        inside.invoices.pop();
        inside.subscriptions[place]["status"] = "past_due".into();
        let mut invoice = told;
        invoice["status"] = "open".into();
        invoice["amount_paid"] = 0.into();
        event("invoice.payment_failed", invoice)
    }

    /// A subscription is canceled in the dashboard, or because nothing could be charged.
    pub(in crate::orders) fn cancel(&self, place: usize) -> Value {
        let subscription = &mut self.inside.lock().unwrap().subscriptions[place];
        subscription["status"] = "canceled".into();
        event("customer.subscription.deleted", subscription.clone())
    }
}

impl Inside {
    /// Sets what has become of the money of a session, of its invoice and of itself.
    fn set_debit(&mut self, place: usize, (of_invoice, of_session): (&str, &str)) {
        let session = &mut self.sessions[place];
        session["payment_status"] = of_session.into();
        if let Some(invoice) = self.invoices.iter_mut().find(|invoice| invoice["id"] == session["invoice"]) {
            invoice["payments"]["data"][0]["status"] = of_invoice.into();
        }
    }

    /// A session that is paid starts its subscription, whose first invoice is what was paid.
    pub(super) fn subscribe(&mut self, place: usize) {
        let session = self.sessions[place].clone();
        let (number, trial_end) = (self.subscriptions.len(), session["trial_end"].clone());
        self.subscriptions.push(json!({
            "id": format!("sub_{number}Lyceum"),
            "object": "subscription",
            "customer": "cus_Lyceum",
            "items": { "data": [{ "id": format!("si_{number}Lyceum"), "price": session["price"] }] },
            "livemode": false,
            "metadata": session["metadata"],
            "status": "trialing",
            "trial_end": trial_end,
        }));
        let amount = (session["amount_total"].as_i64().unwrap(), session["currency"].clone());
        let invoice = self.invoice(number, "subscription_create", amount, DateTime::UNIX_EPOCH);
        let session = &mut self.sessions[place];
        session["invoice"] = invoice["id"].clone();
        session["subscription"] = self.subscriptions[number]["id"].clone();
    }

    /// An invoice of a subscription that is paid.
    fn invoice(&mut self, place: usize, reason: &str, (amount, currency): (i64, Value), at: DateTime<Utc>) -> Value {
        let (number, subscription) = (self.invoices.len(), &self.subscriptions[place]);
        let invoice = json!({
            "id": format!("in_{number}Lyceum"),
            "object": "invoice",
            "amount_due": amount,
            "amount_paid": amount,
            "billing_reason": reason,
            "currency": currency,
            "customer_email": "sam@example.org",
            "livemode": false,
            "parent": {
                "type": "subscription_details",
                "subscription_details": { "subscription": subscription["id"], "metadata": subscription["metadata"] },
            },
            "payments": { "object": "list", "data": [{
                "id": format!("inpay_{number}Lyceum"),
                "object": "invoice_payment",
                "amount_paid": amount,
                "payment": { "type": "payment_intent", "payment_intent": format!("pi_of_in_{number}Lyceum") },
                "status": "paid",
            }] },
            "status": "paid",
            "status_transitions": { "paid_at": at.timestamp() },
        });
        self.invoices.push(invoice.clone());
        invoice
    }

    pub(super) fn end(&mut self, path: &str) -> (u16, Value) {
        let id = path.strip_prefix("subscriptions/").unwrap();
        match self.subscriptions.iter_mut().find(|subscription| subscription["id"] == id) {
            Some(subscription) if subscription["status"] != "canceled" => {
                subscription["status"] = "canceled".into();
                (200, subscription.clone())
            }
            _ => refused(404, "resource_missing", "No such subscription"),
        }
    }

    pub(super) fn make_price(&mut self, form: &HashMap<String, String>) -> (u16, Value) {
        let key = &form["lookup_key"];
        assert!(self.prices.iter().all(|price| price["lookup_key"] != key.as_str()), "{key} is made once");
        let number = self.prices.len();
        let price = json!({
            "id": format!("price_{number}Lyceum"),
            "object": "price",
            "active": true,
            "currency": form["currency"],
            "lookup_key": key,
            "product": format!("prod_{number}Lyceum"),
            "recurring": {
                "interval": form["recurring[interval]"],
                "interval_count": form["recurring[interval_count]"].parse::<i64>().unwrap(),
            },
            "type": "recurring",
            "unit_amount": form["unit_amount"].parse::<i64>().unwrap(),
        });
        assert!(!form["product_data[name]"].is_empty());
        self.prices.push(price.clone());
        (200, price)
    }

    pub(super) fn retire(&mut self, path: &str, form: &HashMap<String, String>) -> (u16, Value) {
        assert_eq!(form["active"], "false");
        let id = path.trim_start_matches("prices/");
        match self.prices.iter_mut().find(|price| price["id"] == id) {
            Some(price) => {
                price["active"] = false.into();
                (200, price.clone())
            }
            None => refused(404, "resource_missing", "No such price"),
        }
    }
}

/// An invoice as an event has it: without its payments.
fn untold(mut invoice: Value) -> Value {
    invoice.as_object_mut().unwrap().remove("payments");
    invoice
}
