//! GraphQL over WebSocket: the server side of the `graphql-transport-ws` sub-protocol
//! (<https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>).
//!
//! One task serves one socket and spawns nothing: it reads, polls the running operations and writes, in turn.
//! It reads no message and polls no operation while a write is under way, so what a slow client has not taken
//! yet is never more than one message; [`Settings::send_timeout`] ends a socket whose client takes nothing.
//!
//! The application brings two decisions: who may connect ([`Authorised`] or [`Refusal`], from the payload of
//! `connection_init`) and how a request is executed. async-graphql's own WebSocket is not used because it closes
//! with other codes than the protocol's, has no limits, and never closes a socket whose session ended.

mod operations;
mod protocol;
mod session;

use std::future::Future;
use std::time::Duration;

use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use session::serve;

/// The name of the only sub-protocol spoken here.
pub const PROTOCOL: &str = "graphql-transport-ws";

/// Thousands of sockets are open and idle: the library's default of 128 KiB each would be most of their memory.
const READ_BUFFER_BYTES: usize = 8 * 1024;

/// The limits of one socket.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long a client may take from the upgrade to the `connection_ack`, the application's decision included;
    /// the socket is closed with 4408 then.
    pub init_timeout: Duration,
    /// The time between two pings (those of RFC 6455, which browsers answer by themselves); not zero.
    pub ping_interval: Duration,
    /// The socket is dropped when nothing at all arrives for `ping_interval` and this.
    pub pong_timeout: Duration,
    /// How many operations may run at a time; one more is answered with the error `TOO_MANY_OPERATIONS`.
    pub max_operations: usize,
    /// The longest accepted message, in bytes; a longer one closes the socket with 1009.
    pub max_message_bytes: usize,
    /// How long the client may take to accept one message; the socket is dropped then.
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

/// What the application grants to one socket.
pub struct Authorised<S> {
    /// Handed to every execution.
    pub session: S,
    /// When the socket is closed with 4403, if the session ends at a known time.
    pub expires_at: Option<Instant>,
    /// Closes the socket with 4403 when cancelled, for instance by a sign-out.
    pub revoked: CancellationToken,
}

/// Why the application does not accept a `connection_init`.
pub enum Refusal {
    /// The socket is closed with 4403 and this reason, which the client sees.
    Forbidden(String),
    /// The application can't decide now (a lost database, for example). The socket is closed with 1013, upon which
    /// clients try again later; they would not after 4403 or 1011.
    Unavailable,
}

/// Answers an upgrade request; `serve` gets the socket afterwards and is expected to end in [`serve`].
///
/// The sub-protocol [`PROTOCOL`] is chosen if the client offers it. If it doesn't, the upgrade succeeds all the same
/// and [`serve`] closes the socket with 4406, which is the only way to tell a client why.
/// The listener must have set `TCP_NODELAY` on the connection (`ListenerExt::tap_io`), which can't be done here any
/// more: without it, an event that soon follows another waits some 40 ms for the client's delayed acknowledgement.
/// axum spawns the socket's task; `tasks` waits for it from the upgrade on, as if it had been spawned there.
pub fn upgrade<F, Fut>(
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
