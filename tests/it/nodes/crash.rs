//! `kill -9` of the server.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::process::Signal;
use serde_json::json;

use super::{Teacher, activate, register};
use crate::support::eventually;
use crate::support::process::Site;
use crate::support::socket::Follower;
use crate::support::{cluster, rounds};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn news_survives_a_server_killed_before_it_was_pushed() {
    let site = Site::new().await.seed(1);
    let mut node = site.serve().await;
    let teacher = Teacher::on(&node).await;
    let mut follower = Follower::after_hearing(&node.url, None, &["Hello"]).await;
    teacher.publish(&node, "Seen").await;
    let seen = follower.next().await;
    let mut cursor = seen.cursor;
    for _ in 0..rounds(1) {
        // Whoever numbers events waits for this row, so that nothing is pushed until the server is gone.
        let gate = cluster::connect(site.database()).await;
        gate.batch_execute("BEGIN; SELECT * FROM event_counter FOR UPDATE").await.unwrap();
        teacher.publish(&node, "Committed").await;
        node.kill();
        gate.batch_execute("ROLLBACK").await.unwrap();
        let waiting = "SELECT count(*) FROM events WHERE position IS NULL AND kind = 'lesson_published'";
        assert_eq!(site.sql(waiting).await, "1");
        node = site.serve().await;
        let mut back = Follower::new(&node.url, None, Some(&cursor)).await;
        back.expect(&["Committed"]).await;
        teacher.publish(&node, "Afterwards").await;
        let afterwards = back.next().await;
        assert_eq!(afterwards.title, "Afterwards");
        cursor = afterwards.cursor;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_database_outlives_a_killed_server() {
    let site = Site::embedded();
    let mut node = site.serve().await;
    assert!(node.output().contains("set DATABASE_URL"), "the banner says what is embedded: {}", node.output());
    register(&node).await;
    activate(&site, &node).await;
    let data = site.data().join("postgres").canonicalize().unwrap().join("data");
    let first = the_postmaster(&data).await;
    node.kill();
    let mut node = site.serve().await;
    assert_eq!(the_postmaster(&data).await, first, "it is adopted, not started anew");
    let query = "mutation ($input: SignInInput!) { signIn(input: $input) { user { name } } }";
    let input = json!({ "email": "grace@people.example", "password": "correct horse battery" });
    let data_back = node.data(None, query, json!({ "input": input })).await;
    assert_eq!(data_back["signIn"]["user"]["name"], "Grace");
    // Stopped the right way, it takes the adopted database with it.
    node.signal(Signal::TERM);
    assert!(node.ended().await.success(), "{}", node.output());
    eventually("the database stops", async || postmasters(&data).is_empty()).await;
}

/// The one process that serves the cluster. A backend that was just forked looks the same for a moment.
async fn the_postmaster(data: &Path) -> i32 {
    loop {
        eventually("there is one postmaster", async || postmasters(data).len() == 1).await;
        if let [only] = postmasters(data)[..] {
            return only;
        }
    }
}

/// The processes that serve the cluster in `data`.
fn postmasters(data: &Path) -> Vec<i32> {
    let is_one = |process: &Path| {
        let line = std::fs::read(process.join("cmdline")).unwrap_or_default();
        let arguments: Vec<&OsStr> = line.split(|byte| *byte == 0).map(OsStr::from_bytes).collect();
        arguments[0].as_bytes().ends_with(b"/postgres") && arguments.contains(&data.as_os_str())
    };
    let processes = std::fs::read_dir("/proc").unwrap().flatten().filter(|entry| is_one(&entry.path()));
    processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}
