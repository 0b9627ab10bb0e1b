//! SQL for enrollments. A trigger inserts them with the first entitlement to their course.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Timestamptz, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;

use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::enrollments::model::{Enrollment, EnrollmentId, EnrollmentPlace, EnrollmentSort, EnrollmentSortField};
use crate::graphql::page::{Page, SortDirection};
use crate::platform::db::schema::enrollments;
use crate::platform::db::{RunQueryDsl, Tx, cached};

pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[EnrollmentId]) -> QueryResult<Vec<Enrollment>> {
    enrollments::table.filter(enrollments::id.eq_any(ids)).select(Enrollment::as_select()).load(conn).await
}

/// Returns the enrollments of pairs of a user and a course.
pub(crate) async fn of_pairs(
    conn: &mut AsyncPgConnection,
    users: Vec<UserId>,
    courses: Vec<CourseId>,
) -> QueryResult<Vec<Enrollment>> {
    let pairs = sql::<Bool>("(user_id, course_id) IN (SELECT * FROM unnest(").bind::<Array<SqlUuid>, _>(users);
    let pairs = pairs.sql(", ").bind::<Array<SqlUuid>, _>(courses).sql("))");
    cached(enrollments::table.filter(pairs).select(Enrollment::as_select())).load(conn).await
}

/// Returns all enrollments of each of the users: at most some thousand each.
pub(crate) async fn all_of(conn: &mut AsyncPgConnection, users: &[UserId]) -> QueryResult<Vec<Enrollment>> {
    enrollments::table.filter(enrollments::user_id.eq_any(users)).select(Enrollment::as_select()).load(conn).await
}

/// Returns the latest enrollments of a user.
pub(crate) async fn latest_of(conn: &mut AsyncPgConnection, user: UserId, limit: i64) -> QueryResult<Vec<Enrollment>> {
    enrollments::table
        .filter(enrollments::user_id.eq(user))
        .order((enrollments::since.desc(), enrollments::id.desc()))
        .limit(limit)
        .select(Enrollment::as_select())
        .load(conn)
        .await
}

/// Returns a page of a user's enrollments in an order by time, in the page's direction.
///
/// Takes a shared connection, so that several pages can be pipelined. Rows are compared as tuples, so that an index scan
/// can start at the cursor.
pub(crate) async fn page_by_time(
    mut conn: &AsyncPgConnection,
    user: UserId,
    sort: EnrollmentSort,
    page: &Page<EnrollmentPlace>,
) -> QueryResult<Vec<Enrollment>> {
    let time = match sort.field {
        EnrollmentSortField::LastActivity => "coalesce(last_activity_at, since)",
        EnrollmentSortField::EnrolledAt | EnrollmentSortField::Title | EnrollmentSortField::Progress => "since",
    };
    let descending = sort.direction == SortDirection::Desc;
    let mut rows = enrollments::table.filter(enrollments::user_id.eq(user)).into_boxed();
    for (place, below) in [(&page.after, descending), (&page.before, !descending)] {
        let Some((micros, _, id)) = place else { continue };
        let at = DateTime::<Utc>::from_timestamp_micros(*micros).unwrap_or_default();
        let beyond = sql::<Bool>(&format!("({time}, id) {} (", if below { "<" } else { ">" }));
        rows = rows.filter(beyond.bind::<Timestamptz, _>(at).sql(", ").bind::<SqlUuid, _>(*id).sql(")"));
    }
    let direction = if descending != page.backward { "DESC" } else { "ASC" };
    let rows = rows.order(sql::<Bool>(&format!("{time} {direction}, id {direction}"))).limit(page.fetch());
    cached(rows.select(Enrollment::as_select())).load(&mut conn).await
}

/// Counts the enrollments of each of the users; a user without any is missing.
pub(crate) async fn count_of(conn: &mut AsyncPgConnection, users: &[UserId]) -> QueryResult<HashMap<UserId, i64>> {
    let counts: Vec<(UserId, i64)> = enrollments::table
        .filter(enrollments::user_id.eq_any(users))
        .group_by(enrollments::user_id)
        .select((enrollments::user_id, count_star()))
        .load(conn)
        .await?;
    Ok(counts.into_iter().collect())
}

pub(crate) async fn forget_user(tx: &mut Tx, user: UserId) -> QueryResult<usize> {
    diesel::delete(enrollments::table.filter(enrollments::user_id.eq(user))).execute(tx.conn()).await
}

/// Returns the next `limit` users who are enrolled in a course, in the order of their ids, after a user.
pub(crate) async fn students_after(
    conn: &mut AsyncPgConnection,
    course: CourseId,
    after: UserId,
    limit: i64,
) -> QueryResult<Vec<UserId>> {
    enrollments::table
        .filter(enrollments::course_id.eq(course).and(enrollments::user_id.gt(after)))
        .order(enrollments::user_id)
        .limit(limit)
        .select(enrollments::user_id)
        .load(conn)
        .await
}
