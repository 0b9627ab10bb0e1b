//! SQL that lists sessions, for administrators and their users.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, sql};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::accounts::model::{Network, Session, SessionFilter, UserId};
use crate::graphql::Time;
use crate::graphql::page::Page;
use crate::platform::db::schema::sessions;
use crate::platform::db::{RunQueryDsl, newest_first, sql_query};

/// The position of a session in a list: when it began, and its id.
pub(crate) type SessionKey = (DateTime<Utc>, Uuid);

/// Returns a page of the sessions, newest first, in the direction of the page.
pub(crate) async fn page(
    mut conn: &AsyncPgConnection,
    filter: &SessionFilter,
    now: DateTime<Utc>,
    page: &Page<SessionKey>,
) -> QueryResult<Vec<Session>> {
    let rows = filtered(filter, now).select(Session::as_select());
    newest_first!(&mut conn, rows, sessions::created_at, sessions::id, page)
}

pub(crate) async fn count(
    mut conn: &AsyncPgConnection,
    filter: &SessionFilter,
    now: DateTime<Utc>,
) -> QueryResult<i64> {
    filtered(filter, now).count().get_result(&mut conn).await
}

fn filtered(filter: &SessionFilter, now: DateTime<Utc>) -> sessions::BoxedQuery<'_, Pg> {
    let mut rows = sessions::table.into_boxed();
    if let Some(user) = filter.user_id {
        rows = rows.filter(sessions::user_id.eq(user));
    }
    // Equality lets the index deliver the sessions of an address in order; those of a network are sorted.
    match filter.network() {
        Some(Network { first, last }) if first == last => {
            rows = rows.filter(sql::<Bool>("ip::inet = ").bind::<Text, _>(first.to_string()).sql("::inet"));
        }
        Some(Network { first, last }) => {
            let from = sql::<Bool>("ip::inet BETWEEN ").bind::<Text, _>(first.to_string());
            rows = rows.filter(from.sql("::inet AND ").bind::<Text, _>(last.to_string()).sql("::inet"));
        }
        None => {}
    }
    match filter.is_active {
        Some(true) => rows = rows.filter(sessions::ended_at.is_null()).filter(sessions::expires_at.gt(now)),
        Some(false) => rows = rows.filter(sessions::ended_at.is_not_null().or(sessions::expires_at.le(now))),
        None => {}
    }
    if let Some(Time(from)) = filter.created_from {
        rows = rows.filter(sessions::created_at.ge(from));
    }
    if let Some(Time(to)) = filter.created_to {
        rows = rows.filter(sessions::created_at.lt(to));
    }
    rows
}

/// Returns a page of a user's sessions, newest first, in the direction of the page.
///
/// Takes a shared connection, so that several pages can be pipelined.
pub(crate) async fn of_user(
    mut conn: &AsyncPgConnection,
    user: UserId,
    page: &Page<SessionKey>,
) -> QueryResult<Vec<Session>> {
    let rows = sessions::table.filter(sessions::user_id.eq(user)).select(Session::as_select());
    newest_first!(&mut conn, rows, sessions::created_at, sessions::id, page)
}

/// Counts the sessions of each of these users; a user without any is missing.
pub(crate) async fn count_of_users(conn: &mut AsyncPgConnection, users: &[UserId]) -> QueryResult<Vec<(UserId, i64)>> {
    sessions::table
        .filter(sessions::user_id.eq_any(users))
        .group_by(sessions::user_id)
        .select((sessions::user_id, count_star()))
        .load(conn)
        .await
}

/// Returns when each of these users signed in last; a user who never did is missing.
pub(crate) async fn last_sign_ins(
    conn: &mut AsyncPgConnection,
    users: &[UserId],
) -> QueryResult<HashMap<UserId, DateTime<Utc>>> {
    #[derive(QueryableByName)]
    struct Latest {
        #[diesel(sql_type = SqlUuid)]
        id: UserId,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        at: Option<DateTime<Utc>>,
    }
    // The sessions are for those who have not signed in since the column exists.
    let latest: Vec<Latest> = sql_query(
        "SELECT id, coalesce(last_sign_in_at, (SELECT max(created_at) FROM sessions WHERE user_id = users.id)) AS at \
         FROM users WHERE id = ANY ($1)",
    )
    .bind::<Array<SqlUuid>, _>(users)
    .load(conn)
    .await?;
    Ok(latest.into_iter().filter_map(|row| Some((row.id, row.at?))).collect())
}
