//! The hours of users.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};

use crate::accounts::UserId;
use crate::graphql::YearMonth;
use crate::graphql::loaders::Load;
use crate::live::model::{Allowance, Usage};
use crate::live::query::usage as query;
use crate::memberships::{LiveAllowance, LiveAllowanceOf};
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// Returns what a user may attend per month whose membership allows `found`; `None` if they have no membership, and
/// nothing is free.
pub(super) fn allowance(app: &App, found: Option<&LiveAllowance>) -> Option<Allowance> {
    let free = app.config.live.free_minutes;
    match found {
        Some(found) => Some(Allowance { minutes: found.minutes_per_month.max(free) }),
        None => (free > 0).then_some(Allowance { minutes: free }),
    }
}

/// The time at which memberships are looked at for a month: now, or when it begins.
pub(super) fn asked_at(app: &App, month: NaiveDate) -> DateTime<Utc> {
    YearMonth::of_day(month).start(app.config.time_zone).max(app.clock.now())
}

/// Whether a month has begun.
pub(super) fn has_begun(app: &App, month: NaiveDate) -> bool {
    YearMonth::of_day(month).start(app.config.time_zone) <= app.clock.now()
}

/// Returns the hours of users in months, as they are now: the current month and later ones have what the users'
/// memberships give.
///
/// # Errors
/// The database failed.
pub(in crate::live) async fn usage_of(
    app: &App,
    keys: &[(UserId, NaiveDate)],
) -> Result<HashMap<(UserId, NaiveDate), Usage>, InternalError> {
    let mut conn = app.db.read().await?;
    let (mut users, mut months): (Vec<_>, Vec<_>) = keys.iter().copied().unzip();
    users.sort_unstable_by_key(|user: &UserId| user.uuid());
    users.dedup();
    months.sort_unstable();
    months.dedup();
    let rows = query::of(&mut conn, &users, &months).await?;
    drop(conn);
    let asked = |(user, month): &(UserId, NaiveDate)| LiveAllowanceOf { user: *user, at: asked_at(app, *month) };
    let asked: Vec<LiveAllowanceOf> = keys.iter().map(asked).collect();
    let allowed = LiveAllowanceOf::load(app, &asked).await?;
    let mut known: HashMap<_, _> = rows.into_iter().map(|row| ((row.user_id, row.month), row)).collect();
    let current = YearMonth::of(app.clock.now(), app.config.time_zone).first_day();
    let usage = |(key, asked): (&(UserId, NaiveDate), &LiveAllowanceOf)| {
        let (user, month) = *key;
        let row = known.remove(key).unwrap_or_else(|| Usage::empty(user, month, 0));
        let allowance = allowance(app, allowed.get(asked));
        let row = if month < current { row } else { row.with_allowance(allowance, has_begun(app, month)) };
        (*key, row)
    };
    Ok(keys.iter().zip(&asked).map(usage).collect())
}

/// Returns the hours of a user in the latest `months` months with the current one, latest first.
///
/// # Errors
/// The database failed.
pub(in crate::live) async fn history_of(app: &App, user: UserId, months: u32) -> Result<Vec<Usage>, InternalError> {
    let current = YearMonth::of(app.clock.now(), app.config.time_zone);
    let keys: Vec<_> = (0..months).map(|ago| (user, current.back(ago).first_day())).collect();
    let mut known = usage_of(app, &keys).await?;
    Ok(keys.iter().filter_map(|key| known.remove(key)).collect())
}
