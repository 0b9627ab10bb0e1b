//! Money that goes back, and the access with it.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_refund_ends_the_access_and_a_partial_one_does_not() {
    let shop = Shop::open().await;
    let order = shop.ordered(&shop.sam, shop.input(&[&shop.course, &shop.other], "24.90")).await;
    shop.act(&order, "pay").await;
    let money = |amount: &str| json!({ "amount": { "amount": amount, "currency": "EUR" } });
    let made = shop.refund(&order, money("2.49")).await;
    assert_eq!((&made["order"]["status"], &made["refund"]["state"]), (&json!("PARTIALLY_REFUNDED"), &json!("PENDING")));
    let parts = [&made["order"]["items"][0]["refunded"]["amount"], &made["order"]["items"][1]["refunded"]["amount"]];
    assert_eq!(parts, ["1.99", "0.50"], "in proportion");
    shop.settle().await;
    assert!(shop.has(&shop.sam, &shop.course).await && shop.has(&shop.sam, &shop.other).await);
    assert_eq!(shop.seen(&order).await["refunds"][0]["state"], "DONE");

    // The rest of one item.
    let item = order["items"][1]["id"].clone();
    let made = shop.refund(&order, json!({ "itemIds": [item] })).await;
    assert_eq!(
        (&made["refund"]["amount"]["amount"], &made["order"]["status"]),
        (&json!("4.50"), &json!("PARTIALLY_REFUNDED"))
    );
    shop.settle().await;
    assert!(shop.has(&shop.sam, &shop.course).await && !shop.has(&shop.sam, &shop.other).await);
    let seen = shop.seen(&order).await;
    assert_eq!(seen["items"][1]["entitlement"]["endReason"], "REFUNDED");
    assert_eq!(seen["refunds"][1]["items"], json!([{ "title": "Wheels" }]));
    // What was refunded can be bought again.
    let again = shop.ordered(&shop.sam, shop.input(&[&shop.other], "5")).await;
    shop.act(&again, "pay").await;
    assert!(shop.has(&shop.sam, &shop.other).await);

    // All that is left; the other order is not affected.
    let made = shop.refund(&order, json!({})).await;
    assert_eq!((&made["refund"]["amount"]["amount"], &made["order"]["status"]), (&json!("17.91"), &json!("REFUNDED")));
    assert_eq!(made["order"]["nextStatuses"], json!([]));
    shop.settle().await;
    assert!(!shop.has(&shop.sam, &shop.course).await && shop.has(&shop.sam, &shop.other).await);
    assert_eq!((shop.students(&shop.course).await, shop.students(&shop.other).await), (0, 1));
    let refunded = "SELECT refunded_minor FROM sandbox_checkouts WHERE amount_minor = 2490";
    assert_eq!(shop.app.sql(refunded).await, "2490");
    assert!(shop.events().await.iter().all(|event| event.ends_with("PROCESSED")));
    assert_eq!(shop.app.sql("SELECT count(*) FROM audit_entries WHERE action = 'order_refunded'").await, "3");
    let told = "SELECT count(*) FROM notifications WHERE kind = 'ORDER_REFUNDED'";
    assert_eq!(shop.app.sql(told).await, "1", "one notification for the order");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_administrators_refund_and_only_what_is_left() {
    let shop = Shop::open().await;
    let order = shop.order(&shop.sam).await;
    let foreign = shop.order(&shop.tim).await["items"][0]["id"].clone();
    let id = order["id"].clone();
    let input = |more: Value| {
        let mut input = json!({ "orderId": id, "reason": "Why not" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    assert_eq!(shop.code(Some(&shop.root), "refundOrder", input(json!({}))).await, "NOT_ALLOWED", "not paid");
    shop.act(&order, "pay").await;
    for (user, code) in [(Some(&shop.sam), "FORBIDDEN"), (Some(&shop.ada), "FORBIDDEN"), (None, "UNAUTHENTICATED")] {
        assert_eq!(shop.code(user, "refundOrder", input(json!({}))).await, code);
    }
    let money = |amount: &str, currency: &str| json!({ "amount": { "amount": amount, "currency": currency } });
    for (what, more, code) in [
        ("more than all", money("19.91", "EUR"), "OUT_OF_RANGE"),
        ("nothing", money("0", "EUR"), "OUT_OF_RANGE"),
        ("another currency", money("1", "USD"), "NOT_ALLOWED"),
        ("another order's item", json!({ "itemIds": [foreign] }), "NOT_FOUND"),
        ("no item", json!({ "itemIds": [] }), "NOT_FOUND"),
        ("no reason", json!({ "reason": " " }), "BLANK"),
    ] {
        assert_eq!(shop.code(Some(&shop.root), "refundOrder", input(more)).await, code, "{what}");
    }
    // Twice with a key, and several at once without one.
    let once = json!({ "idempotencyKey": "once", "amount": { "amount": "10", "currency": "EUR" } });
    let (first, second) = (shop.refund(&order, once.clone()).await, shop.refund(&order, once).await);
    assert_eq!(first["refund"]["id"], second["refund"]["id"]);
    let ten = json!({ "amount": { "amount": "9", "currency": "EUR" } });
    let codes = (0..3).map(|_| shop.code(Some(&shop.root), "refundOrder", input(ten.clone())));
    let mut codes = futures_util::future::join_all(codes).await;
    codes.sort();
    assert_eq!(codes, ["", "OUT_OF_RANGE", "OUT_OF_RANGE"]);
    assert_eq!(shop.seen(&order).await["refunded"]["amount"], "19.00");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_survives_a_provider_that_does_not_answer_and_happens_once() {
    let shop = Shop::open().await;
    let order = shop.order(&shop.sam).await;
    shop.act(&order, "pay").await;
    shop.sandbox().set_trouble(Trouble::Away);
    shop.refund(&order, json!({})).await;
    shop.settle().await;
    let seen = shop.seen(&order).await;
    assert_eq!((&seen["status"], &seen["refunds"][0]["state"]), (&json!("REFUNDED"), &json!("PENDING")));
    assert!(!shop.has(&shop.sam, &shop.course).await, "the access ends at once");
    shop.sandbox().set_trouble(Trouble::AnswersLost);
    shop.pass(TimeDelta::seconds(61)).await;
    shop.sandbox().set_trouble(Trouble::None);
    shop.pass(TimeDelta::seconds(61)).await;
    assert_eq!(shop.seen(&order).await["refunds"][0]["state"], "DONE");
    assert_eq!(shop.app.sql("SELECT count(*) FROM sandbox_refunds").await, "1");
    assert_eq!(shop.app.sql("SELECT count(*) FROM refunds").await, "1", "its webhook is known");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_that_fails_gives_back_what_is_being_bought_again() {
    let shop = Shop::open().await;
    let order = shop.order(&shop.sam).await;
    shop.act(&order, "pay").await;
    shop.sandbox().set_trouble(Trouble::Away);
    shop.refund(&order, json!({})).await;
    shop.settle().await;
    shop.sandbox().set_trouble(Trouble::None);
    shop.app.sql("UPDATE sandbox_checkouts SET refunded_minor = amount_minor").await;
    let again = shop.order(&shop.sam).await;
    shop.pass(TimeDelta::minutes(2)).await;
    assert_eq!((shop.status(&order).await.as_str(), shop.status(&again).await.as_str()), ("PAID", "CANCELED"));
    assert!(shop.has(&shop.sam, &shop.course).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_buyer_and_administrators_are_told_of_a_refund_that_fails() {
    let shop = Shop::open().await;
    // Users are told of nothing from the instant at which their accounts were made.
    shop.app.app.clock.advance(TimeDelta::seconds(1));
    let order = shop.order(&shop.sam).await;
    shop.act(&order, "pay").await;
    shop.sandbox().set_trouble(Trouble::Away);
    shop.refund(&order, json!({})).await;
    shop.settle().await;
    shop.sandbox().set_trouble(Trouble::None);
    shop.app.sql("UPDATE sandbox_checkouts SET refunded_minor = amount_minor").await;
    shop.pass(TimeDelta::minutes(2)).await;
    assert_eq!(shop.seen(&order).await["refunds"][0]["state"], "FAILED");
    let title = format!("A refund of the order {} has failed", order["number"].as_str().unwrap());
    let expected = json!({ "kind": "ORDER_REFUND_FAILED", "title": title, "count": 1 });
    let query = "{ viewer { notifications { nodes { kind title count } } } }";
    for (user, times) in [(&shop.sam, 1), (&shop.root, 1), (&shop.tim, 0), (&shop.ada, 0)] {
        let data = shop.app.data(Some(&user.token), query, json!({})).await;
        let nodes = data["viewer"]["notifications"]["nodes"].as_array().unwrap();
        let told: Vec<&Value> = nodes.iter().filter(|node| node["kind"] == "ORDER_REFUND_FAILED").collect();
        assert_eq!(told, vec![&expected; times]);
    }
    shop.app.run("notifications.send").await;
    let mails = shop.app.mails.lock().unwrap();
    assert_eq!(mails.iter().filter(|mail| mail.subject.contains(&title)).count(), 2, "to Sam and Root");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_at_the_provider_is_followed() {
    let shop = Shop::open().await;
    let order = shop.order(&shop.sam).await;
    shop.act(&order, "pay").await;
    let made = json!({ "amount": { "amount": "0.90", "currency": "EUR" } });
    shop.refund(&order, made).await;
    shop.settle().await;
    shop.act(&order, "refund").await;
    let seen = shop.seen(&order).await;
    assert_eq!((&seen["status"], &seen["refunded"]["amount"]), (&json!("REFUNDED"), &json!("19.90")));
    assert_eq!(
        (&seen["refunds"][1]["amount"]["amount"], &seen["refunds"][1]["state"]),
        (&json!("19.00"), &json!("DONE"))
    );
    assert!(!shop.has(&shop.sam, &shop.course).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dispute_ends_the_access_and_returns_it_when_it_is_won() {
    let shop = Shop::open().await;
    for (user, end, status, has) in
        [(&shop.sam, "win-dispute", "PAID", true), (&shop.tim, "lose-dispute", "REFUNDED", false)]
    {
        let order = shop.order(user).await;
        shop.act(&order, "pay").await;
        shop.act(&order, "dispute").await;
        let seen = shop.seen(&order).await;
        assert_eq!((&seen["status"], &seen["disputes"][0]["status"]), (&json!("PAID"), &json!("OPEN")));
        assert!(!shop.has(user, &shop.course).await);
        shop.act(&order, end).await;
        assert_eq!((shop.status(&order).await.as_str(), shop.has(user, &shop.course).await), (status, has), "{end}");
    }
    assert_eq!(shop.students(&shop.course).await, 1);
    // The end is told before the beginning.
    let eve = shop.app.user("Eve", Role::Student).await;
    let order = shop.order(&eve).await;
    shop.act(&order, "pay").await;
    shop.only_act(&order, "dispute").await;
    shop.app.sql("UPDATE jobs SET run_at = run_at + interval '1 minute' WHERE handler = 'sandbox.send'").await;
    shop.act(&order, "win-dispute").await;
    assert!(shop.has(&eve, &shop.course).await);
    shop.pass(TimeDelta::minutes(2)).await;
    assert!(shop.has(&eve, &shop.course).await);
    let seen = shop.seen(&order).await;
    assert_eq!(seen["disputes"].as_array().unwrap().len(), 1);
    assert_eq!(seen["disputes"][0]["status"], "WON");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_paid_twice_stays_accessible_when_one_of_both_is_refunded() {
    let shop = Shop::open().await;
    let first = shop.order(&shop.sam).await;
    shop.act(&first, "pay").await;
    shop.act(&first, "dispute").await;
    let second = shop.order(&shop.sam).await;
    shop.act(&second, "pay").await;
    shop.act(&first, "win-dispute").await;
    assert!(shop.has(&shop.sam, &shop.course).await, "with the second order");
    shop.refund(&second, json!({})).await;
    shop.settle().await;
    assert_eq!((shop.status(&first).await.as_str(), shop.status(&second).await.as_str()), ("PAID", "REFUNDED"));
    assert!(shop.has(&shop.sam, &shop.course).await, "the first one is paid, too");
    assert_eq!(shop.students(&shop.course).await, 1);
    shop.refund(&first, json!({})).await;
    shop.settle().await;
    assert!(!shop.has(&shop.sam, &shop.course).await);
    assert_eq!(shop.students(&shop.course).await, 0);
}
