//! Coupons and taxes.

use super::*;

impl Shop {
    /// Makes a coupon; returns its id.
    pub(super) async fn coupon(&self, code: &str, more: Value) -> String {
        let mut input = json!({ "code": code });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = self.app.mutate(&self.root, "createCoupon", "coupon { id }", input).await;
        made["coupon"]["id"].as_str().unwrap().to_owned()
    }

    fn with_code(&self, courses: &[&Course], total: &str, code: &str) -> Value {
        let mut input = self.input(courses, total);
        input["couponCode"] = code.into();
        input
    }

    /// What courses would cost with a coupon: discount, tax, total. Or the code of the error.
    async fn quoted(&self, user: &User, courses: &[&Course], code: Option<&str>) -> [String; 3] {
        let mut input = self.input(courses, "0");
        input.as_object_mut().unwrap().remove("expectedTotal");
        input["couponCode"] = code.into();
        let selection = "orderQuote { discount { amount } tax { amount } total { amount } }";
        let payload = self.app.payload(user, "quoteOrder", selection, input).await;
        if let Some(code) = payload["userErrors"][0]["code"].as_str() {
            return [code.to_owned(), String::new(), String::new()];
        }
        ["discount", "tax", "total"].map(|part| payload["orderQuote"][part]["amount"].as_str().unwrap().to_owned())
    }

