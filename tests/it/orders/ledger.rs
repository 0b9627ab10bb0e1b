//! The books, and what channels earn.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::support::rounds;

const EARNINGS: &str =
    "query ($id: ID!, $month: YearMonth!) { node(id: $id) { ... on Channel { earnings(month: $month) {
    month gross { amount currency } share { amount currency } paidOut { amount currency } paidOutAt csvUrl } } } }";
const SALES: &str =
    "query ($id: ID!, $first: Int) { node(id: $id) { ... on Channel { sales(first: $first) { totalCount nodes {
    orderNumber kind title soldAt gross { amount } share { amount } } } } } }";

impl Shop {
    /// The id of the channel that the courses are in.
    pub(super) async fn channel(&self) -> String {
        let query = "query ($id: ID!) { course(id: $id) { channel { id } } }";
        let data = self.app.data(Some(&self.ada.token), query, json!({ "id": self.course.id })).await;
        data["course"]["channel"]["id"].as_str().unwrap().to_owned()
    }

    async fn earnings(&self, month: &str) -> Value {
        let variables = json!({ "id": self.channel().await, "month": month });
        self.app.data(Some(&self.ada.token), EARNINGS, variables).await["node"]["earnings"].take()
    }

    async fn share(&self, month: &str) -> Value {
        self.earnings(month).await["share"].take()
    }

    async fn payout(&self, month: &str, amount: &str) -> String {
        let amount = json!({ "amount": amount, "currency": "EUR" });
        let input =
            json!({ "channelId": self.channel().await, "month": month, "amount": amount, "reference": "SEPA 1" });
        self.code(Some(&self.root), "recordPayout", input).await
    }

    /// Makes a plan for 10 euros a month, of which a user becomes a member; returns the order.
    async fn member(&self, user: &User, mut plan: Value) -> Value {
        plan["prices"] = json!([{ "amount": { "amount": "10", "currency": "EUR" }, "interval": "MONTH" }]);
        let made = self.app.mutate(&self.root, "createPlan", "plan { prices { id } }", plan).await;
        self.settle().await;
        let mut input = self.input(&[], "10");
        input["items"] = json!([{ "planPriceId": made["plan"]["prices"][0]["id"] }]);
        let order = self.ordered(user, input).await;
        self.act(&order, "pay").await;
        order
    }

