//! The outbox, jobs, the schedule and the inbox, with handlers of our own.
//!
//! A handler is a plain function, so what these do is told by the payload and by signs on a board; that they ran is
//! told by the mails.

mod administration;
mod events;
mod failures;
mod inbox;
mod lanes;
mod leases;
mod schedule;

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use lyceum::platform::App;
use lyceum::platform::internal_error::InternalError;
use lyceum::platform::jobs::worker::Worker;
use lyceum::platform::jobs::{self, Handler, Registry, Run};
use lyceum::platform::mail::Mail;
use serde_json::Value;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::support::TestApp;
use crate::support::socket::PATIENCE;

const LONG: Duration = Duration::from_secs(3600);

/// Writes down that it ran: its payload's `name`.
const NOTE: Run = |app, payload| async move { note(&app, &payload).await }.boxed();

/// As [`NOTE`], and then fails while the board has `broken`.
const FRAGILE: Run = |app, payload| {
    async move {
        note(&app, &payload).await?;
        match sign(&app, "broken") {
            Some(_) => Err(InternalError::new("it is broken")),
            None => Ok(()),
        }
    }
    .boxed()
};

/// As [`NOTE`], and then waits while the board has `hold-<number>`, where this is the `number`th run; fails
/// afterwards if that says so.
const STUCK: Run = |app, payload| {
    async move {
        let number = next_run(&app);
        note(&app, &payload).await?;
        let key = format!("hold-{number}");
        loop {
            match sign(&app, &key) {
                None => return Ok(()),
                Some("fail") => return Err(InternalError::new(format!("run {number} failed"))),
                Some(_) => sleep(Duration::from_millis(2)).await,
            }
        }
    }
    .boxed()
};

/// What the tests and their handlers tell each other, by node and key.
static BOARD: LazyLock<Mutex<HashMap<(Uuid, String), &'static str>>> = LazyLock::new(Mutex::default);

fn sign(app: &App, key: &str) -> Option<&'static str> {
    BOARD.lock().unwrap().get(&(app.node, key.to_owned())).copied()
}

/// How often [`STUCK`] has run on this node, this time included.
fn next_run(app: &App) -> u64 {
    static RUNS: LazyLock<Mutex<HashMap<Uuid, u64>>> = LazyLock::new(Mutex::default);
    let mut runs = RUNS.lock().unwrap();
    let run = runs.entry(app.node).or_default();
    *run += 1;
    *run
}

async fn note(app: &App, payload: &Value) -> Result<(), InternalError> {
    let subject = payload["name"].as_str().unwrap_or("?").to_owned();
    let mail = Mail {
        id: Uuid::nil(),
        to: "notes@people.example".into(),
        subject,
        text: String::new(),
        html: None,
        list: None,
    };
    app.mailer.send(&mail, app.clock.now()).await
}

/// What ran on this node, in order.
fn notes(app: &TestApp) -> Vec<String> {
    app.mails.lock().unwrap().iter().map(|mail| mail.subject.clone()).collect()
}

fn set(app: &TestApp, key: &str, value: &'static str) {
    BOARD.lock().unwrap().insert((app.app.node, key.to_owned()), value);
}

fn clear(app: &TestApp, key: &str) {
    BOARD.lock().unwrap().remove(&(app.app.node, key.to_owned()));
}

fn handler(name: &'static str, run: Run) -> Handler {
    Handler::queued(name, LONG, run)
}

fn registry(handlers: impl IntoIterator<Item = Handler>) -> Registry {
    Registry::new(handlers).unwrap()
}

async fn enqueue(app: &App, handler: &str, payload: Value, key: &str) {
    let asked = app.db.transaction(async |tx| jobs::enqueue(tx, &app.clock, handler, &payload, key).await);
    asked.await.unwrap();
}

/// Runs what is due now, as a worker that has just started.
async fn drain(app: &App, registry: &Registry) {
    let worker = Worker::new(app.clone(), registry.clone());
    timeout(PATIENCE, worker.drain()).await.expect("the worker never finishes").unwrap();
}

/// How many rows `from` (a table with an optional WHERE) has.
async fn count(app: &TestApp, from: &str) -> usize {
    app.sql(&format!("SELECT count(*) FROM {from}")).await.parse().unwrap()
}
