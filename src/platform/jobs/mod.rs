//! Asynchronous work: reactions to events, background jobs, and scheduled jobs.
//!
//! A job is a row. A [`worker`] leases it, runs its handler, and deletes it. A failed job is retried with exponential
//! backoff; after [`MAX_ATTEMPTS`] it is dead: it stays in the table, with its last error, until it is replayed. If a
//! worker crashes, its leases expire and the jobs run on another worker, so a handler must be idempotent.

pub mod cron;
mod died;
pub mod list;
mod query;
pub mod worker;

use std::collections::HashMap;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use futures_util::stream::{Stream, StreamExt};
use serde_json::Value;
use uuid::Uuid;

use super::App;
use super::clock::Clock;
use super::db::Tx;
use super::internal_error::{Context, InternalError};
pub use died::JobDied;
pub use query::{Job, dead};

/// The number of failures after which a job is dead.
pub const MAX_ATTEMPTS: i32 = 8;

/// The error of a handler that cannot run now: the job is retried after this time.
///
/// The run does not count as an attempt.
#[derive(Debug)]
pub struct Postponed(pub Duration);

impl std::fmt::Display for Postponed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "postponed by {} s", self.0.as_secs())
    }
}

impl std::error::Error for Postponed {}

/// The function of a handler: runs a job with its payload.
pub type Run = fn(App, Value) -> BoxFuture<'static, Result<(), InternalError>>;

/// The slots of a worker that a handler uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// The slots for short jobs.
    Short,
    /// The slots for jobs that take minutes, such as conversions of videos, so that they do not delay the others.
    Long,
}

/// A handler of jobs, with the event or the schedule that enqueues it.
#[derive(Clone, Copy)]
pub struct Handler {
    /// The stable name in the `jobs` table, such as `accounts.welcome`.
    pub name: &'static str,
    /// The kind of event that enqueues the handler.
    pub on: Option<&'static str>,
    /// A cron expression (five fields, UTC) for a scheduled job.
    pub cron: Option<&'static str>,
    /// The timeout of one run.
    pub timeout: Duration,
    /// The slots that it uses.
    pub lane: Lane,
    /// The function to run. Must be idempotent.
    pub run: Run,
}

impl Handler {
    /// Returns a handler that reacts to events of the kind `on`.
    pub const fn reaction(name: &'static str, on: &'static str, timeout: Duration, run: Run) -> Handler {
        Handler { on: Some(on), ..Handler::queued(name, timeout, run) }
    }

    /// Returns a handler that runs by a cron expression.
    pub const fn scheduled(name: &'static str, cron: &'static str, timeout: Duration, run: Run) -> Handler {
        Handler { cron: Some(cron), ..Handler::queued(name, timeout, run) }
    }

    /// Returns a handler of jobs that commands enqueue.
    pub const fn queued(name: &'static str, timeout: Duration, run: Run) -> Handler {
        Handler { name, on: None, cron: None, timeout, lane: Lane::Short, run }
    }

    /// Returns the handler in the lane for long jobs.
    pub const fn long(self) -> Handler {
        Handler { lane: Lane::Long, ..self }
    }
}

/// All handlers of the program; cheap to clone.
#[derive(Clone)]
pub struct Registry {
    handlers: Arc<HashMap<&'static str, Handler>>,
}

impl Registry {
    /// Creates a registry of `handlers`.
    ///
    /// # Errors
    /// Two handlers have the same name.
    pub fn new(handlers: impl IntoIterator<Item = Handler>) -> Result<Registry, InternalError> {
        let mut map = HashMap::new();
        for handler in handlers {
            if map.insert(handler.name, handler).is_some() {
                return Err(InternalError::new(format!("two job handlers are called {}", handler.name)));
            }
        }
        Ok(Registry { handlers: Arc::new(map) })
    }

    /// The names of the handlers that are enqueued for events of `kind`.
    pub fn reacting_to(&self, kind: &str) -> impl Iterator<Item = &'static str> {
        self.handlers.values().filter(move |handler| handler.on == Some(kind)).map(|handler| handler.name)
    }

    /// The scheduled handlers, with their cron expressions.
    pub fn scheduled(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.handlers.values().filter_map(|handler| Some((handler.name, handler.cron?)))
    }

    /// The names of the handlers in the lane for long jobs.
    pub fn long(&self) -> impl Iterator<Item = &'static str> {
        self.handlers.values().filter(|handler| handler.lane == Lane::Long).map(|handler| handler.name)
    }

    /// Returns the handler called `name`.
    pub fn get(&self, name: &str) -> Option<Handler> {
        self.handlers.get(name).copied()
    }
}

