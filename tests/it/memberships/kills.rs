//! Memberships in the sandbox while the server is killed at random points. What the sandbox knows survives, as at a
//! provider: it is written in transactions of its own.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use lyceum::accounts::UserId;
use lyceum::memberships::MembershipId;
use rand::RngExt;
use tokio::time::{sleep, timeout};

use super::*;
use crate::support::process::{Node, Site};
use crate::support::{eventually, rounds};

/// How often the server is killed; `make faults` has ten times more.
const KILLS: usize = 10;
const MEMBERS_PER_KILL: usize = 3;
/// How many members and others act at the same time.
const ACTORS: usize = 3;

/// Makes an active membership due, as if its period were over: all of its times are earlier by what is left of it.
const PASS: &str = "WITH due AS (
        SELECT id, period_ends_at - now() AS early FROM memberships
        WHERE status = 'ACTIVE' AND billing_at > now() AND period_ends_at > now() ORDER BY random() LIMIT 1 FOR UPDATE),
    moved AS (
        UPDATE membership_periods SET starts_at = starts_at - early, ends_at = ends_at - early
        FROM due WHERE membership_id = due.id AND starts_at IS NOT NULL)
    UPDATE memberships SET period_starts_at = period_starts_at - early, period_ends_at = period_ends_at - early,
        anchor_at = anchor_at - early, billing_at = billing_at - early
    FROM due WHERE memberships.id = due.id RETURNING memberships.id";
/// What contradicts the rest, whatever has happened.
const WRONG: [(&str, &str); 16] = [
    ("a due period is not charged", "FROM memberships WHERE billing_at <= now()"),
    (
        "a membership is never charged again",
        "FROM memberships WHERE status IN ('TRIALING', 'ACTIVE') AND billing_at IS NULL AND NOT EXISTS
            (SELECT FROM membership_periods WHERE membership_id = memberships.id AND state = 'OPEN')",
    ),
    ("a canceled membership goes on", "FROM memberships WHERE status = 'CANCELED' AND period_ends_at <= now()"),
    (
        "a user has two live memberships",
        "FROM (SELECT user_id FROM memberships WHERE status <> 'EXPIRED' GROUP BY user_id, kind
            HAVING count(*) > 1) two",
    ),
    (
        "a period was charged twice",
        "FROM (SELECT membership_id FROM membership_periods WHERE state = 'PAID' GROUP BY membership_id, number
            HAVING count(*) > 1) twice",
    ),
    (
        "a period was left out",
        "FROM memberships WHERE period <>
            (SELECT count(*) FROM membership_periods WHERE membership_id = memberships.id AND state = 'PAID')",
    ),
    ("a period has no order", "FROM periods WHERE status IS NULL"),
    ("a paid period has no paid order", "FROM periods WHERE state = 'PAID' AND status <> 'PAID'"),
    ("a paid order has no paid period", "FROM periods WHERE status = 'PAID' AND state <> 'PAID'"),
    ("an open period waits for nothing", "FROM periods WHERE state = 'OPEN' AND status <> 'PENDING'"),
    (
        "a paid order was not charged, or not as much",
        "FROM charged WHERE status = 'PAID' AND total_minor > 0
            AND (state IS DISTINCT FROM 'PAID' OR amount_minor <> total_minor OR refunded_minor <> 0)",
    ),
    (
        "money was kept without an order",
        "FROM charged WHERE status <> 'PAID' AND state = 'PAID' AND refunded_minor < amount_minor",
    ),
    (
        "access and membership differ",
        "FROM users WHERE
            EXISTS (SELECT FROM memberships WHERE user_id = users.id AND (status IN ('TRIALING', 'ACTIVE', 'PAST_DUE')
                OR status = 'CANCELED' AND period_ends_at > now()))
            <> EXISTS (SELECT FROM entitlements WHERE user_id = users.id AND source = 'MEMBERSHIP'
                AND ended_at IS NULL AND expires_at > now())",
    ),
    (
        "the books are not balanced",
        "FROM (SELECT transaction_id FROM ledger_entries GROUP BY transaction_id, currency
            HAVING sum(amount_minor) <> 0) entries",
    ),
    (
        "a paid order is not in the books, or has no invoice",
        "FROM charged WHERE status = 'PAID' AND total_minor > 0 AND (
            NOT EXISTS (SELECT FROM ledger_transactions WHERE kind = 'PAYMENT' AND source_id = charged.id)
            OR NOT EXISTS (SELECT FROM invoices WHERE order_id = charged.id AND refund_id IS NULL))",
    ),
    (
        "the invoices have gaps",
        "FROM (SELECT series FROM invoices GROUP BY series HAVING count(*) <> max(number)) series",
    ),
];

