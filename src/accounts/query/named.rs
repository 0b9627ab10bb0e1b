//! SQL that finds instructors by their names.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_async::AsyncPgConnection;

use crate::accounts::model::User;
use crate::platform::db::RunQueryDsl;
use crate::platform::db::schema::users;

/// The maximum number of users that are found. All 20,000 instructors of a test matched take 40 ms.
const MOST_NAMED: i64 = 500;

/// Returns the instructors and administrators whose names match a `tsquery`, in the order of their names.
///
/// Users who are banned at `now` and deleted users are not found.
pub(crate) async fn team_named(
    mut conn: &AsyncPgConnection,
    query: &str,
    now: DateTime<Utc>,
) -> QueryResult<Vec<User>> {
    users::table
        // Not a bind parameter: for a partial index, PostgreSQL must see the condition when it plans the query.
        .filter(sql::<Bool>("role <> 'STUDENT' AND name_vector(name) @@ ").bind::<Text, _>(query).sql("::tsquery"))
        .filter(users::deleted_at.is_null())
        .filter(users::banned_at.is_null().or(users::banned_until.le(now)))
        .order((sql::<Text>("lower(name)"), users::id))
        .limit(MOST_NAMED)
        .select(User::as_select())
        .load(&mut conn)
        .await
}
