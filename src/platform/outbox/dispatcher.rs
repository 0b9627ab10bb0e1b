//! Takes recorded events in order, numbers them, makes the jobs that react to them and pushes them to subscribers.
//!
//! Any number of nodes may run one. Numbering is serialised by a row lock, so positions become visible in order.
//! Pushing is not: a push may arrive twice or out of order, and a [`feed`](super::feed) sorts that out by position.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::query::{self, TopicRow, Unnumbered};
use crate::platform::App;
use crate::platform::fault::{Context, Fault};
use crate::platform::jobs::{self, Registry};

/// Events taken at a time.
const BATCH: i64 = 500;
/// How often to look although nobody called: a lost `NOTIFY` delays a push by no more than this.
const POLL: Duration = Duration::from_secs(1);

/// What subscribers of a topic are sent.
#[derive(Serialize, Deserialize)]
pub(super) struct Push {
    pub(super) position: i64,
    /// The position before this one in the same topic.
    pub(super) previous: i64,
    pub(super) payload: Value,
}

/// Dispatches until the application stops. A failure (the database restarts) is logged and tried again.
pub async fn run(app: App, registry: Registry) {
    let mut listener = None;
    while !app.stopping.is_cancelled() {
        if let Err(fault) = tick(&app, &registry).await {
            tracing::warn!(fault = fault.report(), "the dispatcher could not work; it tries again");
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

/// Handles everything recorded so far: numbers it, makes its jobs, pushes it.
///
/// # Errors
/// The database failed, or the push did; what was not pushed is pushed by the next tick.
pub async fn tick(app: &App, registry: &Registry) -> Result<(), Fault> {
    while number(app, registry).await? >= BATCH {}
    while push(app).await? >= BATCH {}
    Ok(())
}

async fn number(app: &App, registry: &Registry) -> Result<i64, Fault> {
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

/// The log rows of a batch: each topic's chain of positions goes on from `lasts`.
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

async fn push(app: &App) -> Result<i64, Fault> {
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
        query::mark_pushed(&mut *app.db.read().await?, &pushed, app.clock.now()).await?;
    }
    Ok(i64::try_from(pushed.len())?)
}
