//! Connections to Redis (or Valkey): a single server or a cluster, with or without TLS.
//!
//! `REDIS_URL` is `redis://[user:password@]host[:port][/db]`, `rediss://…` for TLS, `unix:///path`, or several
//! nodes of one cluster separated by commas, of which only the first needs the scheme and the credentials:
//! `rediss://:secret@a.example:6379,b.example:6379`. A single URL that points to a cluster is detected.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    Client, Cmd, ConnectionAddr, ConnectionInfo, FromRedisValue, IntoConnectionInfo, ProtocolVersion, RedisError,
    RedisResult,
};
use tokio::sync::OnceCell;
use url::Url;

use super::internal_error::{Context, InternalError};

/// How long opening one connection may take: name lookup, TCP, TLS and login.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long the server may take to answer one command.
pub(super) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a command may take altogether, which includes waiting for a lost connection to come back.
const QUERY_TIMEOUT: Duration = Duration::from_secs(4);
/// How long [`RedisLink::connect`] may take altogether.
const START_TIMEOUT: Duration = Duration::from_secs(5);

/// How long sent data may remain unacknowledged by TCP before the connection counts as lost.
const SILENCE: Duration = Duration::from_secs(10);

const RETRIES: u8 = 3;
const RETRY_MIN: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(1);

/// A shared connection to Redis. It connects and reconnects automatically; a clone is the same connection.
#[derive(Clone)]
pub struct RedisLink {
    nodes: Arc<[ConnectionInfo]>,
    /// Empty until the first connection succeeds.
    connection: Arc<OnceCell<Connection>>,
}

#[derive(Clone)]
enum Connection {
    /// One server.
    Single(ConnectionManager),
    /// A cluster: each command goes to the node that owns its key.
    Cluster(ClusterConnection),
}

impl RedisLink {
    /// Connects to the server or cluster at `url`; the module documentation describes the format.
    ///
    /// If no server can be reached now, each command tries again.
    ///
    /// # Errors
    /// The URL is malformed, or the server rejects the credentials or the certificate.
    pub async fn connect(url: &str) -> Result<RedisLink, InternalError> {
        let link = RedisLink { nodes: nodes(url)?.into(), connection: Arc::default() };
        match tokio::time::timeout(START_TIMEOUT, link.connection()).await {
            Ok(Err(error)) if !is_outage(&error) => Err(error).context("connect to Redis"),
            Ok(Err(error)) => {
                tracing::warn!(%error, "Redis is unreachable; what needs it waits for it");
                Ok(link)
            }
            Err(_) => {
                tracing::warn!("Redis does not answer; what needs it waits for it");
                Ok(link)
            }
            Ok(Ok(_)) => Ok(link),
        }
    }

    /// Whether the servers form a cluster; `None` until the first connection succeeds.
    pub fn is_cluster(&self) -> Option<bool> {
        self.connection.get().map(|connection| matches!(connection, Connection::Cluster(_)))
    }

    /// Sends one command and converts the reply. Never retries: only the caller knows whether a command whose reply was
    /// lost may run twice.
    ///
    /// # Errors
    /// The server returns an error, the reply is not a `T`, or none arrives within 4 seconds.
    pub async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, InternalError> {
        let answer = async {
            match self.connection().await? {
                Connection::Single(connection) => connection.clone().req_packed_command(command).await,
                Connection::Cluster(connection) => connection.clone().req_packed_command(command).await,
            }
        };
        let answer = tokio::time::timeout(QUERY_TIMEOUT, answer).await.context("wait for Redis")??;
        Ok(redis::from_redis_value(answer.extract_error()?)?)
    }

    /// Pings the server, or every node of the cluster.
    ///
    /// # Errors
    /// A server does not answer.
    pub async fn ping(&self) -> Result<(), InternalError> {
        self.query::<redis::Value>(&redis::cmd("PING")).await.context("ping Redis").map(drop)
    }

    async fn connection(&self) -> RedisResult<&Connection> {
        self.connection.get_or_try_init(|| connect(&self.nodes)).await
    }
}

/// Whether the server may answer later, with the same settings.
fn is_outage(error: &RedisError) -> bool {
    // The client reports a certificate that is not trusted as an IO error.
    (error.is_io_error() || error.is_cluster_error()) && !error.to_string().contains("certificate")
}

async fn connect(nodes: &[ConnectionInfo]) -> RedisResult<Connection> {
    let [node] = nodes else { return cluster(nodes).await };
    let single = manager(node).await?;
    // If the ACL forbids INFO, connect as the URL says: to a single server.
    let info = redis::cmd("INFO").arg("cluster").query_async::<String>(&mut single.clone()).await.unwrap_or_default();
    if info.contains("cluster_enabled:1") { cluster(nodes).await } else { Ok(Connection::Single(single)) }
}

