//! What becomes of a membership when its period is paid, is not, or its money goes back.

use chrono::{DateTime, Utc};

use super::subscription::{NextCharge, set_next_charge};
use super::{Held, Students, held};
use crate::entitlements::{EndReason, EntitlementId};
use crate::memberships::command::{
    end, end_of_grace, give, limits, plan_billing, release, scope_of, step, tell, write,
};
use crate::memberships::event::MembershipChange;
use crate::memberships::model::{MembershipStatus, Period, PeriodId, PeriodReason, PeriodState, Step, next_attempt};
use crate::memberships::query::{membership as rows, period as periods, plan as plans};
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::payments::Provider;

/// A paid checkout that can be charged again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// The provider.
    pub provider: Provider,
    /// The provider's id of the checkout.
    pub id: String,
}

/// The money for a period.
#[derive(Clone, Debug)]
pub struct Received {
    /// What the member has paid, without tax that is added to prices, in minor units.
    pub net_minor: i64,
    /// What the next period is charged to.
    pub next: NextCharge,
}

/// What a paid period gives.
pub struct Outcome {
    /// The access; `None` if there is none to content.
    pub entitlement: Option<EntitlementId>,
    /// By how much the number of a course's students has changed.
    pub students: Students,
}

/// A period with its membership, both locked; `None` if there is no such period. The user must be locked.
async fn of_period(tx: &mut Tx, id: PeriodId) -> Result<Option<(Period, Held)>, InternalError> {
    let Some(period) = periods::by_id(tx.conn(), id).await? else { return Ok(None) };
    let Some(held) = held(tx, period.membership_id).await? else { return Ok(None) };
    // Read again: it may have changed before the lock.
    Ok(periods::by_id(tx.conn(), id).await?.map(|period| (period, held)))
}

/// Whether a period can be paid now. Money that comes when it cannot goes back.
///
/// # Errors
/// The database failed.
pub async fn may_be_paid(tx: &mut Tx, id: PeriodId) -> Result<bool, InternalError> {
    let Some((period, held)) = of_period(tx, id).await? else { return Ok(false) };
    let row = &held.row;
    if period.number != row.period + 1 || !matches!(period.state, PeriodState::Open | PeriodState::Void) {
        return Ok(false);
    }
    let other = periods::open_of(tx, row.id).await?.is_some_and(|open| open.id != id);
    if other || held.plan.target().is_none() {
        return Ok(false);
    }
    let is_same = period.plan_price_id == row.plan_price_id;
    Ok(match period.reason {
        PeriodReason::Start | PeriodReason::Trial => {
            let is_free = row.status == MembershipStatus::Pending || {
                let others = rows::of_scope(tx.conn(), row.user_id, scope_of(&held.plan)).await?;
                row.status == MembershipStatus::Expired
                    && others.iter().all(|other| other.status == MembershipStatus::Expired)
            };
            is_same && is_free && row.started_at.is_none()
        }
        PeriodReason::Renewal => row.status.renews(),
        // Once its order has ended, the member goes on with the period that it was to replace, and with the next one.
        PeriodReason::Change => row.status == MembershipStatus::Active && period.state == PeriodState::Open,
    })
}

/// Marks a period as paid: the membership is active until its end, and gives access.
///
/// # Errors
/// It cannot be paid; the database failed.
pub async fn paid(tx: &mut Tx, app: &App, id: PeriodId, received: Received) -> Result<Outcome, InternalError> {
    let Some((period, mut held)) = of_period(tx, id).await? else {
        return Err(InternalError::new("a period that is paid does not exist"));
    };
    let taken = if period.reason == PeriodReason::Trial { Step::Try } else { Step::Pay };
    if !step(app, &mut held.row, taken) {
        return Err(InternalError::new("a membership cannot be paid"));
    }
    let found = plans::prices_by_ids(tx.conn(), &[period.plan_price_id]).await?.pop();
    let (price, plan) = found.ok_or_else(|| InternalError::new("the price of a period does not exist"))?;
    let change = match period.reason {
        PeriodReason::Trial => MembershipChange::TrialStarted,
        PeriodReason::Start => MembershipChange::Started,
        PeriodReason::Renewal => MembershipChange::Renewed,
        PeriodReason::Change => MembershipChange::PlanChanged,
    };
    let now = app.clock.now();
    let was = held.price.billing_interval;
    let chosen = held.row.next_price_id.filter(|next| *next != price.id && period.reason != PeriodReason::Change);
    held.row.move_to(&price, &plan, now);
    (held.price, held.plan) = (price, plan);
    // Chosen since this period was ordered, or set because the plan's price has changed since.
    held.row.next_price_id = chosen;
    let (start, end) = limits(app, &mut held, &period, was);
    periods::set_paid(tx, period.id, received.net_minor, (start, end)).await?;
    held.row.period = period.number;
    held.row.period_starts_at = Some(start);
    held.row.period_ends_at = Some(end);
    held.row.credit_minor = period.credit_left_minor;
    held.row.started_at = held.row.started_at.or(Some(now));
    plan_billing(app, &mut held, period.reason);
    let until = set_next_charge(tx, app, &mut held, received.next, end).await?;
    let students = give(tx, app, &mut held, until).await?;
    write(tx, app, &mut held.row, change).await?;
    if chosen.is_some() && period.reason != PeriodReason::Renewal {
        // Who was no member yet was not told of it.
        tell(tx, app, &held.row, MembershipChange::ChangePlanned).await?;
    }
    Ok(Outcome { entitlement: held.row.entitlement_id, students })
}

