//! Orders that are paid at Stripe, against a fake of its API.

use reqwest::StatusCode;

use super::fakes::Fault;
use super::fakes::stripe::{self, StripeFake, WEBHOOK_SECRET, event};
use super::*;

pub(super) struct StripeShop {
    pub(super) shop: Shop,
    pub(super) fake: StripeFake,
}

impl StripeShop {
    pub(super) async fn open() -> StripeShop {
        StripeShop::with(&[]).await
    }

    pub(super) async fn with(more: &[(&str, &str)]) -> StripeShop {
        let fake = StripeFake::start().await;
        let settings: Vec<_> = fake.settings().into_iter().chain(more.iter().copied()).collect();
        StripeShop { shop: Shop::with(&settings).await, fake }
    }

    async fn webhook(&self, body: Vec<u8>, signature: &str) -> StatusCode {
        let request = self.shop.app.client.post(format!("{}/webhooks/stripe", self.shop.app.url)).body(body);
        request.header("stripe-signature", signature).send().await.unwrap().status()
    }

    /// Delivers an event with the right signature, without what follows.
    async fn deliver(&self, event: &Value) {
        let body = event.to_string().into_bytes();
        let signature = stripe::signature(WEBHOOK_SECRET, &body, self.shop.app.app.clock.now());
        assert_eq!(self.webhook(body, &signature).await, 200);
    }

    pub(super) async fn tell(&self, event: &Value) {
        self.deliver(event).await;
        self.shop.settle().await;
    }

