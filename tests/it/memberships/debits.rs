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
