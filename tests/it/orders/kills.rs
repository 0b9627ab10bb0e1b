//! Orders at Stripe while the server is killed at random points. What Stripe knows survives.

use std::sync::Mutex;

use chrono::Utc;
use lyceum::catalog::CourseId;
use rand::RngExt;

use super::fakes::stripe::{StripeFake, WEBHOOK_SECRET, signature};
use super::*;
use crate::support::killed::KilledSite;
use crate::support::process::Site;
use crate::support::rounds;

/// How often the server is killed; `make faults` has many times more.
const KILLS: usize = 20;
const BUYERS_PER_KILL: usize = 3;
/// One buyer of so many has a coupon.
const WITH_COUPON: usize = 3;

struct Storm {
    killed: KilledSite,
    fake: StripeFake,
    course: String,
    buyers: Vec<String>,
    admin: String,
    orders: Mutex<Vec<String>>,
    /// What Stripe has not been able to tell yet.
    told: Mutex<Vec<Value>>,
}

impl Storm {
    /// With a coupon that half of those can use who have it.
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
        let coupon = format!(
            "INSERT INTO coupons (id, code, percent, max_uses, created_at)
            VALUES (gen_random_uuid(), 'TEN', 10, {}, now()) RETURNING id",
            buyers / WITH_COUPON / 2
        );
        site.sql(&coupon).await;
        let killed = KilledSite::new(site);
        let buyers = killed.students(buyers).await.into_iter().map(|(_, token)| token).collect();
        let admin = killed.admin().await;
        Storm { killed, fake, course, buyers, admin, orders: Mutex::default(), told: Mutex::default() }
    }

    async fn act(&self) {
        let (buyer, step) = (rand::rng().random_range(0..self.buyers.len()), rand::rng().random_range(0..10));
        let order = {
            let orders = self.orders.lock().unwrap();
            (!orders.is_empty()).then(|| orders[rand::rng().random_range(0..orders.len())].clone())
        };
        match (step, order) {
            (0..=3, _) | (_, None) => {
                let has_coupon = buyer % WITH_COUPON == 0;
                let total = if has_coupon { "17.91" } else { "19.90" };
                let input = json!({
                    "items": [{ "courseId": self.course }],
                    "billing": { "country": "DE", "currency": "EUR" },
                    "couponCode": has_coupon.then_some("TEN"),
                    "expectedTotal": { "amount": total, "currency": "EUR" },
                    "idempotencyKey": format!("order-{buyer}"),
                });
                let made = self.killed.send(&self.buyers[buyer], "createOrder", "order { id }", input).await;
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
                self.killed.send(&self.admin, "cancelOrder", "order { id }", json!({ "orderId": order })).await;
            }
            (_, Some(order)) => {
                let input = json!({
                    "orderId": order,
                    "reason": "Random",
                    "amount": { "amount": "5", "currency": "EUR" },
                    "idempotencyKey": order,
                });
                self.killed.send(&self.admin, "refundOrder", "order { id }", input).await;
            }
        }
    }

    /// Delivers one event, or keeps it for later.
    async fn deliver(&self) {
        let Some(event) = self.told.lock().unwrap().pop() else { return };
        let body = event.to_string().into_bytes();
        let signature = signature(WEBHOOK_SECRET, &body, Utc::now());
        let url = self.killed.url("/webhooks/stripe");
        let sent = self.killed.client.post(url).header("stripe-signature", signature).body(body).send().await;
        if !sent.is_ok_and(|answer| answer.status() == 200) {
            self.told.lock().unwrap().insert(0, event);
        }
    }

    /// Lets time pass for all that waits: events to tell, leases of servers that were killed, retries, and questions.
    async fn nudge(&self) {
        while !self.told.lock().unwrap().is_empty() {
            self.deliver().await;
        }
        let due = "WITH due AS (UPDATE jobs SET run_at = least(run_at, now()),
                leased_until = CASE WHEN run_at > now() THEN NULL ELSE leased_until END
                WHERE dead_at IS NULL AND handler LIKE 'orders.%'),
             open AS (UPDATE payments SET check_at = now() WHERE check_at IS NOT NULL)
             INSERT INTO jobs (id, handler, payload, dedupe_key, created_at, run_at)
             VALUES (gen_random_uuid(), 'orders.reconcile', '{}', gen_random_uuid()::text, now(), now()) RETURNING id";
        self.killed.site.sql(due).await;
    }

    /// What contradicts what Stripe knows, or the rest; empty if all agrees.
    async fn wrong(&self) -> String {
        let rows =
            "SELECT coalesce(string_agg(concat_ws(' ', status, payments.id, refunded, entitled, total_minor), ','), '')
            FROM orders JOIN payments ON order_id = orders.id CROSS JOIN LATERAL (
                SELECT sum(refunded_minor) AS refunded,
                    (SELECT count(*) FROM entitlements WHERE ended_at IS NULL AND id = ANY (array_agg(entitlement_id)))
                        AS entitled
                FROM order_items WHERE order_items.order_id = orders.id) items";
        let rows = self.killed.site.sql(rows).await;
        let (sessions, refunds) = (self.fake.sessions(), self.fake.refunds());
        let mut wrong = Vec::new();
        for row in rows.split(',').filter(|row| !row.is_empty()) {
            let [status, payment, refunded, entitled, total] = row.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{row}")
            };
            let total: i64 = total.parse().unwrap();
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
                (true, "PAID" | "PARTIALLY_REFUNDED") => entitled == "1" && returned < total,
                (true, "REFUNDED" | "CANCELED") => entitled == "0" && returned == total,
                (false, "PENDING") => entitled == "0" && of("status") == "open",
                (false, "CANCELED") => entitled == "0" && of("status") != "open",
                _ => false,
            };
            if !is_right || refunded != returned.to_string() {
                wrong.push(format!("{row}: {} {} {returned}", of("status"), of("payment_status")));
            }
        }
        wrong.push(self.killed.wrong("", &[]).await);
        wrong.retain(|what| !what.is_empty());
        wrong.join("\n")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whenever_the_server_is_killed_each_order_is_charged_once_and_gives_access_if_it_is_paid() {
    let kills = rounds(KILLS);
    let storm = Storm::new(kills * BUYERS_PER_KILL).await;
    let node = storm.killed.serve().await;
    let node = storm.killed.storm(node, kills, async || storm.act().await).await;
    storm.killed.calm(&node, async || storm.nudge().await, async || storm.wrong().await).await;
    for (what, of) in [
        ("something was bought", "orders WHERE status = 'PAID'"),
        ("and refunded", "invoices WHERE refund_id IS NOT NULL"),
        ("and bought with the coupon", "orders WHERE coupon_id IS NOT NULL AND paid_at IS NOT NULL"),
    ] {
        assert_ne!(storm.killed.site.sql(&format!("SELECT count(*) FROM {of}")).await, "0", "{what}");
    }
}
