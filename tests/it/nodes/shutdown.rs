//! SIGTERM and SIGINT.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use super::{Teacher, activate, register};
use crate::support::cluster;
use crate::support::eventually;
use crate::support::process::Site;
use crate::support::socket::{Closed, Follower};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_request_is_finished() {
    let site = Site::new().await.seed(1);
    let mut node = site.serve().await;
    let gate = cluster::connect(site.database()).await;
    gate.batch_execute("BEGIN; LOCK TABLE courses IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let body = json!({ "query": "{ courses { totalCount } }" });
    let request = node.client.post(format!("{}/graphql", node.url)).json(&body);
    let mut request = tokio::spawn(async move { request.send().await.unwrap().text().await.unwrap() });
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'courses'::regclass";
    eventually("the request waits", async || cluster::ask(site.database(), waiting).await != "0").await;
    node.signal(Signal::TERM);
    eventually("nobody else is served", async || node.status("/healthz").await == 0).await;
    let early = tokio::time::timeout(Duration::from_millis(300), &mut request).await;
    assert!(early.is_err() && node.is_running(), "it was not waited for: {early:?}");
    gate.batch_execute("ROLLBACK").await.unwrap();
    let answer: serde_json::Value = serde_json::from_str(&request.await.unwrap()).unwrap();
    assert_eq!(answer["data"]["courses"]["totalCount"], 1);
    assert_eq!(node.ended().await.code(), Some(0), "{}", node.output());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_are_told_that_the_server_goes_away() {
    let site = Site::new().await.seed(1);
    for signal in [Signal::TERM, Signal::INT] {
        let mut node = site.serve().await;
        Teacher::on(&node).await;
        let mut follower = Follower::new(&node.url, None, Some(&crate::support::socket::beginning())).await;
        assert_eq!(follower.next().await.title, "Hello");
        let asked = Instant::now();
        node.signal(signal);
        assert_eq!(follower.0.closed().await, Closed { code: 1001, reason: "Going away".into() });
        assert_eq!(node.ended().await.code(), Some(0), "{}", node.output());
        // Nothing was running: the grace of 20 s is not used up.
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_does_not_end_is_given_back() {
    // A mail server that takes connections and never says a word.
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let smtp = format!("smtp://{}", deaf.local_addr().unwrap());
    let site = Site::new().await.set("SMTP_URL", &smtp).set("LYCEUM_SHUTDOWN_SECONDS", "2");
    let mut node = site.serve().await;
    register(&node).await;
    let leased = "SELECT count(*) FROM jobs WHERE leased_by IS NOT NULL AND attempts = 1";
    eventually("the mail is under way", async || site.sql(leased).await == "1").await;
    let asked = Instant::now();
    node.signal(Signal::TERM);
    assert_eq!(node.ended().await.code(), Some(0), "{}", node.output());
    assert!(asked.elapsed() < Duration::from_secs(6), "{:?}", asked.elapsed());
    let given_back = "SELECT count(*) FROM jobs WHERE leased_by IS NULL AND attempts = 0";
    assert_eq!(site.sql(given_back).await, "1");
    // The next start sends the mail, at once, and its code is good there.
    let site = site.unset("SMTP_URL");
    let node = site.serve().await;
    let (_, token) = activate(&site, &node).await;
    let viewer = node.data(Some(&token), "{ viewer { user { name } } }", json!({})).await;
    assert_eq!(viewer["viewer"]["user"]["name"], "Grace");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_balancer_has_time_to_send_requests_elsewhere() {
    let site = Site::new().await.seed(1).set("LYCEUM_DRAIN_SECONDS", "5");
    let mut node = site.serve().await;
    let asked = Instant::now();
    node.signal(Signal::TERM);
    eventually("it is not ready", async || node.status("/readyz").await == 503).await;
    let mut answers = 0;
    loop {
        let body = json!({ "query": "{ courses { totalCount } }" });
        match node.client.post(format!("{}/graphql", node.url)).json(&body).send().await {
            Ok(answer) => {
                assert_eq!(answer.headers()["connection"], "close");
                assert_eq!(answer.status(), 200);
                answers += 1;
            }
            Err(_) => break,
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(answers > 10 && asked.elapsed() >= Duration::from_secs(5), "{answers} in {:?}", asked.elapsed());
    assert_eq!(node.ended().await.code(), Some(0), "{}", node.output());
}
