//! An S3-compatible object store in this process: files in a folder, served on loopback.
//!
//! `s3s` verifies signatures, expiry, and signed headers like a real store, so that clients use the same code path. Not
//! for production: files are not replicated, and a key cannot be both an object and a folder (`a` and `a/b`).

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use rand::distr::{Alphanumeric, SampleString};
use s3s::Body;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::super::internal_error::{Context, InternalError};
use super::super::origins::PageOrigins;

/// How many connections are served at once; others wait to be accepted.
const CONNECTIONS: usize = 512;
/// How long a client may take to send the headers of a request; also closes idle connections.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long transfers in flight may continue after `stop`.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(3);
/// The pause after a failed accept, usually caused by a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long a browser may cache the response to a preflight request, in seconds.
const PREFLIGHT_SECONDS: &str = "600";

/// The configuration of the store.
pub struct Options {
    /// The folder for the files; created if it doesn't exist.
    pub folder: PathBuf,
    /// The address to listen on; port 0 picks a free port.
    pub addr: SocketAddr,
    /// The access key ID; `None` generates a random one.
    pub access_key: Option<String>,
    /// The secret access key; `None` generates a random one.
    pub secret_key: Option<String>,
    /// Whose pages may access the store.
    pub allowed_origins: PageOrigins,
    /// Receives an S3 event notification for each created object. Events are dropped when the channel is full.
    pub events: Option<mpsc::Sender<Value>>,
}

/// A running store.
pub struct Objects {
    addr: SocketAddr,
    access_key: String,
    secret_key: String,
}

impl Objects {
    /// Starts the store. It stops when `stop` is canceled; transfers in flight get up to three seconds.
    ///
    /// # Errors
    /// The folder can't be created or used, or the address is already in use.
    pub async fn start(
        options: Options,
        tasks: &TaskTracker,
        stop: CancellationToken,
    ) -> Result<Objects, InternalError> {
        let Options { folder, addr, access_key, secret_key, allowed_origins, events } = options;
        let access_key = access_key.unwrap_or_else(|| random(20));
        let secret_key = secret_key.unwrap_or_else(|| random(40));
        let what = format!("use the folder {} for objects", folder.display());
        let files = tasks.spawn_blocking(move || open(folder)).await?.context(what)?;
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(access_key.clone(), secret_key.clone()));
        let gate = Gate { service: builder.build(), allowed_origins, events };
        let listener = TcpListener::bind(addr).await.context(format!("listen on {addr} for objects"))?;
        let addr = listener.local_addr()?;
        tasks.spawn(accept(listener, Arc::new(gate), tasks.clone(), stop));
        Ok(Objects { addr, access_key, secret_key })
    }

    /// The URL of the store, for [`Settings::endpoint`](crate::platform::storage::Settings).
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The access key ID.
    pub fn access_key(&self) -> &str {
        &self.access_key
    }

    /// The secret access key.
    pub fn secret_key(&self) -> &str {
        &self.secret_key
    }
}

fn random(length: usize) -> String {
    Alphanumeric.sample_string(&mut rand::rng(), length)
}

fn open(folder: PathBuf) -> Result<FileSystem, InternalError> {
    std::fs::create_dir_all(&folder)?;
    // The error implements only `Debug`.
    FileSystem::new(folder).map_err(|error| InternalError::new(format!("{error:?}")))
}

