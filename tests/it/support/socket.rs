//! A small client of `graphql-transport-ws`, and one that follows `newVideo`.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use lyceum::graphql::page::encode_cursor;
use lyceum::http::websocket::PROTOCOL;
use lyceum::platform::outbox::Position;
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message, client::IntoClientRequest};

/// Far longer than anything here takes: a test that waits this long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// How a socket ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closed {
    /// The code of the close frame; 0 when the connection broke without one.
    pub(crate) code: u16,
    pub(crate) reason: String,
}

pub(crate) struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// Upgraded, nothing sent yet. `url` is the server's `http://host:port`.
    pub(crate) async fn open(url: &str) -> Socket {
        Socket::open_with(url, &[]).await
    }

    /// As [`Socket::open`], with further headers in the upgrade.
    pub(crate) async fn open_with(url: &str, headers: &[(&'static str, &str)]) -> Socket {
        Socket::over(url, TcpSocket::new_v4().unwrap(), headers).await
    }

    /// As [`Socket::open`], with little room for what isn't read.
    pub(crate) async fn open_narrow(url: &str) -> Socket {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(8 * 1024).unwrap();
        Socket::over(url, socket, &[]).await
    }

    async fn over(url: &str, socket: TcpSocket, headers: &[(&'static str, &str)]) -> Socket {
        Socket::try_over(url, socket, headers).await.unwrap()
    }

    async fn try_over(url: &str, socket: TcpSocket, headers: &[(&'static str, &str)]) -> Result<Socket, Error> {
        let host = url.strip_prefix("http://").unwrap();
        let stream = socket.connect(host.parse().unwrap()).await?;
        let mut request = format!("ws://{host}/graphql").into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", PROTOCOL.parse().unwrap());
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (stream, _) = tokio_tungstenite::client_async(request, stream).await?;
        Ok(Socket(stream))
    }

    /// Subscribes at a server that may be down; `None` if it is, or goes down meanwhile.
    pub(crate) async fn attempt(url: &str, token: &str, query: &str, variables: Value) -> Option<Socket> {
        let mut socket = Socket::try_over(url, TcpSocket::new_v4().unwrap(), &[]).await.ok()?;
        let payload = json!({ "authorization": format!("Bearer {token}") });
        let init = json!({ "type": "connection_init", "payload": payload });
        socket.0.send(Message::text(init.to_string())).await.ok()?;
        socket.wait().await.ok().filter(|answer| answer["type"] == "connection_ack")?;
        let payload = json!({ "query": query, "variables": variables });
        let subscribe = json!({ "type": "subscribe", "id": "x", "payload": payload });
        socket.0.send(Message::text(subscribe.to_string())).await.ok()?;
        Some(socket)
    }

    /// Acknowledged, for `token`'s user or for nobody in particular.
    pub(crate) async fn connect(url: &str, token: Option<&str>) -> Socket {
        Socket::open(url).await.init(token).await
    }

    pub(crate) async fn init(mut self, token: Option<&str>) -> Socket {
        self.greet(token).await;
        assert_eq!(self.receive().await.unwrap(), json!({ "type": "connection_ack" }));
        self
    }

    /// Sends `connection_init` and doesn't wait for the answer.
    pub(crate) async fn greet(&mut self, token: Option<&str>) {
        let payload = token.map_or(json!({}), |token| json!({ "authorization": format!("Bearer {token}") }));
        self.send(json!({ "type": "connection_init", "payload": payload })).await;
    }

    pub(crate) async fn send(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    pub(crate) async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({ "query": query, "variables": variables });
        self.send(json!({ "type": "subscribe", "id": id, "payload": payload })).await;
    }

    /// The next message of the protocol, or how the socket ended.
    pub(crate) async fn receive(&mut self) -> Result<Value, Closed> {
        timeout(PATIENCE, self.wait()).await.expect("the server says nothing")
    }

    /// As [`Socket::receive`], without a limit; nothing is lost when it is dropped early.
    pub(crate) async fn wait(&mut self) -> Result<Value, Closed> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Err(Closed { code: frame.code.into(), reason: frame.reason.to_string() });
                }
                None | Some(Err(Error::ConnectionClosed | Error::Protocol(_) | Error::Io(_))) => {
                    return Err(Closed { code: 0, reason: String::new() });
                }
                other => panic!("not a message of the protocol: {other:?}"),
            }
        }
    }

    /// Skips messages until the socket ends.
    pub(crate) async fn closed(mut self) -> Closed {
        loop {
            if let Err(closed) = self.receive().await {
                return closed;
            }
        }
    }
}

const NEW_VIDEO: &str = "subscription ($courseId: ID, $after: String) {
    newVideo(courseId: $courseId, after: $after) { cursor isStart lesson { title } } }";

/// The cursor before all news.
pub(crate) fn beginning() -> String {
    encode_cursor("newVideos", &Position::BEGINNING)
}

/// One piece of news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Video {
    pub(crate) cursor: String,
    pub(crate) title: String,
}

impl Video {
    pub(crate) fn read(video: &Value) -> Video {
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{video:#}")).to_owned();
        Video { cursor: text(&video["cursor"]), title: text(&video["lesson"]["title"]) }
    }
}

/// A client that is subscribed to `newVideo`.
pub(crate) struct Follower(pub(crate) Socket);

impl Follower {
    /// Follows everything after the cursor, or from now on.
    pub(crate) async fn new(url: &str, course: Option<&str>, after: Option<&str>) -> Follower {
        Follower::on(Socket::connect(url, None).await, course, after).await
    }

    /// As [`Follower::new`], on a socket that is acknowledged.
    pub(crate) async fn on(mut socket: Socket, course: Option<&str>, after: Option<&str>) -> Follower {
        socket.subscribe("news", NEW_VIDEO, json!({ "courseId": course, "after": after })).await;
        let mut follower = Follower(socket);
        let start = timeout(PATIENCE, follower.message()).await.expect("it does not start");
        assert_eq!((&start["isStart"], &start["lesson"]), (&json!(true), &Value::Null), "{start:#}");
        follower
    }

    /// Follows everything there ever was and has heard `known`, all of it; so it certainly listens.
    pub(crate) async fn after_hearing(url: &str, course: Option<&str>, known: &[&str]) -> Follower {
        let mut follower = Follower::new(url, course, Some(&beginning())).await;
        follower.expect(known).await;
        follower
    }

    /// The next news.
    pub(crate) async fn next(&mut self) -> Video {
        timeout(PATIENCE, self.wait()).await.expect("no news")
    }

    /// As [`Follower::next`], without a limit; nothing is lost when it is dropped early.
    pub(crate) async fn wait(&mut self) -> Video {
        let video = self.message().await;
        assert_eq!(video["isStart"], false, "{video:#}");
        Video::read(&video)
    }

    async fn message(&mut self) -> Value {
        let mut message = self.0.wait().await.unwrap_or_else(|closed| panic!("{closed:?}"));
        assert_eq!((&message["type"], &message["id"]), (&json!("next"), &json!("news")), "{message:#}");
        assert!(message["payload"].get("errors").is_none(), "{message:#}");
        message["payload"]["data"]["newVideo"].take()
    }

    /// The next news are these and nothing else in between.
    pub(crate) async fn expect(&mut self, titles: &[&str]) {
        for title in titles {
            assert_eq!(self.next().await.title, *title, "expected {titles:?}");
        }
    }
}
