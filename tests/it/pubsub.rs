//! Publish and subscribe through real Redis servers.
use std::time::{Duration, Instant};

use crate::support::eventually;
use crate::support::redis::RedisServer;
use bytes::Bytes;
use futures_util::StreamExt;
use lyceum::platform::pubsub::{Message, PubSub, Signal, Subscription};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const PREFIX: &str = "test:";

/// One node of the program, as far as pub/sub goes.
struct Node {
    pubsub: PubSub,
    tasks: TaskTracker,
    stop: CancellationToken,
}

async fn node(url: &str) -> Node {
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let pubsub = PubSub::redis(url, PREFIX, &tasks, stop.clone()).await.unwrap();
    Node { pubsub, tasks, stop }
}

impl Node {
    async fn publish(&self, topic: &str, payload: &str) {
        self.pubsub.publish(topic, Bytes::copy_from_slice(payload.as_bytes())).await.unwrap();
    }

    async fn subscribe(&self, topic: &str) -> Subscription {
        self.pubsub.subscribe(topic).await.unwrap()
    }
}

async fn hear(subscription: &mut Subscription) -> Signal {
    let signal = tokio::time::timeout(Duration::from_secs(15), subscription.next()).await;
    signal.expect("a signal in time").expect("a signal before the end")
}

async fn silence(subscription: &mut Subscription) {
    let signal = tokio::time::timeout(Duration::from_millis(200), subscription.next()).await;
    assert!(signal.is_err(), "heard {signal:?}");
}

fn text(text: impl ToString) -> Signal {
    Signal::Message(Message::new(Bytes::from(text.to_string())))
}

