//! Extra hours that members have bought.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::seat;
use super::usage::{allowance, as_of_now, asked_at, is_over, previous};
use crate::accounts::UserId;
use crate::live::model::Usage;
use crate::live::query::usage as query;
use crate::memberships;
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

/// Returns the minutes of extra hours that a user has paid for a month.
pub(super) async fn bought(tx: &mut Tx, user: UserId, month: NaiveDate) -> Result<i32, InternalError> {
    let found: HashMap<_, i32> = memberships::extra_minutes(tx.conn(), &[user], &[month]).await?;
    Ok(found.get(&(user, month)).copied().unwrap_or_default())
}

/// Writes what a user has of extra hours in a month, after they have paid some, or some went back, and tells of it. It is
/// computed from what is paid now: doing it again, late, or in another order changes nothing.
///
/// # Errors
/// The database failed.
pub(crate) async fn count_extra(app: &App, user: UserId, month: NaiveDate) -> Result<(), InternalError> {
    app.db
        .transaction(async |tx| {
            let rows = query::lock_since(tx, user, previous(month)).await?;
            let row = |of: NaiveDate| rows.iter().find(|row| row.month == of).cloned();
            let (row, earlier) = (row(month), row(previous(month)));
            let minutes = bought(tx, user, month).await?;
            let Some(old) = row else {
                // There is nothing to write: the row is made with the first seat.
                return seat::tell_of_usage(tx, app, &[Usage::empty(user, month)]).await;
            };
            let new = if is_over(app, month) {
                old.clone()
            } else {
                let at = asked_at(app, month, app.clock.now());
                let found = memberships::live_allowance(tx, &[user], at).await?;
                // Not that of the family that the user has joined since.
                let allowance = allowance(app, found.get(&user).filter(|found| found.payer == user));
                as_of_now(app, (Some(old.clone()), earlier), (user, month), allowance)
            };
            // Nothing rolls over of them, so that no other month has changed.
            seat::write_one(tx, app, old.warning(), &new.with_extra(minutes)).await
        })
        .await
}
