//! SQL for statistics. Each reads the rows of a month by its index: one for each user, whatever they attended, and one
//! for each family member.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::Date;
use diesel_async::AsyncPgConnection;

use crate::live::model::{Bucket, MonthSum, Person, Sums};
use crate::platform::db::{RunQueryDsl, sql_query};

/// The number of users of [`top`].
const TOP: i64 = 10;

/// What each user has attended themselves in the month `$1`: what a family has attended is in the row of its owner, and
/// what a member has of that in a row of their own. An owner may have a row, but had no seat.
const PEOPLE: &str = "\
    WITH shares AS (SELECT payer_id AS owner, sum(attended_minutes)::integer AS attended, \
            sum(held_minutes)::integer AS held FROM live_family_usage WHERE month = $1 GROUP BY 1), \
    people AS (SELECT user_id, user_id AS payer_id, attended_minutes - coalesce(attended, 0) AS attended_minutes, \
            held_minutes - coalesce(held, 0) AS held_minutes, sessions_attended, sessions_missed, \
            allowed_minutes + rolled_over_minutes + extra_minutes - attended_minutes - held_minutes \
                AS remaining_minutes, \
            owner IS NULL OR sessions_attended + sessions_missed > 0 \
                OR attended_minutes + held_minutes > attended + held AS took_part \
        FROM live_usage LEFT JOIN shares ON owner = user_id WHERE month = $1 \
        UNION ALL SELECT user_id, payer_id, attended_minutes, held_minutes, sessions_attended, sessions_missed, 0, \
            true FROM live_family_usage WHERE month = $1)";

/// Returns the sums over all users of a month.
pub(in crate::live) async fn sums(conn: &mut AsyncPgConnection, month: NaiveDate) -> QueryResult<Sums> {
    sql_query(format!(
        "{PEOPLE} SELECT count(DISTINCT user_id) FILTER (WHERE took_part) AS users, \
             count(DISTINCT user_id) FILTER (WHERE sessions_attended > 0) AS attendees, \
             coalesce(sum(attended_minutes), 0) AS attended_minutes, \
             coalesce(sum(remaining_minutes), 0) AS remaining_minutes, \
             coalesce(sum(sessions_attended), 0) AS sessions_attended, \
             coalesce(sum(sessions_missed), 0) AS sessions_missed FROM people"
    ))
    .bind::<Date, _>(month)
    .get_result(conn)
    .await
}

/// Returns how many users attended how many hours of a month.
pub(in crate::live) async fn distribution(conn: &mut AsyncPgConnection, month: NaiveDate) -> QueryResult<Vec<Bucket>> {
    sql_query(format!(
        "{PEOPLE}, totals AS (SELECT sum(attended_minutes) AS minutes FROM people WHERE took_part GROUP BY user_id) \
         SELECT (minutes / 60)::bigint AS hours, count(*) AS users FROM totals GROUP BY 1 ORDER BY 1"
    ))
    .bind::<Date, _>(month)
    .load(conn)
    .await
}

/// Returns the users who attended the most hours of a month.
pub(in crate::live) async fn top(conn: &mut AsyncPgConnection, month: NaiveDate) -> QueryResult<Vec<Person>> {
    sql_query(format!(
        "{PEOPLE} SELECT user_id, payer_id, attended_minutes, held_minutes FROM people WHERE attended_minutes > 0 \
         ORDER BY attended_minutes DESC, user_id LIMIT {TOP}"
    ))
    .bind::<Date, _>(month)
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
             count(DISTINCT user_id) FILTER (WHERE sessions_attended > 0) AS attendees \
         FROM (SELECT user_id, month, attended_minutes, sessions_attended FROM live_usage \
                 WHERE month BETWEEN $1 AND $2 \
             UNION ALL SELECT user_id, month, 0, sessions_attended FROM live_family_usage \
                 WHERE month BETWEEN $1 AND $2) AS people \
         GROUP BY month ORDER BY month",
    )
    .bind::<Date, _>(first)
    .bind::<Date, _>(last)
    .load(conn)
    .await
}
