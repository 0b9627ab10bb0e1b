//! Clients that don't read: the server waits, keeps little, and gives up.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use futures_util::SinkExt;
use lyceum::http::websocket::Settings;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::harness::{Client, PATIENCE, Server, start};
use serde_json::json;

const SEND_TIMEOUT: Duration = Duration::from_millis(1500);

async fn impatient() -> Server {
    start(Settings { send_timeout: SEND_TIMEOUT, ..Settings::default() }).await
}

async fn narrow(server: &Server) -> Client {
    let mut client = Client::open_narrow(server).await;
    client.init(json!({})).await;
    client
}

#[tokio::test]
async fn events_for_a_client_that_never_reads_are_not_made() {
    let server = impatient().await;
    let mut client = narrow(&server).await;
    let begun = Instant::now();
    const EVENT: usize = 64 * 1024;
    for id in ["1", "2", "3"] {
        client.subscribe(id, &format!("subscription {{ endless(size: {EVENT}) }}")).await;
    }
    // The operating system's buffers take some, then the streams rest.
    let mut made = 0;
    loop {
        sleep(Duration::from_millis(200)).await;
        let now = server.watch.produced.load(SeqCst);
        if now == made && now > 0 {
            break;
        }
        made = now;
    }
    assert_eq!(server.watch.dropped.load(SeqCst), 0, "the client has time");
    assert!(made * EVENT < 16 * 1024 * 1024, "{made} events");
    sleep(Duration::from_millis(500)).await;
    assert_eq!(server.watch.produced.load(SeqCst), made, "events were made for nobody");

    server.until_no_sockets().await;
    assert!(begun.elapsed() >= SEND_TIMEOUT && begun.elapsed() < 3 * SEND_TIMEOUT, "{:?}", begun.elapsed());
    let started = server.watch.started.load(SeqCst);
    assert!(started > 0 && started == server.watch.dropped.load(SeqCst));
    assert_eq!(server.watch.produced.load(SeqCst), made);
    drop(client);
}

#[tokio::test]
async fn a_client_that_reads_late_misses_nothing() {
    let server = impatient().await;
    let mut client = narrow(&server).await;
    let query = "subscription { count(to: 60000) }";
    client.subscribe("1", query).await;
    for number in 1..=60_000 {
        if number % 20_000 == 1 {
            sleep(Duration::from_millis(500)).await;
        }
        client.expect_next("1", json!({ "count": number })).await;
    }
    client.expect_complete("1").await;
}

#[tokio::test]
async fn a_client_that_pings_without_reading_is_dropped() {
    let server = impatient().await;
    let ack = json!({ "type": "ping", "payload": { "x": "y".repeat(2000) } }).to_string();
    for message in [Message::Ping(vec![7; 125].into()), Message::text(ack)] {
        let mut client = narrow(&server).await;
        let begun = Instant::now();
        // Ends when the server drops the connection; the sends stall before.
        let flood = async { while client.0.send(message.clone()).await.is_ok() {} };
        timeout(PATIENCE, flood).await.expect("the server takes it all");
        assert!(begun.elapsed() >= SEND_TIMEOUT);
        server.until_no_sockets().await;
    }
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_a_client_that_never_reads() {
    let server = start(Settings { send_timeout: PATIENCE * 10, ..Settings::default() }).await;
    let mut client = narrow(&server).await;
    client.subscribe("1", "subscription { endless(size: 100000) }").await;
    sleep(Duration::from_millis(500)).await;
    let begun = Instant::now();
    server.shutdown.cancel();
    server.until_no_sockets().await;
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    drop(client);
}
