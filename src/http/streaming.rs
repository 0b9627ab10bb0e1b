//! The results of an operation as one HTTP response that goes on: for subscriptions without a WebSocket.
//!
//! There are two framings, of which the `Accept` header chooses:
//! - server-sent events as in the GraphQL-over-SSE protocol, distinct connections mode
//!   (<https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>);
//! - `multipart/mixed` as Apollo Client reads it
//!   (<https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol>).
//!
//! async-graphql's own multipart is not used: it sends the end of a part, by which clients recognize it, with the next
//! part only, and its parts lack `payload`.
//!
//! Nothing is spawned and nothing is queued: hyper asks for the next frame when it has room for it, at most 16 frames
//! ahead of the operating system. A client that does not read for the connection's write timeout is disconnected.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use tokio::time::sleep;

use super::ending::Ending;
use super::negotiation::{RequestErrors, is_request_error};
use super::request_id;
use crate::graphql::error::request_error;
use crate::graphql::executor::{RequestInfo, rejection};
use crate::graphql::fan_out::Payload;

/// The pause after which something is sent, so that no proxy closes the connection as idle.
const HEARTBEAT: Duration = Duration::from_secs(12);

/// How the results are separated in the body of the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// `text/event-stream`.
    EventStream,
    /// `multipart/mixed` with `subscriptionSpec=1.0`.
    Multipart,
}

impl Framing {
    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Framing::EventStream => "text/event-stream; charset=utf-8",
            Framing::Multipart => "multipart/mixed; boundary=\"graphql\"; subscriptionSpec=1.0",
        })
    }

    /// What is sent at once, so that the client knows that the response has begun.
    fn opening(self) -> Bytes {
        Bytes::from_static(match self {
            Framing::EventStream => b":\n\n",
            Framing::Multipart => b"\r\n--graphql",
        })
    }

    fn heartbeat(self) -> Bytes {
        match self {
            Framing::EventStream => self.opening(),
            Framing::Multipart => part("{}"),
        }
    }

    /// A result, which is one line of JSON.
    fn result(self, json: &str) -> Bytes {
        match self {
            Framing::EventStream => event(json),
            Framing::Multipart => part(&format!("{{\"payload\":{json}}}")),
        }
    }

    /// What the server says when it ends the stream by itself.
    ///
    /// In a part, errors beside the payload are the transport's; an event has no such place.
    fn failure(self, errors: &str) -> Bytes {
        match self {
            Framing::EventStream => event(&format!("{{\"errors\":{errors}}}")),
            Framing::Multipart => part(&format!("{{\"payload\":null,\"errors\":{errors}}}")),
        }
    }

    /// The end. Without it, clients of server-sent events reconnect and repeat the operation.
    fn end(self) -> Bytes {
        Bytes::from_static(match self {
            // Browsers ignore an event without a line of data.
            Framing::EventStream => b"event: complete\ndata:\n\n",
            Framing::Multipart => b"--\r\n",
        })
    }
}

fn event(json: &str) -> Bytes {
    format!("event: next\ndata: {json}\n\n").into()
}

/// A part with the boundary that ends it: the client need not wait for the next one.
fn part(json: &str) -> Bytes {
    format!("\r\nContent-Type: application/json\r\n\r\n{json}\r\n--graphql").into()
}

/// Returns the response that streams `responses` until they end or `ending` completes; then it drops `held`.
pub(super) fn respond(
    framing: Framing,
    info: RequestInfo,
    responses: BoxStream<'static, Payload>,
    ending: impl Future<Output = Ending> + Send + 'static,
    held: impl Send + 'static,
) -> Response {
    let id = HeaderValue::from_str(&info.request_id);
    let running = Running { framing, info, responses, ending: Box::pin(ending), heartbeat: HEARTBEAT, _held: held };
    let body = running.frames().map(Ok::<_, Infallible>);
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, framing.content_type());
    // Proxies must neither store nor collect nor compress it.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store, no-transform"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    headers.insert(header::VARY, HeaderValue::from_static("accept, authorization, cookie"));
    if let Ok(id) = id {
        headers.insert(request_id::HEADER, id);
    }
    response
}

/// A response that goes on.
struct Running<E, H> {
    framing: Framing,
    info: RequestInfo,
    responses: BoxStream<'static, Payload>,
    ending: Pin<Box<E>>,
    /// The pause after which something is sent.
    heartbeat: Duration,
    _held: H,
}

impl<E: Future<Output = Ending> + Send, H: Send> Running<E, H> {
    fn frames(self) -> impl Stream<Item = Bytes> + Send {
        let opening = stream::iter([self.framing.opening()]);
        opening.chain(stream::unfold(Some(self), async |running| running?.next().await))
    }

    /// Returns the next frame; the last one without what comes next.
    async fn next(mut self) -> Option<(Bytes, Option<Running<E, H>>)> {
        let framing = self.framing;
        tokio::select! {
            biased;
            ending = self.ending.as_mut() => Some(([self.failure(ending), framing.end()].concat().into(), None)),
            payload = self.responses.next() => match payload.map(encode) {
                Some(Some(json)) => Some((framing.result(&json), Some(self))),
                // Without the end, the client notices that it was cut off.
                Some(None) => None,
                None => Some((framing.end(), None)),
            },
            () = sleep(self.heartbeat) => Some((framing.heartbeat(), Some(self))),
        }
    }

