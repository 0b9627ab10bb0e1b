//! Has the hours of members follow what becomes of their memberships.

use super::seat::tell_of_usage;
use super::usage::{allowance, as_of_now, asked_at, is_over, previous};
use crate::accounts::UserId;
use crate::graphql::YearMonth;
use crate::graphql::loaders::Load;
use crate::live::model::{Allowance, Usage};
use crate::live::query::usage as query;
use crate::memberships::{self, LiveGiven, MembershipChanged, PlanById};
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

/// The most months before a change that are written.
const MOST_MONTHS: u32 = 36;

/// Writes what a membership for live classes gave until it changed into its months until then, so that they stay as they
/// were, and what it gives now into later ones that are booked, and tells of it. The month of the change has what is more.
/// It is computed from what the membership gives now: doing it again, or late, changes nothing.
///
/// # Errors
/// The database failed.
pub(crate) async fn follow_membership(app: &App, changed: &MembershipChanged) -> Result<(), InternalError> {
    let plan = PlanById(changed.plan).load_one(app).await?;
    // One that a replica lacks yet may be for live classes.
    if plan.is_some_and(|plan| plan.live_minutes_per_month.is_none()) {
        return Ok(());
    }
    let (user, month) = (changed.member, YearMonth::of(changed.at, app.config.time_zone));
    let gave = changed.gave.map(|gave| given(app, gave));
    app.db
        .transaction(async |tx| {
            let mut told = vec![Usage::empty(user, month.first_day())];
            let gives_now = gives(tx, app, user, month).await?;
            if gave.is_none() || gave != gives_now {
                let first = gave.and_then(|gave| gave.since).map_or(month, |since| {
                    YearMonth::of(since, app.config.time_zone).min(month).max(month.back(MOST_MONTHS))
                });
                let has_changed_since = gives_now.and_then(|gives| gives.since).is_some_and(|at| at > changed.at);
                let later = adopt(tx, app, user, (first, month), (gave, has_changed_since)).await?;
                told.extend(later.into_iter().filter(|row| row.month > month.first_day()));
            }
            tell_of_usage(tx, app, &told).await
        })
        .await
}

/// Tells a user that they have other hours now.
///
/// # Errors
/// The database failed.
pub(crate) async fn tell_member(app: &App, user: UserId) -> Result<(), InternalError> {
    let month = YearMonth::of(app.clock.now(), app.config.time_zone).first_day();
    app.db.transaction(async |tx| tell_of_usage(tx, app, &[Usage::empty(user, month)]).await).await
}

/// What a membership gave.
fn given(app: &App, gave: LiveGiven) -> Allowance {
    let minutes = gave.minutes_per_month.max(app.config.live.free_minutes);
    Allowance { minutes, rollover: gave.rollover_minutes, since: Some(gave.since) }
}

/// Returns what a user's own membership gives in a month as it is now.
async fn gives(tx: &mut Tx, app: &App, user: UserId, month: YearMonth) -> Result<Option<Allowance>, InternalError> {
    let at = asked_at(app, month.first_day(), app.clock.now());
    let found = memberships::live_allowance(tx, &[user], at).await?;
    // Not those of the family that the user has joined since.
    Ok(allowance(app, found.get(&user).filter(|found| found.payer == user)))
}

/// Writes the months of a user from `first` on, given what the membership gave until it changed in `month`, and whether
/// it has changed once more since; returns those that have changed.
async fn adopt(
    tx: &mut Tx,
    app: &App,
    user: UserId,
    (first, month): (YearMonth, YearMonth),
    (gave, has_changed_since): (Option<Allowance>, bool),
) -> Result<Vec<Usage>, InternalError> {
    let (mut missing, mut has_month) = (first, true);
    while gave.is_some() && missing <= month {
        has_month = query::make(tx, user, missing.first_day()).await? == 0;
        missing = missing.next();
    }
    // What came after the change in a month that is over is not known anymore, but written.
    let is_written = has_month && is_over(app, month.first_day());
    let (mut before, mut changed) = (None::<Usage>, Vec::new());
    for old in query::lock_since(tx, user, first.back(1).first_day()).await? {
        let of = YearMonth::of_day(old.month);
        if of < first {
            before = Some(old);
            continue;
        }
        let earlier = before.take().filter(|row| row.month == previous(old.month));
        let mut new = old.clone();
        if gave.is_some() && (of < month || (of == month && !is_written)) {
            new = as_of_now(app, (Some(new), earlier.clone()), (user, old.month), gave);
        }
        if of == month && has_changed_since {
            // What that has written already.
            new.allowed_minutes = new.allowed_minutes.max(old.allowed_minutes);
        }
        if of >= month {
            let now = gives(tx, app, user, of).await?;
            new = as_of_now(app, (Some(new), earlier), (user, old.month), now);
        }
        let new = new.with_extra(old.extra_minutes);
        if new != old {
            query::set(tx, &new).await?;
            changed.push(new.clone());
        }
        before = Some(new);
    }
    Ok(changed)
}
