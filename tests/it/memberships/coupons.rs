//! Coupons for plans make the first period of a membership cheaper.

use super::*;

impl Club {
    async fn coupon(&self, input: Value) -> Value {
        let selection = "coupon { id plans { name } courses { title } categories { name } }";
        self.app.mutate(&self.root, "createCoupon", selection, input).await["coupon"].take()
    }

    fn with_code(&self, price: &str, total: &str, code: &str) -> Value {
        let mut input = self.order_input(price, total);
        input["couponCode"] = json!(code);
        input
    }

    /// What a membership would cost with a coupon, or the code of the error.
    async fn quoted_with(&self, user: &User, price: &str, code: &str) -> String {
        let mut input = self.with_code(price, "0", code);
        input.as_object_mut().unwrap().remove("expectedTotal");
        let payload = self.app.payload(user, "quoteOrder", "orderQuote { total { amount } }", input).await;
        let total = payload["orderQuote"]["total"]["amount"].as_str();
        total.or(payload["userErrors"][0]["code"].as_str()).unwrap().to_owned()
    }

    /// Orders a membership with a coupon and pays it; returns its id.
    async fn join_with(&self, user: &User, price: &str, total: &str, code: &str) -> String {
        let selection = "order { number items { membership { id } } }";
        let made = self.app.mutate(user, "createOrder", selection, self.with_code(price, total, code)).await;
        self.act(made["order"]["number"].as_str().unwrap(), "pay").await;
        made["order"]["items"][0]["membership"]["id"].as_str().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coupon_for_plans_is_for_nothing_else_and_one_for_everything_is_for_plans_too() {
    let club = Club::open().await;
    let made = club.app.mutate(&club.root, "createCategory", "category { id }", json!({ "name": "Subjects" })).await;
    let category = &made["category"]["id"];
    let prices = json!([price("20", "MONTH")]);
    let subject = json!({ "kind": "CATEGORY", "name": "Subject", "categoryId": category, "prices": prices.clone() });
    let (all, subject) = (club.all_access().await, club.plan(subject).await);
    club.coupon(json!({ "code": "EVERYTHING", "percent": 50 })).await;
    club.coupon(json!({ "code": "SUBJECTS", "percent": 50, "categoryIds": [category] })).await;
    // The same id twice is once.
    let plans = json!([subject["id"], subject["id"]]);
    let coupon = club.coupon(json!({ "code": "PLAN", "percent": 25, "planIds": plans })).await;
    assert_eq!(coupon["plans"], json!([{ "name": "Subject" }]));
    assert_eq!((&coupon["courses"], &coupon["categories"]), (&json!([]), &json!([])));
    let both = json!({ "code": "BOTH", "amount": { "amount": "3", "currency": "EUR" }, "planIds": [all["id"]],
        "courseIds": [club.course.id] });
    club.coupon(both).await;
    let (all, subject) = (month(&all), month(&subject));
    for (code, of_all, of_subject) in [
        ("EVERYTHING", "5.00", "10.00"),
        ("SUBJECTS", "NOT_ALLOWED", "NOT_ALLOWED"),
        ("PLAN", "NOT_ALLOWED", "15.00"),
        ("BOTH", "7.00", "NOT_ALLOWED"),
        ("NONE", "NOT_FOUND", "NOT_FOUND"),
    ] {
        for (price, expected) in [(&all, of_all), (&subject, of_subject)] {
            assert_eq!(club.quoted_with(&club.sam, price, code).await, expected, "{code}");
            if !expected.ends_with('0') {
                let refused = club.code(&club.sam, "createOrder", club.with_code(price, "1", code)).await;
                assert_eq!(refused, expected, "{code}");
                continue;
            }
            // What was quoted is what is ordered.
            let input = club.with_code(price, expected, code);
            let made = club.app.mutate(&club.sam, "createOrder", "order { id }", input).await;
            let cancel = json!({ "orderId": made["order"]["id"] });
            club.app.mutate(&club.sam, "cancelOrder", "order { id }", cancel).await;
        }
    }
    let course = json!({
        "items": [{ "courseId": club.course.id }],
        "billing": { "country": "DE", "currency": "EUR" },
        "couponCode": "PLAN",
    });
    assert_eq!(club.code(&club.sam, "quoteOrder", course).await, "NOT_ALLOWED", "a course is not the plan");
    let none = json!({ "code": "GONE", "percent": 5, "planIds": ["plan_01jd5w0000e00800000000000a"] });
    assert_eq!(club.code(&club.root, "createCoupon", none).await, "NOT_FOUND");
    let ids = (0..101).map(|number| lyceum::memberships::PlanId::new(uuid::Uuid::from_u128(number)).encode());
    let many = json!({ "code": "MANY", "percent": 5, "planIds": ids.collect::<Vec<_>>() });
    assert_eq!(club.code(&club.root, "createCoupon", many).await, "TOO_LONG");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coupon_is_for_the_first_period_and_a_change_credits_what_was_paid_for_it() {
    let mut club = Club::open().await;
    let (basic, premium) = (club.hours("Basic", "4", "30").await, club.hours("Premium", "8", "50").await);
    club.coupon(json!({ "code": "HALF", "percent": 50, "planIds": [basic["id"], premium["id"]] })).await;
    let sam = club.join_with(&club.sam, &month(&basic), "15", "half").await;
    let tim = club.join_with(&club.tim, &month(&basic), "15", "half").await;
    club.pass(TimeDelta::days(12)).await;
    let change = json!({ "membershipId": sam, "planPriceId": month(&premium), "when": "NOW" });
    let quote = "quote { credit { amount } total { amount } }";
    let quoted = club.app.mutate(&club.sam, "quoteMembershipChange", quote, change.clone()).await["quote"].take();
    // 18 of 30 days are left of the 15 euros that were paid.
    assert_eq!((&quoted["credit"]["amount"], &quoted["total"]["amount"]), (&json!("9.00"), &json!("41.00")));
    club.app.mutate(&club.sam, "changeMembership", "membership { id }", change).await;
    club.settle().await;
    assert_eq!(club.orders(&sam).await, ["PAID 41.00", "PAID 15.00"]);
    club.act(&club.numbers(&tim).await[0], "decline-charges").await;
    club.pass(TimeDelta::days(18)).await;
    assert_eq!(club.status(&tim).await, "PAST_DUE");
    let late = club.with_code(&month(&basic), "15", "half");
    assert_eq!(club.quoted_with(&club.tim, &month(&basic), "half").await, "NOT_ALLOWED", "not for a renewal");
    assert_eq!(club.code(&club.tim, "createOrder", late).await, "NOT_ALLOWED");
    club.pass(TimeDelta::days(14)).await;
    assert_eq!(club.orders(&sam).await[0], "PAID 50.00", "a renewal costs the full price");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_coupon_for_a_plan_is_used_no_more_often_than_it_may_and_not_by_a_trial() {
    let club = Club::open().await;
    let plan = club.all_access().await;
    let coupon = json!({ "code": "TWO", "percent": 50, "maxUses": 2, "maxUsesPerUser": 1, "planIds": [plan["id"]] });
    let coupon = club.coupon(coupon).await["id"].clone();
    let mut users = vec![club.sam.clone(), club.tim.clone()];
    for number in 0..4 {
        users.push(club.app.user(&format!("Member{number}"), Role::Student).await);
    }
    let input = club.with_code(&month(&plan), "5", "two");
    let codes = users.iter().map(|user| club.code(user, "createOrder", input.clone()));
    let codes = futures_util::future::join_all(codes).await;
    assert_eq!(codes.iter().filter(|code| code.is_empty()).count(), 2, "{codes:?}");
    let used = async || {
        club.node(&club.root, coupon.as_str().unwrap(), "... on Coupon { usedCount }").await["usedCount"].take()
    };
    assert_eq!(used().await, 2);
    let winner = &users[codes.iter().position(String::is_empty).unwrap()];
    let data = club.app.data(Some(&winner.token), "{ viewer { orders { nodes { id } } } }", json!({})).await;
    let order = data["viewer"]["orders"]["nodes"][0]["id"].clone();
    club.app.mutate(winner, "cancelOrder", "order { id }", json!({ "orderId": order })).await;
    assert_eq!(used().await, 1, "what is canceled uses it no longer");
    club.settle().await;
    club.join_with(winner, &month(&plan), "5", "two").await;

    let trial = json!({ "amount": { "amount": "10", "currency": "EUR" }, "interval": "MONTH", "trialDays": 7 });
    let trial = club.plan(json!({ "kind": "LIVE_CLASS", "name": "Try", "liveHoursPerMonth": "4", "prices": [trial] }));
    let trial = month(&trial.await);
    club.coupon(json!({ "code": "HALF", "percent": 50 })).await;
    assert_eq!(club.quoted_with(&club.sam, &trial, "half").await, "NOT_ALLOWED", "a trial costs nothing");
    assert_eq!(club.code(&club.sam, "createOrder", club.with_code(&trial, "0", "half")).await, "NOT_ALLOWED");
    assert_eq!(club.code(&club.sam, "createOrder", club.order_input(&trial, "0")).await, "");
}
