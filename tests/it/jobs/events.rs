//! From an event to its jobs.

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::FutureExt;
use lyceum::platform::App;
use lyceum::platform::internal_error::InternalError;
use lyceum::platform::jobs::{Handler, Registry, Run};
use lyceum::platform::outbox::{self, Event, dispatcher, feed};
use lyceum::platform::{inbox, jobs};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::task::JoinSet;

use super::{LONG, NOTE, count, drain, enqueue, handler, note, notes, registry};
use crate::support::TestApp;

#[derive(Serialize, Deserialize)]
struct BellRang {
    name: String,
}

impl Event for BellRang {
    const KIND: &'static str = "bell_rang";

    fn topics(&self) -> Vec<String> {
        vec!["bells".into()]
    }
}

fn reaction(name: &'static str, on: &'static str) -> Handler {
    Handler::reaction(name, on, LONG, NOTE)
}

async fn ring(app: &App, name: impl Into<String>) {
    let event = BellRang { name: name.into() };
    app.db.transaction(async |tx| outbox::record(tx, &app.clock, &event).await).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_rolled_back_never_happened() {
    let test = TestApp::start().await;
    let (app, registry) = (&test.app, registry([reaction("bell.note", "bell_rang"), handler("job.note", NOTE)]));
    let undone = app.db.transaction(async |tx| {
        outbox::record(tx, &app.clock, &BellRang { name: "undone".into() }).await?;
        jobs::enqueue(tx, &app.clock, "job.note", &json!({ "name": "undone" }), "key").await?;
        inbox::receive(tx, &app.clock, "post", "1", "job.note", &json!({ "name": "undone" })).await?;
        Err::<(), _>(InternalError::new("changed my mind"))
    });
    undone.await.unwrap_err();
    ring(app, "done").await;
    dispatcher::tick(app, &registry).await.unwrap();
    drain(app, &registry).await;
    assert_eq!(notes(&test), ["done"]);
    assert_eq!((count(&test, "events").await, count(&test, "inbox").await), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_handler_of_a_kind_runs_and_no_other() {
    let test = TestApp::start().await;
    let handlers = ["bell.first", "bell.second"].map(|name| reaction(name, "bell_rang"));
    let registry = registry(handlers.into_iter().chain([reaction("door.note", "door_opened"), handler("idle", NOTE)]));
    ring(&test.app, "ding").await;
    dispatcher::tick(&test.app, &registry).await.unwrap();
    let asked_for = "SELECT string_agg(handler, ' ' ORDER BY handler) FROM jobs";
    assert_eq!(test.sql(asked_for).await, "bell.first bell.second");
    drain(&test.app, &registry).await;
    assert_eq!(notes(&test), ["ding", "ding"]);
    assert_eq!(count(&test, "jobs").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_at_once_handle_each_event_once() {
    const ROUNDS: usize = 5;
    const EACH: usize = 15;
    const RINGERS: usize = 4;
    let test = TestApp::start().await;
    let peer = test.peer().await;
    let registry = registry([reaction("bell.note", "bell_rang")]);
    for round in 0..ROUNDS {
        let mut tasks = JoinSet::new();
        for ringer in 0..RINGERS {
            let app = test.app.clone();
            tasks.spawn(async move {
                for number in 0..EACH {
                    ring(&app, format!("{round}/{ringer}/{number}")).await;
                }
            });
        }
        for node in [&test, &peer] {
            let (app, registry) = (node.app.clone(), registry.clone());
            tasks.spawn(async move { work_until(&app, &registry, (round + 1) * EACH * RINGERS).await });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
    }
    let (ours, theirs) = (notes(&test), notes(&peer));
    assert!(!ours.is_empty() && !theirs.is_empty(), "one node did everything");
    let mut all: Vec<String> = ours.into_iter().chain(theirs).collect();
    all.sort_unstable();
    let mut expected = Vec::new();
    for round in 0..ROUNDS {
        for ringer in 0..RINGERS {
            expected.extend((0..EACH).map(|number| format!("{round}/{ringer}/{number}")));
        }
    }
    expected.sort_unstable();
    assert_eq!(all, expected);
    // The log has no gap, and each place in it tells the one before.
    let broken = "(SELECT position, previous, lag(position, 1, 0::bigint) OVER (ORDER BY position) AS before \
                  FROM event_topics) AS chain WHERE previous <> before OR position <> before + 1";
    assert_eq!(count(&test, broken).await, 0);
    assert_eq!(count(&test, "event_topics").await, ROUNDS * EACH * RINGERS);
}

/// Dispatches and works until that many events were dispatched and no job is left.
async fn work_until(app: &App, registry: &Registry, events: usize) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        dispatcher::tick(app, registry).await.unwrap();
        drain(app, registry).await;
        let dispatched = feed::count(app, &["bells".into()]).await.unwrap();
        if usize::try_from(dispatched).unwrap() >= events {
            return drain(app, registry).await;
        }
        assert!(tokio::time::Instant::now() < deadline, "{dispatched} of {events} events");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_work_is_asked_for_once_until_it_is_done() {
    let test = TestApp::start().await;
    let registry = registry([handler("job.note", NOTE)]);
    for name in ["first", "second"] {
        enqueue(&test.app, "job.note", json!({ "name": name }), "key").await;
    }
    drain(&test.app, &registry).await;
    assert_eq!(notes(&test), ["first"]);
    enqueue(&test.app, "job.note", json!({ "name": "again" }), "key").await;
    drain(&test.app, &registry).await;
    assert_eq!(notes(&test), ["first", "again"]);
}

/// Asks for the next of its kind until there have been enough.
const CHAIN: Run = |app, payload| {
    async move {
        let left = payload["left"].as_u64().unwrap_or_default();
        if left > 0 {
            enqueue(&app, "job.chain", json!({ "left": left - 1 }), &left.to_string()).await;
        }
        note(&app, &payload).await
    }
    .boxed()
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_job_asks_for_is_drained_too() {
    let test = TestApp::start().await;
    enqueue(&test.app, "job.chain", json!({ "left": 300 }), "first").await;
    drain(&test.app, &registry([handler("job.chain", CHAIN)])).await;
    assert_eq!(notes(&test).len(), 301);
}

#[test]
fn two_handlers_of_one_name_are_refused() {
    assert!(Registry::new([handler("same", NOTE), handler("same", NOTE)]).is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_old_events_that_everybody_was_told_of_are_forgotten() {
    let test = TestApp::start().await;
    let (app, registry) = (&test.app, registry([]));
    for name in ["pushed", "numbered"] {
        ring(app, name).await;
        dispatcher::tick(app, &registry).await.unwrap();
    }
    test.sql("UPDATE events SET pushed_at = NULL WHERE payload ->> 'name' = 'numbered'").await;
    ring(app, "recorded").await;
    app.clock.advance(TimeDelta::days(31));
    ring(app, "young").await;
    let forget = lyceum::app::registry().unwrap();
    enqueue(app, "outbox.forget", json!({}), "first").await;
    drain(app, &forget).await;
    let left = "SELECT string_agg(payload ->> 'name', ' ' ORDER BY id) FROM events";
    assert_eq!(test.sql(left).await, "numbered recorded young");
    // What is left goes its way, and who comes back from before all of it starts there.
    dispatcher::tick(app, &registry).await.unwrap();
    let log = feed::read::<BellRang>(app, &["bells".into()], (None, None), true, 10).await.unwrap();
    let names: Vec<&str> = log.iter().map(|recorded| recorded.event.name.as_str()).collect();
    assert_eq!(names, ["numbered", "recorded", "young"]);
    assert!(forget.scheduled().any(|(name, _)| name == "outbox.forget"));
    enqueue(app, "outbox.forget", json!({}), "second").await;
    drain(app, &forget).await;
    assert_eq!(test.sql(left).await, "young");
}
