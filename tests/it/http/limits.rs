//! Limits: refused before execution, with the number that was asked for and the number that is allowed.

use std::io::{Read, Write};

use serde_json::json;

use super::{Answer, MODERN};
use crate::support::TestApp;

const SMALL: [(&str, &str); 6] = [
    ("LYCEUM_MAX_BODY_BYTES", "4096"),
    ("LYCEUM_MAX_DEPTH", "4"),
    ("LYCEUM_MAX_COST", "50"),
    ("LYCEUM_MAX_ALIASES", "3"),
    ("LYCEUM_MAX_TOKENS", "100"),
    ("LYCEUM_MAX_DIRECTIVES", "3"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_larger_than_allowed_is_a_413() {
    let app = TestApp::with(&SMALL).await;
    let body = |bytes: usize| {
        let rest = r#"{"query":"{ __typename }","variables":{"x":""}}"#.len();
        json!({ "query": "{ __typename }", "variables": { "x": "x".repeat(bytes - rest) } }).to_string()
    };
    let send = |body: String| Answer::to(app.graphql().header("content-type", "application/json").body(body));
    assert_eq!(body(4096).len(), 4096);
    assert_eq!(send(body(4096)).await.body()["data"]["__typename"], "Query");
    send(body(4097)).await.refuses("one byte more", 413, "PAYLOAD_TOO_LARGE", &["4096 bytes"]);
    // Without a Content-Length: what counts is what arrives.
    let chunks = futures_util::stream::iter((0..5).map(|_| Ok::<_, std::io::Error>(" ".repeat(1000))));
    let request = app.graphql().header("content-type", "application/json").body(reqwest::Body::wrap_stream(chunks));
    Answer::to(request).await.refuses("chunked", 413, "PAYLOAD_TOO_LARGE", &["4096 bytes"]);
}

/// Most clients read the response only after they have sent the request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_sends_a_large_body_to_its_end_gets_its_413() {
    let app = TestApp::with(&SMALL).await;
    let address = app.url.strip_prefix("http://").unwrap().to_owned();
    let sent = tokio::task::spawn_blocking(move || {
        let mut socket = std::net::TcpStream::connect(&address).unwrap();
        let mut send = |bytes: &[u8]| socket.write_all(bytes).expect("the connection stays open");
        let length = 64 * 256 * 1024;
        let head = format!(
            "POST /graphql HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        send(head.as_bytes());
        for _ in 0..64 {
            send(&[b' '; 256 * 1024]);
        }
        let mut answer = vec![0; 12];
        socket.read_exact(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    });
    assert_eq!(sent.await.unwrap(), "HTTP/1.1 413");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_limit_refuses_what_is_beyond_it_and_nothing_below() {
    let app = TestApp::with(&SMALL).await;
    let fields = |count: usize| "__typename ".repeat(count);
    let aliases = |count: usize| (0..count).map(|n| format!("a{n}: __typename ")).collect::<String>();
    let directives = |count: usize| "@include(if: true) ".repeat(count);
    let deep = "{ courses(first: 1) { nodes { sections(first: 1) { totalCount } } } }".to_owned();
    let too_deep = "{ courses(first: 1) { nodes { sections(first: 1) { nodes { id } } } } }".to_owned();
    let fragment = "{ courses(first: 1) { ...F } } fragment F on CourseConnection { nodes { sections(first: 1) { nodes { id } } } }";
    let cases: [(&str, String, String, &[&str]); 6] = [
        ("TOO_DEEP", deep.clone(), too_deep, &["5 levels", "at most 4"]),
        ("TOO_DEEP", deep, fragment.to_owned(), &["5 levels", "at most 4"]),
        (
            "TOO_MANY_ALIASES",
            format!("{{ {} }}", aliases(3)),
            format!("{{ {} }}", aliases(4)),
            &["4 aliases", "at most 3"],
        ),
        (
            "TOO_MANY_TOKENS",
            format!("{{ {} }}", fields(98)),
            format!("{{ {} }}", fields(99)),
            &["more than 100 tokens"],
        ),
        (
            "TOO_MANY_DIRECTIVES",
            // One directive may stand at a field only once, so the fields are several.
            format!("{{ {} }}", "__typename @include(if: true) ".repeat(3)),
            format!("{{ __typename {} }}", directives(4)),
            &["4 directives", "at most 3"],
        ),
        (
            "TOO_COSTLY",
            "{ courses(first: 49) { nodes { id } } }".to_owned(),
            "{ courses(first: 50) { nodes { id } } }".to_owned(),
            &["up to 51 objects", "at most 50"],
        ),
    ];
    for (code, within, beyond, words) in cases {
        let good = app.ask(&within, json!({})).await;
        assert!(good.body().get("errors").is_none(), "{code}: {within}\n{}", good.text);
        app.ask(&beyond, json!({})).await.refuses(code, 200, code, words);
        app.ask_modern(&beyond, json!({})).await.refuses(code, 400, code, words);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_operation_costs_is_told_also_when_it_costs_too_much() {
    let app = TestApp::with(&SMALL).await;
    let query = "query ($n: Int) { courses(first: $n) { nodes { id } } }";
    let good = app.ask(query, json!({ "n": 9 })).await.body();
    assert_eq!(good["extensions"]["cost"], json!({ "requested": 10, "actual": 1, "left": 40 }));
    let costly = app.ask(query, json!({ "n": 100 })).await;
    costly.refuses("too costly", 200, "TOO_COSTLY", &["101", "50", "Most are in courses, up to 100", "smaller page"]);
    let extensions = &costly.body()["errors"][0]["extensions"];
    assert_eq!((&extensions["cost"], &extensions["limit"]), (&json!(101), &json!(50)), "{extensions:#}");
    assert_eq!(extensions["list"], "courses", "{extensions:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_that_takes_too_long_is_stopped_and_told_so() {
    use diesel_async::RunQueryDsl;
    let app = TestApp::with(&[("LYCEUM_TIMEOUT_SECONDS", "1")]).await;
    let mut holder = app.app.db.read().await.unwrap();
    for sql in ["BEGIN", "LOCK TABLE courses IN ACCESS EXCLUSIVE MODE"] {
        diesel::sql_query(sql).execute(&mut *holder).await.unwrap();
    }
    let query = "{ courses { nodes { id } } }";
    let answers = tokio::join!(app.ask(query, json!({})), app.ask_modern(query, json!({})));
    diesel::sql_query("ROLLBACK").execute(&mut *holder).await.unwrap();
    answers.0.refuses("json", 504, "TIMEOUT", &["took too long"]);
    answers.1.refuses(MODERN, 504, "TIMEOUT", &["took too long"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_outage_leaves_without_data_can_be_tried_again() {
    use diesel_async::RunQueryDsl;
    let app = TestApp::start().await;
    let query = "{ courses { nodes { id } } }";
    // Every connection is in use.
    let mut held = Vec::new();
    for _ in 0..4 {
        let mut conn = app.app.db.read().await.unwrap();
        diesel::sql_query("SELECT 1").execute(&mut *conn).await.unwrap();
        held.push(conn);
    }
    let busy = app.ask_modern(query, json!({})).await;
    assert_eq!((busy.status, busy.header("retry-after")), (503, "2"), "{}", busy.text);
    let error = &busy.body()["errors"][0];
    assert_eq!(error["extensions"]["code"], "UNAVAILABLE", "{error:#}");
    assert_eq!(error["extensions"]["retryAfter"], 2, "{error:#}");
    let partly = app.ask_modern("{ __typename viewer { user { id } } course(slug: \"x\") { id } }", json!({})).await;
    assert_eq!((partly.status, &partly.body()["data"]["__typename"]), (200, &json!("Query")), "{}", partly.text);
    drop(held);
    assert_eq!(app.ask_modern(query, json!({})).await.status, 200);
}
