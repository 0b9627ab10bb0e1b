//! Subscriptions at Razorpay.

use lyceum::platform::payments::GatewayFact;
use serde_json::{Value, json};

use super::*;
use crate::orders::fakes::razorpay::{ACCOUNT, RazorpayFake, WEBHOOK_SECRET, event};
use crate::orders::fakes::{Fault, hmac};

async fn open() -> (School, RazorpayFake) {
    let fake = RazorpayFake::start().await;
    (School::open(Provider::Razorpay, &fake.settings(), "INR").await, fake)
}

/// Reads an event with the right signature.
async fn read(school: &School, kind: &str, payload: Value) -> GatewayEvent {
    let body = event(kind, payload, school.now()).to_string().into_bytes();
    let signature = hmac(WEBHOOK_SECRET, &body);
    school.read(&headers([("x-razorpay-signature", signature.as_str())]), &body).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_of_a_subscription_at_razorpay_pays_the_first_period() {
    let (school, fake) = open().await;
    let plan = school.plan().await.unwrap();
    assert_eq!((&fake.plans()[0]["period"], &fake.plans()[0]["interval"]), (&json!("monthly"), &json!(3)));
    assert_eq!(fake.plans()[0]["item"], json!({ "name": "Everything", "amount": 1990, "currency": "INR" }));

    let made = school.start(&plan).await.unwrap();
    let asked = &fake.subscriptions()[0];
    assert_eq!((&asked["id"], &asked["short_url"]), (&json!(made.id), &json!(made.url)));
    let addon = json!([{ "item": { "name": "1: Everything", "amount": 990, "currency": "INR" } }]);
    assert_eq!((&asked["addons"], &asked["total_count"]), (&addon, &json!(40)), "ten years");
    assert_eq!(asked["start_at"], school.starts_at.timestamp());
    assert_eq!(asked["expire_by"], (school.now() + TimeDelta::days(1)).timestamp());
    assert_eq!(school.state(&made.id).await, CheckoutState::Open);

    let paid = read(&school, "subscription.authenticated", fake.pay_subscription(0, school.now())).await;
    assert_eq!(told(&paid), ("checkout.paid", Some("sub_0Lyceum"), Some("pay_of_inv_0Lyceum"), 990, "INR"));
    assert_eq!((&paid.checkout, &paid.reference, paid.account.as_str()), (&made.id, &school.payment, ACCOUNT));
    let first = school.known(Some(&made.id)).await.unwrap();
    assert_eq!(first, school.first(&made.id, "pay_of_inv_0Lyceum", "sub_0Lyceum"));
    assert_eq!(school.sums("sub_0Lyceum").await, (SubscriptionStatus::Active, 0), "without what the page has taken");

    let now = school.pass();
    let charged = read(&school, "subscription.charged", fake.charge(0, now)).await;
    assert_eq!(told(&charged), ("subscription.paid", Some("sub_0Lyceum"), Some("pay_of_inv_1Lyceum"), 1990, "INR"));
    assert_eq!((charged.reference.as_str(), charged.checkout.as_str()), ("", ""));
    let known = school.fetch("sub_0Lyceum").await.unwrap().unwrap();
    assert_eq!(known.charges, [school.charge("pay_of_inv_1Lyceum", now)]);
    assert_eq!(school.known(Some(&made.id)).await, Some(first), "it stays what it was");

    for (status, kind, state) in [
        ("pending", "subscription.failed", SubscriptionStatus::PastDue),
        ("halted", "subscription.ended", SubscriptionStatus::Ended),
        ("paused", "subscription.ended", SubscriptionStatus::Ended),
        ("completed", "subscription.ended", SubscriptionStatus::Ended),
        ("cancelled", "subscription.ended", SubscriptionStatus::Ended),
    ] {
        let event = read(&school, &format!("subscription.{status}"), fake.set_subscription(0, status)).await;
        assert_eq!(told(&event), (kind, Some("sub_0Lyceum"), None, 0, ""), "{status}");
        assert_eq!(school.sums("sub_0Lyceum").await, (state, 1), "{status}");
    }
    school.refund(&made.id, "pay_of_inv_0Lyceum", 990).await.unwrap();
    school.refund("sub_0Lyceum", "pay_of_inv_1Lyceum", 1990).await.unwrap();
    assert_eq!(fake.refunds()[1]["payment_id"], "pay_of_inv_1Lyceum");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_razorpay_has_made_is_found_again_when_its_answer_was_lost() {
    let (school, fake) = open().await;
    // Razorpay has no idempotency keys: three attempts make three plans, of which one is used.
    for _ in 0..3 {
        fake.wire.fail("POST /v1/plans", Fault::AnswerLost(500));
    }
    assert!(is_down(&school.plan().await));
    let plan = school.plan().await.unwrap();
    assert_eq!((school.plan().await.unwrap(), fake.plans().len()), (plan.clone(), 3));
    assert_eq!(school.known(None).await, None, "nothing was started");
    for _ in 0..3 {
        fake.wire.fail("POST /v1/subscriptions", Fault::AnswerLost(504));
    }
    assert!(is_down(&school.start(&plan).await));
    assert_eq!(school.known(None).await.unwrap().state, CheckoutState::Open);
    let made = school.start(&plan).await.unwrap();
    assert_eq!((school.start(&plan).await.unwrap(), fake.subscriptions().len()), (made.clone(), 3));
    // The others are never opened. This one is paid, which is found without an event and without its id.
    assert_eq!(made.id, "sub_2Lyceum");
    fake.pay_subscription(2, school.now());
    let known = school.known(None).await.unwrap();
    assert_eq!(known, school.first("sub_2Lyceum", "pay_of_inv_0Lyceum", "sub_2Lyceum"));
    school.close(&made.id).await.unwrap();
    assert_eq!(fake.subscriptions()[2]["status"], "authenticated", "one that is paid stays paid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_at_razorpay_ends_once_and_a_page_that_nobody_pays_is_closed() {
    let (mut school, fake) = open().await;
    let plan = school.plan().await.unwrap();
    let unpaid = school.start(&plan).await.unwrap();
    fake.wire.fail("/cancel", Fault::AnswerLost(500));
    for _ in 0..2 {
        school.close(&unpaid.id).await.unwrap();
    }
    assert_eq!(school.state(&unpaid.id).await, CheckoutState::Expired);
    let closed = read(&school, "subscription.cancelled", fake.set_subscription(0, "cancelled")).await;
    assert_eq!(told(&closed), ("checkout.expired", None, None, 990, "INR"));
    assert_eq!((&closed.checkout, &closed.reference), (&unpaid.id, &school.payment));
    assert_eq!(school.state("sub_unknown").await, CheckoutState::Expired);

    school.payment = uuid::Uuid::new_v4().to_string();
    school.start(&plan).await.unwrap();
    fake.pay_subscription(1, school.now());
    for _ in 0..3 {
        fake.wire.fail("/cancel", Fault::Refused(503));
    }
    assert!(is_down(&school.end("sub_1Lyceum").await), "it runs on, which is known");
    assert_eq!(school.sums("sub_1Lyceum").await.0, SubscriptionStatus::Active);
    for _ in 0..2 {
        school.end("sub_1Lyceum").await.unwrap();
    }
    assert_eq!(school.sums("sub_1Lyceum").await.0, SubscriptionStatus::Ended);
    school.end("sub_unknown").await.unwrap();
    assert_eq!(school.fetch("sub_unknown").await.unwrap(), None);
    let asked = fake.wire.count("");
    school.retire(Some(&plan)).await.unwrap();
    assert_eq!(fake.wire.count(""), asked, "Razorpay keeps its plans");
    // What was halted can be revived there, so it is ended as well.
    school.payment = uuid::Uuid::new_v4().to_string();
    school.start(&plan).await.unwrap();
    fake.pay_subscription(2, school.now());
    fake.set_subscription(2, "halted");
    school.end("sub_2Lyceum").await.unwrap();
    assert_eq!(fake.subscriptions()[2]["status"], "cancelled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_of_a_subscription_is_believed_only_if_razorpay_sends_it() {
    let (school, fake) = open().await;
    let plan = school.plan().await.unwrap();
    school.start(&plan).await.unwrap();
    let paid = fake.pay_subscription(0, school.now());
    let now = school.pass();
    let charged = fake.charge(0, now);
    for (secret, at, why) in [
        ("another", now, Unverified::Forged),
        (WEBHOOK_SECRET, now - TimeDelta::days(4), Unverified::Stale),
        (WEBHOOK_SECRET, now + TimeDelta::days(4), Unverified::Stale),
    ] {
        let body = event("subscription.charged", charged.clone(), at).to_string().into_bytes();
        let signature = hmac(secret, &body);
        assert_eq!(school.read(&headers([("x-razorpay-signature", signature.as_str())]), &body).await, Err(why));
    }
    let with = |payload: &Value, pointer: &str, value: Value| {
        let mut changed = payload.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        changed
    };
    // Of a foreign currency: it is told as it is, and contradicts what is known.
    let foreign = with(&charged, "/payment/entity/currency", json!("USD"));
    assert_eq!(read(&school, "subscription.charged", foreign).await.currency, "USD");
    // What was paid on the page, told as a charge, is what the page has taken.
    let first = read(&school, "subscription.charged", paid.clone()).await;
    assert_eq!((first.fact, first.reference), (GatewayFact::Paid, school.payment.clone()));
    // Not captured yet: it is asked about.
    let authorized = with(&paid, "/payment/entity/status", json!("authorized"));
    let told = read(&school, "subscription.authenticated", authorized).await;
    assert_eq!((told.fact, told.transaction), (GatewayFact::Approved, None));
    // Of another program, and without a payment.
    let foreign = with(&charged, "/subscription/entity/notes", json!([]));
    let untold = json!({ "subscription": paid["subscription"] });
    for (kind, payload) in [("subscription.charged", foreign), ("subscription.authenticated", untold)] {
        assert_eq!(read(&school, kind, payload).await.fact, GatewayFact::Other { kind: kind.into() });
    }
}
