//! A school whose server is killed at random points while users and others go on, and what may never come of that.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use lyceum::accounts::UserId;
use lyceum::platform::auth::Role;
use rand::RngExt;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::http;
use super::process::{Node, Site};

/// How many users and others act at the same time.
const ACTORS: usize = 3;

/// What contradicts the rest of the books, invoices and coupons, whatever was sold.
pub(crate) const WRONG: [(&str, &str); 6] = [
    (
        "the books are not balanced",
        "FROM (SELECT transaction_id FROM ledger_entries GROUP BY transaction_id, currency
            HAVING sum(amount_minor) <> 0) entries",
    ),
    (
        "a paid order is not in the books, or has no invoice",
        "FROM orders WHERE paid_at IS NOT NULL AND total_minor > 0 AND (
            NOT EXISTS (SELECT FROM ledger_transactions WHERE kind = 'PAYMENT' AND source_id = orders.id)
            OR NOT EXISTS (SELECT FROM invoices WHERE order_id = orders.id AND refund_id IS NULL))",
    ),
    (
        "an order that was never paid is in the books, or has an invoice",
        "FROM orders WHERE paid_at IS NULL AND (
            EXISTS (SELECT FROM ledger_transactions WHERE order_id = orders.id)
            OR EXISTS (SELECT FROM invoices WHERE order_id = orders.id))",
    ),
    (
        "a refund is not in the books, or has no credit note",
        "FROM refunds JOIN orders ON orders.id = order_id
            WHERE paid_at IS NOT NULL AND refunds.state = 'DONE' AND (
                NOT EXISTS (SELECT FROM ledger_transactions WHERE kind = 'REFUND' AND source_id = refunds.id)
                OR NOT EXISTS (SELECT FROM invoices WHERE refund_id = refunds.id))",
    ),
    (
        "the invoices have gaps",
        "FROM (SELECT series FROM invoices GROUP BY series HAVING count(*) <> max(number)) series",
    ),
    (
        "a coupon was used too often",
        "FROM coupons WHERE max_uses < (SELECT count(*) FROM orders WHERE coupon_id = coupons.id
            AND status IN ('PENDING', 'PAID', 'PARTIALLY_REFUNDED', 'REFUNDED'))",
    ),
];

pub(crate) struct KilledSite {
    pub(crate) site: Site,
    pub(crate) client: reqwest::Client,
    /// The server of now, which may be down.
    url: Mutex<String>,
}

impl KilledSite {
    pub(crate) fn new(site: Site) -> KilledSite {
        KilledSite { site, client: http::client(), url: Mutex::default() }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url.lock().unwrap())
    }

    pub(crate) async fn serve(&self) -> Node {
        let node = self.site.serve().await;
        *self.url.lock().unwrap() = node.url.clone();
        node
    }

    /// New students: the id and a token of each.
    pub(crate) async fn students(&self, count: usize) -> Vec<(String, String)> {
        let made = format!(
            "WITH made AS (INSERT INTO users (id, email, name, role, created_at, updated_at)
                SELECT gen_random_uuid(), 'buyer' || n || '@people.example', 'Buyer ' || n, 'STUDENT', now(), now()
                FROM generate_series(1, {count}) n RETURNING id),
             signed_in AS (INSERT INTO sessions
                (id, user_id, user_agent, created_at, last_used_at, expires_at, authenticated_at)
                SELECT '00000000-0000-0000-0000-000000000000', id, '', now(), now(), 'infinity', now()
                FROM made LIMIT 1)
             SELECT string_agg(id::text, ' ') FROM made"
        );
        let ids = self.site.sql(&made).await;
        ids.split(' ').map(|id| (id.to_owned(), self.token(id, Role::Student))).collect()
    }

    /// A token of the administrator.
    pub(crate) async fn admin(&self) -> String {
        let id = self.site.sql("SELECT id FROM users WHERE email = 'admin@lyceum.example'").await;
        self.token(&id, Role::Admin)
    }

    fn token(&self, id: &str, role: Role) -> String {
        self.site.token(&UserId::new(id.parse().unwrap()).encode(), role)
    }

    /// Sends a mutation; `None` if the server does not answer.
    pub(crate) async fn send(&self, token: &str, field: &str, selection: &str, input: Value) -> Option<Value> {
        let input_type = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
        let query = format!("mutation ($input: {input_type}!) {{ {field}(input: $input) {{ {selection} }} }}");
        let body = json!({ "query": query, "variables": { "input": input } });
        let request = self.client.post(self.url("/graphql")).bearer_auth(token).json(&body).send();
        let mut answer: Value = timeout(Duration::from_secs(5), request).await.ok()?.ok()?.json().await.ok()?;
        let code = &answer["errors"][0]["extensions"]["code"];
        assert!(code.is_null() || code == "UNAVAILABLE", "{field}: {answer:#}");
        Some(answer["data"][field].take())
    }

    /// Kills the server so many times, and starts it again, while `act` is done over and over; returns the one that is
    /// left.
    pub(crate) async fn storm(&self, mut node: Node, kills: usize, act: impl AsyncFn()) -> Node {
        let is_over = AtomicBool::new(false);
        let acting = join_all((0..ACTORS).map(async |_| {
            while !is_over.load(Ordering::Relaxed) {
                act().await;
                sleep(Duration::from_millis(5)).await;
            }
        }));
        let killing = async {
            for _ in 0..kills {
                sleep(Duration::from_millis(rand::rng().random_range(20..500))).await;
                node.kill();
                node = self.serve().await;
            }
            is_over.store(true, Ordering::Relaxed);
        };
        tokio::join!(acting, killing);
        // The last server is killed as well: what it had leased is done by the next one.
        node.kill();
        let freed =
            "WITH freed AS (UPDATE jobs SET leased_until = NULL, leased_by = NULL WHERE dead_at IS NULL) SELECT 1";
        self.site.sql(freed).await;
        self.serve().await
    }

    /// Lets time pass with `nudge` until nothing waits, and nothing is `wrong`.
    pub(crate) async fn calm(&self, node: &Node, nudge: impl AsyncFn(), wrong: impl AsyncFn() -> String) {
        let waiting = "SELECT concat_ws(' ', count(*), 'events wait') FROM payment_events WHERE state <> 'PROCESSED'
            HAVING count(*) > 0";
        let mut found = String::new();
        for _ in 0..60 {
            nudge().await;
            sleep(Duration::from_millis(200)).await;
            // What a nudge has begun may be half done.
            found = wrong().await + &self.site.sql(waiting).await;
            if found.is_empty() {
                break;
            }
        }
        assert_eq!(found, "", "{}", node.output());
        assert_eq!(self.site.sql("SELECT count(*) FROM jobs WHERE dead_at IS NOT NULL").await, "0");
    }

    /// What contradicts the rest in the books, invoices and coupons, or of `more`, which may use the tables of `with`;
    /// empty if all agrees.
    pub(crate) async fn wrong(&self, with: &str, more: &[(&str, &str)]) -> String {
        let all = WRONG.iter().chain(more);
        let parts = all.map(|(what, sql)| format!("SELECT '{what}' AS what, count(*) AS many {sql}"));
        let sql = format!(
            "{with} SELECT coalesce(string_agg(concat_ws(': ', what, many), E'\\n'), '')
             FROM ({}) AS found WHERE many > 0",
            parts.collect::<Vec<_>>().join(" UNION ALL ")
        );
        self.site.sql(&sql).await
    }
}
