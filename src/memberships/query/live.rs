//! SQL for the members of plans with live classes.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamptz, Uuid};
use diesel_async::AsyncPgConnection;

use crate::memberships::model::PlanId;
use crate::platform::db::{RunQueryDsl, sql_query};

/// A period ends at most so long after it starts, so that those of a month are a range of the index by their ends.
const LONGEST_PERIOD: TimeDelta = TimeDelta::days(400);

/// The members of a plan with live classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
#[diesel(check_for_backend(diesel::pg::Pg))]
pub struct LiveMembers {
    /// The plan.
    #[diesel(sql_type = Uuid)]
    pub plan: PlanId,
    /// The number of its members.
    #[diesel(sql_type = BigInt)]
    pub members: i64,
}

/// Returns the members that each plan with live classes had between two times, most first. A member who has changed the
/// plan counts for both.
///
/// # Errors
/// The database failed.
pub async fn live_members(
    conn: &mut AsyncPgConnection,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> QueryResult<Vec<LiveMembers>> {
    sql_query(
        "SELECT plans.id AS plan, count(DISTINCT membership_id) AS members FROM membership_periods \
         JOIN plan_prices ON plan_prices.id = plan_price_id \
         JOIN plans ON plans.id = plan_id AND live_minutes_per_month IS NOT NULL \
         WHERE state = 'PAID' AND ends_at > $1 AND ends_at <= $3 AND starts_at < $2 \
         GROUP BY plans.id ORDER BY members DESC, plans.id",
    )
    .bind::<Timestamptz, _>(from)
    .bind::<Timestamptz, _>(to)
    .bind::<Timestamptz, _>(to + LONGEST_PERIOD)
    .load(conn)
    .await
}

/// A number of rows.
#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Returns how many members have begun a period between two times whose plan has more hours than that of the period before.
///
/// # Errors
/// The database failed.
pub async fn live_upgrades(
    conn: &mut AsyncPgConnection,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> QueryResult<i64> {
    let counted = sql_query(
        "SELECT count(DISTINCT new.membership_id) AS count FROM membership_periods new \
         JOIN plan_prices new_price ON new_price.id = new.plan_price_id JOIN plans new_plan ON new_plan.id = new_price.plan_id \
         JOIN membership_periods old ON old.membership_id = new.membership_id AND old.number = new.number - 1 \
             AND old.state = 'PAID' \
         JOIN plan_prices old_price ON old_price.id = old.plan_price_id JOIN plans old_plan ON old_plan.id = old_price.plan_id \
         WHERE new.state = 'PAID' AND new.ends_at > $1 AND new.ends_at <= $3 \
             AND new.starts_at >= $1 AND new.starts_at < $2 \
             AND new_plan.live_minutes_per_month > old_plan.live_minutes_per_month",
    );
    let counted = counted
        .bind::<Timestamptz, _>(from)
        .bind::<Timestamptz, _>(to)
        .bind::<Timestamptz, _>(to + LONGEST_PERIOD)
        .get_result::<Count>(conn);
    Ok(counted.await?.count)
}

/// Returns how many users were members of a plan with live classes between two times.
///
/// # Errors
/// The database failed.
pub async fn count_live_members(
    conn: &mut AsyncPgConnection,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> QueryResult<i64> {
    let counted = sql_query(
        "SELECT count(DISTINCT user_id) AS count FROM membership_periods \
         JOIN plan_prices ON plan_prices.id = membership_periods.plan_price_id \
         JOIN plans ON plans.id = plan_prices.plan_id AND live_minutes_per_month IS NOT NULL \
         JOIN memberships ON memberships.id = membership_id \
         WHERE state = 'PAID' AND ends_at > $1 AND ends_at <= $3 AND starts_at < $2",
    );
    let counted = counted
        .bind::<Timestamptz, _>(from)
        .bind::<Timestamptz, _>(to)
        .bind::<Timestamptz, _>(to + LONGEST_PERIOD)
        .get_result::<Count>(conn);
    Ok(counted.await?.count)
}
