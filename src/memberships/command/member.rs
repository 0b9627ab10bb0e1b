//! What members do with their memberships, as far as no money is moved.

use uuid::Uuid;

use super::access::{end_access, give, plan_billing, step, write};
use crate::accounts::viewer;
use crate::catalog;
use crate::entitlements::EndReason;
use crate::graphql::Result;
use crate::memberships::error;
use crate::memberships::event::MembershipChange;
use crate::memberships::model::{
    Membership, MembershipStatus, PauseMembershipInput, PeriodReason, Plan, PlanKind, ResumeMembershipInput, Step,
};
use crate::memberships::port::{self, Held, Students};
use crate::memberships::query::period;
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

/// The scope of a plan as it is stored: kind, course, category.
pub(crate) fn scope_of(plan: &Plan) -> (PlanKind, Option<Uuid>, Option<Uuid>) {
    (plan.kind, plan.course_id.map(|id| id.uuid()), plan.category_id.map(|id| id.uuid()))
}

/// Pauses a membership that is active: its access ends now, and the time that is left is kept.
///
/// # Errors
/// There is no such membership of the actor, it is not active, or it is paid on Google Play.
pub async fn pause(app: &App, actor: &Actor, input: PauseMembershipInput) -> Result<Membership> {
    let member = viewer(actor)?;
    app.db
        .transaction(async |tx| {
            let held = port::hold(tx, input.membership_id).await?;
            let mut held = held.filter(|held| held.row.user_id == member).ok_or_else(error::no_such_membership)?;
            if held.row.is_play {
                return Err(error::managed_by_play());
            }
            if period::open_of(tx, held.row.id).await?.is_some() {
                return Err(error::payment_in_flight());
            }
            let status = held.row.status;
            if !step(app, &mut held.row, Step::Pause) {
                return Err(error::not_possible(status, "paused"));
            }
            let students = end_access(tx, app, &held, EndReason::MembershipChanged).await?;
            write(tx, app, &mut held.row, MembershipChange::Paused).await?;
            count(tx, students).await?;
            Ok(held.row)
        })
        .await
}

/// Ends the pause of a membership, or takes its cancellation back. One that waits for its payment stays as it is, with
/// the same checkout.
///
/// # Errors
/// There is no such membership of the actor, it is neither paused nor canceled, what it is for was deleted or is not
/// sold anymore, or it is paid on Google Play.
pub async fn resume(app: &App, actor: &Actor, input: ResumeMembershipInput) -> Result<Membership> {
    let member = viewer(actor)?;
    app.db
        .transaction(async |tx| {
            let held = port::hold(tx, input.membership_id).await?;
            let mut held = held.filter(|held| held.row.user_id == member).ok_or_else(error::no_such_membership)?;
            if held.row.is_play {
                return Err(error::managed_by_play());
            }
            if held.row.status == MembershipStatus::Pending {
                return Ok(held.row);
            }
            let students = resume_held(tx, app, &mut held).await?;
            count(tx, students).await?;
            Ok(held.row)
        })
        .await
}

async fn resume_held(tx: &mut Tx, app: &App, held: &mut Held) -> Result<Students> {
    let (now, status) = (app.clock.now(), held.row.status);
    let over = held.row.period_ends_at.is_none_or(|end| end <= now);
    if held.plan.target().is_none()
        || (status == MembershipStatus::Canceled && (over || held.plan.archived_at.is_some()))
    {
        return Err(error::not_possible(status, "resumed"));
    }
    let current = period::paid(tx, held.row.id, held.row.period).await?;
    let reason = current.map_or(PeriodReason::Start, |period| period.reason);
    let taken = match (status, reason) {
        (MembershipStatus::Canceled, PeriodReason::Trial) => Step::ResumeTrial,
        _ => Step::Resume,
    };
    // The days that were left when it was paused begin now.
    let left = held.row.period_ends_at.zip(held.row.paused_at).map(|(end, paused)| end - paused);
    if !step(app, &mut held.row, taken) {
        return Err(error::not_possible(status, "resumed"));
    }
    if let (MembershipStatus::Paused, Some(left)) = (status, left) {
        let end = now + left;
        // Its start moves as well, so that what is left of its price is right when it is changed.
        held.row.period_starts_at =
            held.row.period_starts_at.zip(held.row.period_ends_at).map(|(start, was)| start + (end - was));
        held.row.period_ends_at = Some(end);
        held.row.anchor_at = Some(end);
        held.row.anchor_intervals = 0;
        // The plan gave nothing meanwhile.
        held.row.plan_since = Some(now);
    }
    plan_billing(app, held, reason);
    let students = match held.row.period_ends_at {
        Some(end) => give(tx, app, held, end).await?,
        None => None,
    };
    write(tx, app, &mut held.row, MembershipChange::Resumed).await?;
    Ok(students)
}

/// Changes the number of a course's students, last in the transaction.
pub(super) async fn count(tx: &mut Tx, students: Students) -> std::result::Result<(), InternalError> {
    match students {
        Some((course, more)) => catalog::students_changed(tx, course, more).await,
        None => Ok(()),
    }
}