    /// The sums of the books by account, in the order of their names.
    async fn balances(&self) -> String {
        let sql = "SELECT coalesce(string_agg(concat_ws(' ', account, currency, amount), ', '), '') FROM \
            (SELECT account, currency, sum(amount_minor) AS amount FROM ledger_entries GROUP BY 1, 2 \
            HAVING sum(amount_minor) <> 0 ORDER BY 1, 2) AS sums";
        self.app.sql(sql).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_has_its_share_of_what_is_sold_and_not_of_what_is_refunded() {
    let shop = Shop::with(&[("LYCEUM_TAXES", "DE=19")]).await;
    let mut input = shop.input(&[&shop.course, &shop.other], "26.90");
    input["items"].as_array_mut().unwrap().push(json!({ "donation": { "amount": "2", "currency": "EUR" } }));
    let order = shop.ordered(&shop.sam, input).await;
    assert_eq!(shop.balances().await, "");
    shop.act(&order, "pay").await;
    // Of 24.90 there are 3.98 of tax; 70 % of 16.72 and 4.20 are the channel's.
    assert_eq!(shop.balances().await, "CLEARING EUR 2690, REVENUE EUR -828, SHARE EUR -1464, TAX EUR -398");
    let earned = shop.earnings("2026-11").await;
    let euros = |amount: &str| json!([{ "amount": amount, "currency": "EUR" }]);
    assert_eq!((&earned["gross"], &earned["share"]), (&euros("20.92"), &euros("14.64")));
    assert_eq!((&earned["month"], &earned["paidOutAt"]), (&json!("2026-11"), &Value::Null));
    assert_eq!(shop.share("2026-10").await, json!([]));

    // A dispute takes it back until it is won, and a refund for good.
    shop.act(&order, "dispute").await;
    assert_eq!(shop.balances().await, "");
    shop.act(&order, "win-dispute").await;
    assert_eq!(shop.share("2026-11").await, euros("14.64"));
    shop.refund(&order, json!({ "itemIds": [order["items"][0]["id"]] })).await;
    assert_eq!(shop.balances().await, "CLEARING EUR 700, REVENUE EUR -326, SHARE EUR -294, TAX EUR -80");
    assert_eq!(shop.share("2026-11").await, euros("2.94"));
    shop.settle().await;
    shop.refund(&order, json!({})).await;
    assert_eq!(shop.balances().await, "", "nothing is left behind");

    // Another share, from then on.
    let share = |percent: Value| json!({ "channelId": null, "percent": percent });
    let mut wrong = share(json!(101));
    wrong["channelId"] = shop.channel().await.into();
    assert_eq!(shop.code(Some(&shop.root), "setChannelShare", wrong.clone()).await, "OUT_OF_RANGE");
    wrong["percent"] = 100.into();
    assert_eq!(shop.code(Some(&shop.ada), "setChannelShare", wrong.clone()).await, "FORBIDDEN");
    assert_eq!(shop.code(Some(&shop.root), "setChannelShare", wrong).await, "");
    let order = shop.ordered(&shop.tim, shop.input(&[&shop.other], "5")).await;
    shop.act(&order, "pay").await;
    assert_eq!(shop.balances().await, "CLEARING EUR 500, SHARE EUR -420, TAX EUR -80");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_has_its_share_of_each_period_of_a_membership_for_its_course_only() {
    let shop = Shop::with(&[("LYCEUM_TAXES", "DE=19")]).await;
    let own = json!({ "name": "One", "kind": "COURSE", "courseId": shop.course.id });
    let order = shop.member(&shop.sam, own).await;
    // Of 10.00 there are 1.60 of tax; 70 % of 8.40 are the channel's.
    assert_eq!(shop.balances().await, "CLEARING EUR 1000, REVENUE EUR -252, SHARE EUR -588, TAX EUR -160");
    let channel = shop.channel().await;
    let sales =
        shop.node(Some(&shop.ada), &channel, "... on Channel { sales { nodes { kind title share { amount } } } }");
    let sale = json!({ "kind": "MEMBERSHIP", "title": "One", "share": { "amount": "5.88" } });
    assert_eq!(sales.await["sales"]["nodes"], json!([sale]));

    // A dispute takes it back until it is won, and a refund for good, in parts, too.
    shop.act(&order, "dispute").await;
    assert_eq!(shop.balances().await, "");
    shop.act(&order, "win-dispute").await;
    shop.refund(&order, json!({ "amount": { "amount": "5", "currency": "EUR" } })).await;
    assert_eq!(shop.balances().await, "CLEARING EUR 500, REVENUE EUR -126, SHARE EUR -294, TAX EUR -80");
    shop.settle().await;
    shop.refund(&order, json!({})).await;
    assert_eq!(shop.balances().await, "", "nothing is left behind");
    shop.settle().await;

    // What is renewed is shared like what is begun.
    let other = json!({ "name": "Other", "kind": "COURSE", "courseId": shop.other.id });
    shop.member(&shop.tim, other).await;
    shop.app.sql("UPDATE memberships SET billing_at = '2026-11-20' WHERE billing_at IS NOT NULL").await;
    shop.app.run("orders.renew").await;
    shop.settle().await;
    assert_eq!(shop.balances().await, "CLEARING EUR 2000, REVENUE EUR -504, SHARE EUR -1176, TAX EUR -320");
    // A membership for all courses is the school's.
    shop.member(&shop.sam, json!({ "name": "All", "kind": "ALL_ACCESS" })).await;
    assert_eq!(shop.balances().await, "CLEARING EUR 3000, REVENUE EUR -1344, SHARE EUR -1176, TAX EUR -480");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_sees_what_was_sold_but_not_to_whom_and_gets_a_table() {
    let shop = Shop::open().await;
    shop.app
        .edit(
            &shop.ada,
            "updateCourse",
            "course { id }",
            json!({ "courseId": shop.other.id, "title": "=Wheels, \"big\"" }),
        )
        .await;
    let first = shop.order(&shop.sam).await;
    shop.act(&first, "pay").await;
    shop.app.app.clock.advance(TimeDelta::minutes(1));
    let second = shop.ordered(&shop.tim, shop.input(&[&shop.other], "5")).await;
    shop.act(&second, "pay").await;
    shop.refund(&second, json!({ "amount": { "amount": "1", "currency": "EUR" } })).await;
    let channel = shop.channel().await;
    let listed = async |first: usize| {
        let variables = json!({ "id": channel, "first": first });
        let read = async || shop.app.data(Some(&shop.ada.token), SALES, variables.clone()).await;
        let (statements, mut data) = shop.app.counted(read).await;
        (statements, data["node"]["sales"].take())
    };
    let ((few, one), (many, sales)) = (listed(1).await, listed(20).await);
    assert_eq!((few, one["totalCount"].as_i64(), sales["totalCount"].as_i64()), (many, Some(2), Some(2)));
    let latest = &sales["nodes"][0];
    assert_eq!((&latest["orderNumber"], &latest["kind"]), (&second["number"], &json!("COURSE")));
    assert_eq!((&latest["gross"]["amount"], &latest["share"]["amount"]), (&json!("4.00"), &json!("2.80")));
    assert_eq!(sales["nodes"][1]["share"]["amount"], "13.93");
    let (course, other) = (&shop.course.id, &shop.other.id);
    for (filter, numbers) in [
        (format!("courseId: \"{course}\""), vec![&first["number"]]),
        (format!("courseId: \"{other}\", month: \"2026-11\""), vec![&second["number"]]),
        ("month: \"2026-11\"".to_owned(), vec![&second["number"], &first["number"]]),
        ("month: \"2026-12\"".to_owned(), vec![]),
    ] {
        let list =
            format!("... on Channel {{ sales(filter: {{ {filter} }}) {{ totalCount nodes {{ orderNumber }} }} }}");
        let sales = shop.node(Some(&shop.ada), &channel, &list).await["sales"].take();
        let numbers: Vec<Value> = numbers.into_iter().map(|number| json!({ "orderNumber": number })).collect();
        assert_eq!(sales, json!({ "totalCount": numbers.len(), "nodes": numbers }), "{filter}");
    }

    let url =
        shop.earnings("2026-11").await["csvUrl"].as_str().unwrap().replace("http://127.0.0.1:8080", &shop.app.url);
    let response = shop.app.client.get(&url).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &"text/csv; charset=utf-8".parse().unwrap())
    );
    let table = response.text().await.unwrap();
    let (number, other) = (first["number"].as_str().unwrap(), second["number"].as_str().unwrap());
    let expected = format!(
        "time,what,order,item,currency,price,share\r\n\
        2026-11-20T09:00:00+00:00,PAYMENT,{number},\"Engines\",EUR,19.90,13.93\r\n\
        2026-11-20T09:01:00+00:00,PAYMENT,{other},\"'=Wheels, \"\"big\"\"\",EUR,5.00,3.50\r\n\
        2026-11-20T09:01:00+00:00,REFUND,{other},\"'=Wheels, \"\"big\"\"\",EUR,-1.00,-0.70\r\n"
    );
    assert_eq!(table, expected);
    for wrong in [url.replace("2026-11", "2026-10"), url.replace("token=", "token=AA")] {
        assert_eq!(shop.app.client.get(&wrong).send().await.unwrap().status(), 403, "{wrong}");
    }
    // Others see neither.
    let variables = json!({ "id": channel, "month": "2026-11" });
    for user in [&shop.sam, &shop.app.user("Eve", Role::Instructor).await] {
        for query in [EARNINGS, SALES] {
            let body = shop.app.send(Some(&user.token), query, variables.clone()).await;
            assert_eq!(body["errors"][0]["extensions"]["code"], "FORBIDDEN", "{body:#}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_is_paid_out_than_is_owed_and_once_a_month() {
    let shop = Shop::open().await;
    let order = shop.order(&shop.sam).await;
    shop.act(&order, "pay").await;
    assert_eq!(shop.payout("2026-11", "5").await, "OUT_OF_RANGE", "the month is not over");
    // Tokens are for a day; the month ends in ten.
    shop.app.sql("ALTER TABLE ledger_entries DISABLE TRIGGER ledger_entries_never_change").await;
    shop.app.sql("UPDATE ledger_entries SET recorded_at = recorded_at - interval '1 month'").await;
    shop.app.sql("ALTER TABLE ledger_entries ENABLE TRIGGER ledger_entries_never_change").await;
    for (amount, code) in [("0", "OUT_OF_RANGE"), ("13.94", "OUT_OF_RANGE"), ("13.935", "INVALID")] {
        assert_eq!(shop.payout("2026-10", amount).await, code, "{amount}");
    }
    let mut codes = futures_util::future::join_all((0..3).map(|_| shop.payout("2026-10", "10"))).await;
    codes.sort();
    assert!(
        codes[0].is_empty() && codes[1..].iter().all(|code| ["TAKEN", "OUT_OF_RANGE"].contains(&&**code)),
        "{codes:?}"
    );
    assert_eq!(shop.payout("2026-10", "1").await, "TAKEN");
    assert_eq!(shop.payout("2026-09", "3.94").await, "OUT_OF_RANGE");
    assert_eq!(shop.payout("2026-09", "3.93").await, "");
    assert_eq!(shop.balances().await, "BANK EUR -1393, CLEARING EUR 1990, REVENUE EUR -597");
    let earned = shop.earnings("2026-10").await;
    assert_eq!(earned["share"][0]["amount"], "13.93", "a payout does not change what was earned");
    assert_eq!(
        (&earned["paidOut"][0]["amount"], &earned["paidOutAt"]),
        (&json!("10.00"), &json!("2026-11-20T09:00:00+00:00"))
    );
    let audited = "SELECT count(*) FROM audit_entries WHERE action = 'payout_recorded'";
    assert_eq!(shop.app.sql(audited).await, "2");
    let input = json!({ "channelId": shop.channel().await, "month": "2026-10", "amount": { "amount": "1", "currency": "EUR" }, "reference": "x" });
    assert_eq!(shop.code(Some(&shop.ada), "recordPayout", input).await, "FORBIDDEN");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_books_never_change_and_are_always_balanced() {
    let shop = Shop::open().await;
    let order = shop.order(&shop.sam).await;
    shop.act(&order, "pay").await;
    // Each fails; `sql` would panic.
    let refused = async |statement: &str| {
        let checked = format!(
            "DO $$ BEGIN BEGIN {statement}; SET CONSTRAINTS ALL IMMEDIATE; EXCEPTION WHEN restrict_violation OR \
            check_violation THEN RETURN; END; RAISE 'allowed'; END $$"
        );
        shop.app.sql(&checked).await;
    };
    let insert = "INSERT INTO ledger_entries (id, transaction_id, account, amount_minor, currency, recorded_at) \
        SELECT gen_random_uuid(), id,";
    for statement in [
        "UPDATE ledger_entries SET amount_minor = amount_minor + 1",
        "UPDATE ledger_transactions SET kind = 'REFUND'",
        "DELETE FROM ledger_entries",
        "DELETE FROM ledger_transactions",
        "TRUNCATE ledger_entries",
        &format!("{insert} 'REVENUE', 1, 'EUR', now() FROM ledger_transactions"),
        // Zero in all, but not in each currency.
        &format!(
            "{insert} account, amount, currency, now() FROM ledger_transactions, (VALUES ('REVENUE', 1, 'EUR'), ('CLEARING', -1, 'USD')) AS v (account, amount, currency)"
        ),
    ] {
        refused(statement).await;
    }
    let balanced = format!(
        "{insert} account, amount, 'EUR', now() FROM ledger_transactions, (VALUES ('REVENUE', 1), ('CLEARING', -1)) AS v (account, amount)"
    );
    shop.app.sql(&balanced).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_the_books_agree_with_the_orders_in_every_currency() {
    for _ in 0..rounds(2) {
        let seed: u64 = rand::random();
        let mut random = StdRng::seed_from_u64(seed);
        let shop = Shop::with(&[("LYCEUM_TAXES", "DE=19,JP=10,BH=+5")]).await;
        let prices = json!([{ "amount": "3211", "currency": "JPY" }, { "amount": "8.125", "currency": "BHD" }]);
        for course in [&shop.course, &shop.other] {
            shop.app
                .edit(&shop.ada, "updateCourse", "course { id }", json!({ "courseId": course.id, "prices": prices }))
                .await;
        }
        shop.app.mutate(&shop.root, "createCoupon", "coupon { id }", json!({ "code": "ODD", "percent": 37 })).await;
        let mut orders = Vec::new();
        let mut log = vec![format!("seed {seed}")];
        for step in 0..40 {
            log.push(shop.book_step(&mut random, &mut orders, step).await);
        }
        let wrong = async |what: &str, sql: &str| {
            assert_eq!(shop.app.sql(sql).await, "0", "{what}\n{}", log.join("\n"));
        };
        let sums = "SELECT count(*) FROM (SELECT transaction_id FROM ledger_entries GROUP BY transaction_id, currency \
            HAVING sum(amount_minor) <> 0) AS unbalanced";
        wrong("a transaction is not balanced", sums).await;
        // What the providers owe is what was paid and not refunded, without what a bank has taken back meanwhile.
        let clearing = "SELECT count(*) FROM orders LEFT JOIN (SELECT order_id, sum(amount_minor) AS booked FROM ledger_entries \
            JOIN ledger_transactions ON ledger_transactions.id = transaction_id WHERE account = 'CLEARING' \
            AND kind NOT IN ('DISPUTE', 'DISPUTE_CLOSED') GROUP BY 1) AS books ON order_id = orders.id \
            WHERE coalesce(booked, 0) <> CASE WHEN paid_at IS NULL THEN 0 ELSE total_minor - refunded_minor END";
        wrong("an order and the books differ", clearing).await;
        let held = "SELECT count(*) FROM disputes JOIN orders ON orders.id = order_id JOIN ledger_transactions ON source_id = \
            disputes.id LEFT JOIN ledger_entries ON transaction_id = ledger_transactions.id WHERE disputes.status <> 'OPEN' \
            GROUP BY disputes.id, account HAVING sum(ledger_entries.amount_minor) <> 0 LIMIT 1";
        assert_eq!(shop.app.sql(held).await, "", "a dispute that is decided has left something\n{}", log.join("\n"));
        let refunded = "SELECT count(*) FROM (SELECT item_id FROM ledger_entries JOIN order_items ON order_items.id = item_id \
            JOIN ledger_transactions ON ledger_transactions.id = transaction_id WHERE ledger_transactions.kind IN ('PAYMENT', 'REFUND') \
            AND order_items.refunded_minor = order_items.amount_minor GROUP BY item_id, account HAVING sum(ledger_entries.amount_minor) <> 0) AS rest";
        wrong("a refunded item has left something", refunded).await;
        let dead = "SELECT count(*) FROM jobs WHERE dead_at IS NOT NULL";
        wrong("a job is dead", dead).await;
    }
}

impl Shop {
    /// Does something with money; returns what.
    async fn book_step(&self, random: &mut StdRng, orders: &mut Vec<Value>, step: usize) -> String {
        if orders.is_empty() || random.random_bool(0.4) {
            let (country, currency) = [("DE", "EUR"), ("JP", "JPY"), ("BH", "BHD")][random.random_range(0..3)];
            let user = self.app.user(&format!("U{step}"), Role::Student).await;
            let mut items = vec![json!({ "courseId": self.course.id })];
            if random.random_bool(0.5) {
                items.push(json!({ "gift": { "courseId": self.other.id, "recipientEmail": "x@people.example" } }));
            }
            if random.random_bool(0.3) {
                items.push(json!({ "donation": { "amount": "7", "currency": currency } }));
            }
            let coupon = random.random_bool(0.5).then_some("odd");
            let mut input = json!({
                "items": items, "billing": { "country": country, "currency": currency }, "couponCode": coupon,
            });
            let quoted =
                self.app.mutate(&user, "quoteOrder", "orderQuote { total { amount currency } }", input.clone()).await;
            input["expectedTotal"] = quoted["orderQuote"]["total"].clone();
            let order = self.ordered(&user, input).await;
            self.act(&order, "pay").await;
            let done = format!("order {} {}", order["number"], order["total"]);
            orders.push(order);
            return done;
        }
        let order = orders[random.random_range(0..orders.len())].clone();
        let action =
            ["refund", "part", "part", "item", "dispute", "win-dispute", "lose-dispute"][random.random_range(0..7)];
        match action {
            "part" => {
                let currency = &order["total"]["currency"];
                let input = json!({ "orderId": order["id"], "reason": "x", "amount": { "amount": random.random_range(1..5), "currency": currency } });
                self.code(Some(&self.root), "refundOrder", input).await;
            }
            "item" => {
                let items = order["items"].as_array().unwrap();
                let item = &items[random.random_range(0..items.len())]["id"];
                let input = json!({ "orderId": order["id"], "reason": "x", "itemIds": [item] });
                self.code(Some(&self.root), "refundOrder", input).await;
            }
            action => self.only_act(&order, action).await,
        }
        self.settle().await;
        format!("{action} {}", order["number"])
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_sees_what_all_their_channels_have_earned() {
    let shop = Shop::open().await;
    let lab = shop.app.mutate(&shop.ada, "createChannel", "channel { id }", json!({ "name": "Lab" })).await;
    let lab = lab["channel"]["id"].clone();
    let moved = json!({ "courseId": shop.other.id, "channelId": lab });
    shop.app.edit(&shop.ada, "updateCourse", "course { id }", moved).await;
    let order = shop.ordered(&shop.sam, shop.input(&[&shop.course, &shop.other], "24.90")).await;
    shop.act(&order, "pay").await;
    let query = "query ($month: YearMonth!) { viewer { earnings(month: $month) {
        month gross { amount currency } share { amount currency } paidOut { amount currency } paidOutAt csvUrl } } }";
    let of = async |user: &User, month: &str| {
        let variables = json!({ "month": month });
        shop.app.data(Some(&user.token), query, variables).await["viewer"]["earnings"].take()
    };
    let euros = |amount: &str| json!([{ "amount": amount, "currency": "EUR" }]);
    let earned = of(&shop.ada, "2026-11").await;
    assert_eq!((&earned["month"], &earned["gross"]), (&json!("2026-11"), &euros("24.90")));
    assert_eq!((&earned["share"], &earned["paidOut"]), (&euros("17.43"), &json!([])));
    assert_eq!(shop.share("2026-11").await, euros("13.93"), "of the other channel alone");
    // The table of each has its own sales, and a URL is for its month.
    let table = async |url: &Value| {
        let url = url.as_str().unwrap().replace("http://127.0.0.1:8080", &shop.app.url);
        let other = shop.app.client.get(url.replace("2026-11", "2026-10")).send().await.unwrap();
        assert_eq!(other.status(), 403);
        shop.app.client.get(&url).send().await.unwrap().text().await.unwrap()
    };
    let both = table(&earned["csvUrl"]).await;
    assert!(both.lines().count() == 3 && both.contains("Engines") && both.contains("Wheels"), "{both}");
    let one = table(&shop.earnings("2026-11").await["csvUrl"]).await;
    assert!(one.lines().count() == 2 && one.contains("Engines"), "{one}");
    // Others have none of it, and students have no channels.
    let eve = shop.app.user("Eve", Role::Instructor).await;
    for user in [&eve, &shop.root] {
        assert_eq!(of(user, "2026-11").await["share"], json!([]));
    }
    let body = shop.app.send(Some(&shop.sam.token), query, json!({ "month": "2026-11" })).await;
    assert_eq!(code_of(&body), "FORBIDDEN");

    // The month passes, and both channels are paid.
    shop.app.sql("ALTER TABLE ledger_entries DISABLE TRIGGER ledger_entries_never_change").await;
    shop.app.sql("UPDATE ledger_entries SET recorded_at = recorded_at - interval '1 month'").await;
    shop.app.sql("ALTER TABLE ledger_entries ENABLE TRIGGER ledger_entries_never_change").await;
    assert_eq!(shop.payout("2026-10", "10").await, "");
    // What a channel has earned stays when it is deleted, and can be paid out.
    let back = json!({ "courseId": shop.other.id, "channelId": shop.channel().await });
    shop.app.edit(&shop.ada, "updateCourse", "course { id }", back).await;
    shop.app.mutate(&shop.ada, "deleteChannel", "deletedChannelId", json!({ "channelId": lab })).await;
    shop.settle().await;
    let amount = json!({ "amount": "3.50", "currency": "EUR" });
    let input = json!({ "channelId": lab, "month": "2026-10", "amount": amount, "reference": "SEPA 2" });
    assert_eq!(shop.code(Some(&shop.root), "recordPayout", input).await, "");
    let earned = of(&shop.ada, "2026-10").await;
    assert_eq!((&earned["share"], &earned["paidOut"]), (&euros("17.43"), &euros("13.50")));
    assert_eq!(earned["paidOutAt"], "2026-11-20T09:00:00+00:00");
}
