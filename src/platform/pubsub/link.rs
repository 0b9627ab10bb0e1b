//! The task that keeps the subscriptions in Redis in line with the hub, over one connection.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, PushInfo, PushKind, Value};
use tokio_util::sync::CancellationToken;

use super::super::internal_error::{Context, InternalError};
use super::super::redis::{CONNECT_TIMEOUT, RESPONSE_TIMEOUT, nodes};
use super::hub::{Changes, Hub};

/// The delay before the first attempt to reconnect; it doubles with each attempt.
const RETRY_MIN: Duration = Duration::from_millis(100);
/// The maximum delay between attempts to reconnect.
const RETRY_MAX: Duration = Duration::from_secs(5);
/// How often the connection is pinged.
///
/// A peer that vanished without closing the connection is detected after this plus the response timeout.
const PING_EVERY: Duration = Duration::from_secs(10);
/// The maximum number of topics in one command.
const BATCH: usize = 256;

pub(super) struct Link {
    /// The servers to try. In a cluster every node receives all messages, so any one will do.
    nodes: Vec<Client>,
    prefix: Arc<str>,
    hub: Arc<Hub>,
}

/// One connection to Redis.
pub(super) struct Wire {
    connection: MultiplexedConnection,
    lost: CancellationToken,
    /// The topics that Redis has confirmed on this connection.
    subscribed: HashSet<Arc<str>>,
}

impl Link {
    pub(super) fn new(url: &str, prefix: Arc<str>, hub: Arc<Hub>) -> Result<Link, InternalError> {
        let nodes = nodes(url)?.into_iter().map(Client::open).collect::<Result<_, _>>()?;
        Ok(Link { nodes, prefix, hub })
    }

    /// Connects to the first node that answers.
    async fn dial(&self) -> Result<Wire, InternalError> {
        let mut error = InternalError::new("no node to connect to");
        for node in &self.nodes {
            match self.dial_node(node).await {
                Ok(wire) => return Ok(wire),
                Err(failed) => error = failed,
            }
        }
        Err(error)
    }

    async fn dial_node(&self, node: &Client) -> Result<Wire, InternalError> {
        let (hub, prefix) = (self.hub.clone(), self.prefix.clone());
        let lost = CancellationToken::new();
        let closed = lost.clone();
        // Runs in the task that reads the socket. It never blocks: the hub drops signals of slow subscribers.
        let receive = move |push: PushInfo| {
            match push.kind {
                PushKind::Message => {
                    if let Some((topic, payload)) = message(push.data, &prefix) {
                        hub.deliver(&topic, payload);
                    }
                }
                PushKind::Disconnection => closed.cancel(),
                _ => {}
            }
            Ok::<(), Infallible>(())
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_push_sender(receive);
        let connection = node.get_multiplexed_async_connection_with_config(&config).await?;
        Ok(Wire { connection, lost, subscribed: HashSet::new() })
    }

    /// Serves the hub until `stop` is canceled, first over `wire` if there is a link already.
    pub(super) async fn run(self, wire: Option<Wire>, stop: CancellationToken) {
        _ = stop.run_until_cancelled(self.serve_forever(wire)).await;
        self.hub.close();
    }

    async fn serve_forever(&self, mut linked: Option<Wire>) -> Infallible {
        loop {
            let mut wire = match linked.take() {
                Some(wire) => wire,
                None => self.resume().await,
            };
            tracing::info!(topics = wire.subscribed.len(), "linked to Redis");
            let Err(error) = self.serve(&mut wire).await;
            self.hub.link_down();
            tracing::warn!(error = error.report(), "lost the link to Redis");
        }
    }

    /// Applies the hub's changes until the connection fails.
    async fn serve(&self, wire: &mut Wire) -> Result<Infallible, InternalError> {
        let mut ping = tokio::time::interval(PING_EVERY);
        ping.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = wire.lost.cancelled() => return Err(InternalError::new("the connection was closed")),
                () = self.hub.changed.notified() => {
                    let Changes { subscribe, unsubscribe } = self.hub.take_changes(&wire.subscribed);
                    self.subscribe(wire, &subscribe).await?;
                    self.unsubscribe(wire, &unsubscribe).await?;
                }
                _ = ping.tick() => {
                    redis::cmd("PING").exec_async(&mut wire.connection).await.context("ping")?;
                }
            }
        }
    }

    /// Reconnects, subscribes to all topics again, and notifies all subscribers to read the log.
    async fn resume(&self) -> Wire {
        let mut pause = RETRY_MIN;
        loop {
            match self.try_resume().await {
                Ok(wire) => return wire,
                Err(error) => {
                    self.hub.link_down();
                    tracing::warn!(error = error.report(), "no link to Redis yet");
                }
            }
            tokio::time::sleep(pause).await;
            pause = RETRY_MAX.min(pause * 2);
        }
    }

    pub(super) async fn try_resume(&self) -> Result<Wire, InternalError> {
        let mut wire = self.dial().await?;
        let topics = self.hub.link_up();
        self.subscribe(&mut wire, &topics).await?;
        // Only now: a feed that reads the log earlier may miss messages published between the read and the subscription.
        self.hub.missed();
        Ok(wire)
    }

    async fn subscribe(&self, wire: &mut Wire, topics: &[Arc<str>]) -> Result<(), InternalError> {
        for topics in topics.chunks(BATCH) {
            // Returns when the server has confirmed all of them.
            wire.connection.subscribe(self.channels(topics)).await.context("subscribe")?;
            wire.subscribed.extend(topics.iter().cloned());
            self.hub.confirm(topics);
        }
        Ok(())
    }

    async fn unsubscribe(&self, wire: &mut Wire, topics: &[Arc<str>]) -> Result<(), InternalError> {
        for topics in topics.chunks(BATCH) {
            wire.connection.unsubscribe(self.channels(topics)).await.context("unsubscribe")?;
            for topic in topics {
                wire.subscribed.remove(topic);
            }
        }
        Ok(())
    }

    fn channels(&self, topics: &[Arc<str>]) -> Vec<String> {
        topics.iter().map(|topic| format!("{}{topic}", self.prefix)).collect()
    }
}

/// Extracts the topic and the payload from the data of a message push: channel and payload.
fn message(data: Vec<Value>, prefix: &str) -> Option<(String, Bytes)> {
    let Ok([Value::BulkString(channel), Value::BulkString(payload)]) = <[Value; 2]>::try_from(data) else {
        return None;
    };
    let topic = str::from_utf8(&channel).ok()?.strip_prefix(prefix)?.to_owned();
    Some((topic, payload.into()))
}
