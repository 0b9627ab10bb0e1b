//! Orders: created, paid in the sandbox, and fulfilled when its webhook has come.
//!
//! The reference is `pgbench` with hand-written statements that insert and update the same rows: one transaction for the
//! order and its payment, and one for what the webhook changes. The server does more: events, jobs, the webhook over HTTP,
//! the invoice and notifications.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio_postgres::Client;

use super::cases::script;
use super::cpu::Usage;
use super::{CLIENTS, Server, load, pgbench_tps, players};

/// The number of orders of a round of the server.
const ORDERS: usize = 400;
/// How long the last webhooks may take.
const PATIENCE: Duration = Duration::from_secs(120);

const CREATE: &str = "mutation ($input: CreateOrderInput!) { createOrder(input: $input) {
    order { checkoutUrl } userErrors { message } } }";

/// The rows of an order that is placed, then paid.
const STATEMENTS: &str = "\\set total 1990
SELECT gen_random_uuid() AS id, gen_random_uuid() AS payment \\gset
BEGIN;
INSERT INTO orders (id, buyer_id, status, country, currency, total_minor, created_at, updated_at, expires_at)
    VALUES (':id', ':buyer', 'PENDING', 'DE', 'EUR', :total, now(), now(), now() + interval '1 day');
INSERT INTO order_items (id, order_id, buyer_id, position, kind, title, amount_minor, is_live)
    VALUES (gen_random_uuid(), ':id', ':buyer', 0, 'DONATION', 'Course', :total, true);
INSERT INTO payments (id, order_id, provider, account, state, amount_minor, currency, created_at, updated_at, check_at)
    VALUES (':payment', ':id', 'SANDBOX', 'bench', 'CREATING', :total, 'EUR', now(), now(), now());
COMMIT;
UPDATE payments SET state = 'OPEN', external_id = id::text, checkout_url = 'https://x' WHERE id = ':payment';
INSERT INTO payment_events (id, provider, external_id, reference, kind, body, state, received_at)
    VALUES (gen_random_uuid(), 'SANDBOX', ':payment', ':payment', 'checkout.paid', '{}', 'RECEIVED', now());
BEGIN;
SELECT FROM users WHERE id = ':buyer' FOR NO KEY UPDATE;
SELECT FROM orders WHERE id = ':id' FOR NO KEY UPDATE;
UPDATE payments SET state = 'PAID', check_at = NULL, updated_at = now() WHERE id = ':payment';
UPDATE orders SET status = 'PAID', paid_at = now(), expires_at = NULL, updated_at = now() WHERE id = ':id';
UPDATE payment_events SET state = 'PROCESSED', processed_at = now() WHERE external_id = ':payment';
COMMIT;
";

/// Measures orders of donations, of which a user can make many, and prints a table.
pub(crate) async fn measure(url: &str, server: &Server, postmaster: u32, folder: &Path) {
    let client = super::connect(url).await;
    let sql = "SELECT id::text FROM users WHERE role = 'STUDENT' ORDER BY id LIMIT 400";
    let users = players::tokens(players::uuids(&client, sql).await);
    let buyer = format!("buyer={}", users[0].user);
    let reference = pgbench_tps(url, &script(folder, "orders", 0, STATEMENTS), &[buyer]);
    let paid = async |client: &Client| -> i64 {
        client.query_one("SELECT count(*) FROM orders WHERE status = 'PAID'", &[]).await.unwrap().get(0)
    };
    let before = paid(&client).await;
    let usage = (Usage::of(server.process.id()), Usage::of_family(postmaster));
    let started = Instant::now();
    let each = ORDERS.div_ceil(CLIENTS);
    let clients = (0..CLIENTS).map(|number| {
        let users = (0..each).map(|place| users[(number * each + place) % users.len()].token.clone());
        let users: Vec<String> = users.collect();
        let addr = server.addr;
        async move {
            for token in users {
                buy(addr, &token).await;
            }
        }
    });
    futures_util::future::join_all(clients).await;
    let placed = started.elapsed();
    let expected = before + i64::try_from(each * CLIENTS).unwrap();
    while paid(&client).await < expected {
        assert!(started.elapsed() < PATIENCE, "{} of {expected} orders are paid", paid(&client).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (all, count) = (started.elapsed(), (each * CLIENTS) as f64);
    let program = Usage::of(server.process.id()).since(&usage.0) / count;
    let postgres = Usage::of_family(postmaster).since(&usage.1) / count;
    println!("\n| orders | /s | server ms | PG ms |\n|---|---|---|---|");
    println!("| pgbench, statements by hand | {reference:.0} | | |");
    println!("| created, and paid on the sandbox's page | {:.0} | | |", count / placed.as_secs_f64());
    println!("| until all webhooks are processed | {:.0} | {program:.2} | {postgres:.2} |", count / all.as_secs_f64());
}

/// Creates an order and pays for it.
async fn buy(addr: SocketAddr, token: &str) {
    let money = json!({ "amount": "19.90", "currency": "EUR" });
    let input = json!({
        "items": [{ "donation": money }],
        "billing": { "country": "DE", "currency": "EUR" },
        "expectedTotal": money,
    });
    let body = json!({ "query": CREATE, "variables": { "input": input } }).to_string();
    let answer: Value = serde_json::from_str(&load::once(addr, &load::post_as(&body, Some(token))).await).unwrap();
    let page = answer["data"]["createOrder"]["order"]["checkoutUrl"].as_str().unwrap_or_else(|| panic!("{answer:#}"));
    let path = page.split_once("/dev/").unwrap().1;
    let form = "action=pay";
    let request = format!(
        "POST /dev/{path} HTTP/1.1\r\nHost: {addr}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
        Content-Length: {}\r\n\r\n{form}",
        form.len()
    );
    load::once(addr, request.as_bytes()).await;
}
