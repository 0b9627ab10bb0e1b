//! Stripe, as far as the subscriptions of memberships need it: what it answers when it is asked, and what it tells.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use lyceum::orders::receive;
use lyceum::platform::payments::{GatewayEvent, GatewayFact, Provider};

use super::*;
use crate::orders::fakes::{Call, Wire, start};

const ACCOUNT: &str = "acct_1Lyceum";
/// What Stripe calls Sam's first subscription.
pub(super) const SUB: &str = "sub_1";

/// A club whose members pay at Stripe.
pub(super) struct StripeClub {
    pub(super) club: Club,
    pub(super) fake: Gateway,
    pub(super) plan: Value,
}

impl StripeClub {
    pub(super) async fn open() -> StripeClub {
        StripeClub::with(&[]).await
    }

    pub(super) async fn with(settings: &[(&str, &str)]) -> StripeClub {
        let fake = Gateway::start().await;
        let settings: Vec<_> = fake.settings().into_iter().chain(settings.iter().copied()).collect();
        let club = Club::with(&settings).await;
        let plan = club.all_access().await;
        StripeClub { club, fake, plan }
    }

    pub(super) async fn tell(&self, event: &GatewayEvent) {
        receive(&self.club.app.app, Provider::Stripe, event).await.unwrap();
        self.club.settle().await;
    }

    /// The event that the latest order of a membership was paid on its page, which has started a subscription.
    pub(super) async fn paid_event(&self, id: &str, subscription: Option<&str>) -> GatewayEvent {
        let number = self.club.numbers(id).await[0].clone();
        let of = |column: &str| {
            format!("SELECT {column} FROM payments JOIN orders ON orders.id = order_id WHERE number = {number}")
        };
        let cents = self.club.app.sql(&of("amount_minor")).await;
        GatewayEvent {
            checkout: self.club.app.sql(&of("external_id")).await,
            transaction: Some(format!("pi_{number}")),
            subscription: subscription.map(str::to_owned),
            reference: self.club.app.sql(&of("payments.id")).await,
            amount_minor: cents.parse().unwrap(),
            ..told("", GatewayFact::Paid, None)
        }
    }

    /// Pays the latest order of a membership on its page, which starts a subscription.
    pub(super) async fn pay(&self, id: &str, subscription: &str) {
        self.fake.begin(subscription);
        let event = self.paid_event(id, Some(subscription)).await;
        self.tell(&event).await;
    }

    pub(super) async fn ordered(&self, user: &User, price: &str, total: &str) -> String {
        let order = self.club.order(user, price, total).await;
        order["items"][0]["membership"]["id"].as_str().unwrap().to_owned()
    }

    /// Sam's membership, which [`SUB`] renews each month.
    pub(super) async fn join(&self) -> String {
        let id = self.ordered(&self.club.sam, &month(&self.plan), "10").await;
        self.pay(&id, SUB).await;
        assert_eq!(self.club.status(&id).await, "ACTIVE");
        id
    }

    /// A subscription has charged, and that is told.
    pub(super) async fn charged(&self, subscription: &str, transaction: &str, cents: i64) {
        self.fake.known(subscription, transaction, cents, self.club.now());
        self.tell(&told(subscription, GatewayFact::SubscriptionPaid, Some((transaction, cents)))).await;
    }

    /// A charge of a subscription has failed.
    pub(super) async fn failed(&self, subscription: &str) {
        self.fake.set(subscription, "past_due");
        self.tell(&told(subscription, GatewayFact::SubscriptionFailed, None)).await;
    }

    /// A subscription has ended at the provider.
    pub(super) async fn ended(&self, subscription: &str) {
        self.fake.set(subscription, "canceled");
        self.tell(&told(subscription, GatewayFact::SubscriptionEnded, None)).await;
    }

    /// How the next period is paid.
    pub(super) async fn renewal(&self, id: &str) -> Value {
        self.club.node(&self.club.root, id, "... on Membership { renewal }").await["renewal"].take()
    }

    pub(super) async fn events(&self) -> String {
        let sql = "SELECT string_agg(DISTINCT state, ',') FROM payment_events";
        self.club.app.sql(sql).await
    }
}