    async fn used(&self, id: &str) -> i64 {
        let coupon = self.node(Some(&self.root), id, "... on Coupon { usedCount }").await;
        coupon["usedCount"].as_i64().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coupon_takes_off_percents_or_an_amount_of_what_it_is_for() {
    let shop = Shop::open().await;
    let category = shop.app.mutate(&shop.root, "createCategory", "category { id }", json!({ "name": "Physics" })).await;
    let category = category["category"]["id"].clone();
    let input = json!({ "courseId": shop.other.id, "categoryId": category });
    shop.app.edit(&shop.ada, "updateCourse", "course { id }", input).await;
    shop.coupon("ten", json!({ "percent": 10 })).await;
    shop.coupon("three-off", json!({ "amount": { "amount": "3", "currency": "EUR" } })).await;
    shop.coupon("engines", json!({ "percent": 50, "courseIds": [shop.course.id] })).await;
    shop.coupon("physics", json!({ "percent": 100, "categoryIds": [category] })).await;
    shop.coupon("dollars", json!({ "amount": { "amount": "3", "currency": "USD" } })).await;
    shop.coupon("later", json!({ "percent": 10, "startsAt": "2026-11-21T00:00:00Z" })).await;
    shop.coupon("over", json!({ "percent": 10, "endsAt": "2026-11-20T09:00:00Z" })).await;
    let both = [&shop.course, &shop.other];
    for (code, courses, expected) in [
        ("TEN", &both[..], ["2.49", "0.00", "22.41"]),
        (" three-OFF ", &both[..], ["3.00", "0.00", "21.90"]),
        ("engines", &both[..], ["9.95", "0.00", "14.95"]),
        ("physics", &both[..], ["5.00", "0.00", "19.90"]),
        ("physics", &both[..1], ["NOT_ALLOWED", "", ""]),
        ("dollars", &both[..], ["NOT_ALLOWED", "", ""]),
        ("later", &both[..], ["NOT_ALLOWED", "", ""]),
        ("over", &both[..], ["NOT_ALLOWED", "", ""]),
        ("unknown", &both[..], ["NOT_FOUND", "", ""]),
    ] {
        assert_eq!(shop.quoted(&shop.sam, courses, Some(code)).await, expected, "{code}");
    }
    // An order without the discount is another one than the buyer was shown.
    let input = shop.with_code(&both, "24.90", "ten");
    assert_eq!(shop.code(Some(&shop.sam), "createOrder", input).await, "NOT_ALLOWED");
    let order = shop.ordered(&shop.sam, shop.with_code(&both, "22.41", "ten")).await;
    shop.act(&order, "pay").await;
    let selection = "... on Order { status couponCode subtotal { amount } discount { amount } total { amount } \
        items { amount { amount } discount { amount } } }";
    let seen = shop.node(Some(&shop.sam), order["id"].as_str().unwrap(), selection).await;
    assert_eq!((&seen["status"], &seen["couponCode"]), (&json!("PAID"), &json!("TEN")));
    assert_eq!((&seen["subtotal"]["amount"], &seen["discount"]["amount"]), (&json!("24.90"), &json!("2.49")));
    assert_eq!(seen["items"][0], json!({ "amount": { "amount": "17.91" }, "discount": { "amount": "1.99" } }));
    assert_eq!(shop.app.sql("SELECT amount_minor FROM sandbox_checkouts").await, "2241");
    // What costs nothing with a coupon is there at once.
    let order = shop.ordered(&shop.tim, shop.with_code(&[&shop.other], "0", "physics")).await;
    assert_eq!(order["status"], "PAID");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coupon_is_never_used_more_often_than_it_may() {
    let shop = Shop::open().await;
    let id = shop.coupon("three", json!({ "percent": 10, "maxUses": 3, "maxUsesPerUser": 1 })).await;
    let mut users = Vec::new();
    for number in 0..8 {
        users.push(shop.app.user(&format!("Buyer{number}"), Role::Student).await);
    }
    let input = shop.with_code(&[&shop.course], "17.91", "three");
    let orders = users.iter().map(|user| shop.code(Some(user), "createOrder", input.clone()));
    let codes = futures_util::future::join_all(orders).await;
    assert_eq!(codes.iter().filter(|code| code.is_empty()).count(), 3, "{codes:?}");
    assert_eq!(
        (shop.used(&id).await, shop.quoted(&shop.sam, &[&shop.course], Some("three")).await[0].as_str()),
        (3, "NOT_ALLOWED")
    );

    // One that is canceled uses it no longer. Then its money arrives: the coupon is used up again, so it goes back.
    let winner = &users[codes.iter().position(|code| code.is_empty()).unwrap()];
    let mine = "{ viewer { orders { nodes { id number } } } }";
    let data = shop.app.data(Some(&winner.token), mine, json!({})).await;
    let canceled = data["viewer"]["orders"]["nodes"][0].clone();
    shop.app.mutate(winner, "cancelOrder", "order { id }", json!({ "orderId": canceled["id"] })).await;
    assert_eq!(shop.used(&id).await, 2);
    let order = shop.ordered(&shop.sam, input).await;
    shop.act(&canceled, "pay").await;
    let seen = shop.seen(&canceled).await;
    assert_eq!((&seen["status"], &seen["refunded"]["amount"]), (&json!("CANCELED"), &json!("17.91")));
    // Once for each user.
    shop.act(&order, "pay").await;
    let terms = json!({ "couponId": id, "maxUses": 100, "maxUsesPerUser": 1 });
    shop.app.mutate(&shop.root, "updateCoupon", "coupon { maxUses }", terms).await;
    let again = shop.with_code(&[&shop.other], "4.50", "three");
    assert_eq!(shop.code(Some(&shop.sam), "createOrder", again.clone()).await, "NOT_ALLOWED");
    assert_eq!(shop.code(Some(&shop.tim), "createOrder", again).await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_administrators_make_coupons_and_only_good_ones() {
    let shop = Shop::open().await;
    let id = shop.coupon("spring", json!({ "percent": 10, "idempotencyKey": "once" })).await;
    assert_eq!(shop.coupon("spring", json!({ "percent": 10, "idempotencyKey": "once" })).await, id);
    let money = json!({ "amount": "1", "currency": "EUR" });
    for (what, input, code) in [
        ("taken", json!({ "code": "Spring", "percent": 5 }), "TAKEN"),
        ("too short", json!({ "code": "ab", "percent": 5 }), "TOO_SHORT"),
        ("a space", json!({ "code": "a b c", "percent": 5 }), "INVALID"),
        ("nothing off", json!({ "code": "abc" }), "BLANK"),
        ("both", json!({ "code": "abc", "percent": 5, "amount": money }), "BLANK"),
        ("more than all", json!({ "code": "abc", "percent": 101 }), "OUT_OF_RANGE"),
        ("zero", json!({ "code": "abc", "amount": { "amount": "0", "currency": "EUR" } }), "OUT_OF_RANGE"),
        ("no uses", json!({ "code": "abc", "percent": 5, "maxUses": 0 }), "OUT_OF_RANGE"),
        (
            "ends before it begins",
            json!({ "code": "abc", "percent": 5, "startsAt": "2026-12-02T00:00:00Z", "endsAt": "2026-12-01T00:00:00Z" }),
            "OUT_OF_RANGE",
        ),
        (
            "no course",
            json!({ "code": "abc", "percent": 5, "courseIds": ["course_01jd5w0000e00800000000000a"] }),
            "NOT_FOUND",
        ),
        (
            "no category",
            json!({ "code": "abc", "percent": 5, "categoryIds": ["category_01jd5w0000e00800000000000a"] }),
            "NOT_FOUND",
        ),
    ] {
        assert_eq!(shop.code(Some(&shop.root), "createCoupon", input.clone()).await, code, "{what}");
        assert_eq!(shop.code(Some(&shop.ada), "createCoupon", input).await, "FORBIDDEN", "{what}");
    }
    assert!(
        shop.node(Some(&shop.root), &id, "id").await.is_object()
            && shop.node(Some(&shop.sam), &id, "id").await.is_null()
    );
    let archived =
        shop.app.mutate(&shop.root, "archiveCoupon", "coupon { archivedAt }", json!({ "couponId": id })).await;
    assert_eq!(archived["coupon"]["archivedAt"], "2026-11-20T09:00:00+00:00");
    assert_eq!(shop.quoted(&shop.sam, &[&shop.course], Some("spring")).await[0], "NOT_FOUND");
    for field in ["archiveCoupon", "updateCoupon"] {
        assert_eq!(shop.code(Some(&shop.root), field, json!({ "couponId": id })).await, "NOT_FOUND");
    }
    shop.coupon("spring", json!({ "percent": 20, "courseIds": [shop.course.id] })).await;
    let list = "query ($is: Boolean) { coupons(filter: { isArchived: $is }) { totalCount nodes { percent usedCount courses { title } categories { id } } } }";
    for (is_archived, percents) in [(json!(true), vec![10]), (json!(false), vec![20]), (Value::Null, vec![20, 10])] {
        let data = shop.app.data(Some(&shop.root.token), list, json!({ "is": is_archived })).await;
        let nodes = data["coupons"]["nodes"].as_array().unwrap();
        let found: Vec<i64> = nodes.iter().map(|node| node["percent"].as_i64().unwrap()).collect();
        assert_eq!((found, &data["coupons"]["totalCount"]), (percents.clone(), &json!(percents.len())));
    }
    for number in 0..18 {
        shop.coupon(&format!("more-{number}"), json!({ "percent": 20, "courseIds": [shop.course.id] })).await;
    }
    let page =
        "query ($first: Int) { coupons(first: $first) { totalCount nodes { code usedCount courses { title } } } }";
    let mut counts = Vec::new();
    for first in [1, 18] {
        counts.push(shop.app.statements(Some(&shop.root.token), page, json!({ "first": first })).await);
    }
    assert_eq!(counts[0], counts[1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tax_is_within_the_price_or_on_top_of_it() {
    let shop = Shop::with(&[("LYCEUM_TAXES", "DE=19,US=+8.25")]).await;
    shop.coupon("half", json!({ "percent": 50 })).await;
    assert_eq!(shop.quoted(&shop.sam, &[&shop.course], None).await, ["0.00", "3.18", "19.90"]);
    assert_eq!(shop.quoted(&shop.sam, &[&shop.course], Some("half")).await, ["9.95", "1.59", "9.95"]);
    let mut input = shop.input(&[&shop.course], "21.54");
    input["billing"]["country"] = "US".into();
    let order = shop.ordered(&shop.sam, input).await;
    let selection = "... on Order { isTaxIncluded subtotal { amount } tax { amount } total { amount } items { tax { amount } amount { amount } } }";
    let seen = shop.node(Some(&shop.sam), order["id"].as_str().unwrap(), selection).await;
    assert_eq!((&seen["isTaxIncluded"], &seen["subtotal"]["amount"]), (&json!(false), &json!("19.90")));
    assert_eq!(seen["items"][0], json!({ "tax": { "amount": "1.64" }, "amount": { "amount": "21.54" } }));
    shop.act(&order, "pay").await;
    let refunded = shop.refund(&order, json!({})).await;
    assert_eq!(refunded["refund"]["amount"]["amount"], "21.54", "with the tax");
    let order = shop.order(&shop.tim).await;
    assert_eq!(order["total"]["amount"], "19.90");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_sent_again_is_answered_after_its_coupon_has_ended() {
    let shop = Shop::open().await;
    let coupon = shop.coupon("ten", json!({ "percent": 10 })).await;
    let mut input = shop.with_code(&[&shop.course], "17.91", "ten");
    input["idempotencyKey"] = "once".into();
    let order = shop.ordered(&shop.sam, input.clone()).await;
    let terms = json!({ "couponId": coupon, "endsAt": "2027-01-01T00:00:00Z" });
    shop.app.mutate(&shop.root, "updateCoupon", "coupon { id }", terms).await;
    shop.app.mutate(&shop.root, "archiveCoupon", "coupon { id }", json!({ "couponId": coupon })).await;
    assert_eq!(shop.ordered(&shop.sam, input.clone()).await["id"], order["id"]);
    input["idempotencyKey"] = "another".into();
    assert_eq!(shop.code(Some(&shop.sam), "createOrder", input).await, "NOT_FOUND");
    // The audit trail has all of it.
    let entries = "SELECT string_agg(concat_ws(' ', action, details ->> 'code', details ->> 'endsAt'), ', ' ORDER BY id) \
        FROM audit_entries WHERE action LIKE 'coupon_%'";
    let expected =
        "coupon_created TEN, coupon_updated TEN 2027-01-01T00:00:00Z, coupon_archived TEN 2027-01-01T00:00:00Z";
    assert_eq!(shop.app.sql(entries).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn administrators_see_which_coupon_an_order_has() {
    let shop = Shop::open().await;
    let ten = shop.coupon("ten", json!({ "percent": 10 })).await;
    shop.coupon("half", json!({ "percent": 50 })).await;
    let without = shop.ordered(&shop.sam, shop.input(&[&shop.other], "5")).await;
    shop.app.app.clock.advance(TimeDelta::minutes(1));
    let order = shop.ordered(&shop.sam, shop.with_code(&[&shop.course], "17.91", "ten")).await;
    shop.ordered(&shop.tim, shop.with_code(&[&shop.course], "9.95", "half")).await;
    let [id, without] = [&order, &without].map(|order| order["id"].as_str().unwrap());
    let selection = "... on Order { couponCode coupon { id usedCount } }";
    let seen = shop.node(Some(&shop.root), id, selection).await;
    assert_eq!(seen, json!({ "couponCode": "TEN", "coupon": { "id": ten, "usedCount": 1 } }));
    let seen = shop.node(Some(&shop.root), without, selection).await;
    assert_eq!(seen, json!({ "couponCode": null, "coupon": null }));
    // The buyer sees the code only.
    let query = format!("{{ node(id: \"{id}\") {{ {selection} }} }}");
    let body = shop.app.send(Some(&shop.sam.token), &query, json!({})).await;
    assert_eq!(code_of(&body), "FORBIDDEN");
    assert_eq!(body["data"]["node"], json!({ "couponCode": "TEN", "coupon": null }));
    let page = "query ($first: Int) { orders(first: $first) { nodes { coupon { code usedCount courses { id } } } } }";
    let mut counts = Vec::new();
    for first in [1, 3] {
        counts.push(shop.app.statements(Some(&shop.root.token), page, json!({ "first": first })).await);
    }
    assert_eq!(counts[0], counts[1]);
}
