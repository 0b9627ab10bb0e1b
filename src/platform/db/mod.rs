//! PostgreSQL: a pool of connections, and [`Tx`], the proof that a transaction is open.

mod changes;
pub mod migrations;
mod run;
#[rustfmt::skip]
#[allow(missing_docs)]
pub mod schema;

use std::ops::AsyncFnOnce;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::connection::InstrumentationEvent;
use diesel::query_builder::QueryId;
use diesel::sql_types::SqlType;
use diesel::{ConnectionError, ConnectionResult};
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{
    AnsiTransactionManager, AsyncConnection, AsyncPgConnection, SimpleAsyncConnection, TransactionManager,
};
use futures_util::FutureExt;
use tokio::sync::mpsc;
use tokio_postgres::AsyncMessage;
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::task::TaskTracker;

pub use changes::{Changes, Watch};
pub use run::RunQueryDsl;

use super::fault::{Context, Fault};
use super::tls;

/// The PostgreSQL channel on which a commit tells the dispatchers that there are new events.
pub const EVENTS_CHANNEL: &str = "lyceum_events";
/// The one on which it tells every node which kinds of rows have changed, separated by spaces.
const CHANGES_CHANNEL: &str = "lyceum_changes";

/// PostgreSQL's type of words with their places. Nothing reads or writes one: triggers do.
#[derive(Clone, Copy, Debug, QueryId, SqlType)]
#[diesel(postgres_type(name = "tsvector"))]
pub struct TsVector;

/// How to reach the database and how much of it to use.
#[derive(Clone, Debug)]
pub struct Settings {
    /// A PostgreSQL URL (libpq's form).
    pub url: String,
    /// The most connections that this process opens.
    pub connections: usize,
    /// The schema that holds the tables; `None` is the server's own default. Tests live in one schema each.
    pub schema: Option<String>,
}

/// A handle on the database; cheap to clone.
#[derive(Clone)]
pub struct Db {
    pool: Pool<AsyncPgConnection>,
    /// One connection that no request uses, and whose statements do not count.
    watch: Pool<AsyncPgConnection>,
    connector: Arc<Connector>,
    statements: Arc<AtomicU64>,
    changes: Changes,
}

/// A pooled connection for reads. Drop it before awaiting anything else.
pub type Conn = Object<AsyncPgConnection>;

impl Db {
    /// Prepares a pool; no connection is made yet.
    ///
    /// # Errors
    /// The URL cannot be parsed.
    pub fn new(settings: &Settings) -> Result<Db, Fault> {
        let connector = Arc::new(Connector::new(settings)?);
        let statements = Arc::new(AtomicU64::new(0));
        let requests = pool(&settings.url, &connector, statements.clone(), settings.connections)?;
        let watch = pool(&settings.url, &connector, Arc::default(), 1)?;
        Ok(Db { pool: requests, watch, connector, statements, changes: Changes::default() })
    }

    /// A connection for reads.
    ///
    /// # Errors
    /// The database cannot be reached, or every connection stayed busy for five seconds.
    pub async fn read(&self) -> Result<Conn, Fault> {
        self.pool.get().await.context("no database connection")
    }

    /// The connection that is kept for watching over sessions, however busy the others are. For one task.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn watch(&self) -> Result<Conn, Fault> {
        self.watch.get().await.context("no database connection to watch with")
    }

    /// Runs `work` in a transaction: committed when it returns `Ok`, rolled back otherwise. What it changed counts as
    /// changed on this node when this returns; the other nodes and the dispatchers are told after the commit (a `NOTIFY`
    /// inside would serialise all commits of the database).
    ///
    /// # Errors
    /// What `work` returns, or the database's failure to begin or commit.
    pub async fn transaction<R, E, F>(&self, work: F) -> Result<R, E>
    where
        for<'t> F: AsyncFnOnce(&'t mut Tx) -> Result<R, E> + SendFn<&'t mut Tx, Result<R, E>, Fut: Send> + Send,
        E: From<Fault> + Send,
        R: Send,
    {
        let mut conn = self.read().await.map_err(E::from)?;
        begin(&mut conn).await.map_err(E::from)?;
        let mut tx = Tx { conn, changed: Vec::new(), recorded: false };
        match work(&mut tx).await {
            Ok(value) => {
                let changed = self.changes.when_dropped(&tx.changed);
                commit(&mut tx.conn).await.map_err(E::from)?;
                drop(changed);
                tx.notify().await;
                Ok(value)
            }
            Err(error) => {
                rollback(&mut tx.conn).await;
                Err(error)
            }
        }
    }

    /// A connection of its own, outside the pool, that hears of the commits of all nodes: [`Db::changes`] learns what
    /// they changed, and the listener wakes its owner when there are new events.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn listen(&self) -> Result<Listener, Fault> {
        let listener = self.connector.listen(self.changes.clone()).await?;
        // Nobody listened until now.
        self.changes.everything_changed();
        Ok(listener)
    }

    /// What is known to have changed.
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// How many statements this handle has sent so far.
    pub fn statements(&self) -> u64 {
        AtomicU64::load(&self.statements, Ordering::Relaxed)
    }

    /// Connections in use and connections open.
    pub fn pool_status(&self) -> (usize, usize) {
        let status = self.pool.status();
        (status.size.saturating_sub(status.available), status.size)
    }
}

