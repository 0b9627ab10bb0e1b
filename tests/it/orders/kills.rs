//! Orders at Stripe while the server is killed at random points. What Stripe knows survives.

use std::sync::Mutex;
use std::time::Duration;

use chrono::Utc;
use lyceum::accounts::UserId;
use lyceum::catalog::CourseId;
use rand::RngExt;
use tokio::time::{sleep, timeout};

use super::fakes::stripe::{StripeFake, WEBHOOK_SECRET, signature};
use super::*;
use crate::support::process::Site;
use crate::support::{eventually, rounds};

/// How often the server is killed; `make faults` has many times more.
const KILLS: usize = 20;
const BUYERS_PER_KILL: usize = 3;
/// How many users and others act at the same time.
const ACTORS: usize = 3;

struct Storm {
    site: Site,
    fake: StripeFake,
    course: String,
    buyers: Vec<String>,
    admin: String,
    /// The server of now, which may be down.
    url: Mutex<String>,
    orders: Mutex<Vec<String>>,
    /// What Stripe has not been able to tell yet.
    told: Mutex<Vec<Value>>,
    client: reqwest::Client,
}

impl Storm {
    async fn new(buyers: usize) -> Storm {
        let fake = StripeFake::start().await;
        let mut site = Site::new().await;
        for (name, value) in fake.settings() {
            site = site.set(name, value);
        }
        let site = site.seed(1);
        let course = "UPDATE courses SET price_minor = 1990, currency = 'EUR' WHERE id =
            (SELECT id FROM courses WHERE published_at IS NOT NULL LIMIT 1) RETURNING id";
        let course = CourseId::new(site.sql(course).await.parse().unwrap()).encode();
        let people = format!(
            "WITH made AS (INSERT INTO users (id, email, name, role, created_at, updated_at)
                SELECT gen_random_uuid(), 'buyer' || n || '@people.example', 'Buyer ' || n, 'STUDENT', now(), now()
                FROM generate_series(1, {buyers}) n RETURNING id),
             signed_in AS (INSERT INTO sessions
                (id, user_id, user_agent, created_at, last_used_at, expires_at, authenticated_at)
                SELECT '00000000-0000-0000-0000-000000000000', id, '', now(), now(), 'infinity', now()
                FROM made LIMIT 1)
             SELECT string_agg(id::text, ' ') FROM made"
        );
        let people = site.sql(&people).await;
        let admin = site.sql("SELECT id FROM users WHERE email = 'admin@lyceum.example'").await;
        let token = |id: &str, role| site.token(&UserId::new(id.parse().unwrap()).encode(), role);
        let buyers = people.split(' ').map(|id| token(id, Role::Student)).collect();
        let admin = token(&admin, Role::Admin);
        let (orders, told, client) = (Mutex::default(), Mutex::default(), crate::support::http::client());
        Storm { fake, course, buyers, admin, url: Mutex::default(), orders, told, client, site }
    }

    /// Sends a mutation; `None` if the server does not answer.
    async fn send(&self, token: &str, field: &str, selection: &str, input: Value) -> Option<Value> {
        let input_type = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
        let query = format!("mutation ($input: {input_type}!) {{ {field}(input: $input) {{ {selection} }} }}");
        let body = json!({ "query": query, "variables": { "input": input } });
        let url = format!("{}/graphql", self.url.lock().unwrap());
        let request = self.client.post(url).bearer_auth(token).json(&body).send();
        let mut answer: Value = timeout(Duration::from_secs(5), request).await.ok()?.ok()?.json().await.ok()?;
        let code = &answer["errors"][0]["extensions"]["code"];
        assert!(code.is_null() || code == "UNAVAILABLE", "{answer:#}");
        Some(answer["data"][field].take())
    }

    async fn act(&self) {
        let (buyer, step) = (rand::rng().random_range(0..self.buyers.len()), rand::rng().random_range(0..10));
        let order = {
            let orders = self.orders.lock().unwrap();
            (!orders.is_empty()).then(|| orders[rand::rng().random_range(0..orders.len())].clone())
        };
        match (step, order) {
            (0..=3, _) | (_, None) => {
                let input = json!({
                    "items": [{ "courseId": self.course }],
                    "billing": { "country": "DE", "currency": "EUR" },
                    "expectedTotal": { "amount": "19.90", "currency": "EUR" },
                    "idempotencyKey": format!("order-{buyer}"),
                });
                let made = self.send(&self.buyers[buyer], "createOrder", "order { id }", input).await;
                let Some(id) = made.and_then(|made| Some(made["order"]["id"].as_str()?.to_owned())) else { return };
                let mut orders = self.orders.lock().unwrap();
                if !orders.contains(&id) {
                    orders.push(id);
                }
            }
            (4 | 5, _) => {
                let Some(event) = self.fake.pay_any() else { return };
                // Some are sent twice.
                let times = rand::rng().random_range(1..3);
                self.told.lock().unwrap().extend(std::iter::repeat_n(event, times));
            }
            (6 | 7, _) => self.deliver().await,
            (8, Some(order)) => {
                self.send(&self.admin, "cancelOrder", "order { id }", json!({ "orderId": order })).await;
            }
            (_, Some(order)) => {
                let input = json!({
                    "orderId": order,
                    "reason": "Random",
                    "amount": { "amount": "5", "currency": "EUR" },
                    "idempotencyKey": order,
                });
                self.send(&self.admin, "refundOrder", "order { id }", input).await;
            }
        }
    }

    /// Delivers one event, or keeps it for later.
    async fn deliver(&self) {
        let Some(event) = self.told.lock().unwrap().pop() else { return };
        let body = event.to_string().into_bytes();
        let signature = signature(WEBHOOK_SECRET, &body, Utc::now());
        let url = format!("{}/webhooks/stripe", self.url.lock().unwrap());
        let sent = self.client.post(url).header("stripe-signature", signature).body(body).send().await;
        if !sent.is_ok_and(|answer| answer.status() == 200) {
            self.told.lock().unwrap().insert(0, event);
        }
    }

    /// Lets time pass for all that waits: leases of servers that were killed, retries, and questions.
    async fn nudge(&self) {
        let due = "WITH due AS (UPDATE jobs SET run_at = least(run_at, now()),
                leased_until = CASE WHEN run_at > now() THEN NULL ELSE leased_until END
                WHERE dead_at IS NULL AND handler LIKE 'orders.%'),
             open AS (UPDATE payments SET check_at = now() WHERE check_at IS NOT NULL)
             INSERT INTO jobs (id, handler, payload, dedupe_key, created_at, run_at)
             VALUES (gen_random_uuid(), 'orders.reconcile', '{}', gen_random_uuid()::text, now(), now()) RETURNING id";
        self.site.sql(due).await;
    }

    /// What contradicts what Stripe knows; empty if all agrees.
    async fn wrong(&self) -> String {
        let rows = "SELECT coalesce(string_agg(concat_ws(' ', status, payments.id, refunded, entitled), ','), '')
            FROM orders JOIN payments ON order_id = orders.id CROSS JOIN LATERAL (
                SELECT sum(refunded_minor) AS refunded,
                    (SELECT count(*) FROM entitlements WHERE ended_at IS NULL AND id = ANY (array_agg(entitlement_id)))
                        AS entitled
                FROM order_items WHERE order_items.order_id = orders.id) items";
        let rows = self.site.sql(rows).await;
        let (sessions, refunds) = (self.fake.sessions(), self.fake.refunds());
        let mut wrong = Vec::new();
        for row in rows.split(',').filter(|row| !row.is_empty()) {
            let [status, payment, refunded, entitled] = row.split(' ').collect::<Vec<_>>()[..] else { panic!("{row}") };
            let own: Vec<&Value> =
                sessions.iter().filter(|session| session["client_reference_id"] == payment).collect();
            assert!(own.len() <= 1, "two checkouts of one payment");
            let of = |name: &str| own.first().map_or(Value::Null, |session| session[name].clone());
            let returned: i64 = refunds
                .iter()
                .filter(|refund| refund["payment_intent"] == of("payment_intent"))
                .filter_map(|refund| refund["amount"].as_i64())
                .sum();
            let is_right = match (of("payment_status") == "paid", status) {
                (true, "PAID" | "PARTIALLY_REFUNDED") => entitled == "1" && returned < 1990,
                (true, "REFUNDED" | "CANCELED") => entitled == "0" && returned == 1990,
                (false, "PENDING") => entitled == "0" && of("status") == "open",
                (false, "CANCELED") => entitled == "0" && of("status") != "open",
                _ => false,
            };
            if !is_right || refunded != returned.to_string() {
                wrong.push(format!("{row}: {} {} {returned}", of("status"), of("payment_status")));
            }
        }
        wrong.join("\n")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whenever_the_server_is_killed_each_order_is_charged_once_and_gives_access_if_it_is_paid() {
    let kills = rounds(KILLS);
    let storm = Storm::new(kills * BUYERS_PER_KILL).await;
    let mut node = storm.site.serve().await;
    *storm.url.lock().unwrap() = node.url.clone();
    let is_over = std::sync::atomic::AtomicBool::new(false);
    let acting = futures_util::future::join_all((0..ACTORS).map(async |_| {
        while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
            storm.act().await;
            sleep(Duration::from_millis(5)).await;
        }
    }));
    let killing = async {
        for _ in 0..kills {
            sleep(Duration::from_millis(rand::rng().random_range(20..500))).await;
            node.kill();
            node = storm.site.serve().await;
            *storm.url.lock().unwrap() = node.url.clone();
        }
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
    };
    tokio::join!(acting, killing);
    // The last server is killed as well: what it had leased is done by the next one.
    node.kill();
    storm
        .site
        .sql("WITH freed AS (UPDATE jobs SET leased_until = NULL, leased_by = NULL WHERE dead_at IS NULL) SELECT 1")
        .await;
    let node = storm.site.serve().await;
    *storm.url.lock().unwrap() = node.url.clone();
    let mut wrong = String::new();
    for _ in 0..40 {
        while !storm.told.lock().unwrap().is_empty() {
            storm.deliver().await;
        }
        storm.nudge().await;
        sleep(Duration::from_millis(200)).await;
        wrong = storm.wrong().await;
        if wrong.is_empty() {
            break;
        }
    }
    assert_eq!(wrong, "", "{}", node.output());
    eventually("nothing waits", async || {
        storm.nudge().await;
        let waiting = "SELECT count(*) FROM payment_events WHERE state <> 'PROCESSED'";
        storm.site.sql(waiting).await == "0"
    })
    .await;
    assert_eq!(storm.wrong().await, "");
    assert_eq!(storm.site.sql("SELECT count(*) FROM jobs WHERE dead_at IS NOT NULL").await, "0");
    assert_ne!(storm.site.sql("SELECT count(*) FROM orders WHERE status = 'PAID'").await, "0", "something was bought");
}