async fn manager(node: &ConnectionInfo) -> RedisResult<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(RESPONSE_TIMEOUT))
        .set_number_of_retries(RETRIES.into())
        .set_min_delay(RETRY_MIN)
        .set_max_delay(RETRY_MAX);
    ConnectionManager::new_with_config(Client::open(node.clone())?, config).await
}

async fn cluster(nodes: &[ConnectionInfo]) -> RedisResult<Connection> {
    let client = ClusterClientBuilder::new(nodes.to_vec())
        .use_protocol(ProtocolVersion::RESP3)
        .tcp_settings(tcp_settings())
        .connection_timeout(CONNECT_TIMEOUT)
        .response_timeout(RESPONSE_TIMEOUT)
        .retries(RETRIES.into())
        .min_retry_wait(millis(RETRY_MIN))
        .max_retry_wait(millis(RETRY_MAX))
        .build()?;
    Ok(Connection::Cluster(client.get_async_connection().await?))
}

/// Converts a duration to whole milliseconds, at least one. Redis rejects an expiry of zero.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}

/// Parses the nodes in a URL, at least one.
///
/// # Errors
/// A node is malformed. The message doesn't repeat the URL, which contains a password.
pub(super) fn nodes(url: &str) -> Result<Vec<ConnectionInfo>, InternalError> {
    let mut parts = url.split(',').map(str::trim).filter(|part| !part.is_empty());
    let first = parts.next().ok_or_else(|| InternalError::new("the Redis URL is empty"))?;
    let first = Url::parse(first).context("read the Redis URL")?;
    let mut nodes = vec![node(first.clone())?];
    for part in parts {
        let url = if part.contains("://") { part.to_owned() } else { format!("{}://{part}", first.scheme()) };
        let mut url = Url::parse(&url).context("read the Redis URL")?;
        if url.username().is_empty() && url.password().is_none() {
            let copied = url.set_username(first.username()).and_then(|()| url.set_password(first.password()));
            copied.map_err(|()| InternalError::new("the Redis URL names a node without a host"))?;
        }
        nodes.push(node(url)?);
    }
    Ok(nodes)
}

fn node(url: Url) -> Result<ConnectionInfo, InternalError> {
    let info = url.into_connection_info().context("read the Redis URL")?;
    if let ConnectionAddr::TcpTls { .. } = info.addr() {
        // rustls needs a process-wide crypto provider and panics if the dependencies enable two and none is installed.
        // An error means that one is installed already.
        _ = rustls::crypto::ring::default_provider().install_default();
    }
    // RESP3 reports a lost connection at once, and lets PING share a connection with pub/sub.
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Ok(info.set_redis_settings(settings).set_tcp_settings(tcp_settings()))
}

fn tcp_settings() -> TcpSettings {
    let settings = TcpSettings::default().set_nodelay(true);
    // Detects a peer that vanished without closing the connection: by default Linux retransmits for about 15 minutes.
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(SILENCE);
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Vec<String> {
        nodes(url).unwrap().iter().map(|node| node.addr().to_string()).collect()
    }

    #[test]
    fn one_address_or_several() {
        assert_eq!(read("redis://localhost"), ["localhost:6379"]);
        assert_eq!(read("redis://a:1,b:2, redis://c:3"), ["a:1", "b:2", "c:3"]);
        assert_eq!(read("unix:///run/redis.sock"), ["/run/redis.sock"]);
    }

    #[test]
    fn later_nodes_inherit_scheme_and_credentials() {
        let nodes = nodes("rediss://app:secret@a:1,b:2,rediss://other:word@c:3").unwrap();
        let users: Vec<_> = nodes.iter().map(|node| node.redis_settings().username().unwrap()).collect();
        assert_eq!(users, ["app", "app", "other"]);
        assert_eq!(nodes[1].redis_settings().password(), Some("secret"));
        assert!(nodes.iter().all(|node| matches!(node.addr(), ConnectionAddr::TcpTls { insecure: false, .. })));
    }

    #[test]
    fn a_bad_url_is_refused_without_repeating_its_password() {
        for url in ["", ",", "localhost", "http://:hunter2@localhost", "redis://:hunter2@a:notaport"] {
            let report = nodes(url).err().map(|error| error.report()).unwrap_or_else(|| panic!("{url} was accepted"));
            assert!(!report.contains("hunter2"), "{report}");
        }
    }
}