struct Storm {
    site: Site,
    /// A month, a year, and a month of a better plan, with what they cost.
    prices: Vec<(String, &'static str)>,
    /// The ids of users, with a token each.
    members: Vec<(String, String)>,
    /// The server of now, which may be down.
    url: Mutex<String>,
    /// How many periods have become due.
    due: AtomicUsize,
    client: reqwest::Client,
}

impl Storm {
    async fn new(members: usize) -> (Storm, Node) {
        let site = Site::new().await.seed(1);
        let people = format!(
            "WITH made AS (INSERT INTO users (id, email, name, role, created_at, updated_at)
                SELECT gen_random_uuid(), 'member' || n || '@people.example', 'Member ' || n, 'STUDENT', now(), now()
                FROM generate_series(1, {members}) n RETURNING id),
             signed_in AS (INSERT INTO sessions
                (id, user_id, user_agent, created_at, last_used_at, expires_at, authenticated_at)
                SELECT '00000000-0000-0000-0000-000000000000', id, '', now(), now(), 'infinity', now()
                FROM made LIMIT 1)
             SELECT string_agg(id::text, ' ') FROM made"
        );
        let people = site.sql(&people).await;
        let admin = site.sql("SELECT id FROM users WHERE email = 'admin@lyceum.example'").await;
        let token = |id: &str, role| site.token(&UserId::new(id.parse().unwrap()).encode(), role);
        let members = people.split(' ').map(|id| (id.to_owned(), token(id, Role::Student))).collect();
        let admin = token(&admin, Role::Admin);
        let node = site.serve().await;
        let all = json!([price("10", "MONTH"), price("100", "YEAR")]);
        let all = made_plan(&node, &admin, "All", all).await;
        let more = made_plan(&node, &admin, "More", json!([price("20", "MONTH")])).await;
        let prices = vec![(month(&all), "10"), (price_of(&all, "YEAR"), "100"), (month(&more), "20")];
        let (url, due, client) = (Mutex::new(node.url.clone()), AtomicUsize::new(0), crate::support::http::client());
        (Storm { site, prices, members, url, due, client }, node)
    }

    /// Sends a mutation, whatever comes of it.
    async fn send(&self, token: &str, field: &str, input: Value) {
        let input_type = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
        let query =
            format!("mutation ($input: {input_type}!) {{ {field}(input: $input) {{ userErrors {{ code }} }} }}");
        let body = json!({ "query": query, "variables": { "input": input } });
        let url = format!("{}/graphql", self.url.lock().unwrap());
        let request = self.client.post(url).bearer_auth(token).json(&body).send();
        let Ok(Ok(answer)) = timeout(Duration::from_secs(5), request).await else { return };
        let Ok(answer) = answer.json::<Value>().await else { return };
        let code = &answer["errors"][0]["extensions"]["code"];
        assert!(code.is_null() || code == "UNAVAILABLE", "{field}: {answer:#}");
    }

    /// Does something on the page of one of the checkouts that `condition` selects, if there is one.
    async fn on_page(&self, condition: &str, action: &str) {
        let one = format!("SELECT id FROM sandbox_checkouts WHERE {condition} ORDER BY random() LIMIT 1");
        let id = self.site.sql(&one).await;
        if id.is_empty() {
            return;
        }
        let page = format!("{}/dev/checkout/{id}", self.url.lock().unwrap());
        let request = self.client.post(page).body(format!("action={action}"));
        let sent = request.header("content-type", "application/x-www-form-urlencoded").send();
        // The server may be gone; then nothing has happened, or it has and nobody knows.
        _ = timeout(Duration::from_secs(5), sent).await;
    }

    /// Has one of the members change or end a membership.
    async fn change(&self, field: &str, mut input: Value) {
        let one = "SELECT concat_ws(' ', id, user_id) FROM memberships WHERE status <> 'EXPIRED'
            ORDER BY random() LIMIT 1";
        let found = self.site.sql(one).await;
        let Some((membership, user)) = found.split_once(' ') else { return };
        let Some((_, token)) = self.members.iter().find(|(id, _)| id == user) else { return };
        input["membershipId"] = json!(MembershipId::new(membership.parse().unwrap()).encode());
        self.send(token, field, input).await;
    }

