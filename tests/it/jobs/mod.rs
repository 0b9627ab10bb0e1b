//! The outbox, jobs, the schedule and the inbox, with handlers of our own.
//!
//! A handler is a plain function, so what these do is told by the payload and by keys in the cache; that they ran is
//! told by the mails.

mod events;
mod failures;
mod inbox;
mod leases;
mod schedule;

use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use lyceum::platform::App;
use lyceum::platform::internal_error::InternalError;
use lyceum::platform::jobs::worker::Worker;
use lyceum::platform::jobs::{self, Handler, Registry, Run};
use lyceum::platform::mail::Mail;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use crate::support::TestApp;
use crate::support::socket::PATIENCE;

const LONG: Duration = Duration::from_secs(3600);

/// Writes down that it ran: its payload's `name`.
const NOTE: Run = |app, payload| async move { note(&app, &payload).await }.boxed();

/// As [`NOTE`], and then fails while the cache holds `broken`.
const FRAGILE: Run = |app, payload| {
    async move {
        note(&app, &payload).await?;
        match app.cache.get("broken").await? {
            Some(_) => Err(InternalError::new("it is broken")),
            None => Ok(()),
        }
    }
    .boxed()
};

/// As [`NOTE`], and then waits while the cache holds `hold-<number>`, where this is the `number`th run; fails
/// afterwards if that says so.
const STUCK: Run = |app, payload| {
    async move {
        let number = next_run(&app).await?;
        note(&app, &payload).await?;
        let key = format!("hold-{number}");
        loop {
            match app.cache.get(&key).await?.as_deref() {
                None => return Ok(()),
                Some(b"fail") => return Err(InternalError::new(format!("run {number} failed"))),
                Some(_) => sleep(Duration::from_millis(2)).await,
            }
        }
    }
    .boxed()
};

/// How often [`STUCK`] has run on this node, this time included.
async fn next_run(app: &App) -> Result<u64, InternalError> {
    static TURN: Mutex<()> = Mutex::const_new(());
    let _turn = TURN.lock().await;
    let before: u64 = app.cache.get("runs").await?.map_or(0, |runs| str::from_utf8(&runs).unwrap().parse().unwrap());
    app.cache.set("runs", (before + 1).to_string().into(), LONG).await?;
    Ok(before + 1)
}

async fn note(app: &App, payload: &Value) -> Result<(), InternalError> {
    let subject = payload["name"].as_str().unwrap_or("?").to_owned();
    let mail = Mail { to: "notes@people.example".into(), subject, text: String::new(), html: None };
    app.mailer.send(&mail, app.clock.now()).await
}

/// What ran on this node, in order.
fn notes(app: &TestApp) -> Vec<String> {
    app.mails.lock().unwrap().iter().map(|mail| mail.subject.clone()).collect()
}

async fn set(app: &TestApp, key: &str, value: &'static str) {
    app.app.cache.set(key, Bytes::from_static(value.as_bytes()), LONG).await.unwrap();
}

async fn clear(app: &TestApp, key: &str) {
    app.app.cache.delete(key).await.unwrap();
}

fn handler(name: &'static str, run: Run) -> Handler {
    Handler { name, on: None, cron: None, timeout: LONG, run }
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

async fn eventually(what: &str, done: impl AsyncFn() -> bool) {
    let waiting = async {
        while !done().await {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// How many rows `from` (a table with an optional WHERE) has.
async fn count(app: &TestApp, from: &str) -> usize {
    app.sql(&format!("SELECT count(*) FROM {from}")).await.parse().unwrap()
}
