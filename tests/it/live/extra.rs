//! Extra hours that members buy for a month.

use super::memberships::MEMBERS_ONLY;
use super::*;
use crate::support::socket::Socket;

/// What an order has, as its buyer sees it.
const ORDER: &str = "order { id number status total { amount } items { id kind title } }";

impl School {
    /// A plan with so many hours for 30 euros a month, of which so many roll over, and up to three extra hours for 5 euros
    /// each, with more of the input of `createPlan`; the id of its price.
    pub(super) async fn plan_with_extras(&self, hours: &str, rollover: &str, more: Value) -> String {
        let mut input = json!({
            "kind": "LIVE_CLASS", "name": "Flexible", "liveHoursPerMonth": hours, "rolloverHours": rollover,
            "maxExtraHours": 3, "prices": [price("5")],
        });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = self.app.mutate(&self.root, "createPlan", "plan { prices { id } }", input).await;
        self.settle().await;
        made["plan"]["prices"][0]["id"].as_str().unwrap().to_owned()
    }

    /// The input of an order of extra hours at 5 euros each.
    pub(super) fn extra(&self, hours: i32, month: Option<&str>) -> Value {
        json!({
            "items": [{ "extraHours": { "hours": hours, "month": month } }],
            "billing": { "country": "DE", "currency": "EUR" },
            "expectedTotal": { "amount": (5 * hours).to_string(), "currency": "EUR" },
        })
    }

    /// Orders extra hours for the current month.
    async fn ordered(&self, user: &User, hours: i32) -> Value {
        self.app.mutate(user, "createOrder", ORDER, self.extra(hours, None)).await["order"].take()
    }

    /// Orders and pays them.
    pub(super) async fn buy(&self, user: &User, hours: i32) -> Value {
        let order = self.ordered(user, hours).await;
        self.act(&order, "pay").await;
        order
    }

    /// Does something on the checkout page of an order, and all that follows.
    async fn act(&self, order: &Value, action: &str) {
        let sql = format!(
            "SELECT external_id FROM payments JOIN orders ON orders.id = order_id WHERE number = {}",
            order["number"].as_str().unwrap()
        );
        let page = format!("{}/dev/checkout/{}", self.app.url, self.app.sql(&sql).await);
        let request = self.app.client.post(page).body(format!("action={action}"));
        let answer = request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
        assert!(answer.status().is_success() || answer.status().is_redirection(), "{action}: {}", answer.status());
        for _ in 0..2 {
            self.settle().await;
        }
    }

    pub(super) async fn refund(&self, order: &Value) {
        let input = json!({ "orderId": order["id"], "reason": "Not satisfied" });
        self.app.mutate(&self.root, "refundOrder", "order { status }", input).await;
        for _ in 0..2 {
            self.settle().await;
        }
    }

    async fn status(&self, order: &Value) -> String {
        let query = "query ($id: ID!) { node(id: $id) { ... on Order { status } } }";
        let seen = self.app.data(Some(&self.root.token), query, json!({ "id": order["id"] })).await;
        seen["node"]["status"].as_str().unwrap().to_owned()
    }

    /// The extra hours that a user has in a month.
    async fn extra_hours(&self, user: &User, month: Option<&str>) -> String {
        let query = "query ($month: YearMonth) { viewer { subscriptionUsage(month: $month) { extraHours } } }";
        let data = self.app.data(Some(&user.token), query, json!({ "month": month })).await;
        data["viewer"]["subscriptionUsage"]["extraHours"].as_str().unwrap().to_owned()
    }

    /// A school in which Sam and Tim are members with an hour a month, of which one rolls over, since so many days after
    /// the start of every test's clock.
    async fn flexible(settings: &[(&str, &str)], days: i64) -> School {
        let settings: Vec<_> = MEMBERS_ONLY.iter().chain(settings).copied().collect();
        let school = School::later(&settings, TimeDelta::days(days)).await;
        let price = school.plan_with_extras("1", "1", json!({})).await;
        for user in [&school.sam, &school.tim] {
            school.subscribe(user, &price, "30").await;
        }
        school
    }
}

