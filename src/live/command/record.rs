//! Records who was in a session.

use std::collections::HashSet;

use super::seat;
use super::update::managed;
use crate::graphql::error::{Check, UserErrorCode};
use crate::graphql::loaders::Loaders;
use crate::graphql::{Error, Result};
use crate::live::error;
use crate::live::model::{
    Attendance, AttendanceStatus, Eligibility, EligibilityReason, LiveSession, LiveSessionStatus,
    RecordAttendanceInput, wrong_length,
};
use crate::live::query::{attendance, session as query};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;

const MOST_ENTRIES: usize = 500;

/// Records who was in a session and who was not: all entries, or none. Doing so again changes nothing.
///
/// Until the session is settled, this is only noted; afterwards, it moves the minutes in the users' months.
///
/// # Errors
/// There is no such session, it has not started, or its length is not allowed; an entry is of a user who has no seat,
/// or whose hours do not suffice; the actor does not manage the session.
pub async fn record_attendance(
    loaders: &Loaders,
    actor: &Actor,
    input: RecordAttendanceInput,
) -> Result<Vec<Attendance>> {
    let (app, id) = (loaders.app(), input.live_session_id);
    managed(loaders, actor, id).await?;
    check(&input)?;
    app.db
        .transaction(async |tx| {
            let session = query::lock(tx, id).await?.ok_or_else(|| error::no_such_session(id))?;
            check_session(app, &session)?;
            let users: Vec<_> = input.entries.iter().map(|entry| entry.user_id).collect();
            let rows = attendance::of(tx.conn(), &[id], &users).await?;
            let mut entries = Vec::new();
            for (place, entry) in input.entries.iter().enumerate() {
                let row = rows.iter().find(|row| row.user_id == entry.user_id);
                entries.push((row.map_or(entry.user_id, Attendance::payer), row, (place, entry.attended)));
            }
            // In the order in which other transactions lock the months.
            entries.sort_by_key(|(payer, ..)| payer.uuid());
            let mut recorded = Vec::new();
            for (_, row, entry) in entries {
                recorded.push((entry.0, record(tx, app, &session, row, entry).await?));
            }
            recorded.sort_by_key(|(place, _)| *place);
            Ok::<_, Error>(recorded.into_iter().map(|(_, row)| row).collect())
        })
        .await
}

fn check(input: &RecordAttendanceInput) -> Result<()> {
    let mut check = Check::new();
    match input.entries.len() {
        0 => check.error(UserErrorCode::Blank, "entries", "There is nothing to record."),
        1..=MOST_ENTRIES => {}
        _ => check.error(UserErrorCode::TooLong, "entries", format!("At most {MOST_ENTRIES} entries are allowed.")),
    }
    let mut seen = HashSet::new();
    if !input.entries.iter().all(|entry| seen.insert(entry.user_id)) {
        check.error(UserErrorCode::Invalid, "entries", "A user is in two entries.");
    }
    check.finish()
}

fn check_session(app: &App, session: &LiveSession) -> Result<()> {
    let (minutes, allowed) = (session.minutes(), &app.config.live.minutes);
    if !allowed.contains(&minutes) {
        let message = wrong_length(allowed, i64::from(minutes));
        return Err(Error::invalid(UserErrorCode::NotAllowed, &["liveSessionId"], message));
    }
    match session.status(app.clock.now()) {
        LiveSessionStatus::Scheduled => Err(error::not_started()),
        LiveSessionStatus::Canceled => Err(error::is_over()),
        LiveSessionStatus::Live | LiveSessionStatus::Ended => Ok(()),
    }
}

/// Records an entry, given the user's place in the locked session.
async fn record(
    tx: &mut Tx,
    app: &App,
    session: &LiveSession,
    row: Option<&Attendance>,
    (place, attended): (usize, bool),
) -> Result<Attendance> {
    let no_seat = || error::bad_entry(place, UserErrorCode::NotFound, "This user has no seat in the session.");
    let Some(row) = row else { return no_seat() };
    match row.status {
        AttendanceStatus::Waiting | AttendanceStatus::Released => no_seat(),
        AttendanceStatus::Held if row.recorded == Some(attended) => Ok(row.clone()),
        AttendanceStatus::Held => {
            Ok(attendance::set(tx, &Attendance { recorded: Some(attended), ..row.clone() }).await?)
        }
        AttendanceStatus::Attended if attended => Ok(row.clone()),
        AttendanceStatus::Absent if !attended => Ok(row.clone()),
        AttendanceStatus::Attended | AttendanceStatus::Absent => {
            correct(tx, app, session, row, (place, attended)).await
        }
    }
}

/// Changes a settled attendance to the opposite, and moves its minutes.
async fn correct(
    tx: &mut Tx,
    app: &App,
    session: &LiveSession,
    row: &Attendance,
    (place, attended): (usize, bool),
) -> Result<Attendance> {
    let mut pool = seat::lock_charged(tx, app, session, row).await?;
    let (before, minutes) = (pool.usage.warning(), if attended { row.minutes } else { -row.minutes });
    // What was rolled over into a later month and is spent there is not left anymore.
    let lent = seat::lent(tx, app, &pool.usage).await?;
    let reason = if pool.usage.remaining() - lent < minutes {
        Some(EligibilityReason::InsufficientHours)
    } else {
        pool.member_remaining().filter(|left| *left < minutes).map(|_| EligibilityReason::FamilyLimitReached)
    };
    if let Some(reason) = reason.filter(|_| attended) {
        pool.usage.held_minutes += lent;
        let eligibility = Eligibility { reason, minutes: row.minutes, lengths: Vec::new(), pool: Some(pool) };
        return error::bad_entry(place, UserErrorCode::NotAllowed, eligibility.message());
    }
    pool.correct(minutes, row.joined_at.unwrap_or(session.starts_at));
    seat::write_pool(tx, app, before, &pool).await?;
    let status = if attended { AttendanceStatus::Attended } else { AttendanceStatus::Absent };
    Ok(attendance::set(tx, &Attendance { status, recorded: Some(attended), ..row.clone() }).await?)
}
