//! Opens connections to PostgreSQL, also the one that receives notifications.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use diesel::connection::InstrumentationEvent;
use diesel::{ConnectionError, ConnectionResult};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use tokio::sync::mpsc;
use tokio_postgres::AsyncMessage;
use tokio_postgres::config::Host;
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::task::TaskTracker;

use super::{CHANGES_CHANNEL, EVENTS_CHANNEL, Invalidation, Settings};
use crate::platform::internal_error::{Context, InternalError};
use crate::platform::tls;

/// Opens connections and applies the session settings that the program relies on.
pub(super) struct Connector {
    config: tokio_postgres::Config,
    tls: MakeRustlsConnect,
    session: String,
    /// One task per connection. It ends when its client is dropped; nothing awaits it.
    drivers: TaskTracker,
}

impl Connector {
    pub(super) fn new(settings: &Settings) -> Result<Connector, InternalError> {
        let mut config: tokio_postgres::Config =
            settings.url.parse().context("DATABASE_URL is not a PostgreSQL URL")?;
        config.connect_timeout(Duration::from_secs(5));
        config.application_name(settings.schema.as_deref().unwrap_or("lyceum"));
        // A connection that was lost silently times out after 5 seconds too, instead of after the 15 minutes for which
        // Linux retransmits by default.
        config.tcp_user_timeout(Duration::from_secs(5)).keepalives_idle(Duration::from_secs(5));
        // A machine without CA certificates can still connect to the embedded database, or to one without TLS.
        let tls = MakeRustlsConnect::new(tls::client()?);
        // force_generic_plan: PostgreSQL otherwise replans a prepared `LIMIT $1` or `= ANY($1)` on each execution,
        // which costs more than the execution itself (the setting raised the catalog's throughput by 42%).
        // jit: compiling a plan takes 100 ms, longer than any statement of a request should.
        let mut session = format!(
            "SET plan_cache_mode = force_generic_plan; SET jit = off; SET statement_timeout = {}; \
             SET idle_in_transaction_session_timeout = '30s'; SET TIME ZONE 'UTC';",
            settings.timeout.as_millis()
        );
        if let Some(schema) = &settings.schema {
            session.push_str(&format!("SET search_path = \"{schema}\";"));
        }
        Ok(Connector { config, tls, session, drivers: TaskTracker::new() })
    }

    /// Spawns a task for a connection. Nothing awaits it.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.drivers.spawn(task);
    }

    /// Cancels the statement that is running on a connection, if any.
    pub(super) fn cancel(&self, conn: &AsyncPgConnection) -> impl Future<Output = Result<(), InternalError>> + use<> {
        let (token, tls) = (conn.cancel_token(), self.tls.clone());
        async move { token.cancel_query(tls).await.context("cannot cancel a statement") }
    }

    pub(super) async fn establish(&self, statements: Arc<AtomicU64>) -> ConnectionResult<AsyncPgConnection> {
        let bad = |error: tokio_postgres::Error| {
            // Without a password: PostgreSQL and the driver tell only names.
            let reasons = InternalError::from(error).report();
            ConnectionError::BadConnection(format!("the database at {}: {reasons}", self.place()))
        };
        let (client, connection) = self.config.connect(self.tls.clone()).await.map_err(bad)?;
        self.drivers.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a database connection ended");
            }
        });
        client.batch_execute(&self.session).await.map_err(bad)?;
        let mut conn = AsyncPgConnection::try_from(client).await?;
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if matches!(event, InstrumentationEvent::StartQuery { .. }) {
                statements.fetch_add(1, Ordering::Relaxed);
            }
        });
        Ok(conn)
    }

    /// Returns host and port, or the folder of the socket, for messages.
    fn place(&self) -> String {
        let ports = self.config.get_ports();
        let hosts = self.config.get_hosts().iter().enumerate().map(|(number, host)| match host {
            // One port is that of all hosts.
            Host::Tcp(host) => format!("{host}:{}", ports.get(number).or(ports.first()).unwrap_or(&5432)),
            Host::Unix(folder) => folder.display().to_string(),
        });
        hosts.collect::<Vec<_>>().join(", ")
    }

    pub(super) async fn listen(&self, invalidation: Invalidation) -> Result<Listener, InternalError> {
        let (client, mut connection) = self.config.connect(self.tls.clone()).await.context("cannot listen")?;
        // A capacity of 1 coalesces any number of pending wake-ups into one.
        let (wake, woken) = mpsc::channel(1);
        self.drivers.spawn(async move {
            loop {
                match std::future::poll_fn(|context| connection.poll_message(context)).await {
                    Some(Ok(AsyncMessage::Notification(note))) if note.channel() == CHANGES_CHANNEL => {
                        invalidation.heard(note.payload());
                    }
                    Some(Ok(AsyncMessage::Notification(_))) => drop(wake.try_send(())),
                    Some(Ok(_)) => {}
                    // The connection was lost, or the listener was dropped.
                    Some(Err(_)) | None => break,
                }
            }
        });
        client
            .batch_execute(&format!("LISTEN {EVENTS_CHANNEL}; LISTEN {CHANGES_CHANNEL}"))
            .await
            .context("cannot listen")?;
        Ok(Listener { woken, _client: client })
    }
}

/// Receives notifications on [`EVENTS_CHANNEL`] until the connection is lost.
pub struct Listener {
    woken: mpsc::Receiver<()>,
    /// Keeps the connection open: it closes when its client is dropped.
    _client: tokio_postgres::Client,
}

impl Listener {
    /// Waits for the next commit with events; returns `None` if the connection is lost.
    pub async fn heard(&mut self) -> Option<()> {
        self.woken.recv().await
    }
}
