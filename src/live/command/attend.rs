//! Joins and leaves sessions.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::cancel::cancel_all;
use super::seat;
use crate::accounts::{self, UserId, viewer};
use crate::graphql::loaders::Loaders;
use crate::graphql::{Error, Result};
use crate::live::loader::LiveSessionById;
use crate::live::model::{
    Attendance, AttendanceStatus, Eligibility, EligibilityReason, JoinLiveSessionInput, LeaveLiveSessionInput,
    LiveSession, LiveSessionId, LiveSessionStatus, SessionWhich,
};
use crate::live::query::{attendance, calendar, session as query};
use crate::live::{command, error};
use crate::memberships;
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

/// What became of an attempt to join a session.
pub struct Joined {
    /// The session, as it is now.
    pub session: Arc<LiveSession>,
    /// The user's place; `None` if they have none, or are the host.
    pub attendance: Option<Attendance>,
    /// Whether the user could attend, with the hours that they have now.
    pub eligibility: Eligibility,
}

/// Takes a seat in a session, and enters it from 15 minutes before its start. Doing so again changes nothing.
///
/// Who cannot attend gets the reason, and a place in the waiting list if they want to wait for a seat.
///
/// # Errors
/// There is no such session.
pub async fn join_session(loaders: &Loaders, actor: &Actor, input: JoinLiveSessionInput) -> Result<Joined> {
    let (app, user, id) = (loaders.app(), viewer(actor)?, input.live_session_id);
    let seen = loaders.load(LiveSessionById(id)).await?.ok_or_else(|| error::no_such_session(id))?;
    if !command::sees(loaders, actor, &seen).await? {
        return Err(error::no_such_session(id));
    }
    app.db
        .transaction(async |tx| {
            accounts::lock_user(tx, user).await?;
            memberships::hold_family(tx, user).await?;
            let session = query::lock(tx, id).await?.ok_or_else(|| error::no_such_session(id))?;
            let joined = if session.host_id == user {
                open(tx, app, session).await?
            } else {
                join(tx, app, session, user, input.wait).await?
            };
            Ok::<_, Error>(joined)
        })
        .await
}

/// Lets the host of a session enter, who needs no seat.
async fn open(tx: &mut Tx, app: &App, mut session: LiveSession) -> std::result::Result<Joined, InternalError> {
    let now = app.clock.now();
    if session.is_open(now) {
        session = started(tx, session, now).await?;
    }
    let reason = match session.status(now) {
        LiveSessionStatus::Canceled => EligibilityReason::Canceled,
        LiveSessionStatus::Ended => EligibilityReason::Ended,
        LiveSessionStatus::Scheduled | LiveSessionStatus::Live => EligibilityReason::Eligible,
    };
    let (minutes, lengths) = (session.minutes(), app.config.live.minutes.clone());
    let eligibility = Eligibility { reason, minutes, lengths, pool: None };
    Ok(Joined { session: Arc::new(session), attendance: None, eligibility })
}

/// Notes that a user has entered a locked session, which the first one starts.
async fn started(
    tx: &mut Tx,
    session: LiveSession,
    now: DateTime<Utc>,
) -> std::result::Result<LiveSession, InternalError> {
    match session.started_at {
        Some(_) => Ok(session),
        None => Ok(query::set_started(tx, session.id, now).await?),
    }
}

