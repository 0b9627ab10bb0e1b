//! Dispatches recorded events: assigns positions, enqueues jobs, and pushes to subscribers.
//!
//! Any number of nodes may run a dispatcher. A row lock serializes the assignment of positions, so they become visible
//! in order. Pushes are not serialized: a push may arrive twice or out of order, and a [`feed`](super::feed) detects
//! that by position.

use std::time::Duration;

use bytes::Bytes;
use diesel::data_types::PgInterval;

use super::epoch;
use super::push::Push;
use super::query::{self, TopicRow, Unnumbered};
use crate::platform::App;
use crate::platform::db::Listener;
use crate::platform::internal_error::{Context, InternalError};
use crate::platform::jobs::{self, NewJob, Registry};

/// The maximum number of events in a batch.
const BATCH: i64 = 500;
/// How often to poll when no `NOTIFY` arrives: a lost one delays a push by at most this.
const POLL: Duration = Duration::from_secs(1);
/// For how long one node alone pushes.
const PUSH_LEASE: PgInterval = PgInterval { microseconds: 5_000_000, days: 0, months: 0 };

/// Dispatches until the application stops. Errors, for example a database restart, are logged and retried.
pub async fn run(app: App, registry: Registry) {
    let (mut listener, mut here) = (None, None);
    while !app.stopping.is_cancelled() {
        if listener.is_none() {
            listener = listen(&app).await;
        }
        if let Err(error) = dispatch(&app, &registry, &mut here).await {
            tracing::warn!(error = error.report(), "the dispatcher could not work; it tries again");
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

/// Listens to the database. It may be another one than before, for example a replica that was promoted.
async fn listen(app: &App) -> Option<Listener> {
    let listener = app.db.listen().await.ok()?;
    match epoch::refresh(app).await {
        Ok(_) => Some(listener),
        Err(error) => {
            tracing::warn!(error = error.report(), "the epoch of the event log was not read; trying again");
            None
        }
    }
}

/// Processes all events recorded so far: assigns positions, enqueues jobs, pushes.
///
/// # Errors
/// The database or a push failed; events that were not pushed are pushed by the next tick.
pub async fn tick(app: &App, registry: &Registry) -> Result<(), InternalError> {
    dispatch(app, registry, &mut None).await
}

/// Like [`tick`]. `here` is the position up to which this node has told its own subscribers while the link to the
/// other nodes is down.
async fn dispatch(app: &App, registry: &Registry, here: &mut Option<i64>) -> Result<(), InternalError> {
    while number(app, registry).await? >= BATCH {}
    if app.pubsub.is_linked() {
        *here = None;
        while push(app).await? >= BATCH {}
    } else {
        while deliver_here(app, here).await? >= BATCH {}
    }
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
            let run_at = app.clock.now();
            let reactions = events.iter().flat_map(|event| {
                registry.reacting_to(&event.kind).map(move |handler| NewJob {
                    handler: handler.to_owned(),
                    payload: event.payload.clone(),
                    key: format!("{}/{handler}", event.id),
                    run_at,
                })
            });
            jobs::enqueue_all(tx, &app.clock, reactions.collect()).await?;
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

/// Pushes a batch of events to the subscribers of all nodes; returns their number.
///
/// Only the node that holds the lease does. If it dies, another one continues after the lease.
async fn push(app: &App) -> Result<i64, InternalError> {
    let positions = query::unpushed(&mut *app.db.read().await?, BATCH).await?;
    if positions.is_empty() || !query::lease_push(&mut app.db.write().await?, app.node, PUSH_LEASE).await? {
        return Ok(0);
    }
    for (topic, push) in query::pushes(&mut *app.db.read().await?, &positions).await? {
        app.pubsub.publish(&topic, encode(&push)?).await?;
    }
    query::mark_pushed(&mut app.db.write().await?, &positions, app.clock.now()).await?;
    Ok(i64::try_from(positions.len())?)
}

/// Delivers a batch of events to the subscribers of this node, while the link to the other nodes is down.
///
/// `NOTIFY` still announces the events of all nodes, so subscribers notice nothing. They are pushed to all nodes once
/// the link is back; a subscriber ignores what it has received before.
async fn deliver_here(app: &App, here: &mut Option<i64>) -> Result<i64, InternalError> {
    let Some(after) = *here else {
        // Events before this position may have been lost with the link: all subscribers read the log once.
        *here = Some(query::last_of_all(&mut *app.db.read().await?).await?);
        app.pubsub.missed();
        return Ok(0);
    };
    let positions = query::after(&mut *app.db.read().await?, after, BATCH).await?;
    let Some(last) = positions.last() else { return Ok(0) };
    for (topic, push) in query::pushes(&mut *app.db.read().await?, &positions).await? {
        app.pubsub.deliver_here(&topic, encode(&push)?);
    }
    *here = Some(*last);
    Ok(i64::try_from(positions.len())?)
}

fn encode(push: &Push) -> Result<Bytes, InternalError> {
    Ok(Bytes::from(serde_json::to_vec(push).context("a push cannot be serialized")?))
}
