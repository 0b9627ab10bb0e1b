//! Orders that are paid by bank debits at Stripe, whose money comes days later.

use super::fakes::stripe::event;
use super::stripe::StripeShop;
use super::*;

impl StripeShop {
    /// Orders live for two hours.
    async fn of_hours() -> StripeShop {
        StripeShop::with(&[("LYCEUM_ORDER_MINUTES", "120")]).await
    }

    /// Three hours pass, in which an order is reminded of and expires.
    async fn wait(&self) {
        for _ in 0..3 {
            self.shop.app.app.clock.advance(TimeDelta::hours(1));
            for job in ["orders.remind", "orders.expire", "orders.reconcile"] {
                self.shop.app.run(job).await;
            }
            self.shop.settle().await;
        }
    }

    /// An order of the first course whose money is on its way.
    async fn debited(&self, user: &User, place: usize) -> Value {
        let order = self.shop.order(user).await;
        self.tell(&self.fake.debit(place)).await;
        order
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_whose_money_is_on_its_way_waits_until_that_is_decided() {
    let stripe = StripeShop::of_hours().await;
    let (shop, fake) = (&stripe.shop, &stripe.fake);
    let order = stripe.debited(&shop.sam, 0).await;
    let seen = shop.seen(&order).await;
    assert_eq!(
        (&seen["status"], &seen["checkoutUrl"], &seen["expiresAt"]),
        (&json!("PENDING"), &Value::Null, &Value::Null)
    );
    stripe.wait().await;
    assert_eq!(shop.status(&order).await, "PENDING");
    let reminders = "SELECT count(*) FROM notifications WHERE kind = 'ORDER_UNPAID'";
    assert_eq!(shop.app.sql(reminders).await, "0");
    assert!(!shop.has(&shop.sam, &shop.course).await, "it is not paid");
    assert_eq!(shop.code(Some(&shop.sam), "createOrder", shop.input(&[&shop.course], "19.90")).await, "TAKEN");
    let cancel = json!({ "orderId": order["id"] });
    assert_eq!(shop.code(Some(&shop.sam), "cancelOrder", cancel).await, "NOT_ALLOWED");
    let succeeded = fake.debited(0, true);
    for _ in 0..2 {
        stripe.tell(&succeeded).await;
    }
    assert_eq!(shop.status(&order).await, "PAID");
    assert!(shop.has(&shop.sam, &shop.course).await);
    // Told late.
    let mut completed = event("checkout.session.completed", fake.sessions()[0].clone());
    completed["data"]["object"]["payment_status"] = "unpaid".into();
    stripe.tell(&completed).await;
    assert_eq!((shop.status(&order).await.as_str(), shop.students(&shop.course).await), ("PAID", 1));

    // It fails, and can be ordered again.
    let order = stripe.debited(&shop.tim, 1).await;
    let failed = fake.debited(1, false);
    for _ in 0..2 {
        stripe.tell(&failed).await;
    }
    assert_eq!(shop.status(&order).await, "FAILED");
    shop.order(&shop.tim).await;
    assert!(shop.events().await.iter().all(|event| event.ends_with("PROCESSED")), "{:?}", shop.events().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_becomes_of_a_debit_is_known_without_any_webhook() {
    let stripe = StripeShop::of_hours().await;
    let (shop, fake) = (&stripe.shop, &stripe.fake);
    let (paid, failed) = (shop.order(&shop.sam).await, shop.order(&shop.tim).await);
    fake.debit(0);
    fake.debit(1);
    shop.reconcile(TimeDelta::minutes(2)).await;
    stripe.wait().await;
    assert_eq!((shop.status(&paid).await.as_str(), shop.status(&failed).await.as_str()), ("PENDING", "PENDING"));
    fake.debited(0, true);
    fake.debited(1, false);
    stripe.wait().await;
    assert_eq!((shop.status(&paid).await.as_str(), shop.status(&failed).await.as_str()), ("PAID", "FAILED"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_never_decided_ends_after_a_month_and_pays_for_its_order_if_it_comes_after_all() {
    let stripe = StripeShop::open().await;
    let (shop, fake) = (&stripe.shop, &stripe.fake);
    stripe.debited(&shop.sam, 0).await;
    let status = "SELECT orders.status || ' ' || state FROM orders JOIN payments ON order_id = orders.id";
    shop.reconcile(TimeDelta::days(29)).await;
    assert_eq!(shop.app.sql(status).await, "PENDING OPEN");
    shop.reconcile(TimeDelta::days(1)).await;
    assert_eq!(shop.app.sql(status).await, "EXPIRED OPEN");
    shop.settle().await;
    shop.reconcile(TimeDelta::hours(12)).await;
    assert_eq!(shop.app.sql(status).await, "EXPIRED ABANDONED");
    stripe.tell(&fake.debited(0, true)).await;
    assert_eq!(shop.app.sql(status).await, "PAID PAID");
    // Administrators need not wait so long.
    let stripe = StripeShop::open().await;
    let shop = &stripe.shop;
    let order = stripe.debited(&shop.sam, 0).await;
    shop.app.mutate(&shop.root, "cancelOrder", "order { id }", json!({ "orderId": order["id"] })).await;
    assert_eq!(shop.status(&order).await, "CANCELED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_monthly_donation_goes_on_when_its_debit_arrives() {
    let stripe = StripeShop::of_hours().await;
    let (shop, fake) = (&stripe.shop, &stripe.fake);
    let mut input = shop.input(&[], "7");
    input["items"] = json!([{ "monthlyDonation": { "amount": "7", "currency": "EUR" } }]);
    for (user, place) in [(&shop.sam, 0), (&shop.tim, 1)] {
        shop.ordered(user, input.clone()).await;
        stripe.tell(&fake.debit(place)).await;
    }
    stripe.wait().await;
    let open = "SELECT count(*) FROM donations WHERE started_at IS NULL AND ended_at IS NULL AND failures = 0";
    assert_eq!(shop.app.sql(open).await, "2");
    // The donor ends it while the money is on its way: the month is paid, and it is the last one.
    let ids = "{ viewer { donations { nodes { id } } } }";
    let donation = shop.app.data(Some(&shop.tim.token), ids, json!({})).await;
    let id = &donation["viewer"]["donations"]["nodes"][0]["id"];
    assert_eq!(shop.code(Some(&shop.tim), "cancelDonation", json!({ "donationId": id })).await, "");
    for place in [0, 1] {
        stripe.tell(&fake.debited(place, true)).await;
    }
    assert_eq!(shop.app.sql("SELECT count(*) FROM orders WHERE status = 'PAID'").await, "2");
    let started = "SELECT count(*) FROM donations WHERE started_at IS NOT NULL";
    assert_eq!(shop.app.sql(&format!("{started} AND ended_at IS NULL AND next_at IS NOT NULL")).await, "1");
    assert_eq!(shop.app.sql(&format!("{started} AND ended_at IS NOT NULL AND next_at IS NULL")).await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_monthly_donation_begins_after_all_when_the_money_of_its_first_order_comes_late() {
    let stripe = StripeShop::open().await;
    let (shop, fake) = (&stripe.shop, &stripe.fake);
    let mut input = shop.input(&[], "7");
    input["items"] = json!([{ "monthlyDonation": { "amount": "7", "currency": "EUR" } }]);
    shop.ordered(&shop.sam, input).await;
    stripe.tell(&fake.debit(0)).await;
    for days in [29, 1] {
        shop.reconcile(TimeDelta::days(days)).await;
    }
    shop.settle().await;
    let state = "SELECT concat_ws(' ', orders.status, started_at IS NULL, ended_at IS NULL, next_at IS NULL) \
        FROM orders, donations";
    assert_eq!(shop.app.sql(state).await, "EXPIRED t f t", "it was not begun");
    let paid = fake.debited(0, true);
    for _ in 0..2 {
        stripe.tell(&paid).await;
        assert_eq!(shop.app.sql(state).await, "PAID f t f");
    }
}
