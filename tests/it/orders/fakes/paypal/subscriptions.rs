//! What PayPal knows of plans, subscriptions and what they have taken.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::{Inside, PayPalFake, event, refused};

impl PayPalFake {
    pub(in crate::orders) fn plans(&self) -> Vec<Value> {
        self.inside.lock().unwrap().plans.clone()
    }

    pub(in crate::orders) fn subscriptions(&self) -> Vec<Value> {
        self.inside.lock().unwrap().subscriptions.clone()
    }

    /// The money that orders and subscriptions have taken: its id, the cents and the currency.
    pub(in crate::orders) fn all_taken(&self) -> Vec<(String, i64, String)> {
        let inside = self.inside.lock().unwrap();
        let captures = inside.orders.iter().filter_map(|order| order.pointer("/purchase_units/0/payments/captures/0"));
        let mut taken: Vec<(&Value, &Value)> = captures.map(|capture| (&capture["id"], &capture["amount"])).collect();
        let sales = inside.sales.iter().map(|(_, sale)| sale);
        taken.extend(sales.map(|sale| (&sale["id"], &sale["amount_with_breakdown"]["gross_amount"])));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let cents = |amount: &Value| text(&amount["value"]).replace('.', "").parse::<i64>().unwrap();
        taken.into_iter().map(|(id, amount)| (text(id), cents(amount), text(&amount["currency_code"]))).collect()
    }

    /// The buyer approves a subscription, which takes its set-up fee; returns the event that tells.
    pub(in crate::orders) fn approve_subscription(&self, place: usize, at: DateTime<Utc>) -> Value {
        let mut inside = self.inside.lock().unwrap();
        let subscription = &mut inside.subscriptions[place];
        assert_eq!(subscription["status"], "APPROVAL_PENDING", "only a new one is approved");
        subscription["status"] = "ACTIVE".into();
        subscription["subscriber"] = json!({ "email_address": "sam@example.org" });
        let fee = subscription["plan"]["payment_preferences"]["setup_fee"].clone();
        inside.take(place, &fee, at)
    }

    /// A subscription charges an interval; returns the event that tells.
    pub(in crate::orders) fn charge(&self, place: usize, at: DateTime<Utc>) -> Value {
        let mut inside = self.inside.lock().unwrap();
        let plan = inside.subscriptions[place]["plan_id"].clone();
        let plan = inside.plans.iter().find(|known| known["id"] == plan).unwrap();
        let price = plan["billing_cycles"][0]["pricing_scheme"]["fixed_price"].clone();
        inside.take(place, &price, at)
    }

    /// A charge of a subscription fails, or it comes into a state by itself; returns the event that tells.
    pub(in crate::orders) fn set_subscription(&self, place: usize, status: &str, kind: &str) -> Value {
        let subscription = &mut self.inside.lock().unwrap().subscriptions[place];
        let failures = i64::from(kind.ends_with("FAILED"));
        subscription["status"] = status.into();
        subscription["billing_info"] = json!({ "failed_payments_count": failures });
        event(&format!("BILLING.SUBSCRIPTION.{kind}"), "subscription", subscription.clone())
    }

    /// The event about the refund of a sale.
    pub(in crate::orders) fn sale_refunded(&self, place: usize) -> Value {
        event("PAYMENT.SALE.REFUNDED", "refund", self.inside.lock().unwrap().refunds[place].clone())
    }
}

impl Inside {
    /// A subscription takes money.
    fn take(&mut self, place: usize, amount: &Value, at: DateTime<Utc>) -> Value {
        let (number, subscription) = (self.sales.len(), &self.subscriptions[place]);
        let time = at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let sale = json!({
            "id": format!("SALE{number}LYCEUM"),
            "amount": { "total": amount["value"], "currency": amount["currency_code"] },
            "billing_agreement_id": subscription["id"],
            "create_time": time,
            "custom": subscription["custom_id"],
            "payment_mode": "INSTANT_TRANSFER",
            "state": "completed",
        });
        self.sales.push((
            place,
            json!({
                "id": sale["id"],
                "amount_with_breakdown": { "gross_amount": amount },
                "payer_email": "sam@example.org",
                "status": "COMPLETED",
                "time": time,
            }),
        ));
        event("PAYMENT.SALE.COMPLETED", "sale", sale)
    }

