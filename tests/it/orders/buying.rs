//! From the quote to the access.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_student_buys_a_course_and_has_it() {
    let shop = Shop::open().await;
    let quote = json!({
        "items": [{ "courseId": shop.course.id }, { "courseId": shop.other.id }],
        "billing": { "country": "DE", "currency": "EUR" },
    });
    let selection = "orderQuote { total { amount currency } items { amount { amount } course { title } } }";
    let quoted = shop.app.mutate(&shop.sam, "quoteOrder", selection, quote).await;
    assert_eq!(quoted["orderQuote"]["total"], json!({ "amount": "24.90", "currency": "EUR" }));
    assert_eq!(
        quoted["orderQuote"]["items"][1],
        json!({ "amount": { "amount": "5.00" }, "course": { "title": "Wheels" } })
    );

    let order = shop.order(&shop.sam).await;
    assert_eq!((&order["status"], &order["provider"]), (&json!("PENDING"), &json!("SANDBOX")));
    assert_eq!(order["nextStatuses"], json!(["PAID", "FAILED", "CANCELED", "EXPIRED"]));
    assert_eq!(order["total"], json!({ "amount": "19.90", "currency": "EUR" }));
    assert_eq!((&order["expiresAt"], &order["paidAt"]), (&json!("2026-11-21T09:00:00+00:00"), &Value::Null));
    let item = &order["items"][0];
    assert_eq!(
        (&item["kind"], &item["title"], &item["entitlement"]),
        (&json!("COURSE"), &json!("Engines"), &Value::Null)
    );
    assert!(!shop.has(&shop.sam, &shop.course).await && shop.students(&shop.course).await == 0);

    // The page of the provider.
    let url = order["checkoutUrl"].as_str().unwrap().replace("http://127.0.0.1:8080", &shop.app.url);
    let page = crate::support::http::get(&url).await.unwrap();
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    assert!(page.contains("Engines") && page.contains("19.90 EUR"), "{page}");

    // Users are told of nothing from the instant at which their accounts were made.
    shop.app.app.clock.advance(TimeDelta::seconds(1));
    shop.act(&order, "pay").await;
    let paid = shop.seen(&order).await;
    assert_eq!((&paid["status"], &paid["checkoutUrl"]), (&json!("PAID"), &Value::Null));
    assert_eq!((&paid["paidAt"], &paid["expiresAt"]), (&json!("2026-11-20T09:00:01+00:00"), &Value::Null));
    let entitlement = &paid["items"][0]["entitlement"];
    assert_eq!((&entitlement["source"], &entitlement["order"]["id"]), (&json!("PURCHASE"), &order["id"]));
    assert!(shop.has(&shop.sam, &shop.course).await && !shop.has(&shop.tim, &shop.course).await);
    assert_eq!((shop.students(&shop.course).await, shop.students(&shop.other).await), (1, 0));
    assert_eq!(shop.events().await, ["checkout.paid PROCESSED"]);

    // The buyer and the administrator are told.
    let told = "{ viewer { notifications { nodes { kind title } } } }";
    let data = shop.app.data(Some(&shop.sam.token), told, json!({})).await;
    let receipt = &data["viewer"]["notifications"]["nodes"][0];
    let number = order["number"].as_str().unwrap();
    assert_eq!(receipt, &json!({ "kind": "ORDER_PAID", "title": format!("Your order {number} is paid") }));
    let data = shop.app.data(Some(&shop.root.token), told, json!({})).await;
    let news = &data["viewer"]["notifications"]["nodes"][0];
    assert_eq!(news, &json!({ "kind": "NEW_ORDER", "title": format!("New order: {number}") }));
    let mailed = || shop.app.mails.lock().unwrap().iter().any(|mail| mail.subject.contains(number));
    shop.app.run("notifications.send").await;
    assert!(mailed(), "the receipt is mailed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_user_has_or_pays_for_is_not_sold_to_them_again() {
    let shop = Shop::open().await;
    let input = shop.input(&[&shop.course], "19.90");
    let order = shop.order(&shop.sam).await;
    let again = shop.app.payload(&shop.sam, "createOrder", "order { id }", input.clone()).await;
    let error = &again["userErrors"][0];
    assert_eq!((&error["code"], &error["field"]), (&json!("TAKEN"), &json!(["items", "0", "courseId"])));
    assert!(error["message"].as_str().unwrap().contains(order["number"].as_str().unwrap()), "{error}");
    // Another user, another course, and after it was canceled.
    shop.order(&shop.tim).await;
    let both = shop.input(&[&shop.other, &shop.course], "24.90");
    let again = shop.app.payload(&shop.sam, "createOrder", "order { id }", both.clone()).await;
    assert_eq!(again["userErrors"][0]["field"], json!(["items", "1", "courseId"]));
    let canceled =
        shop.app.mutate(&shop.sam, "cancelOrder", "order { status }", json!({ "orderId": order["id"] })).await;
    assert_eq!(canceled["order"]["status"], "CANCELED");
    let order = shop.ordered(&shop.sam, both).await;
    shop.act(&order, "pay").await;
    assert!(shop.has(&shop.sam, &shop.other).await);
    assert_eq!(shop.code(Some(&shop.sam), "createOrder", input.clone()).await, "TAKEN");
    assert_eq!(shop.code(Some(&shop.sam), "cancelOrder", json!({ "orderId": order["id"] })).await, "NOT_ALLOWED");

    // What was granted for good is owned, what ends is not.
    let eve = shop.app.user("Eve", Role::Student).await;
    let grant = json!({ "userId": eve.id, "courseId": shop.course.id, "expiresAt": "2026-12-01T00:00:00Z" });
    shop.app.mutate(&shop.root, "grantCourseAccess", "entitlement { id }", grant).await;
    let order = shop.order(&eve).await;
    shop.app.mutate(&eve, "cancelOrder", "order { id }", json!({ "orderId": order["id"] })).await;
    let grant = json!({ "userId": eve.id, "courseId": shop.course.id });
    shop.app.mutate(&shop.root, "grantCourseAccess", "entitlement { id }", grant).await;
    assert_eq!(shop.code(Some(&eve), "createOrder", input).await, "TAKEN");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_placed_at_the_price_that_was_shown_or_not_at_all() {
    let shop = Shop::open().await;
    let draft = shop.app.course(&shop.ada, "Draft", 0).await;
    let input = |change: Value| {
        let mut input = shop.input(&[&shop.course], "19.90");
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        input
    };
    let money = |amount: &str, currency: &str| json!({ "amount": amount, "currency": currency });
    let course = |course: &Course| json!({ "courseId": course.id });
    for (what, change, code) in [
        ("another total", json!({ "expectedTotal": money("19.89", "EUR") }), "NOT_ALLOWED"),
        ("another currency", json!({ "expectedTotal": money("19.90", "USD") }), "NOT_ALLOWED"),
        (
            "a currency that the course is not sold in",
            json!({ "billing": { "country": "US", "currency": "USD" }, "expectedTotal": money("19.90", "USD") }),
            "NOT_ALLOWED",
        ),
        ("half a cent", json!({ "expectedTotal": money("19.905", "EUR") }), "INVALID"),
        ("no country", json!({ "billing": { "country": "Germany", "currency": "EUR" } }), "INVALID"),
        ("nothing", json!({ "items": [] }), "OUT_OF_RANGE"),
        ("a draft", json!({ "items": [course(&draft)] }), "NOT_FOUND"),
        ("twice the same", json!({ "items": [course(&shop.course), course(&shop.course)] }), "TAKEN"),
        ("a foreign page", json!({ "returnUrl": "https://evil.example/" }), "NOT_ALLOWED"),
        ("a script", json!({ "returnUrl": "javascript:alert(1)" }), "NOT_ALLOWED"),
        ("no URL", json!({ "returnUrl": "here" }), "INVALID"),
    ] {
        assert_eq!(shop.code(Some(&shop.sam), "createOrder", input(change)).await, code, "{what}");
    }
    assert_eq!(shop.code(None, "createOrder", input(json!({}))).await, "UNAUTHENTICATED");
    let own = input(json!({ "returnUrl": "http://localhost:3000/thanks" }));
    assert_eq!(shop.ordered(&shop.sam, own).await["status"], "PENDING");
    assert_eq!(shop.app.sql("SELECT count(*) FROM orders").await, "1", "nothing else was ordered");
    let closed = Shop::with(&[("LYCEUM_PAYMENTS", "off")]).await;
    let input = closed.input(&[&closed.course], "19.90");
    assert_eq!(closed.code(Some(&closed.sam), "createOrder", input).await, "NOT_ALLOWED");
    assert_eq!(closed.app.sql("SELECT count(*) FROM orders").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_costs_nothing_is_there_at_once() {
    let shop = Shop::with(&[("LYCEUM_PAYMENTS", "off")]).await;
    shop.price(&shop.other, "0", "EUR").await;
    let order = shop.ordered(&shop.sam, shop.input(&[&shop.other], "0")).await;
    assert_eq!(
        (&order["status"], &order["provider"], &order["checkoutUrl"]),
        (&json!("PAID"), &Value::Null, &Value::Null)
    );
    assert!(shop.has(&shop.sam, &shop.other).await);
    assert_eq!(shop.students(&shop.other).await, 1);
    let input = json!({ "orderId": order["id"], "reason": "No reason" });
    assert_eq!(shop.code(Some(&shop.root), "refundOrder", input).await, "NOT_ALLOWED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_again_is_the_same_order() {
    let shop = Shop::open().await;
    let mut input = shop.input(&[&shop.course], "19.90");
    input["idempotencyKey"] = "once".into();
    let (first, second) = (shop.ordered(&shop.sam, input.clone()).await, shop.ordered(&shop.sam, input.clone()).await);
    assert_eq!(first["id"], second["id"]);
    input["billing"]["country"] = "FR".into();
    assert_eq!(shop.code(Some(&shop.sam), "createOrder", input).await, "TAKEN");
    // At the same time, without a key: one is placed.
    let input = shop.input(&[&shop.other], "5");
    let codes =
        futures_util::future::join_all((0..4).map(|_| shop.code(Some(&shop.sam), "createOrder", input.clone())));
    let mut codes = codes.await;
    codes.sort();
    assert_eq!(codes, ["", "TAKEN", "TAKEN", "TAKEN"]);
    assert_eq!(shop.app.sql("SELECT count(*) FROM sandbox_checkouts").await, "2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn yen_and_dinars_have_their_own_decimals() {
    let shop = Shop::open().await;
    for (course, amount, currency, minor) in
        [(&shop.course, "1990", "JPY", "1990"), (&shop.other, "1.995", "BHD", "1995")]
    {
        shop.price(course, amount, currency).await;
        let input = json!({
            "items": [{ "courseId": course.id }],
            "billing": { "country": "JP", "currency": currency },
            "expectedTotal": { "amount": amount, "currency": currency },
        });
        let order = shop.ordered(&shop.sam, input).await;
        assert_eq!(order["total"], json!({ "amount": amount, "currency": currency }));
        let charged = format!("SELECT amount_minor FROM sandbox_checkouts WHERE currency = '{currency}'");
        assert_eq!(shop.app.sql(&charged).await, minor);
        shop.act(&order, "pay").await;
        assert_eq!(shop.status(&order).await, "PAID");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_does_not_answer_delays_the_checkout_only() {
    let shop = Shop::open().await;
    for trouble in [Trouble::Away, Trouble::AnswersLost] {
        shop.sandbox().set_trouble(trouble);
        let user = shop.app.user(&format!("{trouble:?}"), Role::Student).await;
        let order = shop.order(&user).await;
        assert_eq!((&order["status"], &order["checkoutUrl"]), (&json!("PENDING"), &Value::Null), "{trouble:?}");
        shop.app.app.clock.advance(TimeDelta::minutes(2));
        shop.app.run("orders.reconcile").await;
        assert_eq!(shop.seen(&order).await["checkoutUrl"], Value::Null, "{trouble:?}");
        shop.sandbox().set_trouble(Trouble::None);
        shop.app.app.clock.advance(TimeDelta::minutes(3));
        shop.app.run("orders.reconcile").await;
        assert!(shop.seen(&order).await["checkoutUrl"].is_string(), "{trouble:?}");
        shop.act(&order, "pay").await;
        assert!(shop.has(&user, &shop.course).await, "{trouble:?}");
    }
    assert_eq!(shop.app.sql("SELECT count(*) FROM sandbox_checkouts").await, "2", "one for each order");
}
