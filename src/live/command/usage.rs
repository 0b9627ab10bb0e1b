//! The hours of users.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};

use crate::accounts::UserId;
use crate::graphql::YearMonth;
use crate::graphql::loaders::Load;
use crate::live::loader::UsageOf;
use crate::live::model::{Allowance, Hours, Usage};
use crate::live::query::usage as query;
use crate::memberships::{LiveAllowance, LiveAllowanceOf};
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// Returns what a user may attend per month whose membership allows `found`; `None` if they have no membership, and
/// nothing is free.
pub(super) fn allowance(app: &App, found: Option<&LiveAllowance>) -> Option<Allowance> {
    let free = app.config.live.free_minutes;
    match found {
        Some(found) => Some(Allowance { minutes: found.minutes_per_month.max(free), since: Some(found.since) }),
        None => (free > 0).then_some(Allowance { minutes: free, since: None }),
    }
}

/// When a month begins.
pub(super) fn start_of(app: &App, month: NaiveDate) -> DateTime<Utc> {
    YearMonth::of_day(month).start(app.config.time_zone)
}

/// The time at which memberships are looked at for a month as a whole: now, or when it begins. For a session, they are
/// looked at when it starts.
pub(in crate::live) fn asked_at(app: &App, month: NaiveDate) -> DateTime<Utc> {
    start_of(app, month).max(app.clock.now())
}

/// Returns the hours of users in months, as they are now: the current month and later ones have what the users'
/// memberships give at the time of the key.
///
/// # Errors
/// The database failed.
pub(in crate::live) async fn usage_of(app: &App, keys: &[UsageOf]) -> Result<HashMap<UsageOf, Hours>, InternalError> {
    let (mut users, mut months): (Vec<_>, Vec<_>) = keys.iter().map(|key| (key.user, key.month)).unzip();
    users.sort_unstable_by_key(|user: &UserId| user.uuid());
    users.dedup();
    months.sort_unstable();
    months.dedup();
    let rows = query::of(&mut *app.db.read().await?, &users, &months).await?;
    let asked: Vec<_> = keys.iter().map(|key| LiveAllowanceOf { user: key.user, at: key.at }).collect();
    let allowed = LiveAllowanceOf::load(app, &asked).await?;
    let known: HashMap<_, _> = rows.into_iter().map(|row| ((row.user_id, row.month), row)).collect();
    let current = YearMonth::of(app.clock.now(), app.config.time_zone).first_day();
    let hours = |(key, asked): (&UsageOf, &LiveAllowanceOf)| {
        let row = known.get(&(key.user, key.month)).cloned().unwrap_or_else(|| Usage::empty(key.user, key.month));
        let allowance = allowance(app, allowed.get(asked));
        let is_over = key.month < current;
        let usage = if is_over { row } else { row.with_allowance(allowance, start_of(app, key.month)) };
        (*key, Hours { usage, allowance })
    };
    Ok(keys.iter().zip(&asked).map(hours).collect())
}

/// Returns the hours of a user in the latest `months` months with the current one, latest first.
///
/// # Errors
/// The database failed.
pub(in crate::live) async fn history_of(app: &App, user: UserId, months: u32) -> Result<Vec<Usage>, InternalError> {
    let current = YearMonth::of(app.clock.now(), app.config.time_zone);
    let key = |month: NaiveDate| UsageOf { user, month, at: asked_at(app, month) };
    let keys: Vec<_> = (0..months).map(|ago| key(current.back(ago).first_day())).collect();
    let mut known = usage_of(app, &keys).await?;
    Ok(keys.iter().filter_map(|key| known.remove(key)).map(|hours| hours.usage).collect())
}
