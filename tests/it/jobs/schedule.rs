//! Jobs by the clock.

use chrono::TimeDelta;
use lyceum::platform::jobs::{Handler, Registry, cron};

use super::{NOTE, count, drain, handler, notes, registry};
use crate::support::TestApp;

fn every_five_minutes() -> Registry {
    registry([Handler { cron: Some("*/5 * * * *"), ..handler("chime", NOTE) }])
}

/// Both nodes look at the clock at once.
async fn tick(nodes: [&TestApp; 2], registry: &Registry) {
    let (one, other) = tokio::join!(cron::tick(&nodes[0].app, registry), cron::tick(&nodes[1].app, registry));
    one.unwrap();
    other.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_enqueue_each_turn_once() {
    let test = TestApp::start().await;
    let peer = test.peer().await;
    let registry = every_five_minutes();
    // 09:00 is a turn itself, but a schedule that becomes known begins with the next one.
    tick([&test, &peer], &registry).await;
    assert_eq!(count(&test, "jobs").await, 0);
    for turn in 1..=12 {
        test.app.clock.advance(TimeDelta::minutes(5) - TimeDelta::seconds(1));
        tick([&test, &peer], &registry).await;
        assert_eq!(count(&test, "jobs").await, turn - 1, "before its time");
        test.app.clock.advance(TimeDelta::seconds(1));
        for _ in 0..3 {
            tick([&test, &peer], &registry).await;
        }
        assert_eq!(count(&test, "jobs").await, turn);
    }
    let due = "SELECT string_agg(payload ->> 'due', ' ' ORDER BY payload ->> 'due') FROM jobs";
    let due: Vec<String> = test.sql(due).await.split(' ').map(str::to_owned).collect();
    assert_eq!((due[0].as_str(), due[11].as_str()), ("2026-11-20T09:05:00Z", "2026-11-20T10:00:00Z"));
    drain(&test.app, &registry).await;
    assert_eq!(notes(&test).len(), 12);
    // A turn that was done stays done.
    tick([&test, &peer], &registry).await;
    assert_eq!(count(&test, "jobs").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn turns_that_everybody_slept_through_are_made_up_for_once() {
    let test = TestApp::start().await;
    let peer = test.peer().await;
    let registry = every_five_minutes();
    tick([&test, &peer], &registry).await;
    test.app.clock.advance(TimeDelta::hours(8) + TimeDelta::minutes(7));
    tick([&test, &peer], &registry).await;
    assert_eq!(test.sql("SELECT string_agg(payload ->> 'due', ' ') FROM jobs").await, "2026-11-20T17:05:00Z");
    test.app.clock.advance(TimeDelta::minutes(3));
    tick([&test, &peer], &registry).await;
    assert_eq!(count(&test, "jobs").await, 2);
}
