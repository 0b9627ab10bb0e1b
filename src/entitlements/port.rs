//! Changes of entitlements, which other features make in their own transactions.
//!
//! A user's entitlements are written under the row lock of the user (`accounts::lock_user`), so that two concurrent
//! writers cannot both find the user without access. An entitlement to a course is written while the course's row is
//! locked (`catalog::hold_course`), so that the course cannot be deleted in between.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::event::{AccessEnded, AccessGranted};
use super::model::{EndReason, Entitlement, EntitlementId, NewEntitlement, Target};
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
    /// Whether anything was written.
    pub changed: bool,
    /// Whether the user had no other open entitlement to the same target before.
    pub first: bool,
}

/// Gives a user access.
///
/// If there is an open entitlement from the same source, it gets the new terms; the same terms again change nothing.
/// The user's expired entitlements to the target must have been ended.
///
/// # Errors
/// The database failed.
pub async fn give(tx: &mut Tx, app: &App, new: NewEntitlement) -> Result<Given, InternalError> {
    let (user_id, target, expires_at) = (new.user_id, new.target, new.expires_at);
    let open = query::open(tx, user_id, target).await?;
    let row = match open.iter().find(|row| row.source == new.source) {
        Some(same) if same.expires_at == expires_at && same.note == new.note => {
            return Ok(Given { row: same.clone(), changed: false, first: false });
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
    Ok(Given { row, changed: true, first: open.is_empty() })
}

/// The outcome of [`end`].
pub struct Ended {
    /// The entitlement as it is now.
    pub row: Entitlement,
    /// Whether the user has no other open entitlement to the same course.
    ///
    /// It is `false` if the target is not a course.
    pub last: bool,
}

/// Ends an open entitlement.
///
/// # Errors
/// The database failed, or the entitlement is not open.
pub async fn end(tx: &mut Tx, app: &App, row: &Entitlement, reason: EndReason) -> Result<Ended, InternalError> {
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
    let last = match row.course_id {
        Some(course) => query::open(tx, row.user_id, Target::Course(course)).await?.is_empty(),
        None => false,
    };
    Ok(Ended { row, last })
}

/// Returns the user's open entitlements to `target`, expired ones included.
///
/// # Errors
/// The database failed.
pub async fn open_entitlements(tx: &mut Tx, user: UserId, target: Target) -> Result<Vec<Entitlement>, InternalError> {
    Ok(query::open(tx, user, target).await?)
}

/// Returns an entitlement if it is open.
///
/// # Errors
/// The database failed.
pub async fn open_entitlement(tx: &mut Tx, id: EntitlementId) -> Result<Option<Entitlement>, InternalError> {
    Ok(query::open_one(tx, id).await?)
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
