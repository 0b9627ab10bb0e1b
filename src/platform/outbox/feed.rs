//! Following one topic: what was missed from the log, then what is pushed, each event once and in order.

use std::time::Duration;

use futures_util::Stream;
use futures_util::stream;
use serde_json::Value;

use super::dispatcher::Push;
use super::{Event, Recorded, decode, query};
use crate::platform::App;
use crate::platform::fault::Fault;
use crate::platform::pubsub::{Signal, Subscription};

/// Events read from the log at a time.
const PAGE: i64 = 100;
/// Waits between tries while the database is away.
const RETRY: [Duration; 4] =
    [Duration::from_millis(100), Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(5)];

/// A page of `topic`'s log, positions strictly between `after` and `before`; oldest first when `forward`.
///
/// # Errors
/// The database failed.
pub async fn read<E: Event>(
    app: &App,
    topic: &str,
    (after, before): (i64, i64),
    forward: bool,
    limit: i64,
) -> Result<Vec<Recorded<E>>, Fault> {
    let rows = query::between(&mut *app.db.read().await?, topic, after, before, forward, limit).await?;
    Ok(rows.into_iter().filter_map(|row| readable(app, topic, row)).collect())
}

/// Whoever is given the event loads nothing for it that is older. An event that this version cannot read would stop
/// everything behind it: it is left out, and the log tells.
fn readable<E: Event>(app: &App, topic: &str, (position, payload): (i64, Value)) -> Option<Recorded<E>> {
    app.db.changes().reached(E::KIND, position);
    let event = decode(payload).inspect_err(|fault| {
        tracing::error!(fault = fault.report(), topic, position, "left an event out");
    });
    Some(Recorded { position, event: event.ok()? })
}

/// How many events the log holds of `topic`.
///
/// # Errors
/// The database failed.
pub async fn count(app: &App, topic: &str) -> Result<i64, Fault> {
    Ok(query::count(&mut *app.db.read().await?, topic).await?)
}

/// Follows `topic` from the position `after` on, or from now on. The stream ends when the application stops.
///
/// # Errors
/// The database cannot tell where "now" is.
pub async fn follow<E: Event>(
    app: App,
    topic: String,
    after: Option<i64>,
) -> Result<impl Stream<Item = Recorded<E>> + Send, Fault> {
    // First hear, then read: what happens in between arrives both ways and is told apart by its position.
    let subscription = app.pubsub.subscribe(&topic).await?;
    let last = match after {
        Some(position) => position,
        None => query::last_position(&mut *app.db.read().await?, &topic).await?,
    };
    let feed = Feed { app, topic, subscription, last, behind: after.is_some(), ready: Vec::new() };
    Ok(stream::unfold(feed, |mut feed| async move {
        let next = feed.next().await?;
        Some((next, feed))
    }))
}

struct Feed<E> {
    app: App,
    topic: String,
    subscription: Subscription,
    /// The last position delivered.
    last: i64,
    /// Whether the log may hold something that was not delivered.
    behind: bool,
    /// Read from the log and not delivered yet, newest first.
    ready: Vec<Recorded<E>>,
}

impl<E: Event> Feed<E> {
    async fn next(&mut self) -> Option<Recorded<E>> {
        loop {
            if let Some(event) = self.ready.pop() {
                self.last = event.position;
                return Some(event);
            }
            if self.behind {
                self.catch_up().await?;
                continue;
            }
            match self.subscription.next().await? {
                Signal::Missed => self.behind = true,
                Signal::Message(bytes) => match serde_json::from_slice::<Push>(&bytes) {
                    Ok(push) if push.position <= self.last => {}
                    Ok(push) if push.previous > self.last => self.behind = true,
                    Ok(push) => self.ready.extend(readable(&self.app, &self.topic, (push.position, push.payload))),
                    Err(error) => tracing::error!(%error, topic = self.topic, "an unreadable push"),
                },
            }
        }
    }

    async fn next_page(&mut self) -> Result<Vec<(i64, Value)>, Fault> {
        let mut conn = self.app.db.read().await?;
        Ok(query::between(&mut conn, &self.topic, self.last, i64::MAX, true, PAGE).await?)
    }

    /// Reads the next page of the log, trying until the database answers or the application stops.
    async fn catch_up(&mut self) -> Option<()> {
        let mut tries = 0;
        loop {
            match self.next_page().await {
                Ok(rows) => {
                    // A short page was the last one: from here on the push tells.
                    self.behind = i64::try_from(rows.len()).is_ok_and(|len| len == PAGE);
                    let end = rows.last().map(|(position, _)| *position);
                    self.ready =
                        rows.into_iter().rev().filter_map(|row| readable(&self.app, &self.topic, row)).collect();
                    if self.ready.is_empty() {
                        self.last = end.unwrap_or(self.last);
                    }
                    return Some(());
                }
                Err(fault) => {
                    let wait = RETRY.get(tries).or(RETRY.last()).copied().unwrap_or_default();
                    tracing::warn!(fault = fault.report(), topic = self.topic, "cannot catch up; trying again");
                    tokio::select! {
                        () = tokio::time::sleep(wait) => tries += 1,
                        () = self.app.stopping.cancelled() => return None,
                    }
                }
            }
        }
    }
}

/// Forgets events recorded more than `age` ago. A client that comes back later than that starts at the oldest event
/// still kept.
///
/// # Errors
/// The database failed.
pub async fn forget_older_than(app: &App, age: chrono::TimeDelta) -> Result<usize, Fault> {
    Ok(query::forget(&mut *app.db.read().await?, app.clock.now() - age).await?)
}
