//! [`Tx`], the proof that a transaction is open.

use std::sync::Arc;
use std::time::Duration;

use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::{AnsiTransactionManager, AsyncPgConnection, SimpleAsyncConnection, TransactionManager};

use super::connector::Connector;
use super::{CHANGES_CHANNEL, CacheKey, Conn, Db, EVENTS_CHANNEL, Invalidation, invalidation};
use crate::platform::internal_error::{Context, InternalError};

/// How long ending an abandoned transaction may take. Then its connection is closed.
const PATIENCE: Duration = Duration::from_secs(5);

/// An open transaction.
///
/// Only [`Db::transaction`] creates one, so a function that takes `&mut Tx` can only be called inside a transaction.
pub struct Tx {
    /// `None` only while it is dropped.
    conn: Option<Conn>,
    connector: Arc<Connector>,
    /// Whether it was neither committed nor rolled back.
    open: bool,
    /// The changed cache keys, without duplicates.
    changed: Vec<CacheKey>,
    /// Whether an event was recorded.
    recorded: bool,
}

impl Tx {
    pub(super) async fn begin(db: &Db) -> Result<Tx, InternalError> {
        let conn = Some(db.read().await?);
        let connector = db.connector.clone();
        let mut tx = Tx { conn, connector, open: true, changed: Vec::new(), recorded: false };
        AnsiTransactionManager::begin_transaction(tx.conn()).await.context("cannot begin a transaction")?;
        Ok(tx)
    }

    pub(super) async fn commit(&mut self, invalidation: &Invalidation) -> Result<(), InternalError> {
        let changed = std::mem::take(&mut self.changed);
        let dropped = invalidation.when_dropped(&changed);
        AnsiTransactionManager::commit_transaction(self.conn()).await.context("cannot commit")?;
        self.open = false;
        drop(dropped);
        self.notify(&changed).await;
        Ok(())
    }

    pub(super) async fn rollback(&mut self) {
        match AnsiTransactionManager::rollback_transaction(self.conn()).await {
            Ok(()) => self.open = false,
            Err(error) => tracing::warn!(%error, "a rollback failed; the connection is closed"),
        }
    }

    /// Returns the connection to run statements on.
    #[allow(clippy::expect_used, reason = "only `drop` takes it")]
    pub fn conn(&mut self) -> &mut AsyncPgConnection {
        self.conn.as_mut().expect("a transaction has a connection")
    }

    /// Marks `key` as changed.
    ///
    /// Cached values that depend on it are invalidated on every node after the commit. Every write to a cached table
    /// must call this; a test enforces it.
    pub fn changed(&mut self, key: CacheKey) {
        if !self.changed.contains(&key) {
            self.changed.push(key);
        }
    }

    /// Marks that an event was recorded: the dispatchers are notified after the commit.
    pub(crate) fn recorded(&mut self) {
        self.recorded = true;
    }

    /// Notifies the other nodes and the dispatchers after the commit.
    async fn notify(&mut self, changed: &[CacheKey]) {
        let mut told = Vec::new();
        if !changed.is_empty() {
            told.push(format!("NOTIFY {CHANGES_CHANNEL}, '{}'", invalidation::payload(changed)));
        }
        if self.recorded {
            told.push(format!("NOTIFY {EVENTS_CHANNEL}"));
        }
        if told.is_empty() {
            return;
        }
        let told = told.join("; ");
        if let Err(error) = self.conn().batch_execute(&told).await {
            tracing::warn!(%error, "NOTIFY failed; the other nodes notice by themselves within a second");
        }
    }
}

/// Ends the transaction if it was abandoned, for example because the client of a request is gone.
///
/// The statement that is running is canceled. The place in the pool is free only afterwards, so that it is not given to
/// another connection while PostgreSQL still works for this one.
impl Drop for Tx {
    fn drop(&mut self) {
        let Some(conn) = self.conn.take().filter(|_| self.open) else { return };
        self.connector.spawn(end(conn, self.connector.clone()));
    }
}

async fn end(mut conn: Conn, connector: Arc<Connector>) {
    let canceled = connector.cancel(&conn);
    let ended = async {
        canceled.await?;
        // One that was abandoned in the middle of BEGIN or COMMIT only ends with its connection.
        if !AnsiTransactionManager::is_broken_transaction_manager(&mut *conn) {
            AnsiTransactionManager::rollback_transaction(&mut *conn).await?;
        }
        Ok::<_, InternalError>(())
    };
    if !matches!(tokio::time::timeout(PATIENCE, ended).await, Ok(Ok(()))) {
        tracing::debug!("an abandoned transaction ends with its connection");
    }
    // Not used again: PostgreSQL may carry out the request to cancel late, and would then cancel another statement.
    drop(Object::take(conn));
}
