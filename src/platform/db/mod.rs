//! PostgreSQL: a pool of connections, and [`Tx`], the proof that a transaction is open.

mod invalidation;
mod keyset;
pub mod migrations;
mod run;
mod text_enum;
#[rustfmt::skip]
#[allow(missing_docs)]
pub mod schema;

use std::ops::AsyncFn;
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

#[cfg(test)]
pub(crate) use invalidation::payload;
pub use invalidation::{CacheKey, Instant, Invalidation};
pub(crate) use keyset::newest_first;
pub use run::RunQueryDsl;
pub(crate) use text_enum::stored_as_text;

use super::internal_error::{Context, InternalError};
use super::tls;

/// The PostgreSQL channel on which a commit tells the dispatchers that there are new events.
pub const EVENTS_CHANNEL: &str = "lyceum_events";
/// The channel on which a commit tells every node which [`CacheKey`]s have changed.
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
    invalidation: Invalidation,
}

/// A pooled connection for reads. Drop it before awaiting anything else.
pub type Conn = Object<AsyncPgConnection>;

/// A pooled connection to the primary server, for a write that is one statement. A function that writes asks for this or
/// for a [`Tx`], so that nothing is written through [`Db::read`], behind which there may be a replica.
pub struct Writer(Conn);

impl Writer {
    /// The connection to run the statement on.
    pub fn conn(&mut self) -> &mut AsyncPgConnection {
        &mut self.0
    }
}

impl Db {
    /// Prepares a pool; no connection is made yet.
    ///
    /// # Errors
    /// The URL cannot be parsed.
    pub fn new(settings: &Settings) -> Result<Db, InternalError> {
        let connector = Arc::new(Connector::new(settings)?);
        let statements = Arc::new(AtomicU64::new(0));
        let requests = pool(&settings.url, &connector, statements.clone(), settings.connections)?;
        let watch = pool(&settings.url, &connector, Arc::default(), 1)?;
        Ok(Db { pool: requests, watch, connector, statements, invalidation: Invalidation::default() })
    }

    /// A connection for reads.
    ///
    /// # Errors
    /// The database cannot be reached, or every connection stayed busy for five seconds.
    pub async fn read(&self) -> Result<Conn, InternalError> {
        self.pool.get().await.context("no database connection")
    }

    /// A connection for a write that is one statement; several are a [`Db::transaction`].
    ///
    /// # Errors
    /// The database cannot be reached, or every connection stayed busy for five seconds.
    pub async fn write(&self) -> Result<Writer, InternalError> {
        Ok(Writer(self.pool.get().await.context("no database connection")?))
    }

