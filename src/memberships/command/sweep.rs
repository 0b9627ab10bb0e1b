//! What happens to memberships without their members: they expire, are reminded of, moved to another price, and end with
//! their plan or user. Each in batches and by an index.

use uuid::Uuid;

use super::access::{cancel, end, tell, write};
use super::family;
use super::member::count;
use super::plan::archive;
use crate::accounts::UserId;
use crate::catalog::{CategoryId, CourseId};
use crate::entitlements::EndReason;
use crate::memberships::event::MembershipChange;
use crate::memberships::model::{Membership, MembershipId, MembershipStatus, PlanId, PlanPriceId};
use crate::memberships::port::{self, Held};
use crate::memberships::query::{family as families, live, membership as rows, plan as plans, play};
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// The job that moves the members of earlier versions of a price to it.
pub(crate) const MOVE: &str = "memberships.move_members";
/// The job that cancels the memberships of an archived plan.
pub(crate) const CANCEL: &str = "memberships.cancel_members";

/// Ends canceled memberships whose period is over.
///
/// # Errors
/// The database failed.
pub(crate) async fn expire(app: &App) -> Result<(), InternalError> {
    while !app.stopping.is_cancelled() {
        let now = app.clock.now();
        let due = rows::over(&mut *app.db.read().await?, now).await?;
        if due.is_empty() {
            break;
        }
        for id in due {
            let is_over = |row: &Membership| {
                row.status == MembershipStatus::Canceled && row.period_ends_at.is_some_and(|end| end <= now)
            };
            end_one(app, id, EndReason::Expired, is_over).await?;
        }
    }
    Ok(())
}

async fn end_one(
    app: &App,
    id: MembershipId,
    reason: EndReason,
    is_due: impl Fn(&Membership) -> bool + Send + Sync,
) -> Result<(), InternalError> {
    app.db
        .transaction(async |tx| {
            let Some(mut held) = port::hold(tx, id).await? else { return Ok(()) };
            if !is_due(&held.row) {
                return Ok(());
            }
            let students = end(tx, app, &mut held, reason).await?;
            count(tx, students).await
        })
        .await
}

/// Reminds the members of charges that they may have forgotten, each once.
///
/// # Errors
/// The database failed.
pub(crate) async fn remind(app: &App) -> Result<(), InternalError> {
    while !app.stopping.is_cancelled() {
        let reminded = app.db.transaction(async |tx| {
            let due = rows::take_reminders(tx, app.clock.now()).await?;
            for row in &due {
                tell(tx, app, row, MembershipChange::RenewsSoon).await?;
            }
            Ok::<_, InternalError>(due.len())
        });
        if reminded.await? == 0 {
            break;
        }
    }
    Ok(())
}

/// Moves the members of all earlier versions of a price to it at their next renewal. Whichever of two moves is done
/// last, the later version counts.
///
/// # Errors
/// The database failed.
pub(crate) async fn move_members(app: &App, to: PlanPriceId) -> Result<(), InternalError> {
    // Not from a replica, which may lack the price.
    let read = app.db.transaction(async |tx| Ok::<_, InternalError>(plans::earlier_versions(tx, to).await?));
    let earlier = read.await?;
    let mut after = MembershipId::new(Uuid::nil());
    loop {
        let moved = app.db.transaction(async |tx| {
            let mut moved = rows::move_members(tx, (earlier.as_slice(), to), after).await?;
            for row in &mut moved {
                write(tx, app, row, MembershipChange::ChangePlanned).await?;
            }
            Ok::<_, InternalError>(moved.iter().map(|row| row.id.uuid()).max())
        });
        let Some(last) = moved.await? else { return Ok(()) };
        after = MembershipId::new(last);
    }
}

