//! What administrators see of a month. The ledger has a row for each user and month, so nothing is rolled up besides.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::usage::usage_of;
use crate::accounts::UserId;
use crate::graphql::YearMonth;
use crate::live::loader::UsageOf;
use crate::live::model::{Bucket, MonthSum, Person, Sums, Usage};
use crate::live::query::{statistics as query, usage};
use crate::memberships::{self, LiveMember, LiveMembers};
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// The number of months of the trend.
const TREND: u32 = 12;
/// The number of members whose hours are read at a time.
const BATCH: usize = 1000;

/// The statistics of a month.
#[derive(Clone, Debug)]
pub struct Statistics {
    /// The month.
    pub month: YearMonth,
    /// The sums over all users.
    pub sums: Sums,
    /// The number of users who were members of a plan with live classes.
    pub members: i64,
    /// Those of them who attended a session, or whose family did.
    pub attendees: i64,
    /// The minutes that are left to them.
    pub remaining_minutes: i64,
    /// The members of each such plan, most first.
    pub by_plan: Vec<LiveMembers>,
    /// The number of members who have changed to a plan with more hours.
    pub upgrades: i64,
    /// The users who attended the most hours.
    pub top: Vec<Usage>,
    /// How many users attended how many hours.
    pub distribution: Vec<Bucket>,
    /// The month and those before it, earliest first and without gaps.
    pub trend: Vec<MonthSum>,
    /// When it was computed.
    pub computed_at: DateTime<Utc>,
}

/// Returns the statistics of a month, as they are now.
///
/// # Errors
/// The database failed.
pub async fn statistics_of(app: &App, month: YearMonth) -> Result<Statistics, InternalError> {
    let (day, first) = (month.first_day(), month.back(TREND - 1).first_day());
    let mut conn = app.db.read().await?;
    let sums = query::sums(&mut conn, day).await?;
    let people = query::top(&mut conn, day).await?;
    let payers: Vec<UserId> = people.iter().map(|person| person.payer_id).collect();
    let pools = usage::of(&mut conn, &payers, &[day]).await?;
    let distribution = query::distribution(&mut conn, day).await?;
    let known = query::trend(&mut conn, (first, day)).await?;
    let limits = month.bounds(app.config.time_zone);
    let members = memberships::live_members(&mut conn, limits).await?;
    let attendees: HashSet<UserId> = query::attendees(&mut conn, day).await?.into_iter().collect();
    let by_plan = memberships::live_members_by_plan(&mut conn, limits).await?;
    let upgrades = memberships::live_upgrades(&mut conn, limits).await?;
    drop(conn);
    let remaining_minutes = left_to(app, &members, month).await?;
    let of = |ago| {
        let month = month.back(ago).first_day();
        let found = known.iter().find(|row| row.month == month).copied();
        found.unwrap_or(MonthSum { month, attended_minutes: 0, attendees: 0 })
    };
    let trend = (0..TREND).rev().map(of).collect();
    let of_person = |person: &Person| {
        let pool = pools.iter().find(|row| row.user_id == person.payer_id)?.clone();
        Some(Usage {
            sessions_attended: person.sessions_attended,
            last_attended_at: person.last_attended_at,
            ..pool.of_person(person.user_id, (person.held_minutes, person.attended_minutes))
        })
    };
    Ok(Statistics {
        month,
        sums,
        members: i64::try_from(members.len())?,
        attendees: i64::try_from(members.iter().filter(|member| attendees.contains(&member.user_id)).count())?,
        remaining_minutes,
        by_plan,
        upgrades,
        top: people.iter().filter_map(of_person).collect(),
        distribution,
        trend,
        computed_at: app.clock.now(),
    })
}

/// Returns the minutes that are left to members in a month, as each of them sees it. Who was no member anymore at its end
/// has none.
async fn left_to(app: &App, members: &[LiveMember], month: YearMonth) -> Result<i64, InternalError> {
    let day = month.first_day();
    let present = members.iter().filter(|member| member.is_present);
    let keys: Vec<UsageOf> = present.map(|member| UsageOf { user: member.user_id, month: day, at: None }).collect();
    let mut left = 0;
    for batch in keys.chunks(BATCH) {
        let known = usage_of(app, batch).await?;
        // Who has joined a family since, shares the hours of its owner.
        let own = known.values().filter(|hours| hours.pool.member.is_none());
        left += own.map(|hours| i64::from(hours.pool.usage.remaining())).sum::<i64>();
    }
    Ok(left)
}
