//! The transactional outbox. Events are written in the transaction that causes them and published after the commit.
//!
//! [`record`] inserts an event. The [`dispatcher`] assigns its position after the commit, enqueues a job for each
//! handler of its kind, and pushes it to the subscribers of its topics. A [`feed`] follows one topic from a position on
//! and misses no event, even if pushes are lost.

pub mod dispatcher;
mod epoch;
pub mod feed;
mod push;
mod query;

use crate::platform::db::RunQueryDsl;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

pub use self::epoch::{Epoch, Position, Unreadable};
use super::clock::Clock;
use super::db::Tx;
use super::db::schema::events;
use super::internal_error::{Context, InternalError};

/// The most events in one statement, each of which has five parameters out of 65,535.
const CHUNK: usize = 10_000;

/// A public event, named in the past tense. Features define their events in `event.rs`.
pub trait Event: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The stable name of this kind of event, such as `lesson_published`.
    const KIND: &'static str;

    /// The topics whose subscribers receive the event; empty if only handlers react to it.
    fn topics(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Records an event in the caller's transaction and returns its id.
///
/// The event is published if and only if the transaction commits.
///
/// # Errors
/// The database failed.
pub async fn record<E: Event>(tx: &mut Tx, clock: &Clock, event: &E) -> Result<Uuid, InternalError> {
    let new = NewEvent::of(clock, event)?;
    let insert = diesel::insert_into(events::table).values(&new);
    insert.execute(tx.conn()).await.context("cannot record an event")?;
    tx.recorded();
    Ok(new.id)
}

/// Like [`record`], for any number of events, in as few statements as possible.
///
/// # Errors
/// The database failed.
pub async fn record_all<E: Event>(tx: &mut Tx, clock: &Clock, all: &[E]) -> Result<(), InternalError> {
    for chunk in all.chunks(CHUNK) {
        let new = chunk.iter().map(|event| NewEvent::of(clock, event)).collect::<Result<Vec<_>, _>>()?;
        let insert = diesel::insert_into(events::table).values(&new);
        insert.execute(tx.conn()).await.context("cannot record events")?;
        tx.recorded();
    }
    Ok(())
}

/// An event to insert.
#[derive(diesel::Insertable)]
#[diesel(table_name = events)]
struct NewEvent {
    id: Uuid,
    kind: &'static str,
    topics: Vec<String>,
    payload: Value,
    recorded_at: DateTime<Utc>,
}

impl NewEvent {
    fn of<E: Event>(clock: &Clock, event: &E) -> Result<NewEvent, InternalError> {
        Ok(NewEvent {
            id: clock.uuid(),
            kind: E::KIND,
            topics: event.topics(),
            payload: serde_json::to_value(event).context("an event cannot be serialised")?,
            recorded_at: clock.now(),
        })
    }
}

/// An event as received by a reader of the log.
#[derive(Clone, Debug)]
pub struct Recorded<E> {
    /// The position in the log.
    pub position: Position,
    /// The event.
    pub event: E,
}

fn decode<E: Event>(payload: Value) -> Result<E, InternalError> {
    serde_json::from_value(payload).context(format!("a stored {} event is unreadable", E::KIND))
}
