//! The log is rewound: a backup is restored, or a replica that was behind is promoted. Positions are assigned again.

use std::path::{Path, PathBuf};
use std::process::Command;

use lyceum::platform::embedded::postgres::{Options, Postgres, find_binaries};
use serde_json::{Value, json};

use crate::support::cluster;
use crate::support::eventually;
use crate::support::process::{Node, Site};
use crate::support::socket::{Follower, Socket, beginning};

const AFTER: &str = "subscription ($after: String) { newVideo(after: $after) { cursor } }";
const LIST: &str = "query ($after: String) { newVideos(after: $after) { nodes { lesson { title } } } }";

/// What a client is told that resumes after `cursor`: by the subscription, and by the list.
async fn refusals(node: &Node, cursor: &str) -> [String; 2] {
    let mut socket = Socket::connect(&node.url, None).await;
    socket.subscribe("x", AFTER, json!({ "after": cursor })).await;
    let told = socket.receive().await.unwrap();
    let error = if told["type"] == "error" { &told["payload"][0] } else { &told["payload"]["errors"][0] };
    let body = json!({ "query": LIST, "variables": { "after": cursor } });
    let listed = node.client.post(format!("{}/graphql", node.url)).json(&body).send().await.unwrap();
    let listed: Value = listed.json().await.unwrap();
    [error, &listed["errors"][0]].map(|error| error["extensions"]["code"].as_str().unwrap_or_default().to_owned())
}

fn expired() -> [String; 2] {
    ["CURSOR_EXPIRED".to_owned(), "CURSOR_EXPIRED".to_owned()]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restore_older_cursors_have_expired() {
    let site = Site::new().await.seed(1);
    let node = site.serve().await;
    let teacher = node.sign_in("instructor").await;
    let section = node.section(&teacher).await;
    node.news(&teacher, &section, "Before").await;
    let mut follower = Follower::after_hearing(&node.url, None, &["Before"]).await;
    let dump = cluster::folder().join("rewound.sql");
    // Beside the server itself, to which a link may lead.
    let server = find_binaries(cluster::search_path().as_deref()).unwrap().postgres.canonicalize().unwrap();
    let tool = |name: &str| server.with_file_name(name);
    let dumped = Command::new(tool("pg_dump")).arg("--file").arg(&dump).arg(site.database()).status().unwrap();
    assert!(dumped.success());
    node.news(&teacher, &section, "Lost").await;
    let lost = follower.next().await.cursor;
    let listed = node.data(None, LIST, json!({ "after": lost })).await;
    assert_eq!(listed["newVideos"]["nodes"], json!([]), "it is good here");

    let restored = Site::new().await;
    let psql = Command::new(tool("psql")).args(["--quiet", "--file"]).arg(&dump).arg(restored.database()).output();
    assert!(psql.unwrap().status.success());
    let node = restored.serve().await;
    assert_eq!(refusals(&node, &lost).await, expired());
    // Another lesson gets the position of the lost one.
    let teacher = node.sign_in("instructor").await;
    node.news(&teacher, &section, "After").await;
    assert_eq!(refusals(&node, &lost).await, expired());
    let mut follower = Follower::new(&node.url, None, Some(&beginning())).await;
    follower.expect(&["Before", "After"]).await;
}

/// A cluster of the test's own, in a folder below `/tmp` that PostgreSQL's user can pass.
async fn start(folder: &Path) -> Postgres {
    let options = Options { folder: folder.to_owned(), durable: false, search_path: cluster::search_path() };
    Postgres::start(options).await.unwrap()
}

fn run(program: &str, arguments: &[&str], paths: &[&PathBuf]) {
    assert!(Command::new(program).args(arguments).args(paths).status().unwrap().success(), "{program} {paths:?}");
}

/// The replica is a copy of the stopped primary. It ends its recovery as a promoted one does: on another timeline.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_promotion_of_a_replica_that_was_behind_too_and_subscribers_are_told() {
    let folder = cluster::folder().join("rewound");
    let (data, copy) = (folder.join("data"), folder.join("copy"));
    let primary = start(&folder).await;
    let site = Site::embedded().set("DATABASE_URL", primary.url()).seed(1);
    primary.stop().await.unwrap();
    run("cp", &["-a"], &[&data, &copy]);

    let primary = start(&folder).await;
    let node = site.serve().await;
    let teacher = node.sign_in("instructor").await;
    let section = node.section(&teacher).await;
    node.news(&teacher, &section, "Lost").await;
    let mut follower = Follower::after_hearing(&node.url, None, &["Lost"]).await;
    node.news(&teacher, &section, "Lost, too").await;
    let lost = follower.next().await.cursor;
    primary.stop().await.unwrap();

    std::fs::remove_dir_all(&data).unwrap();
    std::fs::rename(&copy, &data).unwrap();
    let (signal, conf) = (data.join("recovery.signal"), data.join("postgresql.auto.conf"));
    std::fs::write(&signal, "").unwrap();
    run("chown", &[&format!("--reference={}", conf.display())], &[&signal]);
    let settings = std::fs::read_to_string(&conf).unwrap();
    std::fs::write(&conf, settings + "restore_command = 'false'\n").unwrap();
    let promoted = start(&folder).await;
    eventually("it is promoted", async || cluster::ask(promoted.url(), "SELECT pg_is_in_recovery()").await == "f")
        .await;
    eventually("the node has found it", async || node.status("/readyz").await == 200).await;

    // The one that stayed is told to ask again, as soon as there is news.
    let teacher = node.sign_in("instructor").await;
    let told = async {
        for number in 0.. {
            node.news(&teacher, &section, &format!("After {number}")).await;
        }
    };
    let ended = async {
        loop {
            let message = follower.0.receive().await.unwrap();
            assert_ne!(message["payload"]["data"]["newVideo"]["lesson"]["title"], "Lost, too");
            if message["type"] == "complete" {
                return;
            }
        }
    };
    tokio::select! { () = told => {}, () = ended => {} }
    assert_eq!(refusals(&node, &lost).await, expired());
    assert_eq!(Follower::new(&node.url, None, Some(&beginning())).await.next().await.title, "After 0");
}
