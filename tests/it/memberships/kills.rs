//! Memberships in the sandbox while the server is killed at random points. What the sandbox knows survives, as at a
//! provider: it is written in transactions of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lyceum::memberships::MembershipId;
use rand::RngExt;
use tokio::time::timeout;

use super::*;
use crate::support::killed::KilledSite;
use crate::support::process::{Node, Site};
use crate::support::{eventually, rounds};

/// How often the server is killed; `make faults` has ten times more.
const KILLS: usize = 10;
const MEMBERS_PER_KILL: usize = 3;

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
const WRONG: [(&str, &str); 13] = [
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
];

struct Storm {
    killed: KilledSite,
    /// A month, a year, and a month of a better plan, with what they cost.
    prices: Vec<(String, &'static str)>,
    /// The ids of users, with a token each.
    members: Vec<(String, String)>,
    /// How many periods have become due.
    due: AtomicUsize,
}

impl Storm {
    async fn new(members: usize) -> (Storm, Node) {
        let killed = KilledSite::new(Site::new().await.seed(1));
        let (members, admin) = (killed.students(members).await, killed.admin().await);
        let node = killed.serve().await;
        let all = json!([price("10", "MONTH"), price("100", "YEAR")]);
        let all = made_plan(&node, &admin, "All", all).await;
        let more = made_plan(&node, &admin, "More", json!([price("20", "MONTH")])).await;
        let prices = vec![(month(&all), "10"), (price_of(&all, "YEAR"), "100"), (month(&more), "20")];
        (Storm { killed, prices, members, due: AtomicUsize::new(0) }, node)
    }

    /// Sends a mutation, whatever comes of it.
    async fn send(&self, token: &str, field: &str, input: Value) {
        self.killed.send(token, field, "userErrors { code }", input).await;
    }

    /// Does something on the page of one of the checkouts that `condition` selects, if there is one.
    async fn on_page(&self, condition: &str, action: &str) {
        let one = format!("SELECT id FROM sandbox_checkouts WHERE {condition} ORDER BY random() LIMIT 1");
        let id = self.killed.site.sql(&one).await;
        if id.is_empty() {
            return;
        }
        let page = self.killed.url(&format!("/dev/checkout/{id}"));
        let request = self.killed.client.post(page).body(format!("action={action}"));
        let sent = request.header("content-type", "application/x-www-form-urlencoded").send();
        // The server may be gone; then nothing has happened, or it has and nobody knows.
        _ = timeout(Duration::from_secs(5), sent).await;
    }

    /// Has one of the members change or end a membership.
    async fn change(&self, field: &str, mut input: Value) {
        let one = "SELECT concat_ws(' ', id, user_id) FROM memberships WHERE status <> 'EXPIRED'
            ORDER BY random() LIMIT 1";
        let found = self.killed.site.sql(one).await;
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
                if !self.killed.site.sql(PASS).await.is_empty() {
                    self.due.fetch_add(1, Ordering::Relaxed);
                }
                self.ask_for("orders.renew").await;
            }
            10 => {
                let retry = "UPDATE memberships SET billing_at = now() WHERE status = 'PAST_DUE' AND billing_at > now()
                    RETURNING id";
                self.killed.site.sql(retry).await;
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
        self.killed.site.sql(&insert).await;
    }

    /// Lets time pass for all that waits: leases of servers that were killed, retries, and questions.
    async fn nudge(&self) {
        let due = "WITH due AS (UPDATE jobs SET run_at = least(run_at, now()),
                leased_until = CASE WHEN run_at > now() THEN NULL ELSE leased_until END
                WHERE dead_at IS NULL AND handler ~ '^(orders|memberships|sandbox)\\.'),
             open AS (UPDATE payments SET check_at = now() WHERE check_at IS NOT NULL) SELECT 1";
        self.killed.site.sql(due).await;
        for job in ["orders.renew", "orders.reconcile", "memberships.expire"] {
            self.ask_for(job).await;
        }
    }

    /// What contradicts the rest; empty if all agrees.
    async fn wrong(&self) -> String {
        let with = "WITH periods AS (
                SELECT period.state, orders.status FROM membership_periods AS period
                LEFT JOIN order_items ON membership_period_id = period.id LEFT JOIN orders ON orders.id = order_id),
             charged AS (
                SELECT orders.id, orders.status, orders.total_minor, gateway.state, gateway.amount_minor,
                    gateway.refunded_minor
                FROM orders JOIN payments ON order_id = orders.id
                LEFT JOIN sandbox_checkouts AS gateway ON reference = payments.id::text)";
        self.killed.wrong(with, &WRONG).await
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
    let (storm, node) = Storm::new(kills * MEMBERS_PER_KILL).await;
    let node = storm.killed.storm(node, kills, async || storm.act().await).await;
    let renewed = async || -> usize {
        let renewed = "SELECT count(*) FROM membership_periods WHERE state = 'PAID' AND reason = 'RENEWAL'";
        storm.killed.site.sql(renewed).await.parse().unwrap()
    };
    // On a busy machine little happens between the kills.
    eventually("something is renewed", async || {
        storm.act().await;
        renewed().await > 0
    })
    .await;
    storm.killed.calm(&node, async || storm.nudge().await, async || storm.wrong().await).await;
    let renewed = renewed().await;
    let due = storm.due.load(Ordering::Relaxed);
    assert!(renewed <= due, "{renewed} periods were charged of {due} that were due");
}
