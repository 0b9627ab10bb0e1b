//! What a membership's access follows: its state, and the limits of its period.

use chrono::{DateTime, TimeDelta, Utc};
use croner::Cron;

use super::family;
use super::subscription::release;
use crate::catalog::CourseId;
use crate::entitlements::{self, EndReason, NewEntitlement, Source};
use crate::memberships::event::{MembershipChange, MembershipChanged};
use crate::memberships::model::{
    BillingInterval, LiveGiven, Membership, MembershipId, MembershipStatus, Period, PeriodReason, PlanKind, Step,
    Target, billing_time, end_of_interval, reminder_time,
};
use crate::memberships::port::{Held, Students};
use crate::memberships::query::{membership as rows, plan as plans};
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::outbox;

/// Takes a step of a locked membership; returns whether it is possible. Nothing is written.
pub(crate) fn step(app: &App, row: &mut Membership, step: Step) -> bool {
    let Some(status) = row.status.after(step) else { return false };
    row.status = status;
    row.ended_at = (status == MembershipStatus::Expired).then(|| app.clock.now());
    row.paused_at = (status == MembershipStatus::Paused).then(|| app.clock.now());
    if !status.renews() {
        row.billing_at = None;
        row.remind_at = None;
    }
    if status == MembershipStatus::Expired {
        row.next_price_id = None;
    }
    true
}

/// Writes a locked membership, and says what has happened. A subscription that would charge what is not to be charged
/// anymore is ended.
pub(crate) async fn write(
    tx: &mut Tx,
    app: &App,
    row: &mut Membership,
    change: MembershipChange,
) -> Result<(), InternalError> {
    if !row.may_have_subscription() {
        release(tx, app, row).await?;
    }
    let gave = given(tx, row.id).await?;
    rows::update(tx, row, app.clock.now()).await?;
    family::follow(tx, app, row).await?;
    tell_of(tx, app, row, (change, gave)).await
}

/// Returns the live classes that a locked membership gives as it is stored.
pub(crate) async fn given(tx: &mut Tx, id: MembershipId) -> Result<Option<LiveGiven>, InternalError> {
    let gives = |row: &Membership| row.kind == PlanKind::LiveClass && row.status.is_entitled();
    let Some(row) = rows::by_id(tx.conn(), id).await?.filter(gives) else { return Ok(None) };
    let plan = plans::by_id(tx.conn(), row.plan_id).await?;
    Ok(plan.and_then(|plan| LiveGiven::of(&row, &plan)))
}

/// Says what has happened to a membership that gives the same as before.
pub(crate) async fn tell(
    tx: &mut Tx,
    app: &App,
    row: &Membership,
    change: MembershipChange,
) -> Result<(), InternalError> {
    tell_of(tx, app, row, (change, None)).await
}

/// Says what has happened to a membership, and what it gave until then.
pub(crate) async fn tell_of(
    tx: &mut Tx,
    app: &App,
    row: &Membership,
    (change, gave): (MembershipChange, Option<LiveGiven>),
) -> Result<(), InternalError> {
    let event = MembershipChanged {
        membership: row.id,
        member: row.user_id,
        plan: row.plan_id,
        change,
        status: row.status,
        at: app.clock.now(),
        gave,
    };
    outbox::record(tx, &app.clock, &event).await?;
    Ok(())
}

/// Sets when the next period of a membership is charged, and when its member is reminded, from the end of this one.
pub(crate) fn plan_billing(app: &App, held: &mut Held, reason: PeriodReason) {
    let zone = app.config.time_zone;
    let (Some(start), Some(end)) = (held.row.period_starts_at, held.row.period_ends_at) else { return };
    // Checked when it was set.
    let cron = held.plan.renewal_cron.as_deref().and_then(|text| text.parse::<Cron>().ok());
    let billing = billing_time(end, cron.as_ref(), zone);
    held.row.billing_at = Some(billing);
    let remind = reminder_time(start, billing, reason, held.price.billing_interval);
    held.row.remind_at = remind.filter(|at| *at > app.clock.now());
    held.row.failures = 0;
    held.row.failed_at = None;
}

/// Returns until when there is access while a renewal that is tried at `from` is in flight.
pub(crate) fn end_of_grace(app: &App, from: DateTime<Utc>) -> DateTime<Utc> {
    from + app.config.payments.order_lifetime + TimeDelta::days(1)
}

