//! A database that goes away and comes back.

use lyceum::platform::embedded::postgres::{Options, Postgres};
use serde_json::{Value, json};

use super::Teacher;
use crate::support::cluster;
use crate::support::eventually;
use crate::support::process::Site;
use crate::support::socket::{Follower, Socket};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_postgresql_is_outlived() {
    let site = Site::embedded();
    let folder = site.data().join("its own");
    let start = async || {
        let options = Options { folder: folder.clone(), durable: false, search_path: cluster::search_path() };
        Postgres::start(options).await.unwrap()
    };
    let postgres = start().await;
    let url = postgres.url().to_owned();
    let site = site.set("DATABASE_URL", &url).seed(1);
    let node = site.serve().await;
    let teacher = Teacher::on(&node).await;
    let mut follower = Follower::after_hearing(&node.url, None, &["Hello"]).await;
    teacher.publish(&node, "Before").await;
    follower.expect(&["Before"]).await;
    let mut idle = Socket::connect(&node.url, None).await;

    postgres.stop().await.unwrap();
    eventually("it is not ready", async || node.status("/readyz").await == 503).await;
    assert_eq!(node.status("/healthz").await, 200, "it lives, and nobody should restart it");
    let body = json!({ "query": "{ courses { totalCount } }" });
    let answer = node.client.post(format!("{}/graphql", node.url)).json(&body).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{answer:#}");

    let postgres = start().await;
    assert_eq!(postgres.url(), url);
    eventually("it is ready again", async || node.status("/readyz").await == 200).await;
    teacher.publish(&node, "After").await;
    follower.expect(&["After"]).await;
    // A socket that was open all the time works on, too.
    idle.subscribe("q", "{ courses { totalCount } }", json!({})).await;
    assert_eq!(idle.receive().await.unwrap()["payload"]["data"]["courses"]["totalCount"], 1);

    // As a standby is until it is promoted: it answers reads.
    let read_only = async |on: bool| {
        cluster::ask(&url, &format!("ALTER SYSTEM SET default_transaction_read_only = {on}")).await;
        cluster::ask(&url, "SELECT pg_reload_conf()").await;
    };
    let code_of = async |query: &str| {
        let request = node.client.post(format!("{}/graphql", node.url)).bearer_auth(&teacher.user.token);
        let answer = request.json(&json!({ "query": query })).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["errors"][0]["extensions"]["code"].clone()
    };
    let write = r#"mutation { updateProfile(input: { name: "Ada" }) { userErrors { code } } }"#;
    assert_eq!(code_of(write).await, Value::Null);
    read_only(true).await;
    eventually("it cannot write", async || code_of(write).await == "UNAVAILABLE").await;
    assert_eq!(code_of("{ courses { totalCount } }").await, Value::Null);
    read_only(false).await;
    eventually("it writes again", async || code_of(write).await.is_null()).await;
    // The log is not a terminal here, so it has no colours.
    let log = node.output();
    assert!(log.contains("WARN") && !log.contains('\u{1b}'), "{log}");
    drop(node);
    postgres.stop().await.unwrap();
}
