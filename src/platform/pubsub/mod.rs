//! Publish and subscribe per topic, in this process or through Redis.
//!
//! It is a hint, never the only copy of anything: a subscriber reads the event log after [`PubSub::subscribe`] has
//! returned and again after each [`Signal::Missed`], and so misses nothing, although messages may be lost on the way.

mod hub;
mod link;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::hub::{Hub, Membership, Readiness};
use self::link::Link;
use super::fault::{Context, Fault};
use super::redis::RedisLink;

/// How long a subscriber waits for Redis to confirm its topic before it goes on without.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(4);

/// What a subscriber hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// What somebody published.
    Message(Bytes),
    /// Something may have been missed (a slow reader, a lost link): read the log.
    Missed,
}

/// The place where topics are published and subscribed to; a clone is the same place.
#[derive(Clone)]
pub struct PubSub {
    hub: Arc<Hub>,
    route: Route,
}

#[derive(Clone)]
enum Route {
    Local,
    Redis { link: RedisLink, prefix: Arc<str> },
}

impl PubSub {
    /// Within this process only.
    pub fn local() -> PubSub {
        PubSub { hub: Arc::new(Hub::local()), route: Route::Local }
    }

    /// Through Redis, between all nodes with the same URL and `prefix` (what each channel's name begins with, for
    /// example `lyceum:topic:`). Spawns one task, which ends, and ends all subscriptions, when `stop` is cancelled.
    ///
    /// # Errors
    /// Redis can't be reached now. When it gets lost later, the link comes back by itself.
    pub async fn redis(url: &str, prefix: &str, tasks: &TaskTracker, stop: CancellationToken) -> Result<PubSub, Fault> {
        let hub = Arc::new(Hub::linked());
        let prefix: Arc<str> = prefix.into();
        let publisher = RedisLink::connect(url).await?;
        let link = Link::new(url, prefix.clone(), hub.clone())?;
        let wire = link.dial().await.context("connect to Redis for subscriptions")?;
        tasks.spawn(link.run(wire, stop));
        Ok(PubSub { hub, route: Route::Redis { link: publisher, prefix } })
    }

    /// Hands `payload` to everyone who is subscribed to `topic` now, on this node and (through Redis) on the others,
    /// once each. The payload should be small: a slow reader has up to 64 of them waiting.
    ///
    /// # Errors
    /// Redis didn't take it, or its answer was lost.
    pub async fn publish(&self, topic: &str, payload: Bytes) -> Result<(), Fault> {
        match &self.route {
            Route::Local => {
                self.hub.deliver(topic, payload);
                Ok(())
            }
            // Not to the hub as well: Redis sends it back to this node if somebody here listens.
            Route::Redis { link, prefix } => {
                let mut publish = redis::cmd("PUBLISH");
                publish.arg(format!("{prefix}{topic}")).arg(payload.as_ref());
                link.query(&publish).await.context("publish")
            }
        }
    }

    /// Subscribes to `topic`. When this returns, the node really receives it (Redis has confirmed), so that what a
    /// caller doesn't find in the log afterwards will be heard. If Redis doesn't confirm within four seconds, or the
    /// link is down, the subscription starts all the same and hears [`Signal::Missed`] as soon as the link is up.
    ///
    /// After shutdown it ends at once.
    ///
    /// # Errors
    /// None at present; a lost link isn't one.
    pub async fn subscribe(&self, topic: &str) -> Result<Subscription, Fault> {
        let Membership { place, receiver, ready } = Hub::join(&self.hub, topic);
        match ready {
            Readiness::Live => {}
            Readiness::LinkDown => tracing::warn!(topic, "subscribed while the link to Redis is down"),
            Readiness::Pending(confirmed) => {
                if !matches!(tokio::time::timeout(CONFIRM_TIMEOUT, confirmed).await, Ok(Ok(()))) {
                    tracing::warn!(topic, "subscribed without a confirmation by Redis");
                }
            }
        }
        let signals = stream::unfold((receiver, place), async |(mut receiver, place)| {
            let signal = match receiver.recv().await {
                Ok(signal) => signal,
                Err(RecvError::Lagged(_)) => Signal::Missed,
                Err(RecvError::Closed) => return None,
            };
            Some((signal, (receiver, place)))
        });
        Ok(Subscription { signals: signals.boxed() })
    }

    /// Ends all subscriptions, after what they still have to hear. Redis's task does so by itself when it is stopped.
    pub fn close(&self) {
        self.hub.close();
    }
}

/// One subscriber's end of a topic, also a [`Stream`]. Dropping it unsubscribes.
pub struct Subscription {
    signals: BoxStream<'static, Signal>,
}

impl Subscription {
    /// The next signal; `None` at shutdown. Cancel safe.
    pub async fn next(&mut self) -> Option<Signal> {
        self.signals.next().await
    }
}

impl Stream for Subscription {
    type Item = Signal;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<Option<Signal>> {
        self.signals.poll_next_unpin(context)
    }
}

#[cfg(test)]
mod tests {
    use super::hub::CAPACITY;
    use super::*;

    fn text(text: &str) -> Signal {
        Signal::Message(Bytes::copy_from_slice(text.as_bytes()))
    }

    #[tokio::test]
    async fn subscribers_hear_their_topic_only() {
        let pubsub = PubSub::local();
        let mut first = pubsub.subscribe("a").await.unwrap();
        let mut second = pubsub.subscribe("a").await.unwrap();
        let mut other = pubsub.subscribe("b").await.unwrap();
        pubsub.publish("a", Bytes::from("1")).await.unwrap();
        pubsub.publish("b", Bytes::from("2")).await.unwrap();
        pubsub.publish("nobody", Bytes::from("3")).await.unwrap();
        assert_eq!(first.next().await, Some(text("1")));
        assert_eq!(second.next().await, Some(text("1")));
        assert_eq!(other.next().await, Some(text("2")));
        pubsub.close();
        assert_eq!(first.next().await, None);
        assert_eq!(other.next().await, None);
        assert_eq!(pubsub.subscribe("a").await.unwrap().next().await, None);
    }

    #[tokio::test]
    async fn a_slow_reader_is_told_once_and_then_hears_the_newest() {
        let pubsub = PubSub::local();
        let mut slow = pubsub.subscribe("a").await.unwrap();
        for n in 0..CAPACITY * 3 {
            pubsub.publish("a", Bytes::from(n.to_string())).await.unwrap();
        }
        assert_eq!(slow.next().await, Some(Signal::Missed));
        for n in CAPACITY * 2..CAPACITY * 3 {
            assert_eq!(slow.next().await, Some(text(&n.to_string())));
        }
        pubsub.close();
        assert_eq!(slow.next().await, None);
    }

    #[tokio::test]
    async fn a_topic_lives_as_long_as_its_last_subscriber() {
        let pubsub = PubSub::local();
        let first = pubsub.subscribe("a").await.unwrap();
        let mut second = pubsub.subscribe("a").await.unwrap();
        assert_eq!(pubsub.hub.topics(), 1);
        drop(first);
        assert_eq!(pubsub.hub.topics(), 1);
        pubsub.publish("a", Bytes::from("1")).await.unwrap();
        assert_eq!(second.next().await, Some(text("1")));
        drop(second);
        assert_eq!(pubsub.hub.topics(), 0);
    }
}
