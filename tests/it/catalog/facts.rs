//! What a catalog tells about a course: level, language, lists, prices, HTML.

use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::{TestApp, User};

const FACTS: &str = "level language tags benefits prerequisites price { amount currency }
    estimatedPrice { amount currency } isFree ratingAverage ratingCount studentCount descriptionHtml";

/// The payload of a mutation that may have user errors.
async fn payload(app: &TestApp, user: &User, field: &str, input: Value) -> Value {
    let input_type = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
    let query = format!(
        "mutation ($input: {input_type}!) {{ {field}(input: $input) {{ course {{ id version {FACTS} }}
            userErrors {{ code field message }} }} }}"
    );
    app.data(Some(&user.token), &query, json!({ "input": input })).await[field].take()
}

fn money(amount: &str, currency: &str) -> Value {
    json!({ "amount": amount, "currency": currency })
}

fn codes(payload: &Value) -> Vec<String> {
    let errors = payload["userErrors"].as_array().unwrap();
    let path = |error: &Value| {
        let path = error["field"].as_array().unwrap().iter().map(|part| part.as_str().unwrap().to_owned());
        path.collect::<Vec<_>>().join(".")
    };
    errors.iter().map(|error| format!("{} {}", path(error), error["code"].as_str().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_course_shows_what_its_author_told() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let plain = payload(&app, &ada, "createCourse", json!({ "title": "Plain" })).await["course"].take();
    let nothing = json!({
        "id": plain["id"], "version": 1, "level": null, "language": null, "tags": [], "benefits": [],
        "prerequisites": [], "price": money("0.00", "USD"), "estimatedPrice": null, "isFree": true,
        "ratingAverage": null, "ratingCount": 0, "studentCount": 0, "descriptionHtml": "",
    });
    assert_eq!(plain, nothing);

    let told = json!({
        "title": "Rust", "level": "ADVANCED", "language": "PT-br", "tags": [" Rust ", "rust", "Systems"],
        "benefits": ["Write fast programs"], "prerequisites": ["Patience", "A computer"],
        "price": money("19.9", "EUR"), "estimatedPrice": money("49", "EUR"),
        "description": "# Hi <script>alert(1)</script>",
    });
    let mut course = payload(&app, &ada, "createCourse", told).await["course"].take();
    let id = course["id"].clone();
    let mut expected = json!({
        "id": id, "version": 1, "level": "ADVANCED", "language": "pt-BR", "tags": ["rust", "systems"],
        "benefits": ["Write fast programs"], "prerequisites": ["Patience", "A computer"],
        "price": money("19.90", "EUR"), "estimatedPrice": money("49.00", "EUR"), "isFree": false,
        "ratingAverage": null, "ratingCount": 0, "studentCount": 0, "descriptionHtml": "<h1>Hi alert(1)</h1>\n",
    });
    assert_eq!(course, expected);

    // Left out stays; null and the empty list remove.
    for (input, changes) in [
        (json!({}), json!({})),
        (json!({ "level": null, "tags": [] }), json!({ "level": null, "tags": [] })),
        (json!({ "language": null, "benefits": null }), json!({ "language": null })),
        (json!({ "estimatedPrice": null }), json!({ "estimatedPrice": null })),
        (json!({ "price": money("1500", "JPY") }), json!({ "price": money("1500", "JPY") })),
        (json!({ "price": money("0", "EUR") }), json!({ "price": money("0.00", "EUR"), "isFree": true })),
        (json!({ "description": "*new*" }), json!({ "descriptionHtml": "<p><em>new</em></p>\n" })),
    ] {
        let mut input = input;
        input["courseId"] = id.clone();
        input["version"] = course["version"].clone();
        let answer = payload(&app, &ada, "updateCourse", input).await;
        assert_eq!(codes(&answer), [""; 0], "{answer:#}");
        expected.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        expected["version"] = json!(course["version"].as_i64().unwrap() + 1);
        course = answer["course"].clone();
        assert_eq!(course, expected);
    }
    app.sql("UPDATE course_stats SET stars_3 = 1, stars_5 = 2, student_count = 40").await;
    app.forget_rows();
    let query = "query ($id: ID!) { node(id: $id) { ... on Course {
        ratingAverage ratingCount studentCount ratingHistogram { stars count } } } }";
    let mut found = app.data(Some(&ada.token), query, json!({ "id": id })).await;
    let buckets = found["node"]["ratingHistogram"].take();
    let buckets = buckets.as_array().unwrap().iter().map(|bucket| (&bucket["stars"], &bucket["count"]));
    assert_eq!(json!(buckets.collect::<Vec<_>>()), json!([[5, 2], [4, 0], [3, 1], [2, 0], [1, 0]]));
    let expected = json!({ "ratingAverage": 4.33, "ratingCount": 3, "studentCount": 40, "ratingHistogram": null });
    assert_eq!(found["node"], expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_the_facts_is_told_with_its_place() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Engines", 0).await;
    let priced = json!({ "title": "x", "price": money("10", "EUR"), "estimatedPrice": money("20", "EUR") });
    let priced = payload(&app, &ada, "createCourse", priced).await["course"]["id"].clone();
    let many = |count: usize| vec!["x"; count];
    for (input, expected) in [
        (json!({ "language": "d" }), vec!["language INVALID"]),
        (json!({ "language": "" }), vec!["language INVALID"]),
        (json!({ "tags": many(21) }), vec!["tags TOO_LONG"]),
        (json!({ "tags": ["ok", " ", "x".repeat(41)] }), vec!["tags.1 BLANK", "tags.2 TOO_LONG"]),
        (
            json!({ "benefits": ["a\0"], "prerequisites": ["x".repeat(201)] }),
            vec!["benefits.0 INVALID", "prerequisites.0 TOO_LONG"],
        ),
        (json!({ "price": money("-0.01", "EUR") }), vec!["price OUT_OF_RANGE"]),
        (json!({ "price": money("100000000.01", "EUR") }), vec!["price OUT_OF_RANGE"]),
        (json!({ "price": money("0.005", "EUR") }), vec!["price INVALID"]),
        (json!({ "price": money("0.5", "JPY") }), vec!["price INVALID"]),
        (json!({ "estimatedPrice": money("-1", "EUR") }), vec!["estimatedPrice OUT_OF_RANGE"]),
        (json!({ "price": money("1", "EUR"), "estimatedPrice": money("2", "USD") }), vec!["estimatedPrice INVALID"]),
        (json!({ "categoryId": "category_01h455vb4pex5vsknk084sn02q" }), vec!["categoryId NOT_FOUND"]),
    ] {
        let mut create = input.clone();
        create["title"] = json!("x");
        let answer = payload(&app, &ada, "createCourse", create).await;
        assert_eq!((codes(&answer), &answer["course"]), (owned(&expected), &Value::Null), "{input}: {answer:#}");
        let mut update = input.clone();
        update["courseId"] = json!(course.id);
        update["version"] = json!(1);
        let answer = payload(&app, &ada, "updateCourse", update).await;
        assert_eq!(codes(&answer), owned(&expected), "{input}: {answer:#}");
    }
    // One of the two prices alone must be in the currency of the other.
    for (input, expected) in [
        (json!({ "price": money("10", "USD") }), vec!["price INVALID"]),
        (json!({ "estimatedPrice": money("10", "USD") }), vec!["estimatedPrice INVALID"]),
        (json!({ "price": money("10", "USD"), "estimatedPrice": null }), vec![]),
    ] {
        let mut update = input.clone();
        update["courseId"] = priced.clone();
        let answer = payload(&app, &ada, "updateCourse", app.current(&ada, update).await).await;
        assert_eq!(codes(&answer), owned(&expected), "{input}: {answer:#}");
    }
    let query = "mutation { createCourse(input: { title: \"x\", price: { amount: \"1\", currency: \"eur\" } }) { course { id } } }";
    let body = app.send(Some(&ada.token), query, json!({})).await;
    assert!(body["errors"][0]["message"].as_str().unwrap().contains("ISO 4217"), "{body:#}");
}

fn owned(codes: &[&str]) -> Vec<String> {
    codes.iter().map(|code| code.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_and_html_of_many_courses_are_a_statement_each() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let query = "query ($first: Int) { courses(first: $first) { nodes { tags benefits prerequisites descriptionHtml
        price { amount } } } }";
    app.course(&ada, "First", 1).await;
    let of_one = app.statements(None, query, json!({ "first": 1 })).await;
    for number in 0..19 {
        app.course(&ada, &format!("Course {number}"), 1).await;
    }
    let of_twenty = app.statements(None, query, json!({ "first": 20 })).await;
    assert_eq!((of_one, of_twenty), (3, 3), "a page, the lists, the texts");
}
