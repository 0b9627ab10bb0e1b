//! What other systems tell us.

use lyceum::platform::App;
use lyceum::platform::inbox::{self, Receipt};
use lyceum::platform::internal_error::InternalError;
use serde_json::json;
use tokio::task::JoinSet;

use super::{NOTE, count, drain, handler, notes, registry};
use crate::support::TestApp;

async fn receive(app: &App, source: &str, id: &str) -> Receipt {
    let payload = json!({ "name": format!("{source} {id}") });
    let received = app.db.transaction(async |tx| inbox::receive(tx, &app.clock, source, id, "note", &payload).await);
    received.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_comes_again_is_worked_on_once() {
    let test = TestApp::start().await;
    let registry = registry([handler("note", NOTE)]);
    assert_eq!(receive(&test.app, "stripe", "evt_1").await, Receipt::New);
    assert_eq!(receive(&test.app, "stripe", "evt_1").await, Receipt::Duplicate);
    drain(&test.app, &registry).await;
    // The job is gone, the memory isn't.
    assert_eq!(receive(&test.app, "stripe", "evt_1").await, Receipt::Duplicate);
    drain(&test.app, &registry).await;
    assert_eq!(notes(&test), ["stripe evt_1"]);
    // Another provider's numbers are its own.
    assert_eq!(receive(&test.app, "paypal", "evt_1").await, Receipt::New);
    drain(&test.app, &registry).await;
    assert_eq!(notes(&test), ["stripe evt_1", "paypal evt_1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_deliveries_at_once_one_is_new() {
    let test = TestApp::start().await;
    let peer = test.peer().await;
    for round in 0..10 {
        let mut deliveries = JoinSet::new();
        for app in [&test.app, &peer.app].into_iter().cycle().take(6) {
            let app = app.clone();
            deliveries.spawn(async move { receive(&app, "stripe", &format!("evt_{round}")).await });
        }
        let receipts = deliveries.join_all().await;
        assert_eq!(receipts.iter().filter(|receipt| **receipt == Receipt::New).count(), 1);
    }
    assert_eq!((count(&test, "inbox").await, count(&test, "jobs").await), (10, 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_whose_transaction_failed_is_new_when_it_comes_again() {
    let test = TestApp::start().await;
    let app = &test.app;
    let failed = app.db.transaction(async |tx| {
        let payload = json!({});
        assert_eq!(inbox::receive(tx, &app.clock, "stripe", "evt_1", "note", &payload).await?, Receipt::New);
        Err::<(), _>(InternalError::new("a full disk"))
    });
    failed.await.unwrap_err();
    assert_eq!(receive(app, "stripe", "evt_1").await, Receipt::New);
}
