//! Workers that die, stop or are slow.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use lyceum::platform::jobs::Registry;
use lyceum::platform::jobs::worker::Worker;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{NOTE, STUCK, clear, count, drain, enqueue, handler, notes, registry, set};
use crate::support::TestApp;
use crate::support::eventually;
use crate::support::socket::PATIENCE;

/// Longer than a lease without a heartbeat.
const LEASE: TimeDelta = TimeDelta::seconds(31);

/// A worker that has taken the one job and then is heard of no more, though its handler goes on.
async fn lost_worker(test: &TestApp, registry: &Registry, run: usize) {
    let worker = Worker::new(test.app.clone(), registry.clone());
    let draining = tokio::spawn(async move { worker.drain().await });
    eventually("the handler runs", async || notes(test).len() == run).await;
    draining.abort();
    assert!(draining.await.unwrap_err().is_cancelled());
}

/// A job whose first worker is lost and whose second one is at it; both runs are held.
async fn overtaken() -> (TestApp, JoinHandle<()>) {
    let test = TestApp::start().await;
    let registry = registry([handler("stuck", STUCK)]);
    set(&test, "hold-1", "yes");
    set(&test, "hold-2", "yes");
    enqueue(&test.app, "stuck", json!({}), "key").await;
    lost_worker(&test, &registry, 1).await;
    test.app.clock.advance(LEASE);
    let second = spawn_drain(&test, &registry);
    eventually("the second run", async || notes(&test).len() == 2).await;
    (test, second)
}