/// A price of 30 euros a month, and of so many for an extra hour.
fn price(extra: &str) -> Value {
    let euros = |amount: &str| json!({ "amount": amount, "currency": "EUR" });
    json!({ "amount": euros("30"), "interval": "MONTH", "extraHourAmount": euros(extra) })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn extra_hours_count_in_their_month_once_they_are_paid() {
    let school = School::flexible(&[], 0).await;
    let mut socket = Socket::connect(&school.app.url, Some(&school.sam.token)).await;
    let query = "subscription { subscriptionUsageChanged { usage { month extraHours remainingHours } } }";
    socket.subscribe("usage", query, json!({})).await;
    let usage = |extra: &str, left: &str| json!({ "usage": { "month": "2026-11", "extraHours": extra, "remainingHours": left } });
    async fn next(socket: &mut Socket) -> Value {
        socket.receive().await.unwrap()["payload"]["data"]["subscriptionUsageChanged"].take()
    }
    assert_eq!(next(&mut socket).await, usage("0", "1"));
    let mut input = school.extra(2, None);
    input.as_object_mut().unwrap().remove("expectedTotal");
    let quote = "orderQuote { total { amount } items { kind title planPrice { id } } }";
    let quoted = school.app.mutate(&school.sam, "quoteOrder", quote, input).await;
    let item = json!({ "kind": "EXTRA_HOURS", "title": "2 extra hours of live classes in 2026-11", "planPrice": null });
    assert_eq!(quoted["orderQuote"], json!({ "total": { "amount": "10.00" }, "items": [item] }));

    let order = school.ordered(&school.sam, 2).await;
    assert_eq!((&order["status"], &order["items"][0]["kind"]), (&json!("PENDING"), &json!("EXTRA_HOURS")));
    assert_eq!(school.hours(&school.sam, None).await, "0 0 1 1", "it is not paid");
    // However often the provider tells it.
    school.act(&order, "pay-thrice").await;
    assert_eq!(school.hours(&school.sam, None).await, "0 0 1 3");
    assert_eq!(next(&mut socket).await, usage("2", "3"));
    assert_eq!(school.extra_hours(&school.sam, Some("2026-12")).await, "0");
    assert_eq!(school.hours(&school.tim, None).await, "0 0 1 1");

    for minutes in [120, 180, 240] {
        let id = school.session(at(minutes), None).await;
        assert_eq!(school.join(&school.sam, &id, false).await, "ELIGIBLE HELD");
    }
    let id = school.session(at(300), None).await;
    assert_eq!(school.join(&school.sam, &id, false).await, "INSUFFICIENT_HOURS -");
    assert_eq!(school.hours(&school.sam, None).await, "0 3 1 0");
    let query = "{ viewer { subscriptionUsage { warning } } }";
    let data = school.app.data(Some(&school.sam.token), query, json!({})).await;
    assert_eq!(data["viewer"]["subscriptionUsage"]["warning"], "USED_UP");
    let stored = "SELECT concat_ws(' ', allowed_minutes, extra_minutes, held_minutes) FROM live_usage";
    assert_eq!(school.app.sql(stored).await, "60 120 180");
    // What tells of it may come again, and late.
    let events = "SELECT count(*) FROM events WHERE kind = 'extra_hours_changed'";
    assert_eq!(school.app.sql(events).await, "1");
    let payload = school.app.sql("SELECT payload FROM events WHERE kind = 'extra_hours_changed'").await;
    let payload: Value = serde_json::from_str(&payload).unwrap();
    let registry = lyceum::app::registry().unwrap();
    let run = registry.get("live.count_extra").unwrap().run;
    for _ in 0..2 {
        run(school.app.app.clone(), payload.clone()).await.unwrap();
    }
    assert_eq!(school.app.sql(stored).await, "60 120 180");

    // The money is the school's, and the invoice says what it was for.
    let books = "SELECT string_agg(concat_ws(' ', account, ledger_entries.amount_minor), ', ' ORDER BY account)
        FROM ledger_entries JOIN order_items ON order_items.id = item_id WHERE kind = 'EXTRA_HOURS'";
    assert_eq!(school.app.sql(books).await, "CLEARING 1000, REVENUE -1000");
    let titles = "SELECT string_agg(content -> 'lines' -> 0 ->> 'title', ', ' ORDER BY issued_at, number) FROM invoices
        WHERE content::text LIKE '%extra%'";
    assert_eq!(school.app.sql(titles).await, "2 extra hours of live classes in 2026-11");
    let export = school.app.data(Some(&school.sam.token), "{ viewer { dataExport } }", json!({})).await;
    let data = &export["viewer"]["dataExport"];
    assert_eq!(data["memberships"]["extraHours"]["items"][0]["hours"], 2);
    assert_eq!(data["live"]["months"]["items"][0]["extraHours"], "2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn extra_hours_are_spent_last_and_do_not_roll_over() {
    let school = School::flexible(&[], 10).await;
    school.app.sql("UPDATE memberships SET plan_since = '2026-11-01T00:00:00Z'").await;
    let id = school.session(at(120) + TimeDelta::days(10), None).await;
    for user in [&school.sam, &school.tim] {
        school.buy(user, 2).await;
    }
    school.join(&school.sam, &id, false).await;
    school.turn_to(at(115) + TimeDelta::days(10)).await;
    school.join(&school.sam, &id, false).await;
    // For the next month as well.
    let order = school.app.mutate(&school.tim, "createOrder", ORDER, school.extra(1, Some("2026-12"))).await;
    school.act(&order["order"], "pay").await;
    school.turn_to("2026-12-01T00:00:00Z".parse().unwrap()).await;
    assert_eq!(school.hours(&school.sam, None).await, "0 0 1 1", "his own hour of November is spent");
    assert_eq!(school.hours(&school.tim, None).await, "0 0 1 3", "his own hour of November, and one extra");
    assert_eq!(school.extra_hours(&school.tim, None).await, "1");
    assert_eq!(school.extra_hours(&school.tim, Some("2026-11")).await, "2", "the history keeps them");
    assert_eq!(school.extra_hours(&school.sam, Some("2026-11")).await, "2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_orders_cannot_exceed_what_the_plan_sells() {
    let school = School::flexible(&[("LYCEUM_ORDER_MINUTES", "60")], 0).await;
    let input = school.extra(1, None);
    let orders = (0..6).map(|_| school.error(Some(&school.sam), "createOrder", input.clone()));
    let mut codes: Vec<String> =
        futures_util::future::join_all(orders).await.into_iter().map(|(code, _)| code).collect();
    codes.sort();
    assert_eq!(codes, ["", "", "", "OUT_OF_RANGE", "OUT_OF_RANGE", "OUT_OF_RANGE"]);
    let mut quote = school.extra(1, None);
    quote.as_object_mut().unwrap().remove("expectedTotal");
    let (code, text) = school.error(Some(&school.sam), "quoteOrder", quote).await;
    assert_eq!((code.as_str(), text.as_str()), ("OUT_OF_RANGE", "Your plan sells you at most 0 more for this month."));
    assert_eq!(school.error(Some(&school.tim), "createOrder", school.extra(4, None)).await.0, "OUT_OF_RANGE");
    assert_eq!(school.error(Some(&school.sam), "createOrder", school.extra(3, Some("2026-12"))).await.0, "");
    // An order that expires gives nothing, and its hours can be ordered again.
    school.app.app.clock.advance(TimeDelta::minutes(61));
    school.app.run("orders.expire").await;
    assert_eq!(school.hours(&school.sam, None).await, "0 0 1 1");
    school.buy(&school.sam, 3).await;
    assert_eq!(school.hours(&school.sam, None).await, "0 0 1 4");
    assert_eq!(school.error(Some(&school.sam), "createOrder", input).await.0, "OUT_OF_RANGE");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_takes_the_hours_back_that_are_left() {
    let school = School::flexible(&[], 0).await;
    let order = school.buy(&school.sam, 2).await;
    let ids = [school.session(at(120), None).await, school.session(at(180), None).await];
    for id in &ids {
        assert_eq!(school.join(&school.sam, id, false).await, "ELIGIBLE HELD");
    }
    school.refund(&order).await;
    assert_eq!(school.status(&order).await, "REFUNDED");
    // One of them holds a seat, which nothing else covers.
    assert_eq!(school.hours(&school.sam, None).await, "0 2 1 0");
    assert_eq!(school.extra_hours(&school.sam, None).await, "1");
    assert_eq!(school.place(&school.sam, &ids[1]).await, "HELD");
    let stored = "SELECT concat_ws(' ', extra_minutes, held_minutes) FROM live_usage";
    assert_eq!(school.app.sql(stored).await, "60 120");
    // Given back, it is gone, and as many can be bought as before.
    school.leave(&school.sam, &ids[1]).await;
    assert_eq!(school.hours(&school.sam, None).await, "0 1 1 0");
    assert_eq!(school.join(&school.sam, &ids[1], false).await, "INSUFFICIENT_HOURS RELEASED");
    school.buy(&school.sam, 3).await;
    assert_eq!(school.hours(&school.sam, None).await, "0 1 1 3");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dispute_takes_them_back_and_returns_them_when_it_is_won() {
    let school = School::flexible(&[], 0).await;
    for (user, end, left) in [(&school.sam, "win-dispute", "0 0 1 3"), (&school.tim, "lose-dispute", "0 0 1 1")] {
        let order = school.buy(user, 2).await;
        school.act(&order, "dispute").await;
        assert_eq!(school.hours(user, None).await, "0 0 1 1");
        school.act(&order, end).await;
        assert_eq!(school.hours(user, None).await, left, "{end}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_that_comes_late_counts_within_the_month_or_goes_back() {
    // Nine in the morning of the last day of November.
    let school = School::flexible(&[("LYCEUM_ORDER_MINUTES", "60"), ("LYCEUM_ORDER_REMINDER_MINUTES", "0")], 10).await;
    let (first, replaced) = (school.ordered(&school.sam, 1).await, school.ordered(&school.tim, 1).await);
    school.app.app.clock.advance(TimeDelta::minutes(61));
    school.app.run("orders.expire").await;
    school.app.sql("UPDATE sandbox_checkouts SET state = 'OPEN' WHERE state <> 'PAID'").await;
    school.act(&first, "pay").await;
    assert_eq!((school.status(&first).await, school.hours(&school.sam, None).await), ("PAID".into(), "0 0 1 2".into()));
    // Tim has bought as many as he may meanwhile.
    school.buy(&school.tim, 3).await;
    school.act(&replaced, "pay").await;
    assert_eq!(school.status(&replaced).await, "EXPIRED");
    assert_eq!(school.hours(&school.tim, None).await, "0 0 1 4");
    let refunds = "SELECT count(*) FROM refunds WHERE state = 'DONE'";
    assert_eq!(school.app.sql(refunds).await, "1");
    // An order that is still open when its month ends.
    let end: DateTime<Utc> = "2026-12-01T00:00:00Z".parse().unwrap();
    school.app.app.clock.advance(end - TimeDelta::minutes(10) - school.now());
    let last = school.ordered(&school.sam, 1).await;
    school.app.app.clock.advance(TimeDelta::minutes(20));
    school.act(&last, "pay").await;
    assert_eq!(school.status(&last).await, "CANCELED");
    assert_eq!(school.app.sql(refunds).await, "2");
    assert_eq!(school.extra_hours(&school.sam, Some("2026-11")).await, "1");
    assert_eq!(school.extra_hours(&school.sam, None).await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_pay_what_their_version_of_the_price_says() {
    let school = School::later(&MEMBERS_ONLY, TimeDelta::zero()).await;
    let old = school.plan_with_extras("1", "0", json!({})).await;
    school.subscribe(&school.sam, &old, "30").await;
    let query = "query ($id: ID!) { node(id: $id) { ... on PlanPrice { extraHourAmount { amount }
        plan { id maxExtraHours } } } }";
    let seen = school.app.data(Some(&school.sam.token), query, json!({ "id": old })).await;
    let plan = seen["node"]["plan"].clone();
    assert_eq!((&seen["node"]["extraHourAmount"]["amount"], &plan["maxExtraHours"]), (&json!("5.00"), &json!(3)));
    let set = async |extra: &str| {
        let input = json!({ "planId": plan["id"], "price": price(extra) });
        let set = school.app.mutate(&school.root, "setPlanPrice", "planPrice { id }", input).await;
        school.settle().await;
        set["planPrice"]["id"].as_str().unwrap().to_owned()
    };
    assert_eq!(set("5").await, old, "the same price");
    let new = set("7").await;
    school.subscribe(&school.tim, &new, "30").await;
    school.buy(&school.sam, 1).await;
    let (code, text) = school.error(Some(&school.tim), "createOrder", school.extra(1, None)).await;
    assert_eq!(code, "NOT_ALLOWED");
    assert!(text.contains("7.00"), "{text}");

    let with = |change: &dyn Fn(&mut Value)| {
        let mut input = school.extra(1, None);
        change(&mut input);
        input
    };
    for (what, user, input, code) in [
        ("no membership", &school.ada, school.extra(1, None), "NOT_ALLOWED"),
        ("no hour", &school.sam, school.extra(0, None), "OUT_OF_RANGE"),
        ("last month", &school.sam, school.extra(1, Some("2026-10")), "OUT_OF_RANGE"),
        ("in two months", &school.sam, school.extra(1, Some("2027-01")), "OUT_OF_RANGE"),
        (
            "another currency",
            &school.sam,
            with(&|input| {
                input["billing"]["currency"] = "USD".into();
                input["expectedTotal"]["currency"] = "USD".into();
            }),
            "NOT_ALLOWED",
        ),
        (
            "twice",
            &school.sam,
            with(&|input| input["items"] = json!([input["items"][0].clone(), input["items"][0].clone()])),
            "TAKEN",
        ),
    ] {
        assert_eq!(school.error(Some(user), "createOrder", input).await.0, code, "{what}");
    }
    // A plan that sells none anymore keeps what was bought.
    let input = json!({ "planId": plan["id"], "maxExtraHours": 0 });
    let edited = school.app.mutate(&school.root, "updatePlan", "plan { maxExtraHours }", input).await;
    assert_eq!(edited["plan"]["maxExtraHours"], Value::Null);
    assert_eq!(school.error(Some(&school.sam), "createOrder", school.extra(1, None)).await.0, "NOT_ALLOWED");
    assert_eq!(school.hours(&school.sam, None).await, "0 0 1 2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coupon_for_everything_is_for_extra_hours_too() {
    let school = School::flexible(&[("LYCEUM_TAXES", "DE=25")], 0).await;
    let coupon = async |input: Value| {
        school.app.mutate(&school.root, "createCoupon", "coupon { id }", input).await;
    };
    coupon(json!({ "code": "half", "percent": 50 })).await;
    coupon(json!({ "code": "all", "percent": 100 })).await;
    coupon(json!({ "code": "engines", "percent": 50, "courseIds": [school.course.id] })).await;
    let mut input = school.extra(2, None);
    for (code, total, tax) in [("half", "5.00", "1.00"), ("all", "0.00", "0.00")] {
        let mut input = input.clone();
        input["couponCode"] = code.into();
        input.as_object_mut().unwrap().remove("expectedTotal");
        let selection = "orderQuote { total { amount } tax { amount } }";
        let quote = school.app.mutate(&school.sam, "quoteOrder", selection, input).await;
        let expected = json!({ "total": { "amount": total }, "tax": { "amount": tax } });
        assert_eq!(quote["orderQuote"], expected, "{code}");
    }
    input["couponCode"] = "engines".into();
    assert_eq!(school.error(Some(&school.sam), "createOrder", input.clone()).await.0, "NOT_ALLOWED");
    // What costs nothing is paid at once.
    input["couponCode"] = "all".into();
    input["expectedTotal"]["amount"] = "0".into();
    let order = school.app.mutate(&school.sam, "createOrder", ORDER, input).await;
    assert_eq!(order["order"]["status"], "PAID");
    assert_eq!(school.hours(&school.sam, None).await, "0 0 1 3");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn extra_hours_of_the_owner_are_for_all_of_the_family() {
    let school = School::with(&MEMBERS_ONLY).await;
    let price = school.plan_with_extras("1", "0", json!({ "familySize": 2 })).await;
    let membership = school.subscribe(&school.sam, &price, "30").await;
    school.adopt(&school.sam, &membership, &school.tim, "tim").await;
    assert_eq!(school.error(Some(&school.tim), "createOrder", school.extra(1, None)).await.0, "NOT_ALLOWED");
    let order = school.buy(&school.sam, 2).await;
    for user in [&school.sam, &school.tim] {
        assert_eq!(school.extra_hours(user, None).await, "2");
        assert_eq!(school.hours(user, None).await, "0 0 1 3");
    }
    let ids = [school.session(at(120), None).await, school.session(at(240), None).await];
    for (user, id) in [(&school.tim, &ids[0]), (&school.sam, &ids[1])] {
        assert_eq!(school.join(user, id, false).await, "ELIGIBLE HELD");
    }
    school.turn_to(at(115)).await;
    school.join(&school.tim, &ids[0], false).await;
    school.turn_to(at(180)).await;
    assert_eq!(school.hours(&school.tim, None).await, "1 1 1 1");
    // Those that the others have spent are not his, and all are there once.
    let query = "{ subscriptionStatistics { totalHoursRemaining topUsers { user { name } maxHoursAllowed extraHours
        remainingHours } } }";
    let found = school.app.data(Some(&school.root.token), query, json!({})).await;
    let tim = json!({ "user": { "name": "Tim" }, "maxHoursAllowed": "1", "extraHours": "1", "remainingHours": "1" });
    assert_eq!(found["subscriptionStatistics"], json!({ "totalHoursRemaining": "1", "topUsers": [tim] }));
    // A refund takes back what is left of them.
    school.refund(&order).await;
    assert_eq!(school.hours(&school.tim, None).await, "1 1 1 0");
    assert_eq!(school.record(&school.ada, &ids[0], &[(&school.tim, false)]).await, "ABSENT");
    assert_eq!(school.hours(&school.tim, None).await, "0 1 1 0");
    assert_eq!(school.record(&school.ada, &ids[0], &[(&school.tim, true)]).await, "NOT_ALLOWED");
    school.buy(&school.sam, 1).await;
    assert_eq!(school.record(&school.ada, &ids[0], &[(&school.tim, true)]).await, "ATTENDED");
    assert_eq!(school.hours(&school.sam, None).await, "1 1 1 0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn own_extra_hours_do_not_count_in_a_family() {
    let school = School::with(&MEMBERS_ONLY).await;
    let own = school.plan_with_extras("1", "0", json!({})).await;
    let membership = school.subscribe(&school.tim, &own, "30").await;
    let order = school.buy(&school.tim, 1).await;
    let id = school.session(at(120), None).await;
    assert_eq!(school.join(&school.tim, &id, false).await, "ELIGIBLE HELD");
    school.leave(&school.tim, &id).await;
    let input = json!({ "membershipId": membership });
    school.app.mutate(&school.tim, "cancelMembership", "membership { id }", input).await;
    school.turn_to(at(60)).await;
    let over = format!("UPDATE memberships SET period_ends_at = '{}'", school.now().to_rfc3339());
    school.app.sql(&over).await;
    school.app.run("memberships.expire").await;
    school.settle().await;

    let shared = school.plan_with_extras("2", "0", json!({ "name": "Family", "familySize": 1 })).await;
    let membership = school.subscribe(&school.sam, &shared, "30").await;
    school.adopt(&school.sam, &membership, &school.tim, "tim").await;
    assert_eq!(school.hours(&school.tim, None).await, "0 0 2 2");
    assert_eq!(school.extra_hours(&school.tim, None).await, "0");
    // Their refund leaves the family's hours as they are, and gives him none.
    school.refund(&order).await;
    assert_eq!(school.hours(&school.tim, None).await, "0 0 2 2");
    let stored = "SELECT concat_ws(' ', allowed_minutes, extra_minutes) FROM live_usage";
    assert_eq!(school.app.sql(stored).await, "0 0");
}
