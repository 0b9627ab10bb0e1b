//! Work that is done after the fact: reactions to events, background and scheduled jobs.
//!
//! A job is a row. A [`worker`] leases it, runs its handler and deletes it; a failure puts it back with a growing
//! wait, and after [`MAX_ATTEMPTS`] it is dead: kept, with its last error, until somebody replays it. A worker that
//! dies loses its lease and the job runs elsewhere, so a handler must be idempotent.

pub mod cron;
mod died;
mod query;
pub mod worker;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use serde_json::Value;
use uuid::Uuid;

use super::App;
use super::clock::Clock;
use super::db::Tx;
use super::fault::{Context, Fault};
pub use died::JobDied;
pub use query::{Job, dead};

/// After this many failures a job is dead.
pub const MAX_ATTEMPTS: i32 = 8;

/// What a handler returns, as its fault, when there is nothing wrong but the moment: the job is put back until then, and
/// this was no attempt.
#[derive(Debug)]
pub struct Postponed(pub Duration);

impl std::fmt::Display for Postponed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "postponed by {} s", self.0.as_secs())
    }
}

impl std::error::Error for Postponed {}

/// What a handler is given.
pub type Run = fn(App, Value) -> BoxFuture<'static, Result<(), Fault>>;

/// Something that can be done, and when it is done without being asked.
#[derive(Clone, Copy)]
pub struct Handler {
    /// The stable name in the `jobs` table: `accounts.welcome`.
    pub name: &'static str,
    /// The kind of event that it reacts to.
    pub on: Option<&'static str>,
    /// A cron expression (five fields, UTC) for a scheduled job.
    pub cron: Option<&'static str>,
    /// How long one run may take.
    pub timeout: Duration,
    /// What to do. Must bear being run twice for the same payload.
    pub run: Run,
}

/// All handlers of the program; cheap to clone.
#[derive(Clone)]
pub struct Registry {
    handlers: Arc<HashMap<&'static str, Handler>>,
}

impl Registry {
    /// Collects handlers.
    ///
    /// # Errors
    /// Two have the same name.
    pub fn new(handlers: impl IntoIterator<Item = Handler>) -> Result<Registry, Fault> {
        let mut map = HashMap::new();
        for handler in handlers {
            if map.insert(handler.name, handler).is_some() {
                return Err(Fault::new(format!("two job handlers are called {}", handler.name)));
            }
        }
        Ok(Registry { handlers: Arc::new(map) })
    }

    /// The names of the handlers that react to events of `kind`.
    pub fn reacting_to(&self, kind: &str) -> impl Iterator<Item = &'static str> {
        self.handlers.values().filter(move |handler| handler.on == Some(kind)).map(|handler| handler.name)
    }

    /// The handlers that run by the clock, with their expressions.
    pub fn scheduled(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.handlers.values().filter_map(|handler| Some((handler.name, handler.cron?)))
    }

    /// The handler called `name`.
    pub fn get(&self, name: &str) -> Option<Handler> {
        self.handlers.get(name).copied()
    }
}

/// Asks for `handler` to be run with `payload`, in the caller's transaction. A second request with the same `key`
/// while the first is waiting, running or dead changes nothing.
///
/// # Errors
/// The database failed.
pub async fn enqueue(tx: &mut Tx, clock: &Clock, handler: &str, payload: &Value, key: &str) -> Result<(), Fault> {
    enqueue_at(tx, clock, handler, payload, key, clock.now()).await
}

/// As [`enqueue`], for a time to come: a worker takes it within half a second of `run_at`.
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
) -> Result<(), Fault> {
    query::insert(tx, clock.uuid(), handler, payload, key, (clock.now(), run_at))
        .await
        .context("cannot enqueue a job")?;
    Ok(())
}

/// Gives a dead job a new life.
///
/// # Errors
/// The database failed. Returns whether there was such a dead job.
pub async fn replay(app: &App, id: Uuid) -> Result<bool, Fault> {
    Ok(query::replay(&mut *app.db.read().await?, id, app.clock.now()).await? == 1)
}

/// Deletes the dead jobs that are about `person`, whose id their payloads have under `key`. Those that are alive will
/// find nobody.
///
/// # Errors
/// The database failed.
pub async fn forget_dead(tx: &mut Tx, key: &str, person: Uuid) -> Result<(), Fault> {
    query::forget_dead(tx, key, person).await.context("cannot forget dead jobs")?;
    Ok(())
}

/// When a job that has failed `attempts` times is tried again: 2 s, 4 s, 8 s … at most an hour, plus up to a quarter
/// so that jobs that failed together do not come back together.
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
