//! A load generator with low overhead: each client uses one connection and sends prebuilt requests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Builds an HTTP request to `/graphql`.
pub(crate) fn post(body: &str) -> Arc<[u8]> {
    post_as(body, None)
}

/// Builds an HTTP request to `/graphql` with an optional access token.
pub(crate) fn post_as(body: &str, token: Option<&str>) -> Arc<[u8]> {
    let authorization = token.map_or(String::new(), |token| format!("authorization: Bearer {token}\r\n"));
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: bench\r\n{authorization}content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body.as_bytes()].concat().into()
}

/// Cycles through `requests` on `clients` connections for `time`.
///
/// Returns the number of responses.
pub(crate) async fn run(addr: SocketAddr, requests: &[Arc<[u8]>], clients: usize, time: Duration) -> u64 {
    let end = Instant::now() + time;
    let tasks: Vec<_> = (0..clients)
        .map(|number| {
            let requests = requests.to_vec();
            tokio::spawn(async move {
                let mut client = Client::connect(addr, BUFFER).await;
                let (mut done, mut next) = (0, number * requests.len() / clients);
                while Instant::now() < end {
                    client.exchange(&requests[next % requests.len()]).await;
                    next += 7;
                    done += 1;
                }
                done
            })
        })
        .collect();
    let mut total = 0;
    for task in tasks {
        total += task.await.unwrap();
    }
    total
}

/// Sends a request and returns the response body.
pub(crate) async fn once(addr: SocketAddr, request: &[u8]) -> String {
    let mut client = Client::connect(addr, BUFFER).await;
    let range = client.exchange(request).await;
    String::from_utf8_lossy(client.read(range)).into_owned()
}

/// Returns `Some` if a GET request for `path` succeeds with status 200.
pub(crate) async fn get(addr: SocketAddr, path: &str) -> Option<()> {
    let mut stream = TcpStream::connect(addr).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    answer.starts_with("HTTP/1.1 200").then_some(())
}

/// The size of the buffer for a response of a page.
const BUFFER: usize = 256 * 1024;

/// A connection.
pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(addr: SocketAddr, buffer: usize) -> Client {
        let stream = TcpStream::connect(addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream, buffer: vec![0; buffer] }
    }

    /// Returns a part of the buffer.
    pub(crate) fn read(&self, range: std::ops::Range<usize>) -> &[u8] {
        &self.buffer[range]
    }

    /// Sends a request and reads the response; returns the range of the body in the buffer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> std::ops::Range<usize> {
        self.stream.write_all(request).await.unwrap();
        let mut filled = 0;
        loop {
            let read = self.stream.read(&mut self.buffer[filled..]).await.unwrap();
            assert!(read > 0, "the server hung up");
            filled += read;
            let Some(head) = find(&self.buffer[..filled], b"\r\n\r\n") else { continue };
            let body = head + 4;
            let length = content_length(&self.buffer[..head]);
            if filled >= body + length {
                // The checkout page of the sandbox leads back to itself.
                let is_answered = [b"HTTP/1.1 200", b"HTTP/1.1 303"].iter().any(|line| self.buffer.starts_with(*line));
                assert!(is_answered, "{}", String::from_utf8_lossy(&self.buffer[..filled]));
                return body..body + length;
            }
        }
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

fn content_length(head: &[u8]) -> usize {
    let head = std::str::from_utf8(head).unwrap();
    let line = head.lines().find(|line| line.starts_with("content-length:")).expect("a length");
    line["content-length:".len()..].trim().parse().unwrap()
}
