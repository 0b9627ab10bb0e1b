//! PostgreSQL: a pool of connections, and [`Tx`], the proof that a transaction is open.

mod connector;
mod invalidation;
mod joins;
mod keyset;
pub mod migrations;
mod run;
mod statement;
mod text_enum;
mod tx;
#[rustfmt::skip]
#[allow(missing_docs)]
pub mod schema;

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::AsyncFn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::query_builder::QueryId;
use diesel::sql_types::SqlType;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, try_join_all};

pub use connector::Listener;
pub use invalidation::{CacheKey, Instant, Invalidation, payload};
pub use keyset::{newest_first, oldest_first};
pub use run::RunQueryDsl;
pub use statement::{Cached, Statement, cached, sql_query};
pub use text_enum::stored_as_text;
pub use tx::Tx;

use connector::Connector;

use super::internal_error::{Context, InternalError};

/// The PostgreSQL channel on which a commit notifies the dispatchers of new events.
pub const EVENTS_CHANNEL: &str = "lyceum_events";
/// The PostgreSQL channel on which a commit notifies all nodes of changed [`CacheKey`]s.
const CHANGES_CHANNEL: &str = "lyceum_changes";

/// PostgreSQL's `tsvector` type.
///
/// Rust code never reads or writes its values; triggers maintain them.
#[derive(Clone, Copy, Debug, QueryId, SqlType)]
#[diesel(postgres_type(name = "tsvector"))]
pub struct TsVector;

/// The database connection settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// A PostgreSQL URL (libpq's form).
    pub url: String,
    /// The maximum number of pooled connections for requests in this process.
    pub connections: usize,
    /// The timeout of a statement.
    pub timeout: Duration,
    /// The schema that holds the tables; `None` for the server's default.
    ///
    /// Each test uses its own schema. The connections are named after it.
    pub schema: Option<String>,
}

/// A database handle; cheap to clone.
#[derive(Clone)]
pub struct Db {
    pool: Pool<AsyncPgConnection>,
    /// A pool of one connection that no request uses.
    ///
    /// [`Db::statements`] does not count its statements.
    watch: Pool<AsyncPgConnection>,
    connector: Arc<Connector>,
    statements: Arc<AtomicU64>,
    invalidation: Invalidation,
}

/// A pooled connection for reads. Drop it before awaiting anything else.
pub type Conn = Object<AsyncPgConnection>;

/// A pooled connection to the primary server, for a write of a single statement.
///
/// A function that writes takes this or a [`Tx`], so that nothing is written through [`Db::read`], which may connect to
/// a replica.
pub struct Writer(Conn);

impl Writer {
    /// Returns the connection to run the statement on.
    pub fn conn(&mut self) -> &mut AsyncPgConnection {
        &mut self.0
    }
}

impl Db {
    /// Creates the connection pools without opening a connection.
    ///
    /// # Errors
    /// The URL cannot be parsed, or a pool or the TLS client cannot be set up.
    pub fn new(settings: &Settings) -> Result<Db, InternalError> {
        let connector = Arc::new(Connector::new(settings)?);
        let statements = Arc::new(AtomicU64::new(0));
        let requests = pool(&settings.url, &connector, statements.clone(), settings.connections)?;
        let watch = pool(&settings.url, &connector, Arc::default(), 1)?;
        Ok(Db { pool: requests, watch, connector, statements, invalidation: Invalidation::default() })
    }

    /// Returns a connection for reads.
    ///
    /// # Errors
    /// The database cannot be reached, or every connection stayed busy for five seconds.
    pub async fn read(&self) -> Result<Conn, InternalError> {
        self.pool.get().await.context("no database connection")
    }

    /// Reads a value for each key with a statement of its own. The statements are pipelined on one connection.
    ///
    /// # Errors
    /// As for [`Db::read`]; a statement failed.
    pub async fn read_each<K: Clone + Eq + Hash, V>(
        &self,
        keys: &[K],
        read: impl for<'a> Fn(&'a AsyncPgConnection, &'a K) -> BoxFuture<'a, QueryResult<V>>,
    ) -> Result<HashMap<K, V>, InternalError> {
        let conn = self.read().await?;
        let values = try_join_all(keys.iter().map(|key| read(&conn, key))).await?;
        Ok(keys.iter().cloned().zip(values).collect())
    }

    /// Returns a connection for a write of a single statement.
    ///
    /// Use [`Db::transaction`] for several statements.
    ///
    /// # Errors
    /// The database cannot be reached, or every connection stayed busy for five seconds.
    pub async fn write(&self) -> Result<Writer, InternalError> {
        Ok(Writer(self.pool.get().await.context("no database connection")?))
    }

