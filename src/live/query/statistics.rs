//! SQL for statistics. Each reads the rows of a month by its index: one for each user, whatever they attended.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::Date;
use diesel_async::AsyncPgConnection;

use crate::live::model::{Bucket, MonthSum, Sums, Usage};
use crate::platform::db::schema::live_usage;
use crate::platform::db::{RunQueryDsl, sql_query};

/// The number of users of [`top`].
const TOP: i64 = 10;

/// Returns the sums over all users of a month.
pub(in crate::live) async fn sums(conn: &mut AsyncPgConnection, month: NaiveDate) -> QueryResult<Sums> {
    sql_query(
        "SELECT count(*) AS users, count(*) FILTER (WHERE sessions_attended > 0) AS attendees, \
             coalesce(sum(attended_minutes), 0) AS attended_minutes, \
             coalesce(sum(allowed_minutes + rolled_over_minutes + extra_minutes - attended_minutes - held_minutes), 0) \
                 AS remaining_minutes, \
             coalesce(sum(sessions_attended), 0) AS sessions_attended, \
             coalesce(sum(sessions_missed), 0) AS sessions_missed FROM live_usage WHERE month = $1",
    )
    .bind::<Date, _>(month)
    .get_result(conn)
    .await
}

/// Returns how many users attended how many hours of a month.
pub(in crate::live) async fn distribution(conn: &mut AsyncPgConnection, month: NaiveDate) -> QueryResult<Vec<Bucket>> {
    sql_query(
        "SELECT (attended_minutes / 60)::bigint AS hours, count(*) AS users FROM live_usage WHERE month = $1 \
         GROUP BY 1 ORDER BY 1",
    )
    .bind::<Date, _>(month)
    .load(conn)
    .await
}

/// Returns the users who attended the most hours of a month.
pub(in crate::live) async fn top(conn: &mut AsyncPgConnection, month: NaiveDate) -> QueryResult<Vec<Usage>> {
    live_usage::table
        .filter(live_usage::month.eq(month).and(live_usage::attended_minutes.gt(0)))
        .order((live_usage::attended_minutes.desc(), live_usage::user_id))
        .limit(TOP)
        .select(Usage::as_select())
        .load(conn)
        .await
}

/// Returns what was attended in each month from `first` to `last`; months without hours are missing.
pub(in crate::live) async fn trend(
    conn: &mut AsyncPgConnection,
    (first, last): (NaiveDate, NaiveDate),
) -> QueryResult<Vec<MonthSum>> {
    sql_query(
        "SELECT month, sum(attended_minutes) AS attended_minutes, \
             count(*) FILTER (WHERE sessions_attended > 0) AS attendees \
         FROM live_usage WHERE month BETWEEN $1 AND $2 GROUP BY month ORDER BY month",
    )
    .bind::<Date, _>(first)
    .bind::<Date, _>(last)
    .load(conn)
    .await
}
