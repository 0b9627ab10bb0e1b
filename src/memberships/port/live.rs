//! What live classes ask of memberships.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::accounts::UserId;
use crate::memberships::model::LiveAllowance;
use crate::memberships::query::{family, membership as rows};
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

/// Keeps the membership whose hours a user shares as it is, if there is one, with the user in its family, until the
/// transaction ends: its owner can neither remove them nor pause it until then. The user is locked, which is why their
/// own memberships stay as they are.
///
/// # Errors
/// The database failed.
pub async fn hold_family(tx: &mut Tx, user: UserId) -> Result<(), InternalError> {
    family::hold(tx, user).await?;
    Ok(())
}

/// Returns what the memberships of users allow at a time, of several the one that allows most. Users without one are
/// missing.
///
/// # Errors
/// The database failed.
pub async fn live_allowance(
    tx: &mut Tx,
    users: &[UserId],
    at: DateTime<Utc>,
) -> Result<HashMap<UserId, LiveAllowance>, InternalError> {
    let rows = rows::unexpired_of(tx.conn(), users).await?;
    Ok(users.iter().filter_map(|user| Some((*user, LiveAllowance::most(&rows, *user, at)?))).collect())
}