fn spawn_drain(test: &TestApp, registry: &Registry) -> JoinHandle<()> {
    let (app, registry) = (test.app.clone(), registry.clone());
    tokio::spawn(async move { drain(&app, &registry).await })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_job_of_a_dead_worker_is_taken_when_its_lease_ends() {
    let test = TestApp::start().await;
    let registry = registry([handler("stuck", STUCK)]);
    set(&test, "hold-1", "yes");
    enqueue(&test.app, "stuck", json!({}), "key").await;
    lost_worker(&test, &registry, 1).await;
    test.app.clock.advance(LEASE - TimeDelta::seconds(2));
    drain(&test.app, &registry).await;
    assert_eq!(notes(&test).len(), 1, "the lease is not over");
    test.app.clock.advance(TimeDelta::seconds(2));
    drain(&test.app, &registry).await;
    assert_eq!((notes(&test).len(), count(&test, "jobs").await), (2, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_success_does_not_end_what_another_worker_is_doing() {
    let (test, second) = overtaken().await;
    late(&test, "yes").await;
    assert_eq!(count(&test, "jobs WHERE leased_by IS NOT NULL AND attempts = 2").await, 1, "it isn't done");
    clear(&test, "hold-2");
    second.await.unwrap();
    assert_eq!(count(&test, "jobs").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_failure_does_not_disturb_what_another_worker_is_doing() {
    let (test, second) = overtaken().await;
    late(&test, "fail").await;
    assert_eq!(count(&test, "jobs WHERE leased_by IS NOT NULL AND last_error IS NULL").await, 1);
    clear(&test, "hold-2");
    second.await.unwrap();
    assert_eq!((count(&test, "jobs").await, notes(&test).len()), (0, 2));
}

/// Lets the first run end and waits until its worker has told the database.
async fn late(test: &TestApp, how: &'static str) {
    let before = test.app.db.statements();
    match how {
        "fail" => set(test, "hold-1", "fail"),
        _ => clear(test, "hold-1"),
    }
    // The second worker asks for work every few milliseconds; among these many statements is the first one's last.
    eventually("the first worker reports", async || test.app.db.statements() > before + 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_lost_its_lease_does_not_start_its_own_job_again() {
    let test = TestApp::start().await;
    let registry = registry([handler("stuck", STUCK)]);
    set(&test, "hold-1", "yes");
    enqueue(&test.app, "stuck", json!({}), "key").await;
    let first = spawn_drain(&test, &registry);
    eventually("the handler runs", async || notes(&test).len() == 1).await;
    test.app.clock.advance(LEASE);
    let before = test.app.db.statements();
    eventually("it asks for work", async || test.app.db.statements() > before + 20).await;
    assert_eq!(notes(&test).len(), 1);
    clear(&test, "hold-1");
    first.await.unwrap();
    assert_eq!((count(&test, "jobs").await, notes(&test).len()), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_job_keeps_its_lease_also_while_its_worker_stops() {
    let test = TestApp::start().await;
    let registry = registry([handler("stuck", STUCK)]);
    set(&test, "hold-1", "yes");
    enqueue(&test.app, "stuck", json!({}), "key").await;
    let working = tokio::spawn(Worker::new(test.app.clone(), registry.clone()).run());
    eventually("the handler runs", async || notes(&test).len() == 1).await;
    for stopping in [false, true] {
        if stopping {
            test.app.stopping.cancel();
        }
        test.app.clock.advance(LEASE - TimeDelta::seconds(2));
        let until = test.sql("SELECT leased_until + interval '10 s' FROM jobs").await;
        let renewed = format!("SELECT leased_until > '{until}' FROM jobs");
        // Within 10 s of real time.
        eventually("a heartbeat", async || test.sql(&renewed).await == "t").await;
        test.app.clock.advance(LEASE - TimeDelta::seconds(2));
        drain(&test.app, &registry).await;
        assert_eq!(notes(&test).len(), 1, "somebody else took it");
    }
    clear(&test, "hold-1");
    working.await.unwrap();
    assert_eq!(count(&test, "jobs").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopping_worker_finishes_what_it_can_and_gives_back_the_rest_uncounted() {
    let test = TestApp::with(&[("LYCEUM_SHUTDOWN_SECONDS", "1")]).await;
    let registry = registry([handler("stuck", STUCK)]);
    set(&test, "hold-1", "yes");
    set(&test, "hold-2", "yes");
    for key in ["one", "two"] {
        enqueue(&test.app, "stuck", json!({}), key).await;
    }
    let working = tokio::spawn(Worker::new(test.app.clone(), registry.clone()).run());
    eventually("both run", async || notes(&test).len() == 2).await;
    test.app.stopping.cancel();
    clear(&test, "hold-1");
    timeout(PATIENCE, working).await.expect("the worker never stops").unwrap();
    assert_eq!(count(&test, "jobs").await, 1, "one was finished");
    assert_eq!(count(&test, "jobs WHERE attempts = 0 AND leased_by IS NULL AND leased_until IS NULL").await, 1);
    // At once, without waiting for a lease to end.
    drain(&test.app, &registry).await;
    assert_eq!((count(&test, "jobs").await, notes(&test).len()), (0, 3));
}

/// Many jobs at once, without an event for each.
async fn backlog(test: &TestApp, jobs: usize) {
    test.sql(&format!(
        "INSERT INTO jobs (id, handler, payload, dedupe_key, created_at, run_at) SELECT gen_random_uuid(), 'note', \
         '{{}}', n, '2026-11-20', '2026-11-20' FROM generate_series(1, {jobs}) AS n"
    ))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_is_worked_off_without_pauses() {
    const JOBS: usize = 400;
    let test = TestApp::start().await;
    backlog(&test, JOBS).await;
    let started = Instant::now();
    let working = tokio::spawn(Worker::new(test.app.clone(), registry([handler("note", NOTE)])).run());
    eventually("all are done", async || notes(&test).len() == JOBS).await;
    // With half a second between eight of them it would be 25.
    assert!(started.elapsed() < Duration::from_secs(12), "{:?}", started.elapsed());
    test.app.stopping.cancel();
    working.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_does_not_keep_a_worker_from_stopping() {
    const JOBS: usize = 20_000;
    let test = TestApp::start().await;
    backlog(&test, JOBS).await;
    let working = tokio::spawn(Worker::new(test.app.clone(), registry([handler("note", NOTE)])).run());
    eventually("the first jobs run", async || notes(&test).len() > 50).await;
    let asked = Instant::now();
    test.app.stopping.cancel();
    timeout(PATIENCE, working).await.expect("the worker never stops").unwrap();
    assert!(asked.elapsed() < Duration::from_secs(2), "after {:?}", asked.elapsed());
    assert!(count(&test, "jobs WHERE leased_by IS NULL").await > JOBS / 2);
    assert_eq!(count(&test, "jobs").await + notes(&test).len(), JOBS);
}
