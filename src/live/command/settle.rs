//! Settles sessions that are over.

use super::seat::{self, tell_of_usage};
use crate::accounts::UserId;
use crate::live::model::{Attendance, LiveSessionId};
use crate::live::query::{attendance, session as query};
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

/// Settles all sessions that are over, each in a transaction of its own: all attendances of it, or none.
///
/// # Errors
/// The database failed.
pub(crate) async fn settle_all(app: &App) -> Result<(), InternalError> {
    while !app.stopping.is_cancelled() {
        let due = query::unsettled(&mut *app.db.read().await?, app.clock.now()).await?;
        if due.is_empty() {
            break;
        }
        for id in due {
            app.db.transaction(async |tx| settle(tx, app, id).await).await?;
        }
    }
    Ok(())
}

async fn settle(tx: &mut Tx, app: &App, id: LiveSessionId) -> Result<(), InternalError> {
    let now = app.clock.now();
    let Some(session) = query::lock(tx, id).await? else { return Ok(()) };
    // Another worker was faster, or it was canceled or moved meanwhile.
    if session.settled_at.is_some() || session.canceled_at.is_some() || session.ends_at > now {
        return Ok(());
    }
    attendance::release_waiting(tx, &[id]).await?;
    let payers: Vec<UserId> = attendance::held(tx, &[id]).await?.iter().map(Attendance::payer).collect();
    // From now on, its attendances may be deleted.
    if session.had_places != Some(true) && !payers.is_empty() {
        query::set_had_places(tx, id).await?;
    }
    seat::keep_allowance(tx, app, &session, &payers).await?;
    let months = attendance::settle(tx, &session, app.config.live.has_partial_attendance, now).await?;
    tell_of_usage(tx, app, &months).await?;
    let left = attendance::last_left(tx, id).await?.unwrap_or(session.ends_at);
    query::set_settled(tx, id, left.min(session.ends_at), now).await?;
    Ok(())
}