/// As much of Stripe's API as is called.
pub(super) struct Gateway {
    url: String,
    pub(super) wire: Arc<Wire>,
    inside: Arc<Mutex<Inside>>,
}

#[derive(Default)]
struct Inside {
    sessions: Vec<Value>,
    /// The status and the charges of each subscription, latest first.
    subscriptions: HashMap<String, (&'static str, Vec<Charge>)>,
    refunds: Vec<Value>,
    keys: HashMap<String, Value>,
    /// What a checkout has started whose money is on its way, as all of them are then.
    debited: Option<String>,
}

#[derive(Clone)]
struct Charge {
    transaction: String,
    cents: i64,
    currency: String,
    at: DateTime<Utc>,
}

impl Gateway {
    pub(super) async fn start() -> Gateway {
        let (wire, inside) = (Arc::new(Wire::default()), Arc::new(Mutex::new(Inside::default())));
        let shared = inside.clone();
        let url = start(wire.clone(), move |call| shared.lock().unwrap().answer(call)).await;
        Gateway { url, wire, inside }
    }

    pub(super) fn settings(&self) -> [(&str, &str); 4] {
        [
            ("LYCEUM_STRIPE_SECRET_KEY", "sk_test_51Lyceum"),
            ("LYCEUM_STRIPE_ACCOUNT", ACCOUNT),
            ("LYCEUM_STRIPE_WEBHOOK_SECRET", "whsec_Lyceum"),
            ("LYCEUM_STRIPE_URL", &self.url),
        ]
    }

    /// The checkouts that were asked for, as they were asked for.
    pub(super) fn sessions(&self) -> Vec<Value> {
        self.inside.lock().unwrap().sessions.clone()
    }

    /// What was refunded of a transaction, in cents.
    pub(super) fn refunded(&self, transaction: &str) -> i64 {
        let inside = self.inside.lock().unwrap();
        let own = inside.refunds.iter().filter(|refund| refund["payment_intent"] == transaction);
        own.map(|refund| refund["amount"].as_i64().unwrap()).sum()
    }

    /// A subscription is started, and waits for its first charge.
    pub(super) fn begin(&self, subscription: &str) {
        self.inside.lock().unwrap().subscriptions.insert(subscription.to_owned(), ("active", Vec::new()));
    }

    /// The customer completes the page by a bank debit that takes days, and starts a subscription.
    pub(super) fn debit(&self, subscription: &str) {
        self.begin(subscription);
        self.inside.lock().unwrap().debited = Some(subscription.to_owned());
    }

    /// A subscription charges euros. That is known when it is asked about.
    pub(super) fn known(&self, subscription: &str, transaction: &str, cents: i64, at: DateTime<Utc>) {
        self.known_in("EUR", subscription, transaction, (cents, at));
    }

    pub(super) fn known_in(
        &self,
        currency: &str,
        subscription: &str,
        transaction: &str,
        (cents, at): (i64, DateTime<Utc>),
    ) {
        let mut inside = self.inside.lock().unwrap();
        let (status, charges) = inside.subscriptions.get_mut(subscription).unwrap();
        *status = "active";
        let (transaction, currency) = (transaction.to_owned(), currency.to_owned());
        charges.insert(0, Charge { transaction, cents, currency, at });
    }

    /// Sets what a subscription is: active, past_due or canceled.
    pub(super) fn set(&self, subscription: &str, status: &'static str) {
        self.inside.lock().unwrap().subscriptions.get_mut(subscription).unwrap().0 = status;
    }

