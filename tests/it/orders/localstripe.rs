//! Stripe against another program's idea of it, as far as that goes: localstripe takes a card and refunds it, and signs
//! its webhooks. It has no Checkout sessions and no disputes, so an order's own checkout fails there, and the test tells
//! of a session that was paid. Nor has it idempotency keys: for these, and for everything else, there is the fake in
//! `fakes::stripe`.

use chrono::Utc;
use lyceum::accounts::UserId;
use lyceum::catalog::CourseId;

use super::fakes::stripe::{ACCOUNT, KEY, WEBHOOK_SECRET, event, signature};
use super::*;
use crate::support::eventually;
use crate::support::localstripe::LocalStripe;
use crate::support::process::Site;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_that_localstripe_knows_is_refunded_there_once_and_its_webhooks_are_believed() {
    let stripe = LocalStripe::start(KEY).await;
    let site = Site::new().await;
    let site = site.set("LYCEUM_STRIPE_SECRET_KEY", KEY).set("LYCEUM_STRIPE_ACCOUNT", ACCOUNT);
    let site = site.set("LYCEUM_STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET).set("LYCEUM_STRIPE_URL", &stripe.url).seed(1);
    let course = "UPDATE courses SET price_minor = 1990, currency = 'EUR' WHERE id =
        (SELECT id FROM courses WHERE published_at IS NOT NULL LIMIT 1) RETURNING id";
    let course = CourseId::new(site.sql(course).await.parse().unwrap()).encode();
    let buyer = "WITH made AS (INSERT INTO users (id, email, name, role, created_at, updated_at)
            VALUES (gen_random_uuid(), 'buyer@people.example', 'Buyer', 'STUDENT', now(), now()) RETURNING id)
        INSERT INTO sessions (id, user_id, user_agent, created_at, last_used_at, expires_at, authenticated_at)
        SELECT '00000000-0000-0000-0000-000000000000', id, '', now(), now(), 'infinity', now() FROM made
        RETURNING user_id";
    let buyer = site.sql(buyer).await;
    let admin = site.sql("SELECT id FROM users WHERE email = 'admin@lyceum.example'").await;
    let token = |id: &str, role| site.token(&UserId::new(id.parse().unwrap()).encode(), role);
    let (buyer, admin) = (token(&buyer, Role::Student), token(&admin, Role::Admin));
    let node = site.serve().await;
    let hook = format!("{}/webhooks/stripe", node.url);

    // What it signs is verified: a kind of event that changes nothing here.
    stripe.tell(&hook, WEBHOOK_SECRET).await;
    let intent = stripe.pay(1990, "eur").await;
    let told = "SELECT state FROM payment_events WHERE kind = 'payment_intent.succeeded'";
    eventually("localstripe's webhook is processed", async || site.sql(told).await == "PROCESSED").await;

    let order = "mutation ($input: CreateOrderInput!) { createOrder(input: $input) {
        order { id status } userErrors { message } } }";
    let input = json!({
        "items": [{ "courseId": course }],
        "billing": { "country": "DE", "currency": "EUR" },
        "expectedTotal": { "amount": "19.90", "currency": "EUR" },
    });
    let made = node.data(Some(&buyer), order, json!({ "input": input })).await["createOrder"]["order"].take();
    assert_eq!(made["status"], "FAILED", "it has no Checkout sessions: {made:#}");
    let payment = site.sql("SELECT id FROM payments WHERE provider = 'STRIPE'").await;
    let session = json!({
        "id": "cs_test_elsewhere",
        "object": "checkout.session",
        "amount_total": 1990,
        "currency": "eur",
        "client_reference_id": payment,
        "payment_intent": intent,
        "payment_status": "paid",
        "status": "complete",
        "url": null,
    });
    let body = event("checkout.session.completed", session).to_string().into_bytes();
    let signature = signature(WEBHOOK_SECRET, &body, Utc::now());
    let sent = node.client.post(&hook).header("stripe-signature", signature).body(body).send().await.unwrap();
    assert_eq!(sent.status(), 200);
    let status = format!("SELECT status FROM orders WHERE id = (SELECT order_id FROM payments WHERE id = '{payment}')");
    eventually("the order is paid", async || site.sql(&status).await == "PAID").await;

    // A part, then the rest.
    let refund = "mutation ($input: RefundOrderInput!) { refundOrder(input: $input) { userErrors { message } } }";
    let done = "SELECT coalesce(string_agg(state || amount_minor, ' ' ORDER BY created_at), '') FROM refunds";
    let amount = json!({ "amount": "9.90", "currency": "EUR" });
    for (amount, expected, status_after) in
        [(amount, "DONE990", "PARTIALLY_REFUNDED"), (Value::Null, "DONE990 DONE1000", "REFUNDED")]
    {
        let input = json!({ "orderId": made["id"], "amount": amount, "reason": "Not satisfied" });
        let answer = node.data(Some(&admin), refund, json!({ "input": input })).await;
        assert_eq!(answer["refundOrder"]["userErrors"], json!([]));
        eventually("localstripe has refunded it", async || site.sql(done).await == expected).await;
        assert_eq!(site.sql(&status).await, status_after);
    }
    let amounts = async || -> Vec<i64> {
        let refunds = stripe.refunds(&intent).await;
        let mut amounts: Vec<i64> = refunds.iter().map(|refund| refund["amount"].as_i64().unwrap()).collect();
        amounts.sort_unstable();
        amounts
    };
    assert_eq!(amounts().await, [990, 1000]);

    // The answer to the first one was lost, long ago: it is found there by its reference, and not made again.
    let lost = "UPDATE refunds SET state = 'PENDING', external_id = NULL, done_at = NULL,
        created_at = created_at - interval '2 days' WHERE amount_minor = 990 RETURNING id";
    let lost = site.sql(lost).await;
    let again = format!(
        "INSERT INTO jobs (id, handler, payload, dedupe_key, created_at, run_at) VALUES (gen_random_uuid(),
            'orders.refund', '{{\"refund\": \"{lost}\"}}', gen_random_uuid()::text, now(), now()) RETURNING id"
    );
    site.sql(&again).await;
    eventually("it is found", async || site.sql(done).await == "DONE990 DONE1000").await;
    assert_eq!(amounts().await, [990, 1000]);
}
