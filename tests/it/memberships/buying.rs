//! Memberships are bought by orders, and give access from the payment on.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_membership_begins_with_its_payment_and_opens_courses_that_come_later() {
    let club = Club::open().await;
    let plan = club.all_access().await;
    let quote = "orderQuote { total { amount } items { title course { id } planPrice { interval plan { name } } } }";
    let mut input = club.order_input(&month(&plan), "10");
    input.as_object_mut().unwrap().remove("expectedTotal");
    let quoted = club.app.mutate(&club.sam, "quoteOrder", quote, input).await;
    assert_eq!(quoted["orderQuote"]["total"]["amount"], "10.00");
    assert_eq!(quoted["orderQuote"]["items"][0]["planPrice"]["plan"]["name"], "All");
    assert_eq!(club.code(&club.sam, "createOrder", club.order_input(&month(&plan), "9")).await, "NOT_ALLOWED");
    let order = club.order(&club.sam, &month(&plan), "10").await;
    let id = order["items"][0]["membership"]["id"].as_str().unwrap();
    let seen = club.seen(id).await;
    assert_eq!(
        (&seen["status"], &seen["checkoutUrl"]),
        (&json!("PENDING"), &order["checkoutUrl"]),
        "the same checkout"
    );
    assert!(!club.has(&club.sam, &club.course).await);
    let again = club.order_input(&price_of(&plan, "YEAR"), "100");
    assert_eq!(club.code(&club.sam, "createOrder", again.clone()).await, "TAKEN", "one is pending");
    let resumed = club.change(&club.sam, "resumeMembership", id).await;
    assert_eq!(resumed["checkoutUrl"], order["checkoutUrl"]);
    club.act(order["number"].as_str().unwrap(), "pay-thrice").await;
    let seen = club.seen(id).await;
    assert_eq!(seen["status"], "ACTIVE");
    assert_eq!(seen["nextStatuses"], json!(["PAST_DUE", "CANCELED", "PAUSED", "EXPIRED"]));
    let end = club.now() + TimeDelta::days(30);
    assert_eq!((time(&seen["periodEndsAt"]), time(&seen["nextBillingAt"])), (end, end));
    assert_eq!(seen["entitlement"]["scope"], "EVERYTHING");
    assert_eq!(seen["entitlement"]["membership"]["id"], seen["id"]);
    assert_eq!((time(&seen["entitlement"]["expiresAt"]), &seen["entitlement"]["source"]), (end, &json!("MEMBERSHIP")));
    assert_eq!(seen["orders"]["nodes"][0]["items"], json!([{ "kind": "MEMBERSHIP", "title": "All" }]));
    let later = club.app.course(&club.ada, "Wheels", 1).await;
    assert!(club.has(&club.sam, &club.course).await && club.has(&club.sam, &later).await);
    assert_eq!(club.code(&club.sam, "createOrder", again).await, "TAKEN", "one is live");
    assert_eq!(club.told("started").await, "1");
    let mine = format!("{{ viewer {{ memberships {{ totalCount nodes {{ {MEMBERSHIP} }} }} }} }}");
    for (user, count) in [(&club.sam, 1), (&club.tim, 0)] {
        let data = club.app.data(Some(&user.token), &mine, json!({})).await;
        assert_eq!(data["viewer"]["memberships"]["totalCount"], count);
    }
    assert_eq!(club.node(&club.tim, id, "id").await, Value::Null, "for the member and administrators only");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_for_a_course_or_a_category_opens_that() {
    let club = Club::open().await;
    let made = club.app.mutate(&club.root, "createCategory", "category { id }", json!({ "name": "Subjects" })).await;
    let category = &made["category"]["id"];
    let other = club.app.course(&club.ada, "Wheels", 1).await;
    let input = json!({ "courseId": other.id, "categoryId": category });
    club.app.edit(&club.root, "updateCourse", "course { id }", input).await;
    let prices = json!([price("5", "MONTH")]);
    let of_course =
        club.plan(json!({ "kind": "COURSE", "name": "One", "courseId": club.course.id, "prices": prices })).await;
    let of_category =
        club.plan(json!({ "kind": "CATEGORY", "name": "Some", "categoryId": category, "prices": prices })).await;
    club.join(&club.sam, &month(&of_course), "5").await;
    club.join(&club.tim, &month(&of_category), "5").await;
    for (user, course, has) in [
        (&club.sam, &club.course, true),
        (&club.sam, &other, false),
        (&club.tim, &club.course, false),
        (&club.tim, &other, true),
    ] {
        assert_eq!(club.has(user, course).await, has, "{} {}", user.id, course.slug);
    }
    club.app.forget_rows();
    let query = "query ($id: ID!) { course(id: $id) { studentCount } }";
    let data = club.app.data(None, query, json!({ "id": club.course.id })).await;
    assert_eq!(data["course"]["studentCount"], 1);
    // Different scopes are different memberships.
    club.join(&club.sam, &month(&of_category), "5").await;
    assert!(club.has(&club.sam, &other).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_membership_that_is_not_paid_ends_with_its_order() {
    let mut club = Club::open().await;
    let plan = club.all_access().await;
    let expired = club.order(&club.sam, &month(&plan), "10").await;
    let canceled = club.order(&club.tim, &month(&plan), "10").await;
    let id = |order: &Value| order["items"][0]["membership"]["id"].as_str().unwrap().to_owned();
    club.change(&club.tim, "cancelMembership", &id(&canceled)).await;
    club.pass(TimeDelta::days(2)).await;
    for (order, status) in [(&expired, "EXPIRED"), (&canceled, "CANCELED")] {
        let seen = club.seen(&id(order)).await;
        assert_eq!((&seen["status"], &seen["checkoutUrl"]), (&json!("EXPIRED"), &Value::Null));
        assert_eq!(seen["orders"]["nodes"][0]["status"], status);
    }
    assert_eq!(club.app.sql("SELECT count(*) FROM entitlements").await, "0");
    // Money that comes late, from a checkout that was not closed in time, pays for it after all, unless there is another
    // one by then.
    club.app.sql("UPDATE sandbox_checkouts SET state = 'OPEN'").await;
    club.act(expired["number"].as_str().unwrap(), "pay").await;
    assert_eq!(club.status(&id(&expired)).await, "ACTIVE");
    let another = club.join(&club.tim, &month(&plan), "10").await;
    club.act(canceled["number"].as_str().unwrap(), "pay").await;
    assert_eq!((club.status(&another).await, club.status(&id(&canceled)).await), ("ACTIVE".into(), "EXPIRED".into()));
    assert_eq!(club.app.sql("SELECT count(*) FROM refunds WHERE state = 'DONE'").await, "1", "that money went back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pending_membership_can_be_changed() {
    let club = Club::open().await;
    let plan = club.all_access().await;
    let order = club.order(&club.sam, &month(&plan), "10").await;
    let id = order["items"][0]["membership"]["id"].as_str().unwrap();
    let input = json!({ "membershipId": id, "planPriceId": price_of(&plan, "YEAR"), "when": "NOW" });
    club.app.mutate(&club.sam, "changeMembership", "membership { id }", input).await;
    let seen = club.seen(id).await;
    assert_eq!(seen["status"], "PENDING");
    assert_ne!(seen["checkoutUrl"], order["checkoutUrl"]);
    assert_eq!(club.orders(id).await, ["PENDING 100.00", "CANCELED 10.00"]);
    // The money of the order that was replaced goes back.
    club.act(order["number"].as_str().unwrap(), "pay").await;
    assert_eq!(club.orders(id).await, ["PENDING 100.00", "CANCELED 10.00"]);
    assert_eq!(club.app.sql("SELECT sum(refunded_minor) FROM orders").await, "1000");
    club.act(&club.numbers(id).await[0], "pay").await;
    let seen = club.seen(id).await;
    assert_eq!((&seen["status"], time(&seen["periodEndsAt"])), (&json!("ACTIVE"), club.now() + TimeDelta::days(365)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trial_costs_nothing_and_is_given_once() {
    let mut club = Club::open().await;
    let mut monthly = price("10", "MONTH");
    monthly["trialDays"] = json!(14);
    let plan = club.plan(json!({ "kind": "ALL_ACCESS", "name": "All", "prices": [monthly] })).await;
    let id = club.join(&club.sam, &month(&plan), "0").await;
    let seen = club.seen(&id).await;
    assert_eq!(seen["status"], "TRIALING");
    assert_eq!(time(&seen["nextBillingAt"]), club.now() + TimeDelta::days(14));
    assert!(club.has(&club.sam, &club.course).await);
    // Canceled and taken back, it is still a trial.
    assert_eq!(club.change(&club.sam, "cancelMembership", &id).await["status"], "CANCELED");
    assert_eq!(club.change(&club.sam, "resumeMembership", &id).await["status"], "TRIALING");
    club.pass(TimeDelta::days(8)).await;
    assert_eq!(club.told("renews_soon").await, "1", "a week before the first charge");
    club.pass(TimeDelta::days(6)).await;
    // Nothing was ever paid: the first charge is an order with a checkout.
    let seen = club.seen(&id).await;
    assert!(seen["status"] == "TRIALING" && seen["checkoutUrl"].is_string() && seen["nextBillingAt"].is_null());
    assert!(club.has(&club.sam, &club.course).await, "until it is decided");
    club.act(&club.numbers(&id).await[0], "pay").await;
    let seen = club.seen(&id).await;
    assert_eq!(seen["status"], "ACTIVE");
    let start = lyceum_start() + TimeDelta::days(14);
    assert_eq!((time(&seen["periodStartsAt"]), time(&seen["periodEndsAt"])), (start, start + TimeDelta::days(31)));
    assert_eq!(club.orders(&id).await, ["PAID 10.00", "PAID 0.00"]);
    club.change(&club.sam, "cancelMembership", &id).await;
    club.pass(TimeDelta::days(31)).await;
    assert_eq!(club.status(&id).await, "EXPIRED");
    let again = club.order_input(&month(&plan), "0");
    assert_eq!(club.code(&club.sam, "createOrder", again).await, "NOT_ALLOWED", "another total: the trial is used up");
    club.join(&club.sam, &month(&plan), "10").await;
}

fn lyceum_start() -> DateTime<Utc> {
    crate::support::app::start()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_or_a_charge_back_ends_it_and_a_won_dispute_restores_it() {
    let mut club = Club::open().await;
    let plan = club.all_access().await;
    let id = club.join(&club.sam, &month(&plan), "10").await;
    let number = club.numbers(&id).await[0].clone();
    for (action, status) in [("dispute", "EXPIRED"), ("win-dispute", "CANCELED")] {
        club.act(&number, action).await;
        assert_eq!(club.status(&id).await, status, "{action}");
        assert_eq!(club.has(&club.sam, &club.course).await, status == "CANCELED", "{action}");
    }
    assert_eq!(club.seen(&id).await["nextBillingAt"], Value::Null, "nothing is charged that the member may not want");
    let seen = club.change(&club.sam, "resumeMembership", &id).await;
    assert_eq!(time(&seen["nextBillingAt"]), time(&seen["periodEndsAt"]), "it renews itself again");
    club.pass(TimeDelta::days(31)).await;
    assert_eq!(club.orders(&id).await, ["PAID 10.00", "PAID 10.00"]);
    let order = club.seen(&id).await["orders"]["nodes"][1]["id"].clone();
    let refund = async |club: &Club, order: &Value, amount: Option<&str>| {
        let amount = amount.map(|amount| json!({ "amount": amount, "currency": "EUR" }));
        let input = json!({ "orderId": order, "amount": amount, "reason": "Not satisfied" });
        club.app.mutate(&club.root, "refundOrder", "order { id }", input).await;
        club.settle().await;
    };
    refund(&club, &order, None).await;
    assert_eq!(club.status(&id).await, "ACTIVE", "that period is over");
    let order = club.seen(&id).await["orders"]["nodes"][0]["id"].clone();
    refund(&club, &order, Some("4")).await;
    assert_eq!(club.status(&id).await, "ACTIVE", "a part ends nothing");
    refund(&club, &order, None).await;
    let seen = club.seen(&id).await;
    assert_eq!((&seen["status"], &seen["entitlement"]["endReason"]), (&json!("EXPIRED"), &json!("REFUNDED")));
    assert!(!club.has(&club.sam, &club.course).await);
    club.pass(TimeDelta::days(31)).await;
    assert_eq!(club.orders(&id).await.len(), 2, "nothing more is charged");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_membership_is_ordered_by_itself_in_its_currency_and_a_coupon_is_for_its_first_period() {
    let mut club = Club::with(&[("LYCEUM_TAXES", "DE=+10")]).await;
    let plan = club.all_access().await;
    let mut both = club.order_input(&month(&plan), "10");
    both["items"].as_array_mut().unwrap().push(json!({ "courseId": club.course.id }));
    assert_eq!(club.code(&club.sam, "createOrder", both).await, "NOT_ALLOWED");
    let mut dollars = club.order_input(&month(&plan), "10");
    dollars["billing"]["currency"] = json!("USD");
    assert_eq!(club.code(&club.sam, "createOrder", dollars).await, "NOT_ALLOWED");
    let of_course = json!({ "code": "COURSE", "percent": 50, "courseIds": [club.course.id] });
    for input in [json!({ "code": "HALF", "percent": 50 }), of_course] {
        club.app.mutate(&club.root, "createCoupon", "coupon { id }", input).await;
    }
    let mut input = club.order_input(&month(&plan), "5.50");
    input["couponCode"] = json!("COURSE");
    assert_eq!(club.code(&club.sam, "createOrder", input.clone()).await, "NOT_ALLOWED", "for a course only");
    input["couponCode"] = json!("half");
    input["idempotencyKey"] = json!("once");
    let create = async |club: &Club| {
        club.app.mutate(&club.sam, "createOrder", "order { number items { membership { id } } }", input.clone()).await
    };
    let order = create(&club).await;
    let coupon = club.app.sql("SELECT id FROM coupons WHERE code = 'HALF'").await;
    let coupon: lyceum::graphql::Id<lyceum::orders::Coupon> = lyceum::graphql::Id::new(coupon.parse().unwrap());
    club.app.mutate(&club.root, "archiveCoupon", "coupon { id }", json!({ "couponId": coupon.encode() })).await;
    assert_eq!(create(&club).await, order, "the same request again, after the coupon has ended");
    club.act(order["order"]["number"].as_str().unwrap(), "pay").await;
    let id = order["order"]["items"][0]["membership"]["id"].as_str().unwrap().to_owned();
    club.pass(TimeDelta::days(31)).await;
    assert_eq!(club.orders(&id).await, ["PAID 11.00", "PAID 5.50"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_parallel_orders_for_the_same_one_is_placed() {
    let club = Club::open().await;
    let plan = club.all_access().await;
    let orders = (0..6).map(async |_| club.code(&club.sam, "createOrder", club.order_input(&month(&plan), "10")).await);
    let codes = futures_util::future::join_all(orders).await;
    assert_eq!(codes.iter().filter(|code| code.is_empty()).count(), 1, "{codes:?}");
    assert_eq!(club.app.sql("SELECT count(*) FROM memberships").await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_memberships_takes_the_same_statements_whatever_its_length() {
    let club = Club::open().await;
    let plan = club.all_access().await;
    club.join(&club.sam, &month(&plan), "10").await;
    club.app
        .sql(
            "INSERT INTO memberships (id, user_id, plan_id, plan_price_id, kind, status, country, created_at, updated_at, \
             ended_at) SELECT gen_random_uuid(), user_id, plan_id, plan_price_id, kind, 'EXPIRED', country, \
             created_at - number * interval '1 minute', updated_at, updated_at \
             FROM memberships, generate_series(1, 19) AS number",
        )
        .await;
    let query = format!(
        "query ($first: Int!) {{ viewer {{ memberships(first: $first) {{ totalCount nodes {{ {} }} }} }} }}",
        MEMBERSHIP.replace("orders { totalCount nodes {", "orders(first: 1) { nodes {")
    );
    let mut counts = Vec::new();
    for first in [1, 20] {
        let (count, data) = club
            .app
            .counted(async || club.app.data(Some(&club.sam.token), &query, json!({ "first": first })).await)
            .await;
        assert_eq!(data["viewer"]["memberships"]["nodes"].as_array().unwrap().len(), first);
        counts.push(count);
    }
    assert_eq!(counts[0], counts[1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_item_of_an_order_has_the_price_that_was_charged() {
    let club = Club::open().await;
    let plan = club.all_access().await;
    let old = month(&plan);
    club.join(&club.sam, &old, "10").await;
    let input = json!({ "planId": plan["id"], "price": price("12", "MONTH") });
    club.app.mutate(&club.root, "setPlanPrice", "plan { id }", input).await;
    club.settle().await;
    let new = month(&club.seen_plan(plan["id"].as_str().unwrap()).await);
    club.join(&club.tim, &new, "12").await;
    let query = "query ($first: Int) { orders(first: $first, sort: { field: TOTAL, direction: ASC }) { nodes {
        items { kind planPrice { id amount { amount } plan { name } } } } } }";
    let data = club.app.data(Some(&club.root.token), query, json!({ "first": 2 })).await;
    let order = |id: &str, amount: &str| {
        let price = json!({ "id": id, "amount": { "amount": amount }, "plan": { "name": "All" } });
        json!({ "items": [{ "kind": "MEMBERSHIP", "planPrice": price }] })
    };
    assert_eq!(data["orders"]["nodes"], json!([order(&old, "10.00"), order(&new, "12.00")]));
    let mut counts = Vec::new();
    for first in [1, 2] {
        counts.push(club.app.statements(Some(&club.root.token), query, json!({ "first": first })).await);
    }
    assert_eq!(counts[0], counts[1]);
    // The buyer sees it, too; other items have none.
    let mine = "{ viewer { orders { nodes { items { planPrice { id } } } } } }";
    let data = club.app.data(Some(&club.sam.token), mine, json!({})).await;
    assert_eq!(data["viewer"]["orders"]["nodes"], json!([{ "items": [{ "planPrice": { "id": old } }] }]));
    let mut donation = club.order_input(&old, "2");
    donation["items"] = json!([{ "donation": { "amount": "2", "currency": "EUR" } }]);
    let donated = club.app.mutate(&club.sam, "createOrder", "order { items { planPrice { id } } }", donation).await;
    assert_eq!(donated["order"]["items"], json!([{ "planPrice": null }]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_lists_their_memberships_by_state() {
    let club = Club::open().await;
    let (all, basic) = (club.all_access().await, club.hours("Basic", "4", "29").await);
    club.join(&club.sam, &month(&all), "10").await;
    club.app.app.clock.advance(TimeDelta::minutes(1));
    club.order(&club.sam, &month(&basic), "29").await;
    for (filter, expected) in [
        ("", vec!["PENDING", "ACTIVE"]),
        ("(filter: {})", vec!["PENDING", "ACTIVE"]),
        ("(filter: { statuses: [ACTIVE, PENDING] })", vec!["PENDING", "ACTIVE"]),
        ("(filter: { statuses: [ACTIVE, TRIALING] })", vec!["ACTIVE"]),
        ("(filter: { statuses: [PENDING] })", vec!["PENDING"]),
        ("(filter: { statuses: [EXPIRED] })", vec![]),
        ("(filter: { statuses: [] })", vec![]),
    ] {
        let query = format!("{{ viewer {{ memberships{filter} {{ totalCount nodes {{ status }} }} }} }}");
        let data = club.app.data(Some(&club.sam.token), &query, json!({})).await;
        let nodes = data["viewer"]["memberships"]["nodes"].as_array().unwrap();
        let found: Vec<&str> = nodes.iter().map(|node| node["status"].as_str().unwrap()).collect();
        let total = &data["viewer"]["memberships"]["totalCount"];
        assert_eq!((&found, total), (&expected, &json!(expected.len())), "{filter}");
        let data = club.app.data(Some(&club.tim.token), &query, json!({})).await;
        assert_eq!(data["viewer"]["memberships"]["totalCount"], 0, "those of others");
    }
}