    /// Returns the connection reserved for monitoring sessions.
    ///
    /// It is available even if the main pool is exhausted. Only one task may use it.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn watch(&self) -> Result<Conn, InternalError> {
        self.watch.get().await.context("no database connection to watch with")
    }

    /// Opens a connection that does not belong to a pool.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub(crate) async fn connect(&self) -> Result<AsyncPgConnection, InternalError> {
        self.connector.establish(self.statements.clone()).await.context("no database connection")
    }

    /// Runs `work` in a transaction: commits if it returns `Ok`, rolls back otherwise.
    ///
    /// After a deadlock or a serialization failure, `work` runs again, for at most four attempts in total. The keys
    /// that it changed are invalidated on this node before this returns. The other nodes and the dispatchers are
    /// notified after the commit, because a `NOTIFY` inside the transaction would serialize all commits of the
    /// database.
    ///
    /// # Errors
    /// The error that `work` returns, or the database failed to begin or commit.
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
                    tx.rollback().await;
                    Err(error)
                }
            };
            match outcome {
                Err(error) if attempt < ATTEMPTS && error.internal().is_some_and(is_transient) => {
                    tracing::debug!(attempt, "a transaction gave way to another one and is tried again");
                    drop(tx);
                    // Back off with jitter, so that the other transaction finishes and the conflict does not repeat.
                    tokio::time::sleep(Duration::from_millis(attempt * rand::random_range(5..25))).await;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// Opens a connection that receives the notifications of all nodes' commits.
    ///
    /// The connection does not belong to the pool. Changed keys are passed to [`Db::invalidation`]; new events wake the
    /// [`Listener`].
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn listen(&self) -> Result<Listener, InternalError> {
        let listener = self.connector.listen(self.invalidation.clone()).await?;
        // Notifications before this point were missed.
        self.invalidation.everything_changed();
        Ok(listener)
    }

    /// Returns the changes that this node knows of.
    pub fn invalidation(&self) -> &Invalidation {
        &self.invalidation
    }

    /// Returns the number of statements sent so far by this handle and its clones.
    pub fn statements(&self) -> u64 {
        AtomicU64::load(&self.statements, Ordering::Relaxed)
    }

    /// Returns the number of connections in use and the number of open connections.
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
    // A closed connection is detected without a query. A dead one fails its next statement and is then discarded.
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

/// The maximum number of attempts for a transaction that fails with a transient error.
const ATTEMPTS: u64 = 4;

/// The error type of a transaction.
///
/// It exposes internal errors, so that transient failures can be retried.
pub trait TxError: From<InternalError> + Send {
    /// Returns the internal error, if it is one.
    fn internal(&self) -> Option<&InternalError>;
}

impl TxError for InternalError {
    fn internal(&self) -> Option<&InternalError> {
        Some(self)
    }
}

/// Returns whether a retry of the transaction would probably succeed.
///
/// That is so after a deadlock (SQLSTATE 40P01) or a serialization failure (40001).
fn is_transient(error: &InternalError) -> bool {
    use diesel::result::{DatabaseErrorKind, Error};
    match error.downcast_ref() {
        Some(Error::DatabaseError(DatabaseErrorKind::SerializationFailure, _)) => true,
        // Diesel does not expose the SQLSTATE of a deadlock.
        Some(Error::DatabaseError(_, info)) => info.message() == "deadlock detected",
        _ => false,
    }
}

/// Returns whether `error` is a violation of the unique constraint `constraint`.
pub fn is_taken(error: &diesel::result::Error, constraint: &str) -> bool {
    use diesel::result::{DatabaseErrorKind, Error};
    matches!(error, Error::DatabaseError(DatabaseErrorKind::UniqueViolation, info)
        if info.constraint_name() == Some(constraint))
}

/// The bound on an async closure that keeps the future of [`Db::transaction`] `Send`.
///
/// Stable Rust cannot yet name the future that an `AsyncFn` returns.
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

/// Clamps a time to the years 1 to 9999, which PostgreSQL can compare with.
pub fn storable(at: DateTime<Utc>) -> DateTime<Utc> {
    // The first second of year 1 and the last second of year 9999.
    let (first, last) = (DateTime::from_timestamp(-62_135_596_800, 0), DateTime::from_timestamp(253_402_300_799, 0));
    at.clamp(first.unwrap_or(at), last.unwrap_or(at))
}
