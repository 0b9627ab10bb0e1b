//! The outbox: what happened is written in the transaction that made it happen, and becomes known afterwards.
//!
//! [`record`] inserts an event; the [`dispatcher`] numbers it after the commit, makes a job for each handler that
//! reacts to its kind, and pushes it to the subscribers of its topics; a [`feed`] follows one topic from a position
//! on and misses nothing, whatever happens to the push in between.

pub mod dispatcher;
pub mod feed;
mod query;

use std::time::Duration;

use crate::platform::db::RunQueryDsl;
use chrono::TimeDelta;
use diesel::ExpressionMethods;
use futures_util::FutureExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::clock::Clock;
use super::db::Tx;
use super::db::schema::events;
use super::fault::{Context, Fault};
use super::jobs::Handler;

/// A public fact, past tense. Features define theirs in `event.rs`.
pub trait Event: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The stable name of this kind of event: `lesson_published`.
    const KIND: &'static str;

    /// The topics whose subscribers hear of it; none if only handlers react to it.
    fn topics(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Writes an event in the caller's transaction. Nobody hears of it unless the transaction commits; then it is never
/// lost.
///
/// # Errors
/// The database failed.
pub async fn record<E: Event>(tx: &mut Tx, clock: &Clock, event: &E) -> Result<Uuid, Fault> {
    let id = clock.uuid();
    let payload = serde_json::to_value(event).context("an event cannot be serialised")?;
    diesel::insert_into(events::table)
        .values((
            events::id.eq(id),
            events::kind.eq(E::KIND),
            events::topics.eq(event.topics()),
            events::payload.eq(payload),
            events::recorded_at.eq(clock.now()),
        ))
        .execute(tx.conn())
        .await
        .context("cannot record an event")?;
    tx.recorded(E::KIND);
    Ok(id)
}

/// An event as a reader of the log or a handler gets it.
#[derive(Clone, Debug)]
pub struct Recorded<E> {
    /// Its place in the log; grows, with gaps from a topic's point of view.
    pub position: i64,
    /// What happened.
    pub event: E,
}

/// How long the log is kept.
const KEPT: TimeDelta = TimeDelta::days(30);

/// The jobs that look after the log.
pub fn handlers() -> Vec<Handler> {
    vec![Handler {
        name: "outbox.forget",
        on: None,
        cron: Some("17 3 * * *"),
        timeout: Duration::from_secs(600),
        run: |app, _| {
            async move {
                let forgotten = feed::forget_older_than(&app, KEPT).await?;
                tracing::info!(forgotten, "old events were forgotten");
                Ok(())
            }
            .boxed()
        },
    }]
}

fn decode<E: Event>(payload: Value) -> Result<E, Fault> {
    serde_json::from_value(payload).context(format!("a stored {} event is unreadable", E::KIND))
}