    /// Answers a question below `v1/billing`.
    pub(super) fn read_billing(&self, parts: &[&str]) -> (u16, Value) {
        match parts {
            ["plans", id] => found(self.plans.iter().find(|plan| plan["id"] == **id)),
            ["subscriptions", id] => found(self.subscriptions.iter().find(|known| known["id"] == **id)),
            ["subscriptions", id, query] => {
                let Some(place) = self.subscriptions.iter().position(|known| known["id"] == **id) else {
                    return found(None);
                };
                assert!(query.starts_with("transactions?start_time=") && query.contains("&end_time="), "{query}");
                let of = self.sales.iter().filter(|(of, _)| *of == place).map(|(_, sale)| sale);
                (200, json!({ "transactions": of.collect::<Vec<_>>() }))
            }
            [query] => {
                let product = query.strip_prefix("plans?product_id=").unwrap();
                let of = self.plans.iter().filter(|plan| plan["product_id"] == product);
                (200, json!({ "plans": of.collect::<Vec<_>>() }))
            }
            other => panic!("{other:?}"),
        }
    }

    /// Does what is asked for below `v1`.
    pub(super) fn answer_of_subscriptions(&mut self, parts: &[&str], body: &Value) -> (u16, Value) {
        match parts {
            ["catalogs", "products"] => {
                if self.products.iter().any(|product| product["id"] == body["id"]) {
                    return refused(422, "DUPLICATE_RESOURCE_IDENTIFIER");
                }
                self.products.push(body.clone());
                (201, body.clone())
            }
            ["billing", "plans"] => self.make_plan(body),
            ["billing", "plans", id, "deactivate"] => {
                let Some(plan) = self.plans.iter_mut().find(|plan| plan["id"] == **id) else { return found(None) };
                if plan["status"] != "ACTIVE" {
                    return refused(422, "PLAN_STATUS_INVALID");
                }
                plan["status"] = "INACTIVE".into();
                (204, "".into())
            }
            ["billing", "subscriptions"] => self.make_subscription(body),
            ["billing", "subscriptions", id, "cancel"] => {
                let known = self.subscriptions.iter_mut().find(|known| known["id"] == **id);
                let Some(subscription) = known else { return found(None) };
                if !["ACTIVE", "SUSPENDED"].iter().any(|status| subscription["status"] == *status) {
                    return refused(422, "SUBSCRIPTION_STATUS_INVALID");
                }
                subscription["status"] = "CANCELLED".into();
                (204, "".into())
            }
            ["payments", "sale", id, "refund"] => self.refund_sale(id, body),
            other => panic!("{other:?}"),
        }
    }

    fn make_plan(&mut self, body: &Value) -> (u16, Value) {
        assert!(self.products.iter().any(|product| product["id"] == body["product_id"]));
        assert_eq!(body["payment_preferences"]["auto_bill_outstanding"], false, "an interval is charged once");
        let mut plan = body.clone();
        plan["id"] = format!("P-{}LYCEUM", self.plans.len()).into();
        plan["status"] = "ACTIVE".into();
        self.plans.push(plan.clone());
        (201, plan)
    }

    fn make_subscription(&mut self, body: &Value) -> (u16, Value) {
        let is_offered = |plan: &Value| plan["id"] == body["plan_id"] && plan["status"] == "ACTIVE";
        if !self.plans.iter().any(is_offered) {
            return refused(404, "INVALID_RESOURCE_ID");
        }
        assert!(body["custom_id"].as_str().unwrap().len() <= 127);
        let id = format!("I-{}LYCEUM", self.subscriptions.len());
        let mut subscription = body.clone();
        subscription["links"] = json!([
            {
                "href": format!("https://www.paypal.com/webapps/billing/subscriptions?ba_token={id}"),
                "rel": "approve",
                "method": "GET",
            },
            { "href": format!("https://api.paypal.com/v1/billing/subscriptions/{id}"), "rel": "self", "method": "GET" },
        ]);
        subscription["id"] = id.into();
        subscription["status"] = "APPROVAL_PENDING".into();
        self.subscriptions.push(subscription.clone());
        (201, subscription)
    }

    fn refund_sale(&mut self, sale: &str, body: &Value) -> (u16, Value) {
        if self.refuses {
            return refused(400, "TRANSACTION_ALREADY_REFUNDED");
        }
        if !self.sales.iter().any(|(_, known)| known["id"] == sale) {
            return found(None);
        }
        let refund = json!({
            "id": format!("REFUND{}LYCEUM", self.refunds.len()),
            "amount": body["amount"],
            "invoice_number": body["invoice_number"],
            "sale_id": sale,
            "state": "completed",
        });
        self.refunds.push(refund.clone());
        (201, refund)
    }
}

fn found(resource: Option<&Value>) -> (u16, Value) {
    match resource {
        Some(resource) => (200, resource.clone()),
        None => refused(404, "INVALID_RESOURCE_ID"),
    }
}
