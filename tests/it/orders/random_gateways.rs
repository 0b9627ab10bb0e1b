//! Random sequences of what buyers, administrators, banks and the network do with orders at Stripe, Razorpay and
//! PayPal, against fakes of their APIs, and what must be true at the end by what the provider knows.

mod gateway;

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use self::gateway::{Checkout, Gateway};
use super::fakes::Fault;
use super::fakes::paypal::PayPalFake;
use super::fakes::razorpay::RazorpayFake;
use super::fakes::stripe::StripeFake;
use super::*;
use crate::support::rounds;

const STEPS: usize = 50;
/// How often the coupon can be used.
const COUPON_USES: i32 = 3;
const FAULTS: [Fault; 8] = [
    Fault::Refused(500),
    Fault::Refused(503),
    Fault::Refused(429),
    Fault::AnswerLost(500),
    Fault::AnswerLost(504),
    Fault::Cut,
    Fault::Late,
    Fault::Hangs,
];

fn any<T: Copy>(random: &mut StdRng, all: &[T]) -> Option<T> {
    if all.is_empty() { None } else { Some(all[random.random_range(0..all.len())]) }
}

struct Run {
    shop: Shop,
    gateway: Gateway,
    random: StdRng,
    users: Vec<User>,
    /// The events that are delivered later.
    kept: Vec<Value>,
    /// The provider's ids of captures and refunds of which there was an event.
    told: HashSet<String>,
    /// Whether the dispute of a checkout's payment is won; `None` while it is open.
    disputes: BTreeMap<usize, Option<bool>>,
    log: Vec<String>,
}

impl Run {
    async fn new(gateway: Gateway) -> Run {
        let seed: u64 = rand::random();
        // A panic of a step or of a fake has no log.
        println!("{} with the seed {seed}", gateway.name());
        let mut settings = gateway.settings();
        settings.push(("LYCEUM_ORDER_MINUTES", "120"));
        let shop = Shop::with(&settings).await;
        let (_, currency, [(first, _), (other, _), _]) = gateway.market();
        shop.price(&shop.course, first, currency).await;
        shop.price(&shop.other, other, currency).await;
        shop.coupon("TEN", json!({ "percent": 10, "maxUses": COUPON_USES })).await;
        let mut users = vec![shop.sam.clone(), shop.tim.clone()];
        for name in ["Eve", "Bob"] {
            users.push(shop.app.user(name, Role::Student).await);
        }
        let log = vec![format!("{} with the seed {seed}", gateway.name())];
        let (kept, told, disputes) = (Vec::new(), HashSet::new(), BTreeMap::new());
        Run { shop, gateway, random: StdRng::seed_from_u64(seed), users, kept, told, disputes, log }
    }

    fn now(&self) -> DateTime<Utc> {
        self.shop.app.app.clock.now()
    }

    /// Delivers an event; returns whether it was accepted.
    async fn deliver(&self, event: &Value) -> bool {
        let body = event.to_string().into_bytes();
        let url = format!("{}/webhooks/{}", self.shop.app.url, self.gateway.name().to_lowercase());
        let request = self.gateway.sign(self.shop.app.client.post(url), &body, self.now());
        request.body(body).send().await.unwrap().status().is_success()
    }