/// Gives access until a time, or changes until when there is.
pub(crate) async fn give(
    tx: &mut Tx,
    app: &App,
    held: &mut Held,
    until: DateTime<Utc>,
) -> Result<Students, InternalError> {
    let Some(target) = held.plan.target() else { return Ok(None) };
    let Some(scope) = target.entitlement() else { return Ok(None) };
    let new = NewEntitlement {
        user_id: held.row.user_id,
        target: scope,
        source: Source::Membership,
        expires_at: Some(until),
        note: String::new(),
        granted_by: None,
    };
    let given = entitlements::give(tx, app, new).await?;
    held.row.entitlement_id = Some(given.row.id);
    Ok(students(target, i32::from(given.first)))
}

/// Ends the access of a membership.
pub(crate) async fn end_access(
    tx: &mut Tx,
    app: &App,
    held: &Held,
    reason: EndReason,
) -> Result<Students, InternalError> {
    let Some(target) = held.plan.target() else { return Ok(None) };
    let Some(scope) = target.entitlement() else { return Ok(None) };
    let open = entitlements::open(tx, held.row.user_id, scope).await?;
    let own = open.iter().find(|row| Some(row.id) == held.row.entitlement_id);
    let Some(own) = own else { return Ok(None) };
    let reason = if own.has_expired(app.clock.now()) { EndReason::Expired } else { reason };
    entitlements::end(tx, app, own, reason).await?;
    Ok(students(target, -i32::from(open.len() == 1)))
}

fn students(target: Target, more: i32) -> Option<(CourseId, i32)> {
    match target {
        Target::Course(course) => Some((course, more)),
        Target::LiveClasses | Target::Category(_) | Target::Everything => None,
    }
}

/// Ends a locked membership at once.
pub async fn end(tx: &mut Tx, app: &App, held: &mut Held, reason: EndReason) -> Result<Students, InternalError> {
    if !step(app, &mut held.row, Step::End) {
        return Ok(None);
    }
    let students = end_access(tx, app, held, reason).await?;
    write(tx, app, &mut held.row, MembershipChange::Ended).await?;
    Ok(students)
}

/// Cancels a locked membership; `None` if that is not possible.
pub async fn cancel(tx: &mut Tx, app: &App, held: &mut Held) -> Result<Option<Students>, InternalError> {
    if !step(app, &mut held.row, Step::Cancel) {
        return Ok(None);
    }
    if held.row.status == MembershipStatus::Expired {
        let students = end_access(tx, app, held, EndReason::MembershipChanged).await?;
        write(tx, app, &mut held.row, MembershipChange::Ended).await?;
        return Ok(Some(students));
    }
    // The renewal may have been in flight, and access have lasted until it is given up.
    let now = app.clock.now();
    let students = match held.row.period_ends_at.filter(|end| *end > now) {
        Some(end) => give(tx, app, held, end).await?,
        None => None,
    };
    write(tx, app, &mut held.row, MembershipChange::Canceled).await?;
    Ok(Some(students))
}

/// Returns the limits of a period that is paid now, and counts its interval. The one before was of the interval `was`.
///
/// A change begins when it was ordered, also if its money comes days later: what was left of the period before at that
/// time is taken off its price.
pub(crate) fn limits(
    app: &App,
    held: &mut Held,
    period: &Period,
    was: BillingInterval,
) -> (DateTime<Utc>, DateTime<Utc>) {
    let (now, zone, interval) = (app.clock.now(), app.config.time_zone, held.price.billing_interval);
    let reason = period.reason;
    if reason == PeriodReason::Trial {
        let end = now + TimeDelta::days(i64::from(held.price.trial_days));
        held.row.anchor_at = Some(end);
        held.row.anchor_intervals = 0;
        return (now, end);
    }
    let start = match reason {
        PeriodReason::Renewal => held.row.period_ends_at.unwrap_or(now),
        PeriodReason::Change => period.created_at,
        PeriodReason::Start | PeriodReason::Trial => now,
    };
    let anchor = match held.row.anchor_at.filter(|_| reason == PeriodReason::Renewal && was == interval) {
        Some(anchor) => anchor,
        None => {
            held.row.anchor_intervals = 0;
            start
        }
    };
    held.row.anchor_at = Some(anchor);
    held.row.anchor_intervals += 1;
    let end = end_of_interval(anchor, interval, held.row.anchor_intervals, zone);
    if end > now {
        return (start, end);
    }
    // Paid so late that it would be over: it begins now.
    held.row.anchor_at = Some(now);
    held.row.anchor_intervals = 1;
    (now, end_of_interval(now, interval, 1, zone))
}
