//! Accepts connections and serves the router on them, until it is told to stop.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};

use crate::platform::App;
use crate::platform::fault::{Context, Fault};

/// How long a client may take to send a request's head, and how long an idle connection is kept.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// The address at the other end of a request's connection, among the request's extensions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// Takes the address.
///
/// # Errors
/// It is in use, or not ours.
pub async fn bind(addr: SocketAddr) -> Result<TcpListener, Fault> {
    TcpListener::bind(addr).await.context(format!("cannot listen on {addr}; set LYCEUM_ADDR to another address"))
}

/// Accepts connections until the application stops. What is running then goes on as a task of the application.
///
/// # Errors
/// None at present; accept errors are logged and outlived.
pub async fn serve(app: &App, listener: TcpListener, router: Router) -> Result<(), Fault> {
    loop {
        let (stream, peer) = tokio::select! {
            () = app.stopping.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Too many open files, most likely: wait for some to close.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        // Without it, a small answer after another waits for the client's delayed acknowledgement.
        drop(stream.set_nodelay(true));
        app.tasks.spawn(connection(app.clone(), stream, peer, router.clone()));
    }
    Ok(())
}

/// Serves one connection. When the application stops, the request that is running is finished first.
async fn connection(app: App, stream: TcpStream, peer: SocketAddr, router: Router) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer.ip()));
        router.call(request)
    });
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
