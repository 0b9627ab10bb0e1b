//! Below the GraphQL protocol: frames, sizes and pings of RFC 6455.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use lyceum::http::websocket::Settings;
use serde_json::json;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::harness::{Client, PATIENCE, start};

#[tokio::test]
async fn a_binary_frame_is_4400() {
    let server = start(Settings::default()).await;
    let mut client = Client::open(&server).await;
    client.0.send(Message::binary(br#"{"type":"connection_init"}"#.as_slice())).await.unwrap();
    assert_eq!(client.closed().await, (4400, "Invalid message: a binary frame".to_owned()));
}

#[tokio::test]
async fn broken_frames() {
    let server = start(Settings::default()).await;
    let not_utf8 = Frame::message(b"\xff\xfe".as_slice(), OpCode::Data(Data::Text), true);
    let mut reserved = Frame::message(b"{}".as_slice(), OpCode::Data(Data::Text), true);
    reserved.header_mut().rsv1 = true;
    for (frame, code) in [(not_utf8, 1007), (reserved, 1002)] {
        let mut client = Client::connect(&server).await;
        client.0.send(Message::Frame(frame)).await.unwrap();
        assert_eq!(client.closed().await.0, code);
    }
    server.until_no_sockets().await;
}

/// A valid message of exactly `bytes` bytes.
fn ping_of(bytes: usize) -> String {
    let frame = json!({ "type": "ping", "payload": { "x": "" } }).to_string().len();
    json!({ "type": "ping", "payload": { "x": "y".repeat(bytes - frame) } }).to_string()
}

#[tokio::test]
async fn a_huge_message_is_1009() {
    let server = start(Settings::default()).await;
    const LIMIT: usize = 1024 * 1024;

    let mut client = Client::connect(&server).await;
    client.0.send(Message::text(ping_of(LIMIT))).await.unwrap();
    assert_eq!(client.receive().await["type"], "pong");
    drop(client);

    for size in [LIMIT + 1, 30 * LIMIT] {
        let client = Client::connect(&server).await;
        let (mut sink, mut stream) = client.0.split();
        // The server stops reading, so that the whole message may never be taken.
        let send = async { drop(timeout(PATIENCE, sink.send(Message::text(ping_of(size)))).await) };
        let (_, closed) = tokio::join!(send, timeout(PATIENCE, stream.next()));
        let Message::Close(Some(frame)) = closed.unwrap().unwrap().unwrap() else { panic!("no close frame") };
        assert_eq!((u16::from(frame.code), frame.reason.as_str()), (1009, "Message too large"));
    }

    // The same in many small frames, none of which is too large.
    let mut client = Client::connect(&server).await;
    let part = "y".repeat(LIMIT / 4);
    for number in 0..6 {
        let opcode = OpCode::Data(if number == 0 { Data::Text } else { Data::Continue });
        let frame = Frame::message(part.clone(), opcode, false);
        client.0.send(Message::Frame(frame)).await.unwrap();
    }
    assert_eq!(client.closed().await.0, 1009);
    server.until_no_sockets().await;
}

fn quick() -> Settings {
    Settings {
        ping_interval: Duration::from_millis(100),
        pong_timeout: Duration::from_millis(200),
        ..Settings::default()
    }
}

#[tokio::test]
async fn an_idle_client_that_answers_pings_stays() {
    let server = start(quick()).await;
    let mut client = Client::connect(&server).await;
    let mut pings = 0;
    let begun = Instant::now();
    // Reading is what makes the client answer.
    while begun.elapsed() < Duration::from_millis(1000) {
        if let Ok(message) = timeout(Duration::from_millis(50), client.0.next()).await {
            assert!(matches!(message.unwrap().unwrap(), Message::Ping(_)));
            pings += 1;
        }
    }
    assert!((5..=10).contains(&pings), "{pings} pings in a second");
    client.subscribe("1", "{ hello }").await;
    client.expect_next("1", json!({ "hello": "Hello, world" })).await;
}

#[tokio::test]
async fn a_client_that_answers_nothing_is_dropped() {
    let server = start(quick()).await;
    let client = Client::connect(&server).await;
    let begun = Instant::now();
    server.until_no_sockets().await;
    let elapsed = begun.elapsed();
    assert!((250..1000).contains(&elapsed.as_millis()), "dropped after {elapsed:?} instead of 300 ms");
    drop(client);
}
