//! Random sequences of what members, a provider whose subscriptions renew themselves, the network and time do, and what
//! must be true after them.

mod at;

use std::collections::HashMap;

use chrono::{Months, TimeDelta};
use lyceum::graphql::Id;
use lyceum::orders::OrderId;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use self::at::{At, Event, Started};
use crate::memberships::{Club, price_of};
use crate::orders::fakes::paypal::PayPalFake;
use crate::orders::fakes::razorpay::{self, RazorpayFake};
use crate::orders::fakes::stripe::{self, StripeFake};
use crate::orders::fakes::{Fault, hmac};
use crate::support::app::User;
use crate::support::rounds;

const STEPS: usize = 40;

/// A club whose members pay at a provider.
struct Run {
    club: Club,
    at: At,
    random: StdRng,
    /// All courses for a month and for a year, and live classes of two plans, of which the first has a trial.
    prices: [(String, &'static str); 4],
    /// What was told and has not arrived, or arrives once more.
    kept: Vec<Event>,
    /// How often each subscription has charged, and failed to charge what is due.
    counts: HashMap<String, (u32, u32)>,
    log: Vec<String>,
}

impl Run {
    async fn open(at: At, seed: u64) -> Run {
        let club = Club::with(&at.settings()).await;
        let currency = at.market().1;
        let price = |amount: &str, interval: &str, days: i32| {
            let amount = json!({ "amount": amount, "currency": currency });
            json!({ "amount": amount, "interval": interval, "trialDays": days })
        };
        let hours = |name: &str, hours: &str, price: Value| {
            let prices = [price];
            json!({ "kind": "LIVE_CLASS", "name": name, "liveHoursPerMonth": hours, "prices": prices })
        };
        let both = [price("10", "MONTH", 0), price("100", "YEAR", 0)];
        let all = club.plan(json!({ "kind": "ALL_ACCESS", "name": "All", "prices": both })).await;
        let basic = club.plan(hours("Basic", "4", price("30", "MONTH", 7))).await;
        let premium = club.plan(hours("Premium", "8", price("50", "MONTH", 0))).await;
        let prices = [
            (price_of(&all, "MONTH"), "10"),
            (price_of(&all, "YEAR"), "100"),
            (price_of(&basic, "MONTH"), "30"),
            (price_of(&premium, "MONTH"), "50"),
        ];
        let (random, log) = (StdRng::seed_from_u64(seed), vec![format!("seed {seed}")]);
        Run { club, at, random, prices, kept: Vec::new(), counts: HashMap::new(), log }
    }

    async fn order(&self, user: &User, price: &str, total: &str) -> String {
        let (country, currency) = self.at.market();
        let mut input = self.club.order_input(price, total);
        input["billing"] = json!({ "country": country, "currency": currency });
        input["expectedTotal"]["currency"] = currency.into();
        self.club.code(user, "createOrder", input).await
    }

    /// Delivers what is told now, and lets what follows happen; returns whether it was accepted.
    async fn deliver(&self, event: &Event) -> bool {
        let (now, url) = (self.club.now(), &self.club.app.url);
        let post = |path: &str, body: &[u8]| self.club.app.client.post(format!("{url}{path}")).body(body.to_vec());
        let body = event.body.to_string().into_bytes();
        let request = match &self.at {
            At::Stripe(_) => {
                let signature = stripe::signature(stripe::WEBHOOK_SECRET, &body, now);
                post("/webhooks/stripe", &body).header("stripe-signature", signature)
            }
            At::Razorpay(_) => {
                let body = razorpay::event(&event.kind, event.body.clone(), now).to_string().into_bytes();
                let request = post("/webhooks/razorpay", &body).header("x-razorpay-event-id", event.id.as_str());
                request.header("x-razorpay-signature", hmac(razorpay::WEBHOOK_SECRET, &body))
            }
            At::Paypal(fake) => post("/webhooks/paypal", &body).headers(fake.headers(&body, now, "good")),
        };
        let answer = request.send().await;
        self.club.settle().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Something is told: it arrives, once or again later, or only later, or never.
    async fn tell(&mut self, event: Event) {
        let (is_sent, is_kept) = match self.random.random_range(0..8) {
            0..=3 => (true, false),
            4 => (true, true),
            5..=6 => (false, true),
            _ => (false, false),
        };
        let has_failed = is_sent && !self.deliver(&event).await;
        self.log.push(format!("  told: sent {is_sent}, failed {has_failed}, kept {is_kept}"));
        if is_kept || has_failed {
            self.kept.push(event);
        }
    }

    /// Subscribes, pays and renews once, as always.
    async fn begin(&mut self) {
        let sam = self.club.sam.clone();
        assert_eq!(self.order(&sam, &self.prices[0].0, "10").await, "");
        let page = self.club.app.sql("SELECT external_id FROM payments").await;
        let paid = self.at.pay(&page, self.club.now()).expect("an open page");
        assert!(self.deliver(&paid).await);
        let first = self.at.started().remove(0);
        self.club.app.app.clock.advance(first.starts_at - self.club.now() + TimeDelta::minutes(10));
        let charged = self.at.charge(first.place, self.club.now());
        self.counts.insert(first.id, (1, 0));
        assert!(self.deliver(&charged).await);
        self.club.pass(TimeDelta::zero()).await;
        let paid = "SELECT string_agg(reason, ',' ORDER BY number) FROM membership_periods WHERE state = 'PAID'";
        assert_eq!(self.club.app.sql(paid).await, "START,RENEWAL");
    }

    async fn step(&mut self) {
        let done = match self.random.random_range(0..20) {
            0..=2 => {
                let user = if self.random.random_bool(0.5) { self.club.sam.clone() } else { self.club.tim.clone() };
                let place = self.random.random_range(0..self.prices.len());
                let (price, mut total) = self.prices[place].clone();
                if total == "30" && self.random.random_bool(0.5) {
                    // The first time, it is a trial.
                    total = "0";
                }
                format!("order {total} {}", self.order(&user, &price, total).await)
            }
            3..=6 => {
                let (now, since) = (self.club.now(), self.club.now() - self.at.patience());
                let sql = format!(
                    "SELECT external_id FROM payments WHERE external_id IS NOT NULL AND state <> 'PAID' \
                     AND created_at > '{since}'"
                );
                let page = self.club.some(&mut self.random, &sql).await.unwrap_or_default();
                let told = self.at.pay(&page, now);
                self.log.push(format!("pay on {page:?}: {}", told.is_some()));
                if let Some(told) = told {
                    self.tell(told).await;
                }
                return;
            }
            7..=8 => {
                let place = self.random.random_range(0..self.prices.len());
                let price = self.prices[place].0.clone();
                self.club.random_change(&mut self.random, &price).await
            }
            9 => {
                let sql = "SELECT id::text FROM orders WHERE status IN ('PAID', 'PARTIALLY_REFUNDED')";
                let Some(id) = self.club.some(&mut self.random, sql).await else { return };
                let order: OrderId = Id::new(id.parse().unwrap());
                let mut input = json!({ "orderId": order.encode(), "reason": "Random" });
                if self.random.random_bool(0.5) {
                    input["amount"] = json!({ "amount": "1.37", "currency": self.at.market().1 });
                }
                let root = self.club.root.clone();
                format!("refund {id} {}", self.club.code(&root, "refundOrder", input).await)
            }
            10 => {
                let started = self.at.started();
                let one = &started[self.random.random_range(0..started.len())];
                // One that is over stays so, which is told again.
                let by_buyer = one.is_over || self.random.random_bool(0.7);
                self.log.push(format!("{} ends, by its buyer: {by_buyer}", one.id));
                let told = self.at.end(one.place, by_buyer);
                self.tell(told).await;
                return;
            }
            11 => {
                let (fault, times) = match self.random.random_range(0..12) {
                    0 => (Fault::Hangs, 1),
                    1..=2 => (Fault::Refused(429), 1),
                    3..=6 => (Fault::Refused(500), self.random.random_range(1..7)),
                    _ => (Fault::AnswerLost(503), self.random.random_range(1..7)),
                };
                for _ in 0..times {
                    self.at.wire().fail("", fault);
                }
                format!("{fault:?} {times} times")
            }
            12..=13 if !self.kept.is_empty() => {
                let place = self.random.random_range(0..self.kept.len());
                let event = self.kept.swap_remove(place);
                self.log.push("what was kept:".into());
                self.tell(event).await;
                return;
            }
            _ => {
                let time = TimeDelta::hours(self.random.random_range(1..24 * 9));
                self.pass(time).await;
                return;
            }
        };
        self.log.push(done);
    }

    /// Time passes, the provider charges what is due, and then nothing is due here.
    async fn pass(&mut self, time: TimeDelta) {
        self.log.push(format!("{} hours pass", time.num_hours()));
        if time > TimeDelta::days(1) {
            // No trouble lasts as long: what was to be done in it was done meanwhile.
            self.at.wire().calm();
        }
        self.club.app.app.clock.advance(time);
        self.provide().await;
        self.sweep().await;
    }

    async fn provide(&mut self) {
        let now = self.club.now();
        for place in 0..self.at.started().len() {
            // As it is by now.
            let Started { place, id, starts_at, months, runs, .. } = self.at.started().remove(place);
            let (charges, failures) = *self.counts.entry(id.clone()).or_default();
            if !runs || starts_at + Months::new(months * charges) > now {
                continue;
            }
            let (what, told, counts) = match self.random.random_range(0..10) {
                0..=6 => ("charges", self.at.charge(place, now), (charges + 1, 0)),
                7..=8 if failures < 3 => ("fails", self.at.fail(place, now), (charges, failures + 1)),
                _ => ("stops", self.at.end(place, false), (charges, failures)),
            };
            self.log.push(format!("  {id} {what}"));
            self.counts.insert(id, counts);
            self.tell(told).await;
        }
    }

    /// What is due is done, and what becomes due by that.
    async fn sweep(&mut self) {
        self.club.pass(TimeDelta::zero()).await;
        self.club.sweep().await;
        self.club.check(&self.log).await;
    }

    /// The trouble is over; what was kept arrives, in whatever order.
    async fn finish(&mut self) {
        self.at.wire().calm();
        while !self.kept.is_empty() {
            let place = self.random.random_range(0..self.kept.len());
            let event = self.kept.swap_remove(place);
            assert!(self.deliver(&event).await, "{}\n{}", event.body, self.log.join("\n"));
        }
        for _ in 0..4 {
            self.club.app.app.clock.advance(TimeDelta::hours(13));
            self.sweep().await;
        }
    }

    async fn agrees(&self) {
        let returned = self.at.returned();
        let rows = self.at.taken().into_iter().map(|(id, cents, currency)| {
            format!("('{id}', {cents}::bigint, '{currency}', {}::bigint)", returned.get(&id).unwrap_or(&0))
        });
        let rows = rows.collect::<Vec<String>>().join(", ");
        // The money as the provider has it, and as it is known here.
        let both = format!(
            "FROM (VALUES {rows}) AS gateway (id, amount, money, returned) FULL JOIN \
             (SELECT payments.transaction_id, payments.amount_minor, payments.currency, orders.status, \
                 orders.refunded_minor, period.state AS period \
              FROM payments JOIN orders ON orders.id = payments.order_id \
              LEFT JOIN order_items ON order_items.order_id = orders.id \
              LEFT JOIN membership_periods AS period ON period.id = order_items.membership_period_id \
              WHERE payments.state = 'PAID') AS own ON own.transaction_id = gateway.id"
        );
        let paid = "orders.status IN ('PAID', 'PARTIALLY_REFUNDED')";
        let of_orders = "FROM orders JOIN order_items ON order_items.order_id = orders.id \
            JOIN membership_periods AS period ON period.id = order_items.membership_period_id";
        for (what, sql) in [
            ("money was taken that is not known", format!("{both} WHERE own.transaction_id IS NULL")),
            ("what is paid was not charged", format!("{both} WHERE gateway.id IS NULL")),
            (
                "something else was charged",
                format!("{both} WHERE (own.amount_minor, own.currency) IS DISTINCT FROM (amount, money)"),
            ),
            ("the refunds differ", format!("{both} WHERE own.refunded_minor IS DISTINCT FROM returned")),
            (
                "money was kept for nothing",
                format!(
                    "{both} WHERE returned < amount AND (own.period IS DISTINCT FROM 'PAID' \
                     OR own.status NOT IN ('PAID', 'PARTIALLY_REFUNDED'))"
                ),
            ),
            (
                "a period is paid without money",
                format!(
                    "{of_orders} WHERE period.state = 'PAID' AND {paid} AND total_minor > 0 AND NOT EXISTS \
                     (SELECT FROM payments WHERE payments.order_id = orders.id AND payments.state = 'PAID')"
                ),
            ),
            (
                "a period was ordered and paid twice",
                format!("FROM (SELECT period.id {of_orders} WHERE {paid} GROUP BY 1 HAVING count(*) > 1) AS twice"),
            ),
            (
                "a user has two memberships for the same",
                "FROM (SELECT user_id FROM memberships WHERE status <> 'EXPIRED' \
                 GROUP BY user_id, kind, course_id, category_id HAVING count(*) > 1) AS twice"
                    .into(),
            ),
            (
                "a transaction of the ledger is uneven",
                "FROM (SELECT transaction_id FROM ledger_entries GROUP BY transaction_id, currency \
                 HAVING sum(amount_minor) <> 0) AS uneven"
                    .into(),
            ),
            ("a refund was not made", "FROM refunds WHERE state <> 'DONE'".into()),
            ("a job is dead", "FROM jobs WHERE dead_at IS NOT NULL".into()),
        ] {
            self.club.wrong(what, &sql, &self.log).await;
        }
        for Started { id, .. } in self.at.started().into_iter().filter(|started| !started.is_over) {
            let sql = format!(
                "SELECT count(*) FROM memberships WHERE subscription_id = '{id}' AND status IN ('ACTIVE', 'PAST_DUE')"
            );
            let own = self.club.app.sql(&sql).await;
            assert_eq!(own, "1", "{id} goes on for no membership\n{}", self.log.join("\n"));
        }
    }
}

/// Does random things at a provider, and checks what must be true.
async fn check(start: impl AsyncFn() -> At) {
    for _ in 0..rounds(1) {
        let mut run = Run::open(start().await, rand::random()).await;
        run.begin().await;
        for _ in 0..STEPS {
            run.step().await;
        }
        run.finish().await;
        run.agrees().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_members_are_charged_by_stripe_for_what_they_have() {
    check(async || At::Stripe(StripeFake::start().await)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_members_are_charged_by_razorpay_for_what_they_have() {
    check(async || At::Razorpay(RazorpayFake::start().await)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_members_are_charged_by_paypal_for_what_they_have() {
    check(async || At::Paypal(PayPalFake::start().await)).await;
}
