//! Serves one socket, from the upgrade until it is closed.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::pin::pin;
use std::time::Duration;

use async_graphql::{ErrorExtensionValues, Request, ServerError};
use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::SinkExt;
use futures_util::stream::BoxStream;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::operations::Operations;
use super::protocol::{ClientMessage, Close, ServerMessage, parse};
use super::{Authorised, Rejection, Settings};
use crate::graphql::fan_out::Payload;
use crate::http::ending::{Ending, SessionEnd, ending};

/// How long to wait for the client's close frame.
///
/// Dropping the connection while received data is unread would reset it, and the client might never get our frame.
const CLOSE_GRACE: Duration = Duration::from_secs(2);

/// Why a socket ends.
enum End {
    /// The connection is lost, or the client is unresponsive.
    Lost,
    /// The client sent a close frame.
    ByClient,
    /// The server closes the socket with this close frame.
    ByServer(Close),
}

impl From<Close> for End {
    fn from(close: Close) -> End {
        End::ByServer(close)
    }
}

/// Serves one socket from the upgrade until it is closed; then drops all of its operations.
///
/// `authorise` gets the payload of `connection_init`: an object, or null if there was none. `execute` must not block;
/// it is called once per operation, and its stream is dropped when the client completes the operation. A panic in
/// either ends the socket without a close frame. When `shutdown` is canceled, the socket is closed with 1001.
///
/// `socket` must come from [`super::accept`] with the same `settings`, which sets the message size limit.
pub async fn serve<S, A, AF, E>(
    socket: WebSocket,
    settings: Settings,
    shutdown: CancellationToken,
    authorise: A,
    execute: E,
) where
    A: FnOnce(serde_json::Value) -> AF,
    AF: Future<Output = Result<Authorised<S>, Rejection>>,
    E: Fn(&S, Request) -> BoxStream<'static, Payload>,
{
    let mut connection = Connection { socket, settings, shutdown, heard: Instant::now(), readable: true };
    let Err(end) = connection.talk(authorise, execute).await;
    connection.finish(end).await;
}

/// The socket, and the only place that reads from it and writes to it.
struct Connection {
    socket: WebSocket,
    settings: Settings,
    shutdown: CancellationToken,
    /// When data was last received.
    heard: Instant,
    /// False after a failed read, after which the library cannot read any more.
    readable: bool,
}

impl Connection {
    async fn talk<S, A, AF, E>(&mut self, authorise: A, execute: E) -> Result<Infallible, End>
    where
        A: FnOnce(serde_json::Value) -> AF,
        AF: Future<Output = Result<Authorised<S>, Rejection>>,
        E: Fn(&S, Request) -> BoxStream<'static, Payload>,
    {
        if self.socket.protocol().is_none() {
            return Err(Close::subprotocol().into());
        }
        let shutdown = self.shutdown.clone();
        let init_timeout = self.settings.init_timeout;
        let Authorised { session, expires_at, revoked, idle_timeout } = tokio::select! {
            biased;
            () = shutdown.cancelled() => return Err(Close::going_away().into()),
            greeted = timeout(init_timeout, self.greet(authorise)) => greeted.map_err(|_| Close::init_timeout())??,
        };
        let ending = pin!(ending(shutdown, SessionEnd { expires_at, revoked }));
        let busy_at = Instant::now();
        let operations = Operations::default();
        Conversation { connection: self, operations, session, execute, idle_timeout, busy_at }.hold(ending).await
    }

    /// Runs the handshake up to the `connection_ack`. Messages are also read while the application decides.
    async fn greet<S, A, AF>(&mut self, authorise: A) -> Result<Authorised<S>, End>
    where
        A: FnOnce(serde_json::Value) -> AF,
        AF: Future<Output = Result<Authorised<S>, Rejection>>,
    {
        let payload = loop {
            let text = self.receive_text().await?;
            if let Some(payload) = self.before_ack(&text, false).await? {
                break payload;
            }
        };
        let mut deciding = pin!(authorise(payload));
        let decision = loop {
            tokio::select! {
                decision = &mut deciding => break decision,
                text = self.receive_text() => self.before_ack(&text?, true).await?,
            };
        };
        let authorised = decision.map_err(|rejection| match rejection {
            Rejection::Forbidden(reason) => Close::forbidden(reason),
            Rejection::Unavailable => Close::try_again_later(),
        })?;
        self.send_text(ServerMessage::ConnectionAck.encode()?).await?;
        Ok(authorised)
    }

