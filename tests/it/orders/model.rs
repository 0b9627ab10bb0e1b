//! Random sequences of what users, the provider and the network do, and what must be true at the end.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::support::killed::WRONG;
use crate::support::rounds;

const STEPS: usize = 60;

impl Shop {
    /// The number and the id of one of the orders for which a condition holds, if there is one.
    pub(super) async fn some_order(&self, random: &mut StdRng, condition: &str) -> Option<Value> {
        let sql = format!(
            "SELECT coalesce(string_agg(concat_ws(' ', number, id), ',' ORDER BY number), '') FROM orders WHERE {condition}"
        );
        let found = self.app.sql(&sql).await;
        let found: Vec<&str> = found.split(',').filter(|row| !row.is_empty()).collect();
        if found.is_empty() {
            return None;
        }
        let (number, id) = found[random.random_range(0..found.len())].split_once(' ').unwrap();
        let id: lyceum::orders::OrderId = lyceum::graphql::Id::new(id.parse().unwrap());
        Some(json!({ "number": number, "id": id.encode() }))
    }

    async fn random_step(&self, random: &mut StdRng, users: &[User]) -> String {
        let user = &users[random.random_range(0..users.len())];
        match random.random_range(0..20) {
            0..=5 => {
                let (courses, total): (Vec<&Course>, &str) = match random.random_range(0..3) {
                    0 => (vec![&self.course], "19.90"),
                    1 => (vec![&self.other], "5"),
                    _ => (vec![&self.course, &self.other], "24.90"),
                };
                format!("order {}", self.code(Some(user), "createOrder", self.input(&courses, total)).await)
            }
            6..=11 => {
                let actions = ["pay", "pay", "pay-late", "pay-thrice", "pay-out-of-order", "fail", "refund"];
                let action = actions[random.random_range(0..actions.len())];
                // Also for orders that have ended; those without a checkout have nothing to act on.
                let opened = "id IN (SELECT order_id FROM payments WHERE external_id IS NOT NULL)";
                let Some(order) = self.some_order(random, opened).await else { return "nothing".into() };
                self.only_act(&order, action).await;
                format!("{action} {}", order["number"])
            }
            12 => {
                let Some(order) = self.some_order(random, "status = 'PENDING'").await else { return "nothing".into() };
                self.code(Some(&self.root), "cancelOrder", json!({ "orderId": order["id"] })).await;
                format!("cancel {}", order["number"])
            }
            13 => {
                let paid = "status IN ('PAID', 'PARTIALLY_REFUNDED')";
                let Some(order) = self.some_order(random, paid).await else { return "nothing".into() };
                let mut input = json!({ "orderId": order["id"], "reason": "Random" });
                if random.random_bool(0.5) {
                    input["amount"] = json!({ "amount": "1.37", "currency": "EUR" });
                }
                format!("refund {} {}", order["number"], self.code(Some(&self.root), "refundOrder", input).await)
            }
            14 => {
                let troubles = [Trouble::None, Trouble::None, Trouble::Away, Trouble::AnswersLost];
                let trouble = troubles[random.random_range(0..troubles.len())];
                self.sandbox().set_trouble(trouble);
                format!("{trouble:?}")
            }
            15 => {
                self.app.app.clock.advance(TimeDelta::seconds(random.random_range(5..2400)));
                self.sweep().await;
                "time passes".into()
            }
            16 => {
                // A webhook is lost for good.
                self.app
                    .sql("DELETE FROM jobs WHERE handler = 'sandbox.send' AND payload::text LIKE '%checkout.paid%'")
                    .await;
                "a webhook is lost".into()
            }
            _ => {
                self.app.settle().await;
                "settle".into()
            }
        }
    }

    pub(super) async fn sweep(&self) {
        for job in ["orders.reconcile", "orders.expire", "orders.remind"] {
            self.app.run(job).await;
        }
    }

    /// Panics with the rows that `sql` selects, which contradict what must be true, and with what was done.
    pub(super) async fn wrong(&self, what: &str, sql: &str, log: &[String]) {
        let found = self.app.sql(&format!("SELECT coalesce(jsonb_agg(found)::text, '') FROM ({sql}) found")).await;
        assert!(found.is_empty(), "{what}\n{}\n{found}", log.join("\n"));
    }

