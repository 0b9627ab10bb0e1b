//! Plans: who makes them, their prices as versions, and what the payment providers know of them.

use super::*;

/// A price of a euro a month, and of so much for an extra hour.
fn price_with_extra(amount: &str, currency: &str) -> Value {
    let mut price = price("1", "MONTH");
    price["extraHourAmount"] = json!({ "amount": amount, "currency": currency });
    price
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_is_created_at_the_provider_and_then_sold() {
    let club = Club::open().await;
    club.sandbox().set_trouble(Trouble::Away);
    let input = json!({
        "kind": "LIVE_CLASS", "name": "Basic", "liveHoursPerMonth": "4", "renewalCron": "0 6 * * *",
        "prices": [price("29", "MONTH"), price("290", "YEAR")], "idempotencyKey": "basic",
    });
    let plan = club.plan(input.clone()).await;
    assert_eq!(
        (&plan["status"], &plan["slug"], &plan["kind"]),
        (&json!("PENDING"), &json!("basic"), &json!("LIVE_CLASS"))
    );
    assert_eq!((&plan["liveHoursPerMonth"], &plan["renewalCron"]), (&json!("4"), &json!("0 6 * * *")));
    let again = club.app.mutate(&club.root, "createPlan", "plan { id }", input).await;
    assert_eq!(again["plan"]["id"], plan["id"], "the same key is the same plan");
    let id = plan["id"].as_str().unwrap();
    let gateways = "... on Plan { status gateways { provider status externalId lastError planPrice { interval } } }";
    let seen = club.node(&club.root, id, gateways).await;
    assert_eq!(seen["gateways"].as_array().unwrap().len(), 2);
    assert_eq!(seen["gateways"][0]["lastError"], "the payment provider did not answer in time");
    let order = club.order_input(&month(&plan), "29");
    assert_eq!(club.code(&club.sam, "createOrder", order.clone()).await, "NOT_ALLOWED", "not at the provider yet");
    // It did create them, but its answer was lost.
    club.sandbox().set_trouble(Trouble::AnswersLost);
    club.app.app.clock.advance(TimeDelta::minutes(2));
    club.app.run("memberships.sync_gateways").await;
    assert_eq!(club.seen_plan(id).await["status"], "PENDING");
    club.sandbox().set_trouble(Trouble::None);
    club.app.run("memberships.sync_gateways").await;
    assert_eq!(club.seen_plan(id).await["status"], "PENDING", "each attempt waits longer");
    club.app.app.clock.advance(TimeDelta::minutes(4));
    club.app.run("memberships.sync_gateways").await;
    let seen = club.node(&club.root, id, gateways).await;
    assert_eq!((&seen["status"], &seen["gateways"][0]["lastError"]), (&json!("ACTIVE"), &Value::Null));
    assert!(seen["gateways"][0]["externalId"].as_str().unwrap().starts_with("sandbox_plan_"));
    assert_eq!(club.code(&club.sam, "createOrder", order).await, "");
    let refused =
        club.app.send(Some(&club.sam.token), &format!("{{ node(id: \"{id}\") {{ {gateways} }} }}"), json!({})).await;
    assert_eq!(code_of(&refused), "FORBIDDEN");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_price_edit_is_a_new_version_and_members_keep_theirs_unless_they_are_moved() {
    let mut club = Club::open().await;
    let plan = club.all_access().await;
    let old = month(&plan);
    let (sam, tim) = (club.join(&club.sam, &old, "10").await, club.join(&club.tim, &old, "10").await);
    let input = |amount: &str, moves: bool| json!({ "planId": plan["id"], "price": price(amount, "MONTH"), "movesMembers": moves });
    let set = async |club: &Club, input: Value| {
        let selection = "plan { id } planPrice { id amount { amount } retiredAt }";
        club.app.mutate(&club.root, "setPlanPrice", selection, input).await
    };
    let same = set(&club, input("10", false)).await;
    assert_eq!(same["planPrice"]["id"], json!(old), "the same price is no new version");
    let new = set(&club, input("12", false)).await;
    club.settle().await;
    let seen = club.seen_plan(plan["id"].as_str().unwrap()).await;
    assert_eq!(month(&seen), new["planPrice"]["id"].as_str().unwrap());
    assert_eq!(seen["status"], "ACTIVE");
    let retired = club.node(&club.sam, &old, "... on PlanPrice { retiredAt amount { amount } plan { id } }").await;
    assert!(retired["retiredAt"].is_string() && retired["plan"]["id"] == plan["id"]);
    assert_eq!(
        club.code(&club.ada, "createOrder", club.order_input(&old, "10")).await,
        "NOT_FOUND",
        "not sold anymore"
    );
    assert_eq!(
        club.app
            .sql("SELECT status FROM plan_gateways JOIN plan_prices ON id = plan_price_id WHERE retired_at IS NOT NULL")
            .await,
        "RETIRED"
    );
    club.pass(TimeDelta::days(31)).await;
    assert_eq!(club.orders(&sam).await, ["PAID 10.00", "PAID 10.00"], "members keep their price");
    // Ada pauses when the price goes up, and gets around nothing.
    let ada = club.join(&club.ada, &month(&seen), "12").await;
    club.change(&club.ada, "pauseMembership", &ada).await;
    // Tim has chosen another interval himself.
    let choice = json!({ "membershipId": tim, "planPriceId": price_of(&plan, "YEAR"), "when": "RENEWAL" });
    club.app.mutate(&club.tim, "changeMembership", "membership { id }", choice).await;
    club.app.sql("UPDATE memberships SET plan_price_id = (SELECT id FROM plan_prices WHERE amount_minor = 1200)").await;
    set(&club, input("15", true)).await;
    club.settle().await;
    club.change(&club.ada, "resumeMembership", &ada).await;
    club.pass(TimeDelta::days(31)).await;
    assert_eq!(club.orders(&sam).await[0], "PAID 15.00");
    assert_eq!(club.orders(&tim).await[0], "PAID 100.00");
    assert_eq!(club.orders(&ada).await[0], "PAID 15.00");
    assert_eq!(club.told("change_planned").await, "3", "by Tim, and by the move");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_set_up_later_is_told_of_the_prices_that_are_sold() {
    let club = Club::open().await;
    let plan = club.all_access().await;
    // As if the sandbox had been set up after the plan.
    club.app.sql("DELETE FROM plan_gateways").await;
    assert_eq!(club.code(&club.sam, "createOrder", club.order_input(&month(&plan), "10")).await, "NOT_ALLOWED");
    club.app.run("memberships.sync").await;
    assert_eq!(club.app.sql("SELECT string_agg(status, ' ') FROM plan_gateways").await, "ACTIVE ACTIVE");
    club.join(&club.sam, &month(&plan), "10").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archived_plan_is_retired_at_the_provider_and_its_members_stay_until_their_period_ends() {
    let mut club = Club::open().await;
    let plan = club.all_access().await;
    let id = plan["id"].as_str().unwrap();
    let sam = club.join(&club.sam, &month(&plan), "10").await;
    club.sandbox().set_trouble(Trouble::Away);
    club.app.mutate(&club.root, "archivePlan", "plan { id }", json!({ "planId": id })).await;
    club.settle().await;
    assert_eq!(club.seen_plan(id).await["status"], "RETIRING");
    club.sandbox().set_trouble(Trouble::None);
    club.app.app.clock.advance(TimeDelta::minutes(2));
    club.app.run("memberships.sync_gateways").await;
    let seen = club.seen_plan(id).await;
    assert!(seen["status"] == "RETIRED" && seen["archivedAt"].is_string() && seen["prices"] == json!([]));
    assert_eq!(club.code(&club.root, "updatePlan", json!({ "planId": id, "name": "x" })).await, "NOT_ALLOWED");
    assert_eq!(club.code(&club.root, "archivePlan", json!({ "planId": id })).await, "", "twice changes nothing");
    assert_eq!(club.status(&sam).await, "CANCELED");
    assert!(club.has(&club.sam, &club.course).await);
    assert_eq!(club.code(&club.sam, "resumeMembership", json!({ "membershipId": sam })).await, "NOT_ALLOWED");
    club.pass(TimeDelta::days(31)).await;
    assert_eq!(club.status(&sam).await, "EXPIRED");
    assert!(!club.has(&club.sam, &club.course).await);
    let seen = club.node(&club.sam, id, "id").await;
    assert_eq!(seen, Value::Null, "archived plans are for administrators");
    let query = "{ plans { totalCount nodes { id } } }";
    for (user, count) in [(&club.sam, 0), (&club.root, 1)] {
        let data = club.app.data(Some(&user.token), query, json!({})).await;
        assert_eq!(data["plans"]["totalCount"], count);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn archiving_or_deleting_what_a_plan_is_for_archives_it() {
    let mut club = Club::open().await;
    let made = club.app.mutate(&club.root, "createCategory", "category { id }", json!({ "name": "Subjects" })).await;
    let category = made["category"]["id"].clone();
    let other = club.app.course(&club.ada, "Wheels", 1).await;
    let plan = async |club: &Club, input: Value| club.plan(input).await["id"].as_str().unwrap().to_owned();
    let prices = json!([price("5", "MONTH")]);
    let of_course = json!({ "kind": "COURSE", "name": "Engines", "courseId": club.course.id, "prices": prices });
    let of_other = json!({ "kind": "COURSE", "name": "Wheels", "courseId": other.id, "prices": prices });
    let of_category = json!({ "kind": "CATEGORY", "name": "Subjects", "categoryId": category, "prices": prices });
    let plans = [plan(&club, of_course).await, plan(&club, of_other).await, plan(&club, of_category).await];
    club.app.mutate(&club.ada, "archiveCourse", "course { id }", json!({ "courseId": club.course.id })).await;
    club.app.mutate(&club.ada, "deleteCourse", "deletedCourseId", json!({ "courseId": other.id })).await;
    club.app.mutate(&club.root, "deleteCategory", "deletedCategoryId", json!({ "categoryId": category })).await;
    club.settle().await;
    club.pass(TimeDelta::minutes(5)).await;
    club.app.run("memberships.archive_orphans").await;
    club.app.run("memberships.sync_gateways").await;
    for plan in plans {
        let seen = club.seen_plan(&plan).await;
        assert_eq!(seen["status"], "RETIRED", "{seen:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archived_category_has_no_plans_and_its_courses_are_sold_as_before() {
    let mut club = Club::open().await;
    let made = club.app.mutate(&club.root, "createCategory", "category { id }", json!({ "name": "Subjects" })).await;
    let category = made["category"]["id"].clone();
    let input = json!({ "courseId": club.course.id, "categoryId": category });
    club.app.edit(&club.ada, "updateCourse", "course { id }", input).await;
    let prices = json!([price("5", "MONTH")]);
    let of = |name: &str| json!({ "kind": "CATEGORY", "name": name, "categoryId": category, "prices": prices });
    let of_course = json!({ "kind": "COURSE", "name": "One", "courseId": club.course.id, "prices": prices });
    let (plan, of_course) = (club.plan(of("All subjects")).await, club.plan(of_course).await);
    let sam = club.join(&club.sam, &month(&plan), "5").await;
    club.sandbox().set_trouble(Trouble::Away);
    let input = json!({ "categoryId": category });
    club.app.mutate(&club.root, "archiveCategory", "category { id }", input.clone()).await;
    club.settle().await;
    let id = plan["id"].as_str().unwrap();
    assert_eq!(club.seen_plan(id).await["status"], "RETIRING", "shown while the provider does not know it");
    club.sandbox().set_trouble(Trouble::None);
    club.app.app.clock.advance(TimeDelta::minutes(2));
    club.app.run("memberships.sync_gateways").await;
    assert_eq!(club.seen_plan(id).await["status"], "RETIRED");
    assert_eq!(club.status(&sam).await, "CANCELED", "until the end of what is paid");
    assert!(club.has(&club.sam, &club.course).await);
    assert_eq!(club.code(&club.tim, "createOrder", club.order_input(&month(&plan), "5")).await, "NOT_FOUND");
    club.join(&club.tim, &month(&of_course), "5").await;
    assert!(club.has(&club.tim, &club.course).await, "the course is sold as before");
    assert_eq!(club.code(&club.root, "createPlan", of("Another")).await, "NOT_ALLOWED");
    // Brought back, it has the plans that are made then.
    club.app.mutate(&club.root, "unarchiveCategory", "category { id }", input).await;
    assert_eq!(club.seen_plan(id).await["status"], "RETIRED");
    assert_eq!(club.code(&club.root, "createPlan", of("Another")).await, "");
    club.pass(TimeDelta::days(31)).await;
    assert!(!club.has(&club.sam, &club.course).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_are_checked_as_a_whole_and_managed_by_who_may() {
    let club = Club::open().await;
    let prices = json!([price("10", "MONTH")]);
    let eve = club.app.user("Eve", Role::Instructor).await;
    let course = |name: &str| json!({ "kind": "COURSE", "name": name, "courseId": club.course.id, "prices": prices });
    for (user, input, code) in [
        (&club.ada, course("By its instructor"), ""),
        (&club.root, course("By an administrator"), ""),
        (&eve, course("By another instructor"), "NOT_FOUND"),
        (&club.sam, course("By a student"), "FORBIDDEN"),
        (&club.ada, json!({ "kind": "ALL_ACCESS", "name": "All", "prices": prices }), "FORBIDDEN"),
        (&club.root, course("By an administrator"), "TAKEN"),
        (&club.root, json!({ "kind": "COURSE", "name": "No course", "prices": prices }), "BLANK"),
        (&club.root, json!({ "kind": "CATEGORY", "name": "No category", "prices": prices }), "BLANK"),
        (&club.root, json!({ "kind": "LIVE_CLASS", "name": "No hours", "prices": prices }), "BLANK"),
        (
            &club.root,
            json!({ "kind": "ALL_ACCESS", "name": "x", "courseId": club.course.id, "prices": prices }),
            "NOT_ALLOWED",
        ),
        (
            &club.root,
            json!({ "kind": "ALL_ACCESS", "name": "x", "liveHoursPerMonth": 4, "prices": prices }),
            "NOT_ALLOWED",
        ),
        (
            &club.root,
            json!({ "kind": "LIVE_CLASS", "name": "x", "liveHoursPerMonth": "0.01", "prices": prices }),
            "OUT_OF_RANGE",
        ),
        (&club.root, json!({ "kind": "ALL_ACCESS", "name": "x", "rolloverHours": 1, "prices": prices }), "NOT_ALLOWED"),
        (
            &club.root,
            json!({
                "kind": "LIVE_CLASS", "name": "x", "liveHoursPerMonth": 4, "rolloverHours": "745", "prices": prices,
            }),
            "OUT_OF_RANGE",
        ),
        (&club.root, json!({ "kind": "ALL_ACCESS", "name": "x", "maxExtraHours": 1, "prices": prices }), "NOT_ALLOWED"),
        (
            &club.root,
            json!({
                "kind": "LIVE_CLASS", "name": "x", "liveHoursPerMonth": 4, "maxExtraHours": 745, "prices": prices,
            }),
            "OUT_OF_RANGE",
        ),
        (
            &club.root,
            json!({ "kind": "ALL_ACCESS", "name": "x", "prices": [price_with_extra("1", "EUR")] }),
            "NOT_ALLOWED",
        ),
        (
            &club.root,
            json!({
                "kind": "LIVE_CLASS", "name": "x", "liveHoursPerMonth": 4, "prices": [price_with_extra("1", "USD")],
            }),
            "NOT_ALLOWED",
        ),
        (
            &club.root,
            json!({
                "kind": "LIVE_CLASS", "name": "x", "liveHoursPerMonth": 4, "prices": [price_with_extra("0", "EUR")],
            }),
            "OUT_OF_RANGE",
        ),
        (&club.root, json!({ "kind": "ALL_ACCESS", "name": "x", "familySize": 2, "prices": prices }), "NOT_ALLOWED"),
        (
            &club.root,
            json!({ "kind": "LIVE_CLASS", "name": "x", "liveHoursPerMonth": 4, "familySize": 11, "prices": prices }),
            "OUT_OF_RANGE",
        ),
        (
            &club.root,
            json!({
                "kind": "LIVE_CLASS", "name": "x", "liveHoursPerMonth": 4, "familyMemberHours": 1, "prices": prices,
            }),
            "NOT_ALLOWED",
        ),
        (
            &club.root,
            json!({
                "kind": "LIVE_CLASS", "name": "x", "liveHoursPerMonth": 4, "familySize": 2, "familyMemberHours": "745",
                "prices": prices,
            }),
            "OUT_OF_RANGE",
        ),
        (&club.root, json!({ "kind": "ALL_ACCESS", "name": " ", "prices": prices }), "BLANK"),
        (&club.root, json!({ "kind": "ALL_ACCESS", "name": "x", "slug": "A b", "prices": prices }), "INVALID"),
        (&club.root, json!({ "kind": "ALL_ACCESS", "name": "x", "renewalCron": "daily", "prices": prices }), "INVALID"),
        (
            &club.root,
            json!({ "kind": "ALL_ACCESS", "name": "x", "renewalCron": "0 0 6 * * *", "prices": prices }),
            "INVALID",
        ),
        (&club.root, json!({ "kind": "ALL_ACCESS", "name": "x", "prices": [] }), "OUT_OF_RANGE"),
        (&club.root, json!({ "kind": "ALL_ACCESS", "name": "x", "prices": [price("0", "MONTH")] }), "OUT_OF_RANGE"),
        (
            &club.root,
            json!({ "kind": "ALL_ACCESS", "name": "x", "prices": [price("1", "YEAR"), price("2", "YEAR")] }),
            "TAKEN",
        ),
    ] {
        assert_eq!(club.code(user, "createPlan", input.clone()).await, code, "{input}");
    }
    let nowhere = json!({ "kind": "CATEGORY", "name": "x", "categoryId": lyceum::catalog::CategoryId::new(uuid::Uuid::nil()).encode(), "prices": prices });
    assert_eq!(club.code(&club.root, "createPlan", nowhere).await, "NOT_FOUND");
    let own =
        club.app.data(None, "{ plans(filter: { slug: \"by-its-instructor\" }) { nodes { id } } }", json!({})).await;
    let own = &own["plans"]["nodes"][0]["id"];
    let selection = "plan { name renewalCron }";
    let input = json!({ "planId": own, "name": "Better", "renewalCron": "0 5 * * *" });
    let edited = club.app.mutate(&club.ada, "updatePlan", selection, input).await;
    assert_eq!(edited["plan"], json!({ "name": "Better", "renewalCron": "0 5 * * *" }));
    let edited = club.app.mutate(&club.ada, "updatePlan", selection, json!({ "planId": own, "renewalCron": "" })).await;
    assert_eq!(edited["plan"], json!({ "name": "Better", "renewalCron": null }));
    for field in ["updatePlan", "archivePlan"] {
        assert_eq!(club.code(&eve, field, json!({ "planId": own })).await, "FORBIDDEN", "{field}");
    }
    let price = json!({ "planId": own, "price": price("7", "MONTH") });
    assert_eq!(club.code(&eve, "setPlanPrice", price.clone()).await, "FORBIDDEN");
    assert_eq!(club.code(&club.ada, "setPlanPrice", price).await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_says_how_many_hours_count_in_the_next_month() {
    let club = Club::open().await;
    let input = json!({
        "kind": "LIVE_CLASS", "name": "Basic", "liveHoursPerMonth": "4", "rolloverHours": "1.5",
        "prices": [price("29", "MONTH")],
    });
    let made = club.app.mutate(&club.root, "createPlan", "plan { id rolloverHours }", input).await;
    assert_eq!(made["plan"]["rolloverHours"], "1.5");
    let edit = async |more: Value| {
        let mut input = json!({ "planId": made["plan"]["id"] });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let edited = club.app.mutate(&club.root, "updatePlan", "plan { rolloverHours }", input).await;
        edited["plan"]["rolloverHours"].clone()
    };
    assert_eq!(edit(json!({ "rolloverHours": "2" })).await, "2");
    assert_eq!(edit(json!({ "name": "Better" })).await, "2");
    assert_eq!(edit(json!({ "rolloverHours": 0 })).await, Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hours_of_a_plan_may_be_for_a_family() {
    let club = Club::open().await;
    let input = json!({
        "kind": "LIVE_CLASS", "name": "Family", "liveHoursPerMonth": "8", "familySize": 3, "familyMemberHours": "2.5",
        "prices": [price("29", "MONTH")],
    });
    let made = club.app.mutate(&club.root, "createPlan", "plan { id familySize familyMemberHours }", input).await;
    assert_eq!((&made["plan"]["familySize"], &made["plan"]["familyMemberHours"]), (&json!(3), &json!("2.5")));
    for (more, size, hours) in [
        (json!({ "name": "Better" }), json!(3), json!("2.5")),
        (json!({ "familyMemberHours": "4" }), json!(3), json!("4")),
        (json!({ "familySize": 2, "familyMemberHours": 0 }), json!(2), Value::Null),
        (json!({ "familyMemberHours": "1" }), json!(2), json!("1")),
        (json!({ "familySize": 0 }), Value::Null, Value::Null),
    ] {
        let mut input = json!({ "planId": made["plan"]["id"] });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let edited = club.app.mutate(&club.root, "updatePlan", "plan { familySize familyMemberHours }", input).await;
        assert_eq!(edited["plan"], json!({ "familySize": size, "familyMemberHours": hours }), "{more}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_plans_takes_the_same_statements_whatever_its_length() {
    let club = Club::open().await;
    let query = "query ($first: Int!) { plans(first: $first) { totalCount nodes { id name status \
        course { id } category { id } prices { id amount { amount } plan { id } } \
        gateways { status planPrice { id } } } } }";
    for number in 0..20 {
        let input = json!({ "kind": "ALL_ACCESS", "name": format!("Plan {number}"), "prices": [price("1", "MONTH")] });
        club.app.mutate(&club.root, "createPlan", "plan { id }", input).await;
    }
    let mut counts = Vec::new();
    for first in [1, 20] {
        let (count, data) = club
            .app
            .counted(async || club.app.data(Some(&club.root.token), query, json!({ "first": first })).await)
            .await;
        assert_eq!(data["plans"]["nodes"].as_array().unwrap().len(), first);
        counts.push(count);
    }
    assert_eq!(counts[0], counts[1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_course_and_a_category_show_the_plans_for_them() {
    let club = Club::open().await;
    let made = club.app.mutate(&club.root, "createCategory", "category { id }", json!({ "name": "Subjects" })).await;
    let category = &made["category"]["id"];
    let other = club.app.course(&club.ada, "Wheels", 1).await;
    let plan = async |name: &str, kind: &str, target: Value| {
        let mut input = json!({ "name": name, "kind": kind, "prices": [price("5", "MONTH")] });
        input.as_object_mut().unwrap().extend(target.as_object().unwrap().clone());
        club.app.app.clock.advance(TimeDelta::minutes(1));
        club.plan(input).await["id"].take()
    };
    let one = plan("One", "COURSE", json!({ "courseId": club.course.id })).await;
    plan("Two", "COURSE", json!({ "courseId": club.course.id })).await;
    plan("Three", "COURSE", json!({ "courseId": other.id })).await;
    plan("Four", "CATEGORY", json!({ "categoryId": category })).await;
    club.all_access().await;
    let plans = "plans(first: 5) { totalCount nodes { name prices { amount { amount } } } }";
    let query = format!(
        "query ($course: ID!, $other: ID!, $category: ID!) {{ course(id: $course) {{ {plans} }} \
            other: course(id: $other) {{ {plans} }} category(id: $category) {{ {plans} }} }}"
    );
    let variables = json!({ "course": club.course.id, "other": other.id, "category": category });
    let shown = |names: &[&str]| {
        let node = |name: &&str| json!({ "name": name, "prices": [{ "amount": { "amount": "5.00" } }] });
        json!({ "plans": { "totalCount": names.len(), "nodes": names.iter().map(node).collect::<Vec<_>>() } })
    };
    let data = club.app.data(None, &query, variables.clone()).await;
    let expected = (shown(&["Two", "One"]), shown(&["Three"]), shown(&["Four"]));
    assert_eq!((&data["course"], &data["other"], &data["category"]), (&expected.0, &expected.1, &expected.2));
    let page = format!("query ($first: Int) {{ courses(first: $first) {{ nodes {{ {plans} }} }} }}");
    let mut counts = Vec::new();
    for first in [1, 2] {
        counts.push(club.app.statements(None, &page, json!({ "first": first })).await);
    }
    assert_eq!(counts[0], counts[1]);
    club.app.mutate(&club.root, "archivePlan", "plan { id }", json!({ "planId": one })).await;
    let data = club.app.data(Some(&club.root.token), &query, variables).await;
    assert_eq!(data["course"], shown(&["Two"]), "those that are sold");
}