/// Keeps of which plans memberships are, where an earlier version has written them, which did not keep it and runs while
/// this one is rolled out.
///
/// # Errors
/// The database failed.
pub(crate) async fn mend_spans(app: &App) -> Result<(), InternalError> {
    let mut after = MembershipId::new(Uuid::nil());
    while !app.stopping.is_cancelled() {
        let kept = live::kept_after(&mut *app.db.read().await?, after).await?;
        let Some((last, _)) = kept.last() else { break };
        after = last.id;
        let wrong = kept.into_iter().filter(|(row, plan)| live::plan_to_keep(row) != *plan);
        for id in wrong.map(|(row, _)| row.id) {
            let mended = app.db.transaction(async |tx| {
                let Some(row) = rows::lock(tx, id).await? else { return Ok(()) };
                let since = row.ended_at.or(row.paused_at).unwrap_or_else(|| app.clock.now());
                Ok::<_, InternalError>(live::keep_span(tx, &row, since).await?)
            });
            mended.await?;
        }
    }
    Ok(())
}

/// Archives plans whose course or category was deleted.
///
/// # Errors
/// The database failed.
pub(crate) async fn archive_orphans(app: &App) -> Result<(), InternalError> {
    while !app.stopping.is_cancelled() {
        let orphans = plans::without_target(&mut *app.db.read().await?).await?;
        if orphans.is_empty() {
            break;
        }
        archive_all(app, orphans).await?;
    }
    Ok(())
}

/// Archives the plans for a course.
///
/// # Errors
/// The database failed.
pub(crate) async fn archive_plans_of(app: &App, course: CourseId) -> Result<(), InternalError> {
    let of_course = plans::of_course(&mut *app.db.read().await?, course).await?;
    archive_all(app, of_course).await
}

/// Archives the plans for a category.
///
/// # Errors
/// The database failed.
pub(crate) async fn archive_plans_of_category(app: &App, category: CategoryId) -> Result<(), InternalError> {
    // Not from a replica, which may lack a plan that was made just before.
    let read = app.db.transaction(async |tx| Ok::<_, InternalError>(plans::of_category(tx, category).await?));
    archive_all(app, read.await?).await
}

async fn archive_all(app: &App, ids: Vec<PlanId>) -> Result<(), InternalError> {
    for id in ids {
        app.db.transaction(async |tx| archive(tx, app, id).await.map(drop)).await?;
    }
    Ok(())
}

/// Cancels the memberships of an archived plan that renew themselves: they end with their periods. Those that wait for
/// their payment end with their orders, and paused ones keep their days. What renews on Google Play, is ended there.
///
/// # Errors
/// The database failed.
pub(crate) async fn cancel_members(app: &App, plan: PlanId) -> Result<(), InternalError> {
    let mut after = MembershipId::new(Uuid::nil());
    loop {
        let batch = rows::of_plan(&mut *app.db.read().await?, plan, after).await?;
        let Some(last) = batch.last().copied() else { return Ok(()) };
        after = last;
        for id in batch {
            app.db
                .transaction(async |tx| {
                    let Some(mut held) = port::hold(tx, id).await? else { return Ok(()) };
                    // One whose renewal has failed ends when it is tried again.
                    let runs =
                        |held: &Held| matches!(held.row.status, MembershipStatus::Trialing | MembershipStatus::Active);
                    if !runs(&held) || held.row.plan_id != plan {
                        return Ok(());
                    }
                    let students = cancel(tx, app, &mut held).await?;
                    count(tx, students.flatten()).await
                })
                .await?;
        }
    }
}

/// Ends all memberships of a deleted user, lets them leave their family, and forgets their purchases on Google Play.
///
/// # Errors
/// The database failed.
pub(crate) async fn forget_user(app: &App, user: UserId) -> Result<(), InternalError> {
    loop {
        let live = rows::live_of_user(&mut *app.db.read().await?, user).await?;
        if live.is_empty() {
            break;
        }
        for id in live {
            end_one(app, id, EndReason::AccountDeleted, |_| true).await?;
        }
    }
    app.db
        .transaction(async |tx| {
            play::delete_of(tx, user).await?;
            family::forget_member(tx, app, user).await?;
            families::forget_stays(tx, user).await?;
            Ok(())
        })
        .await
}
