//! What the provider tells: twice, late, in any order, forged.

use lyceum::orders::receive_unread;
use lyceum::platform::payments::{GatewayEvent, GatewayFact, Provider};
use reqwest::StatusCode;

use super::*;

impl Shop {
    /// Sends a webhook.
    async fn webhook(&self, body: Vec<u8>, signature: Option<&str>) -> StatusCode {
        let mut request = self.app.client.post(format!("{}/webhooks/sandbox", self.app.url)).body(body);
        if let Some(signature) = signature {
            request = request.header("sandbox-signature", signature);
        }
        request.send().await.unwrap().status()
    }

    /// Sends a webhook with the right signature.
    async fn tell(&self, event: &GatewayEvent) -> StatusCode {
        let body = serde_json::to_vec(event).unwrap();
        let (_, signature) = self.sandbox().sign(&body, self.app.app.clock.now()).unwrap();
        self.webhook(body, Some(&signature)).await
    }

    /// The event that an order was paid.
    async fn paid(&self, order: &Value) -> GatewayEvent {
        let number = order["number"].as_str().unwrap();
        let of = |column: &str| {
            format!("SELECT {column} FROM payments JOIN orders ON orders.id = order_id WHERE number = {number}")
        };
        GatewayEvent {
            id: format!("event_{number}"),
            account: "sandbox".into(),
            checkout: self.app.sql(&of("external_id")).await,
            transaction: None,
            reference: self.app.sql(&of("payments.id")).await,
            amount_minor: 1990,
            currency: "EUR".into(),
            subscription: None,
            fact: GatewayFact::Paid,
        }
    }