/// Marks a period as not paid. A membership that has not begun ends; of one that could not be renewed, that is tried
/// again, and in the end it ends.
///
/// # Errors
/// The database failed.
pub async fn unpaid(tx: &mut Tx, app: &App, id: PeriodId) -> Result<Students, InternalError> {
    let Some((period, mut held)) = of_period(tx, id).await? else { return Ok(None) };
    if period.state != PeriodState::Open {
        return Ok(None);
    }
    periods::set_state(tx, period.id, PeriodState::Void).await?;
    match period.reason {
        PeriodReason::Start | PeriodReason::Trial => end(tx, app, &mut held, EndReason::Expired).await,
        PeriodReason::Change => Ok(None),
        // With a time for the next attempt, the member has tried by themselves.
        PeriodReason::Renewal if held.row.billing_at.is_some() => Ok(None),
        PeriodReason::Renewal => fail(tx, app, &mut held).await,
    }
}

/// Tries the renewal again later, or ends the membership.
async fn fail(tx: &mut Tx, app: &App, held: &mut Held) -> Result<Students, InternalError> {
    if !held.row.status.renews() {
        return Ok(None);
    }
    let (now, days) = (app.clock.now(), &app.config.payments.dunning_days);
    let first = *held.row.failed_at.get_or_insert(now);
    held.row.failures = held.row.failures.saturating_add(1);
    let Some(next) = next_attempt(first, held.row.failures, days) else {
        return end(tx, app, held, EndReason::Expired).await;
    };
    step(app, &mut held.row, Step::Fail);
    held.row.billing_at = Some(next.max(now));
    let students = give(tx, app, held, end_of_grace(app, next.max(now))).await?;
    write(tx, app, &mut held.row, MembershipChange::PaymentFailed).await?;
    Ok(students)
}

/// Keeps the access of a membership while the money for its next period is on its way, until a time at the latest and
/// as long as it would be without: what becomes of the payment decides before, or the renewal after it. A subscription
/// is ended, because it would charge the next period as well.
///
/// # Errors
/// The database failed.
pub async fn keep_access(
    tx: &mut Tx,
    app: &App,
    id: PeriodId,
    until: DateTime<Utc>,
) -> Result<Students, InternalError> {
    let Some((period, mut held)) = of_period(tx, id).await? else { return Ok(None) };
    if period.state != PeriodState::Open || !held.row.status.renews() {
        return Ok(None);
    }
    release(tx, app, &mut held.row).await?;
    let from = held.row.period_ends_at.map_or(until, |end| end.max(until));
    let students = give(tx, app, &mut held, end_of_grace(app, from)).await?;
    rows::update(tx, &held.row, app.clock.now()).await?;
    Ok(students)
}

/// Gives up a period of a membership that goes on without it: its order was replaced or canceled.
///
/// # Errors
/// The database failed.
pub async fn forsake(tx: &mut Tx, id: PeriodId) -> Result<(), InternalError> {
    periods::set_state(tx, id, PeriodState::Void).await?;
    Ok(())
}

/// Keeps how much of what the member has paid for a period is left after refunds, without tax that is added to prices, in
/// minor units: what a change credits.
///
/// # Errors
/// The database failed.
pub async fn keep_paid(tx: &mut Tx, id: PeriodId, net_minor: i64) -> Result<(), InternalError> {
    periods::set_paid_minor(tx, id, net_minor).await?;
    Ok(())
}

/// Takes the money of a period back: if it is the latest one, or would not be over, the membership ends at once.
///
/// # Errors
/// The database failed.
pub async fn revoke(tx: &mut Tx, app: &App, id: PeriodId) -> Result<Students, InternalError> {
    let Some((period, mut held)) = of_period(tx, id).await? else { return Ok(None) };
    if period.state != PeriodState::Paid {
        return Ok(None);
    }
    periods::set_state(tx, period.id, PeriodState::Revoked).await?;
    // What was left of a period that was changed has paid for the next ones.
    if period.number != held.row.period && period.ends_at.is_none_or(|end| end <= app.clock.now()) {
        return Ok(None);
    }
    end(tx, app, &mut held, EndReason::Refunded).await
}

/// Brings a membership back whose latest period was charged back, after that was reversed. It ends with its period unless
/// the member resumes it, who may have canceled it before. It stays ended if the period is over, or the user has another
/// one for the same.
///
/// # Errors
/// The database failed.
pub async fn restore(tx: &mut Tx, app: &App, id: PeriodId) -> Result<Option<Outcome>, InternalError> {
    let Some((period, mut held)) = of_period(tx, id).await? else { return Ok(None) };
    if period.state != PeriodState::Revoked {
        return Ok(None);
    }
    let others = rows::of_scope(tx.conn(), held.row.user_id, scope_of(&held.plan)).await?;
    let is_free = others.iter().all(|other| other.status == MembershipStatus::Expired);
    let now = app.clock.now();
    let end = held.row.period_ends_at.filter(|end| *end > now);
    let counts = period.number == held.row.period || period.ends_at.is_some_and(|end| end > now);
    let (true, Some(end)) = (is_free && counts && held.plan.target().is_some(), end) else {
        return Ok(None);
    };
    if !step(app, &mut held.row, Step::Restore) {
        return Ok(None);
    }
    // It gave nothing meanwhile.
    held.row.plan_since = Some(now);
    periods::set_state(tx, period.id, PeriodState::Paid).await?;
    let students = give(tx, app, &mut held, end).await?;
    write(tx, app, &mut held.row, MembershipChange::Restored).await?;
    Ok(Some(Outcome { entitlement: held.row.entitlement_id, students }))
}
