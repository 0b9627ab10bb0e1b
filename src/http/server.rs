//! Accepts connections and serves the router on them until shutdown.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;

use crate::platform::App;
use crate::platform::internal_error::{Context, InternalError};
use crate::platform::shares::Share;

/// The timeout for receiving a request head, which is also the idle timeout of a connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// The timeout for a client to read anything of a response.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// The remote IP address of the connection, stored in the request's extensions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// The place of a connection among those that may be open, stored in the request's extensions.
///
/// A WebSocket keeps it after hyper has given the connection away.
#[derive(Clone)]
pub(super) struct Place {
    _held: Arc<(OwnedSemaphorePermit, Option<Share>)>,
}

/// Binds a listener to the address.
///
/// # Errors
/// The address is in use or not available on this machine.
pub async fn bind(addr: SocketAddr) -> Result<TcpListener, InternalError> {
    TcpListener::bind(addr).await.context(format!("cannot listen on {addr}; set LYCEUM_ADDR to another address"))
}

/// Accepts connections until the application stops.
///
/// Open connections then continue as tasks of the application.
///
/// # Errors
/// None at present; accept errors are logged and the loop continues.
pub async fn serve(app: &App, listener: TcpListener, router: Router) -> Result<(), InternalError> {
    let places = Arc::new(Semaphore::new(app.config.limits.connections));
    loop {
        let (stream, peer) = tokio::select! {
            () = app.stopping.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Most likely too many open files: wait for some to be closed.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        // Behind a proxy, all connections come from the same address.
        let share = match app.config.proxies {
            0 => app.connections.take(peer.ip()).map(Some),
            _ => Some(None),
        };
        let (Ok(place), Some(share)) = (places.clone().try_acquire_owned(), share) else {
            // Dropped without an answer: a client that opens too many connections would not read one.
            app.metrics.refused_connections.inc();
            continue;
        };
        // Without TCP_NODELAY, a small response that follows another waits for the client's delayed ACK.
        drop(stream.set_nodelay(true));
        let place = Place { _held: Arc::new((place, share)) };
        app.tasks.spawn(connection(app.clone(), stream, (peer, place), router.clone()));
    }
    Ok(())
}

/// Serves one connection. On shutdown, the request in flight may finish within the grace period.
async fn connection(app: App, stream: TcpStream, (peer, place): (SocketAddr, Place), router: Router) {
    let router = TowerToHyperService::new(router);
    let draining = app.draining.clone();
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer.ip()));
        request.extensions_mut().insert(place.clone());
        let (answering, draining) = (router.call(request), draining.clone());
        async move {
            let mut response = answering.await?;
            if draining.is_cancelled() && response.status() != StatusCode::SWITCHING_PROTOCOLS {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response)
        }
    });
    // A client that does not read its responses does not keep them, and the connection, for ever.
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIMEOUT));
    let stream = Box::pin(stream);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = app.stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            match tokio::time::timeout(app.config.shutdown_grace, connection).await {
                Ok(ended) => ended,
                Err(_) => return tracing::warn!("a request was cut off by the shutdown"),
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}
