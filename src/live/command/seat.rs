//! Seats of a locked session, with the minutes that they hold.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::extra::bought;
use super::usage::{allowance, as_of_now, is_over, next, previous};
use crate::accounts::{self, UserId};
use crate::graphql::YearMonth;
use crate::live::event::{LiveSeatGranted, LiveSeatLost, LiveUsageChanged};
use crate::live::model::{
    Allowance, Attendance, AttendanceId, AttendanceStatus, Eligibility, EligibilityReason, LiveSession, LiveSessionId,
    MemberUsage, Place, Pool, Usage, UsageWarning,
};
use crate::live::policy::{self, Facts};
use crate::live::query::{attendance, family, session as session_query, usage};
use crate::memberships::{self, LiveAllowance};
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::outbox;

/// The most users on a waiting list who are passed over one after the other.
const MOST_PASSED: i64 = 20;

/// The first day of the month that a session is charged to.
pub(super) fn month_of(app: &App, session: &LiveSession) -> NaiveDate {
    YearMonth::of(session.starts_at, app.config.time_zone).first_day()
}

/// Returns a month of a user as it is now, given the minutes of extra hours that they have bought for it, and the minutes
/// of it that are spent in later months; `rows` are the months of the user from the one before it on.
fn month_in(
    app: &App,
    rows: &[Usage],
    (user, month): (UserId, NaiveDate),
    (allowance, extra): (Option<Allowance>, i32),
) -> (Usage, i32) {
    let row = |of: NaiveDate| rows.iter().find(|row| row.month == of).cloned();
    let usage = as_of_now(app, (row(month), row(previous(month))), (user, month), allowance).with_extra(extra);
    let later: Vec<Usage> = rows.iter().filter(|row| row.month > month).cloned().collect();
    let lent = usage.lent(&later);
    (usage, lent)
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
    let found = found.get(&user);
    let (payer, allowance) = (found.map_or(user, |found| found.payer), allowance(app, found));
    let extra = bought(tx, payer, month).await?;
    let rows = usage::since(tx.conn(), payer, previous(month)).await?;
    let (usage, lent) = month_in(app, &rows, (payer, month), (allowance, extra));
    let mut pool = Pool { usage, member: member_in(tx, (user, month), found).await? };
    let seats = attendance::seats(tx.conn(), &[session.id]).await?.pop().map(|(_, seats)| seats).unwrap_or_default();
    let mut facts = Facts {
        status: session.status(now),
        is_banned: account.is_none_or(|account| account.is_banned(now)),
        place,
        has_valid_length: app.config.live.minutes.contains(&session.minutes()),
        allowance,
        remaining: pool.usage.remaining() - lent,
        member_remaining: pool.member_remaining(),
        minutes: session.minutes(),
        seats_left: seats.left(session.capacity),
    };
    if policy::eligibility(&facts) == EligibilityReason::Eligible {
        // Only users with seats have a row. Its hours may have been spent since it was read, and so may those that were
        // left of the month before.
        usage::make(tx, payer, month).await?;
        let rows = usage::lock_since(tx, payer, previous(month)).await?;
        let (usage, lent) = month_in(app, &rows, (payer, month), (allowance, extra));
        pool = Pool { usage, member: member_in(tx, (user, month), found).await? };
        facts.remaining = pool.usage.remaining() - lent;
        facts.member_remaining = pool.member_remaining();
    }
    Ok(Eligibility {
        reason: policy::eligibility(&facts),
        minutes: session.minutes(),
        lengths: app.config.live.minutes.clone(),
        pool: Some(pool),
    })
}

/// Returns what a user has of the hours of the family in a month, given what their membership allows; `None` if they
/// have hours of their own.
async fn member_in(
    tx: &mut Tx,
    (user, month): (UserId, NaiveDate),
    found: Option<&LiveAllowance>,
) -> Result<Option<MemberUsage>, InternalError> {
    let Some(found) = found.filter(|found| found.payer != user) else { return Ok(None) };
    let row = family::one(tx, (user, month, found.payer)).await?;
    Ok(Some(row.with_limit(found.family_member_minutes)))
}

/// Locks the hours that pay for a seat in a locked session.
async fn lock_pool(tx: &mut Tx, row: &Attendance) -> Result<Pool, InternalError> {
    let usage = usage::lock(tx, row.payer(), row.month).await?;
    let member = match row.payer_id {
        Some(payer) => Some(family::one(tx, (row.user_id, row.month, payer)).await?),
        None => None,
    };
    Ok(Pool { usage, member })
}