async fn accept(listener: TcpListener, gate: Arc<Gate>, tasks: TaskTracker, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await;
            (listener.accept().await, place)
        };
        let Some((socket, place)) = stop.run_until_cancelled(next).await else { return };
        match socket {
            Ok((socket, _)) => {
                let connection = serve(socket, gate.clone(), stop.clone());
                tasks.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the object store can't accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve(socket: TcpStream, gate: Arc<Gate>, stop: CancellationToken) {
    let service = service_fn(move |request| {
        let gate = gate.clone();
        async move { Ok::<_, Infallible>(gate.answer(request).await) }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let mut connection = pin!(http.serve_connection(TokioIo::new(socket), service));
    let served = tokio::select! {
        served = &mut connection => served,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(DRAIN_TIMEOUT, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the object store ended early");
    }
}

/// The store behind CORS rules, which `s3s-fs` doesn't implement.
///
/// Source: the Fetch standard, 3.3 (<https://fetch.spec.whatwg.org/#http-cors-protocol>).
struct Gate {
    service: S3Service,
    allowed_origins: PageOrigins,
    events: Option<mpsc::Sender<Value>>,
}

impl Gate {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let origin = request.headers().get(header::ORIGIN).cloned();
        let allowed = origin.clone().filter(|origin| self.allows(origin));
        let made = Made::by(&request);
        let mut response = match preflight(&request) {
            Some(asked) if allowed.is_some() => granted(asked),
            Some(_) => empty(StatusCode::FORBIDDEN),
            None => match self.service.call(request.map(Body::from)).await {
                Ok(response) => {
                    if response.status().is_server_error() {
                        tracing::warn!(status = %response.status(), "the object store failed");
                    }
                    response
                }
                Err(error) => {
                    tracing::warn!(?error, "the object store failed");
                    empty(StatusCode::INTERNAL_SERVER_ERROR)
                }
            },
        };
        if let Some(made) = made.filter(|_| response.status().is_success()) {
            self.tell(&made);
        }
        // The media type was checked; browsers must not guess another one.
        response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        // Also set without an `Origin` header: a cache must not serve that response to a cross-origin request.
        response.headers_mut().append(header::VARY, HeaderValue::from_static("origin"));
        if let Some(origin) = allowed {
            let headers = response.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            let exposed = HeaderValue::from_static("accept-ranges, content-length, content-range, etag");
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
        response
    }

    fn tell(&self, made: &Made) {
        let Some(events) = &self.events else { return };
        if events.try_send(made.event()).is_err() {
            tracing::warn!(key = made.key, "nobody has time for the event of an object");
        }
    }

    fn allows(&self, origin: &HeaderValue) -> bool {
        origin.to_str().is_ok_and(|origin| self.allowed_origins.admits(origin))
    }
}

/// The object that a request creates if it succeeds.
struct Made {
    bucket: String,
    /// The key as in the URL, percent-encoded.
    key: String,
    how: &'static str,
}

impl Made {
    fn by<B>(request: &Request<B>) -> Option<Made> {
        let query = request.uri().query().unwrap_or_default();
        let has = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
        let how = match *request.method() {
            Method::PUT if has("partNumber") => return None,
            Method::PUT if request.headers().contains_key("x-amz-copy-source") => "Copy",
            Method::PUT => "Put",
            Method::POST if has("uploadId") => "CompleteMultipartUpload",
            _ => return None,
        };
        let (bucket, key) = request.uri().path().trim_start_matches('/').split_once('/')?;
        (!key.is_empty()).then(|| Made { bucket: bucket.to_owned(), key: key.to_owned(), how })
    }

    /// Source: the S3 user guide, "Event message structure"
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>).
    fn event(&self) -> Value {
        let Made { bucket, key, how } = self;
        let sequencer = random(16);
        let object = json!({ "key": key, "sequencer": sequencer });
        let s3 = json!({ "s3SchemaVersion": "1.0", "bucket": { "name": bucket }, "object": object });
        let name = format!("ObjectCreated:{how}");
        json!({ "Records": [{ "eventVersion": "2.1", "eventSource": "lyceum:s3", "eventName": name, "s3": s3 }] })
    }
}

/// Returns the requested headers if the request is a preflight request.
fn preflight(request: &Request<Incoming>) -> Option<Option<HeaderValue>> {
    let headers: &HeaderMap = request.headers();
    let asks = |name: HeaderName| headers.contains_key(name);
    let is_preflight =
        request.method() == Method::OPTIONS && asks(header::ORIGIN) && asks(header::ACCESS_CONTROL_REQUEST_METHOD);
    is_preflight.then(|| headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned())
}

fn granted(asked: Option<HeaderValue>) -> Response<Body> {
    let mut response = empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    let methods = HeaderValue::from_static("GET, HEAD, PUT, POST, DELETE");
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(PREFLIGHT_SECONDS));
    // Any header is allowed: the signature decides what a request may do.
    if let Some(asked) = asked {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked);
    }
    response
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