fn pool(
    url: &str,
    connector: &Arc<Connector>,
    statements: Arc<AtomicU64>,
    connections: usize,
) -> Result<Pool<AsyncPgConnection>, Fault> {
    let mut config = ManagerConfig::default();
    // A closed connection is noticed without a question; a dead one fails its statement and is then discarded.
    config.recycling_method = RecyclingMethod::Fast;
    let connector = connector.clone();
    config.custom_setup = Box::new(move |_| {
        let (connector, statements) = (connector.clone(), statements.clone());
        async move { connector.establish(statements).await }.boxed()
    });
    let manager = AsyncDieselConnectionManager::<AsyncPgConnection>::new_with_config(url, config);
    Pool::builder(manager)
        .max_size(connections)
        .wait_timeout(Some(Duration::from_secs(5)))
        .create_timeout(Some(Duration::from_secs(5)))
        .runtime(deadpool::Runtime::Tokio1)
        .build()
        .context("cannot make the connection pool")
}

/// An open transaction. Only [`Db::transaction`] makes one, so a function that asks for `&mut Tx` cannot be called
/// outside.
pub struct Tx {
    conn: Conn,
    /// The kinds of what was changed, each once.
    changed: Vec<&'static str>,
    /// Whether there are new events.
    recorded: bool,
}

impl Tx {
    /// The connection to run statements on.
    pub fn conn(&mut self) -> &mut AsyncPgConnection {
        &mut self.conn
    }

    /// Notes that rows of this kind are being changed: what loaders keep of it is dropped after the commit, on every
    /// node. A kind is a word in snake case, like the kinds of events, which are noted when they are recorded.
    pub fn changed(&mut self, kind: &'static str) {
        if !self.changed.contains(&kind) {
            self.changed.push(kind);
        }
    }

    /// Notes that an event of this kind was recorded, of which the dispatchers have to be told after the commit.
    pub(super) fn recorded(&mut self, kind: &'static str) {
        self.recorded = true;
        self.changed(kind);
    }

    /// Tells the other nodes after the commit.
    async fn notify(&mut self) {
        if self.changed.is_empty() {
            return;
        }
        let mut told = format!("NOTIFY {CHANGES_CHANNEL}, '{}'", self.changed.join(" "));
        if self.recorded {
            told.push_str(&format!("; NOTIFY {EVENTS_CHANNEL}"));
        }
        if let Err(error) = self.conn.batch_execute(&told).await {
            tracing::warn!(%error, "NOTIFY failed; the other nodes notice by themselves within a second");
        }
    }
}

/// Whether `error` says that `constraint` would hold two equal values.
pub fn is_taken(error: &diesel::result::Error, constraint: &str) -> bool {
    use diesel::result::{DatabaseErrorKind, Error};
    matches!(error, Error::DatabaseError(DatabaseErrorKind::UniqueViolation, info)
        if info.constraint_name() == Some(constraint))
}

/// What an async closure needs to keep the future of [`Db::transaction`] `Send`: stable Rust cannot yet name the
/// future that an `AsyncFnOnce` returns.
pub trait SendFn<T, R>: AsyncFnOnce(T) -> R + FnOnce(T) -> <Self as SendFn<T, R>>::Fut {
    /// The closure's future.
    type Fut: Future<Output = R>;
}