    /// Whether a subscription charges nothing more.
    pub(super) fn is_ended(&self, subscription: &str) -> bool {
        self.inside.lock().unwrap().subscriptions[subscription].0 == "canceled"
    }
}

/// What is told of a subscription; of a charge with its transaction and cents.
pub(super) fn told(subscription: &str, fact: GatewayFact, charge: Option<(&str, i64)>) -> GatewayEvent {
    GatewayEvent {
        id: format!("evt_{}", uuid::Uuid::new_v4().simple()),
        account: ACCOUNT.into(),
        checkout: String::new(),
        transaction: charge.map(|(transaction, _)| transaction.to_owned()),
        subscription: Some(subscription.to_owned()),
        reference: String::new(),
        amount_minor: charge.map_or(0, |(_, cents)| cents),
        currency: "EUR".into(),
        fact,
    }
}

impl Inside {
    fn answer(&mut self, call: &Call) -> (u16, Value) {
        let path = call.path.strip_prefix("/v1/").unwrap();
        if call.method == "GET" {
            return self.read(path);
        }
        if call.method == "DELETE" {
            let id = path.strip_prefix("subscriptions/").unwrap();
            return match self.subscriptions.get_mut(id) {
                Some((status, _)) if *status != "canceled" => {
                    *status = "canceled";
                    (200, json!({ "id": id, "object": "subscription", "status": "canceled" }))
                }
                _ => missing(),
            };
        }
        let key = call.header("idempotency-key").to_owned();
        if let Some(answer) = self.keys.get(&key) {
            return (200, answer.clone());
        }
        let form = call.form();
        let answer = match path {
            "checkout/sessions" => self.create(&form),
            "refunds" => self.refund(&form),
            path if path.ends_with("/expire") => json!({ "id": "cs", "status": "expired", "payment_status": "unpaid" }),
            // Prices and products.
            path => {
                let id = format!("{}_{}", path.replace('/', "_"), self.keys.len());
                json!({ "id": id, "object": "price", "active": true, "product": "prod_1" })
            }
        };
        self.keys.insert(key, answer.clone());
        (200, answer)
    }

    fn create(&mut self, form: &HashMap<String, String>) -> Value {
        let id = format!("cs_test_{}Lyceum", self.sessions.len());
        self.sessions.push(json!(form));
        json!({
            "id": id,
            "object": "checkout.session",
            "payment_status": "unpaid",
            "status": "open",
            "url": format!("https://checkout.stripe.com/c/pay/{id}"),
        })
    }

    fn refund(&mut self, form: &HashMap<String, String>) -> Value {
        let refund = json!({
            "id": format!("re_{}Lyceum", self.refunds.len()),
            "object": "refund",
            "amount": form["amount"].parse::<i64>().unwrap(),
            "currency": "eur",
            "metadata": { "refund": form["metadata[refund]"] },
            "payment_intent": form["payment_intent"],
            "status": "succeeded",
        });
        self.refunds.push(refund.clone());
        refund
    }

    fn read(&self, path: &str) -> (u16, Value) {
        if path.starts_with("checkout/sessions/") {
            let status = if self.debited.is_some() { "complete" } else { "open" };
            return (
                200,
                json!({ "id": path.rsplit('/').next(), "payment_status": "unpaid", "status": status,
                    "amount_total": 1000, "currency": "eur", "subscription": self.debited,
                    "payment_intent": self.debited.as_ref().map(|_| "pi_debit") }),
            );
        }
        if path.starts_with("payment_intents/") {
            return (200, json!({ "id": "pi_debit", "object": "payment_intent", "status": "processing" }));
        }
        let list = |data: Vec<Value>| (200, json!({ "object": "list", "data": data, "has_more": false }));
        if path.starts_with("prices?") {
            return list(Vec::new());
        }
        let found = self.subscriptions.iter().find(|(id, _)| path.contains(id.as_str()));
        let Some((id, (status, charges))) = found else { return missing() };
        if path.starts_with("subscriptions/") {
            return (200, json!({ "id": id, "object": "subscription", "status": status }));
        }
        list(charges.iter().map(|charge| invoice(id, charge)).collect())
    }
}

fn invoice(subscription: &str, charge: &Charge) -> Value {
    let paid = json!({ "type": "payment_intent", "payment_intent": charge.transaction });
    json!({
        "id": format!("in_{}", charge.transaction),
        "object": "invoice",
        "amount_paid": charge.cents,
        "billing_reason": "subscription_cycle",
        "currency": charge.currency.to_lowercase(),
        "parent": { "type": "subscription_details", "subscription_details": { "subscription": subscription } },
        "payments": { "data": [{ "status": "paid", "amount_paid": charge.cents, "payment": paid }] },
        "status": "paid",
        "status_transitions": { "paid_at": charge.at.timestamp() },
    })
}

fn missing() -> (u16, Value) {
    (404, json!({ "error": { "code": "resource_missing", "message": "No such subscription" } }))
}
