//! The hours of users.

use std::collections::HashMap;

use chrono::NaiveDate;

use crate::accounts::UserId;
use crate::graphql::YearMonth;
use crate::live::model::{Allowance, Usage};
use crate::live::query::usage as query;
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// Returns what every user may attend per month who has no membership for live classes; `None` if that is nothing.
pub(in crate::live) fn free_allowance(app: &App) -> Option<Allowance> {
    let minutes = app.config.live.free_minutes;
    (minutes > 0).then_some(Allowance { minutes })
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
    let mut known: HashMap<_, _> = rows.into_iter().map(|row| ((row.user_id, row.month), row)).collect();
    let current = YearMonth::of(app.clock.now(), app.config.time_zone).first_day();
    let usage = |key: &(UserId, NaiveDate)| {
        let (user, month) = *key;
        let row = known.remove(key).unwrap_or_else(|| Usage::empty(user, month, 0));
        let allowance = free_allowance(app);
        let row = if month < current { row } else { row.with_allowance(allowance, has_begun(app, month)) };
        (*key, row)
    };
    Ok(keys.iter().map(usage).collect())
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
