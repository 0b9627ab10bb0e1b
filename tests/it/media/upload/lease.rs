//! The lease of an attempt to complete an upload, with a store that does not answer.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::{Studio, mp4};
use crate::storage::Store;

/// A port in front of a store; nothing gets through to the store while it is closed.
struct Gate {
    url: String,
    open: watch::Sender<bool>,
}

impl Gate {
    async fn before(endpoint: &str) -> Gate {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (open, is_open) = watch::channel(true);
        let store = endpoint.trim_start_matches("http://").to_owned();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let store = TcpStream::connect(&store).await.unwrap();
                tokio::spawn(pass(client, store, is_open.clone()));
            }
        });
        Gate { url, open }
    }
}

async fn pass(client: TcpStream, store: TcpStream, mut is_open: watch::Receiver<bool>) {
    let ((mut client_in, mut client_out), (mut store_in, mut store_out)) = (client.into_split(), store.into_split());
    tokio::spawn(async move { tokio::io::copy(&mut store_in, &mut client_out).await });
    let mut bytes = vec![0; 64 << 10];
    while let Ok(count @ 1..) = client_in.read(&mut bytes).await {
        if is_open.wait_for(|open| *open).await.is_err() || store_out.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_that_takes_longer_than_its_lease_keeps_it() {
    let store = Store::start("studio-lease").await;
    store.bucket().await;
    let gate = Gate::before(&store.objects.endpoint()).await;
    let studio = Studio::on(store.at(&gate.url), Some(store)).await;
    let upload = studio.sent("video/mp4", mp4(2000)).await;
    gate.open.send(false).unwrap();
    let payload = studio.complete(&studio.ada, &upload).await;
    assert_eq!(payload["upload"]["status"], "CREATED", "the request does not wait for ever: {payload:#}");

    let attempt = studio.sql("SELECT completing_by FROM uploads").await;
    let until = async || studio.sql("SELECT completing_until FROM uploads").await;
    let first = until().await;
    // The lease is for a minute and is renewed after twenty seconds.
    studio.app.app.clock.advance(TimeDelta::seconds(50));
    let deadline = Instant::now() + Duration::from_secs(25);
    while until().await == first {
        assert!(Instant::now() < deadline, "the lease was never renewed");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    studio.app.app.clock.advance(TimeDelta::seconds(50));
    let reopen = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(studio.sql("SELECT completing_by FROM uploads").await, attempt, "nobody else takes over");
        gate.open.send(true).unwrap();
    };
    let (payload, ()) = tokio::join!(studio.complete(&studio.ada, &upload), reopen);
    assert_eq!(
        (&payload["upload"]["status"], &payload["userErrors"]),
        (&json!("COMPLETED"), &json!([])),
        "{payload:#}"
    );
    let key = studio.sql("SELECT object_key FROM videos").await;
    assert!(key.ends_with(&attempt.replace('-', "")), "the first attempt's copy: {key}");
}
