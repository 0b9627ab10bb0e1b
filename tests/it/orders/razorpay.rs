//! Orders that are paid at Razorpay, against a fake of its API.

use reqwest::StatusCode;

use super::fakes::razorpay::{RazorpayFake, WEBHOOK_SECRET, event};
use super::fakes::{Fault, hmac};
use super::follow_up::ORDER_STATE;
use super::*;

struct RazorpayShop {
    shop: Shop,
    fake: RazorpayFake,
}

impl RazorpayShop {
    /// Where courses cost rupees.
    async fn open() -> RazorpayShop {
        let fake = RazorpayFake::start().await;
        let shop = Shop::with(&fake.settings()).await;
        shop.price(&shop.course, "499", "INR").await;
        shop.price(&shop.other, "99.50", "INR").await;
        RazorpayShop { shop, fake }
    }

    async fn order(&self, user: &User) -> Value {
        self.shop.ordered(user, self.input(&self.shop.course, "499")).await
    }

    fn input(&self, course: &Course, total: &str) -> Value {
        json!({
            "items": [{ "courseId": course.id }],
            "billing": { "country": "IN", "currency": "INR" },
            "expectedTotal": { "amount": total, "currency": "INR" },
        })
    }

    async fn webhook(&self, body: Vec<u8>, signature: &str, id: &str) -> StatusCode {
        let request = self.shop.app.client.post(format!("{}/webhooks/razorpay", self.shop.app.url)).body(body);
        let request = request.header("x-razorpay-signature", signature).header("x-razorpay-event-id", id);
        request.send().await.unwrap().status()
    }

    fn event(&self, kind: &str, payload: Value) -> Value {
        event(kind, payload, self.shop.app.app.clock.now())
    }

    /// Delivers an event with the right signature, and lets what follows happen.
    async fn tell(&self, event: &Value, id: &str) {
        let body = event.to_string().into_bytes();
        let signature = hmac(WEBHOOK_SECRET, &body);
        assert_eq!(self.webhook(body, &signature, id).await, 200);
        self.shop.settle().await;
    }

