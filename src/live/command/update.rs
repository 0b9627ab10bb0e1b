//! Changes sessions.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::create::{check_capacity, check_times, check_title, check_url};
use super::seat::{self, month_of};
use super::usage::previous;
use crate::graphql::error::{Check, Edit};
use crate::graphql::loaders::Loaders;
use crate::graphql::{Error, Result};
use crate::live::command::cancel::tell_participants;
use crate::live::event::SessionChange;
use crate::live::loader::LiveSessionById;
use crate::live::model::{
    Attendance, AttendanceStatus, EligibilityReason, LiveSession, LiveSessionId, LiveSessionStatus, NewTimes,
    SeriesScope, SessionChanges, UpdateLiveSessionInput, next_reminder, shifted,
};
use crate::live::query::{attendance, session as query, usage};
use crate::live::{command, error, policy};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

/// Returns a session that the actor manages.
///
/// # Errors
/// There is no such session, or the actor does not manage it.
pub(super) async fn managed(loaders: &Loaders, actor: &Actor, id: LiveSessionId) -> Result<LiveSession> {
    let session = loaders.load(LiveSessionById(id)).await?.ok_or_else(|| error::no_such_session(id))?;
    if !command::sees(loaders, actor, &session).await? {
        return Err(error::no_such_session(id));
    }
    if !policy::can_manage(actor, &session) {
        return Err(error::may_not_manage());
    }
    Ok(session.as_ref().clone())
}

/// Locks a session and those of its series that a change is about, which have neither started nor were canceled.
/// The session itself is the first one.
pub(super) async fn lock_scope(
    tx: &mut Tx,
    app: &App,
    id: LiveSessionId,
    scope: SeriesScope,
) -> Result<(LiveSession, Vec<LiveSession>)> {
    let now = app.clock.now();
    let found = query::by_ids(tx.conn(), &[id]).await?.pop().ok_or_else(|| error::no_such_session(id))?;
    let from = match scope {
        SeriesScope::One => None,
        SeriesScope::Following => found.series_id.map(|series| (series, found.starts_at)),
        SeriesScope::All => found.series_id.map(|series| (series, now.min(found.starts_at))),
    };
    let mut rows = match from {
        // Earliest first, so that two changes of a series do not wait for each other.
        Some((series, from)) => query::lock_series(tx, series, from).await?,
        None => Vec::new(),
    };
    rows.retain(|row| row.id != id && row.status(now) == LiveSessionStatus::Scheduled);
    let own = query::lock(tx, id).await?.ok_or_else(|| error::no_such_session(id))?;
    Ok((own, rows))
}

/// Changes a session that has not started, and others of its series.
///
/// # Errors
/// The input is invalid; there is no such session, or it has started or was canceled; the host is in another session
/// at the new time; more seats are taken than there would be; the actor does not manage it.
pub async fn update_session(
    loaders: &Loaders,
    actor: &Actor,
    input: UpdateLiveSessionInput,
) -> Result<Edit<Vec<LiveSession>>> {
    let app = loaders.app();
    let old = managed(loaders, actor, input.live_session_id).await?;
    let mut check = Check::new();
    let changes = SessionChanges {
        title: input.title.as_ref().map(|title| check_title(&mut check, title)),
        capacity: input.capacity.into(),
        meeting_url: input.meeting_url.as_opt_deref().map(|url| url.map(|url| check_url(&mut check, url))),
    };
    check_capacity(&mut check, changes.capacity.flatten());
    let moves = input.starts_at.is_some() || input.ends_at.is_some();
    let times = (input.starts_at.map_or(old.starts_at, |at| at.0), input.ends_at.map_or(old.ends_at, |at| at.0));
    if moves {
        check_times(&mut check, app, times.0, times.1);
    }
    check.finish()?;
    if !moves && changes.title.is_none() && changes.capacity.is_none() && changes.meeting_url.is_none() {
        return Err(error::nothing_to_change());
    }
    app.db
        .transaction(async |tx| {
            let (own, others) = lock_scope(tx, app, input.live_session_id, input.scope).await?;
            if own.version != input.version {
                return Ok(Edit::Conflict { version: own.version, current: vec![own] });
            }
            let status = own.status(app.clock.now());
            if status != LiveSessionStatus::Scheduled {
                return Err(error::not_scheduled(status));
            }
            let before: Vec<LiveSession> = [own].into_iter().chain(others).collect();
            if moves {
                move_all(tx, app, &before, times).await?;
            }
            let ids: Vec<_> = before.iter().map(|row| row.id).collect();
            let mut changed = query::change(tx, &ids, changes.clone()).await?;
            changed.sort_by_key(|row| (row.starts_at, row.id.uuid()));
            if moves || changes.capacity.is_some() {
                follow(tx, app, &before, &changed).await?;
            }
            Ok::<_, Error>(Edit::Saved(changed))
        })
        .await
}

