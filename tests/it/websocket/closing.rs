//! Every way in which the server ends a socket on purpose.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use futures_util::StreamExt;
use lyceum::http::websocket::Settings;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::harness::{Client, PATIENCE, Server, start};

fn closed(code: u16, reason: &str) -> (u16, String) {
    (code, reason.to_owned())
}

#[tokio::test]
async fn invalid_messages_are_4400() {
    let server = start(Settings::default()).await;
    for (text, expected) in [
        ("{", "EOF while parsing"),
        ("null", "not a JSON object"),
        (r#"{"id":"1"}"#, "missing field `type`"),
        (r#"{"type":"start","id":"1"}"#, r#"unknown type "start""#),
        (r#"{"type":"subscribe","id":"1"}"#, "subscribe without a payload"),
        (r#"{"type":"subscribe","payload":{"query":"{hello}"}}"#, "subscribe without an id"),
        (r#"{"type":"subscribe","id":"1","payload":{"query":7}}"#, "expected a string"),
    ] {
        // Both before the acknowledgement and after it.
        let early = Client::open(&server).await;
        let late = Client::connect(&server).await;
        for mut client in [early, late] {
            futures_util::SinkExt::send(&mut client.0, Message::text(text)).await.unwrap();
            let (code, reason) = client.closed().await;
            assert_eq!(code, 4400, "{text}");
            assert!(reason.contains(expected), "{text}: {reason}");
        }
    }
}

#[tokio::test]
async fn a_subscribe_before_the_acknowledgement_is_4401() {
    let server = start(Settings::default()).await;
    let mut client = Client::open(&server).await;
    client.subscribe("1", "{ hello }").await;
    assert_eq!(client.closed().await, closed(4401, "Unauthorized"));

    // The application is still thinking.
    let mut client = Client::open(&server).await;
    client.send(json!({ "type": "connection_init", "payload": { "delay": 10_000 } })).await;
    client.subscribe("1", "{ hello }").await;
    assert_eq!(client.closed().await, closed(4401, "Unauthorized"));
}

#[tokio::test]
async fn a_refused_connection_is_4403() {
    let server = start(Settings::default()).await;
    let mut client = Client::open(&server).await;
    client.send(json!({ "type": "connection_init", "payload": { "token": "bad" } })).await;
    assert_eq!(client.closed().await, closed(4403, "Forbidden: the token is invalid"));
}

#[tokio::test]
async fn an_undecided_connection_is_1013() {
    let server = start(Settings::default()).await;
    let mut client = Client::open(&server).await;
    client.send(json!({ "type": "connection_init", "payload": { "unavailable": true } })).await;
    assert_eq!(client.closed().await, closed(1013, "Try again later"));
}

#[tokio::test]
async fn an_expired_session_is_4403_and_its_operations_end() {
    let server = start(Settings::default()).await;
    let begun = Instant::now();
    let mut client = Client::connect_with(&server, json!({ "expires": 300 })).await;
    client.subscribe("1", "subscription { endless(millis: 5) }").await;
    assert_eq!(client.closed().await, closed(4403, "Forbidden: session expired"));
    assert!(begun.elapsed() >= Duration::from_millis(300));
    server.until("dropped", |watch| watch.dropped.load(SeqCst) == 1).await;

    // An operation that is never at rest doesn't keep the session alive.
    let mut client = Client::connect_with(&server, json!({ "expires": 300 })).await;
    client.subscribe("1", "subscription { endless }").await;
    assert_eq!(client.closed().await, closed(4403, "Forbidden: session expired"));
    server.until_no_sockets().await;
}

#[tokio::test]
async fn a_session_that_expired_before_is_4403_at_once() {
    let server = start(Settings::default()).await;
    let client = Client::connect_with(&server, json!({ "expires": 0 })).await;
    assert_eq!(client.closed().await, closed(4403, "Forbidden: session expired"));
}

#[tokio::test]
async fn a_revoked_session_is_4403() {
    let server = start(Settings::default()).await;
    let mut client = Client::connect(&server).await;
    client.subscribe("1", "subscription { count(to: 1) }").await;
    client.expect_next("1", json!({ "count": 1 })).await;
    server.revoked.cancel();
    assert_eq!(client.closed().await, closed(4403, "Forbidden: session revoked"));
}

/// Upgrades by hand, because the client library refuses a server that chooses none of the offered sub-protocols.
async fn upgrade_with(server: &Server, offer: &str) -> (String, Client) {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = format!(
        "GET /graphql HTTP/1.1\r\nhost: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{offer}\r\n",
        server.address
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap());
    }
    let socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
    (String::from_utf8(head).unwrap().to_lowercase(), Client(socket))
}

#[tokio::test]
async fn another_subprotocol_is_4406() {
    let server = start(Settings::default()).await;
    for offer in ["", "sec-websocket-protocol: graphql-ws\r\n", "sec-websocket-protocol: soap, graphql-ws\r\n"] {
        let (head, client) = upgrade_with(&server, offer).await;
        assert!(head.starts_with("http/1.1 101 ") && !head.contains("sec-websocket-protocol"), "{head}");
        assert_eq!(client.closed().await, closed(4406, "Subprotocol not acceptable"), "{offer}");
    }
    let (head, mut client) =
        upgrade_with(&server, "sec-websocket-protocol: graphql-ws, graphql-transport-ws\r\n").await;
    assert!(head.contains("sec-websocket-protocol: graphql-transport-ws\r\n"), "{head}");
    client.init(json!({})).await;
}

#[tokio::test]
async fn no_acknowledgement_in_time_is_4408() {
    let server = start(Settings { init_timeout: Duration::from_millis(200), ..Settings::default() }).await;
    let begun = Instant::now();
    let silent = Client::open(&server).await;
    assert_eq!(silent.closed().await, closed(4408, "Connection initialisation timeout"));
    assert!(begun.elapsed() >= Duration::from_millis(200));

    // Neither a chatty client nor a slow decision stops the clock.
    let mut waiting = Client::open(&server).await;
    waiting.send(json!({ "type": "connection_init", "payload": { "delay": 60_000 } })).await;
    waiting.send(json!({ "type": "ping" })).await;
    assert_eq!(waiting.receive().await, json!({ "type": "pong" }));
    assert_eq!(waiting.closed().await, closed(4408, "Connection initialisation timeout"));

    let mut connected = Client::connect(&server).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    connected.subscribe("1", "{ hello }").await;
    connected.expect_next("1", json!({ "hello": "Hello, world" })).await;
}

#[tokio::test]
async fn an_id_in_use_is_4409() {
    let server = start(Settings::default()).await;
    let mut client = Client::connect(&server).await;
    client.subscribe("same", "subscription { endless(millis: 1000) }").await;
    client.subscribe("same", "{ hello }").await;
    assert_eq!(client.closed().await, closed(4409, "Subscriber for same already exists"));
    server.until_no_sockets().await;
}

#[tokio::test]
async fn a_second_connection_init_is_4429() {
    let server = start(Settings::default()).await;
    let connected = Client::connect(&server).await;
    let mut waiting = Client::open(&server).await;
    waiting.send(json!({ "type": "connection_init", "payload": { "delay": 10_000 } })).await;
    for mut client in [connected, waiting] {
        client.send(json!({ "type": "connection_init" })).await;
        assert_eq!(client.closed().await, closed(4429, "Too many initialisation requests"));
    }
}

#[tokio::test]
async fn a_shutdown_is_1001_and_is_over_soon() {
    let server = start(Settings::default()).await;
    let mut connected = Client::connect(&server).await;
    connected.subscribe("1", "subscription { endless(millis: 1) }").await;
    connected.receive().await;
    let mut waiting = Client::open(&server).await;
    waiting.send(json!({ "type": "connection_init", "payload": { "delay": 10_000 } })).await;
    let new = Client::open(&server).await;
    server.shutdown.cancel();
    for client in [connected, waiting, new, Client::open(&server).await] {
        assert_eq!(client.closed().await, closed(1001, "Going away"));
    }
    server.until_no_sockets().await;
    assert_eq!(server.watch.dropped.load(SeqCst), 1);
}

#[tokio::test]
async fn a_client_may_close_or_vanish() {
    let server = start(Settings::default()).await;
    let mut client = Client::connect(&server).await;
    client.subscribe("1", "subscription { endless(millis: 1) }").await;
    client.receive().await;
    client.0.close(None).await.unwrap();
    while let Some(message) = timeout(PATIENCE, client.0.next()).await.unwrap() {
        message.expect("the close handshake is completed");
    }
    server.until("dropped", |watch| watch.dropped.load(SeqCst) == 1).await;

    let mut client = Client::connect(&server).await;
    client.subscribe("1", "subscription { endless(millis: 1000) }").await;
    server.until("started", |watch| watch.started.load(SeqCst) == 2).await;
    drop(client);
    let begun = Instant::now();
    server.until_no_sockets().await;
    assert!(begun.elapsed() < Duration::from_secs(1), "nobody is waited for");
    assert_eq!(server.watch.dropped.load(SeqCst), 2);
}

#[tokio::test]
async fn a_socket_without_operations_is_closed_after_its_idle_timeout() {
    let server = start(Settings::default()).await;
    let mut client = Client::open(&server).await;
    client.send(json!({ "type": "connection_init", "payload": { "idle": 300 } })).await;
    assert_eq!(client.receive().await["type"], "connection_ack");
    // A running operation keeps it open.
    client.subscribe("1", "{ slow(millis: 600) }").await;
    client.expect_next("1", json!({ "slow": true })).await;
    client.expect_complete("1").await;
    assert_eq!(client.closed().await, closed(1000, "Idle"));
}
