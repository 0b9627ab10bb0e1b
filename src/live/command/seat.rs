//! Seats of a locked session, with the minutes that they hold.

use chrono::{DateTime, NaiveDate, Utc};

use super::usage::{allowance, start_of};
use crate::accounts::{self, UserId};
use crate::graphql::YearMonth;
use crate::live::event::{LiveSeatGranted, LiveSeatLost, LiveUsageChanged};
use crate::live::model::{
    Attendance, AttendanceId, AttendanceStatus, Eligibility, EligibilityReason, LiveSession, LiveSessionId, Place,
    Usage, UsageWarning,
};
use crate::live::policy::{self, Facts};
use crate::live::query::{attendance, usage};
use crate::memberships;
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::outbox;

/// The first day of the month that a session is charged to.
pub(super) fn month_of(app: &App, session: &LiveSession) -> NaiveDate {
    YearMonth::of(session.starts_at, app.config.time_zone).first_day()
}

/// Decides whether a user can get a seat in a locked session, and locks the month of those who can.
pub(super) async fn judge(
    tx: &mut Tx,
    app: &App,
    session: &LiveSession,
    user: UserId,
    place: Option<AttendanceStatus>,
) -> Result<Eligibility, InternalError> {
    let (now, month) = (app.clock.now(), month_of(app, session));
    let account = accounts::user_by_id(tx, user).await?;
    let found = memberships::live_allowance(tx, &[user], session.starts_at.max(now)).await?;
    let (allowance, start) = (allowance(app, found.get(&user)), start_of(app, month));
    let stored = usage::of(tx.conn(), &[user], &[month]).await?.pop();
    let mut usage = stored.unwrap_or_else(|| Usage::empty(user, month)).with_allowance(allowance, start);
    let seats = attendance::seats(tx.conn(), &[session.id]).await?.pop().map(|(_, seats)| seats).unwrap_or_default();
    let mut facts = Facts {
        status: session.status(now),
        is_banned: account.is_none_or(|account| account.is_banned(now)),
        place,
        has_valid_length: app.config.live.minutes.contains(&session.minutes()),
        allowance,
        remaining: usage.remaining(),
        minutes: session.minutes(),
        seats_left: seats.left(session.capacity),
    };
    if policy::eligibility(&facts) == EligibilityReason::Eligible {
        // Locking makes the row, which only users with seats have. Its hours may have been spent since it was read.
        usage = usage::lock(tx, user, month).await?.with_allowance(allowance, start);
        facts.remaining = usage.remaining();
    }
    Ok(Eligibility {
        reason: policy::eligibility(&facts),
        minutes: session.minutes(),
        lengths: app.config.live.minutes.clone(),
        usage: Some(usage),
    })
}

/// Gives a user a seat, or a place in the waiting list, in a locked session; it counts as theirs from `since` on. For a
/// seat, their month is locked.
pub(super) async fn take(
    tx: &mut Tx,
    app: &App,
    session: &LiveSession,
    usage: &Usage,
    (status, since): (AttendanceStatus, DateTime<Utc>),
) -> Result<Attendance, InternalError> {
    if status == AttendanceStatus::Held {
        let held_minutes = usage.held_minutes + session.minutes();
        write(tx, app, usage.warning(), &Usage { held_minutes, ..usage.clone() }).await?;
    }
    let place = Place {
        status,
        minutes: session.minutes(),
        month: usage.month,
        since,
        joined_at: None,
        left_at: None,
        recorded: None,
    };
    let ids = (AttendanceId::new(app.clock.uuid()), session.id, usage.user_id);
    Ok(attendance::place(tx, ids, &place).await?)
}

/// Takes a place in a locked session back, with the minutes that it holds.
pub(super) async fn release(tx: &mut Tx, app: &App, row: &Attendance) -> Result<Attendance, InternalError> {
    if row.status == AttendanceStatus::Held {
        let month = usage::lock(tx, row.user_id, row.month).await?;
        let held_minutes = month.held_minutes - row.minutes;
        write(tx, app, month.warning(), &Usage { held_minutes, ..month }).await?;
    }
    Ok(attendance::set(tx, &Attendance { status: AttendanceStatus::Released, ..row.clone() }).await?)
}

/// Tells a user that their seat in a session was taken back because nothing covers it anymore.
pub(super) async fn tell_of_loss(
    tx: &mut Tx,
    app: &App,
    session: LiveSessionId,
    participant: UserId,
) -> Result<(), InternalError> {
    let lost = LiveSeatLost { session, participant, at: app.clock.now() };
    outbox::record(tx, &app.clock, &lost).await?;
    Ok(())
}

/// Writes a locked month, and tells of it; `before` is how much was left.
pub(super) async fn write(tx: &mut Tx, app: &App, before: UsageWarning, usage: &Usage) -> Result<(), InternalError> {
    usage::set(tx, usage).await?;
    let changed = LiveUsageChanged {
        user: usage.user_id,
        month: usage.month,
        nearly_used: before < UsageWarning::NearlyUsed && usage.warning() == UsageWarning::NearlyUsed,
        used_up: before < UsageWarning::UsedUp && usage.warning() == UsageWarning::UsedUp,
    };
    outbox::record(tx, &app.clock, &changed).await?;
    Ok(())
}

/// Tells of months in which fewer hours are held than before.
pub(super) async fn tell_of_usage(tx: &mut Tx, app: &App, months: &[Usage]) -> Result<(), InternalError> {
    let changed =
        |row: &Usage| LiveUsageChanged { user: row.user_id, month: row.month, nearly_used: false, used_up: false };
    outbox::record_all(tx, &app.clock, &months.iter().map(changed).collect::<Vec<_>>()).await?;
    Ok(())
}

/// Gives the free seats of a locked session to those who wait, in their order. Who can no longer attend leaves the list.
pub(super) async fn move_up(tx: &mut Tx, app: &App, session: &LiveSession) -> Result<(), InternalError> {
    loop {
        let waiting = attendance::waiting(tx, session.id).await?;
        if waiting.is_empty() {
            return Ok(());
        }
        for row in waiting {
            let judged = judge(tx, app, session, row.user_id, Some(row.status)).await?;
            match (judged.reason, &judged.usage) {
                (EligibilityReason::Full, _) => return Ok(()),
                (EligibilityReason::Eligible, Some(usage)) => {
                    let held = (AttendanceStatus::Held, app.clock.now());
                    let seated = take(tx, app, session, usage, held).await?;
                    let granted = LiveSeatGranted { session: session.id, participant: row.user_id, at: seated.since };
                    outbox::record(tx, &app.clock, &granted).await?;
                }
                _ => {
                    release(tx, app, &row).await?;
                }
            }
        }
    }
}
