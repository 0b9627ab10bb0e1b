//! SQL for statistics. Each reads the rows of a month by its index: one for each user, whatever they attended, and one
//! for each family member.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::Date;
use diesel_async::AsyncPgConnection;

use crate::accounts::UserId;
use crate::live::model::{Bucket, MonthSum, Person, Sums};
use crate::platform::db::schema::{live_family_usage, live_usage};
use crate::platform::db::{RunQueryDsl, sql_query};

/// The number of users of [`top`].
const TOP: i64 = 10;

/// What each user has attended themselves in the month `$1`: what a family has attended is in the row of its owner, and
/// what a member has of that in a row of their own. A user may have a row, but no seat.
const PEOPLE: &str = "\
    WITH shares AS (SELECT payer_id AS owner, sum(attended_minutes)::integer AS attended, \
            sum(held_minutes)::integer AS held FROM live_family_usage WHERE month = $1 GROUP BY 1), \
    people AS (SELECT user_id, user_id AS payer_id, attended_minutes - coalesce(attended, 0) AS attended_minutes, \
            held_minutes - coalesce(held, 0) AS held_minutes, sessions_attended, sessions_missed, last_attended_at, \
            sessions_attended + sessions_missed > 0 \
                OR attended_minutes + held_minutes > coalesce(attended + held, 0) AS took_part \
        FROM live_usage LEFT JOIN shares ON owner = user_id WHERE month = $1 \
        UNION ALL SELECT user_id, payer_id, attended_minutes, held_minutes, sessions_attended, sessions_missed, \
            last_attended_at, sessions_attended + sessions_missed + held_minutes > 0 \
        FROM live_family_usage WHERE month = $1)";

/// Returns the sums over all users of a month.
pub(crate) async fn sums(conn: &mut AsyncPgConnection, month: NaiveDate) -> QueryResult<Sums> {
    sql_query(format!(
        "{PEOPLE} SELECT count(DISTINCT user_id) FILTER (WHERE took_part) AS users, \
             coalesce(sum(attended_minutes), 0) AS attended_minutes, \
             coalesce(sum(sessions_attended), 0) AS sessions_attended, \
             coalesce(sum(sessions_missed), 0) AS sessions_missed FROM people"
    ))
    .bind::<Date, _>(month)
    .get_result(conn)
    .await
}

/// Returns how many users attended how many hours of a month.
pub(crate) async fn distribution(conn: &mut AsyncPgConnection, month: NaiveDate) -> QueryResult<Vec<Bucket>> {
    sql_query(format!(
        "{PEOPLE}, totals AS (SELECT sum(attended_minutes) AS minutes FROM people WHERE took_part GROUP BY user_id) \
         SELECT (minutes / 60)::bigint AS hours, count(*) AS users FROM totals GROUP BY 1 ORDER BY 1"
    ))
    .bind::<Date, _>(month)
    .load(conn)
    .await
}

/// Returns the users who have attended a session in a month, or of whose hours their family has.
pub(crate) async fn attendees(conn: &mut AsyncPgConnection, month: NaiveDate) -> QueryResult<Vec<UserId>> {
    let own = live_usage::table
        .filter(live_usage::month.eq(month).and(live_usage::attended_minutes.gt(0)))
        .select(live_usage::user_id);
    let shared = live_family_usage::table
        .filter(live_family_usage::month.eq(month).and(live_family_usage::attended_minutes.gt(0)))
        .select(live_family_usage::user_id);
    own.union(shared).load(conn).await
}

/// Returns the users who attended the most hours of a month, of whatever hours these were: of several, the payer is the
/// one of whose hours they attended the most.
pub(crate) async fn top(conn: &mut AsyncPgConnection, month: NaiveDate) -> QueryResult<Vec<Person>> {
    sql_query(format!(
        "{PEOPLE} SELECT user_id, \
             (array_agg(payer_id ORDER BY people.attended_minutes DESC, payer_id <> user_id))[1] AS payer_id, \
             sum(attended_minutes)::integer AS attended_minutes, sum(held_minutes)::integer AS held_minutes, \
             sum(sessions_attended)::integer AS sessions_attended, max(last_attended_at) AS last_attended_at \
         FROM people GROUP BY user_id HAVING sum(attended_minutes) > 0 \
         ORDER BY 3 DESC, user_id LIMIT {TOP}"
    ))
    .bind::<Date, _>(month)
    .load(conn)
    .await
}

/// Returns what was attended in each month from `first` to `last`; months without hours are missing.
pub(crate) async fn trend(
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