/// Moves the first session to new times, and the others by as much. Those at another start have to be entered again.
async fn move_all(
    tx: &mut Tx,
    app: &App,
    sessions: &[LiveSession],
    (start, end): (DateTime<Utc>, DateTime<Utc>),
) -> Result<()> {
    let Some(own) = sessions.first() else { return Ok(()) };
    let zone = match own.series_id {
        Some(series) => query::zone(tx, series).await?,
        None => Tz::UTC,
    };
    let now = app.clock.now();
    let moved = |row: &LiveSession| {
        let starts_at = shifted(row.starts_at, zone, (own.starts_at, start));
        let (ends_at, remind_at) = (starts_at + (end - start), next_reminder(starts_at, now));
        NewTimes { id: row.id, starts_at, ends_at, remind_at }
    };
    let times: Vec<NewTimes> = sessions.iter().map(moved).collect();
    if times.iter().any(|row| row.starts_at <= now) {
        let mut check = Check::new();
        check_times(&mut check, app, now, now + (end - start));
        return check.finish();
    }
    query::reschedule(tx, &times).await.map_err(error::refused)?;
    // Who has entered before the start that was planned may not come to the new one.
    let starts = sessions.iter().zip(&times).filter(|(old, new)| old.starts_at != new.starts_at);
    let ids: Vec<LiveSessionId> = starts.map(|(old, _)| old.id).collect();
    attendance::forget_entries(tx, &ids).await?;
    Ok(())
}

/// Lets the places of changed sessions follow them: seats to another month or length, the waiting lists to more seats.
async fn follow(tx: &mut Tx, app: &App, before: &[LiveSession], changed: &[LiveSession]) -> Result<()> {
    let ids: Vec<_> = changed.iter().map(|row| row.id).collect();
    let seats: HashMap<_, _> = attendance::seats(tx.conn(), &ids).await?.into_iter().collect();
    let (mut moved, mut charged, mut waited) = (Vec::new(), Vec::new(), Vec::new());
    for row in changed {
        let seats = seats.get(&row.id).copied().unwrap_or_default();
        if row.capacity.is_some_and(|capacity| seats.taken > i64::from(capacity)) {
            return Err(error::too_few_seats(seats.taken));
        }
        if seats.waiting > 0 {
            waited.push(row);
        }
        let Some(old) = before.iter().find(|old| old.id == row.id) else { continue };
        if (row.starts_at, row.ends_at) != (old.starts_at, old.ends_at) {
            moved.push(row.id);
        }
        if month_of(app, row) != month_of(app, old) || row.minutes() != old.minutes() {
            charged.push(row);
        }
    }
    if !charged.is_empty() {
        charge_again(tx, app, &charged).await?;
    }
    if !moved.is_empty() {
        // Who has lost the seat was told that instead.
        tell_participants(tx, app, &moved, SessionChange::Rescheduled).await?;
    }
    for row in waited {
        seat::move_up(tx, app, row).await?;
    }
    Ok(())
}

/// Gives the minutes of all seats in sessions back, and takes those of the sessions as they are now. Who lacks them
/// loses the seat; the others keep it since when they had it.
async fn charge_again(tx: &mut Tx, app: &App, sessions: &[&LiveSession]) -> std::result::Result<(), InternalError> {
    let ids: Vec<_> = sessions.iter().map(|row| row.id).collect();
    let held = attendance::held(tx, &ids).await?;
    let users: Vec<_> = held.iter().map(Attendance::payer).collect();
    let months = sessions.iter().map(|row| month_of(app, row)).chain(held.iter().map(|row| row.month));
    // What is left of a month may count in the next one.
    let months: HashSet<NaiveDate> = months.flat_map(|month| [previous(month), month]).collect();
    let months: Vec<NaiveDate> = months.into_iter().collect();
    usage::lock_all(tx, &users, &months).await?;
    let given_back = attendance::release_seats(tx, &ids).await?;
    seat::tell_of_usage(tx, app, &given_back).await?;
    for row in held {
        let Some(session) = sessions.iter().find(|session| session.id == row.session_id) else { continue };
        let mut judged = seat::judge(tx, app, session, row.user_id, None).await?;
        match (judged.reason, &mut judged.pool) {
            (EligibilityReason::Eligible, Some(pool)) => {
                let taken = seat::take(tx, app, session, pool, (AttendanceStatus::Held, row.since)).await?;
                // Only the end is another one.
                if row.joined_at.is_some() {
                    let (joined_at, left_at) = (row.joined_at, row.left_at);
                    attendance::set(tx, &Attendance { joined_at, left_at, ..taken }).await?;
                }
            }
            _ => seat::tell_of_loss(tx, app, row.session_id, row.user_id).await?,
        }
    }
    Ok(())
}
