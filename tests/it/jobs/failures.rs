//! Jobs that fail.

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::FutureExt;
use lyceum::platform::jobs::{self, Handler, Job, MAX_ATTEMPTS, Registry, Run};
use serde_json::json;

use super::{FRAGILE, NOTE, clear, count, drain, enqueue, handler, notes, registry, set};
use crate::support::TestApp;

async fn dead(test: &TestApp) -> Vec<Job> {
    jobs::dead(&mut test.app.db.read().await.unwrap(), 10).await.unwrap()
}

async fn last_error(test: &TestApp) -> String {
    test.sql("SELECT last_error FROM jobs").await
}

/// Runs the one job, which fails, until it is dead.
async fn kill(test: &TestApp, registry: &Registry) {
    for _ in 0..MAX_ATTEMPTS {
        assert!(dead(test).await.is_empty(), "dead too early");
        drain(&test.app, registry).await;
        test.app.clock.advance(TimeDelta::hours(2));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_job_waits_twice_as_long_each_time() {
    let test = TestApp::start().await;
    let registry = registry([handler("fragile", FRAGILE)]);
    set(&test, "broken", "yes");
    enqueue(&test.app, "fragile", json!({}), "key").await;
    drain(&test.app, &registry).await;
    for failures in 1..MAX_ATTEMPTS {
        let wait = TimeDelta::seconds(2_i64.pow(failures.unsigned_abs()));
        let runs = notes(&test).len();
        test.app.clock.advance(wait - TimeDelta::milliseconds(1));
        drain(&test.app, &registry).await;
        assert_eq!(notes(&test).len(), runs, "too early after {failures} failures");
        test.app.clock.advance(wait / 4 + TimeDelta::milliseconds(1));
        drain(&test.app, &registry).await;
        assert_eq!(notes(&test).len(), runs + 1, "not after {failures} failures and {wait}");
    }
    assert_eq!(dead(&test).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_recovers_is_done() {
    let test = TestApp::start().await;
    let registry = registry([handler("fragile", FRAGILE)]);
    set(&test, "broken", "yes");
    enqueue(&test.app, "fragile", json!({ "name": "try" }), "key").await;
    drain(&test.app, &registry).await;
    assert_eq!(last_error(&test).await, "it is broken");
    clear(&test, "broken");
    test.app.clock.advance(TimeDelta::seconds(3));
    drain(&test.app, &registry).await;
    assert_eq!((notes(&test).len(), count(&test, "jobs").await), (2, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_job_is_kept_until_it_is_replayed() {
    let test = TestApp::start().await;
    let registry = registry([handler("fragile", FRAGILE)]);
    set(&test, "broken", "yes");
    enqueue(&test.app, "fragile", json!({ "name": "try" }), "key").await;
    let id = test.sql("SELECT id FROM jobs").await.parse().unwrap();
    assert!(!jobs::replay(&test.app, id).await.unwrap(), "it isn't dead");
    kill(&test, &registry).await;
    let found = dead(&test).await;
    assert_eq!((found.len(), found[0].id, found[0].attempts), (1, id, MAX_ATTEMPTS));
    assert_eq!((found[0].handler.as_str(), found[0].last_error.as_deref()), ("fragile", Some("it is broken")));
    let runs = usize::try_from(MAX_ATTEMPTS).unwrap();
    assert_eq!(notes(&test).len(), runs);
    // Left alone, and not asked for a second time either.
    test.app.clock.advance(TimeDelta::days(3));
    enqueue(&test.app, "fragile", json!({ "name": "try" }), "key").await;
    drain(&test.app, &registry).await;
    assert_eq!(notes(&test).len(), runs);
    // Its new life has all attempts: one failure doesn't kill it again.
    assert!(jobs::replay(&test.app, id).await.unwrap());
    drain(&test.app, &registry).await;
    assert!(dead(&test).await.is_empty());
    clear(&test, "broken");
    test.app.clock.advance(TimeDelta::seconds(3));
    drain(&test.app, &registry).await;
    assert_eq!((notes(&test).len(), count(&test, "jobs").await), (runs + 2, 0));
    assert!(!jobs::replay(&test.app, id).await.unwrap(), "it is gone");
}

/// One run of `run`, which fails; its error.
async fn failure(run: Run) -> String {
    let test = TestApp::start().await;
    let timeout = Duration::from_millis(50);
    let handlers = [Handler { timeout, ..handler("bad", run) }, handler("good", NOTE)];
    enqueue(&test.app, "bad", json!({}), "bad").await;
    enqueue(&test.app, "good", json!({ "name": "unharmed" }), "good").await;
    drain(&test.app, &registry(handlers)).await;
    assert_eq!(notes(&test), ["unharmed"]);
    assert_eq!(count(&test, "jobs WHERE attempts = 1 AND leased_by IS NULL AND dead_at IS NULL").await, 1);
    last_error(&test).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_is_a_failure() {
    assert_eq!(failure(|_, _| async { panic!("in the future") }.boxed()).await, "the handler panicked");
    assert_eq!(failure(|_, _| panic!("before there is a future")).await, "the handler panicked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn taking_too_long_is_a_failure() {
    let error = failure(|_, _| std::future::pending().boxed()).await;
    assert_eq!(error, "the handler took longer than 0.05 s");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_nobody_knows_dies_and_can_be_replayed_by_a_version_that_does() {
    let test = TestApp::start().await;
    enqueue(&test.app, "new.feature", json!({ "name": "known" }), "key").await;
    kill(&test, &registry([handler("old.feature", NOTE)])).await;
    let found = dead(&test).await;
    let error = found[0].last_error.as_deref();
    assert_eq!(error, Some("this version of the program has no handler called new.feature"));
    assert!(jobs::replay(&test.app, found[0].id).await.unwrap());
    drain(&test.app, &registry([handler("new.feature", NOTE)])).await;
    assert_eq!((notes(&test), count(&test, "jobs").await), (vec!["known".to_owned()], 0));
}
