//! What Razorpay knows of plans, subscriptions and their invoices.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::super::Call;
use super::{Inside, RazorpayFake, refused};

impl RazorpayFake {
    pub(in crate::orders) fn plans(&self) -> Vec<Value> {
        self.inside.lock().unwrap().plans.clone()
    }

    pub(in crate::orders) fn subscriptions(&self) -> Vec<Value> {
        self.inside.lock().unwrap().subscriptions.clone()
    }

    /// The money that links and subscriptions have taken: its id, the paise and the currency.
    pub(in crate::orders) fn all_taken(&self) -> Vec<(String, i64, String)> {
        let inside = self.inside.lock().unwrap();
        let mut taken = Vec::new();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        for link in inside.links.iter().filter(|link| link["status"] == "paid") {
            let id = text(&link["payments"][0]["payment_id"]);
            taken.push((id, link["amount_paid"].as_i64().unwrap(), text(&link["currency"])));
        }
        for invoice in &inside.invoices {
            let id = text(&invoice["payment_id"]);
            taken.push((id, invoice["amount_paid"].as_i64().unwrap(), text(&invoice["currency"])));
        }
        taken
    }

    /// The customer pays on the page of a subscription; returns the payload of the event that tells.
    pub(in crate::orders) fn pay_subscription(&self, place: usize, at: DateTime<Utc>) -> Value {
        let mut inside = self.inside.lock().unwrap();
        let subscription = &mut inside.subscriptions[place];
        assert_eq!(subscription["status"], "created", "only an open page can be paid");
        assert!(subscription["expire_by"].as_i64().unwrap() > at.timestamp());
        subscription["status"] = "authenticated".into();
        subscription["customer_id"] = "cust_Lyceum".into();
        let addon = subscription["addons"][0]["item"].clone();
        inside.invoice(place, &addon, at)
    }

    /// A subscription charges an interval; returns the payload of the event that tells.
    pub(in crate::orders) fn charge(&self, place: usize, at: DateTime<Utc>) -> Value {
        let mut inside = self.inside.lock().unwrap();
        let subscription = &mut inside.subscriptions[place];
        assert!(subscription["start_at"].as_i64().unwrap() <= at.timestamp());
        subscription["status"] = "active".into();
        let plan = subscription["plan_id"].clone();
        let item = inside.plans.iter().find(|known| known["id"] == plan).unwrap()["item"].clone();
        inside.invoice(place, &item, at)
    }

    /// A subscription comes into a state by itself; returns the payload of the event that tells.
    pub(in crate::orders) fn set_subscription(&self, place: usize, status: &str) -> Value {
        let subscription = &mut self.inside.lock().unwrap().subscriptions[place];
        subscription["status"] = status.into();
        json!({ "subscription": { "entity": subscription } })
    }
}

impl Inside {
    /// An invoice of a subscription that is paid; returns the payload of the event that tells.
    fn invoice(&mut self, place: usize, item: &Value, at: DateTime<Utc>) -> Value {
        let (number, subscription) = (self.invoices.len(), &self.subscriptions[place]);
        let payment = json!({
            "id": format!("pay_of_inv_{number}Lyceum"),
            "entity": "payment",
            "amount": item["amount"],
            "captured": true,
            "contact": "+919999999999",
            "created_at": at.timestamp(),
            "currency": item["currency"],
            "email": "sam@example.org",
            "invoice_id": format!("inv_{number}Lyceum"),
            "method": "card",
            "notes": [],
            "status": "captured",
        });
        self.invoices.push(json!({
            "id": format!("inv_{number}Lyceum"),
            "entity": "invoice",
            "amount": item["amount"],
            "amount_paid": item["amount"],
            "currency": item["currency"],
            "customer_details": { "email": "sam@example.org" },
            "paid_at": at.timestamp(),
            "payment_id": payment["id"],
            "status": "paid",
            "subscription_id": subscription["id"],
        }));
        json!({ "payment": { "entity": payment }, "subscription": { "entity": subscription } })
    }

    pub(super) fn list_invoices(&self, query: &str) -> (u16, Value) {
        let id = query.strip_prefix("invoices?subscription_id=").and_then(|rest| rest.strip_suffix("&count=100"));
        let id = id.unwrap();
        let of = |invoice: &&Value| invoice["subscription_id"] == id;
        (200, collection(self.invoices.iter().rev().filter(of).collect()))
    }

    pub(super) fn answer_of_subscriptions(&mut self, call: &Call, parts: &[&str]) -> (u16, Value) {
        match (call.method.as_str(), parts) {
            ("GET", ["plans?count=100"]) => (200, collection(self.plans.iter().rev().collect())),
            ("GET", ["subscriptions?count=100"]) => (200, collection(self.subscriptions.iter().rev().collect())),
            ("POST", ["plans"]) => self.make_plan(&call.json()),
            ("POST", ["subscriptions"]) => self.make_subscription(&call.json()),
            (method, ["subscriptions", id, rest @ ..]) => {
                let Some(subscription) = self.subscriptions.iter_mut().find(|known| known["id"] == **id) else {
                    return refused("The id provided does not exist");
                };
                match (method, rest) {
                    ("GET", []) => {}
                    ("POST", ["cancel"]) => {
                        assert_eq!(call.json()["cancel_at_cycle_end"], false, "it ends at once");
                        if ["cancelled", "completed", "expired"].iter().any(|over| subscription["status"] == *over) {
                            return refused("Subscription is not cancellable in its current status.");
                        }
                        subscription["status"] = "cancelled".into();
                    }
                    other => panic!("{other:?}"),
                }
                (200, subscription.clone())
            }
            other => panic!("{other:?}"),
        }
    }

    fn make_plan(&mut self, body: &Value) -> (u16, Value) {
        assert_eq!(body["period"], "monthly");
        let plan = json!({
            "id": format!("plan_{}Lyceum", self.plans.len()),
            "entity": "plan",
            "interval": body["interval"],
            "item": body["item"],
            "notes": body["notes"],
            "period": body["period"],
        });
        self.plans.push(plan.clone());
        (200, plan)
    }

    fn make_subscription(&mut self, body: &Value) -> (u16, Value) {
        let Some(plan) = self.plans.iter().find(|plan| plan["id"] == body["plan_id"]) else {
            return refused("The id provided does not exist");
        };
        let months = body["total_count"].as_i64().unwrap() * plan["interval"].as_i64().unwrap();
        assert!((1..=1200).contains(&months), "a hundred years at most");
        let id = format!("sub_{}Lyceum", self.subscriptions.len());
        let subscription = json!({
            "id": id,
            "entity": "subscription",
            "addons": body["addons"],
            "customer_id": null,
            "customer_notify": body["customer_notify"],
            "expire_by": body["expire_by"],
            "notes": body["notes"],
            "paid_count": 0,
            "plan_id": body["plan_id"],
            "short_url": format!("https://rzp.io/i/{id}"),
            "start_at": body["start_at"],
            "status": "created",
            "total_count": body["total_count"],
        });
        self.subscriptions.push(subscription.clone());
        (200, subscription)
    }
}

fn collection(items: Vec<&Value>) -> Value {
    json!({ "entity": "collection", "count": items.len(), "items": items })
}
