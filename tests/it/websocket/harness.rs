//! A small server of its own for each test, and a client for it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use async_graphql::{Context, Object, Schema, Subscription};
use axum::extract::ws::WebSocketUpgrade;
use axum::serve::ListenerExt;
use axum::{Router, routing::any};
use futures_util::{SinkExt, Stream, StreamExt, stream};
use lyceum::graphql::fan_out::Payload;
use lyceum::http::websocket::{Authorised, PROTOCOL, Rejection, Settings, accept, serve};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Far longer than anything here takes: a test that waits this long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What the endless subscription is doing.
#[derive(Default)]
pub(crate) struct Watch {
    /// Events made so far.
    pub(crate) produced: AtomicUsize,
    /// Streams dropped so far.
    pub(crate) dropped: AtomicUsize,
    /// Streams started so far.
    pub(crate) started: AtomicUsize,
}

struct Alive(Arc<Watch>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, SeqCst);
    }
}

pub(crate) struct Query;

#[Object]
impl Query {
    async fn hello(&self, #[graphql(default = "world")] name: String) -> String {
        format!("Hello, {name}")
    }

    async fn fails(&self) -> async_graphql::Result<i32> {
        Err("no luck".into())
    }

    async fn slow(&self, millis: u64) -> bool {
        sleep(Duration::from_millis(millis)).await;
        true
    }

    async fn user(&self, context: &Context<'_>) -> String {
        context.data_unchecked::<Session>().user.clone()
    }
}

pub(crate) struct Mutation;

#[Object]
impl Mutation {
    async fn double(&self, number: i32) -> i32 {
        number * 2
    }
}

pub(crate) struct Subscription_;

#[Subscription(name = "Subscription")]
impl Subscription_ {
    async fn count(&self, to: i32) -> impl Stream<Item = i32> {
        stream::iter(1..=to)
    }

    /// Fails first and goes on.
    async fn stumbles(&self) -> impl Stream<Item = async_graphql::Result<i32>> {
        stream::iter([Err("not yet".into()), Ok(1)])
    }

    async fn forbidden(&self) -> async_graphql::Result<stream::Empty<i32>> {
        Err("not yours".into())
    }

    /// An event of `size` bytes every `millis`, or without a pause.
    async fn endless(
        &self,
        context: &Context<'_>,
        #[graphql(default = 0)] millis: u64,
        #[graphql(default = 1)] size: usize,
    ) -> impl Stream<Item = String> + use<> {
        let watch = Arc::clone(context.data_unchecked::<Arc<Watch>>());
        watch.started.fetch_add(1, SeqCst);
        stream::unfold(Alive(watch), move |alive| async move {
            if millis > 0 {
                sleep(Duration::from_millis(millis)).await;
            }
            alive.0.produced.fetch_add(1, SeqCst);
            Some(("x".repeat(size), alive))
        })
    }
}

#[derive(Clone)]
struct Session {
    user: String,
}

/// A running server; dropping it stops everything that it started.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: CancellationToken,
    pub(crate) revoked: CancellationToken,
    pub(crate) watch: Arc<Watch>,
    /// The sockets' tasks.
    pub(crate) sockets: TaskTracker,
    _listener: tokio_util::sync::DropGuard,
}

/// Accepts everybody but `{"token": "bad"}`; `delay`, `expires`, `idle` (all ms) and `unavailable` do what they say.
async fn authorise(payload: Value, revoked: CancellationToken) -> Result<Authorised<Session>, Rejection> {
    if let Some(millis) = payload["delay"].as_u64() {
        sleep(Duration::from_millis(millis)).await;
    }
    if payload["token"] == "bad" {
        return Err(Rejection::Forbidden("the token is invalid".into()));
    }
    if payload["unavailable"] == true {
        return Err(Rejection::Unavailable);
    }
    let user = payload["user"].as_str().unwrap_or("nobody").to_owned();
    let expires_at = payload["expires"].as_u64().map(|millis| Instant::now() + Duration::from_millis(millis));
    let idle_timeout = payload["idle"].as_u64().map(Duration::from_millis);
    Ok(Authorised { session: Session { user }, expires_at, revoked, idle_timeout })
}

