//! Courses that are sold in several currencies.

use super::*;

impl Shop {
    async fn prices(&self, course: &Course, prices: Value) -> Value {
        let input = self.app.current(&self.ada, json!({ "courseId": course.id, "prices": prices })).await;
        let mut payload =
            self.app.payload(&self.ada, "updateCourse", "course { prices { amount currency } }", input).await;
        match payload["userErrors"][0]["code"].is_string() {
            true => json!([payload["userErrors"][0]["code"], payload["userErrors"][0]["field"]]),
            false => payload["course"]["prices"].take(),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_course_is_sold_in_the_currencies_that_it_has_prices_in() {
    let shop = Shop::open().await;
    let money = |amount: &str, currency: &str| json!({ "amount": amount, "currency": currency });
    for (what, prices, error) in [
        ("its own", json!([money("5", "EUR")]), json!(["TAKEN", ["prices", "0", "currency"]])),
        ("twice", json!([money("5", "USD"), money("6", "USD")]), json!(["TAKEN", ["prices", "1", "currency"]])),
        ("nothing", json!([money("0", "USD")]), json!(["OUT_OF_RANGE", ["prices", "0"]])),
        ("half a yen", json!([money("0.5", "JPY")]), json!(["INVALID", ["prices", "0"]])),
    ] {
        assert_eq!(shop.prices(&shop.course, prices).await, error, "{what}");
    }
    let prices =
        shop.prices(&shop.course, json!([money("21.50", "USD"), money("3200", "JPY"), money("8.125", "BHD")])).await;
    let expected = json!([money("19.90", "EUR"), money("8.125", "BHD"), money("3200", "JPY"), money("21.50", "USD")]);
    assert_eq!(prices, expected);

    let bought = |courses: &[&Course], amount: &str, currency: &str| {
        let mut input = shop.input(courses, amount);
        input["billing"]["currency"] = currency.into();
        input["expectedTotal"]["currency"] = currency.into();
        input
    };
    for (currency, amount, minor) in [("USD", "21.50", "2150"), ("JPY", "3200", "3200"), ("BHD", "8.125", "8125")] {
        let user = shop.app.user(currency, Role::Student).await;
        let quote =
            json!({ "items": [{ "courseId": shop.course.id }], "billing": { "country": "US", "currency": currency } });
        let quoted = shop.app.mutate(&user, "quoteOrder", "orderQuote { total { amount currency } }", quote).await;
        assert_eq!(quoted["orderQuote"]["total"], money(amount, currency));
        let order = shop.ordered(&user, bought(&[&shop.course], amount, currency)).await;
        shop.act(&order, "pay").await;
        assert!(shop.has(&user, &shop.course).await, "{currency}");
        let charged = format!("SELECT amount_minor FROM sandbox_checkouts WHERE currency = '{currency}'");
        assert_eq!(shop.app.sql(&charged).await, minor);
    }
    // Not in another one, and not together with a course that has no price in it; what is free is free in all.
    assert_eq!(shop.code(Some(&shop.sam), "createOrder", bought(&[&shop.course], "1", "GBP")).await, "NOT_ALLOWED");
    let both = bought(&[&shop.course, &shop.other], "21.50", "USD");
    assert_eq!(shop.code(Some(&shop.sam), "createOrder", both.clone()).await, "NOT_ALLOWED");
    shop.price(&shop.other, "0", "EUR").await;
    assert_eq!(shop.ordered(&shop.sam, both).await["status"], "PENDING");

    // A coupon with an amount is for orders in its currency.
    let coupon = json!({ "code": "DOLLAR", "amount": money("1.50", "USD") });
    shop.app.mutate(&shop.root, "createCoupon", "coupon { id }", coupon).await;
    let mut input = bought(&[&shop.course], "20.00", "USD");
    input["couponCode"] = "dollar".into();
    assert_eq!(shop.ordered(&shop.tim, input).await["total"], money("20.00", "USD"));
    let mut input = bought(&[&shop.course], "18.40", "EUR");
    input["couponCode"] = "dollar".into();
    assert_eq!(shop.code(Some(&shop.app.user("Kim", Role::Student).await), "createOrder", input).await, "NOT_ALLOWED");

    // When the default price moves to one of the currencies, that one counts.
    shop.price(&shop.course, "25", "USD").await;
    let query = "query ($id: ID!) { course(id: $id) { prices { amount currency } } }";
    let data = shop.app.data(None, query, json!({ "id": shop.course.id })).await;
    assert_eq!(data["course"]["prices"], json!([money("25.00", "USD"), money("8.125", "BHD"), money("3200", "JPY")]));
    assert_eq!(shop.prices(&shop.course, json!([])).await, json!([money("25.00", "USD")]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_course_is_purchasable_while_it_is_published_and_has_a_price() {
    let shop = Shop::open().await;
    let free = shop.app.course(&shop.ada, "Pulleys", 1).await;
    let draft = shop.app.course(&shop.ada, "Levers", 0).await;
    shop.price(&draft, "5", "EUR").await;
    let query = "query ($id: ID!) { course(id: $id) { isPurchasable } }";
    let seen = async |course: &Course| {
        shop.app.data(Some(&shop.ada.token), query, json!({ "id": course.id })).await["course"]["isPurchasable"].take()
    };
    for (course, expected) in [(&shop.course, true), (&free, false), (&draft, false)] {
        assert_eq!(seen(course).await, expected, "{}", course.slug);
    }
    shop.app.mutate(&shop.ada, "archiveCourse", "course { id }", json!({ "courseId": shop.course.id })).await;
    assert_eq!(seen(&shop.course).await, false);
}
