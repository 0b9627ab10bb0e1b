//! Seats of a locked session, with the minutes that they hold.

use chrono::NaiveDate;

use super::usage::{allowance, asked_at, has_begun};
use crate::accounts::{self, UserId};
use crate::graphql::YearMonth;
use crate::live::event::{LiveSeatGranted, LiveUsageChanged};
use crate::live::model::{
    Attendance, AttendanceId, AttendanceStatus, Eligibility, EligibilityReason, LiveSession, Place, Usage, UsageWarning,
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

/// Decides whether a user can get a seat in a locked session, and locks their month if they have hours.
pub(super) async fn judge(
    tx: &mut Tx,
    app: &App,
    session: &LiveSession,
    user: UserId,
    place: Option<AttendanceStatus>,
) -> Result<Eligibility, InternalError> {
    let (now, month) = (app.clock.now(), month_of(app, session));
    let account = accounts::user_by_id(tx, user).await?;
    let found = memberships::live_allowance(tx, &[user], asked_at(app, month)).await?;
    let allowance = allowance(app, found.get(&user));
    let usage = match allowance {
        Some(_) => usage::lock(tx, user, month).await?.with_allowance(allowance, has_begun(app, month)),
        None => Usage::empty(user, month, 0),
    };
    let seats = attendance::seats(tx.conn(), &[session.id]).await?.pop().map(|(_, seats)| seats).unwrap_or_default();
    let facts = Facts {
        status: session.status(now),
        is_banned: account.is_none_or(|account| account.is_banned(now)),
        place,
        has_valid_length: app.config.live.minutes.contains(&session.minutes()),
        allowance,
        remaining: usage.remaining(),
        minutes: session.minutes(),
        seats_left: seats.left(session.capacity),
    };
    Ok(Eligibility {
        reason: policy::eligibility(&facts),
        minutes: session.minutes(),
        lengths: app.config.live.minutes.clone(),
        usage: Some(usage),
    })
}

/// Gives a user a seat, or a place in the waiting list, in a locked session. Their month is locked.
pub(super) async fn take(
    tx: &mut Tx,
    app: &App,
    session: &LiveSession,
    usage: &Usage,
    status: AttendanceStatus,
) -> Result<Attendance, InternalError> {
    let now = app.clock.now();
    if status == AttendanceStatus::Held {
        let held_minutes = usage.held_minutes + session.minutes();
        write(tx, app, usage.warning(), &Usage { held_minutes, ..usage.clone() }).await?;
    }
    let place = Place {
        status,
        minutes: session.minutes(),
        month: usage.month,
        since: now,
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

/// The number of users of a waiting list that are looked at together.
const BATCH: i64 = 50;

/// Gives the free seats of a locked session to those who wait, in their order. Who can no longer attend leaves the list.
pub(super) async fn move_up(tx: &mut Tx, app: &App, session: &LiveSession) -> Result<(), InternalError> {
    loop {
        let waiting = attendance::in_state(tx, session.id, AttendanceStatus::Waiting, BATCH).await?;
        if waiting.is_empty() {
            return Ok(());
        }
        for row in waiting {
            let judged = judge(tx, app, session, row.user_id, Some(row.status)).await?;
            match (judged.reason, &judged.usage) {
                (EligibilityReason::Full, _) => return Ok(()),
                (EligibilityReason::Eligible, Some(usage)) => {
                    let seated = take(tx, app, session, usage, AttendanceStatus::Held).await?;
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