    async fn replay(&self, kind: &str) {
        let query = "{ paymentEvents { nodes { id kind state lastError attempts } } }";
        let data = self.app.data(Some(&self.root.token), query, json!({})).await;
        let events = data["paymentEvents"]["nodes"].as_array().unwrap();
        let event = events.iter().find(|event| event["kind"] == kind && event["state"] != "PROCESSED").unwrap();
        assert!(event["lastError"].is_string() && event["attempts"].as_i64().unwrap() > 0, "{event}");
        let input = json!({ "paymentEventId": event["id"] });
        let selection = "paymentEvent { state }";
        let replayed = self.app.mutate(&self.root, "replayPaymentEvent", selection, input).await;
        assert_eq!(replayed["paymentEvent"]["state"], "RECEIVED");
        self.settle().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webhooks_come_twice_late_and_in_any_order_and_the_result_is_one() {
    let shop = Shop::open().await;
    for (user, action) in [(&shop.sam, "pay-thrice"), (&shop.tim, "pay-out-of-order")] {
        let order = shop.order(user).await;
        shop.act(&order, action).await;
        assert_eq!(shop.status(&order).await, "PAID", "{action}");
        shop.pass(TimeDelta::minutes(1)).await;
        assert_eq!(shop.status(&order).await, "PAID", "{action}");
        assert!(shop.has(user, &shop.course).await, "{action}");
    }
    assert_eq!(
        shop.events().await,
        ["checkout.failed PROCESSED", "checkout.paid PROCESSED", "checkout.paid PROCESSED"],
        "what came three times is stored once"
    );
    assert_eq!(shop.students(&shop.course).await, 2);
    let paid = shop.app.sql("SELECT count(*) FROM events WHERE kind = 'order_paid'").await;
    assert_eq!(paid, "2", "and told once");
    // A failure that comes first is not the end of it.
    let eve = shop.app.user("Eve", Role::Student).await;
    let order = shop.order(&eve).await;
    let failed = GatewayEvent { id: "first".into(), fact: GatewayFact::Failed, ..shop.paid(&order).await };
    assert_eq!(shop.tell(&failed).await, 200);
    shop.settle().await;
    assert_eq!(shop.status(&order).await, "FAILED");
    shop.act(&order, "pay").await;
    assert_eq!(shop.status(&order).await, "PAID");
    assert!(shop.has(&eve, &shop.course).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_webhook_is_made_up_for_by_asking() {
    let shop = Shop::open().await;
    let order = shop.order(&shop.sam).await;
    shop.only_act(&order, "pay").await;
    shop.app.sql("DELETE FROM jobs WHERE handler = 'sandbox.send'").await;
    shop.settle().await;
    assert_eq!(shop.status(&order).await, "PENDING");
    shop.app.app.clock.advance(TimeDelta::minutes(2));
    shop.app.run("orders.reconcile").await;
    assert_eq!((shop.status(&order).await.as_str(), shop.events().await.len()), ("PAID", 0));
    assert!(shop.has(&shop.sam, &shop.course).await);
    // Then the webhook comes after all, while the job asks again.
    let event = shop.paid(&order).await;
    tokio::join!(shop.tell(&event), shop.app.run("orders.reconcile"));
    shop.settle().await;
    assert_eq!(shop.events().await, ["checkout.paid PROCESSED"]);
    assert_eq!(shop.students(&shop.course).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_is_not_believed_while_the_provider_has_the_money() {
    let shop = Shop::open().await;
    let order = shop.order(&shop.sam).await;
    shop.reconcile(TimeDelta::minutes(20)).await;
    shop.only_act(&order, "pay-out-of-order").await;
    let lost = "DELETE FROM jobs WHERE handler = 'sandbox.send' AND payload::text LIKE '%checkout.paid%'";
    shop.app.sql(lost).await;
    shop.sandbox().set_trouble(Trouble::Away);
    shop.pass(TimeDelta::seconds(31)).await;
    assert_eq!(shop.events().await, ["checkout.failed WAITING"], "not before the provider can be asked");
    shop.sandbox().set_trouble(Trouble::None);
    shop.pass(TimeDelta::seconds(31)).await;
    assert_eq!(
        (shop.status(&order).await.as_str(), shop.events().await),
        ("PAID", vec!["checkout.failed PROCESSED".into()])
    );
    assert!(shop.has(&shop.sam, &shop.course).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_of_money_of_which_nothing_was_told_is_followed() {
    let shop = Shop::open().await;
    let order = shop.order(&shop.sam).await;
    shop.only_act(&order, "pay").await;
    shop.app.sql("DELETE FROM jobs WHERE handler = 'sandbox.send'").await;
    shop.act(&order, "refund").await;
    assert_eq!(
        (shop.status(&order).await.as_str(), shop.events().await),
        ("REFUNDED", vec!["refund.created PROCESSED".into()])
    );
    assert!(!shop.has(&shop.sam, &shop.course).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refunds_that_the_provider_refuses_because_of_one_of_its_own_make_room_for_it() {
    let shop = Shop::open().await;
    let order = shop.order(&shop.sam).await;
    shop.act(&order, "pay").await;
    shop.sandbox().set_trouble(Trouble::Away);
    for amount in ["1.37", "18.53"] {
        shop.refund(&order, json!({ "amount": { "amount": amount, "currency": "EUR" } })).await;
    }
    shop.settle().await;
    shop.act(&order, "refund").await;
    // Longer than an event waits that contradicts the order.
    for _ in 0..5 {
        shop.pass(TimeDelta::hours(2)).await;
    }
    assert_eq!(shop.app.sql("SELECT state FROM payment_events WHERE kind = 'refund.created'").await, "WAITING");
    shop.sandbox().set_trouble(Trouble::None);
    for _ in 0..3 {
        shop.pass(TimeDelta::hours(3)).await;
    }
    let seen = shop.seen(&order).await;
    let refunds = seen["refunds"].as_array().unwrap().iter();
    let refunds: Vec<String> =
        refunds.map(|refund| format!("{} {}", refund["amount"]["amount"], refund["state"])).collect();
    assert_eq!(refunds, [r#""1.37" "FAILED""#, r#""18.53" "FAILED""#, r#""19.90" "DONE""#]);
    assert_eq!((&seen["status"], &seen["refunded"]["amount"]), (&json!("REFUNDED"), &json!("19.90")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_dispute_takes_its_amount_and_what_was_to_be_refunded_is_not() {
    let shop = Shop::open().await;
    let order = shop.order(&shop.sam).await;
    shop.act(&order, "pay").await;
    let paid = shop.paid(&order).await;
    let told = |id: &str, fact: GatewayFact| GatewayEvent { id: id.into(), amount_minor: 500, fact, ..paid.clone() };
    shop.tell(&told("opened", GatewayFact::DisputeOpened { dispute: "dispute".into() })).await;
    shop.settle().await;
    assert!(!shop.has(&shop.sam, &shop.course).await);
    shop.sandbox().set_trouble(Trouble::Away);
    shop.refund(&order, json!({ "amount": { "amount": "2", "currency": "EUR" } })).await;
    shop.tell(&told("lost", GatewayFact::DisputeLost { dispute: "dispute".into() })).await;
    shop.settle().await;
    let seen = shop.seen(&order).await;
    assert_eq!((&seen["status"], &seen["refunded"]["amount"]), (&json!("PARTIALLY_REFUNDED"), &json!("5.00")));
    assert_eq!(seen["refunds"][0]["state"], "FAILED", "the bank has decided");
    assert!(shop.has(&shop.sam, &shop.course).await, "as after a part was refunded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_provider_is_believed_and_only_for_a_while() {
    let shop = Shop::open().await;
    let order = shop.order(&shop.sam).await;
    let event = shop.paid(&order).await;
    let (body, now) = (serde_json::to_vec(&event).unwrap(), shop.app.app.clock.now());
    let (_, good) = shop.sandbox().sign(&body, now).unwrap();
    let (_, stale) = shop.sandbox().sign(&body, now - TimeDelta::minutes(6)).unwrap();
    let (_, early) = shop.sandbox().sign(&body, now + TimeDelta::minutes(6)).unwrap();
    let other = String::from_utf8(body.clone()).unwrap().replace("1990", "1").into_bytes();
    let mut cut = body.clone();
    cut.pop();
    for (what, body, signature) in [
        ("no signature", body.clone(), None),
        ("a wrong one", body.clone(), Some("t=1,v1=00")),
        ("a part of it", body.clone(), Some(&good[..good.len() - 1])),
        ("another body", other, Some(&*good)),
        ("a truncated body", cut.clone(), Some(&*good)),
        ("an old one", body.clone(), Some(&*stale)),
        ("one of the future", body.clone(), Some(&*early)),
    ] {
        assert_eq!(shop.webhook(body, signature).await, 400, "{what}");
    }
    let (_, signed) = shop.sandbox().sign(&cut, now).unwrap();
    assert_eq!(shop.webhook(cut, Some(&signed)).await, 400, "signed, and malformed");
    assert_eq!(shop.webhook(vec![b' '; 300 << 10], Some(&good)).await, 413);
    let elsewhere = shop.app.client.post(format!("{}/webhooks/stripe", shop.app.url)).send().await.unwrap();
    assert_eq!(elsewhere.status(), 404);
    shop.settle().await;
    assert_eq!((shop.status(&order).await.as_str(), shop.events().await.len()), ("PENDING", 0));
    assert_eq!(shop.webhook(body, Some(&good)).await, 200);
    shop.settle().await;
    assert_eq!(shop.status(&order).await, "PAID");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_contradicts_the_order_changes_nothing_and_is_kept() {
    let shop = Shop::open().await;
    let order = shop.order(&shop.sam).await;
    let event = shop.paid(&order).await;
    let with = |id: &str| GatewayEvent { id: id.into(), ..event.clone() };
    for wrong in [
        GatewayEvent { amount_minor: 1, ..with("amount") },
        GatewayEvent { currency: "JPY".into(), ..with("currency") },
        GatewayEvent { account: "another".into(), ..with("account") },
        GatewayEvent { checkout: "another".into(), ..with("checkout") },
        GatewayEvent { reference: "not-one-of-ours".into(), ..with("reference") },
    ] {
        assert_eq!(shop.tell(&wrong).await, 200, "stored");
    }
    shop.settle().await;
    assert_eq!(shop.events().await, vec!["checkout.paid REFUSED"; 5]);
    assert_eq!(shop.status(&order).await, "PENDING");
    let query = "query ($id: ID!) { paymentEvents(filter: { states: [REFUSED], orderId: $id }) { totalCount nodes { lastError order { id } } } }";
    let of_order = shop.app.data(Some(&shop.root.token), query, json!({ "id": order["id"] })).await;
    assert_eq!(of_order["paymentEvents"]["totalCount"], 4);
    assert_eq!(of_order["paymentEvents"]["nodes"][0]["order"]["id"], order["id"]);
    // Replaying does not make it right.
    shop.replay("checkout.paid").await;
    assert_eq!(shop.status(&order).await, "PENDING");
    assert_eq!(shop.app.sql("SELECT count(*) FROM audit_entries WHERE action = 'payment_event_replayed'").await, "1");
    let id = json!({ "paymentEventId": "payment_event_01jd5w0000e00800000000000a" });
    assert_eq!(shop.code(Some(&shop.root), "replayPaymentEvent", id.clone()).await, "NOT_FOUND");
    assert_eq!(shop.code(Some(&shop.sam), "replayPaymentEvent", id).await, "FORBIDDEN");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_before_our_own_commit_waits_and_one_of_no_order_is_refused_in_the_end() {
    let shop = Shop::open().await;
    let order = shop.order(&shop.sam).await;
    let event = shop.paid(&order).await;
    // As if the order were not committed yet: the payment has another id until then.
    let hidden = uuid::Uuid::new_v4();
    let rename = |from: &str, to: &str| format!("UPDATE payments SET id = '{to}' WHERE id = '{from}'");
    shop.app.sql(&rename(&event.reference, &hidden.to_string())).await;
    let nobodys = GatewayEvent { id: "nobody".into(), reference: uuid::Uuid::new_v4().to_string(), ..event.clone() };
    assert_eq!((shop.tell(&event).await, shop.tell(&nobodys).await), (StatusCode::OK, StatusCode::OK));
    shop.settle().await;
    assert_eq!(shop.events().await, vec!["checkout.paid WAITING"; 2]);
    shop.app.sql(&rename(&hidden.to_string(), &event.reference)).await;
    shop.pass(TimeDelta::seconds(11)).await;
    assert_eq!(shop.status(&order).await, "PAID");
    for _ in 0..12 {
        shop.pass(TimeDelta::minutes(90)).await;
    }
    let mut events = shop.events().await;
    events.sort();
    assert_eq!(events, ["checkout.paid PROCESSED", "checkout.paid REFUSED"], "kept, not dropped");
    shop.replay("checkout.paid").await;
    assert!(shop.events().await.contains(&"checkout.paid WAITING".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_cannot_be_stored_is_not_acknowledged_so_that_it_comes_again() {
    let shop = Shop::open().await;
    let order = shop.order(&shop.sam).await;
    let event = shop.paid(&order).await;
    shop.app.sql("ALTER TABLE payment_events RENAME TO payment_events_gone").await;
    assert_eq!(shop.tell(&event).await, StatusCode::SERVICE_UNAVAILABLE);
    shop.app.sql("ALTER TABLE payment_events_gone RENAME TO payment_events").await;
    // Neither can what processes it.
    shop.app.sql("ALTER TABLE jobs RENAME TO jobs_gone").await;
    assert_eq!(shop.tell(&event).await, StatusCode::SERVICE_UNAVAILABLE);
    shop.app.sql("ALTER TABLE jobs_gone RENAME TO jobs").await;
    assert_eq!(shop.events().await, [""; 0], "stored with its job or not at all");
    assert_eq!(shop.tell(&event).await, StatusCode::OK);
    shop.settle().await;
    assert_eq!(shop.events().await, ["checkout.paid PROCESSED"]);
    assert_eq!(shop.status(&order).await, "PAID");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_is_signed_and_cannot_be_read_is_kept_for_administrators() {
    let shop = Shop::open().await;
    let order = shop.order(&shop.sam).await;
    let event = shop.paid(&order).await;
    let mut unknown = serde_json::to_value(&event).unwrap();
    unknown["type"] = "checkout.revised".into();
    let bodies = [unknown.to_string(), unknown.to_string(), json!({ "payer": "Sam" }).to_string()];
    for body in bodies {
        let (_, signature) = shop.sandbox().sign(body.as_bytes(), shop.app.app.clock.now()).unwrap();
        assert_eq!(shop.webhook(body.clone().into_bytes(), Some(&signature)).await, 200, "{body}");
        assert_eq!(shop.webhook(body.into_bytes(), Some("t=1,v1=00")).await, 400);
    }
    shop.settle().await;
    let mut events = shop.events().await;
    events.sort();
    assert_eq!(events, ["checkout.revised REFUSED", "unread REFUSED"], "each once");
    let kept = shop.app.sql("SELECT string_agg(body::text, ' ') FROM payment_events").await;
    assert!(kept.starts_with("{\"sealed\": \"") && !kept.contains("payer"), "{kept}: nothing that can be read");
    shop.replay("unread").await;
    assert_eq!(shop.app.sql("SELECT count(*) FROM payment_events WHERE state = 'REFUSED'").await, "2");
    assert_eq!(shop.status(&order).await, "PENDING");
    // The provider sends it again to a version that can read it.
    assert_eq!(shop.tell(&event).await, 200);
    shop.settle().await;
    assert_eq!(shop.status(&order).await, "PAID");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_earlier_version_could_not_read_is_read_when_it_is_replayed() {
    let shop = Shop::open().await;
    let order = shop.order(&shop.sam).await;
    // With a form of the next version.
    let mut told = serde_json::to_value(shop.paid(&order).await).unwrap();
    told["type"] = "checkout.revised".into();
    receive_unread(&shop.app.app, Provider::Sandbox.into(), &told).await.unwrap();
    shop.settle().await;
    assert_eq!(shop.events().await, ["checkout.revised REFUSED"]);
    shop.replay("checkout.revised").await;
    assert_eq!(shop.events().await, ["checkout.revised REFUSED"]);
    assert_eq!(shop.status(&order).await, "PENDING");
    // The next version, which can read it.
    told["type"] = "checkout.paid".into();
    let id = shop.app.sql("SELECT external_id FROM payment_events").await;
    let sealed = shop.app.app.seal.close(told.to_string().as_bytes(), id.as_bytes()).unwrap();
    let body = json!({ "sealed": hex::encode(sealed) });
    shop.app.sql(&format!("UPDATE payment_events SET body = '{body}'")).await;
    shop.replay("checkout.revised").await;
    assert_eq!(shop.events().await, ["checkout.revised PROCESSED"]);
    assert_eq!(shop.app.sql("SELECT body ? 'sealed' FROM payment_events").await, "f", "only what was read");
    assert_eq!(shop.status(&order).await, "PAID");
    let of_order = "query ($id: ID!) { paymentEvents(filter: { orderId: $id }) { totalCount } }";
    let data = shop.app.data(Some(&shop.root.token), of_order, json!({ "id": order["id"] })).await;
    assert_eq!(data["paymentEvents"]["totalCount"], 1);
}
