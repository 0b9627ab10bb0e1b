//! What later features do with users inside their own transaction.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::event::UserChanged;
use super::model::{User, UserId};
use super::query::{profile, session, user};
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::outbox;

/// Locks a user, so that what is written about them is written by one transaction at a time and they cannot be deleted
/// meanwhile. Returns whether there is such a user who is not deleted.
///
/// # Errors
/// The database failed.
pub async fn lock_user(tx: &mut Tx, id: UserId) -> Result<bool, InternalError> {
    Ok(user::lock_row(tx, id).await?)
}

/// Returns a user; `None` if they are deleted.
///
/// # Errors
/// The database failed.
pub async fn user_by_id(tx: &mut Tx, id: UserId) -> Result<Option<User>, InternalError> {
    Ok(user::by_id(tx, id).await?)
}

/// Sets or removes the file of a user's picture. The user must be locked.
///
/// # Errors
/// The database failed.
pub async fn set_avatar(tx: &mut Tx, app: &App, id: UserId, file: Option<Uuid>) -> Result<User, InternalError> {
    let user = profile::set_avatar(tx, id, file, app.clock.now()).await?;
    outbox::record(tx, &app.clock, &UserChanged { user_id: id }).await?;
    Ok(user)
}

/// Returns the user with this email address, which is in its stored spelling.
///
/// # Errors
/// The database failed.
pub async fn user_by_email(tx: &mut Tx, email: &str) -> Result<Option<User>, InternalError> {
    Ok(user::by_email(tx.conn(), email).await?)
}

/// Returns the ids of the user's sessions that have neither ended nor expired.
///
/// # Errors
/// The database failed.
pub async fn open_sessions(tx: &mut Tx, user: UserId, now: DateTime<Utc>) -> Result<Vec<Uuid>, InternalError> {
    Ok(session::open_sessions(tx, user, now).await?)
}