    async fn paid(&self, user: &User, place: usize) -> Value {
        let order = self.order(user).await;
        self.tell(&self.event("payment_link.paid", self.fake.pay(place)), &format!("paid{place}")).await;
        assert_eq!(self.shop.status(&order).await, "PAID");
        order
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_paid_and_refunded_at_razorpay() {
    let razorpay = RazorpayShop::open().await;
    let (shop, fake) = (&razorpay.shop, &razorpay.fake);
    let order = razorpay.order(&shop.sam).await;
    assert_eq!(order["provider"], "RAZORPAY");
    let link = &fake.links()[0];
    assert_eq!((&link["amount"], &link["currency"]), (&json!(49900), &json!("INR")), "in paise");
    assert_eq!((&order["checkoutUrl"], &link["callback_method"]), (&link["short_url"], &json!("get")));
    razorpay.tell(&razorpay.event("payment_link.paid", fake.pay(0)), "one").await;
    assert_eq!(shop.status(&order).await, "PAID");
    assert!(shop.has(&shop.sam, &shop.course).await);
    let stored = shop.app.sql("SELECT body::text FROM payment_events").await;
    assert!(!stored.contains("sam@example.org") && !stored.contains("+91"), "{stored}");

    shop.refund(&order, json!({})).await;
    shop.settle().await;
    let refund = fake.refunds()[0].clone();
    assert_eq!((&refund["amount"], &refund["payment_id"]), (&json!(49900), &json!("pay_0Lyceum")));
    let told = json!({ "refund": { "entity": refund }, "payment": { "entity": { "id": "pay_0Lyceum" } } });
    for (kind, id) in [("refund.created", "two"), ("refund.processed", "three")] {
        razorpay.tell(&razorpay.event(kind, told.clone()), id).await;
    }
    let seen = shop.seen(&order).await;
    assert_eq!((&seen["status"], &seen["refunds"][0]["state"]), (&json!("REFUNDED"), &json!("DONE")));
    assert_eq!(seen["refunds"].as_array().unwrap().len(), 1);
    let attempt = json!({ "payment": { "entity": { "id": "pay_9" } } });
    razorpay.tell(&razorpay.event("payment.failed", attempt), "four").await;
    let mut events = shop.events().await;
    events.sort();
    assert_eq!(
        events,
        ["checkout.paid PROCESSED", "payment.failed PROCESSED", "refund.created PROCESSED", "refund.created PROCESSED"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_razorpay_is_believed_and_an_event_that_is_replayed_changes_nothing() {
    let razorpay = RazorpayShop::open().await;
    let shop = &razorpay.shop;
    let order = razorpay.order(&shop.sam).await;
    let payload = razorpay.fake.pay(0);
    let body = razorpay.event("payment_link.paid", payload.clone()).to_string().into_bytes();
    let good = hmac(WEBHOOK_SECRET, &body);
    let other = String::from_utf8(body.clone()).unwrap().replace("49900", "1").into_bytes();
    let cut = body[..body.len() - 1].to_vec();
    let now = shop.app.app.clock.now();
    let old = event("payment_link.paid", payload.clone(), now - TimeDelta::days(4)).to_string().into_bytes();
    let early = event("payment_link.paid", payload, now + TimeDelta::days(4)).to_string().into_bytes();
    for (what, body, signature) in [
        ("none", body.clone(), String::new()),
        ("of another secret", body.clone(), hmac("another", &body)),
        // The secret of the key signs the way back of a checkout, not webhooks.
        ("of the key", body.clone(), hmac("razorpay-key-secret", &body)),
        ("a part of it", body.clone(), good[..good.len() - 2].to_owned()),
        ("of another body", other, good.clone()),
        ("of a truncated body", cut.clone(), good.clone()),
        ("of malformed text", cut.clone(), hmac(WEBHOOK_SECRET, &cut)),
        ("stale", old.clone(), hmac(WEBHOOK_SECRET, &old)),
        ("of the future", early.clone(), hmac(WEBHOOK_SECRET, &early)),
    ] {
        assert_eq!(razorpay.webhook(body, &signature, "id").await, 400, "{what}");
    }
    shop.settle().await;
    assert_eq!((shop.status(&order).await.as_str(), shop.events().await.len()), ("PENDING", 0));
    // Sent twice by Razorpay, then again by another with an id that is not signed.
    for id in ["id", "id", "another"] {
        assert_eq!(razorpay.webhook(body.clone(), &good, id).await, 200);
    }
    shop.settle().await;
    assert_eq!((shop.status(&order).await.as_str(), shop.events().await.len()), ("PAID", 2));
    assert_eq!(shop.app.sql("SELECT count(*) FROM events WHERE kind = 'order_paid'").await, "1");
    assert_eq!(shop.students(&shop.course).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_is_created_once_and_its_webhook_may_be_the_first_to_tell() {
    let razorpay = RazorpayShop::open().await;
    let (shop, fake) = (&razorpay.shop, &razorpay.fake);
    // Made, and the answer lost: the second attempt finds it by its reference.
    fake.wire.fail("POST /v1/payment_links", Fault::AnswerLost(504));
    let order = razorpay.order(&shop.sam).await;
    assert_eq!(order["checkoutUrl"], fake.links()[0]["short_url"]);
    // Away for longer, then busy: the job opens it.
    for _ in 0..3 {
        fake.wire.fail("POST /v1/payment_links", Fault::Refused(503));
    }
    let order = razorpay.order(&shop.tim).await;
    assert_eq!(order["checkoutUrl"], Value::Null);
    fake.wire.fail("GET /v1/payment_links", Fault::Refused(429));
    razorpay.shop.reconcile(TimeDelta::minutes(2)).await;
    assert_eq!(shop.seen(&order).await["checkoutUrl"], fake.links()[1]["short_url"]);
    // All answers lost, then paid: the job finds it by its reference, without a webhook.
    let eve = shop.app.user("Eve", Role::Student).await;
    for _ in 0..3 {
        fake.wire.fail("POST /v1/payment_links", Fault::AnswerLost(500));
    }
    let order = razorpay.order(&eve).await;
    let paid = razorpay.event("payment_link.paid", fake.pay(2));
    razorpay.shop.reconcile(TimeDelta::minutes(2)).await;
    assert_eq!(shop.status(&order).await, "PAID");
    razorpay.tell(&paid, "late").await;
    assert_eq!((fake.links().len(), shop.students(&shop.course).await), (3, 1));
    assert_eq!(shop.events().await, ["checkout.paid PROCESSED"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_contradicts_the_order_is_refused() {
    let razorpay = RazorpayShop::open().await;
    let shop = &razorpay.shop;
    let order = razorpay.order(&shop.sam).await;
    let paid = razorpay.event("payment_link.paid", razorpay.fake.pay(0));
    let mut told = 0;
    for (pointer, value) in [
        ("/payload/payment/entity/amount", json!(49800)),
        ("/payload/payment/entity/currency", json!("USD")),
        ("/payload/payment_link/entity/id", json!("plink_other")),
        ("/payload/payment_link/entity/reference_id", json!("TS1989")),
        ("/account_id", json!("acc_other")),
    ] {
        let mut wrong = paid.clone();
        *wrong.pointer_mut(pointer).unwrap() = value;
        razorpay.tell(&wrong, &format!("wrong{told}")).await;
        told += 1;
    }
    assert_eq!(shop.events().await, vec!["checkout.paid REFUSED"; told]);
    assert_eq!(shop.status(&order).await, "PENDING");
    razorpay.tell(&paid, "right").await;
    assert_eq!(shop.status(&order).await, "PAID");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_at_razorpay_is_made_once_or_fails_for_good() {
    let razorpay = RazorpayShop::open().await;
    let (shop, fake) = (&razorpay.shop, &razorpay.fake);
    let order = razorpay.paid(&shop.sam, 0).await;
    fake.refuse_refunds(true);
    shop.refund(&order, json!({})).await;
    shop.settle().await;
    assert_eq!((shop.status(&order).await.as_str(), fake.refunds().len()), ("PAID", 0));
    assert_eq!(shop.seen(&order).await["refunds"][0]["state"], "FAILED");
    assert!(shop.has(&shop.sam, &shop.course).await);
    // Made, and all answers lost for more than a day.
    fake.refuse_refunds(false);
    for _ in 0..3 {
        fake.wire.fail("/refund", Fault::AnswerLost(500));
    }
    shop.refund(&order, json!({})).await;
    shop.settle().await;
    fake.forget_keys();
    shop.pass(TimeDelta::minutes(23 * 60 + 30)).await;
    assert_eq!((shop.status(&order).await.as_str(), fake.refunds().len()), ("REFUNDED", 1));
    let states = shop.app.sql("SELECT string_agg(state, ' ' ORDER BY state) FROM refunds").await;
    assert_eq!(states, "DONE FAILED");
    // The customer's bank sends it back.
    let failed = json!({ "refund": { "entity": fake.refunds()[0] } });
    razorpay.tell(&razorpay.event("refund.failed", failed), "failed").await;
    assert_eq!(shop.status(&order).await, "PAID");
    assert!(shop.has(&shop.sam, &shop.course).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disputes_and_ends_at_razorpay_are_followed() {
    let razorpay = RazorpayShop::open().await;
    let (shop, fake) = (&razorpay.shop, &razorpay.fake);
    let order = razorpay.paid(&shop.sam, 0).await;
    let tell = async |kind: &str, phase: &str, id: &str| {
        razorpay.tell(&razorpay.event(kind, fake.dispute(0, phase)), id).await;
    };
    tell("payment.dispute.created", "retrieval", "question").await;
    assert!(shop.has(&shop.sam, &shop.course).await, "a question of the bank takes nothing");
    tell("payment.dispute.created", "chargeback", "opened").await;
    assert!(!shop.has(&shop.sam, &shop.course).await);
    tell("payment.dispute.won", "chargeback", "won").await;
    assert!(shop.has(&shop.sam, &shop.course).await);
    assert_eq!(shop.seen(&order).await["disputes"][0]["status"], "WON");

    // Canceled: the link is closed. The time to pay another one is over.
    let canceled = razorpay.order(&shop.tim).await;
    shop.app.mutate(&shop.tim, "cancelOrder", "order { id }", json!({ "orderId": canceled["id"] })).await;
    shop.settle().await;
    assert_eq!(fake.links()[1]["status"], "cancelled");
    let lapsed = shop.ordered(&shop.tim, razorpay.input(&shop.other, "99.50")).await;
    assert_eq!(fake.links()[2]["amount"], 9950);
    fake.lapse(2);
    let told = json!({ "payment_link": { "entity": fake.links()[2] } });
    razorpay.tell(&razorpay.event("payment_link.expired", told), "expired").await;
    assert_eq!((shop.status(&canceled).await.as_str(), shop.status(&lapsed).await.as_str()), ("CANCELED", "EXPIRED"));
    assert_eq!(shop.app.sql("SELECT count(*) FROM jobs WHERE dead_at IS NOT NULL").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_becomes_of_refunds_and_disputes_at_razorpay_is_known_without_webhooks() {
    let razorpay = RazorpayShop::open().await;
    let (shop, fake) = (&razorpay.shop, &razorpay.fake);
    let order = razorpay.paid(&shop.sam, 0).await;
    shop.refund(&order, json!({})).await;
    shop.settle().await;
    shop.reconcile(TimeDelta::days(1)).await;
    assert_eq!(shop.app.sql(ORDER_STATE).await, "REFUNDED false", "it is pending");
    fake.set_refund(0, "failed");
    shop.reconcile(TimeDelta::days(1)).await;
    assert_eq!(shop.app.sql(ORDER_STATE).await, "PAID true");
    razorpay.tell(&razorpay.event("payment.dispute.created", fake.dispute(0, "chargeback")), "opened").await;
    shop.reconcile(TimeDelta::days(7)).await;
    assert_eq!(shop.app.sql(ORDER_STATE).await, "PAID false");
    fake.decide(0, "lost");
    shop.reconcile(TimeDelta::days(1)).await;
    assert_eq!(shop.app.sql(ORDER_STATE).await, "REFUNDED false");
}
