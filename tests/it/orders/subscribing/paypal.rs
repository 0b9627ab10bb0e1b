//! Subscriptions at PayPal.

use chrono::SecondsFormat;
use lyceum::platform::payments::GatewayFact;
use serde_json::{Value, json};

use super::*;
use crate::orders::fakes::Fault;
use crate::orders::fakes::paypal::{MERCHANT, PayPalFake};

async fn open() -> (School, PayPalFake) {
    let fake = PayPalFake::start().await;
    (School::open(Provider::Paypal, &fake.settings(), "EUR").await, fake)
}

/// Reads an event with the right signature.
async fn read(school: &School, fake: &PayPalFake, event: &Value) -> GatewayEvent {
    let body = event.to_string().into_bytes();
    school.read(&fake.headers(&body, school.now(), "good"), &body).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_set_up_fee_of_a_subscription_at_paypal_pays_the_first_period() {
    let (school, fake) = open().await;
    let plan = school.plan().await.unwrap();
    let cycle = &fake.plans()[0]["billing_cycles"][0];
    assert_eq!(cycle["frequency"], json!({ "interval_unit": "MONTH", "interval_count": 3 }));
    let price = json!({ "currency_code": "EUR", "value": "19.90" });
    assert_eq!(
        (&cycle["pricing_scheme"]["fixed_price"], &cycle["total_cycles"]),
        (&price, &json!(0)),
        "without an end"
    );

    let made = school.start(&plan).await.unwrap();
    let asked = &fake.subscriptions()[0];
    assert_eq!((&asked["id"], &asked["links"][0]["href"]), (&json!(made.id), &json!(made.url)));
    let fee = &asked["plan"]["payment_preferences"];
    assert_eq!(fee["setup_fee"], json!({ "currency_code": "EUR", "value": "9.90" }));
    assert_eq!(fee["setup_fee_failure_action"], "CANCEL", "nothing runs that was not paid for");
    assert_eq!(asked["start_time"], school.starts_at.to_rfc3339_opts(SecondsFormat::Secs, true));
    assert_eq!(asked["application_context"]["return_url"], "http://localhost:3000/thanks");
    assert_eq!(school.state(&made.id).await, CheckoutState::Open);

    let paid = read(&school, &fake, &fake.approve_subscription(0, school.now())).await;
    assert_eq!(told(&paid), ("checkout.paid", Some("I-0LYCEUM"), Some("SALE0LYCEUM"), 990, "EUR"));
    assert_eq!((&paid.checkout, &paid.reference, paid.account.as_str()), (&made.id, &school.payment, MERCHANT));
    let first = school.known(Some(&made.id)).await.unwrap();
    assert_eq!(first, school.first(&made.id, "SALE0LYCEUM", "I-0LYCEUM"));
    assert_eq!(school.sums("I-0LYCEUM").await, (SubscriptionStatus::Active, 0), "without the set-up fee");

    let now = school.pass();
    let charged = read(&school, &fake, &fake.charge(0, now)).await;
    assert_eq!(told(&charged), ("subscription.paid", Some("I-0LYCEUM"), Some("SALE1LYCEUM"), 1990, "EUR"));
    assert_eq!((charged.reference.as_str(), charged.checkout.as_str()), ("", ""));
    let known = school.fetch("I-0LYCEUM").await.unwrap().unwrap();
    assert_eq!(known.charges, [school.charge("SALE1LYCEUM", now)]);

    // Sales are refunded as such, also where only the money is known.
    let refund = school.refund("I-0LYCEUM", "SALE0LYCEUM", 500).await.unwrap();
    school.refund("", "SALE1LYCEUM", 1990).await.unwrap();
    assert_eq!(fake.refunds()[0]["amount"], json!({ "total": "5.00", "currency": "EUR" }));
    let progress = payments::fetch_refund(&school.app.app, Provider::Paypal, &refund).await.unwrap();
    assert_eq!(progress, payments::RefundProgress::Done);
    let refunded = read(&school, &fake, &fake.sale_refunded(0)).await;
    assert_eq!(told(&refunded), ("refund.created", None, Some("SALE0LYCEUM"), 500, "EUR"));
    let own = fake.refunds()[0]["invoice_number"].as_str().map(str::to_owned);
    assert_eq!(refunded.fact, GatewayFact::Refunded { refund, refund_reference: own });
    fake.refuse_refunds(true);
    assert!(is_refused(&school.refund("I-0LYCEUM", "SALE1LYCEUM", 1).await));

    for (status, kind, told_as, state) in [
        ("ACTIVE", "PAYMENT.FAILED", "subscription.failed", SubscriptionStatus::PastDue),
        ("SUSPENDED", "SUSPENDED", "subscription.ended", SubscriptionStatus::Ended),
        ("EXPIRED", "EXPIRED", "subscription.ended", SubscriptionStatus::Ended),
        ("CANCELLED", "CANCELLED", "subscription.ended", SubscriptionStatus::Ended),
    ] {
        let event = read(&school, &fake, &fake.set_subscription(0, status, kind)).await;
        assert_eq!(told(&event), (told_as, Some("I-0LYCEUM"), None, 0, ""), "{kind}");
        assert_eq!(school.sums("I-0LYCEUM").await, (state, 1), "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_paypal_has_made_is_found_again_when_its_answer_was_lost() {
    let (mut school, fake) = open().await;
    fake.wire.fail("POST /v1/catalogs/products", Fault::AnswerLost(500));
    for _ in 0..3 {
        fake.wire.fail("POST /v1/billing/plans", Fault::AnswerLost(500));
    }
    assert!(is_down(&school.plan().await));
    fake.forget_keys();
    let plan = school.plan().await.unwrap();
    assert_eq!((school.plan().await.unwrap(), fake.plans().len()), (plan.clone(), 1));
    fake.wire.fail("POST /v1/billing/subscriptions", Fault::AnswerLost(503));
    let made = school.start(&plan).await.unwrap();
    assert_eq!((school.start(&plan).await.unwrap(), fake.subscriptions().len()), (made.clone(), 1));
    // PayPal closes no page that nobody has approved. Who pays on it later gets the money back.
    school.close(&made.id).await.unwrap();
    assert_eq!((school.state(&made.id).await, fake.wire.count("/cancel")), (CheckoutState::Open, 1));
    assert_eq!(school.state("I-UNKNOWN").await, CheckoutState::Expired);
    // What PayPal takes appears some minutes later in its list; what it could not take has ended.
    fake.set_subscription(0, "ACTIVE", "ACTIVATED");
    assert_eq!(school.state(&made.id).await, CheckoutState::Processing);
    fake.set_subscription(0, "CANCELLED", "CANCELLED");
    assert_eq!(school.state(&made.id).await, CheckoutState::Expired);

    for _ in 0..2 {
        school.retire(Some(&plan)).await.unwrap();
    }
    assert_eq!(fake.plans()[0]["status"], "INACTIVE");
    school.payment = uuid::Uuid::new_v4().to_string();
    assert!(is_refused(&school.start(&plan).await), "nothing new is bought for it");
    // Its creation was never answered.
    let (school, fake) = open().await;
    school.retire(None).await.unwrap();
    school.plan().await.unwrap();
    school.retire(None).await.unwrap();
    assert_eq!(fake.plans()[0]["status"], "INACTIVE");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_at_paypal_ends_once() {
    let (school, fake) = open().await;
    let plan = school.plan().await.unwrap();
    let made = school.start(&plan).await.unwrap();
    fake.approve_subscription(0, school.now());
    school.close(&made.id).await.unwrap();
    assert_eq!(school.state(&made.id).await, CheckoutState::Paid, "one that is paid stays paid");
    for _ in 0..3 {
        fake.wire.fail("/cancel", Fault::Refused(503));
    }
    assert!(is_down(&school.end(&made.id).await), "it runs on, which is known");
    assert_eq!(school.sums(&made.id).await.0, SubscriptionStatus::Active);
    fake.wire.fail("/cancel", Fault::AnswerLost(500));
    for _ in 0..2 {
        school.end(&made.id).await.unwrap();
    }
    assert_eq!(school.sums(&made.id).await.0, SubscriptionStatus::Ended);
    assert_eq!(school.state(&made.id).await, CheckoutState::Paid, "what it has paid for stays");
    fake.forget_keys();
    school.end(&made.id).await.unwrap();
    school.end("I-UNKNOWN").await.unwrap();
    assert_eq!(school.fetch("I-UNKNOWN").await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_of_a_subscription_is_believed_only_if_paypal_sends_it() {
    let (school, fake) = open().await;
    let plan = school.plan().await.unwrap();
    school.start(&plan).await.unwrap();
    fake.approve_subscription(0, school.now());
    let now = school.pass();
    let charged = fake.charge(0, now);
    let body = charged.to_string().into_bytes();
    for (at, certificate, why) in [
        (now, "rogue", Unverified::Forged),
        (now - TimeDelta::days(5), "good", Unverified::Stale),
        (now + TimeDelta::days(5), "good", Unverified::Stale),
    ] {
        assert_eq!(school.read(&fake.headers(&body, at, certificate), &body).await, Err(why));
    }
    let with = |pointer: &str, value: Value| {
        let mut changed = charged.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        changed
    };
    // Of a foreign currency: it is told as it is, and contradicts what is known.
    let foreign = with("/resource/amount/currency", json!("USD"));
    assert_eq!(read(&school, &fake, &foreign).await.currency, "USD");
    // Without our own text, it is told as a charge, which is asked about.
    let untold = read(&school, &fake, &with("/resource/custom", Value::Null)).await;
    assert_eq!(told(&untold), ("subscription.paid", Some("I-0LYCEUM"), Some("SALE1LYCEUM"), 1990, "EUR"));
    // Of another program, and of no subscription.
    for foreign in [
        with("/resource/custom", json!("an order of another shop")),
        with("/resource/billing_agreement_id", Value::Null),
    ] {
        let fact = read(&school, &fake, &foreign).await.fact;
        assert_eq!(fact, GatewayFact::Other { kind: "PAYMENT.SALE.COMPLETED".into() });
    }
    let mut ended = fake.set_subscription(0, "CANCELLED", "CANCELLED");
    ended["resource"]["custom_id"] = json!("an order of another shop");
    let fact = read(&school, &fake, &ended).await.fact;
    assert_eq!(fact, GatewayFact::Other { kind: "BILLING.SUBSCRIPTION.CANCELLED".into() });
}
