//! Changes of entitlements, which other features make in their own transactions.
//!
//! A user's entitlements are written under the row lock of the user (`accounts::lock_user`), so that two concurrent
//! writers cannot both find the user without access. An entitlement to a course is written while the course's row is
//! locked (`catalog::hold_course`), so that the course cannot be deleted in between.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::event::{AccessEnded, AccessGranted};
use super::model::{EndReason, Entitlement, NewEntitlement, Target};
use super::query;
use crate::accounts::UserId;
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::outbox;

/// The outcome of [`give`].
pub struct Given {
    /// The entitlement as it is now.
    pub row: Entitlement,
    /// Whether the entitlement is new or has new terms.
    pub changed: bool,
    /// Whether the user had no open entitlement to the same target before.
    pub first: bool,
}

/// Gives a user access, and ends their expired entitlements to the same target.
///
/// If there is an open entitlement from the same source, it gets the new terms; the same terms again change nothing.
///
/// # Errors
/// The database failed.
pub async fn give(tx: &mut Tx, app: &App, new: NewEntitlement) -> Result<Given, InternalError> {
    let (user_id, expires_at) = (new.user_id, new.expires_at);
    let open = query::open(tx, user_id, new.target).await?;
    let first = open.is_empty();
    let current = end_expired(tx, app, open).await?;
    let row = match current.iter().find(|row| row.source == new.source) {
        Some(same) if same.expires_at == expires_at && same.note == new.note => {
            return Ok(Given { row: same.clone(), changed: false, first });
        }
        Some(other) => query::change(tx, other.id, new).await?,
        None => query::insert(tx, &app.clock, new).await?,
    };
    let event = AccessGranted {
        entitlement_id: row.id,
        user_id,
        scope: row.scope,
        course_id: row.course_id,
        category_id: row.category_id,
        source: row.source,
        expires_at,
    };
    outbox::record(tx, &app.clock, &event).await?;
    Ok(Given { row, changed: true, first })
}

/// Gives users access to courses, many at once and without events; returns the course of each entitlement that is new.
///
/// An open entitlement from the same source stays as it is. This is for imports: the users are not locked, and must not
/// get access to the same course in another way at the same time.
///
/// # Errors
/// The database failed.
pub async fn import(tx: &mut Tx, app: &App, new: &[NewEntitlement]) -> Result<Vec<Uuid>, InternalError> {
    Ok(query::insert_all(tx, &app.clock, new).await?)
}

/// Returns the user's open entitlements to `target`, expired ones included.
///
/// # Errors
/// The database failed.
pub async fn open(tx: &mut Tx, user: UserId, target: Target) -> Result<Vec<Entitlement>, InternalError> {
    Ok(query::open(tx, user, target).await?)
}

/// Returns all entitlements of a user that may cover a course, ended ones and those to categories included, latest first.
///
/// # Errors
/// The database failed.
pub async fn ledger(tx: &mut Tx, user: UserId, course: Uuid) -> Result<Vec<Entitlement>, InternalError> {
    let rows = query::ledger(tx.conn(), vec![user], vec![course]).await?;
    Ok(rows.into_iter().map(|held| held.row).collect())
}

/// Ends those of some open entitlements that have expired; returns the others.
///
/// # Errors
/// The database failed.
pub async fn end_expired(tx: &mut Tx, app: &App, open: Vec<Entitlement>) -> Result<Vec<Entitlement>, InternalError> {
    let now = app.clock.now();
    let (expired, current): (Vec<_>, Vec<_>) = open.into_iter().partition(|row| row.has_expired(now));
    for row in expired {
        end(tx, app, &row, EndReason::Expired).await?;
    }
    Ok(current)
}

/// Ends an open entitlement; returns it as it is now.
///
/// # Errors
/// The database failed, or the entitlement is not open.
pub async fn end(tx: &mut Tx, app: &App, row: &Entitlement, reason: EndReason) -> Result<Entitlement, InternalError> {
    let row = query::end(tx, row.id, reason, app.clock.now()).await?;
    let event = AccessEnded {
        entitlement_id: row.id,
        user_id: row.user_id,
        scope: row.scope,
        course_id: row.course_id,
        category_id: row.category_id,
        source: row.source,
        reason,
    };
    outbox::record(tx, &app.clock, &event).await?;
    Ok(row)
}

/// Returns whether any user has an unexpired entitlement to this course.
///
/// If so, the course must not be deleted.
///
/// # Errors
/// The database failed.
pub async fn is_owned(tx: &mut Tx, course: Uuid, now: DateTime<Utc>) -> Result<bool, InternalError> {
    Ok(query::is_owned(tx, course, now).await?)
}

/// Ends the expired entitlements to a course that is about to be deleted.
///
/// # Errors
/// The database failed.
pub async fn end_expired_of_course(tx: &mut Tx, course: Uuid, now: DateTime<Utc>) -> Result<(), InternalError> {
    Ok(query::end_expired_of_course(tx, course, now).await?)
}

/// Removes the administrators' reasons from a deleted user's entitlements.
///
/// # Errors
/// The database failed.
pub async fn forget_notes(tx: &mut Tx, user: UserId) -> Result<(), InternalError> {
    query::forget_notes(tx, user).await?;
    Ok(())
}
