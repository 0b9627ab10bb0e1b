//! What is sent, and when.

use lyceum::graphql::page::encode_cursor;
use lyceum::platform::outbox::Position;
use serde_json::json;

use super::{EVENTS, NEWS, PARTS, Reader, Said, School};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_event_arrives_without_waiting_for_the_next_one() {
    let school = School::open(&[]).await;
    let mut readers = [school.follow(EVENTS, None).await, school.follow(PARTS, Some(&school.ada.token)).await];
    for title in ["One", "Two", "Three"] {
        school.news(title).await;
        for reader in &mut readers {
            assert_eq!(reader.title().await, title);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_with_a_cursor_misses_nothing() {
    let school = School::open(&[]).await;
    school.news("One").await;
    for accept in [EVENTS, PARTS] {
        let after = encode_cursor("newVideos", &Position::BEGINNING);
        let mut reader = Reader::of(school.post(accept, NEWS, json!({ "after": after }))).await;
        assert_eq!(reader.payload().await["data"]["newVideo"]["isStart"], true);
        let first = reader.payload().await["data"]["newVideo"].take();
        assert_eq!(first["lesson"]["title"], "One");
        drop(reader);
        school.news("Missed").await;
        let mut reader = Reader::of(school.post(accept, NEWS, json!({ "after": first["cursor"] }))).await;
        assert_eq!(reader.payload().await["data"]["newVideo"]["isStart"], true);
        assert_eq!(reader.title().await, "Missed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_proxy_is_invited_to_collect_compress_or_store_it() {
    let school = School::open(&[]).await;
    for accept in [EVENTS, PARTS] {
        let request = school.post(accept, NEWS, json!({})).header("accept-encoding", "gzip, br");
        let reader = Reader::of(request).await;
        let headers = reader.response.headers();
        let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default();
        assert_eq!(header("cache-control"), "no-cache, no-store, no-transform", "{accept}");
        assert_eq!((header("x-accel-buffering"), header("content-encoding")), ("no", ""), "{accept}");
        assert_eq!((header("content-length"), header("x-request-id").is_empty()), ("", false), "{accept}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_mutations_and_errors_are_streams_of_one_result() {
    let school = School::open(&[]).await;
    // Without `application/json`, there is no other way to answer.
    for (accept, name) in [(EVENTS, "Looms"), ("multipart/mixed;subscriptionSpec=1.0", "Mills")] {
        let mut query = Reader::of(school.post(accept, "{ __typename }", json!({}))).await;
        assert_eq!(query.payload().await["data"], json!({ "__typename": "Query" }), "{accept}");
        assert_eq!(query.next().await, Said::Complete, "{accept}");
        let create = "mutation ($input: CreateChannelInput!) { createChannel(input: $input) { channel { name } } }";
        let request = school.post(accept, create, json!({ "input": { "name": name } }));
        let mut mutation = Reader::of(request.bearer_auth(&school.ada.token)).await;
        let created = mutation.payload().await;
        assert_eq!(created["data"]["createChannel"]["channel"]["name"], name, "{accept} {created:#}");
        assert_eq!(mutation.next().await, Said::Complete, "{accept}");
        for (wrong, code) in [("{", "GRAPHQL_PARSE_FAILED"), ("{ nope }", "GRAPHQL_VALIDATION_FAILED")] {
            let mut rejected = Reader::of(school.post(accept, wrong, json!({}))).await;
            let result = rejected.payload().await;
            assert_eq!(result["errors"][0]["extensions"]["code"], code, "{accept}");
            assert!(result.get("data").is_none(), "{accept}: {result:#}");
            assert_eq!(rejected.next().await, Said::Complete, "{accept}");
        }
        // Rejected by its resolver.
        let mut refused = Reader::of(school.post(accept, NEWS, json!({ "after": "!" }))).await;
        assert_eq!(refused.payload().await["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{accept}");
        assert_eq!(refused.next().await, Said::Complete, "{accept}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_accepts_json_too_gets_a_stream_for_subscriptions_only() {
    let school = School::open(&[]).await;
    for accept in [PARTS, "application/json, text/event-stream"] {
        for (query, status) in [("{ __typename }", 200), ("{", 200)] {
            let response = school.post(accept, query, json!({})).send().await.unwrap();
            assert_eq!(response.status(), status);
            assert_eq!(response.headers()["content-type"], "application/json; charset=utf-8", "{accept} {query}");
        }
        school.follow(accept, None).await;
    }
    // urql.
    let every = "application/graphql-response+json, application/json, text/event-stream, multipart/mixed";
    assert!(!school.follow(every, None).await.parts);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_source_of_a_browser_uses_get() {
    let school = School::open(&[]).await;
    let get = |query: &str| {
        let mut url = url::Url::parse(&format!("{}/graphql", school.app.url)).unwrap();
        url.query_pairs_mut().append_pair("query", query);
        school.app.client.get(url).header("accept", EVENTS)
    };
    let mut reader = Reader::of(get("subscription { newVideo { isStart lesson { title } } }")).await;
    assert_eq!(reader.payload().await["data"]["newVideo"]["isStart"], true);
    school.news("One").await;
    assert_eq!(reader.title().await, "One");
    let mutation = get("mutation { signOut(input: {}) { endedCount } }").send().await.unwrap();
    assert_eq!(mutation.status(), 405);
}