/// Enqueues a run of `handler` with `payload`, in the caller's transaction.
///
/// Does nothing while another job with the same `key` is waiting, running, or dead.
///
/// # Errors
/// The database failed.
pub async fn enqueue(
    tx: &mut Tx,
    clock: &Clock,
    handler: &str,
    payload: &Value,
    key: &str,
) -> Result<(), InternalError> {
    enqueue_at(tx, clock, handler, payload, key, clock.now()).await
}

/// Does all the work of a batch, also if some of it fails: a row that cannot be worked on keeps no other from it.
///
/// # Errors
/// The first error; the others are logged.
pub async fn do_all(work: impl Stream<Item = Result<(), InternalError>>) -> Result<(), InternalError> {
    work.fold(Ok(()), |all, one| {
        if let (Err(_), Err(error)) = (&all, &one) {
            tracing::error!(error = error.report(), "another part of a batch failed");
        }
        ready(all.and(one))
    })
    .await
}

/// Like [`enqueue`], but scheduled: a worker takes the job within half a second of `run_at`.
///
/// # Errors
/// The database failed.
pub async fn enqueue_at(
    tx: &mut Tx,
    clock: &Clock,
    handler: &str,
    payload: &Value,
    key: &str,
    run_at: DateTime<Utc>,
) -> Result<(), InternalError> {
    let job = NewJob { handler: handler.to_owned(), payload: payload.clone(), key: key.to_owned(), run_at };
    enqueue_all(tx, clock, vec![job]).await
}

/// A job to enqueue.
pub struct NewJob {
    /// The name of the handler.
    pub handler: String,
    /// The input of the handler.
    pub payload: Value,
    /// The deduplication key.
    pub key: String,
    /// When to run it.
    pub run_at: DateTime<Utc>,
}

/// Like [`enqueue_at`], for any number of jobs in one statement.
///
/// # Errors
/// The database failed.
pub async fn enqueue_all(tx: &mut Tx, clock: &Clock, jobs: Vec<NewJob>) -> Result<(), InternalError> {
    if jobs.is_empty() {
        return Ok(());
    }
    query::insert(tx, clock, jobs).await.context("cannot enqueue a job")?;
    Ok(())
}

/// Requeues a dead job with its attempts reset. Returns whether there was such a dead job.
///
/// # Errors
/// The database failed.
pub async fn replay(app: &App, id: Uuid) -> Result<bool, InternalError> {
    app.db.transaction(async |tx| replay_in(tx, id, app.clock.now()).await).await
}

/// Like [`replay`], in the caller's transaction.
///
/// # Errors
/// The database failed.
pub async fn replay_in(tx: &mut Tx, id: Uuid, now: DateTime<Utc>) -> Result<bool, InternalError> {
    Ok(query::replay(tx, id, now).await? == 1)
}

/// Deletes the dead jobs about `person`, whose payloads contain the user's id under `key`.
///
/// Live jobs stay; their handlers won't find the user.
///
/// # Errors
/// The database failed.
pub async fn forget_dead(tx: &mut Tx, key: &str, person: Uuid) -> Result<(), InternalError> {
    query::forget_dead(tx, key, person).await.context("cannot forget dead jobs")?;
    Ok(())
}

/// When to retry a job that has failed `attempts` times.
///
/// The delay is 2 s, 4 s, 8 s … up to an hour, plus up to 25% jitter, so that jobs that failed together are not retried
/// together. `spread`, from 0 to 1, selects the jitter.
fn retry_at(now: DateTime<Utc>, attempts: i32, spread: f64) -> DateTime<Utc> {
    let exponent = attempts.clamp(1, 12).unsigned_abs();
    let seconds = f64::from(2_u32.saturating_pow(exponent).min(3600));
    now + Duration::from_secs_f64(seconds * (1.0 + 0.25 * spread.clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_an_hour() {
        let now = DateTime::UNIX_EPOCH;
        let waits: Vec<i64> =
            [1, 2, 3, 11, 12, 100].map(|attempts| (retry_at(now, attempts, 0.0) - now).num_seconds()).into();
        assert_eq!(waits, [2, 4, 8, 2048, 3600, 3600]);
        assert_eq!((retry_at(now, 1, 1.0) - now).num_milliseconds(), 2500);
    }
}
