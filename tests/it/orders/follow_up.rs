//! What becomes of refunds and disputes when no webhook tells it.

use super::fakes::Fault;
use super::stripe::StripeShop;
use super::*;

/// The state of the order, and whether its course is bought.
pub(super) const ORDER_STATE: &str =
    "SELECT status || ' ' || is_live FROM orders JOIN order_items ON order_id = orders.id";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_that_is_on_its_way_is_asked_about_until_it_is_decided() {
    let stripe = StripeShop::open().await;
    let (shop, fake) = (&stripe.shop, &stripe.fake);
    let asked = || fake.wire.count("GET /v1/refunds/re_0Lyceum");
    let order = shop.order(&shop.sam).await;
    stripe.tell(&fake.pay(0)).await;
    shop.refund(&order, json!({})).await;
    shop.settle().await;
    fake.set_refund(0, "pending");
    shop.reconcile(TimeDelta::hours(23)).await;
    assert_eq!(asked(), 0);
    fake.wire.fail("GET /v1/refunds", Fault::Refused(404));
    for days in 1..=3 {
        shop.reconcile(TimeDelta::days(1)).await;
        assert_eq!((shop.app.sql(ORDER_STATE).await, asked()), ("REFUNDED false".into(), days));
    }
    fake.set_refund(0, "failed");
    shop.reconcile(TimeDelta::days(1)).await;
    assert_eq!(shop.app.sql(ORDER_STATE).await, "PAID true");
    let failure = shop.app.sql("SELECT state || ' ' || failure FROM refunds").await;
    assert_eq!(failure, "FAILED The money came back to the provider.");
    shop.settle().await;
    assert_eq!(shop.app.sql("SELECT sum(amount_minor) FROM ledger_entries WHERE account = 'CLEARING'").await, "1990");
    shop.reconcile(TimeDelta::days(2)).await;
    assert_eq!(asked(), 4, "it is decided");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_that_has_arrived_is_asked_about_once_also_one_that_was_made_at_stripe() {
    let stripe = StripeShop::open().await;
    let (shop, fake) = (&stripe.shop, &stripe.fake);
    shop.order(&shop.sam).await;
    stripe.tell(&fake.pay(0)).await;
    stripe.tell(&fake.refund(0, 1990)).await;
    for _ in 0..3 {
        shop.reconcile(TimeDelta::days(1)).await;
    }
    assert_eq!(fake.wire.count("GET /v1/refunds/re_dashboard0"), 1);
    assert_eq!(shop.app.sql(ORDER_STATE).await, "REFUNDED false");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dispute_that_is_open_for_long_is_asked_about_until_it_is_decided() {
    for (status, state) in [("won", "PAID true"), ("lost", "REFUNDED false")] {
        let stripe = StripeShop::open().await;
        let (shop, fake) = (&stripe.shop, &stripe.fake);
        let asked = || fake.wire.count("GET /v1/disputes/du_0Lyceum");
        shop.order(&shop.sam).await;
        stripe.tell(&fake.pay(0)).await;
        stripe.tell(&fake.dispute(0, "charge.dispute.created", "needs_response")).await;
        shop.reconcile(TimeDelta::days(6)).await;
        assert_eq!(asked(), 0);
        for days in 1..=2 {
            shop.reconcile(TimeDelta::days(1)).await;
            assert_eq!((shop.app.sql(ORDER_STATE).await, asked()), ("PAID false".into(), days));
        }
        fake.dispute(0, "charge.dispute.closed", status);
        for _ in 0..2 {
            shop.reconcile(TimeDelta::days(1)).await;
            assert_eq!((shop.app.sql(ORDER_STATE).await.as_str(), asked()), (state, 3));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dispute_in_the_sandbox_is_asked_about_too() {
    let shop = Shop::open().await;
    let order = shop.order(&shop.sam).await;
    shop.act(&order, "pay").await;
    shop.act(&order, "dispute").await;
    shop.only_act(&order, "win-dispute").await;
    // Its webhook is lost.
    shop.app.sql("DELETE FROM jobs WHERE handler = 'sandbox.send'").await;
    shop.reconcile(TimeDelta::days(7)).await;
    assert_eq!(shop.app.sql(ORDER_STATE).await, "PAID true");
}