pub(crate) async fn start(settings: Settings) -> Server {
    let watch = Arc::new(Watch::default());
    let schema = Schema::build(Query, Mutation, Subscription_).data(Arc::clone(&watch)).finish();
    let (shutdown, revoked, sockets) = (CancellationToken::new(), CancellationToken::new(), TaskTracker::new());
    let route = {
        let (shutdown, revoked, sockets) = (shutdown.clone(), revoked.clone(), sockets.clone());
        move |request: WebSocketUpgrade| async move {
            accept(request, &settings, &sockets, move |socket| {
                let authorise = move |payload| authorise(payload, revoked);
                serve(socket, settings, shutdown, authorise, move |session: &Session, request| {
                    schema.execute_stream(request.data(session.clone())).map(Payload::from).boxed()
                })
            })
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    let stop = CancellationToken::new();
    let stopped = stop.clone().cancelled_owned();
    sockets.spawn(async move {
        let app = Router::new().route("/graphql", any(route));
        axum::serve(listener, app).with_graceful_shutdown(stopped).await.unwrap();
    });
    Server { address, shutdown, revoked, watch, sockets, _listener: stop.drop_guard() }
}

impl Server {
    /// Waits until `condition` holds.
    pub(crate) async fn until(&self, what: &str, condition: impl Fn(&Watch) -> bool) {
        let waiting = async {
            while !condition(&self.watch) {
                sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never {what}"));
    }

    /// Waits until no socket is left; the listening task is the one that remains.
    pub(crate) async fn until_no_sockets(&self) {
        let waiting = async {
            while self.sockets.len() > 1 {
                sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(PATIENCE, waiting).await.expect("sockets remain");
    }
}

pub(crate) struct Client(pub(crate) WebSocketStream<TcpStream>);

impl Client {
    /// Upgraded, nothing sent yet.
    pub(crate) async fn open(server: &Server) -> Client {
        let stream = TcpStream::connect(server.address).await.unwrap();
        Client::handshake(server, stream).await
    }

    /// As [`Client::open`], with little room for what it doesn't read.
    pub(crate) async fn open_narrow(server: &Server) -> Client {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(16 * 1024).unwrap();
        Client::handshake(server, socket.connect(server.address).await.unwrap()).await
    }

    async fn handshake(server: &Server, stream: TcpStream) -> Client {
        let mut request = format!("ws://{}/graphql", server.address).into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", PROTOCOL.parse().unwrap());
        let (socket, response) = tokio_tungstenite::client_async(request, stream).await.unwrap();
        assert_eq!(response.headers()["sec-websocket-protocol"], PROTOCOL);
        Client(socket)
    }

    /// Acknowledged.
    pub(crate) async fn connect(server: &Server) -> Client {
        Client::connect_with(server, json!({})).await
    }

    pub(crate) async fn connect_with(server: &Server, payload: Value) -> Client {
        let mut client = Client::open(server).await;
        client.init(payload).await;
        client
    }

    pub(crate) async fn init(&mut self, payload: Value) {
        self.send(json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(self.receive().await, json!({ "type": "connection_ack" }));
    }

    pub(crate) async fn send(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    pub(crate) async fn subscribe(&mut self, id: &str, query: &str) {
        self.send(json!({ "type": "subscribe", "id": id, "payload": { "query": query } })).await;
    }

    pub(crate) async fn complete(&mut self, id: &str) {
        self.send(json!({ "type": "complete", "id": id })).await;
    }

    /// The next message that isn't a WebSocket ping or pong.
    pub(crate) async fn frame(&mut self) -> Message {
        loop {
            let message = timeout(PATIENCE, self.0.next()).await.expect("the server says nothing");
            match message.expect("the connection ended without a close frame").expect("a broken connection") {
                Message::Ping(_) | Message::Pong(_) => {}
                message => return message,
            }
        }
    }

    pub(crate) async fn receive(&mut self) -> Value {
        match self.frame().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("not a text message: {other:?}"),
        }
    }

    /// The next message must be this result of this operation.
    pub(crate) async fn expect_next(&mut self, id: &str, data: Value) {
        assert_eq!(self.receive().await, json!({ "type": "next", "id": id, "payload": { "data": data } }));
    }

    pub(crate) async fn expect_complete(&mut self, id: &str) {
        assert_eq!(self.receive().await, json!({ "type": "complete", "id": id }));
    }

    /// Skips messages until one that fits.
    pub(crate) async fn skip_to(&mut self, what: &str, fits: impl Fn(&Value) -> bool) {
        let skipping = async { while !fits(&self.receive().await) {} };
        timeout(PATIENCE, skipping).await.unwrap_or_else(|_| panic!("never {what}"));
    }

    /// Skips what is under way and returns the close frame's code and reason.
    pub(crate) async fn closed(mut self) -> (u16, String) {
        let skipping = async {
            loop {
                if let Message::Close(frame) = self.frame().await {
                    let frame = frame.expect("a close frame without a code");
                    return (frame.code.into(), frame.reason.to_string());
                }
            }
        };
        timeout(PATIENCE, skipping).await.expect("never closed")
    }
}