    /// Handles a message before the `connection_ack`. Returns the payload of a `connection_init`.
    async fn before_ack(&mut self, text: &str, initialised: bool) -> Result<Option<serde_json::Value>, End> {
        match parse(text)? {
            ClientMessage::ConnectionInit(_) if initialised => Err(Close::too_many_inits().into()),
            ClientMessage::ConnectionInit(payload) => Ok(Some(payload)),
            ClientMessage::Subscribe { .. } => Err(Close::unauthorized().into()),
            ClientMessage::Ping(payload) => {
                self.send_text(ServerMessage::Pong { payload }.encode()?).await?;
                Ok(None)
            }
            ClientMessage::Pong | ClientMessage::Complete { .. } => Ok(None),
        }
    }

    async fn receive_text(&mut self) -> Result<Utf8Bytes, End> {
        loop {
            match self.receive().await? {
                Some(text) => return Ok(text),
                None => self.flush().await?,
            }
        }
    }

    /// Receives the next frame: its text, or `None` for a ping or pong.
    ///
    /// After `None`, the caller must call [`Connection::flush`]. Cancel-safe.
    async fn receive(&mut self) -> Result<Option<Utf8Bytes>, End> {
        let message = match self.socket.recv().await {
            Some(Ok(message)) => message,
            Some(Err(error)) => {
                self.readable = false;
                return Err(Close::for_read_error(&error).map_or(End::Lost, End::ByServer));
            }
            None => return Err(End::Lost),
        };
        self.heard = Instant::now();
        match message {
            Message::Text(text) => Ok(Some(text)),
            Message::Binary(_) => Err(Close::invalid_message("a binary frame").into()),
            Message::Ping(_) | Message::Pong(_) => Ok(None),
            Message::Close(_) => Err(End::ByClient),
        }
    }

    async fn send_text(&mut self, text: String) -> Result<(), End> {
        self.send(Message::Text(text.into())).await
    }

    /// Sends one message and waits until it is written to the operating system's send buffer.
    async fn send(&mut self, message: Message) -> Result<(), End> {
        in_time(&self.settings, &self.shutdown, self.socket.send(message)).await
    }

    /// Writes the library's pong. Without it, the pongs for a client that sends pings and never reads would fill the
    /// library's buffer.
    async fn flush(&mut self) -> Result<(), End> {
        in_time(&self.settings, &self.shutdown, self.socket.flush()).await
    }

    /// Sends the close frame and waits up to [`CLOSE_GRACE`] for the client to close.
    async fn finish(mut self, end: End) {
        let farewell = async {
            match end {
                End::Lost => return,
                End::ByClient => {}
                End::ByServer(Close { code, reason }) => {
                    tracing::debug!(code, reason, "closing a GraphQL socket");
                    let frame = CloseFrame { code, reason: reason.into() };
                    if self.socket.send(Message::Close(Some(frame))).await.is_err() {
                        return;
                    }
                }
            }
            if !self.readable {
                return pending().await;
            }
            while let Some(Ok(_)) = self.socket.recv().await {}
        };
        // Whether it timed out or the client responded, the connection is dropped.
        let _ = timeout(CLOSE_GRACE, farewell).await;
    }
}

/// Awaits a write, up to the send timeout. A shutdown does not wait for a slow client.
async fn in_time<E>(
    settings: &Settings,
    shutdown: &CancellationToken,
    write: impl Future<Output = Result<(), E>>,
) -> Result<(), End> {
    tokio::select! {
        biased;
        written = timeout(settings.send_timeout, write) => match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Lost),
        },
        () = shutdown.cancelled() => Err(Close::going_away().into()),
    }
}

impl From<Ending> for End {
    fn from(ending: Ending) -> End {
        End::ByServer(match ending {
            Ending::Stopping => Close::going_away(),
            Ending::Revoked => Close::forbidden("session revoked"),
            Ending::Expired => Close::forbidden("session expired"),
        })
    }
}

