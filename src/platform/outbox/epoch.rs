//! Recognizes a log that was rewound.
//!
//! After a restore from a backup, or a failover to a replica that was behind, positions are assigned a second time. Each
//! position that a client receives therefore names the epoch of the log, which changes in both cases: it is derived
//! from the cluster, its WAL timeline, and the table of the counter, and not stored, because a backup would contain it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde::{Deserialize, Serialize};

use super::query;
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// The place of an event in the log, as clients receive it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// The epoch of the log.
    epoch: i64,
    /// The position. Ascending; within a topic, with gaps.
    number: i64,
}

impl Position {
    /// Before the first event, in every epoch.
    pub const BEGINNING: Position = Position { epoch: 0, number: 0 };

    pub(super) fn number(self) -> i64 {
        self.number
    }

    pub(super) fn new(epoch: i64, number: i64) -> Position {
        Position { epoch, number }
    }
}

/// The epoch of the log, as this node last read it; 0 if it has not yet. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Epoch(Arc<AtomicI64>);

impl Epoch {
    pub(super) fn get(&self) -> i64 {
        self.0.load(Ordering::Acquire)
    }
}

/// Why the log cannot be read from a position on.
#[derive(Debug)]
pub enum Unreadable {
    /// The log does not reach back to the position, or the position is of another epoch: the log was rewound.
    Expired,
    /// The database failed.
    Failed(InternalError),
}

impl<E: Into<InternalError>> From<E> for Unreadable {
    fn from(error: E) -> Unreadable {
        Unreadable::Failed(error.into())
    }
}

/// Reads the epoch from the primary database.
///
/// # Errors
/// The database failed.
pub(super) async fn refresh(app: &App) -> Result<i64, InternalError> {
    let epoch = query::epoch(app.db.write().await?.conn()).await?;
    let known = app.epoch.0.swap(epoch, Ordering::AcqRel);
    if known != 0 && known != epoch {
        tracing::warn!(epoch, "the event log is another one than before, as after a restore or a promotion");
    }
    Ok(epoch)
}

/// Returns the current epoch, to which the positions that a client has sent must belong.
pub(super) async fn current(app: &App, sent: &[Option<Position>]) -> Result<i64, Unreadable> {
    let is_cursor = |position: &Position| *position != Position::BEGINNING;
    let epoch = match app.epoch.get() {
        known if known != 0 && !sent.iter().flatten().any(is_cursor) => known,
        // Read it again: the node may not have noticed yet that the database is another one.
        _ => refresh(app).await?,
    };
    let expired = sent.iter().flatten().any(|position| is_cursor(position) && position.epoch != epoch);
    if expired { Err(Unreadable::Expired) } else { Ok(epoch) }
}
