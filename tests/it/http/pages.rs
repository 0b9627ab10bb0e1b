//! Arguments of connections that are wrong.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::TestApp;

const PAGE: &str = "query ($first: Int, $last: Int, $after: String, $before: String) {
    courses(first: $first, last: $last, after: $after, before: $before) { nodes { id } pageInfo { endCursor } } }";

async fn wrong(app: &TestApp, case: &str, variables: Value, words: &[&str]) {
    let answer = app.ask(PAGE, variables).await;
    let body = answer.body();
    assert_eq!((answer.status, &body["data"]), (200, &Value::Null), "{case}: {body:#}");
    answer.labelled(case, &body["errors"][0], "BAD_USER_INPUT", words);
    assert_eq!(body["errors"][0]["path"], json!(["courses"]), "{case}: {body:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_has_1_to_100_items_from_one_end() {
    let app = TestApp::start().await;
    for number in [0, 101, -1] {
        let it_is = format!("it is {number}");
        wrong(&app, "first", json!({ "first": number }), &["first must be between 1 and 100", &it_is]).await;
        wrong(&app, "last", json!({ "last": number }), &["last must be between 1 and 100", &it_is]).await;
    }
    wrong(&app, "both", json!({ "first": 1, "last": 1 }), &["either first or last, not both"]).await;
    for number in [1, 100] {
        for name in ["first", "last"] {
            let answer = app.ask(PAGE, json!({ name: number })).await;
            assert_eq!(answer.body()["data"]["courses"]["nodes"], json!([]), "{name} {number}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_of_another_list_or_of_nobodys_is_refused() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Engines", 1).await;
    let sections = "query ($slug: String!) { course(slug: $slug) { sections { pageInfo { endCursor } } } }";
    let sections = app.data(None, sections, json!({ "slug": course.slug })).await;
    let foreign = &sections["course"]["sections"]["pageInfo"]["endCursor"];
    let own = app.data(None, PAGE, json!({})).await["courses"]["pageInfo"]["endCursor"].as_str().unwrap().to_owned();
    let cursor = |key: Value| URL_SAFE_NO_PAD.encode(json!(["courses", key]).to_string());
    let id = uuid::Uuid::nil();
    let garbage = ["after is not a cursor", "use one that courses returned"];
    for (case, after, words) in [
        ("of sections", foreign.as_str().unwrap().to_owned(), ["after is a cursor of sections", garbage[1]]),
        ("garbage", "garbage".into(), garbage),
        ("empty", String::new(), garbage),
        ("not ASCII", "💥".into(), garbage),
        ("cut off", own[..own.len() - 4].to_owned(), garbage),
        ("of another form", cursor(json!(17)), garbage),
        (
            "before time began",
            cursor(json!([-7_000_000_000_000_000_000_i64, id])),
            ["The cursor is not one", "that courses returned"],
        ),
        ("after time ends", cursor(json!([i64::MAX, id])), ["The cursor is not one", "that courses returned"]),
    ] {
        wrong(&app, case, json!({ "after": after }), &words).await;
        let words = words.map(|text| text.replace("after is", "before is"));
        wrong(&app, case, json!({ "before": after }), &[&words[0], &words[1]]).await;
    }
    let good = app.ask(PAGE, json!({ "after": own })).await.body();
    assert_eq!(good["data"]["courses"]["nodes"], json!([]), "{good:#}");
}