    /// The connection that is kept for watching over sessions, however busy the others are. For one task.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn watch(&self) -> Result<Conn, InternalError> {
        self.watch.get().await.context("no database connection to watch with")
    }

    /// Runs `work` in a transaction: committed when it returns `Ok`, rolled back otherwise. When PostgreSQL gives it up
    /// for the sake of another transaction (a deadlock, a serialization failure), `work` is run again, in all
    /// four times. What it changed counts as changed on this node when this returns; the other nodes and the
    /// dispatchers are told after the commit (a `NOTIFY` inside would serialise all commits of the database).
    ///
    /// # Errors
    /// What `work` returns, or the database's failure to begin or commit.
    pub async fn transaction<R, E, F>(&self, work: F) -> Result<R, E>
    where
        for<'t> F: AsyncFn(&'t mut Tx) -> Result<R, E> + SendFn<&'t mut Tx, Result<R, E>, Fut: Send> + Send + Sync,
        E: TxError,
        R: Send,
    {
        let mut attempt = 1;
        loop {
            let mut tx = Tx::begin(self).await?;
            let outcome = match work(&mut tx).await {
                Ok(value) => tx.commit(&self.invalidation).await.map(|()| value).map_err(E::from),
                Err(error) => {
                    rollback(&mut tx.conn).await;
                    Err(error)
                }
            };
            match outcome {
                Err(error) if attempt < ATTEMPTS && error.internal().is_some_and(is_transient) => {
                    tracing::info!(attempt, "a transaction gave way to another one and is tried again");
                    drop(tx);
                    // The others finish first; a random pause keeps two from meeting again.
                    tokio::time::sleep(Duration::from_millis(attempt * rand::random_range(5..25))).await;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// A connection of its own, outside the pool, that hears of the commits of all nodes: [`Db::invalidation`] learns what
    /// they changed, and the listener wakes its owner when there are new events.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn listen(&self) -> Result<Listener, InternalError> {
        let listener = self.connector.listen(self.invalidation.clone()).await?;
        // Nobody listened until now.
        self.invalidation.everything_changed();
        Ok(listener)
    }

    /// What is known to have changed.
    pub fn invalidation(&self) -> &Invalidation {
        &self.invalidation
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
) -> Result<Pool<AsyncPgConnection>, InternalError> {
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

/// How often a transaction is run that PostgreSQL gives up for the sake of others.
const ATTEMPTS: u64 = 4;

/// An error of a transaction. It tells whether it is an internal one, so that transient failures can be retried.
pub trait TxError: From<InternalError> + Send {
    /// The internal error, if it is one.
    fn internal(&self) -> Option<&InternalError>;
}

impl TxError for InternalError {
    fn internal(&self) -> Option<&InternalError> {
        Some(self)
    }
}

/// Returns whether the transaction would probably succeed if it were run again: it was the victim of a deadlock
/// (SQLSTATE 40P01) or of a serialization failure (40001).
fn is_transient(error: &InternalError) -> bool {
    use diesel::result::{DatabaseErrorKind, Error};
    match error.downcast_ref() {
        Some(Error::DatabaseError(DatabaseErrorKind::SerializationFailure, _)) => true,
        // Diesel does not tell the SQLSTATE of this one.
        Some(Error::DatabaseError(_, info)) => info.message() == "deadlock detected",
        _ => false,
    }
}

/// An open transaction. Only [`Db::transaction`] makes one, so a function that asks for `&mut Tx` cannot be called
/// outside.
pub struct Tx {
    conn: Conn,
    /// The keys of what was changed, each once.
    changed: Vec<CacheKey>,
    /// Whether there are new events.
    recorded: bool,
}

impl Tx {
    async fn begin(db: &Db) -> Result<Tx, InternalError> {
        let mut conn = db.read().await?;
        AnsiTransactionManager::begin_transaction(&mut *conn).await.context("cannot begin a transaction")?;
        Ok(Tx { conn, changed: Vec::new(), recorded: false })
    }

    async fn commit(&mut self, invalidation: &Invalidation) -> Result<(), InternalError> {
        let changed = invalidation.when_dropped(&self.changed);
        AnsiTransactionManager::commit_transaction(&mut *self.conn).await.context("cannot commit")?;
        drop(changed);
        self.notify().await;
        Ok(())
    }

    /// The connection to run statements on.
    pub fn conn(&mut self) -> &mut AsyncPgConnection {
        &mut self.conn
    }

    /// Notes that what `key` stands for is being changed: cached values that were derived from it are invalidated after
    /// the commit, on every node. Every write of a cached table calls this; a test holds us to that.
    pub fn changed(&mut self, key: CacheKey) {
        if !self.changed.contains(&key) {
            self.changed.push(key);
        }
    }

    /// Notes that an event was recorded, of which the dispatchers have to be told after the commit.
    pub(super) fn recorded(&mut self) {
        self.recorded = true;
    }

    /// Tells the other nodes after the commit.
    async fn notify(&mut self) {
        let mut told = Vec::new();
        if !self.changed.is_empty() {
            told.push(format!("NOTIFY {CHANGES_CHANNEL}, '{}'", invalidation::payload(&self.changed)));
        }
        if self.recorded {
            told.push(format!("NOTIFY {EVENTS_CHANNEL}"));
        }
        if told.is_empty() {
            return;
        }
        let told = told.join("; ");
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
pub trait SendFn<T, R>: AsyncFn(T) -> R + Fn(T) -> <Self as SendFn<T, R>>::Fut {
    /// The closure's future.
    type Fut: Future<Output = R>;
}

impl<F, T, Fut, R> SendFn<T, R> for F
where
    F: AsyncFn(T) -> R + Fn(T) -> Fut,
    Fut: Future<Output = R>,
{
    type Fut = Fut;
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
    fn new(settings: &Settings) -> Result<Connector, InternalError> {
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

    async fn listen(&self, invalidation: Invalidation) -> Result<Listener, InternalError> {
        let (client, mut connection) = self.config.connect(self.tls.clone()).await.context("cannot listen")?;
        // One waiting wake-up stands for any number of them.
        let (wake, woken) = mpsc::channel(1);
        self.drivers.spawn(async move {
            loop {
                match std::future::poll_fn(|context| connection.poll_message(context)).await {
                    Some(Ok(AsyncMessage::Notification(note))) if note.channel() == CHANGES_CHANNEL => {
                        invalidation.heard(note.payload());
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