async fn join(
    tx: &mut Tx,
    app: &App,
    mut session: LiveSession,
    user: UserId,
    wait: bool,
) -> std::result::Result<Joined, InternalError> {
    let now = app.clock.now();
    let old = attendance::of(tx.conn(), &[session.id], &[user]).await?.pop();
    let mut eligibility = seat::judge(tx, app, &session, user, old.as_ref().map(|old| old.status)).await?;
    let waits = old.as_ref().is_some_and(|old| old.status == AttendanceStatus::Waiting);
    let mut place = match (eligibility.reason, &mut eligibility.pool) {
        (EligibilityReason::Eligible, Some(pool)) => {
            Some(seat::take(tx, app, &session, pool, (AttendanceStatus::Held, now)).await?)
        }
        (EligibilityReason::Full, Some(pool)) if wait && !waits => {
            Some(seat::take(tx, app, &session, pool, (AttendanceStatus::Waiting, now)).await?)
        }
        _ => old,
    };
    // Who has a seat, but no membership anymore, is not let in.
    if let Some(row) = place.as_mut().filter(|_| eligibility.can_attend() && session.is_open(now)) {
        if row.joined_at.is_none() || row.left_at.is_some() {
            let joined_at = row.joined_at.or(Some(now));
            *row = attendance::set(tx, &Attendance { joined_at, left_at: None, ..row.clone() }).await?;
        }
        session = started(tx, session, now).await?;
    }
    Ok(Joined { session: Arc::new(session), attendance: place, eligibility })
}

/// Leaves a session. Before its start, the seat goes to who waits for one, and the hours are given back; later, only the
/// time is noted.
///
/// # Errors
/// There is no such session, or the user has no place in it.
pub async fn leave_session(
    loaders: &Loaders,
    actor: &Actor,
    input: LeaveLiveSessionInput,
) -> Result<(Arc<LiveSession>, Attendance)> {
    let (app, user, id) = (loaders.app(), viewer(actor)?, input.live_session_id);
    app.db
        .transaction(async |tx| {
            let session = query::lock(tx, id).await?.ok_or_else(|| error::no_such_session(id))?;
            let row = attendance::of(tx.conn(), &[id], &[user]).await?.pop().ok_or_else(error::not_joined)?;
            let left = leave(tx, app, &session, row).await?;
            Ok::<_, Error>((Arc::new(session), left))
        })
        .await
}

async fn leave(
    tx: &mut Tx,
    app: &App,
    session: &LiveSession,
    row: Attendance,
) -> std::result::Result<Attendance, InternalError> {
    let now = app.clock.now();
    let has_seat = row.status == AttendanceStatus::Held;
    match session.status(now) {
        LiveSessionStatus::Scheduled if has_seat => {
            let released = seat::release(tx, app, &row).await?;
            seat::move_up(tx, app, session).await?;
            Ok(released)
        }
        LiveSessionStatus::Scheduled | LiveSessionStatus::Live if row.status == AttendanceStatus::Waiting => {
            seat::release(tx, app, &row).await
        }
        LiveSessionStatus::Live if has_seat && row.joined_at.is_some() => {
            Ok(attendance::set(tx, &Attendance { left_at: Some(now), ..row }).await?)
        }
        _ => Ok(row),
    }
}

/// Cancels the sessions to come of a deleted user, takes their places back, and removes their calendar. What they
/// attended stays, without their name.
///
/// # Errors
/// The database failed.
pub(crate) async fn forget_user(app: &App, user: UserId) -> std::result::Result<(), InternalError> {
    calendar::remove(&mut app.db.write().await?, user).await?;
    cancel_all(app, SessionWhich { host: Some(user), ..SessionWhich::default() }).await?;
    loop {
        let open = attendance::open_of(&mut *app.db.read().await?, user).await?;
        if open.is_empty() {
            return Ok(());
        }
        for id in open {
            app.db.transaction(async |tx| give_up(tx, app, id, user).await).await?;
        }
    }
}

async fn give_up(tx: &mut Tx, app: &App, id: LiveSessionId, user: UserId) -> std::result::Result<(), InternalError> {
    let Some(session) = query::lock(tx, id).await? else { return Ok(()) };
    let Some(row) = attendance::of(tx.conn(), &[id], &[user]).await?.pop() else { return Ok(()) };
    if matches!(row.status, AttendanceStatus::Held | AttendanceStatus::Waiting) {
        seat::release(tx, app, &row).await?;
        if session.status(app.clock.now()) == LiveSessionStatus::Scheduled {
            seat::move_up(tx, app, &session).await?;
        }
    }
    Ok(())
}
