//! Long jobs have slots of their own, and a job that ends its process is buried.

use serde_json::json;

use super::{NOTE, STUCK, clear, count, enqueue, handler, notes, registry, set};
use crate::support::TestApp;
use crate::support::eventually;
use lyceum::platform::jobs::worker::Worker;
use lyceum::platform::jobs::{self, MAX_ATTEMPTS};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_jobs_do_not_keep_short_ones_waiting() {
    let test = TestApp::with(&[("LYCEUM_TRANSCODES", "2")]).await;
    let registry = registry([handler("stuck", STUCK).long(), handler("note", NOTE)]);
    for run in 1..=9 {
        set(&test, &format!("hold-{run}"), "yes");
        enqueue(&test.app, "stuck", json!({ "name": "long" }), &format!("long {run}")).await;
    }
    let working = tokio::spawn(Worker::new(test.app.clone(), registry.clone()).run());
    eventually("as many as there are slots run", async || notes(&test).len() == 2).await;
    enqueue(&test.app, "note", json!({ "name": "short" }), "short").await;
    eventually("the short one runs", async || notes(&test) == ["long", "long", "short"]).await;
    for run in 1..=9 {
        clear(&test, &format!("hold-{run}"));
    }
    eventually("all are done", async || count(&test, "jobs").await == 0).await;
    test.app.stopping.cancel();
    working.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_whose_process_dies_each_time_is_buried() {
    let test = TestApp::start().await;
    let registry = registry([handler("note", NOTE)]);
    enqueue(&test.app, "note", json!({}), "key").await;
    // As its leases leave it behind when nothing comes back from the process.
    test.sql(&format!("UPDATE jobs SET attempts = {MAX_ATTEMPTS}, leased_until = run_at - interval '1 s'")).await;
    Worker::new(test.app.clone(), registry.clone()).drain().await.unwrap();
    assert!(notes(&test).is_empty(), "it does not run again");
    let dead = jobs::dead(&mut test.app.db.read().await.unwrap(), 10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].last_error.as_deref(), Some("the process ended in each attempt"));
    assert_eq!(test.sql("SELECT kind FROM events").await, "job_died");
    assert!(jobs::replay(&test.app, dead[0].id).await.unwrap());
    Worker::new(test.app.clone(), registry).drain().await.unwrap();
    assert_eq!(notes(&test).len(), 1, "a replay starts anew");
}
