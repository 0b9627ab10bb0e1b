//! Orders that are not paid, and money that comes too late.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unpaid_order_expires_after_one_reminder() {
    let shop = Shop::with(&[("LYCEUM_ORDER_MINUTES", "120")]).await;
    let order = shop.order(&shop.sam).await;
    shop.app.app.clock.advance(TimeDelta::minutes(59));
    shop.app.run("orders.remind").await;
    let reminders = "SELECT count(*) FROM notifications WHERE kind = 'ORDER_UNPAID'";
    assert_eq!(shop.app.sql(reminders).await, "0");
    for _ in 0..2 {
        shop.app.app.clock.advance(TimeDelta::minutes(1));
        shop.app.run("orders.remind").await;
        shop.settle().await;
        assert_eq!(shop.app.sql(reminders).await, "1");
    }
    shop.app.app.clock.advance(TimeDelta::minutes(58));
    shop.app.run("orders.expire").await;
    assert_eq!(shop.status(&order).await, "PENDING");
    shop.app.app.clock.advance(TimeDelta::minutes(1));
    shop.app.run("orders.expire").await;
    let expired = shop.seen(&order).await;
    assert_eq!((&expired["status"], &expired["expiresAt"]), (&json!("EXPIRED"), &Value::Null));
    assert_eq!((&expired["checkoutUrl"], &expired["nextStatuses"]), (&Value::Null, &json!(["PAID"])));
    // It can be ordered again.
    shop.order(&shop.sam).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_that_comes_late_pays_for_the_order_or_goes_back() {
    let shop = Shop::open().await;
    // Canceled, then paid.
    let order = shop.order(&shop.sam).await;
    shop.app.mutate(&shop.sam, "cancelOrder", "order { id }", json!({ "orderId": order["id"] })).await;
    shop.act(&order, "pay").await;
    assert_eq!(shop.status(&order).await, "PAID");
    assert!(shop.has(&shop.sam, &shop.course).await);

    // Canceled, bought with another order, then paid.
    let first = shop.order(&shop.tim).await;
    shop.only_act(&first, "pay-late").await;
    shop.app.mutate(&shop.tim, "cancelOrder", "order { id }", json!({ "orderId": first["id"] })).await;
    let second = shop.order(&shop.tim).await;
    shop.act(&second, "pay").await;
    shop.pass(TimeDelta::seconds(31)).await;
    let returned = shop.seen(&first).await;
    assert_eq!((&returned["status"], &returned["refunded"]["amount"]), (&json!("CANCELED"), &json!("19.90")));
    assert_eq!(returned["refunds"][0]["state"], "DONE");
    assert_eq!(shop.status(&second).await, "PAID");
    assert!(shop.has(&shop.tim, &shop.course).await);
    assert_eq!(shop.students(&shop.course).await, 2);
    let kept = "SELECT sum(amount_minor - refunded_minor) FROM sandbox_checkouts WHERE state = 'PAID'";
    assert_eq!(shop.app.sql(kept).await, "3980", "each has paid once");

    // The course is gone: the order ends, and the money goes back.
    let eve = shop.app.user("Eve", Role::Student).await;
    let order = shop.ordered(&eve, shop.input(&[&shop.other], "5")).await;
    // As when the course is deleted.
    shop.app.sql("UPDATE order_items SET course_id = NULL WHERE title = 'Wheels'").await;
    shop.act(&order, "pay").await;
    let returned = shop.seen(&order).await;
    assert_eq!((&returned["status"], &returned["refunded"]["amount"]), (&json!("CANCELED"), &json!("5.00")));
    let refunded = shop.app.sql("SELECT refunded_minor FROM sandbox_checkouts WHERE amount_minor = 500").await;
    assert_eq!(refunded, "500");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paying_and_canceling_at_once_has_one_result() {
    let shop = Shop::open().await;
    for round in 0..4 {
        let user = shop.app.user(&format!("Buyer{round}"), Role::Student).await;
        let order = shop.order(&user).await;
        let cancel = shop.code(Some(&user), "cancelOrder", json!({ "orderId": order["id"] }));
        tokio::join!(cancel, shop.act(&order, "pay"));
        shop.settle().await;
        assert_eq!(shop.status(&order).await, "PAID");
        assert!(shop.has(&user, &shop.course).await);
    }
    assert_eq!(shop.students(&shop.course).await, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_orders_of_a_deleted_account_stay_for_the_books_and_are_not_paid() {
    let shop = Shop::open().await;
    let (paid, open) = (shop.order(&shop.sam).await, shop.ordered(&shop.sam, shop.input(&[&shop.other], "5")).await);
    shop.act(&paid, "pay").await;
    shop.only_act(&open, "pay-late").await;
    shop.app.sql("UPDATE users SET deletion_due_at = '2026-11-20' WHERE name = 'Sam'").await;
    shop.app.run("accounts.delete_due").await;
    shop.settle().await;
    assert_eq!((shop.status(&paid).await, shop.status(&open).await), ("PAID".into(), "CANCELED".into()));
    assert_eq!(shop.seen(&paid).await["buyer"]["name"], "Deleted user");
    shop.pass(TimeDelta::seconds(31)).await;
    assert_eq!(shop.seen(&open).await["refunded"]["amount"], "5.00");
}
