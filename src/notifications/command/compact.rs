//! Moves the marks of users who read or archive notifications one by one.
//!
//! Lists find what is unread after the mark of a user. If most of that is read, the mark moves on, and what is not read gets
//! a receipt that excepts it. So a list never reads over thousands of notifications that a user has read.

use chrono::TimeDelta;

use super::audiences_of;
use crate::accounts::UserId;
use crate::graphql::loaders::Loaders;
use crate::notifications::query::mark as query;
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// The job that moves the marks of a user.
pub(crate) const COMPACT: &str = "notifications.compact";
/// The number of receipts that a user writes until the job runs.
pub(crate) const MOST_RECEIPTS: i32 = 200;
/// The number of exceptions that are always made; beyond, they are at most as many as what is read.
const FEW: i64 = 200;
/// Events of the latest time may not be committed yet.
const LATEST: TimeDelta = TimeDelta::minutes(1);

/// Moves the marks of a user up to now, unless too much after them is not read, or not archived.
///
/// # Errors
/// The database failed.
pub(crate) async fn compact(app: &App, user: UserId) -> Result<(), InternalError> {
    let audiences = audiences_of(&Loaders::new(app.clone()), user).await?;
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            query::reset_receipts(tx, user).await?;
            // What is archived is read: the mark of the archive moves the other one, too.
            for archives in [true, false] {
                let found = query::tally(tx, &audiences, archives, now - LATEST).await?;
                if found.done > 0 && found.open <= found.done.max(FEW) {
                    query::advance(tx, &audiences, archives, now - LATEST, now).await?;
                }
            }
            Ok(())
        })
        .await
}
