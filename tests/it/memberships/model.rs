//! Random sequences of what members, the provider, the network and time do, and what must be true after each.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::support::rounds;

const STEPS: usize = 40;

/// The plans' prices: all courses for a month, for a year, and live classes of two plans. `HALF` takes half off
/// those of the first three, three times.
struct Prices([String; 4]);

impl Club {
    /// A random one of what `sql` selects, as text.
    pub(crate) async fn some(&self, random: &mut StdRng, sql: &str) -> Option<String> {
        let found = self
            .app
            .sql(&format!("SELECT coalesce(string_agg(it, ',' ORDER BY it), '') FROM ({sql}) AS found (it)"))
            .await;
        let found: Vec<&str> = found.split(',').filter(|it| !it.is_empty()).collect();
        if found.is_empty() { None } else { Some(found[random.random_range(0..found.len())].to_owned()) }
    }

    async fn some_order(&self, random: &mut StdRng, condition: &str) -> Option<String> {
        let sql = format!(
            "SELECT number::text FROM orders JOIN payments ON order_id = orders.id WHERE external_id IS NOT NULL AND {condition}"
        );
        self.some(random, &sql).await
    }

    async fn random_step(&mut self, random: &mut StdRng, prices: &Prices) -> String {
        let user = if random.random_bool(0.5) { self.sam.clone() } else { self.tim.clone() };
        let price = &prices.0[random.random_range(0..4)];
        match random.random_range(0..20) {
            0..=2 => {
                let place = prices.0.iter().position(|own| own == price).unwrap();
                let has_coupon = random.random_bool(0.3);
                let totals = if has_coupon { ["5", "50", "15", "25"] } else { ["10", "100", "30", "50"] };
                let mut input = self.order_input(price, totals[place]);
                if has_coupon {
                    input["couponCode"] = json!("HALF");
                }
                format!("order {} {}", totals[place], self.code(&user, "createOrder", input).await)
            }
            3..=6 => {
                let Some(order) = self.some_order(random, "payments.state <> 'PAID'").await else {
                    return "nothing".into();
                };
                let actions = ["pay", "pay", "pay", "pay-late", "pay-thrice", "pay-out-of-order", "fail"];
                let action = actions[random.random_range(0..actions.len())];
                self.only_act(&order, action).await;
                format!("{action} {order}")
            }
            7..=8 => {
                let Some(order) = self.some_order(random, "payments.state = 'PAID'").await else {
                    return "nothing".into();
                };
                let actions = ["decline-charges", "accept-charges", "refund", "dispute", "win-dispute", "lose-dispute"];
                let action = actions[random.random_range(0..actions.len())];
                self.only_act(&order, action).await;
                format!("{action} {order}")
            }
            9..=12 => self.random_change(random, price).await,
            13 => {
                let troubles = [Trouble::None, Trouble::None, Trouble::Away, Trouble::AnswersLost];
                let trouble = troubles[random.random_range(0..troubles.len())];
                self.sandbox().set_trouble(trouble);
                format!("{trouble:?}")
            }
            14 => {
                self.app
                    .sql("DELETE FROM jobs WHERE handler = 'sandbox.send' AND payload::text LIKE '%checkout.%'")
                    .await;
                "webhooks are lost".into()
            }
            15 => {
                self.app.run("orders.renew").await;
                "renew".into()
            }
            _ => {
                let hours = random.random_range(1..24 * 9);
                self.pass(TimeDelta::hours(hours)).await;
                format!("{hours} hours pass")
            }
        }
    }

    /// Something that a member does with a membership; if it is changed, to this price.
    pub(crate) async fn random_change(&self, random: &mut StdRng, price: &str) -> String {
        let sql = "SELECT id::text FROM memberships WHERE status <> 'EXPIRED'";
        let Some(id) = self.some(random, sql).await else { return "nothing".into() };
        let id = lyceum::memberships::MembershipId::new(id.parse().unwrap()).encode();
        let owner = self.seen_owner(&id).await;
        let owner = [&self.sam, &self.tim].into_iter().find(|user| user.id == owner).unwrap().clone();
        let fields =
            ["cancelMembership", "resumeMembership", "pauseMembership", "changeMembership", "changeMembership"];
        let field = fields[random.random_range(0..fields.len())];
        let mut input = json!({ "membershipId": id });
        if field == "changeMembership" {
            input["planPriceId"] = json!(price);
            input["when"] = json!(if random.random_bool(0.6) { "NOW" } else { "RENEWAL" });
        }
        format!("{field} {id} {}", self.code(&owner, field, input).await)
    }

    async fn seen_owner(&self, id: &str) -> String {
        let seen = self.node(&self.root, id, "... on Membership { user { id } }").await;
        seen["user"]["id"].as_str().unwrap().to_owned()
    }

