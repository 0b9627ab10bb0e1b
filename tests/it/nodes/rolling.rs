//! Restarts of one node after the other, which nobody notices.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::support::eventually;
use crate::support::process::Site;
use crate::support::{http, rounds};

const NODES: usize = 2;
const CLIENTS: usize = 4;

/// How often the proxy asks a node for its health.
const INTERVAL: Duration = Duration::from_millis(100);

/// Every so many requests of a client, one changes something.
const CHANGE: usize = 10;

const QUERY: &str = "{ courses { totalCount } }";
const MUTATION: &str =
    "mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { userErrors { message } } }";

/// What a reverse proxy knows: the nodes that were ready when it last asked them. It passes requests to them in turn,
/// and none of them twice.
#[derive(Default)]
struct Proxy {
    ready: Mutex<Vec<String>>,
    turn: AtomicUsize,
    /// When there are no more clients.
    closed: AtomicBool,
}

impl Proxy {
    /// Watches the health of a node until the node is gone.
    async fn watch(self: Arc<Proxy>, url: String) {
        let client = http::client();
        loop {
            let answer = client.get(format!("{url}/readyz")).send().await;
            let is_ready = answer.as_ref().is_ok_and(|answer| answer.status() == 200);
            {
                let mut ready = self.ready.lock().unwrap();
                ready.retain(|known| *known != url);
                if is_ready {
                    ready.push(url.clone());
                }
            }
            // Nobody comes back at this address.
            if answer.is_err() {
                return;
            }
            sleep(INTERVAL).await;
        }
    }

    /// The node for the next request.
    fn choose(&self) -> String {
        let ready = self.ready.lock().unwrap();
        assert!(!ready.is_empty(), "no node is ready");
        ready[self.turn.fetch_add(1, Relaxed) % ready.len()].clone()
    }

    fn knows(&self) -> usize {
        self.ready.lock().unwrap().len()
    }
}

/// A client that asks until the proxy closes, over connections that are kept; how many queries and mutations were
/// answered. No request may fail.
async fn ask(proxy: Arc<Proxy>, token: String) -> (usize, usize) {
    // reqwest would repeat some requests by itself.
    let client = http::builder().retry(reqwest::retry::never()).build().unwrap();
    let (mut queries, mut mutations) = (0, 0);
    while !proxy.closed.load(Relaxed) {
        let url = proxy.choose();
        let request = client.post(format!("{url}/graphql"));
        let changes = (queries + mutations) % CHANGE == CHANGE - 1;
        let request = if changes {
            let input = json!({ "bio": format!("Changed {mutations} times.") });
            request.bearer_auth(&token).json(&json!({ "query": MUTATION, "variables": { "input": input } }))
        } else {
            request.json(&json!({ "query": QUERY }))
        };
        let answer = request.send().await.unwrap_or_else(|error| panic!("{url} does not answer: {error:?}"));
        let status = answer.status();
        let body = answer.text().await.unwrap_or_else(|error| panic!("{url} cuts its answer off: {error:?}"));
        assert_eq!(status, 200, "{url}: {body}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert!(body.get("errors").is_none(), "{url}: {body:#}");
        if changes {
            assert_eq!(body["data"]["updateProfile"]["userErrors"], json!([]), "{url}: {body:#}");
            mutations += 1;
        } else {
            assert_eq!(body["data"]["courses"]["totalCount"], 1, "{url}: {body:#}");
            queries += 1;
        }
        sleep(Duration::from_millis(5)).await;
    }
    (queries, mutations)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_behind_a_proxy_loses_nothing() {
    // Ten times as long as the proxy needs to hear of it.
    let site = Site::new().await.set("LYCEUM_DRAIN_SECONDS", "1").seed(1);
    let proxy = Arc::new(Proxy::default());
    let mut nodes = VecDeque::new();
    for _ in 0..NODES {
        let node = site.serve().await;
        tokio::spawn(proxy.clone().watch(node.url.clone()));
        nodes.push_back(node);
    }
    eventually("the proxy knows all nodes", async || proxy.knows() == NODES).await;
    let token = nodes[0].sign_in("student").await.token;
    let changes = async || -> usize {
        site.sql("SELECT count(*) FROM events WHERE kind = 'user_changed'").await.parse().unwrap()
    };
    let before = changes().await;
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(ask(proxy.clone(), token.clone()));
    }
    let restarts = rounds(5);
    for _ in 0..restarts {
        let mut old = nodes.pop_front().unwrap();
        old.signal(Signal::TERM);
        assert_eq!(old.ended().await.code(), Some(0), "{}", old.output());
        let new = site.serve().await;
        tokio::spawn(proxy.clone().watch(new.url.clone()));
        nodes.push_back(new);
        // Before that, the next restart would leave no node.
        eventually("the proxy knows the new node", async || proxy.knows() == NODES).await;
    }
    proxy.closed.store(true, Relaxed);
    let (mut queries, mut mutations) = (0, 0);
    while let Some(client) = clients.join_next().await {
        let (asked, changed) = client.unwrap();
        queries += asked;
        mutations += changed;
    }
    println!("{queries} queries and {mutations} mutations during {restarts} restarts of {NODES} nodes");
    assert!(queries > 50 * restarts && mutations > restarts, "too few to prove anything: {queries}, {mutations}");
    assert_eq!(changes().await - before, mutations, "each was done once");
}