    /// What the network makes of an event.
    async fn tell(&mut self, event: Value, may_be_lost: bool) -> &'static str {
        let times: usize = match self.random.random_range(0..10) {
            0..=3 => 1,
            4 => self.random.random_range(2..4),
            5 if may_be_lost => return "lost",
            _ => 0,
        };
        for _ in 0..times {
            if !self.deliver(&event).await {
                self.kept.push(event);
                return "not accepted";
            }
        }
        if times == 0 {
            self.kept.push(event);
        }
        ["kept", "told", "told twice", "told thrice"][times]
    }

    /// An open checkout to which its buyer was led, also one of an order that has ended.
    async fn open_checkout(&mut self) -> Option<usize> {
        let known = "SELECT coalesce(string_agg(id::text, ','), '') FROM payments WHERE external_id IS NOT NULL";
        let known = self.shop.app.sql(known).await;
        let checkouts = self.gateway.checkouts();
        let is_payable = |place: &usize| checkouts[*place].is_open && known.contains(&checkouts[*place].reference);
        let places: Vec<usize> = (0..checkouts.len()).filter(is_payable).collect();
        any(&mut self.random, &places)
    }

    /// A payment without a dispute of which money is left, and how much.
    fn charged(&mut self) -> Option<(usize, i64)> {
        let checkouts = self.gateway.checkouts();
        let left = checkouts.iter().map(|checkout| checkout.charged - checkout.returned).enumerate();
        let left: Vec<_> = left.filter(|(place, left)| *left > 0 && !self.disputes.contains_key(place)).collect();
        any(&mut self.random, &left)
    }

    async fn order(&mut self) -> String {
        let user = &self.users[self.random.random_range(0..self.users.len())];
        let (what, has_coupon) = (self.random.random_range(0..3_usize), self.random.random_bool(0.3));
        let courses = match what {
            0 => vec![&self.shop.course],
            1 => vec![&self.shop.other],
            _ => vec![&self.shop.course, &self.shop.other],
        };
        let (country, currency, totals) = self.gateway.market();
        let (whole, reduced) = totals[what];
        let mut input = self.shop.input(&courses, if has_coupon { reduced } else { whole });
        input["billing"] = json!({ "country": country, "currency": currency });
        input["expectedTotal"]["currency"] = currency.into();
        input["provider"] = self.gateway.name().into();
        if has_coupon {
            input["couponCode"] = "TEN".into();
        }
        let code = self.shop.code(Some(user), "createOrder", input).await;
        format!("order {what}{} {code}", if has_coupon { " with the coupon" } else { "" })
    }

    async fn pay(&mut self) -> String {
        let Some(place) = self.open_checkout().await else { return "nothing to pay".into() };
        let event = self.gateway.pay(place, self.now());
        format!("pay {place}: {}", self.tell(event, true).await)
    }

    /// A dispute is opened or decided.
    async fn dispute(&mut self) -> String {
        let open = self.disputes.iter().filter(|(_, is_won)| is_won.is_none()).map(|(place, _)| *place);
        let open: Vec<usize> = open.collect();
        let decided = any(&mut self.random, &open).filter(|_| self.random.random_bool(0.6));
        let Some(place) = decided.or_else(|| Some(self.charged()?.0)) else { return "nothing to dispute".into() };
        let is_won = decided.map(|_| self.random.random_bool(0.5));
        self.disputes.insert(place, is_won);
        let event = self.gateway.dispute(place, is_won, self.now());
        // A dispute that was never told cannot be asked about.
        let told = self.tell(event, is_won.is_some()).await;
        let reversed = self.gateway.reverse(place).filter(|_| is_won.is_none() && self.random.random_bool(0.5));
        let also = match reversed {
            Some(event) => self.tell(event, true).await,
            None => "not",
        };
        format!("dispute {place} {is_won:?}: {told}; reversed: {also}")
    }

    async fn step(&mut self) -> String {
        match self.random.random_range(0..26) {
            0..=5 => self.order().await,
            6..=10 => self.pay().await,
            11..=13 => {
                if self.kept.is_empty() {
                    return "nothing to tell".into();
                }
                let place = self.random.random_range(0..self.kept.len());
                let event = self.kept.swap_remove(place);
                format!("event {place} of those that were kept: {}", self.tell(event, false).await)
            }
            14 => {
                let pending = self.shop.some_order(&mut self.random, "status = 'PENDING'").await;
                let Some(order) = pending else { return "nothing to cancel".into() };
                let input = json!({ "orderId": order["id"] });
                let code = self.shop.code(Some(&self.shop.root), "cancelOrder", input).await;
                format!("cancel {} {code}", order["number"])
            }
            15 | 16 => {
                let paid = "status IN ('PAID', 'PARTIALLY_REFUNDED')";
                let paid = self.shop.some_order(&mut self.random, paid).await;
                let Some(order) = paid else { return "nothing to refund".into() };
                let mut input = json!({ "orderId": order["id"], "reason": "Random" });
                if self.random.random_bool(0.5) {
                    input["amount"] = json!({ "amount": "1.37", "currency": self.gateway.market().1 });
                }
                let code = self.shop.code(Some(&self.shop.root), "refundOrder", input.clone()).await;
                format!("refund {} {} {code}", order["number"], input["amount"])
            }
            17 | 18 => self.dispute().await,
            19 => {
                let Some((place, left)) = self.charged() else { return "nothing to refund there".into() };
                let amount = self.random.random_range(1..=left);
                let Some(event) = self.gateway.refund(place, amount) else { return "no dashboard".into() };
                self.told.insert(event["data"]["object"]["id"].as_str().unwrap().to_owned());
                // What begins at the provider cannot be asked about.
                format!("refund {amount} of {place} in the dashboard: {}", self.tell(event, false).await)
            }
            20 => {
                let Some(place) = self.open_checkout().await else { return "nothing to lapse".into() };
                let Some(event) = self.gateway.lapse(place, self.now()) else { return "no lapse".into() };
                format!("lapse {place}: {}", self.tell(event, true).await)
            }
            21 | 22 => {
                let call = any(&mut self.random, &self.gateway.calls()).unwrap();
                let fault = any(&mut self.random, &FAULTS).unwrap();
                // A call makes at most three requests; these take seconds.
                let is_slow = matches!(fault, Fault::Hangs | Fault::Late);
                let times = if is_slow { 1 } else { self.random.random_range(1..5) };
                for _ in 0..times {
                    self.gateway.wire().fail(call, fault);
                }
                format!("{times} times {fault:?} for {call}")
            }
            23 => {
                self.shop.app.app.clock.advance(TimeDelta::seconds(self.random.random_range(5..2400)));
                self.shop.sweep().await;
                "time passes".into()
            }
            _ => {
                self.shop.app.settle().await;
                "settle".into()
            }
        }
    }

    async fn go(&mut self) {
        for number in 0..STEPS {
            let done = match number {
                0 => self.order().await,
                1 => self.pay().await,
                _ => self.step().await,
            };
            self.log.push(done);
            let now = self.now();
            for event in self.gateway.news(&mut self.told, now) {
                let told = self.tell(event, true).await;
                self.log.push(format!("news: {told}"));
            }
        }
    }

    /// The provider answers again, and all that was kept is told; then days pass, after which disputes are asked about.
    async fn finish(&mut self) {
        self.gateway.wire().calm();
        for event in std::mem::take(&mut self.kept) {
            assert!(self.deliver(&event).await, "{event:#}\n{}", self.log.join("\n"));
        }
        for hours in [3; 8].into_iter().chain([24; 9]) {
            self.shop.app.app.clock.advance(TimeDelta::hours(hours));
            self.shop.sweep().await;
            self.shop.settle().await;
            let now = self.now();
            for event in self.gateway.news(&mut self.told, now) {
                assert!(self.deliver(&event).await, "{event:#}\n{}", self.log.join("\n"));
            }
        }
        self.shop.settle().await;
    }

    /// Compares each order with what the provider knows.
    async fn check_money(&self) {
        let rows = "SELECT coalesce(string_agg(concat_ws(' ', payments.id, payments.state, orders.status, \
            orders.total_minor, orders.refunded_minor, coalesce(told, '-')), ',' ORDER BY orders.number), '') \
            FROM orders JOIN payments ON payments.order_id = orders.id LEFT JOIN (SELECT order_id, \
            string_agg(status, '+') AS told FROM disputes GROUP BY 1) cases ON cases.order_id = orders.id";
        let rows = self.shop.app.sql(rows).await;
        let checkouts = self.gateway.checkouts();
        for row in rows.split(',').filter(|row| !row.is_empty()) {
            let [payment, state, status, total, refunded, dispute] = row.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{row}")
            };
            let (total, refunded): (i64, i64) = (total.parse().unwrap(), refunded.parse().unwrap());
            let own: Vec<(usize, &Checkout)> =
                checkouts.iter().enumerate().filter(|(_, checkout)| checkout.reference == payment).collect();
            let charged: i64 = own.iter().map(|(_, checkout)| checkout.charged).sum();
            let decided = match own.iter().find_map(|(place, _)| self.disputes.get(place)) {
                None => "-",
                Some(None) => "OPEN",
                Some(Some(true)) => "WON",
                Some(Some(false)) => "LOST",
            };
            // A bank that wins takes back what is left of all.
            let returned: i64 = match decided {
                "LOST" => total,
                _ => own.iter().map(|(_, checkout)| checkout.returned).sum(),
            };
            let is_right = match status {
                "PAID" => charged == total && refunded == 0,
                "PARTIALLY_REFUNDED" => charged == total && (1..total).contains(&refunded),
                "REFUNDED" => charged == total && refunded == total,
                // Nothing was charged, or all of it has gone back.
                "CANCELED" | "EXPIRED" | "FAILED" => [0, total].contains(&charged) && refunded == charged,
                _ => false,
            };
            let agrees = refunded == returned && dispute == decided && (state == "PAID") == (charged > 0);
            let known = format!("{} checkouts, charged {charged}, returned {returned}, {decided}", own.len());
            assert!(is_right && agrees && own.len() <= 1, "{row}\n{known}\n{}", self.log.join("\n"));
        }
    }

    /// Checks that a course is accessible if it was paid for, and neither refunded nor disputed.
    async fn check_access(&self) {
        let items = "SELECT order_items.*, orders.status, orders.number FROM order_items \
            JOIN orders ON orders.id = order_items.order_id WHERE";
        let is_deserved = "orders.status IN ('PAID', 'PARTIALLY_REFUNDED') \
            AND order_items.refunded_minor < order_items.amount_minor AND NOT EXISTS \
            (SELECT FROM disputes WHERE disputes.order_id = orders.id AND disputes.status <> 'WON')";
        // When a dispute is won or a refund fails, the buyer may have bought the course again: that gives the access.
        let is_bought_again = "EXISTS (SELECT FROM order_items again WHERE again.is_live \
            AND again.buyer_id = order_items.buyer_id AND again.course_id = order_items.course_id)";
        let is_open = "EXISTS (SELECT FROM entitlements WHERE entitlements.id = order_items.entitlement_id \
            AND entitlements.user_id = order_items.buyer_id AND ended_at IS NULL)";
        let without = "SELECT * FROM entitlements WHERE source = 'PURCHASE' AND ended_at IS NULL AND NOT EXISTS \
            (SELECT FROM order_items WHERE entitlement_id = entitlements.id AND is_live)";
        for (what, sql) in [
            ("what is not paid for is live", format!("{items} order_items.is_live AND NOT ({is_deserved})")),
            (
                "what is paid for is not live",
                format!("{items} {is_deserved} AND NOT order_items.is_live AND NOT {is_bought_again}"),
            ),
            ("what is live gives no access", format!("{items} order_items.is_live AND NOT {is_open}")),
            ("there is access without an order", without.into()),
        ] {
            self.shop.wrong(what, &sql, &self.log).await;
        }
    }
}

/// Goes through all of it, and looks whether it has proved something.
async fn whatever_happens_at(start: impl AsyncFn() -> Gateway) {
    let mut paid: u64 = 0;
    for _ in 0..rounds(1) {
        let mut run = Run::new(start().await).await;
        run.go().await;
        run.finish().await;
        run.shop.check_books(&run.log).await;
        run.check_money().await;
        run.check_access().await;
        let count = run.shop.app.sql("SELECT count(*) FROM orders WHERE paid_at IS NOT NULL").await;
        paid += count.parse::<u64>().unwrap();
    }
    assert!(paid > 0, "nothing was paid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_at_stripe_each_order_is_charged_once_and_gives_access_if_it_is_paid() {
    whatever_happens_at(async || Gateway::Stripe(StripeFake::start().await)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_at_razorpay_each_order_is_charged_once_and_gives_access_if_it_is_paid() {
    whatever_happens_at(async || Gateway::Razorpay(RazorpayFake::start().await)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_at_paypal_each_order_is_charged_once_and_gives_access_if_it_is_paid() {
    whatever_happens_at(async || Gateway::PayPal(PayPalFake::start().await)).await;
}