    /// Panics with the rows that contradict what must be true.
    pub(crate) async fn wrong(&self, what: &str, sql: &str, log: &[String]) {
        let rows = format!("SELECT coalesce(jsonb_agg(found)::text, '') FROM (SELECT * {sql}) AS found");
        let found = self.app.sql(&rows).await;
        assert!(found.is_empty(), "{what}\n{}\n{found}", log.join("\n"));
    }

    /// Checks what is true at any time, when nothing is due.
    pub(crate) async fn check(&self, log: &[String]) {
        let now = self.now();
        for user in [&self.sam, &self.tim] {
            let id = user.id.parse::<lyceum::accounts::UserId>().unwrap().uuid();
            let live = format!(
                "SELECT count(*) FROM memberships WHERE user_id = '{id}' AND kind = 'ALL_ACCESS' AND \
                 (status IN ('TRIALING', 'ACTIVE', 'PAST_DUE') OR status = 'CANCELED' AND period_ends_at > '{now}')"
            );
            let live = self.app.sql(&live).await;
            assert_eq!(self.has(user, &self.course).await, live == "1", "{live} live\n{}", log.join("\n"));
        }
        let periods = "FROM membership_periods AS period LEFT JOIN order_items ON membership_period_id = period.id \
            LEFT JOIN orders ON orders.id = order_id";
        let paid = "orders.status IN ('PAID', 'PARTIALLY_REFUNDED')";
        for (what, condition) in [
            ("a period has no order", "orders.id IS NULL".to_owned()),
            ("a paid period has no paid order", format!("period.state = 'PAID' AND NOT {paid}")),
            ("a paid order has no paid period", format!("{paid} AND period.state NOT IN ('PAID', 'REVOKED')")),
            ("an open period waits for nothing", "period.state = 'OPEN' AND orders.status <> 'PENDING'".to_owned()),
        ] {
            self.wrong(what, &format!("{periods} WHERE {condition}"), log).await;
        }
        let coupon = "FROM coupons WHERE max_uses < (SELECT count(*) FROM orders WHERE coupon_id = coupons.id AND \
            status IN ('PENDING', 'PAID', 'PARTIALLY_REFUNDED', 'REFUNDED'))";
        self.wrong("a coupon was used too often", coupon, log).await;
        let discounted = format!("{periods} WHERE orders.coupon_id IS NOT NULL AND period.reason <> 'START'");
        self.wrong("a coupon was for a later period", &discounted, log).await;
        let twice = "FROM (SELECT membership_id, number FROM membership_periods WHERE state = 'PAID' \
            GROUP BY 1, 2 HAVING count(*) > 1) AS twice";
        self.wrong("a period was charged twice", twice, log).await;
        let gap = "FROM memberships WHERE status IN ('TRIALING', 'ACTIVE') AND billing_at IS NULL AND NOT EXISTS \
            (SELECT FROM membership_periods WHERE membership_id = memberships.id AND state = 'OPEN')";
        self.wrong("a membership is never charged again", gap, log).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_members_are_entitled_while_they_are_live_and_charged_once() {
    for _ in 0..rounds(1) {
        let seed: u64 = rand::random();
        let mut random = StdRng::seed_from_u64(seed);
        let mut club = Club::open().await;
        let all = club.all_access().await;
        let (basic, premium) = (club.hours("Basic", "4", "30").await, club.hours("Premium", "8", "50").await);
        let coupon = json!({ "code": "HALF", "percent": 50, "maxUses": 3, "planIds": [all["id"], basic["id"]] });
        club.app.mutate(&club.root, "createCoupon", "coupon { id }", coupon).await;
        let prices = Prices([month(&all), price_of(&all, "YEAR"), month(&basic), month(&premium)]);
        let mut log = vec![format!("seed {seed}")];
        for _ in 0..STEPS {
            log.push(club.random_step(&mut random, &prices).await);
            club.check(&log).await;
        }
        club.sandbox().set_trouble(Trouble::None);
        for _ in 0..3 {
            club.pass(TimeDelta::hours(13)).await;
        }
        club.check(&log).await;
        let both = "FROM orders JOIN payments ON order_id = orders.id \
            LEFT JOIN sandbox_checkouts AS gateway ON reference = payments.id::text";
        let paid = "orders.status IN ('PAID', 'PARTIALLY_REFUNDED', 'REFUNDED')";
        for (what, condition) in [
            ("a paid order was not charged", format!("{paid} AND gateway.state IS DISTINCT FROM 'PAID'")),
            (
                "money was kept without an order",
                format!("NOT {paid} AND gateway.state = 'PAID' AND gateway.refunded_minor < gateway.amount_minor"),
            ),
        ] {
            club.wrong(what, &format!("{both} WHERE {condition}"), &log).await;
        }
        club.wrong("a job is dead", "FROM jobs WHERE dead_at IS NOT NULL", &log).await;
    }
}
