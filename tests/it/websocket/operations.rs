//! Operations that run, fail, end and share a socket.

use std::collections::HashSet;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use lyceum::http::websocket::Settings;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::harness::{Client, start};

#[tokio::test]
async fn a_query_and_a_mutation_give_one_result() {
    let server = start(Settings::default()).await;
    let mut client = Client::connect_with(&server, json!({ "user": "ada" })).await;
    client.subscribe("q", "{ user }").await;
    client.expect_next("q", json!({ "user": "ada" })).await;
    client.expect_complete("q").await;
    let payload = json!({
        "query": "query Unused { hello } mutation Used($n: Int!) { double(number: $n) }",
        "operationName": "Used", "variables": { "n": 21 }, "extensions": {}
    });
    client.send(json!({ "type": "subscribe", "id": "m", "payload": payload })).await;
    client.expect_next("m", json!({ "double": 42 })).await;
    client.expect_complete("m").await;
}

#[tokio::test]
async fn a_subscription_gives_its_events_in_order() {
    let server = start(Settings::default()).await;
    let mut client = Client::connect(&server).await;
    client.subscribe("s", "subscription { count(to: 100) }").await;
    for number in 1..=100 {
        client.expect_next("s", json!({ "count": number })).await;
    }
    client.expect_complete("s").await;
}

#[tokio::test]
async fn a_request_error_is_an_error_and_nothing_follows() {
    let server = start(Settings::default()).await;
    let mut client = Client::connect(&server).await;
    for query in ["{ hello", "{ nothing }", "subscription { nothing }", "query A { hello } query B { hello }", ""] {
        client.subscribe("1", query).await;
        let message = client.receive().await;
        assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!("1")), "{query}");
        assert!(message["payload"][0]["message"].is_string(), "{query}: {message}");
    }
    // No `complete` came between, and the socket still works.
    client.subscribe("1", "{ hello }").await;
    client.expect_next("1", json!({ "hello": "Hello, world" })).await;
    client.expect_complete("1").await;
}

#[tokio::test]
async fn an_execution_error_is_a_result() {
    let server = start(Settings::default()).await;
    let mut client = Client::connect(&server).await;
    for (query, path) in [("{ fails }", "fails"), ("subscription { forbidden }", "forbidden")] {
        client.subscribe("1", query).await;
        let message = client.receive().await;
        assert_eq!(message["type"], "next", "{message}");
        assert_eq!(message["payload"]["data"], Value::Null);
        assert_eq!(message["payload"]["errors"][0]["path"], json!([path]));
        client.expect_complete("1").await;
    }
    // A subscription survives it.
    client.subscribe("1", "subscription { stumbles }").await;
    assert_eq!(client.receive().await["payload"]["errors"][0]["message"], "not yet");
    client.expect_next("1", json!({ "stumbles": 1 })).await;
    client.expect_complete("1").await;
}

#[tokio::test]
async fn a_slow_operation_holds_nobody_up() {
    let server = start(Settings::default()).await;
    let mut client = Client::connect(&server).await;
    client.subscribe("slow", "{ slow(millis: 400) }").await;
    let begun = Instant::now();
    client.subscribe("other", "{ slow(millis: 400) }").await;
    client.subscribe("quick", "{ hello }").await;
    client.expect_next("quick", json!({ "hello": "Hello, world" })).await;
    client.expect_complete("quick").await;
    assert!(begun.elapsed() < Duration::from_millis(350));
    let mut done = HashSet::new();
    for _ in 0..4 {
        let message = client.receive().await;
        done.insert(format!("{} {}", message["type"], message["id"]));
    }
    assert_eq!(done.len(), 4, "{done:?}");
    assert!(begun.elapsed() < Duration::from_millis(750), "one after the other: {:?}", begun.elapsed());
}

#[tokio::test]
async fn a_busy_operation_silences_neither_the_others_nor_the_client() {
    let server = start(Settings::default()).await;
    let mut client = Client::connect(&server).await;
    client.subscribe("busy", "subscription { endless }").await;
    client.receive().await;
    client.subscribe("quick", "{ hello }").await;
    client.skip_to("answered", |message| message["id"] == "quick").await;
    client.send(json!({ "type": "ping" })).await;
    client.skip_to("a pong", |message| message["type"] == "pong").await;
    client.complete("busy").await;
    server.until("dropped", |watch| watch.dropped.load(SeqCst) == 1).await;
}

#[tokio::test]
async fn complete_stops_the_stream_at_once_and_frees_the_id() {
    let server = start(Settings::default()).await;
    let mut client = Client::connect(&server).await;
    for round in 1..=3 {
        client.subscribe("same", "subscription { endless(millis: 10) }").await;
        client.expect_next("same", json!({ "endless": "x" })).await;
        client.complete("same").await;
        server.until("dropped", |watch| watch.dropped.load(SeqCst) == round).await;
    }
    // In one breath: what belongs to the new operation only comes after the old one's last event.
    client.subscribe("same", "subscription { endless(millis: 100000) }").await;
    client.complete("same").await;
    client.complete("same").await;
    client.complete("unknown").await;
    client.subscribe("same", "{ hello }").await;
    client.skip_to("answered", |message| message["payload"]["data"]["hello"].is_string()).await;
    client.expect_complete("same").await;
}

#[tokio::test]
async fn one_operation_too_many_is_refused_and_the_socket_stays() {
    let server = start(Settings { max_operations: 3, ..Settings::default() }).await;
    let mut client = Client::connect(&server).await;
    for id in ["1", "2", "3"] {
        client.subscribe(id, "subscription { endless(millis: 100000) }").await;
    }
    for _ in 0..2 {
        client.subscribe("4", "{ hello }").await;
        let message = client.receive().await;
        assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!("4")));
        assert_eq!(message["payload"][0]["extensions"]["code"], "TOO_MANY_OPERATIONS");
    }
    assert_eq!(server.watch.started.load(SeqCst), 3);
    client.complete("2").await;
    client.subscribe("4", "{ hello }").await;
    client.expect_next("4", json!({ "hello": "Hello, world" })).await;
    client.expect_complete("4").await;
}

#[tokio::test]
async fn a_ping_is_answered_with_its_payload() {
    let server = start(Settings::default()).await;
    let mut client = Client::open(&server).await;
    for _ in 0..2 {
        client.send(json!({ "type": "ping" })).await;
        assert_eq!(client.receive().await, json!({ "type": "pong" }));
        client.send(json!({ "type": "ping", "payload": { "a": [1, null] } })).await;
        assert_eq!(client.receive().await, json!({ "type": "pong", "payload": { "a": [1, null] } }));
        client.send(json!({ "type": "pong" })).await;
        client.complete("unknown").await;
    }
    client.init(json!({})).await;
    client.send(json!({ "type": "pong", "payload": {} })).await;
    client.send(json!({ "type": "ping", "payload": { "b": "ж" } })).await;
    assert_eq!(client.receive().await, json!({ "type": "pong", "payload": { "b": "ж" } }));
    assert!(timeout(Duration::from_millis(50), client.frame()).await.is_err(), "nothing else is said");
}