/// Gives a user a seat, or a place in the waiting list, in a locked session; it counts as theirs from `since` on. For a
/// seat, their month is locked, and `pool` has its minutes afterwards.
pub(super) async fn take(
    tx: &mut Tx,
    app: &App,
    session: &LiveSession,
    pool: &mut Pool,
    (status, since): (AttendanceStatus, DateTime<Utc>),
) -> Result<Attendance, InternalError> {
    if status == AttendanceStatus::Held {
        let before = pool.usage.warning();
        pool.hold(session.minutes());
        write_pool(tx, app, before, pool).await?;
    }
    let place = Place {
        status,
        minutes: session.minutes(),
        month: pool.usage.month,
        since,
        joined_at: None,
        left_at: None,
        recorded: None,
        payer_id: pool.payer(),
    };
    if session.had_places != Some(true) {
        session_query::set_had_places(tx, session.id).await?;
    }
    let ids = (AttendanceId::new(app.clock.uuid()), session.id, pool.user());
    Ok(attendance::place(tx, ids, &place).await?)
}

/// Takes a place in a locked session back, with the minutes that it holds.
pub(super) async fn release(tx: &mut Tx, app: &App, row: &Attendance) -> Result<Attendance, InternalError> {
    if row.status == AttendanceStatus::Held {
        let mut pool = lock_pool(tx, row).await?;
        let before = pool.usage.warning();
        pool.hold(-row.minutes);
        write_pool(tx, app, before, &pool).await?;
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

/// Writes what the memberships of users whose hours pay for a seat in a locked session give in its month now, and what
/// was rolled over into it. What is left of a month depends on it, and a month that was booked before it has begun has
/// nothing rolled over yet.
pub(super) async fn keep_allowance(
    tx: &mut Tx,
    app: &App,
    session: &LiveSession,
    users: &[UserId],
) -> Result<(), InternalError> {
    let month = month_of(app, session);
    // A plan that was changed after the start counts in the same month.
    let at = if is_over(app, month) { session.starts_at } else { session.starts_at.max(app.clock.now()) };
    let mut found = memberships::live_allowance(tx, users, at).await?;
    // Not those of the family that a user has joined since.
    found.retain(|user, found| found.payer == *user);
    if found.is_empty() {
        return Ok(());
    }
    let (users, months): (Vec<UserId>, _) = (found.keys().copied().collect(), [previous(month), month]);
    usage::lock_all(tx, &users, &months).await?;
    let rows = usage::of(tx.conn(), &users, &months).await?;
    let known: HashMap<_, _> = rows.into_iter().map(|row| ((row.user_id, row.month), row)).collect();
    for (user, found) in &found {
        let Some(old) = known.get(&(*user, month)) else { continue };
        let before = known.get(&(*user, previous(month))).cloned();
        let new = as_of_now(app, (Some(old.clone()), before), (*user, month), allowance(app, Some(found)));
        let new = new.with_extra(old.extra_minutes);
        if new != *old {
            usage::set(tx, &new).await?;
        }
    }
    Ok(())
}

/// Locks the hours that an attendance of a locked session is charged to. Their month has the extra hours that are bought
/// now, and while it is not over, what the membership gives and what is rolled over into it now.
pub(super) async fn lock_charged(
    tx: &mut Tx,
    app: &App,
    session: &LiveSession,
    row: &Attendance,
) -> Result<Pool, InternalError> {
    if !is_over(app, row.month) {
        keep_allowance(tx, app, session, &[row.payer()]).await?;
    }
    let mut pool = lock_pool(tx, row).await?;
    if let Some(member) = pool.member.take() {
        let found = memberships::live_allowance(tx, &[row.user_id], session.starts_at.max(app.clock.now())).await?;
        let found = found.get(&row.user_id).filter(|found| found.payer == member.payer_id);
        // Of who has left the family since, it stays.
        let limit = found.map_or(member.allowed_minutes, |found| found.family_member_minutes);
        pool.member = Some(member.with_limit(limit));
    }
    let extra = bought(tx, row.payer(), row.month).await?;
    pool.usage = pool.usage.with_extra(extra);
    Ok(pool)
}

/// Returns the minutes of a locked month that are spent in later ones, which are locked as well.
pub(super) async fn lent(tx: &mut Tx, app: &App, month: &Usage) -> Result<i32, InternalError> {
    Ok(month.lent(&later(tx, app, month).await?))
}

/// Returns the months after a locked one, earliest first, and locks them; none while it is not over, as nothing is rolled
/// over until then.
async fn later(tx: &mut Tx, app: &App, month: &Usage) -> Result<Vec<Usage>, InternalError> {
    if !is_over(app, month.month) {
        return Ok(Vec::new());
    }
    Ok(usage::lock_since(tx, month.user_id, next(month.month)).await?)
}

/// Writes locked hours, and tells of them; `before` is how much was left.
pub(super) async fn write_pool(tx: &mut Tx, app: &App, before: UsageWarning, pool: &Pool) -> Result<(), InternalError> {
    if let Some(member) = &pool.member {
        family::set(tx, member).await?;
    }
    write(tx, app, before, &pool.usage).await
}

/// Writes a locked month, and tells of it; `before` is how much was left. What is spent in a month that is over comes off
/// what was rolled over into the later ones.
async fn write(tx: &mut Tx, app: &App, before: UsageWarning, usage: &Usage) -> Result<(), InternalError> {
    write_one(tx, app, before, usage).await?;
    let later = later(tx, app, usage).await?;
    for (old, new) in usage.taken_from(&later) {
        write_one(tx, app, old.warning(), &new).await?;
    }
    Ok(())
}

/// Like [`write()`], of a change after which the later months stay as they are.
pub(super) async fn write_one(
    tx: &mut Tx,
    app: &App,
    before: UsageWarning,
    usage: &Usage,
) -> Result<(), InternalError> {
    usage::set(tx, usage).await?;
    let family = memberships::families_of(tx.conn(), &[usage.user_id]).await?;
    let changed = LiveUsageChanged {
        user: usage.user_id,
        family: family.into_iter().map(|(_, member)| member).collect(),
        month: usage.month,
        nearly_used: before < UsageWarning::NearlyUsed && usage.warning() == UsageWarning::NearlyUsed,
        used_up: before < UsageWarning::UsedUp && usage.warning() == UsageWarning::UsedUp,
    };
    outbox::record(tx, &app.clock, &changed).await?;
    Ok(())
}

/// Tells of months in which fewer hours are held than before.
pub(super) async fn tell_of_usage(tx: &mut Tx, app: &App, months: &[Usage]) -> Result<(), InternalError> {
    let users: Vec<UserId> = months.iter().map(|row| row.user_id).collect();
    let families = memberships::families_of(tx.conn(), &users).await?;
    let changed = |row: &Usage| {
        let of = families.iter().filter(|(owner, _)| *owner == row.user_id);
        let family = of.map(|(_, member)| *member).collect();
        LiveUsageChanged { user: row.user_id, family, month: row.month, nearly_used: false, used_up: false }
    };
    outbox::record_all(tx, &app.clock, &months.iter().map(changed).collect::<Vec<_>>()).await?;
    Ok(())
}

/// Gives the free seats of a locked session to those who wait, in their order. Who lacks hours is passed over and keeps
/// the place; who can no longer attend leaves the list. After [`MOST_PASSED`] one after the other, those behind them are not
/// looked at, as the session is locked meanwhile.
pub(super) async fn move_up(tx: &mut Tx, app: &App, session: &LiveSession) -> Result<(), InternalError> {
    let seats = attendance::seats(tx.conn(), &[session.id]).await?.pop().map(|(_, seats)| seats).unwrap_or_default();
    let mut free = seats.left(session.capacity);
    let mut passed = 0;
    let mut after = (DateTime::<Utc>::UNIX_EPOCH, AttendanceId::new(Uuid::nil()));
    loop {
        let waiting = attendance::waiting(tx, session.id, after).await?;
        let Some(last) = waiting.last() else { return Ok(()) };
        after = (last.since, last.id);
        for row in waiting {
            if free == Some(0) || passed == MOST_PASSED {
                return Ok(());
            }
            let mut judged = judge(tx, app, session, row.user_id, Some(row.status)).await?;
            match (judged.reason, &mut judged.pool) {
                (EligibilityReason::InsufficientHours | EligibilityReason::FamilyLimitReached, _) => passed += 1,
                (EligibilityReason::Eligible, Some(pool)) => {
                    let held = (AttendanceStatus::Held, app.clock.now());
                    let seated = take(tx, app, session, pool, held).await?;
                    let granted = LiveSeatGranted { session: session.id, participant: row.user_id, at: seated.since };
                    outbox::record(tx, &app.clock, &granted).await?;
                    (free, passed) = (free.map(|free| free - 1), 0);
                }
                _ => {
                    release(tx, app, &row).await?;
                }
            }
        }
    }
}
