//! Takes back places that a membership no longer covers.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::seat;
use crate::accounts::UserId;
use crate::live::model::{Attendance, AttendanceStatus, LiveSession, LiveSessionId, LiveSessionStatus, Usage};
use crate::live::query::{attendance, session as query, usage};
use crate::memberships;
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

/// Takes back the places of the members of a membership that was canceled or paused or has ended: of its owner, and of
/// the family with whom they share it.
///
/// # Errors
/// The database failed.
pub(crate) async fn review_family(app: &App, owner: UserId) -> Result<(), InternalError> {
    for (_, member) in memberships::families_of(&mut *app.db.read().await?, &[owner]).await? {
        review_places(app, member).await?;
    }
    // Last, as free hours may cover the owner's seats then.
    review_places(app, owner).await
}

/// Takes back the places of a user, a membership of whom was canceled or paused or has ended, or who has left a family,
/// in the sessions to come that it has covered. Those that another membership or free hours cover stay.
///
/// # Errors
/// The database failed.
pub(crate) async fn review_places(app: &App, user: UserId) -> Result<(), InternalError> {
    // The latest first, so that free hours are left for the earliest.
    let mut before = (DateTime::<Utc>::MAX_UTC, LiveSessionId::new(Uuid::max()));
    loop {
        let places = attendance::to_come(&mut *app.db.read().await?, user, app.clock.now(), before).await?;
        let Some(last) = places.last() else { return Ok(()) };
        before = *last;
        for (_, id) in places {
            app.db.transaction(async |tx| review(tx, app, id, user).await).await?;
        }
    }
}

async fn review(tx: &mut Tx, app: &App, id: LiveSessionId, user: UserId) -> Result<(), InternalError> {
    let Some(session) = query::lock(tx, id).await? else { return Ok(()) };
    let Some(row) = attendance::of(tx.conn(), &[id], &[user]).await?.pop() else { return Ok(()) };
    let is_to_come = session.status(app.clock.now()) == LiveSessionStatus::Scheduled;
    let has_place = matches!(row.status, AttendanceStatus::Held | AttendanceStatus::Waiting);
    if !is_to_come || !has_place || is_covered(tx, app, &session, &row).await? {
        return Ok(());
    }
    seat::release(tx, app, &row).await?;
    if row.status == AttendanceStatus::Held {
        seat::tell_of_loss(tx, app, id, user).await?;
        seat::move_up(tx, app, &session).await?;
    }
    Ok(())
}

/// Whether a place is covered by a membership at the start of the session, or by hours that are free.
async fn is_covered(tx: &mut Tx, app: &App, session: &LiveSession, row: &Attendance) -> Result<bool, InternalError> {
    let user = row.user_id;
    let found = memberships::live_allowance(tx, &[user], session.starts_at).await?;
    if found.get(&user).is_some_and(|found| found.minutes_per_month > 0 && found.payer == row.payer()) {
        return Ok(true);
    }
    // Free hours are the user's own, and do not pay for what a family has paid for.
    if row.payer_id.is_some() {
        return Ok(false);
    }
    let stored = usage::of(tx.conn(), &[user], &[row.month]).await?.pop();
    let month = stored.unwrap_or_else(|| Usage::empty(user, row.month));
    let allowed_minutes = app.config.live.free_minutes;
    let free = Usage { allowed_minutes, rolled_over_minutes: 0, extra_minutes: 0, ..month };
    // A seat's own minutes are held already.
    let needed = if row.status == AttendanceStatus::Held { 0 } else { row.minutes };
    Ok(free.remaining() >= needed)
}
