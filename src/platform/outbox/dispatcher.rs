//! Dispatches recorded events: assigns positions, enqueues jobs, and pushes to subscribers.
//!
//! Any number of nodes may run a dispatcher. A row lock serializes the assignment of positions, so they become visible
//! in order. Pushes are not serialized: a push may arrive twice or out of order, and a [`feed`](super::feed) detects
//! that by position.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::query::{self, TopicRow, Unnumbered};
use crate::platform::App;
use crate::platform::internal_error::{Context, InternalError};
use crate::platform::jobs::{self, Registry};

/// The maximum number of events in a batch.
const BATCH: i64 = 500;
/// How often to poll when no `NOTIFY` arrives: a lost one delays a push by at most this.
const POLL: Duration = Duration::from_secs(1);

/// The message that is pushed to the subscribers of a topic.
#[derive(Serialize, Deserialize)]
pub(super) struct Push {
    pub(super) position: i64,
    /// The position of the previous event of the same topic.
    pub(super) previous: i64,
    pub(super) payload: Value,
}

/// Dispatches until the application stops. Errors, for example a database restart, are logged and retried.
pub async fn run(app: App, registry: Registry) {
    let mut listener = None;
    while !app.stopping.is_cancelled() {
        if let Err(error) = tick(&app, &registry).await {
            tracing::warn!(error = error.report(), "the dispatcher could not work; it tries again");
            listener = None;
        }
        if listener.is_none() {
            listener = app.db.listen().await.ok();
        }
        let heard = async {
            match &mut listener {
                Some(open) => open.heard().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            heard = heard => if heard.is_none() { listener = None },
            () = tokio::time::sleep(POLL) => {}
            () = app.stopping.cancelled() => {}
        }
    }
}

/// Processes all events recorded so far: assigns positions, enqueues jobs, pushes.
///
/// # Errors
/// The database or a push failed; events that were not pushed are pushed by the next tick.
pub async fn tick(app: &App, registry: &Registry) -> Result<(), InternalError> {
    while number(app, registry).await? >= BATCH {}
    while push(app).await? >= BATCH {}
    Ok(())
}

async fn number(app: &App, registry: &Registry) -> Result<i64, InternalError> {
    app.db
        .transaction(async |tx| {
            let last = query::lock_counter(tx).await?;
            let events = query::unnumbered(tx, BATCH).await?;
            let count = i64::try_from(events.len())?;
            if count == 0 {
                return Ok(0);
            }
            query::set_positions(tx, events.iter().map(|event| event.id).collect(), last + 1).await?;
            query::advance_counter(tx, last + count).await?;
            let mut topics: Vec<String> = events.iter().flat_map(|event| event.topics.iter().cloned()).collect();
            topics.sort_unstable();
            topics.dedup();
            let mut lasts = query::last_positions(tx, &topics).await?;
            query::insert_topics(tx, topic_rows(&events, last, &mut lasts)).await?;
            for event in &events {
                for handler in registry.reacting_to(&event.kind) {
                    let key = format!("{}/{handler}", event.id);
                    jobs::enqueue(tx, &app.clock, handler, &event.payload, &key).await?;
                }
            }
            Ok(count)
        })
        .await
}

/// Builds the topic rows of a batch. `lasts` has the previous position of each topic and is updated.
fn topic_rows(events: &[Unnumbered], last: i64, lasts: &mut std::collections::HashMap<String, i64>) -> Vec<TopicRow> {
    let mut rows = Vec::new();
    for (event, position) in events.iter().zip(last + 1..) {
        for topic in &event.topics {
            let previous = lasts.insert(topic.clone(), position).unwrap_or_default();
            rows.push((topic.clone(), position, previous));
        }
    }
    rows
}

async fn push(app: &App) -> Result<i64, InternalError> {
    let events = query::unpushed(&mut *app.db.read().await?, BATCH).await?;
    let mut pushed: Vec<i64> = Vec::with_capacity(events.len());
    for event in events {
        let Some(position) = event.position else { continue };
        if let Some((topic, previous)) = event.topic {
            let message = Push { position, previous, payload: event.payload };
            let bytes = serde_json::to_vec(&message).context("a push cannot be serialised")?;
            app.pubsub.publish(&topic, Bytes::from(bytes)).await?;
        }
        if pushed.last() != Some(&position) {
            pushed.push(position);
        }
    }
    if !pushed.is_empty() {
        query::mark_pushed(&mut app.db.write().await?, &pushed, app.clock.now()).await?;
    }
    Ok(i64::try_from(pushed.len())?)
}
