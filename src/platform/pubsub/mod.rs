//! Publish and subscribe by topic, in this process or through Redis.
//!
//! Delivery is best effort, and messages may be lost. A subscriber that reads the event log after [`PubSub::subscribe`]
//! has returned, and again after each [`Signal::Missed`], misses nothing.

mod hub;
mod link;

use std::any::Any;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
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
use super::internal_error::{Context, InternalError};
use super::redis::RedisLink;

/// How long a subscriber waits for Redis to confirm its topic. Then it continues without a confirmation.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(4);

/// A published message, shared by the subscribers of this node.
#[derive(Debug)]
pub struct Message {
    payload: Bytes,
    /// What the first subscriber read from the payload.
    content: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl Message {
    /// Returns a message with this payload.
    pub fn new(payload: Bytes) -> Arc<Message> {
        Arc::new(Message { payload, content: OnceLock::new() })
    }

    /// Returns what `read` makes of the payload; all subscribers of this node that want the same type read it once.
    pub fn read<T: Clone + Send + Sync + 'static>(&self, read: impl Fn(&[u8]) -> T) -> T {
        let content = self.content.get_or_init(|| Box::new(read(&self.payload)));
        content.downcast_ref::<T>().cloned().unwrap_or_else(|| read(&self.payload))
    }
}

impl PartialEq for Message {
    fn eq(&self, other: &Message) -> bool {
        self.payload == other.payload
    }
}

impl Eq for Message {}

/// What a subscriber receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// A published message.
    Message(Arc<Message>),
    /// Messages may have been missed (a slow subscriber, a lost link): read the log.
    Missed,
}

/// A hub of topics to publish and subscribe to; a clone is the same hub.
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
    /// Returns a hub within this process only.
    pub fn local() -> PubSub {
        PubSub { hub: Arc::new(Hub::local()), route: Route::Local }
    }

    /// Returns a hub that connects all nodes with the same Redis URL and `prefix`.
    ///
    /// All channel names begin with `prefix`, for example `lyceum:topic:`. Spawns one task. When `stop` is canceled,
    /// it ends and closes all subscriptions. While Redis is unreachable, the hub has no link.
    ///
    /// # Errors
    /// The URL is malformed, or the server rejects the credentials or the certificate.
    pub async fn redis(
        url: &str,
        prefix: &str,
        tasks: &TaskTracker,
        stop: CancellationToken,
    ) -> Result<PubSub, InternalError> {
        let hub = Arc::new(Hub::linked());
        let prefix: Arc<str> = prefix.into();
        let publisher = RedisLink::connect(url).await?;
        let link = Link::new(url, prefix.clone(), hub.clone())?;
        // With a link from the start, no subscriber reads the log twice.
        let wire = link.try_resume().await.ok();
        tasks.spawn(link.run(wire, stop));
        Ok(PubSub { hub, route: Route::Redis { link: publisher, prefix } })
    }

    /// Publishes `payload` to all current subscribers of `topic`.
    ///
    /// Through Redis it also reaches the subscribers on other nodes. Each receives it at most once. The payload should
    /// be small: up to 64 of them are buffered for a slow subscriber.
    ///
    /// # Errors
    /// Redis rejected the message, or its reply was lost.
    pub async fn publish(&self, topic: &str, payload: Bytes) -> Result<(), InternalError> {
        match &self.route {
            Route::Local => {
                self.hub.deliver(topic, payload);
                Ok(())
            }
            // Not to the hub as well: Redis delivers to this node too if it has subscribers.
            Route::Redis { link, prefix } => {
                let mut publish = redis::cmd("PUBLISH");
                publish.arg(format!("{prefix}{topic}")).arg(payload.as_ref());
                link.query(&publish).await.context("publish")
            }
        }
    }

    /// Whether messages reach the other nodes, or there are none.
    pub fn is_linked(&self) -> bool {
        self.hub.is_linked()
    }

    /// Delivers a message to this node's subscribers only.
    pub fn deliver_here(&self, topic: &str, payload: Bytes) {
        self.hub.deliver(topic, payload);
    }

    /// Tells this node's subscribers that messages may have been missed.
    pub fn missed(&self) {
        self.hub.missed();
    }

    /// Subscribes to `topic`.
    ///
    /// When this returns, Redis has confirmed that this node receives the topic, so a message that is not in the log
    /// afterwards will be received. If Redis doesn't confirm within four seconds, or the link is down, the subscription
    /// starts anyway and receives [`Signal::Missed`] as soon as the topic is live.
    ///
    /// After shutdown the subscription ends at once.
    ///
    /// # Errors
    /// Never fails at present; a lost link is not an error.
    pub async fn subscribe(&self, topic: &str) -> Result<Subscription, InternalError> {
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

    /// Ends all subscriptions after their buffered signals. The link task does so by itself when it is stopped.
    pub fn close(&self) {
        self.hub.close();
    }
}

/// A subscription to one topic, also a [`Stream`]. Dropping it unsubscribes.
pub struct Subscription {
    signals: BoxStream<'static, Signal>,
}

impl Subscription {
    /// Receives the next signal; `None` after shutdown. Cancel safe.
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
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::hub::CAPACITY;
    use super::*;

    fn text(text: &str) -> Signal {
        Signal::Message(Message::new(Bytes::copy_from_slice(text.as_bytes())))
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
    async fn a_message_is_read_once_for_all_subscribers() {
        let pubsub = PubSub::local();
        let (mut first, mut second) = (pubsub.subscribe("a").await.unwrap(), pubsub.subscribe("a").await.unwrap());
        pubsub.publish("a", Bytes::from("12")).await.unwrap();
        let reads = AtomicUsize::new(0);
        for subscription in [&mut first, &mut second] {
            let Some(Signal::Message(message)) = subscription.next().await else { panic!("no message") };
            let length = message.read(|payload| {
                reads.fetch_add(1, SeqCst);
                payload.len()
            });
            assert_eq!((length, message.read(|payload| payload.to_vec())), (2, b"12".to_vec()), "also as another type");
        }
        assert_eq!(reads.into_inner(), 1);
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
