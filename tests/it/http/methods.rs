//! Methods and batches.

use lyceum::platform::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Answer, MODERN};
use crate::support::TestApp;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_may_come_by_get_with_its_variables() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Engines", 1).await;
    let query = "query One($slug: String!) { course(slug: $slug) { id } } query Two { __typename }";
    let variables = json!({ "slug": course.slug }).to_string();
    let one = app.get("/graphql", &[("query", query), ("operationName", "One"), ("variables", &variables)]).await;
    assert_eq!((one.status, &one.body()["data"]), (200, &json!({ "course": { "id": course.id } })), "{}", one.text);
    let two = app.get("/graphql", &[("query", query), ("operationName", "Two"), ("variables", "")]).await;
    assert_eq!(two.body()["data"]["__typename"], "Query", "{}", two.text);
    let encoded = app.get("/graphql", &[("query", "{ __typename }"), ("variables", "null")]).await;
    assert_eq!(encoded.body()["data"]["__typename"], "Query", "{}", encoded.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_get_that_is_no_request_says_why() {
    let app = TestApp::start().await;
    let cases: [(&[(&str, &str)], &str); 5] = [
        (&[], "no query"),
        (&[("query", "")], "no query"),
        (&[("query", "{ __typename }"), ("variables", "17")], "variables is not a JSON object"),
        (&[("query", "{ __typename }"), ("variables", "{")], "variables is not a JSON object"),
        (&[("query", "{ __typename }"), ("query", "{ viewer { user { id } } }")], "duplicate field"),
    ];
    for (params, words) in cases {
        app.get("/graphql", params).await.refuses(&format!("{params:?}"), 400, "BAD_REQUEST", &[words]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mutation_by_get_is_a_405_and_changes_nothing() {
    let app = TestApp::start().await;
    let register = r#"mutation M { register(input: { email: "eve@people.example", name: "Eve", password: "long enough to count" }) { registration { id } } }"#;
    let both = format!("query Q {{ __typename }} {register}");
    for params in [vec![("query", register)], vec![("query", both.as_str()), ("operationName", "M")]] {
        let answer = app.get("/graphql", &params).await;
        answer.refuses("GET", 405, "METHOD_NOT_ALLOWED", &["mutation needs POST"]);
        assert_eq!(answer.header("allow"), "POST");
    }
    let harmless = app.get("/graphql", &[("query", both.as_str()), ("operationName", "Q")]).await;
    assert_eq!(harmless.body()["data"]["__typename"], "Query", "the operation counts, not the document");
    app.settle().await;
    assert!(app.mails.lock().unwrap().is_empty(), "nobody was registered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_methods_are_told_the_right_ones() {
    let app = TestApp::start().await;
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        let request = app.client.request(method.clone(), format!("{}/graphql", app.url));
        let answer = Answer::to(request.json(&json!({ "query": "{ __typename }" }))).await;
        answer.refuses(method.as_str(), 405, "METHOD_NOT_ALLOWED", &["GET or POST"]);
        assert_eq!(answer.header("allow"), "GET, POST", "{method}");
    }
}

async fn batch(app: &TestApp, operations: Value) -> Answer {
    Answer::to(app.graphql().json(&operations)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_answered_in_its_order_each_operation_for_itself() {
    let app = TestApp::start().await;
    let operations = json!([
        { "query": "query ($n: Int) { courses(first: $n) { totalCount } }", "variables": { "n": 1 } },
        { "query": "{ nope }" },
        { "query": "{ __typename }" },
        { "query": "{ courses(first: 0) { totalCount } }" },
    ]);
    let answer = batch(&app, operations.clone()).await;
    let body = answer.body();
    assert_eq!((answer.status, body.as_array().unwrap().len()), (200, 4), "{body:#}");
    assert_eq!(body[0]["data"]["courses"]["totalCount"], 0);
    assert!(body[1].get("data").is_none(), "{body:#}");
    answer.labelled("second", &body[1]["errors"][0], "GRAPHQL_VALIDATION_FAILED", &["`nope`"]);
    assert_eq!(body[2]["data"]["__typename"], "Query");
    assert_eq!(body[3]["data"], Value::Null);
    answer.labelled("fourth", &body[3]["errors"][0], "BAD_USER_INPUT", &["first must be between 1 and 100"]);
    let modern = Answer::to(app.graphql().header("accept", MODERN).json(&operations)).await;
    assert_eq!(modern.status, 200, "a batch was executed, whatever became of its parts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_has_a_size() {
    let app = TestApp::with(&[("LYCEUM_MAX_BATCH", "3")]).await;
    let operations = |count: usize| Value::from(vec![json!({ "query": "{ __typename }" }); count]);
    batch(&app, operations(0)).await.refuses("empty", 400, "BATCH_SIZE", &["1 to 3", "has 0"]);
    assert_eq!(batch(&app, operations(1)).await.body().as_array().unwrap().len(), 1);
    assert_eq!(batch(&app, operations(3)).await.body().as_array().unwrap().len(), 3);
    batch(&app, operations(4)).await.refuses("too many", 400, "BATCH_SIZE", &["1 to 3", "has 4"]);
    let broken = json!([{ "query": "{ __typename }" }, {}]);
    batch(&app, broken).await.refuses("one is no request", 400, "BAD_REQUEST", &["no query"]);
    batch(&app, json!([17])).await.refuses("a number", 400, "BAD_REQUEST", &["17", "a JSON object with a query"]);
}
