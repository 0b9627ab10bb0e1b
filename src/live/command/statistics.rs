//! What administrators see of a month. The ledger has a row for each user and month, so nothing is rolled up besides.

use chrono::{DateTime, Utc};

use crate::accounts::UserId;
use crate::graphql::YearMonth;
use crate::live::model::{Bucket, MonthSum, Person, Sums, Usage};
use crate::live::query::{statistics as query, usage};
use crate::memberships::{self, LiveMembers};
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// The number of months of the trend.
const TREND: u32 = 12;

/// The statistics of a month.
#[derive(Clone, Debug)]
pub(in crate::live) struct Statistics {
    /// The month.
    pub(in crate::live) month: YearMonth,
    /// The sums over all users.
    pub(in crate::live) sums: Sums,
    /// The number of users who were members of a plan with live classes.
    pub(in crate::live) members: i64,
    /// The members of each such plan, most first.
    pub(in crate::live) by_plan: Vec<LiveMembers>,
    /// The number of members who have changed to a plan with more hours.
    pub(in crate::live) upgrades: i64,
    /// The users who attended the most hours.
    pub(in crate::live) top: Vec<Usage>,
    /// How many users attended how many hours.
    pub(in crate::live) distribution: Vec<Bucket>,
    /// The month and those before it, earliest first and without gaps.
    pub(in crate::live) trend: Vec<MonthSum>,
    /// When it was computed.
    pub(in crate::live) computed_at: DateTime<Utc>,
}

/// Returns the statistics of a month, as they are now.
///
/// # Errors
/// The database failed.
pub(in crate::live) async fn statistics_of(app: &App, month: YearMonth) -> Result<Statistics, InternalError> {
    let (day, first) = (month.first_day(), month.back(TREND - 1).first_day());
    let mut conn = app.db.read().await?;
    let sums = query::sums(&mut conn, day).await?;
    let people = query::top(&mut conn, day).await?;
    let payers: Vec<UserId> = people.iter().map(|person| person.payer_id).collect();
    let pools = usage::of(&mut conn, &payers, &[day]).await?;
    let distribution = query::distribution(&mut conn, day).await?;
    let known = query::trend(&mut conn, (first, day)).await?;
    let limits = month.bounds(app.config.time_zone);
    let members = memberships::count_live_members(&mut conn, limits).await?;
    let by_plan = memberships::live_members(&mut conn, limits).await?;
    let upgrades = memberships::live_upgrades(&mut conn, limits).await?;
    drop(conn);
    let of = |ago| {
        let month = month.back(ago).first_day();
        let found = known.iter().find(|row| row.month == month).copied();
        found.unwrap_or(MonthSum { month, attended_minutes: 0, attendees: 0 })
    };
    let trend = (0..TREND).rev().map(of).collect();
    let of_person = |person: &Person| {
        let pool = pools.iter().find(|row| row.user_id == person.payer_id)?.clone();
        Some(pool.of_person(person.user_id, (person.held_minutes, person.attended_minutes)))
    };
    let top = people.iter().filter_map(of_person).collect();
    let computed_at = app.clock.now();
    Ok(Statistics { month, sums, members, by_plan, upgrades, top, distribution, trend, computed_at })
}
