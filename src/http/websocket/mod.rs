//! GraphQL over WebSocket: the server side of the `graphql-transport-ws` sub-protocol.
//!
//! Source: <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>.
//!
//! One task serves one socket and spawns nothing: it alternates between reading, polling the running operations and
//! writing. While a write is in flight, it neither reads messages nor polls operations, so at most one message is
//! buffered for a slow client; [`Settings::send_timeout`] disconnects a client that stops reading.
//!
//! The application decides who may connect ([`Authorised`] or [`Rejection`], from the payload of `connection_init`) and
//! how a request is executed. async-graphql's own WebSocket is not used because its close codes differ from the
//! protocol's, it has no limits, and it never closes a socket whose session has ended.

mod operations;
mod protocol;
mod session;
mod upgrade;

use std::future::Future;
use std::time::Duration;

use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use session::serve;
pub(super) use upgrade::upgrade;

/// The name of the only supported sub-protocol.
pub const PROTOCOL: &str = "graphql-transport-ws";

/// The size of a socket's read buffer. The library's default of 128 KiB is too much for thousands of idle sockets.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// The limits of one socket.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The timeout from the upgrade to the `connection_ack`, application's decision included.
    ///
    /// When it expires, the socket is closed with 4408.
    pub init_timeout: Duration,
    /// The interval between RFC 6455 pings, which browsers answer automatically; not zero.
    pub ping_interval: Duration,
    /// The connection is dropped if nothing arrives for `ping_interval` plus this time.
    pub pong_timeout: Duration,
    /// The maximum number of concurrent operations. More are rejected with `TOO_MANY_OPERATIONS`.
    pub max_operations: usize,
    /// The maximum message size in bytes; a larger message closes the socket with 1009.
    pub max_message_bytes: usize,
    /// The timeout for sending one message; after that, the connection is dropped.
    pub send_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            init_timeout: Duration::from_secs(10),
            ping_interval: Duration::from_secs(25),
            pong_timeout: Duration::from_secs(10),
            max_operations: 50,
            max_message_bytes: 1024 * 1024,
            send_timeout: Duration::from_secs(10),
        }
    }
}

/// The application's approval of a `connection_init`.
pub struct Authorised<S> {
    /// The session, passed to every execution.
    pub session: S,
    /// When the socket is closed with 4403, if the session ends at a known time.
    pub expires_at: Option<Instant>,
    /// Closes the socket with 4403 when canceled, for instance by a sign-out.
    pub revoked: CancellationToken,
    /// How long the socket stays open without an operation; then it is closed with 1000.
    pub idle_timeout: Option<Duration>,
}

/// Why the application does not accept a `connection_init`.
pub enum Rejection {
    /// The socket is closed with 4403 and this reason, which the client sees.
    Forbidden(String),
    /// The application cannot decide now, for instance because the database is unavailable. The socket is closed with
    /// 1013, after which clients retry; they would not after 4403 or 1011.
    Unavailable,
}

/// Accepts an upgrade request, then passes the socket to the closure `serve`.
///
/// The closure must pass it on to the function [`serve`].
///
/// The sub-protocol [`PROTOCOL`] is selected if the client offers it. If it does not, the upgrade still succeeds and
/// [`serve`] closes the socket with 4406, which is the only way to report the reason to the client.
///
/// The listener must have set `TCP_NODELAY` on the connection, because that is no longer possible at this point.
/// Without it, an event that closely follows another waits about 40 ms for the client's delayed ACK.
///
/// axum spawns the task of the socket; `tasks` tracks it from the upgrade on.
pub fn accept<F, Fut>(
    request: WebSocketUpgrade,
    settings: &Settings,
    tasks: &TaskTracker,
    serve: F,
) -> axum::response::Response
where
    F: FnOnce(WebSocket) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let tracked = tasks.token();
    request
        .protocols([PROTOCOL])
        .max_message_size(settings.max_message_bytes)
        .max_frame_size(settings.max_message_bytes)
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .on_upgrade(move |socket| async move {
            serve(socket).await;
            drop(tracked);
        })
}
