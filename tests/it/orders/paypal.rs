//! Orders that are paid at PayPal, against a fake of its API.

use axum::http::HeaderMap;
use reqwest::StatusCode;

use super::fakes::Fault;
use super::fakes::paypal::PayPalFake;
use super::follow_up::ORDER_STATE;
use super::*;

struct PayPalShop {
    shop: Shop,
    fake: PayPalFake,
}

impl PayPalShop {
    async fn open() -> PayPalShop {
        let fake = PayPalFake::start().await;
        PayPalShop { shop: Shop::with(&fake.settings()).await, fake }
    }

    async fn webhook(&self, body: Vec<u8>, headers: HeaderMap) -> StatusCode {
        let request = self.shop.app.client.post(format!("{}/webhooks/paypal", self.shop.app.url)).body(body);
        request.headers(headers).send().await.unwrap().status()
    }

    async fn tell(&self, event: &Value) {
        let body = event.to_string().into_bytes();
        let headers = self.fake.headers(&body, self.shop.app.app.clock.now(), "good");
        assert_eq!(self.webhook(body, headers).await, 200);
        self.shop.settle().await;
    }

    async fn paid(&self, user: &User, place: usize) -> Value {
        let order = self.shop.order(user).await;
        self.tell(&self.fake.approve(place)).await;
        assert_eq!(self.shop.status(&order).await, "PAID");
        order
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_approved_captured_and_refunded_at_paypal() {
    let paypal = PayPalShop::open().await;
    let (shop, fake) = (&paypal.shop, &paypal.fake);
    let order = shop.order(&shop.sam).await;
    let made = &fake.orders()[0];
    assert_eq!((&order["provider"], &order["checkoutUrl"]), (&json!("PAYPAL"), &made["links"][1]["href"]));
    assert_eq!(made["purchase_units"][0]["amount"], json!({ "currency_code": "EUR", "value": "19.90" }));
    // The buyer approves; this server takes the money, once, whatever tells it.
    let approved = fake.approve(0);
    paypal.tell(&approved).await;
    assert_eq!(shop.status(&order).await, "PAID");
    assert!(shop.has(&shop.sam, &shop.course).await);
    paypal.tell(&fake.captured(0, "PAYMENT.CAPTURE.COMPLETED")).await;
    paypal.tell(&approved).await;
    assert_eq!(fake.wire.count("/capture"), 1);
    let stored = shop.app.sql("SELECT string_agg(body::text, '') FROM payment_events").await;
    assert!(!stored.contains("sam@example.org"), "{stored}");

    shop.refund(&order, json!({ "amount": { "amount": "9.90", "currency": "EUR" } })).await;
    shop.settle().await;
    assert_eq!(fake.refunds()[0]["amount"], json!({ "currency_code": "EUR", "value": "9.90" }));
    paypal.tell(&fake.refunded(0, "PAYMENT.CAPTURE.REFUNDED")).await;
    let seen = shop.seen(&order).await;
    assert_eq!((&seen["status"], &seen["refunds"][0]["state"]), (&json!("PARTIALLY_REFUNDED"), &json!("DONE")));
    assert_eq!(seen["refunds"].as_array().unwrap().len(), 1);
    let events = shop.events().await;
    assert!(events.iter().all(|event| event.ends_with("PROCESSED")), "{events:?}");
    assert_eq!(fake.wire.count("/v1/oauth2/token"), 1, "one token for all");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_certificates_of_paypal_are_believed() {
    let paypal = PayPalShop::open().await;
    let (shop, fake) = (&paypal.shop, &paypal.fake);
    let order = shop.order(&shop.sam).await;
    let body = fake.approve(0).to_string().into_bytes();
    let now = shop.app.app.clock.now();
    let sign = |certificate: &str| fake.headers(&body, now, certificate);
    let with = |name: &'static str, value: &str| {
        let mut headers = sign("good");
        headers.insert(name, value.parse().unwrap());
        headers
    };
    let other = String::from_utf8(body.clone()).unwrap().replace("19.90", "0.01").into_bytes();
    let signature = sign("good")["paypal-transmission-sig"].to_str().unwrap().to_owned();
    let elsewhere = PayPalFake::start().await;
    let foreign = format!("{}/v1/notifications/certs/good", elsewhere.url);
    let another_path = format!("{}/elsewhere/good", fake.url);
    for (what, body, headers) in [
        ("no headers", body.clone(), HeaderMap::new()),
        ("an expired certificate", body.clone(), sign("expired")),
        ("a certificate of another name", body.clone(), sign("name")),
        ("a certificate that nobody trusts", body.clone(), sign("rogue")),
        ("a certificate from elsewhere", body.clone(), fake.headers_with(&body, now, &foreign)),
        ("a certificate of another path", body.clone(), fake.headers_with(&body, now, &another_path)),
        ("a file", body.clone(), fake.headers_with(&body, now, "file:///etc/passwd")),
        ("another body", other, sign("good")),
        ("a truncated body", body[..body.len() - 1].to_vec(), sign("good")),
        ("a part of a signature", body.clone(), with("paypal-transmission-sig", &signature[..signature.len() - 4])),
        ("a signature of another webhook", body.clone(), with("paypal-transmission-id", "another")),
        ("another algorithm", body.clone(), with("paypal-auth-algo", "none")),
        ("an old one", body.clone(), fake.headers(&body, now - TimeDelta::days(5), "good")),
        ("one of the future", body.clone(), fake.headers(&body, now + TimeDelta::days(5), "good")),
    ] {
        assert_eq!(paypal.webhook(body, headers).await, 400, "{what}");
    }
    assert_eq!(elsewhere.wire.count(""), 0, "no other host is asked");
    // The certificate cannot be fetched: the event comes again.
    assert_eq!(paypal.webhook(body.clone(), sign("missing")).await, 503);
    shop.settle().await;
    assert_eq!((shop.status(&order).await.as_str(), shop.events().await.len()), ("PENDING", 0));
    for _ in 0..2 {
        assert_eq!(paypal.webhook(body.clone(), sign("good")).await, 200);
    }
    shop.settle().await;
    assert_eq!((shop.status(&order).await.as_str(), shop.events().await.len()), ("PAID", 1));
    assert_eq!(fake.wire.count("certs/good"), 1, "a certificate is fetched once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_is_captured_once_and_only_for_an_order_that_waits_for_it() {
    let paypal = PayPalShop::open().await;
    let (shop, fake) = (&paypal.shop, &paypal.fake);
    // Created, and the answers lost: found by the key. Approved before we know of it.
    for _ in 0..3 {
        fake.wire.fail("POST /v2/checkout/orders", Fault::AnswerLost(500));
    }
    let order = shop.order(&shop.sam).await;
    assert_eq!(order["checkoutUrl"], Value::Null);
    fake.wire.fail("/capture", Fault::AnswerLost(503));
    fake.wire.fail("/capture", Fault::Refused(429));
    paypal.tell(&fake.approve(0)).await;
    assert_eq!(shop.status(&order).await, "PAID");
    assert_eq!(fake.orders().len(), 1);
    // No webhook comes: the job takes the money. The bank declines at first.
    let order = shop.order(&shop.tim).await;
    fake.approve(1);
    fake.decline_next();
    paypal.shop.reconcile(TimeDelta::minutes(2)).await;
    assert_eq!(shop.status(&order).await, "PENDING", "the buyer can choose another card");
    paypal.shop.reconcile(TimeDelta::minutes(2)).await;
    assert_eq!(shop.status(&order).await, "PAID");
    // Canceled, then approved: no money is taken.
    let eve = shop.app.user("Eve", Role::Student).await;
    let order = shop.order(&eve).await;
    shop.app.mutate(&eve, "cancelOrder", "order { id }", json!({ "orderId": order["id"] })).await;
    shop.settle().await;
    paypal.tell(&fake.approve(2)).await;
    paypal.shop.reconcile(TimeDelta::minutes(2)).await;
    assert_eq!((shop.status(&order).await.as_str(), &fake.orders()[2]["status"]), ("CANCELED", &json!("APPROVED")));
    assert_eq!(shop.app.sql("SELECT count(*) FROM jobs WHERE dead_at IS NOT NULL").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_contradicts_the_order_takes_no_money() {
    let paypal = PayPalShop::open().await;
    let (shop, fake) = (&paypal.shop, &paypal.fake);
    let order = shop.order(&shop.sam).await;
    let approved = fake.approve(0);
    let unit = "/resource/purchase_units/0";
    let mut told = 0;
    for (pointer, value) in [
        (format!("{unit}/amount/value"), json!("0.01")),
        (format!("{unit}/amount/currency_code"), json!("USD")),
        (format!("{unit}/payee/merchant_id"), json!("ANOTHER")),
        (format!("{unit}/custom_id"), json!("not-one-of-ours")),
        ("/resource/id".into(), json!("ORDER9")),
    ] {
        let mut wrong = approved.clone();
        *wrong.pointer_mut(&pointer).unwrap() = value;
        wrong["id"] = format!("WH-{told}").into();
        paypal.tell(&wrong).await;
        told += 1;
    }
    assert_eq!(shop.events().await, vec!["checkout.approved REFUSED"; told]);
    assert_eq!((shop.status(&order).await.as_str(), fake.wire.count("/capture")), ("PENDING", 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refunds_and_disputes_at_paypal_are_followed() {
    let paypal = PayPalShop::open().await;
    let (shop, fake) = (&paypal.shop, &paypal.fake);
    let order = paypal.paid(&shop.sam, 0).await;
    fake.refuse_refunds(true);
    shop.refund(&order, json!({})).await;
    shop.settle().await;
    assert_eq!(shop.seen(&order).await["refunds"][0]["state"], "FAILED");
    assert_eq!(shop.status(&order).await, "PAID");
    // The next one is made once, though two answers are lost, and comes back later.
    fake.refuse_refunds(false);
    fake.wire.fail("/refund", Fault::AnswerLost(500));
    fake.wire.fail("/refund", Fault::AnswerLost(504));
    shop.refund(&order, json!({})).await;
    shop.settle().await;
    assert_eq!((shop.status(&order).await.as_str(), fake.refunds().len()), ("REFUNDED", 1));
    paypal.tell(&fake.refunded(0, "PAYMENT.REFUND.FAILED")).await;
    assert_eq!(shop.status(&order).await, "PAID");
    assert!(shop.has(&shop.sam, &shop.course).await);

    let dispute =
        |kind: &str, stage: &str, outcome| fake.dispute(0, &format!("CUSTOMER.DISPUTE.{kind}"), stage, outcome);
    paypal.tell(&dispute("CREATED", "INQUIRY", None)).await;
    assert!(shop.has(&shop.sam, &shop.course).await, "a question takes nothing");
    paypal.tell(&dispute("UPDATED", "CHARGEBACK", None)).await;
    assert!(!shop.has(&shop.sam, &shop.course).await);
    paypal.tell(&dispute("RESOLVED", "CHARGEBACK", Some("RESOLVED_SELLER_FAVOUR"))).await;
    assert!(shop.has(&shop.sam, &shop.course).await);

    let lost = paypal.paid(&shop.tim, 1).await;
    let told = |kind: &str, outcome| fake.dispute(1, &format!("CUSTOMER.DISPUTE.{kind}"), "CHARGEBACK", outcome);
    paypal.tell(&told("RESOLVED", Some("RESOLVED_BUYER_FAVOUR"))).await;
    paypal.tell(&told("CREATED", None)).await;
    let seen = shop.seen(&lost).await;
    assert_eq!((&seen["status"], &seen["disputes"][0]["status"]), (&json!("REFUNDED"), &json!("LOST")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reversal_and_the_dispute_of_its_case_are_booked_once() {
    let paypal = PayPalShop::open().await;
    let (shop, fake) = (&paypal.shop, &paypal.fake);
    let told = |place: usize, value: &str, outcome: Option<&str>| {
        let kind = if outcome.is_some() { "CUSTOMER.DISPUTE.RESOLVED" } else { "CUSTOMER.DISPUTE.CREATED" };
        let mut event = fake.dispute(place, kind, "CHARGEBACK", outcome);
        event["resource"]["dispute_amount"]["value"] = value.into();
        event
    };
    let (lost, won) = (Some("RESOLVED_BUYER_FAVOUR"), Some("RESOLVED_SELLER_FAVOUR"));
    let mut orders = Vec::new();
    for (place, name) in ["Eve", "Bob", "Kim", "Joe", "Ann"].into_iter().enumerate() {
        let user = shop.app.user(name, Role::Student).await;
        let order = paypal.paid(&user, place).await;
        orders.push((user, order));
    }
    for (place, events, sum, dispute) in [
        // A part, which is lost before it is told that it was taken; and told twice.
        (
            0,
            vec![told(0, "5.00", None), told(0, "5.00", lost), fake.reversed(0, "5.00"), fake.reversed(0, "5.00")],
            ("PARTIALLY_REFUNDED", "5.00"),
            "LOST",
        ),
        // All of it, in the same order.
        (1, vec![told(1, "19.90", lost), fake.reversed(1, "19.90")], ("REFUNDED", "19.90"), "LOST"),
        // The other way round.
        (
            2,
            vec![fake.reversed(2, "19.90"), told(2, "19.90", None), told(2, "19.90", lost)],
            ("REFUNDED", "19.90"),
            "LOST",
        ),
        (3, vec![fake.reversed(3, "19.90"), told(3, "19.90", None), told(3, "19.90", won)], ("PAID", "0.00"), "WON"),
        // What was taken is told after it is back.
        (4, vec![told(4, "19.90", won), fake.reversed(4, "19.90")], ("PAID", "0.00"), "WON"),
    ] {
        let (user, order) = &orders[place];
        for event in &events {
            paypal.tell(event).await;
        }
        let seen = shop.seen(order).await;
        assert_eq!((&seen["status"], &seen["refunded"]["amount"]), (&json!(sum.0), &json!(sum.1)), "{place}");
        assert_eq!(seen["disputes"].as_array().unwrap().len(), 1, "{seen:#}");
        assert_eq!(seen["disputes"][0]["status"], dispute, "{place}");
        assert_eq!(shop.has(user, &shop.course).await, sum.0 != "REFUNDED", "{place}");
    }
    let events = shop.events().await;
    assert!(events.iter().all(|event| event.ends_with("PROCESSED")), "{events:?}");
    assert_eq!(events.iter().filter(|event| event.starts_with("payment.reversed")).count(), 6);
    let kept = "SELECT sum(amount_minor) FROM ledger_entries WHERE account = 'CLEARING'";
    assert_eq!(shop.app.sql(kept).await, (1490 + 1990 + 1990).to_string(), "of five payments, each once");
    assert_eq!(shop.app.sql("SELECT sum(amount_minor) FROM ledger_entries").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reversal_ends_the_access_until_its_dispute_is_decided() {
    let paypal = PayPalShop::open().await;
    let (shop, fake) = (&paypal.shop, &paypal.fake);
    let order = paypal.paid(&shop.sam, 0).await;
    let reversed = fake.reversed(0, "19.90");
    paypal.tell(&reversed).await;
    let seen = shop.seen(&order).await;
    assert_eq!((&seen["status"], &seen["disputes"][0]["status"]), (&json!("PAID"), &json!("OPEN")));
    assert!(!shop.has(&shop.sam, &shop.course).await);
    let stored = shop.app.sql("SELECT string_agg(body::text, '') FROM payment_events").await;
    assert!(!stored.contains("sam@example.org"), "{stored}");
    paypal.tell(&fake.dispute(0, "CUSTOMER.DISPUTE.RESOLVED", "CHARGEBACK", Some("CANCELED_BY_BUYER"))).await;
    let seen = shop.seen(&order).await;
    assert_eq!((&seen["status"], &seen["disputes"][0]["status"]), (&json!("PAID"), &json!("WON")));
    assert!(shop.has(&shop.sam, &shop.course).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_becomes_of_refunds_and_disputes_at_paypal_is_known_without_webhooks() {
    let paypal = PayPalShop::open().await;
    let (shop, fake) = (&paypal.shop, &paypal.fake);
    let order = paypal.paid(&shop.sam, 0).await;
    shop.refund(&order, json!({})).await;
    shop.settle().await;
    fake.set_refund(0, "PENDING");
    shop.reconcile(TimeDelta::days(1)).await;
    assert_eq!(shop.app.sql(ORDER_STATE).await, "REFUNDED false");
    fake.set_refund(0, "FAILED");
    shop.reconcile(TimeDelta::days(1)).await;
    assert_eq!(shop.app.sql(ORDER_STATE).await, "PAID true");
    // A dispute.
    paypal.tell(&fake.dispute(0, "CUSTOMER.DISPUTE.CREATED", "CHARGEBACK", None)).await;
    shop.reconcile(TimeDelta::days(7)).await;
    assert_eq!(shop.app.sql(ORDER_STATE).await, "PAID false");
    fake.dispute(0, "CUSTOMER.DISPUTE.RESOLVED", "CHARGEBACK", Some("RESOLVED_SELLER_FAVOUR"));
    shop.reconcile(TimeDelta::days(1)).await;
    assert_eq!(shop.app.sql(ORDER_STATE).await, "PAID true");

    // A reversal of whose case nothing more is told.
    let paypal = PayPalShop::open().await;
    let (shop, fake) = (&paypal.shop, &paypal.fake);
    paypal.paid(&shop.sam, 0).await;
    paypal.tell(&fake.reversed(0, "19.90")).await;
    shop.reconcile(TimeDelta::days(89)).await;
    assert_eq!(shop.app.sql(ORDER_STATE).await, "PAID false");
    shop.reconcile(TimeDelta::days(1)).await;
    assert_eq!(shop.app.sql(ORDER_STATE).await, "REFUNDED false");
    assert_eq!(fake.wire.count("/v1/customer/disputes"), 0, "it has no other name");
    // It is told after all, and won.
    let kept = "SELECT sum(amount_minor) FROM ledger_entries WHERE account = 'CLEARING'";
    assert_eq!(shop.app.sql(kept).await, "0");
    let told = |kind: &str, outcome| fake.dispute(0, &format!("CUSTOMER.DISPUTE.{kind}"), "CHARGEBACK", outcome);
    paypal.tell(&told("CREATED", None)).await;
    assert_eq!(shop.app.sql(ORDER_STATE).await, "REFUNDED false", "it is not decided");
    for _ in 0..2 {
        paypal.tell(&told("RESOLVED", Some("RESOLVED_SELLER_FAVOUR"))).await;
        assert_eq!(shop.app.sql(ORDER_STATE).await, "PAID true");
        assert_eq!(shop.app.sql("SELECT string_agg(status, ' ') FROM disputes").await, "WON");
        assert_eq!(shop.app.sql(kept).await, "1990");
    }
    assert_eq!(shop.app.sql("SELECT sum(amount_minor) FROM ledger_entries").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reversal_that_gets_its_name_while_it_is_about_to_be_given_up_stays_one_dispute() {
    let paypal = PayPalShop::open().await;
    let (shop, fake) = (&paypal.shop, &paypal.fake);
    paypal.paid(&shop.sam, 0).await;
    paypal.tell(&fake.reversed(0, "19.90")).await;
    fake.dispute(0, "CUSTOMER.DISPUTE.CREATED", "CHARGEBACK", None);
    let named = "BEGIN; SELECT 1 FROM orders FOR UPDATE; SELECT pg_sleep(3); \
        UPDATE disputes SET external_id = 'PP-D-0'; COMMIT";
    tokio::join!(shop.app.sql(named), async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        shop.reconcile(TimeDelta::days(90)).await;
    });
    assert_eq!(shop.app.sql("SELECT string_agg(external_id || ' ' || status, ' ') FROM disputes").await, "PP-D-0 OPEN");
    paypal.tell(&fake.dispute(0, "CUSTOMER.DISPUTE.RESOLVED", "CHARGEBACK", Some("RESOLVED_SELLER_FAVOUR"))).await;
    assert_eq!(shop.app.sql(ORDER_STATE).await, "PAID true");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reversal_of_what_a_subscription_has_taken_is_a_dispute_too() {
    let paypal = PayPalShop::open().await;
    let (shop, fake) = (&paypal.shop, &paypal.fake);
    let price = json!({ "amount": { "amount": "10", "currency": "EUR" }, "interval": "MONTH" });
    let plan = json!({ "kind": "ALL_ACCESS", "name": "All", "prices": [price] });
    let made = shop.app.mutate(&shop.root, "createPlan", "plan { prices { id } }", plan).await;
    shop.settle().await;
    let mut input = shop.input(&[], "10");
    input["items"] = json!([{ "planPriceId": made["plan"]["prices"][0]["id"] }]);
    let order = shop.ordered(&shop.sam, input).await;
    paypal.tell(&fake.approve_subscription(0, shop.app.app.clock.now())).await;
    assert_eq!(shop.status(&order).await, "PAID");
    assert!(shop.has(&shop.sam, &shop.course).await);
    let told =
        |kind: &str, resource: Value| json!({ "id": format!("WH-{kind}"), "event_type": kind, "resource": resource });
    let amount = json!({ "total": "-10.00", "currency": "EUR" });
    let reversed = json!({ "id": "SALE0LYCEUM", "amount": amount, "state": "completed" });
    paypal.tell(&told("PAYMENT.SALE.REVERSED", reversed)).await;
    let seen = shop.seen(&order).await;
    assert_eq!((&seen["status"], &seen["disputes"][0]["status"]), (&json!("PAID"), &json!("OPEN")));
    assert!(!shop.has(&shop.sam, &shop.course).await);
    let won = json!({
        "dispute_id": "PP-D-0",
        "disputed_transactions": [{ "seller_transaction_id": "SALE0LYCEUM" }],
        "dispute_amount": { "currency_code": "EUR", "value": "10.00" },
        "dispute_life_cycle_stage": "CHARGEBACK",
        "dispute_outcome": { "outcome_code": "RESOLVED_SELLER_FAVOUR" },
    });
    paypal.tell(&told("CUSTOMER.DISPUTE.RESOLVED", won)).await;
    let disputes = shop.seen(&order).await["disputes"].take();
    assert_eq!((disputes.as_array().unwrap().len(), &disputes[0]["status"]), (1, &json!("WON")));
    assert!(shop.has(&shop.sam, &shop.course).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_waits_for_a_capture_that_paypal_decides_later() {
    let paypal = PayPalShop::open().await;
    let (shop, fake) = (&paypal.shop, &paypal.fake);
    for (user, place, status, kind, then) in [
        (&shop.sam, 0, "COMPLETED", "PAYMENT.CAPTURE.COMPLETED", "PAID"),
        (&shop.tim, 1, "DECLINED", "PAYMENT.CAPTURE.DENIED", "FAILED"),
    ] {
        fake.hold_next();
        let order = shop.order(user).await;
        paypal.tell(&fake.approve(place)).await;
        let seen = shop.seen(&order).await;
        assert_eq!((&seen["status"], &seen["expiresAt"]), (&json!("PENDING"), &Value::Null));
        paypal.tell(&fake.decide(place, status, kind)).await;
        assert_eq!(shop.status(&order).await, then);
    }
    assert_eq!(fake.wire.count("/capture"), 2);
}