    /// Panics if an order, a refund or a job has not come to its end, or if something contradicts the books, invoices
    /// and coupons.
    pub(super) async fn check_books(&self, log: &[String]) {
        let sums = "FROM orders JOIN (SELECT order_id, sum(amount_minor) AS amount, \
            sum(refunded_minor) AS refunded FROM order_items GROUP BY 1) items ON order_id = orders.id \
            WHERE amount <> total_minor OR refunded <> refunded_minor";
        let own = [
            ("an order is still open", "FROM orders WHERE status = 'PENDING'"),
            ("a refund was not sent", "FROM refunds WHERE state = 'PENDING'"),
            ("a job is dead", "FROM jobs WHERE dead_at IS NOT NULL"),
            ("an order is not the sum of its items", sums),
        ];
        for (what, from) in own.into_iter().chain(WRONG) {
            self.wrong(what, &format!("SELECT * {from}"), log).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_money_and_access_agree_in_the_end() {
    for _ in 0..rounds(2) {
        let seed: u64 = rand::random();
        let mut random = StdRng::seed_from_u64(seed);
        let shop = Shop::with(&[("LYCEUM_ORDER_MINUTES", "120")]).await;
        let users = [shop.sam.clone(), shop.tim.clone(), shop.app.user("Eve", Role::Student).await];
        let mut log = vec![format!("seed {seed}")];
        for _ in 0..STEPS {
            log.push(shop.random_step(&mut random, &users).await);
        }
        shop.sandbox().set_trouble(Trouble::None);
        // More rounds than a quiet machine needs: where a webhook takes too long to be answered, it is sent again later.
        for _ in 0..6 {
            shop.app.app.clock.advance(TimeDelta::hours(3));
            shop.sweep().await;
            shop.settle().await;
        }
        let both = "FROM orders JOIN payments ON order_id = orders.id \
            LEFT JOIN sandbox_checkouts AS gateway ON reference = payments.id::text";
        let rows = "orders.*, payments, gateway, \
            ARRAY(SELECT refunds FROM refunds WHERE refunds.order_id = orders.id) AS refunds, \
            ARRAY(SELECT told FROM payment_events told WHERE strpos(told::text, gateway.id::text) > 0) AS told, \
            ARRAY(SELECT jobs FROM jobs WHERE handler ~ '^(orders|sandbox)') AS jobs";
        let paid = "orders.status IN ('PAID', 'PARTIALLY_REFUNDED', 'REFUNDED')";
        for (what, condition) in [
            ("a paid order was not charged", format!("{paid} AND gateway.state IS DISTINCT FROM 'PAID'")),
            (
                "money was kept without an order",
                format!("NOT {paid} AND gateway.state = 'PAID' AND gateway.refunded_minor < gateway.amount_minor"),
            ),
            ("the refunds differ", "orders.refunded_minor <> coalesce(gateway.refunded_minor, 0)".into()),
            ("an order is still open", "orders.status = 'PENDING'".into()),
            ("a payment of a paid order is not paid", format!("{paid} AND payments.state <> 'PAID'")),
        ] {
            shop.wrong(what, &format!("SELECT {rows} {both} WHERE {condition}"), &log).await;
        }
        shop.check_books(&log).await;
        for user in &users {
            for course in [&shop.course, &shop.other] {
                let bought = format!(
                    "SELECT count(*) FROM order_items JOIN orders ON orders.id = order_id JOIN users ON users.id = \
                     orders.buyer_id JOIN courses ON courses.id = course_id WHERE slug = '{}' AND {paid} AND \
                     order_items.refunded_minor < amount_minor AND users.id = '{}'",
                    course.slug,
                    user.id.parse::<lyceum::accounts::UserId>().unwrap().uuid(),
                );
                let bought = shop.app.sql(&bought).await;
                assert!(["0", "1"].contains(&&*bought), "bought twice: {}", log.join("\n"));
                assert_eq!(shop.has(user, course).await, bought == "1", "{} {}", course.slug, log.join("\n"));
            }
        }
    }
}
