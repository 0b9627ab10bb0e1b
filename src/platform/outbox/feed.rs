//! Follows one topic, each event exactly once and in order. Missed events come from the log, later ones from pushes.

use std::time::Duration;

use futures_util::Stream;
use futures_util::stream;
use serde_json::Value;

use super::epoch::{self, Position, Unreadable};
use super::push::Push;
use super::{Event, Recorded, decode, query};
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::pubsub::{Signal, Subscription};

/// The number of events read from the log at a time.
const PAGE: i64 = 100;
/// The delays between retries while the database is unavailable.
const RETRY: [Duration; 4] =
    [Duration::from_millis(100), Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(5)];

/// Reads a page of the log of some topics, with positions strictly between `after` and `before`.
///
/// The topics have no events in common. Oldest first if `forward`, otherwise newest first. Events that cannot be decoded
/// are left out and logged.
///
/// # Errors
/// A position is of another epoch, or the database failed.
pub async fn read<E: Event>(
    app: &App,
    topics: &[String],
    (after, before): (Option<Position>, Option<Position>),
    forward: bool,
    limit: i64,
) -> Result<Vec<Recorded<E>>, Unreadable> {
    let epoch = epoch::current(app, &[after, before]).await?;
    let (after, before) = (after.map_or(0, Position::number), before.map_or(i64::MAX, Position::number));
    let rows = query::between(&mut *app.db.read().await?, topics, (after, before), forward, limit).await?;
    Ok(rows.into_iter().filter_map(|row| readable(app, epoch, row)).collect())
}

/// Decodes an event; `None` if this version of the program cannot read it.
///
/// Marks cached rows that are older than the event as stale, so that the receiver doesn't load them. An unreadable
/// event is logged and skipped because it would block all later ones.
fn readable<E: Event>(app: &App, epoch: i64, (position, payload): (i64, Value)) -> Option<Recorded<E>> {
    app.db.invalidation().reached(position, &payload);
    let event = decode(payload).inspect_err(|error| {
        tracing::error!(error = error.report(), position, "left an event out");
    });
    Some(Recorded { position: Position::new(epoch, position), event: event.ok()? })
}

/// Checks that the log can be read from a position on.
///
/// # Errors
/// The log does not reach back to the position, or the position is of another epoch; the database failed.
pub async fn check(app: &App, after: Position) -> Result<(), Unreadable> {
    epoch::current(app, &[Some(after)]).await?;
    reaches(&query::log(&mut *app.db.read().await?).await?, Some(after))
}

fn reaches(log: &query::Log, after: Option<Position>) -> Result<(), Unreadable> {
    let forgotten = |position: Position| position != Position::BEGINNING && position.number() < log.forgotten;
    if after.is_some_and(forgotten) { Err(Unreadable::Expired) } else { Ok(()) }
}

/// The number of events of `topics` in the log.
///
/// # Errors
/// The database failed.
pub async fn count(app: &App, topics: &[String]) -> Result<i64, InternalError> {
    Ok(query::count(&mut *app.db.read().await?, topics).await?)
}

/// Follows `topic` from the position `after`, or from now. Also returns the position from which it follows.
///
/// The stream ends when the application stops, or when the log is rewound.
///
/// # Errors
/// The log does not reach back to `after`, or `after` is of another epoch; the subscription failed, or the database.
pub async fn follow<E: Event + Clone>(
    app: App,
    topic: String,
    after: Option<Position>,
) -> Result<(Position, impl Stream<Item = Recorded<E>> + Send), Unreadable> {
    // Subscribe before reading: an event in between arrives both ways, and its position identifies the duplicate.
    let subscription = app.pubsub.subscribe(&topic).await?;
    let epoch = epoch::current(&app, &[after]).await?;
    let log = query::log(&mut *app.db.read().await?).await?;
    reaches(&log, after)?;
    let start = after.unwrap_or(Position::new(epoch, log.last));
    let last = start.number();
    let feed = Feed { app, topic, subscription, epoch, last, behind: after.is_some(), ready: Vec::new() };
    let events = stream::unfold(feed, |mut feed| async move {
        let next = feed.next().await?;
        Some((next, feed))
    });
    Ok((start, events))
}

struct Feed<E> {
    app: App,
    topic: String,
    subscription: Subscription,
    epoch: i64,
    /// The position of the last event delivered.
    last: i64,
    /// Whether the log may contain undelivered events.
    behind: bool,
    /// Events that were read from the log but not yet delivered, newest first.
    ready: Vec<Recorded<E>>,
}

/// A push as its followers read it.
#[derive(Clone)]
struct Pushed<E> {
    position: i64,
    previous: i64,
    /// `None` if this version of the program cannot read it.
    event: Option<Recorded<E>>,
}

impl<E: Event + Clone> Feed<E> {
    async fn next(&mut self) -> Option<Recorded<E>> {
        loop {
            if let Some(event) = self.ready.pop() {
                self.last = event.position.number();
                return Some(event);
            }
            if self.behind {
                self.catch_up().await?;
                continue;
            }
            let signal = self.subscription.next().await?;
            // Positions are assigned a second time: the client must ask again, and learns that its cursor has expired.
            if self.app.epoch.get() != self.epoch {
                return None;
            }
            match signal {
                Signal::Missed => self.behind = true,
                Signal::Message(message) => match message.read(|bytes| self.read(bytes)) {
                    Some(pushed) if pushed.position <= self.last => {}
                    Some(pushed) if pushed.previous > self.last => self.behind = true,
                    Some(pushed) => self.ready.extend(pushed.event),
                    None => {}
                },
            }
        }
    }

    /// Reads a push, which is done once for all followers on this node.
    fn read(&self, bytes: &[u8]) -> Option<Pushed<E>> {
        let unreadable = |error: &_| tracing::error!(%error, topic = self.topic, "an unreadable push");
        let Push { position, previous, payload } = serde_json::from_slice(bytes).inspect_err(unreadable).ok()?;
        Some(Pushed { position, previous, event: readable(&self.app, self.epoch, (position, payload)) })
    }

    async fn next_page(&mut self) -> Result<Vec<(i64, Value)>, InternalError> {
        let mut conn = self.app.db.read().await?;
        let topics = std::slice::from_ref(&self.topic);
        Ok(query::between(&mut conn, topics, (self.last, i64::MAX), true, PAGE).await?)
    }

    /// Reads the next page of the log, retrying until the database responds. Returns `None` if the application stops.
    async fn catch_up(&mut self) -> Option<()> {
        let mut tries = 0;
        loop {
            match self.next_page().await {
                Ok(rows) => {
                    // A page that is not full is the last one: from now on, pushes suffice.
                    self.behind = i64::try_from(rows.len()).is_ok_and(|len| len == PAGE);
                    let end = rows.last().map(|(position, _)| *position);
                    self.ready =
                        rows.into_iter().rev().filter_map(|row| readable(&self.app, self.epoch, row)).collect();
                    if self.ready.is_empty() {
                        self.last = end.unwrap_or(self.last);
                    }
                    return Some(());
                }
                Err(error) => {
                    let wait = RETRY.get(tries).or(RETRY.last()).copied().unwrap_or_default();
                    tracing::warn!(error = error.report(), topic = self.topic, "cannot catch up; trying again");
                    tokio::select! {
                        () = tokio::time::sleep(wait) => tries += 1,
                        () = self.app.stopping.cancelled() => return None,
                    }
                }
            }
        }
    }
}
