//! Requests that cannot be executed: what is wrong is named, and nothing is executed.

use lyceum::platform::auth::Role;
use serde_json::json;

use super::{Answer, GRAPHQL, JSON, MODERN};
use crate::support::TestApp;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_no_request_is_a_400_that_says_why() {
    let app = TestApp::start().await;
    let cases: [(&str, &[&str]); 17] = [
        ("", &["body is empty"]),
        ("  \n", &["body is empty"]),
        ("{", &["not a GraphQL request", "EOF"]),
        (r#"{"query":"{ viewer { user { id } } }""#, &["not a GraphQL request", "line 1"]),
        ("query { viewer { user { id } } }", &["not a GraphQL request", "line 1"]),
        ("17", &["17", "expected a JSON object with a query"]),
        ("null", &["null", "expected a JSON object with a query"]),
        (r#""{ viewer { user { id } } }""#, &["string", "expected a JSON object with a query"]),
        ("{}", &["no query"]),
        (r#"{"query":null}"#, &["no query"]),
        (r#"{"query":" "}"#, &["no query"]),
        (r#"{"query":17}"#, &["17", "expected a string"]),
        (r#"{"query":["{ viewer { user { id } } }"]}"#, &["sequence", "expected a string"]),
        (r#"{"query":"{ viewer { user { id } } }","operationName":17}"#, &["17", "expected a string"]),
        (r#"{"query":"{ viewer { user { id } } }","variables":17}"#, &["17", "expected a map"]),
        (r#"{"query":"{ viewer { user { id } } }","variables":"{}"}"#, &["string", "expected a map"]),
        (r#"{"query":"{ viewer { user { id } } }","extensions":17}"#, &["17", "expected a map"]),
    ];
    for (body, words) in cases {
        for accept in ["application/json", MODERN] {
            let request = app.graphql().header("content-type", "application/json").header("accept", accept).body(body);
            let answer = Answer::to(request).await;
            answer.refuses(body, 400, "BAD_REQUEST", words);
            assert!(!answer.text.contains("Params"), "{body}: a client knows no Rust: {}", answer.text);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_that_cannot_be_executed_is_refused_by_name() {
    let app = TestApp::start().await;
    let slug = "query ($slug: String!) { course(slug: $slug) { id } }";
    let first = "query ($n: Int) { courses(first: $n) { nodes { id } } }";
    let (two, parse, validate) = (
        "query A { viewer { user { id } } } query B { viewer { user { id } } }",
        "GRAPHQL_PARSE_FAILED",
        "GRAPHQL_VALIDATION_FAILED",
    );
    let cases: [(&str, serde_json::Value, &str, &[&str]); 16] = [
        ("{ viewer { user { id ", json!({}), parse, &["expected"]),
        ("{ viewer { id } } } }", json!({}), parse, &["expected"]),
        ("fragment F on Query { viewer { user { id } } }", json!({}), parse, &["operation"]),
        ("{ viewer { user { nope } } }", json!({}), validate, &["`nope`", "`User`"]),
        ("{ curses { nodes { id } } }", json!({}), validate, &["`curses`", "Did you mean `courses`"]),
        ("{ viewer }", json!({}), validate, &["`viewer`", "selection of subfields"]),
        ("{ node { id } }", json!({}), validate, &["`Query.node(id:)`", "required"]),
        ("{ course(slug: \"a\", nope: 1) { id } }", json!({}), validate, &["`nope`", "`Query.course`"]),
        ("{ ...Nope }", json!({}), validate, &["`Nope`"]),
        ("subscription { newVideo { cursor } }", json!({}), validate, &["Subscriptions are not supported"]),
        (two, json!({}), validate, &["Operation name required"]),
        (slug, json!({}), validate, &["$slug", "String!", "required"]),
        (slug, json!({ "slug": null }), validate, &["$slug", "String!", "required"]),
        (slug, json!({ "slug": 17 }), validate, &["slug", "type String"]),
        (first, json!({ "n": "many" }), validate, &["variable n", "type Int"]),
        (first, json!({ "n": 1.5 }), validate, &["variable n", "type Int"]),
    ];
    for (query, variables, code, words) in cases {
        let answer = app.ask(query, variables.clone()).await;
        answer.refuses(query, 200, code, words);
        let modern = app.ask_modern(query, variables).await;
        modern.refuses(query, 400, code, words);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_name_must_be_one_of_the_documents() {
    let app = TestApp::start().await;
    let query = "query A { __typename } query B { viewer { user { id } } }";
    let send = |name: &str| app.graphql().json(&json!({ "query": query, "operationName": name }));
    Answer::to(send("C")).await.refuses("C", 200, "GRAPHQL_VALIDATION_FAILED", &["\"C\""]);
    Answer::to(send("C").header("accept", MODERN)).await.refuses("C", 400, "GRAPHQL_VALIDATION_FAILED", &["\"C\""]);
    assert_eq!(Answer::to(send("A")).await.body()["data"], json!({ "__typename": "Query" }));
    assert_eq!(Answer::to(send("B")).await.body()["data"], json!({ "viewer": null }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_variable_with_a_default_or_of_a_nullable_type_may_be_left_out() {
    let app = TestApp::start().await;
    for (query, variables) in [
        ("query ($n: Int! = 5) { courses(first: $n) { totalCount } }", json!({})),
        ("query ($n: Int) { courses(first: $n) { totalCount } }", json!({})),
        ("query ($n: Int) { courses(first: $n) { totalCount } }", json!({ "n": null })),
        ("query { courses { totalCount } }", json!({ "unknown": 17 })),
        ("query { courses { totalCount } }", json!(null)),
    ] {
        let answer = app.ask(query, variables).await;
        assert_eq!(answer.body()["data"], json!({ "courses": { "totalCount": 0 } }), "{query}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_id_is_told_which_one_was_expected() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let videos = "query ($id: ID!) { newVideos(courseId: $id) { nodes { cursor } } }";
    let publish = "mutation ($id: ID!) { publishCourse(input: { courseId: $id }) { course { id } } }";
    let node = "query ($id: ID!) { node(id: $id) { id } }";
    let foreign = "user_01h455vb4pex5vsknk084sn02q";
    let told = ["is the id of a user", "expected the id of a course"];
    let unknown = ["is not an id", "expected the id of a course"];
    let prefixes = ["is not an id", "user, session, api_token"];
    let cases: [(&str, &str, &[&str]); 9] = [
        (videos, foreign, &told),
        (publish, foreign, &told),
        (videos, "nonsense", &unknown),
        (videos, "", &unknown),
        (videos, "course_01h455vb4pex5vsknk084sn02", &unknown),
        (videos, "course_81h455vb4pex5vsknk084sn02q", &unknown),
        (node, "nonsense", &prefixes),
        (node, "present_01h455vb4pex5vsknk084sn02q", &prefixes),
        (node, "\u{0}", &prefixes),
    ];
    for (query, id, words) in cases {
        let request = app.graphql().bearer_auth(&ada.token).json(&json!({ "query": query, "variables": { "id": id } }));
        let answer = Answer::to(request).await;
        let body = answer.body();
        assert_eq!((answer.status, body["errors"].as_array().unwrap().len()), (200, 1), "{id}: {body:#}");
        answer.labelled(id, &body["errors"][0], "BAD_USER_INPUT", words);
        assert!(body["errors"][0]["path"].is_array(), "{id}: {body:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_that_the_database_cannot_hold_finds_nothing() {
    let app = TestApp::start().await;
    let answer = app.ask("query ($slug: String!) { course(slug: $slug) { id } }", json!({ "slug": "a\u{0}b" })).await;
    assert_eq!(answer.body()["data"], json!({ "course": null }), "{}", answer.text);
    assert!(answer.body().get("errors").is_none(), "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_json_in_utf_8_is_read() {
    let app = TestApp::start().await;
    let body = r#"{"query":"{ __typename }"}"#;
    for media in ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"] {
        let mut request = app.graphql().body(body);
        if !media.is_empty() {
            request = request.header("content-type", media);
        }
        let answer = Answer::to(request).await;
        answer.refuses(media, 415, "UNSUPPORTED_MEDIA_TYPE", &["application/json", "UTF-8"]);
    }
    for media in ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\""] {
        let answer = Answer::to(app.graphql().header("content-type", media).body(body)).await;
        assert_eq!(answer.body()["data"]["__typename"], "Query", "{media}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_chooses_between_the_two_response_types() {
    let app = TestApp::start().await;
    let body = json!({ "query": "{ __typename }" });
    for (accept, expected) in [
        ("*/*", JSON),
        ("application/json", JSON),
        ("application/*;q=0.1", JSON),
        (MODERN, GRAPHQL),
        ("application/graphql-response+json; charset=utf-8, application/json", GRAPHQL),
        ("application/json;q=0.9, application/graphql-response+json", GRAPHQL),
    ] {
        let answer = Answer::to(app.graphql().header("accept", accept).json(&body)).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, expected), "{accept}");
        assert_eq!(answer.body()["data"]["__typename"], "Query", "{accept}");
    }
    for accept in ["text/html", "application/xml, image/*", "application/json;q=0"] {
        let answer = Answer::to(app.graphql().header("accept", accept).json(&body)).await;
        answer.refuses(accept, 406, "NOT_ACCEPTABLE", &["application/graphql-response+json", "application/json"]);
    }
}
