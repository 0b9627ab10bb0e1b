//! What live classes ask of memberships.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::accounts::UserId;
use crate::memberships::model::LiveAllowance;
use crate::memberships::query::membership as rows;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

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