    async fn act(&self) {
        let any = |count: usize| rand::rng().random_range(0..count);
        let (price, total) = &self.prices[any(self.prices.len())];
        match any(14) {
            0..=2 => {
                let input = json!({
                    "items": [{ "planPriceId": price }],
                    "billing": { "country": "DE", "currency": "EUR" },
                    "expectedTotal": { "amount": total, "currency": "EUR" },
                });
                self.send(&self.members[any(self.members.len())].1, "createOrder", input).await;
            }
            3..=6 => {
                let action = ["pay", "pay", "pay-thrice", "pay-out-of-order", "fail"][any(5)];
                self.on_page("state = 'OPEN'", action).await;
            }
            7 => self.on_page("state = 'PAID'", ["decline-charges", "accept-charges"][any(2)]).await,
            8 | 9 => {
                if !self.site.sql(PASS).await.is_empty() {
                    self.due.fetch_add(1, Ordering::Relaxed);
                }
                self.ask_for("orders.renew").await;
            }
            10 => {
                let retry = "UPDATE memberships SET billing_at = now() WHERE status = 'PAST_DUE' AND billing_at > now()
                    RETURNING id";
                self.site.sql(retry).await;
                self.ask_for("orders.renew").await;
            }
            11 => {
                let when = ["NOW", "RENEWAL"][any(2)];
                self.change("changeMembership", json!({ "planPriceId": price, "when": when })).await;
            }
            12 => self.change("cancelMembership", json!({})).await,
            _ => self.change("resumeMembership", json!({})).await,
        }
    }

    async fn ask_for(&self, job: &str) {
        let insert = format!(
            "INSERT INTO jobs (id, handler, payload, dedupe_key, created_at, run_at) VALUES
                (gen_random_uuid(), '{job}', '{{}}', gen_random_uuid()::text, now(), now()) RETURNING id"
        );
        self.site.sql(&insert).await;
    }

    /// Lets time pass for all that waits: leases of servers that were killed, retries, and questions.
    async fn nudge(&self) {
        let due = "WITH due AS (UPDATE jobs SET run_at = least(run_at, now()),
                leased_until = CASE WHEN run_at > now() THEN NULL ELSE leased_until END
                WHERE dead_at IS NULL AND handler ~ '^(orders|memberships|sandbox)\\.'),
             open AS (UPDATE payments SET check_at = now() WHERE check_at IS NOT NULL) SELECT 1";
        self.site.sql(due).await;
        for job in ["orders.renew", "orders.reconcile", "memberships.expire"] {
            self.ask_for(job).await;
        }
    }

    /// What contradicts the rest; empty if all agrees.
    async fn wrong(&self) -> String {
        let parts = WRONG.iter().map(|(what, sql)| format!("SELECT '{what}' AS what, count(*) AS many {sql}"));
        let sql = format!(
            "WITH periods AS (
                SELECT period.state, orders.status FROM membership_periods AS period
                LEFT JOIN order_items ON membership_period_id = period.id LEFT JOIN orders ON orders.id = order_id),
             charged AS (
                SELECT orders.id, orders.status, orders.total_minor, gateway.state, gateway.amount_minor,
                    gateway.refunded_minor
                FROM orders JOIN payments ON order_id = orders.id
                LEFT JOIN sandbox_checkouts AS gateway ON reference = payments.id::text)
             SELECT coalesce(string_agg(concat_ws(': ', what, many), E'\\n'), '')
             FROM ({}) AS found WHERE many > 0",
            parts.collect::<Vec<_>>().join(" UNION ALL ")
        );
        self.site.sql(&sql).await
    }
}

/// Makes a plan for everything; returns it when it is for sale.
async fn made_plan(node: &Node, admin: &str, name: &str, prices: Value) -> Value {
    let create = "mutation ($input: CreatePlanInput!) { createPlan(input: $input) { plan { id } } }";
    let input = json!({ "kind": "ALL_ACCESS", "name": name, "prices": prices });
    let made = node.data(Some(admin), create, json!({ "input": input })).await;
    let seen = "query ($id: ID!) { node(id: $id) { ... on Plan { status prices { id interval } } } }";
    let id = json!({ "id": made["createPlan"]["plan"]["id"] });
    let mut plan = Value::Null;
    eventually("the plan is for sale", async || {
        plan = node.data(Some(admin), seen, id.clone()).await["node"].take();
        plan["status"] == "ACTIVE"
    })
    .await;
    plan
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whenever_the_server_is_killed_each_due_period_is_charged_once_and_members_have_access_while_it_is_paid() {
    let kills = rounds(KILLS);
    let (storm, mut node) = Storm::new(kills * MEMBERS_PER_KILL).await;
    let is_over = AtomicBool::new(false);
    let acting = futures_util::future::join_all((0..ACTORS).map(async |_| {
        while !is_over.load(Ordering::Relaxed) {
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
        is_over.store(true, Ordering::Relaxed);
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
    for _ in 0..60 {
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
    let renewed = "SELECT count(*) FROM membership_periods WHERE state = 'PAID' AND reason = 'RENEWAL'";
    let renewed: usize = storm.site.sql(renewed).await.parse().unwrap();
    let due = storm.due.load(Ordering::Relaxed);
    assert!(renewed <= due, "{renewed} periods were charged of {due} that were due");
    assert_ne!(renewed, 0, "something was renewed");
}