enum Event {
    /// A frame from the client; see [`Connection::receive`].
    Received(Option<Utf8Bytes>),
    /// A message from an operation, to be sent to the client.
    Produced(String),
    PingDue,
    /// Nothing was received within the timeout, as far as is known.
    Silence,
    /// No operation was running for the idle timeout.
    Idle,
}

/// A socket after its `connection_ack`.
struct Conversation<'a, S, E> {
    connection: &'a mut Connection,
    operations: Operations,
    session: S,
    execute: E,
    idle_timeout: Option<Duration>,
    /// When an operation was last running.
    busy_at: Instant,
}

impl<S, E> Conversation<'_, S, E>
where
    E: Fn(&S, Request) -> BoxStream<'static, Payload>,
{
    async fn hold(mut self, mut ending: impl Future<Output = Ending> + Unpin) -> Result<Infallible, End> {
        let Settings { ping_interval, pong_timeout, .. } = self.connection.settings;
        let mut pings = interval_at(Instant::now() + ping_interval, ping_interval);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Set again only when it is over: with each message, a timer would be made and dropped.
        let mut silence = pin!(sleep_until(self.connection.heard + ping_interval + pong_timeout));
        loop {
            if self.operations.len() > 0 {
                self.busy_at = Instant::now();
            }
            let idle_at = self.idle_timeout.filter(|_| self.operations.len() == 0).map(|limit| self.busy_at + limit);
            let Conversation { connection, operations, .. } = &mut self;
            // Without `biased`, `select!` picks randomly, so neither the client nor the operations have priority.
            let traffic = async {
                tokio::select! {
                    received = connection.receive() => received.map(Event::Received),
                    produced = operations.next_message() => Ok(Event::Produced(produced?)),
                }
            };
            let event = tokio::select! {
                biased;
                ending = &mut ending => return Err(ending.into()),
                _ = pings.tick() => Event::PingDue,
                event = traffic => event?,
                // Last, because data that arrived during a slow write has not been read yet.
                () = &mut silence => Event::Silence,
                () = sleep_until(idle_at.unwrap_or_else(Instant::now)), if idle_at.is_some() => Event::Idle,
            };
            match event {
                Event::Received(Some(text)) => self.obey(&text).await?,
                Event::Received(None) => self.connection.flush().await?,
                Event::Produced(text) => self.connection.send_text(text).await?,
                Event::PingDue => self.connection.send(Message::Ping(Bytes::new())).await?,
                Event::Silence => {
                    let silent_at = self.connection.heard + ping_interval + pong_timeout;
                    if silent_at <= Instant::now() {
                        return Err(End::Lost);
                    }
                    silence.as_mut().reset(silent_at);
                }
                Event::Idle => return Err(Close::idle().into()),
            }
        }
    }

    async fn obey(&mut self, text: &str) -> Result<(), End> {
        match parse(text)? {
            ClientMessage::ConnectionInit(_) => Err(Close::too_many_inits().into()),
            ClientMessage::Ping(payload) => self.connection.send_text(ServerMessage::Pong { payload }.encode()?).await,
            ClientMessage::Pong => Ok(()),
            ClientMessage::Complete { id } => {
                self.operations.stop(&id);
                Ok(())
            }
            ClientMessage::Subscribe { id, .. } if self.operations.contains(&id) => {
                Err(Close::subscriber_exists(&id).into())
            }
            ClientMessage::Subscribe { id, .. } if self.operations.len() >= self.connection.settings.max_operations => {
                let errors = [too_many_operations(self.connection.settings.max_operations)];
                self.connection.send_text(ServerMessage::Error { id: &id, payload: &errors }.encode()?).await
            }
            ClientMessage::Subscribe { id, request } => {
                let responses = (self.execute)(&self.session, *request);
                self.operations.start(id, responses);
                Ok(())
            }
        }
    }
}

fn too_many_operations(limit: usize) -> ServerError {
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", "TOO_MANY_OPERATIONS");
    let mut error = ServerError::new(format!("This socket already runs {limit} operations, the most it may."), None);
    error.extensions = Some(extensions);
    error
}
