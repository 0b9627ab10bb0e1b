//! Memberships that are paid by bank debits, whose money comes days later.

use lyceum::platform::payments::{GatewayEvent, GatewayFact};

use super::gateway::{SUB, StripeClub};
use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_is_not_ended_while_its_first_payment_is_on_its_way() {
    let mut stripe = StripeClub::open().await;
    let id = stripe.ordered(&stripe.club.sam, &month(&stripe.plan), "10").await;
    let paid = stripe.paid_event(&id, Some(SUB)).await;
    stripe.fake.debit(SUB);
    stripe.club.pass(TimeDelta::minutes(2)).await;
    let seen = stripe.club.seen(&id).await;
    assert_eq!((&seen["status"], &seen["checkoutUrl"]), (&json!("PENDING"), &Value::Null));
    assert_eq!(
        stripe.club.code(&stripe.club.sam, "cancelMembership", json!({ "membershipId": id })).await,
        "NOT_ALLOWED"
    );
    stripe.club.pass(TimeDelta::days(4)).await;
    assert_eq!(stripe.club.orders(&id).await, ["PENDING 10.00"]);
    assert!(!stripe.fake.is_ended(SUB));
    stripe.tell(&paid).await;
    assert_eq!((stripe.club.status(&id).await, stripe.renewal(&id).await), ("ACTIVE".into(), json!("AUTOMATIC")));
    assert!(stripe.club.has(&stripe.club.sam, &stripe.club.course).await);

    // The debit of another one fails: its subscription would charge the next period.
    let id = stripe.ordered(&stripe.club.tim, &month(&stripe.plan), "10").await;
    stripe.fake.debit("sub_failed");
    let paid = stripe.paid_event(&id, Some("sub_failed")).await;
    stripe.club.pass(TimeDelta::minutes(2)).await;
    stripe.tell(&GatewayEvent { transaction: None, fact: GatewayFact::Failed, ..paid }).await;
    stripe.club.sweep().await;
    assert_eq!(stripe.club.orders(&id).await, ["FAILED 10.00"]);
    assert!(stripe.fake.is_ended("sub_failed") && !stripe.fake.is_ended(SUB));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_of_an_order_that_was_ended_pays_for_it_without_its_subscription() {
    let mut stripe = StripeClub::open().await;
    let id = stripe.ordered(&stripe.club.sam, &month(&stripe.plan), "10").await;
    let paid = stripe.paid_event(&id, Some(SUB)).await;
    stripe.fake.debit(SUB);
    stripe.club.pass(TimeDelta::minutes(2)).await;
    // Administrators may end it, and with it the subscription. The debit succeeds nevertheless.
    stripe.club.change(&stripe.club.root, "cancelMembership", &id).await;
    stripe.tell(&paid).await;
    stripe.club.sweep().await;
    assert!(stripe.fake.is_ended(SUB));
    assert_eq!((stripe.club.status(&id).await, stripe.renewal(&id).await), ("ACTIVE".into(), json!("BY_PAGE")));
    stripe.club.pass(TimeDelta::days(31)).await;
    assert_eq!(stripe.club.orders(&id).await, ["PENDING 10.00", "PAID 10.00"], "the member is asked to pay on a page");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_whose_renewal_is_on_its_way_keeps_the_access_and_is_not_asked_twice() {
    let mut stripe = StripeClub::open().await;
    let id = stripe.join().await;
    stripe.ended(SUB).await;
    stripe.club.change(&stripe.club.sam, "resumeMembership", &id).await;
    stripe.club.pass(TimeDelta::days(30)).await;
    let paid = stripe.paid_event(&id, Some("sub_2")).await;
    stripe.fake.debit("sub_2");
    stripe.club.pass(TimeDelta::minutes(2)).await;
    for _ in 0..3 {
        stripe.club.pass(TimeDelta::days(3)).await;
        assert_eq!(stripe.club.orders(&id).await, ["PENDING 10.00", "PAID 10.00"]);
        assert_eq!(stripe.club.status(&id).await, "ACTIVE");
        assert!(stripe.club.has(&stripe.club.sam, &stripe.club.course).await);
    }
    stripe.tell(&paid).await;
    assert_eq!(stripe.club.orders(&id).await, ["PAID 10.00", "PAID 10.00"]);
    assert_eq!(stripe.club.told("payment_failed").await, "0");
    assert_eq!(stripe.fake.refunded(paid.transaction.as_deref().unwrap()), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_that_a_member_has_paid_after_a_failure_is_not_tried_while_it_is_on_its_way() {
    let mut stripe = StripeClub::open().await;
    let id = stripe.join().await;
    stripe.ended(SUB).await;
    stripe.club.change(&stripe.club.sam, "resumeMembership", &id).await;
    stripe.club.pass(TimeDelta::days(30)).await;
    stripe.club.pass(TimeDelta::hours(25)).await;
    assert_eq!(stripe.club.status(&id).await, "PAST_DUE");
    stripe.club.order(&stripe.club.sam, &month(&stripe.plan), "10").await;
    let paid = stripe.paid_event(&id, Some("sub_2")).await;
    stripe.fake.debit("sub_2");
    stripe.club.pass(TimeDelta::minutes(2)).await;
    for _ in 0..2 {
        stripe.club.pass(TimeDelta::days(3)).await;
        assert_eq!(stripe.club.orders(&id).await, ["PENDING 10.00", "EXPIRED 10.00", "PAID 10.00"]);
        assert!(stripe.club.has(&stripe.club.sam, &stripe.club.course).await);
    }
    stripe.tell(&paid).await;
    assert_eq!(stripe.club.status(&id).await, "ACTIVE");
    assert_eq!(stripe.fake.refunded(paid.transaction.as_deref().unwrap()), 0);
}

impl StripeClub {
    /// A member whose next period is paid on a page.
    async fn join_by_page(&self, user: &User, subscription: &str) -> String {
        let id = self.ordered(user, &month(&self.plan), "10").await;
        self.pay(&id, subscription).await;
        self.ended(subscription).await;
        self.club.change(user, "resumeMembership", &id).await;
        id
    }

    /// Sam changes to a year, and pays that by a bank debit; returns the event that it has arrived.
    async fn change_by_debit(&mut self, id: &str) -> GatewayEvent {
        let input = json!({ "membershipId": id, "planPriceId": price_of(&self.plan, "YEAR"), "when": "NOW" });
        self.club.app.mutate(&self.club.sam, "changeMembership", "membership { id }", input).await;
        self.club.settle().await;
        let paid = self.paid_event(id, Some("sub_year")).await;
        self.fake.debit("sub_year");
        self.club.pass(TimeDelta::minutes(2)).await;
        paid
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_whose_money_is_on_its_way_keeps_the_access_and_begins_when_it_was_ordered() {
    let mut stripe = StripeClub::open().await;
    let (sam, tim) = (stripe.club.sam.clone(), stripe.club.tim.clone());
    let id = stripe.join_by_page(&sam, SUB).await;
    let other = stripe.join_by_page(&tim, "sub_tim").await;
    stripe.club.pass(TimeDelta::days(29)).await;
    let ordered = stripe.club.now();
    let paid = stripe.change_by_debit(&id).await;
    for _ in 0..4 {
        stripe.club.pass(TimeDelta::days(3)).await;
        let seen = stripe.club.seen(&id).await;
        assert_eq!((&seen["status"], &seen["orders"]["nodes"][0]["status"]), (&json!("ACTIVE"), &json!("PENDING")));
        assert_eq!(stripe.club.orders(&id).await.len(), 2, "it is not renewed meanwhile");
        assert!(stripe.club.has(&stripe.club.sam, &stripe.club.course).await);
        assert!(stripe.club.orders(&other).await.len() > 1, "others are");
    }
    stripe.tell(&paid).await;
    let seen = stripe.club.seen(&id).await;
    assert_eq!((&seen["status"], &seen["orders"]["nodes"][0]["status"]), (&json!("ACTIVE"), &json!("PAID")));
    assert_eq!(seen["planPrice"]["id"], price_of(&stripe.plan, "YEAR"));
    // What was left of the month then is taken off the price.
    assert_eq!(time(&seen["periodStartsAt"]), ordered);
    assert!((364..=366).contains(&(time(&seen["periodEndsAt"]) - ordered).num_days()));
    assert_eq!(stripe.fake.refunded(paid.transaction.as_deref().unwrap()), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_whose_debit_fails_is_followed_by_the_renewal() {
    let mut stripe = StripeClub::open().await;
    let sam = stripe.club.sam.clone();
    let id = stripe.join_by_page(&sam, SUB).await;
    stripe.club.pass(TimeDelta::days(29)).await;
    let paid = stripe.change_by_debit(&id).await;
    stripe.club.pass(TimeDelta::days(5)).await;
    stripe.tell(&GatewayEvent { transaction: None, fact: GatewayFact::Failed, ..paid }).await;
    stripe.club.pass(TimeDelta::hours(1)).await;
    let orders = stripe.club.orders(&id).await;
    assert_eq!((orders.len(), orders[0].as_str()), (3, "PENDING 10.00"), "{orders:?}");
    assert!(stripe.club.has(&stripe.club.sam, &stripe.club.course).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_subscription_of_before_does_not_charge_while_the_money_for_a_change_is_on_its_way() {
    let mut stripe = StripeClub::open().await;
    let id = stripe.join().await;
    stripe.club.pass(TimeDelta::days(28)).await;
    let paid = stripe.change_by_debit(&id).await;
    stripe.club.sweep().await;
    assert!(stripe.fake.is_ended(SUB));
    // It has charged just before.
    stripe.charged(SUB, "pi_old", 1000).await;
    stripe.fake.set(SUB, "canceled");
    stripe.club.sweep().await;
    assert_eq!(stripe.fake.refunded("pi_old"), 1000);
    let pending = "SELECT count(*) FROM orders WHERE status = 'PENDING'";
    for _ in 0..2 {
        stripe.club.pass(TimeDelta::days(3)).await;
        assert_eq!(stripe.club.app.sql(pending).await, "1", "the change still waits for its money");
        assert!(stripe.club.has(&stripe.club.sam, &stripe.club.course).await);
    }
    stripe.tell(&paid).await;
    let seen = stripe.club.seen(&id).await;
    assert_eq!((&seen["status"], stripe.renewal(&id).await), (&json!("ACTIVE"), json!("AUTOMATIC")));
    assert_eq!(seen["planPrice"]["id"], price_of(&stripe.plan, "YEAR"));
    assert_eq!(stripe.fake.refunded(paid.transaction.as_deref().unwrap()), 0);
}
