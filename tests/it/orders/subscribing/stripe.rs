//! Subscriptions at Stripe.

use lyceum::platform::payments::GatewayFact;
use serde_json::{Value, json};

use super::*;
use crate::orders::fakes::Fault;
use crate::orders::fakes::stripe::{self, ACCOUNT, StripeFake, WEBHOOK_SECRET};

async fn open() -> (School, StripeFake) {
    let fake = StripeFake::start().await;
    (School::open(Provider::Stripe, &fake.settings(), "EUR").await, fake)
}

/// Reads an event with the right signature.
async fn read(school: &School, event: &Value) -> GatewayEvent {
    let body = event.to_string().into_bytes();
    let signature = stripe::signature(WEBHOOK_SECRET, &body, school.now());
    school.read(&headers([("stripe-signature", signature.as_str())]), &body).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkout_at_stripe_pays_the_first_period_and_starts_a_subscription() {
    let (school, fake) = open().await;
    let plan = school.plan().await.unwrap();
    let price = &fake.prices()[0];
    assert_eq!((&price["id"], &price["unit_amount"], &price["currency"]), (&json!(plan), &json!(1990), &json!("eur")));
    assert_eq!(price["recurring"], json!({ "interval": "month", "interval_count": 3 }));

    let made = school.start(&plan).await.unwrap();
    let session = &fake.sessions()[0];
    assert_eq!((&session["mode"], &session["amount_total"]), (&json!("subscription"), &json!(990)));
    assert_eq!((&session["price"], &session["url"]), (&json!(plan), &json!(made.url)));
    assert_eq!(session["trial_end"], school.starts_at.timestamp().to_string(), "the next charge comes after it");
    assert_eq!(school.state(&made.id).await, CheckoutState::Open);

    // The event does not name the money: asking does.
    let paid = read(&school, &fake.pay(0)).await;
    assert_eq!(told(&paid), ("checkout.approved", Some("sub_0Lyceum"), None, 990, "EUR"));
    assert_eq!((&paid.checkout, &paid.reference, paid.account.as_str()), (&made.id, &school.payment, ACCOUNT));
    let first = school.known(Some(&made.id)).await.unwrap();
    assert_eq!(first, school.first(&made.id, "pi_of_in_0Lyceum", "sub_0Lyceum"));
    assert_eq!(school.sums("sub_0Lyceum").await, (SubscriptionStatus::Active, 0), "without what the checkout paid");

    let now = school.pass();
    let charged = read(&school, &fake.charge(0, now)).await;
    assert_eq!(told(&charged), ("subscription.paid", Some("sub_0Lyceum"), None, 1990, "EUR"));
    assert_eq!((charged.reference.as_str(), charged.checkout.as_str()), ("", ""));
    let known = school.fetch("sub_0Lyceum").await.unwrap().unwrap();
    assert_eq!(known.charges, [school.charge("pi_of_in_1Lyceum", now)]);
    let failed = read(&school, &fake.decline(0, now)).await;
    assert_eq!(told(&failed), ("subscription.failed", Some("sub_0Lyceum"), None, 0, ""));
    assert_eq!(school.sums("sub_0Lyceum").await, (SubscriptionStatus::PastDue, 1));

    // The money of both goes back by its own id, which refunds and disputes name as well.
    school.refund(&made.id, "pi_of_in_0Lyceum", 990).await.unwrap();
    school.refund("sub_0Lyceum", "pi_of_in_1Lyceum", 1990).await.unwrap();
    let refunds = fake.refunds();
    assert_eq!((&refunds[0]["amount"], &refunds[1]["amount"]), (&json!(990), &json!(1990)));
    assert!(is_refused(&school.refund("sub_0Lyceum", "pi_of_in_1Lyceum", 1).await), "it is gone");
    let disputed = read(&school, &fake.dispute(0, "charge.dispute.created", "needs_response")).await;
    assert_eq!(disputed.transaction.as_deref(), Some("pi_of_in_0Lyceum"));

    let ended = read(&school, &fake.cancel(0)).await;
    assert_eq!(told(&ended), ("subscription.ended", Some("sub_0Lyceum"), None, 0, ""));
    assert_eq!(school.sums("sub_0Lyceum").await, (SubscriptionStatus::Ended, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stripe_has_made_is_found_again_when_its_answer_was_lost() {
    let (mut school, fake) = open().await;
    // Made, and all answers lost; then even the key is forgotten.
    for _ in 0..3 {
        fake.wire.fail("POST /v1/prices", Fault::AnswerLost(500));
    }
    assert!(is_down(&school.plan().await));
    fake.forget_keys();
    let plan = school.plan().await.unwrap();
    assert_eq!((school.plan().await.unwrap(), fake.prices().len()), (plan.clone(), 1));
    fake.wire.fail("POST /v1/checkout/sessions", Fault::AnswerLost(503));
    let made = school.start(&plan).await.unwrap();
    assert_eq!((school.start(&plan).await.unwrap(), fake.sessions().len()), (made.clone(), 1));
    // One that nobody pays is closed, twice.
    for _ in 0..2 {
        school.close(&made.id).await.unwrap();
    }
    assert_eq!(school.state(&made.id).await, CheckoutState::Expired);
    assert!(fake.subscriptions().is_empty());
    // The money of one is on its way when its order ends: the subscription does not outlive that.
    school.payment = uuid::Uuid::new_v4().to_string();
    let made = school.start(&plan).await.unwrap();
    let completed = read(&school, &fake.debit(1)).await;
    assert_eq!(told(&completed), ("checkout.approved", Some("sub_0Lyceum"), None, 990, "EUR"));
    let known = school.known(Some(&made.id)).await.unwrap();
    assert_eq!(
        (known.state, known.transaction, known.subscription.as_deref()),
        (CheckoutState::Processing, None, Some("sub_0Lyceum"))
    );
    school.close(&made.id).await.unwrap();
    assert_eq!(school.sums("sub_0Lyceum").await, (SubscriptionStatus::Ended, 0));
    let failed = read(&school, &fake.debited(1, false)).await;
    assert_eq!(told(&failed), ("checkout.failed", Some("sub_0Lyceum"), None, 990, "EUR"));
    assert_eq!(school.state(&made.id).await, CheckoutState::Failed, "its payment intent says so");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_at_stripe_ends_once_and_its_price_is_retired() {
    let (mut school, fake) = open().await;
    let plan = school.plan().await.unwrap();
    school.start(&plan).await.unwrap();
    fake.pay(0);
    for _ in 0..3 {
        fake.wire.fail("/v1/subscriptions/sub_0Lyceum", Fault::Refused(503));
    }
    assert!(is_down(&school.end("sub_0Lyceum").await), "it runs on, which is known");
    assert_eq!(school.sums("sub_0Lyceum").await.0, SubscriptionStatus::Active);
    fake.wire.fail("DELETE /v1/subscriptions", Fault::AnswerLost(500));
    for _ in 0..2 {
        school.end("sub_0Lyceum").await.unwrap();
    }
    assert_eq!(school.sums("sub_0Lyceum").await.0, SubscriptionStatus::Ended);
    school.end("sub_unknown").await.unwrap();
    assert_eq!(school.fetch("sub_unknown").await.unwrap(), None);

    for _ in 0..2 {
        school.retire(Some(&plan)).await.unwrap();
    }
    assert_eq!((&fake.prices()[0]["active"], fake.archived_products()), (&json!(false), vec!["prod_0Lyceum".into()]));
    school.payment = uuid::Uuid::new_v4().to_string();
    assert!(is_refused(&school.start(&plan).await), "nothing new is bought for it");
    // Its creation was never answered.
    let (school, fake) = open().await;
    school.retire(None).await.unwrap();
    let reference = school.price.clone();
    school.retire(Some(&reference)).await.unwrap();
    assert_eq!(fake.wire.count("POST"), 0, "none was made, as by an earlier version");
    school.plan().await.unwrap();
    school.retire(None).await.unwrap();
    assert_eq!(fake.prices()[0]["active"], false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_of_a_subscription_is_believed_only_if_stripe_sends_it() {
    let (school, fake) = open().await;
    let plan = school.plan().await.unwrap();
    school.start(&plan).await.unwrap();
    fake.pay(0);
    let now = school.pass();
    let charged = fake.charge(0, now);
    let body = charged.to_string().into_bytes();
    for (secret, at, why) in [
        ("whsec_other", now, Unverified::Forged),
        (WEBHOOK_SECRET, now - TimeDelta::minutes(6), Unverified::Stale),
        (WEBHOOK_SECRET, now + TimeDelta::minutes(6), Unverified::Stale),
    ] {
        let signature = stripe::signature(secret, &body, at);
        assert_eq!(school.read(&headers([("stripe-signature", signature.as_str())]), &body).await, Err(why));
    }
    let with = |pointer: &str, value: Value| {
        let mut changed = charged.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        changed
    };
    // Of a foreign currency, of another account: it is told as it is, and contradicts what is known.
    let details = "/data/object/parent/subscription_details";
    assert_eq!(read(&school, &with("/data/object/currency", json!("usd"))).await.currency, "USD");
    assert_ne!(read(&school, &with("/livemode", json!(true))).await.account, ACCOUNT);
    let mut elsewhere = charged.clone();
    elsewhere["account"] = "acct_other".into();
    assert_eq!(read(&school, &elsewhere).await.account, "acct_other");
    // Of another program, of no subscription, and the first invoice, of which the checkout tells.
    for foreign in [
        with(&format!("{details}/metadata"), json!({})),
        with("/data/object/parent", Value::Null),
        with("/data/object/billing_reason", json!("subscription_create")),
    ] {
        let fact = read(&school, &foreign).await.fact;
        assert_eq!(fact, GatewayFact::Other { kind: "invoice.paid".into() });
    }
    let mut ended = fake.cancel(0);
    ended["data"]["object"]["metadata"] = json!({});
    let fact = read(&school, &ended).await.fact;
    assert_eq!(fact, GatewayFact::Other { kind: "customer.subscription.deleted".into() });
}
