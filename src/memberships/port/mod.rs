//! What orders and live classes do with memberships inside their own transaction.
//!
//! A membership is written under the row lock of its user (`accounts::lock_user`) and its own, after its course is held
//! ([`target_course`]). What changes the number of a course's students is returned, and counted last.

mod extra;
mod live;
mod offer;
mod outcome;
mod subscription;

use chrono::{DateTime, TimeDelta, Utc};

pub use extra::{
    HoursOffer, WantedHours, hours_may_be_paid, hours_paid, hours_unpaid, offer_hours, reserve_hours, revoke_hours,
};
pub use live::{hold_family, live_allowance};
pub use offer::{
    Begun, Change, Offer, Terms, change_at_renewal, change_pending, change_trial, offer, offer_change, offer_renewal,
    quote_change, target_of_change, terms,
};
pub use outcome::{
    Authorization, Outcome, Received, forsake, keep_access, keep_paid, may_be_paid, paid, restore, revoke, unpaid,
};
pub use subscription::{
    NextCharge, StartedSubscription, drop_subscription, refuse_subscription, subscription_asked, subscription_start,
    subscription_told,
};

use super::command;
use super::error;
use super::model::{
    Membership, MembershipId, MembershipStatus, Period, PeriodId, Plan, PlanPrice, PlanPriceId, Target,
};
use super::query::{membership as rows, period as periods, plan as plans};
use crate::accounts;
use crate::catalog::{self, CourseId};
use crate::graphql::Result;
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

/// By how much the number of a course's students has changed.
pub type Students = Option<(CourseId, i32)>;

/// A membership that is locked, with its plan.
#[derive(Clone, Debug)]
pub struct Held {
    /// The membership.
    pub row: Membership,
    /// Its price.
    pub price: PlanPrice,
    /// Its plan.
    pub plan: Plan,
    /// Whether the member's account exists.
    pub has_member: bool,
}

/// Returns the course that a membership is for.
///
/// # Errors
/// The database failed.
pub async fn target_course(tx: &mut Tx, id: MembershipId) -> std::result::Result<Option<CourseId>, InternalError> {
    let Some(row) = rows::by_id(tx.conn(), id).await? else { return Ok(None) };
    course_of(tx, &row).await
}

async fn course_of(tx: &mut Tx, row: &Membership) -> std::result::Result<Option<CourseId>, InternalError> {
    Ok(plans::by_id(tx.conn(), row.plan_id).await?.and_then(|plan| plan.course_id))
}

/// Holds what a price gives access to, before its buyer is locked.
///
/// # Errors
/// There is no such price.
pub async fn lock_target(tx: &mut Tx, price: PlanPriceId) -> Result<()> {
    let found = plans::prices_by_ids(tx.conn(), &[price]).await?.pop();
    let (_, plan) = found.ok_or_else(error::no_such_price)?;
    if let Some(Target::Course(course)) = plan.target() {
        catalog::hold_course(tx, course).await?.ok_or_else(error::no_such_price)?;
    }
    Ok(())
}

/// Locks the course of a membership, its user, and the membership; `None` if there is none.
///
/// # Errors
/// The database failed.
pub async fn hold(tx: &mut Tx, id: MembershipId) -> std::result::Result<Option<Held>, InternalError> {
    let Some(row) = rows::by_id(tx.conn(), id).await? else { return Ok(None) };
    if let Some(course) = course_of(tx, &row).await? {
        catalog::hold_course(tx, course).await?;
    }
    let has_member = accounts::lock_user(tx, row.user_id).await?;
    Ok(held(tx, id).await?.map(|held| Held { has_member, ..held }))
}

/// Locks a membership whose course and user are locked.
///
/// # Errors
/// The database failed.
pub(crate) async fn held(tx: &mut Tx, id: MembershipId) -> std::result::Result<Option<Held>, InternalError> {
    let Some(row) = rows::lock(tx, id).await? else { return Ok(None) };
    let found = plans::prices_by_ids(tx.conn(), &[row.plan_price_id]).await?.pop();
    Ok(found.map(|(price, plan)| Held { row, price, plan, has_member: true }))
}

/// Returns the period of a membership that is ordered and not paid.
///
/// # Errors
/// The database failed.
pub async fn open_period(tx: &mut Tx, id: MembershipId) -> std::result::Result<Option<PeriodId>, InternalError> {
    Ok(periods::open_of(tx, id).await?.map(|period: Period| period.id))
}

/// Cancels a locked membership, with the end of its period, or at once if nothing of it is paid for or running.
///
/// # Errors
/// It is canceled, has ended, or is paid on Google Play.
pub async fn cancel(tx: &mut Tx, app: &App, held: &mut Held) -> Result<Students> {
    if held.row.is_play {
        return Err(error::managed_by_play());
    }
    let status = held.row.status;
    let students = command::cancel(tx, app, held).await?;
    students.ok_or_else(|| error::not_possible(status, "canceled"))
}

/// Charges a membership later, and changes nothing else of it.
///
/// # Errors
/// The database failed.
pub async fn bill_later(tx: &mut Tx, id: MembershipId, at: DateTime<Utc>) -> std::result::Result<(), InternalError> {
    rows::bill_later(tx, id, at).await?;
    Ok(())
}

/// Charges a membership later, because it cannot be charged now. That is not its member's fault, so the access lasts for
/// as long after that as while a charge is in flight, until it would have ended if the charges had failed.
///
/// # Errors
/// The database failed.
pub async fn postpone(
    tx: &mut Tx,
    app: &App,
    id: MembershipId,
    until: DateTime<Utc>,
) -> std::result::Result<Students, InternalError> {
    let Some(mut held) = hold(tx, id).await? else { return Ok(None) };
    let now = app.clock.now();
    held.row.billing_at = held.row.billing_at.map(|_| until);
    let is_running = matches!(held.row.status, MembershipStatus::Active | MembershipStatus::Trialing);
    let students = match held.row.period_ends_at.filter(|_| is_running && held.has_member) {
        Some(end) => {
            // Whole days, so that the access does not change with each attempt.
            let late = if end < now { (now - end).num_days() + 1 } else { 0 };
            let last = app.config.payments.dunning_days.iter().max().copied().unwrap_or_default();
            let until = command::end_of_grace(app, end + TimeDelta::days(late.min(last.into())));
            if until > now { command::give(tx, app, &mut held, until).await? } else { None }
        }
        None => None,
    };
    rows::update(tx, &held.row, now).await?;
    Ok(students)
}