impl<F, T, Fut, R> SendFn<T, R> for F
where
    F: AsyncFnOnce(T) -> R + FnOnce(T) -> Fut,
    Fut: Future<Output = R>,
{
    type Fut = Fut;
}

async fn begin(conn: &mut AsyncPgConnection) -> Result<(), Fault> {
    AnsiTransactionManager::begin_transaction(conn).await.context("cannot begin a transaction")
}

async fn commit(conn: &mut AsyncPgConnection) -> Result<(), Fault> {
    AnsiTransactionManager::commit_transaction(conn).await.context("cannot commit")
}

async fn rollback(conn: &mut AsyncPgConnection) {
    if let Err(error) = AnsiTransactionManager::rollback_transaction(conn).await {
        // The pool discards a connection whose transaction is still open, and PostgreSQL rolls it back then.
        tracing::warn!(%error, "a rollback failed; the connection is dropped");
    }
}

/// The nearest point in time that PostgreSQL can compare with: in years of one to four digits.
pub fn storable(at: DateTime<Utc>) -> DateTime<Utc> {
    // The first second of year 1, the last of year 9999.
    let (first, last) = (DateTime::from_timestamp(-62_135_596_800, 0), DateTime::from_timestamp(253_402_300_799, 0));
    at.clamp(first.unwrap_or(at), last.unwrap_or(at))
}

/// Opens connections and gives each the session settings that the rest of the program counts on.
struct Connector {
    config: tokio_postgres::Config,
    tls: MakeRustlsConnect,
    session: String,
    /// One task for each connection. It ends when its client is dropped; nobody waits for that.
    drivers: TaskTracker,
}

impl Connector {
    fn new(settings: &Settings) -> Result<Connector, Fault> {
        let mut config: tokio_postgres::Config =
            settings.url.parse().context("DATABASE_URL is not a PostgreSQL URL")?;
        config.connect_timeout(Duration::from_secs(5)).application_name("lyceum");
        // A link that was cut without a word is given up after as long, not after the quarter of an hour that Linux
        // goes on sending.
        config.tcp_user_timeout(Duration::from_secs(5)).keepalives_idle(Duration::from_secs(5));
        // A machine without certificates can still use the embedded database, or one without TLS.
        let tls = MakeRustlsConnect::new(tls::client()?);
        // force_generic_plan: PostgreSQL otherwise plans a prepared `LIMIT $1` or `= ANY($1)` anew each time, which
        // costs more than running it (the catalog answers 42 % more without).
        let mut session = "SET plan_cache_mode = force_generic_plan; SET statement_timeout = '15s'; \
             SET idle_in_transaction_session_timeout = '30s'; SET TIME ZONE 'UTC';"
            .to_owned();
        if let Some(schema) = &settings.schema {
            session.push_str(&format!("SET search_path = \"{schema}\";"));
        }
        Ok(Connector { config, tls, session, drivers: TaskTracker::new() })
    }

    async fn establish(&self, statements: Arc<AtomicU64>) -> ConnectionResult<AsyncPgConnection> {
        let bad = |error: tokio_postgres::Error| ConnectionError::BadConnection(error.to_string());
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

    async fn listen(&self, changes: Changes) -> Result<Listener, Fault> {
        let (client, mut connection) = self.config.connect(self.tls.clone()).await.context("cannot listen")?;
        // One waiting wake-up stands for any number of them.
        let (wake, woken) = mpsc::channel(1);
        self.drivers.spawn(async move {
            loop {
                match std::future::poll_fn(|context| connection.poll_message(context)).await {
                    Some(Ok(AsyncMessage::Notification(note))) if note.channel() == CHANGES_CHANNEL => {
                        note.payload().split(' ').for_each(|kind| changes.changed(kind));
                    }
                    Some(Ok(AsyncMessage::Notification(_))) => drop(wake.try_send(())),
                    Some(Ok(_)) => {}
                    // The database went away, or the listener was dropped.
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

/// Hears [`EVENTS_CHANNEL`] until it is dropped or the connection is lost.
pub struct Listener {
    woken: mpsc::Receiver<()>,
    /// A connection without its client is closed.
    _client: tokio_postgres::Client,
}

impl Listener {
    /// Waits for the next commit with events; `None` when the connection is lost.
    pub async fn heard(&mut self) -> Option<()> {
        self.woken.recv().await
    }
}