    fn failure(&self, ending: Ending) -> Bytes {
        let (code, message) = match ending {
            Ending::Stopping => ("UNAVAILABLE", "The server is restarting: subscribe again after the last cursor."),
            Ending::Revoked => ("UNAUTHENTICATED", "The session has ended: sign in again."),
            Ending::Expired => {
                let message =
                    "The access token has expired: refresh the session, subscribe again after the last cursor.";
                ("UNAUTHENTICATED", message)
            }
        };
        let rejected = rejection(request_error(code, message), &self.info);
        let errors = serde_json::to_string(&rejected.errors).unwrap_or_else(|_| "[]".into());
        self.framing.failure(&errors)
    }
}

/// Returns the result as JSON; of a request that was not executed, without `data`.
fn encode(payload: Payload) -> Option<Arc<str>> {
    let json = match payload {
        Payload::Shared(json) => return Some(json),
        Payload::Own(response) if is_request_error(&response) => serde_json::to_string(&RequestErrors::of(&response)),
        Payload::Own(response) => serde_json::to_string(&response),
    };
    json.inspect_err(|error| tracing::error!(%error, "a GraphQL response can't be serialised")).ok().map(Arc::from)
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use async_graphql::{Response as GraphResponse, Value};
    use hyper::server::conn::http1;
    use hyper::service::service_fn;
    use hyper_util::rt::{TokioIo, TokioTimer};
    use tokio::io::AsyncWriteExt;
    use tokio::time::Instant;
    use tokio_io_timeout::TimeoutStream;

    use super::*;
    use crate::platform::auth::{Actor, Client};

    fn info() -> RequestInfo {
        RequestInfo { actor: Actor::Anonymous, client: Arc::new(Client::default()), request_id: "1".into() }
    }

    #[tokio::test]
    async fn heartbeats_fill_the_pauses() {
        for (framing, opening, heartbeat, results, end) in [
            (
                Framing::EventStream,
                ":\n\n",
                ":\n\n",
                ["event: next\ndata: {\"data\":1}\n\n", "event: next\ndata: {\"data\":2}\n\n"],
                "event: complete\ndata:\n\n",
            ),
            (
                Framing::Multipart,
                "\r\n--graphql",
                "\r\nContent-Type: application/json\r\n\r\n{}\r\n--graphql",
                [
                    "\r\nContent-Type: application/json\r\n\r\n{\"payload\":{\"data\":1}}\r\n--graphql",
                    "\r\nContent-Type: application/json\r\n\r\n{\"payload\":{\"data\":2}}\r\n--graphql",
                ],
                "--\r\n",
            ),
        ] {
            let (sender, receiver) = tokio::sync::mpsc::channel(1);
            let responses = stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
            let (ending, heartbeat_after) = (Box::pin(pending()), Duration::from_millis(10));
            let responses = responses.boxed();
            let running = Running { framing, info: info(), responses, ending, heartbeat: heartbeat_after, _held: () };
            let mut frames = running.frames().boxed();
            assert_eq!(frames.next().await.unwrap(), opening);
            for (number, result) in (1..).zip(results) {
                assert_eq!(frames.next().await.unwrap(), heartbeat);
                assert_eq!(frames.next().await.unwrap(), heartbeat);
                sender.send(GraphResponse::new(Value::from(number)).into()).await.unwrap();
                assert_eq!(frames.next().await.unwrap(), result);
            }
            drop(sender);
            assert_eq!(frames.next().await.unwrap(), end);
            assert_eq!(frames.next().await, None);
        }
    }

    #[tokio::test]
    async fn results_for_a_client_that_does_not_read_are_not_made_and_it_is_disconnected() {
        const SIZE: usize = 4096;
        let made = Arc::new(AtomicUsize::new(0));
        let service = service_fn(|_| {
            let made = made.clone();
            let endless = stream::repeat_with(move || {
                made.fetch_add(1, SeqCst);
                GraphResponse::new(Value::from("x".repeat(SIZE))).into()
            });
            let response = respond(Framing::EventStream, info(), endless.boxed(), pending(), ());
            async move { Ok::<_, Infallible>(response) }
        });
        let (mut client, server) = tokio::io::duplex(SIZE);
        client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut server = TimeoutStream::new(server);
        let patience = Duration::from_millis(200);
        server.set_write_timeout(Some(patience));
        let begun = Instant::now();
        let mut builder = http1::Builder::new();
        let connection = builder.timer(TokioTimer::new()).serve_connection(TokioIo::new(Box::pin(server)), service);
        let ended = connection.await;
        assert!(ended.is_err() && begun.elapsed() >= patience, "{ended:?} {:?}", begun.elapsed());
        assert!(made.load(SeqCst) * SIZE < 1 << 20, "{} results were made", made.load(SeqCst));
    }
}