    /// An order of the first course that is paid, by a customer of the session at this place.
    async fn paid(&self, user: &User, place: usize) -> Value {
        let order = self.shop.order(user).await;
        self.tell(&self.fake.pay(place)).await;
        assert_eq!(self.shop.status(&order).await, "PAID");
        order
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_paid_and_refunded_at_stripe() {
    let stripe = StripeShop::open().await;
    let (shop, fake) = (&stripe.shop, &stripe.fake);
    let providers = shop.app.data(None, "{ paymentProviders }", json!({})).await;
    assert_eq!(providers["paymentProviders"], json!(["STRIPE"]), "no sandbox beside it");
    let mut input = shop.input(&[&shop.course], "19.90");
    input["returnUrl"] = "http://localhost:3000/thanks".into();
    let order = shop.ordered(&shop.sam, input).await;
    assert_eq!(order["provider"], "STRIPE");
    let session = &fake.sessions()[0];
    assert_eq!(order["checkoutUrl"], session["url"]);
    let payment = shop.app.sql("SELECT id FROM payments").await;
    assert_eq!((&session["amount_total"], &session["currency"]), (&json!(1990), &json!("eur")));
    assert_eq!((&session["client_reference_id"], &session["mode"]), (&json!(payment), &json!("payment")));
    assert_eq!(session["success_url"], "http://localhost:3000/thanks");

    stripe.tell(&fake.pay(0)).await;
    assert_eq!(shop.status(&order).await, "PAID");
    assert!(shop.has(&shop.sam, &shop.course).await);
    let stored = shop.app.sql("SELECT body::text FROM payment_events").await;
    assert!(!stored.contains("sam@example.org") && stored.contains("pi_0Lyceum"), "{stored}");

    // A part by us, the rest in the dashboard. Both are told, the first one twice.
    let made = shop.refund(&order, json!({ "amount": { "amount": "9.90", "currency": "EUR" } })).await;
    shop.settle().await;
    let refunds = fake.refunds();
    assert_eq!((&refunds[0]["amount"], &refunds[0]["payment_intent"]), (&json!(990), &json!("pi_0Lyceum")));
    assert_eq!(shop.seen(&order).await["refunds"][0]["state"], "DONE");
    stripe.tell(&event("refund.created", refunds[0].clone())).await;
    stripe.tell(&event("refund.updated", refunds[0].clone())).await;
    stripe.tell(&fake.refund(0, 1000)).await;
    let seen = shop.seen(&order).await;
    assert_eq!((&seen["status"], &seen["refunded"]["amount"]), (&json!("REFUNDED"), &json!("19.90")));
    assert_eq!(seen["refunds"].as_array().unwrap().len(), 2, "{seen:#}");
    assert_eq!(seen["refunds"][0]["id"], made["refund"]["id"]);
    assert!(!shop.has(&shop.sam, &shop.course).await);

    // What changes nothing is recorded.
    stripe.tell(&event("payment_intent.succeeded", json!({ "id": "pi_0Lyceum", "object": "payment_intent" }))).await;
    let events = shop.events().await;
    assert!(events.contains(&"payment_intent.succeeded PROCESSED".to_owned()), "{events:?}");
    assert!(events.iter().all(|event| event.ends_with("PROCESSED")), "{events:?}");
    let of_order = "query ($id: ID!) { paymentEvents(filter: { orderId: $id }) { totalCount } }";
    let of_order = shop.app.data(Some(&shop.root.token), of_order, json!({ "id": order["id"] })).await;
    assert_eq!(of_order["paymentEvents"]["totalCount"], 4, "those that name only the transaction, too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_stripe_is_believed_and_only_for_five_minutes() {
    let stripe = StripeShop::open().await;
    let (shop, fake) = (&stripe.shop, &stripe.fake);
    let order = shop.order(&shop.sam).await;
    let body = fake.pay(0).to_string().into_bytes();
    let now = shop.app.app.clock.now();
    let sign = |secret: &str, body: &[u8], at| stripe::signature(secret, body, at);
    let good = sign(WEBHOOK_SECRET, &body, now);
    let other = String::from_utf8(body.clone()).unwrap().replace("1990", "1").into_bytes();
    let cut = body[..body.len() - 1].to_vec();
    for (what, body, signature) in [
        ("none", body.clone(), String::new()),
        ("another secret", body.clone(), sign("whsec_other", &body, now)),
        ("a part of it", body.clone(), good[..good.len() - 2].to_owned()),
        ("of another body", other, good.clone()),
        ("of a truncated body", cut.clone(), good.clone()),
        ("of malformed text", cut.clone(), sign(WEBHOOK_SECRET, &cut, now)),
        ("stale", body.clone(), sign(WEBHOOK_SECRET, &body, now - TimeDelta::minutes(6))),
        ("of the future", body.clone(), sign(WEBHOOK_SECRET, &body, now + TimeDelta::minutes(6))),
        ("with the time changed", body.clone(), good.replace("t=", "t=1")),
        ("of an older scheme", body.clone(), good.replace("v1=", "v0=")),
    ] {
        assert_eq!(stripe.webhook(body, &signature).await, 400, "{what}");
    }
    shop.settle().await;
    assert_eq!((shop.status(&order).await.as_str(), shop.events().await.len()), ("PENDING", 0));
    // While the secret is replaced, there are two signatures. The same webhook again changes nothing.
    let two = format!("{},{}", sign("whsec_old", &body, now), good.split(',').nth(1).unwrap());
    for signature in [&two, &good, &good] {
        assert_eq!(stripe.webhook(body.clone(), signature).await, 200);
    }
    shop.settle().await;
    assert_eq!((shop.status(&order).await.as_str(), shop.events().await.len()), ("PAID", 1));
    assert_eq!(shop.students(&shop.course).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkout_is_created_once_and_its_webhook_may_be_the_first_to_tell() {
    let stripe = StripeShop::open().await;
    let (shop, fake) = (&stripe.shop, &stripe.fake);
    // Stripe makes the session and does not answer in time.
    fake.wire.fail("POST /v1/checkout/sessions", Fault::Hangs);
    let order = shop.order(&shop.sam).await;
    assert_eq!((&order["status"], &order["checkoutUrl"]), (&json!("PENDING"), &Value::Null));
    stripe.shop.reconcile(TimeDelta::minutes(2)).await;
    assert_eq!(shop.seen(&order).await["checkoutUrl"], fake.sessions()[0]["url"]);
    assert_eq!(fake.sessions().len(), 1, "by its idempotency key");
    // It is busy, then away for a moment: within the same request.
    fake.wire.fail("POST /v1/checkout/sessions", Fault::AnswerLost(503));
    fake.wire.fail("POST /v1/checkout/sessions", Fault::Refused(429));
    let order = shop.order(&shop.tim).await;
    assert_eq!(order["checkoutUrl"], fake.sessions()[1]["url"]);
    // Paid while we still wait for the answer: the webhook comes before our own commit.
    let eve = shop.app.user("Eve", Role::Student).await;
    for _ in 0..3 {
        fake.wire.fail("POST /v1/checkout/sessions", Fault::AnswerLost(500));
    }
    let order = shop.order(&eve).await;
    assert_eq!(shop.app.sql("SELECT count(*) FROM payments WHERE state = 'CREATING'").await, "1");
    stripe.tell(&fake.pay(2)).await;
    assert_eq!(shop.status(&order).await, "PAID");
    assert!(shop.has(&eve, &shop.course).await);
    assert_eq!(fake.sessions().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_contradicts_the_order_is_kept_and_changes_nothing() {
    let stripe = StripeShop::open().await;
    let (shop, fake) = (&stripe.shop, &stripe.fake);
    let order = shop.order(&shop.sam).await;
    let paid = fake.pay(0);
    let mut told = 0;
    for (pointer, value) in [
        ("/data/object/amount_total", json!(1)),
        ("/data/object/currency", json!("usd")),
        ("/data/object/id", json!("cs_test_other")),
        ("/data/object/client_reference_id", json!("order-of-another-shop")),
        ("/livemode", json!(true)),
    ] {
        let mut wrong = paid.clone();
        *wrong.pointer_mut(pointer).unwrap() = value;
        wrong["id"] = format!("evt_wrong{told}").into();
        stripe.deliver(&wrong).await;
        told += 1;
    }
    let mut elsewhere = paid.clone();
    elsewhere["account"] = "acct_other".into();
    elsewhere["id"] = "evt_elsewhere".into();
    stripe.tell(&elsewhere).await;
    assert_eq!(shop.events().await, vec!["checkout.paid REFUSED"; told + 1]);
    assert_eq!(shop.status(&order).await, "PENDING");
    // A checkout of another program.
    let mut foreign = paid.clone();
    foreign["data"]["object"]["client_reference_id"] = Value::Null;
    foreign["id"] = "evt_foreign".into();
    stripe.tell(&foreign).await;
    let mut events = shop.events().await;
    events.retain(|event| event != "checkout.paid REFUSED");
    assert_eq!(events, ["checkout.session.completed PROCESSED"]);
    assert_eq!(shop.status(&order).await, "PENDING");
    stripe.tell(&paid).await;
    assert_eq!(shop.status(&order).await, "PAID");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_that_is_refused_or_comes_back_counts_nowhere() {
    let stripe = StripeShop::open().await;
    let (shop, fake) = (&stripe.shop, &stripe.fake);
    let order = stripe.paid(&shop.sam, 0).await;
    fake.refuse_refunds(Some("charge_disputed"));
    shop.refund(&order, json!({})).await;
    assert_eq!(shop.status(&order).await, "REFUNDED");
    shop.settle().await;
    let seen = shop.seen(&order).await;
    assert_eq!((&seen["status"], &seen["refunded"]["amount"]), (&json!("PAID"), &json!("0.00")));
    assert!(shop.has(&shop.sam, &shop.course).await, "neither the money nor the course would be wrong");
    let failure = "... on Order { refunds { state failure } }";
    let id = order["id"].as_str().unwrap();
    let why = "the payment provider refused: charge_disputed: This charge cannot be refunded.";
    for (user, why) in [(&shop.root, json!(why)), (&shop.sam, Value::Null)] {
        let told = shop.node(Some(user), id, failure).await;
        assert_eq!(told["refunds"], json!([{ "state": "FAILED", "failure": why }]));
    }
    assert_eq!(shop.app.sql("SELECT count(*) FROM jobs WHERE dead_at IS NOT NULL").await, "0");

    // The next attempt is another refund. It succeeds, and comes back from the customer's bank days later.
    fake.refuse_refunds(None);
    shop.refund(&order, json!({})).await;
    shop.settle().await;
    assert_eq!(shop.status(&order).await, "REFUNDED");
    assert!(!shop.has(&shop.sam, &shop.course).await);
    let mut failed = fake.refunds()[0].clone();
    failed["status"] = "failed".into();
    failed["failure_reason"] = "expired_or_canceled_card".into();
    for _ in 0..2 {
        stripe.tell(&event("refund.failed", failed.clone())).await;
    }
    // Told late: it has failed meanwhile.
    stripe.tell(&event("refund.created", fake.refunds()[0].clone())).await;
    let seen = shop.seen(&order).await;
    assert_eq!((&seen["status"], &seen["refunded"]["amount"]), (&json!("PAID"), &json!("0.00")));
    assert!(shop.has(&shop.sam, &shop.course).await);
    assert_eq!(shop.students(&shop.course).await, 1);
    assert!(shop.events().await.iter().all(|event| event.ends_with("PROCESSED")), "{:?}", shop.events().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_is_made_once_also_after_stripe_has_forgotten_the_key() {
    let stripe = StripeShop::open().await;
    let (shop, fake) = (&stripe.shop, &stripe.fake);
    let order = stripe.paid(&shop.sam, 0).await;
    for _ in 0..3 {
        fake.wire.fail("POST /v1/refunds", Fault::AnswerLost(500));
    }
    shop.refund(&order, json!({ "amount": { "amount": "5", "currency": "EUR" } })).await;
    shop.settle().await;
    assert_eq!(shop.seen(&order).await["refunds"][0]["state"], "PENDING");
    fake.forget_keys();
    shop.pass(TimeDelta::minutes(23 * 60 + 30)).await;
    assert_eq!(shop.seen(&order).await["refunds"][0]["state"], "DONE");
    assert_eq!(fake.refunds().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dispute_at_stripe_ends_the_access_until_it_is_won() {
    let stripe = StripeShop::open().await;
    let (shop, fake) = (&stripe.shop, &stripe.fake);
    let won = stripe.paid(&shop.sam, 0).await;
    // A warning takes no money.
    stripe.tell(&fake.dispute(0, "charge.dispute.created", "warning_needs_response")).await;
    assert!(shop.has(&shop.sam, &shop.course).await);
    stripe.tell(&fake.dispute(0, "charge.dispute.funds_withdrawn", "needs_response")).await;
    assert!(!shop.has(&shop.sam, &shop.course).await);
    assert_eq!(shop.seen(&won).await["disputes"][0]["status"], "OPEN");
    stripe.tell(&fake.dispute(0, "charge.dispute.closed", "won")).await;
    assert!(shop.has(&shop.sam, &shop.course).await);
    assert_eq!((shop.status(&won).await.as_str(), shop.students(&shop.course).await), ("PAID", 1));

    // Told before we know that the money has arrived: it waits.
    let lost = shop.order(&shop.tim).await;
    let paid = fake.pay(1);
    stripe.tell(&fake.dispute(1, "charge.dispute.created", "needs_response")).await;
    assert!(shop.events().await.contains(&"dispute.opened WAITING".to_owned()));
    stripe.tell(&paid).await;
    shop.pass(TimeDelta::seconds(11)).await;
    assert!(!shop.has(&shop.tim, &shop.course).await);
    stripe.tell(&fake.dispute(1, "charge.dispute.closed", "lost")).await;
    let seen = shop.seen(&lost).await;
    assert_eq!((&seen["status"], &seen["disputes"][0]["status"]), (&json!("REFUNDED"), &json!("LOST")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dispute_that_is_won_gives_no_access_with_an_order_that_had_ended() {
    let stripe = StripeShop::open().await;
    let (shop, fake) = (&stripe.shop, &stripe.fake);
    let order = shop.order(&shop.sam).await;
    let late = fake.pay(0);
    shop.app.mutate(&shop.sam, "cancelOrder", "order { id }", json!({ "orderId": order["id"] })).await;
    // Bought with another order meanwhile, which is refunded later: so nothing else gives access, or keeps it away.
    let other = shop.order(&shop.sam).await;
    stripe.tell(&fake.pay(1)).await;
    // The late money cannot be returned, as the buyer's bank has asked for it.
    fake.refuse_refunds(Some("charge_disputed"));
    stripe.tell(&late).await;
    shop.pass(TimeDelta::seconds(31)).await;
    fake.refuse_refunds(None);
    shop.refund(&other, json!({})).await;
    shop.settle().await;
    assert!(!shop.has(&shop.sam, &shop.course).await);
    stripe.tell(&fake.dispute(0, "charge.dispute.created", "needs_response")).await;
    stripe.tell(&fake.dispute(0, "charge.dispute.closed", "won")).await;
    let seen = shop.seen(&order).await;
    assert_eq!((&seen["status"], &seen["disputes"][0]["status"]), (&json!("CANCELED"), &json!("WON")));
    assert!(!shop.has(&shop.sam, &shop.course).await, "the order was never fulfilled");
    let states: Vec<&Value> = seen["refunds"].as_array().unwrap().iter().map(|refund| &refund["state"]).collect();
    assert_eq!(states, ["FAILED", "DONE"], "the money goes back after all");
    assert_eq!(seen["refunded"]["amount"], "19.90");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_ends_closes_its_checkout_and_one_that_lapses_ends_its_order() {
    let stripe = StripeShop::open().await;
    let (shop, fake) = (&stripe.shop, &stripe.fake);
    let order = shop.order(&shop.sam).await;
    fake.wire.fail("/expire", Fault::Refused(500));
    shop.app.mutate(&shop.sam, "cancelOrder", "order { id }", json!({ "orderId": order["id"] })).await;
    shop.settle().await;
    assert_eq!(fake.sessions()[0]["status"], "expired");
    stripe.tell(&event("checkout.session.expired", fake.sessions()[0].clone())).await;
    assert_eq!(shop.status(&order).await, "CANCELED");
    // Paid before the job could close it: the order is paid after all.
    let order = shop.order(&shop.sam).await;
    let paid = fake.pay(1);
    shop.app.mutate(&shop.sam, "cancelOrder", "order { id }", json!({ "orderId": order["id"] })).await;
    shop.settle().await;
    assert_eq!(shop.status(&order).await, "CANCELED");
    stripe.tell(&paid).await;
    assert_eq!(shop.status(&order).await, "PAID");
    assert_eq!(shop.app.sql("SELECT count(*) FROM jobs WHERE dead_at IS NOT NULL").await, "0");

    // Without any webhook: one was paid, the time of the other is over.
    let paid = shop.order(&shop.tim).await;
    let lapsed = shop.ordered(&shop.tim, shop.input(&[&shop.other], "5")).await;
    fake.pay(2);
    fake.lapse(3);
    stripe.shop.reconcile(TimeDelta::minutes(2)).await;
    assert_eq!((shop.status(&paid).await.as_str(), shop.status(&lapsed).await.as_str()), ("PAID", "EXPIRED"));
    assert_eq!(shop.app.sql("SELECT count(*) FROM payments WHERE transaction_id = 'pi_2Lyceum'").await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_buyer_chooses_the_provider_and_gets_only_what_it_can_charge() {
    let fake = StripeFake::start().await;
    let settings: Vec<_> = fake.settings().into_iter().chain([("LYCEUM_PAYMENTS", "sandbox")]).collect();
    let shop = Shop::with(&settings).await;
    let providers = shop.app.data(None, "{ paymentProviders }", json!({})).await;
    assert_eq!(providers["paymentProviders"], json!(["SANDBOX", "STRIPE"]));
    let with = |provider: &str| {
        let mut input = shop.input(&[&shop.course], "19.90");
        input["provider"] = provider.into();
        input
    };
    let none = shop.app.payload(&shop.sam, "createOrder", "order { id }", shop.input(&[&shop.course], "19.90")).await;
    assert_eq!(none["userErrors"][0]["field"], json!(["provider"]));
    assert_eq!(shop.ordered(&shop.sam, with("SANDBOX")).await["provider"], "SANDBOX");
    assert_eq!(shop.ordered(&shop.tim, with("STRIPE")).await["provider"], "STRIPE");
    // Stripe takes dinars in steps of ten fils.
    shop.price(&shop.other, "5.124", "KWD").await;
    let mut input = json!({
        "items": [{ "courseId": shop.other.id }],
        "billing": { "country": "KW", "currency": "KWD" },
        "expectedTotal": { "amount": "5.124", "currency": "KWD" },
        "provider": "STRIPE",
    });
    let refused = shop.app.payload(&shop.sam, "createOrder", "order { id }", input.clone()).await;
    assert_eq!(refused["userErrors"][0]["field"], json!(["provider"]), "{refused}");
    shop.price(&shop.other, "5.120", "KWD").await;
    input["expectedTotal"]["amount"] = "5.120".into();
    shop.ordered(&shop.sam, input).await;
    assert_eq!(fake.sessions()[1]["amount_total"], 5120);
    // What the provider refuses for good fails the order, which can be placed again.
    fake.wire.fail("POST /v1/checkout/sessions", Fault::Refused(400));
    let eve = shop.app.user("Eve", Role::Student).await;
    let order = shop.ordered(&eve, with("STRIPE")).await;
    assert_eq!(shop.status(&order).await, "FAILED");
    shop.ordered(&eve, with("STRIPE")).await;
}