fn channels(server: &RedisServer) -> Vec<String> {
    let mut channels: Vec<String> = server.cli(&["pubsub", "channels"]).lines().map(str::to_owned).collect();
    channels.retain(|channel| !channel.is_empty());
    channels.sort();
    channels
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_hear_each_other_and_themselves_once() {
    let server = RedisServer::start();
    let (here, there) = (node(&server.url()).await, node(&server.url()).await);
    let mut near = here.subscribe("a").await;
    let mut near_too = here.subscribe("a").await;
    let mut far = there.subscribe("a").await;
    let mut other = there.subscribe("b").await;
    here.publish("a", "1").await;
    there.publish("a", "2").await;
    for subscription in [&mut near, &mut near_too, &mut far] {
        assert_eq!(hear(subscription).await, text("1"));
        assert_eq!(hear(subscription).await, text("2"));
        silence(subscription).await;
    }
    silence(&mut other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_is_asked_only_for_topics_that_somebody_wants() {
    let server = RedisServer::start();
    let node = node(&server.url()).await;
    assert_eq!(channels(&server), [""; 0]);
    let first = node.subscribe("a").await;
    // No waiting: when `subscribe` returns, it is so.
    assert_eq!(channels(&server), ["test:a"]);
    let second = node.subscribe("a").await;
    let other = node.subscribe("b").await;
    assert_eq!(channels(&server), ["test:a", "test:b"]);
    drop(first);
    drop(other);
    eventually("b is given up", async || channels(&server) == ["test:a"]).await;
    drop(second);
    eventually("a is given up", async || channels(&server).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_comes_while_the_last_one_leaves_hears_everything() {
    let server = RedisServer::start();
    let node = node(&server.url()).await;
    let mut racers = tokio::task::JoinSet::new();
    for racer in 0..4 {
        let pubsub = node.pubsub.clone();
        racers.spawn(async move {
            let mut missed = 0;
            for round in 0..150 {
                let mut subscription = pubsub.subscribe("contested").await.unwrap();
                let mine = format!("{racer}.{round}");
                pubsub.publish("contested", Bytes::from(mine.clone())).await.unwrap();
                loop {
                    match hear(&mut subscription).await {
                        Signal::Missed => missed += 1,
                        signal if signal == text(&mine) => break,
                        Signal::Message(_) => continue,
                    }
                    break;
                }
            }
            missed
        });
    }
    // A racer that doesn't get the processor for a while is a slow reader, and rightly told so; but not often.
    let missed: u32 = racers.join_all().await.into_iter().sum();
    assert!(missed < 60, "{missed} of 600");
    eventually("given up", async || channels(&server).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_topics_survive_a_killed_server() {
    let mut server = RedisServer::start();
    let node = node(&server.url()).await;
    let mut subscriptions = Vec::new();
    for n in 0..1_000 {
        subscriptions.push(node.subscribe(&format!("topic-{n}")).await);
    }
    node.publish("topic-7", "before").await;
    assert_eq!(hear(&mut subscriptions[7]).await, text("before"));

    server.kill();
    eventually("the loss is noticed", async || node.pubsub.publish("topic-7", Bytes::new()).await.is_err()).await;
    // Comes while there is no Redis, and goes while there is none.
    let started = Instant::now();
    let mut late = node.subscribe("late").await;
    assert!(started.elapsed() < Duration::from_secs(5));
    drop(subscriptions.pop());
    server.restart();

    for subscription in &mut subscriptions {
        assert_eq!(hear(subscription).await, Signal::Missed);
    }
    assert_eq!(hear(&mut late).await, Signal::Missed);
    eventually("publishing works again", async || node.pubsub.publish("topic-7", Bytes::from("after")).await.is_ok())
        .await;
    assert_eq!(hear(&mut subscriptions[7]).await, text("after"));
    node.publish("late", "too").await;
    assert_eq!(hear(&mut late).await, text("too"));
    assert_eq!(channels(&server).len(), 1_000, "999 of the first and the late one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_connection_is_repaired_and_reported() {
    let server = RedisServer::start();
    let node = node(&server.url()).await;
    let mut subscription = node.subscribe("a").await;
    server.cli(&["client", "kill", "type", "pubsub"]);
    assert_eq!(hear(&mut subscription).await, Signal::Missed);
    node.publish("a", "1").await;
    assert_eq!(hear(&mut subscription).await, text("1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_is_taken_for_lost() {
    let server = RedisServer::start();
    let node = node(&server.url()).await;
    let mut subscription = node.subscribe("a").await;
    let signal = |name: &str| {
        let status = std::process::Command::new("kill").args([name, &server.pid().to_string()]).status();
        assert!(status.unwrap().success());
    };
    signal("-STOP");
    // Doesn't wait for ever, and is told when the link is up again.
    let started = Instant::now();
    let mut second = node.subscribe("b").await;
    assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());
    assert!(node.pubsub.publish("a", Bytes::from("lost")).await.is_err());
    signal("-CONT");
    assert_eq!(hear(&mut second).await, Signal::Missed);
    while hear(&mut subscription).await != Signal::Missed {}
    eventually("publishing works again", async || node.pubsub.publish("b", Bytes::from("1")).await.is_ok()).await;
    assert_eq!(hear(&mut second).await, text("1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_is_told() {
    let server = RedisServer::start();
    let node = node(&server.url()).await;
    let mut slow = node.subscribe("a").await;
    let mut last = node.subscribe("last").await;
    for n in 0..500 {
        node.publish("a", &n.to_string()).await;
    }
    node.publish("last", "x").await;
    assert_eq!(hear(&mut last).await, text("x"));
    assert_eq!(hear(&mut slow).await, Signal::Missed);
    let rest: Vec<Signal> = slow.by_ref().take(64).collect().await;
    assert_eq!(rest.last(), Some(&text(499)));
    silence(&mut slow).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_ends_subscriptions_and_the_task() {
    let server = RedisServer::start();
    let node = node(&server.url()).await;
    let mut subscription = node.subscribe("a").await;
    node.stop.cancel();
    node.tasks.close();
    tokio::time::timeout(Duration::from_secs(2), node.tasks.wait()).await.unwrap();
    assert_eq!(subscription.next().await, None);
    assert_eq!(node.subscribe("a").await.next().await, None);
    eventually("the connection is closed", async || channels(&server).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_carries_topics_too() {
    let server = RedisServer::cluster();
    let node = node(&server.url()).await;
    let mut subscription = node.subscribe("a").await;
    node.publish("a", "1").await;
    assert_eq!(hear(&mut subscription).await, text("1"));
}
