//! The clients that frontends use: npm's graphql-sse, and Apollo Client with its HTTP link.

use std::path::Path;
use std::process::Stdio;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use super::{PATIENCE, School};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn graphql_sse_follows() {
    follow("sse").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apollo_client_follows() {
    follow("multipart").await;
}

/// Each event arrives before the next one is published, and the end of the session with its code.
async fn follow(transport: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    assert!(folder.join("node_modules/graphql-sse").is_dir(), "`make test` installs tests/clients/node_modules");
    let school = School::open(&[]).await;
    let mut command = Command::new("node");
    command.arg("streams.mjs").args([transport, &school.app.url, &school.ada.token]).current_dir(folder);
    let mut client = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
    let mut next = async || {
        let line = timeout(PATIENCE, lines.next_line()).await.expect("the client says nothing").unwrap();
        line.expect("the client ended")
    };
    assert_eq!(next().await, "start");
    for title in ["One", "Two"] {
        school.news(title).await;
        assert_eq!(next().await, title);
    }
    let sign_out = "mutation { signOut(input: {}) { endedCount } }";
    school.app.data(Some(&school.ada.token), sign_out, json!({})).await;
    assert_eq!(next().await, "error UNAUTHENTICATED");
    assert_eq!(next().await, "complete");
    // It neither repeats the operation nor waits.
    assert!(timeout(PATIENCE, client.wait()).await.expect("the client goes on").unwrap().success());
}
