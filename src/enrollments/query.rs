//! The ledger's SQL. Whatever writes a line does so under the lock of its course, whose count of students it keeps.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Timestamptz, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use super::model::{EndReason, Enrollment, Entitlement, EntitlementId, NewEntitlement};
use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::graphql::page::Page;
use crate::platform::clock::Clock;
use crate::platform::db::schema::{entitlements, users};
use crate::platform::db::{RunQueryDsl, Tx};

/// Lines that are ended at a time.
const BATCH: i64 = 200;

/// The open and the expired lines of these people in these courses, pair by pair.
pub(super) async fn held(
    conn: &mut AsyncPgConnection,
    users: Vec<UserId>,
    courses: Vec<CourseId>,
) -> QueryResult<Vec<Entitlement>> {
    diesel::sql_query(
        "SELECT entitlements.* FROM unnest($1, $2) AS wanted (user_id, course_id) \
         JOIN entitlements USING (user_id, course_id) WHERE ended_at IS NULL OR end_reason = 'EXPIRED'",
    )
    .bind::<Array<SqlUuid>, _>(users)
    .bind::<Array<SqlUuid>, _>(courses)
    .load(conn)
    .await
}

/// Whether there is such a user; they cannot be deleted before the transaction ends.
pub(super) async fn hold_user(tx: &mut Tx, id: UserId) -> QueryResult<bool> {
    let user = users::table.find(id).filter(users::deleted_at.is_null()).select(users::id).for_share();
    Ok(user.first::<Uuid>(tx.conn()).await.optional()?.is_some())
}

/// The open lines of somebody in a course.
pub(super) async fn open(tx: &mut Tx, user: UserId, course: CourseId) -> QueryResult<Vec<Entitlement>> {
    entitlements::table
        .filter(entitlements::user_id.eq(user).and(entitlements::course_id.eq(course)))
        .filter(entitlements::ended_at.is_null())
        .select(Entitlement::as_select())
        .load(tx.conn())
        .await
}

pub(super) async fn insert(tx: &mut Tx, clock: &Clock, new: NewEntitlement) -> QueryResult<Entitlement> {
    diesel::insert_into(entitlements::table)
        .values((
            entitlements::id.eq(clock.uuid()),
            entitlements::user_id.eq(new.user_id),
            entitlements::course_id.eq(new.course_id),
            entitlements::source.eq(new.source),
            entitlements::starts_at.eq(clock.now()),
            entitlements::expires_at.eq(new.expires_at),
            entitlements::note.eq(new.note),
            entitlements::granted_by.eq(new.granted_by),
        ))
        .returning(Entitlement::as_returning())
        .get_result(tx.conn())
        .await
}

/// Gives an open line another end.
pub(super) async fn change(tx: &mut Tx, id: EntitlementId, new: NewEntitlement) -> QueryResult<Entitlement> {
    diesel::update(entitlements::table.find(id))
        .set((
            entitlements::expires_at.eq(new.expires_at),
            entitlements::note.eq(new.note),
            entitlements::granted_by.eq(new.granted_by),
        ))
        .returning(Entitlement::as_returning())
        .get_result(tx.conn())
        .await
}

pub(super) async fn end(
    tx: &mut Tx,
    id: EntitlementId,
    reason: EndReason,
    now: DateTime<Utc>,
) -> QueryResult<Entitlement> {
    diesel::update(entitlements::table.find(id).filter(entitlements::ended_at.is_null()))
        .set((entitlements::ended_at.eq(now), entitlements::end_reason.eq(reason)))
        .returning(Entitlement::as_returning())
        .get_result(tx.conn())
        .await
}

/// Whether somebody has access to a course that is locked, so that it must not be removed.
///
/// # Errors
/// The database failed.
pub async fn is_owned(tx: &mut Tx, course: CourseId, now: DateTime<Utc>) -> QueryResult<bool> {
    let owned = entitlements::table
        .filter(entitlements::course_id.eq(course).and(entitlements::ended_at.is_null()))
        .filter(entitlements::expires_at.is_null().or(entitlements::expires_at.gt(now)))
        .select(entitlements::id);
    diesel::select(diesel::dsl::exists(owned)).get_result(tx.conn()).await
}

/// Closes all lines of a course that is locked, not owned, and about to go. Nobody loses anything: they have expired.
///
/// # Errors
/// The database failed.
pub async fn close_ledger(tx: &mut Tx, course: CourseId, now: DateTime<Utc>) -> QueryResult<()> {
    diesel::update(entitlements::table)
        .filter(entitlements::course_id.eq(course).and(entitlements::ended_at.is_null()))
        .filter(entitlements::expires_at.le(now))
        .set((entitlements::ended_at.eq(now), entitlements::end_reason.eq(EndReason::Expired)))
        .execute(tx.conn())
        .await
        .map(drop)
}

/// Whose open lines in which courses have expired, some of them, after a course and a user.
pub(super) async fn expired(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    (course, user): (Uuid, Uuid),
) -> QueryResult<Vec<(Option<CourseId>, UserId)>> {
    entitlements::table
        .filter(entitlements::ended_at.is_null().and(entitlements::expires_at.le(now)))
        .filter(entitlements::course_id.ge(course))
        .filter(entitlements::course_id.gt(course).or(entitlements::user_id.gt(user)))
        .order((entitlements::course_id, entitlements::user_id))
        .limit(BATCH)
        .select((entitlements::course_id, entitlements::user_id))
        .distinct()
        .load(conn)
        .await
}

/// The courses in which somebody has open lines.
pub(super) async fn courses_of(conn: &mut AsyncPgConnection, user: UserId) -> QueryResult<Vec<Option<CourseId>>> {
    entitlements::table
        .filter(entitlements::user_id.eq(user).and(entitlements::ended_at.is_null()))
        .select(entitlements::course_id)
        .distinct()
        .load(conn)
        .await
}

/// Removes what administrators wrote about somebody.
pub(super) async fn forget_notes(tx: &mut Tx, user: UserId) -> QueryResult<usize> {
    diesel::update(entitlements::table.filter(entitlements::user_id.eq(user)))
        .set(entitlements::note.eq(""))
        .execute(tx.conn())
        .await
}

/// All lines of somebody, the latest first.
pub(super) async fn all_of(conn: &mut AsyncPgConnection, user: UserId, limit: i64) -> QueryResult<Vec<Entitlement>> {
    entitlements::table
        .filter(entitlements::user_id.eq(user))
        .order((entitlements::starts_at.desc(), entitlements::id.desc()))
        .limit(limit)
        .select(Entitlement::as_select())
        .load(conn)
        .await
}

/// The courses that somebody has access to, the latest first, in the page's direction.
pub(super) async fn enrollments(
    conn: &mut AsyncPgConnection,
    user: UserId,
    now: DateTime<Utc>,
    page: &Page<(DateTime<Utc>, Uuid)>,
) -> QueryResult<Vec<Enrollment>> {
    let (after, before) = bounds(page);
    let order = if page.backward { "ASC" } else { "DESC" };
    diesel::sql_query(format!(
        "SELECT course_id, min(starts_at) AS since FROM entitlements WHERE user_id = $1 AND {ACTIVE} GROUP BY course_id \
         HAVING (min(starts_at), course_id) < ($3, $4) AND (min(starts_at), course_id) > ($5, $6) \
         ORDER BY since {order}, course_id {order} LIMIT $7"
    ))
    .bind::<SqlUuid, _>(user)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(after.0)
    .bind::<SqlUuid, _>(after.1)
    .bind::<Timestamptz, _>(before.0)
    .bind::<SqlUuid, _>(before.1)
    .bind::<BigInt, _>(page.fetch())
    .load(conn)
    .await
}

pub(super) async fn count_enrollments(
    conn: &mut AsyncPgConnection,
    user: UserId,
    now: DateTime<Utc>,
) -> QueryResult<i64> {
    let courses =
        format!("SELECT count(DISTINCT course_id) AS count FROM entitlements WHERE user_id = $1 AND {ACTIVE}");
    let counted = diesel::sql_query(courses).bind::<SqlUuid, _>(user).bind::<Timestamptz, _>(now);
    Ok(counted.get_result::<Count>(conn).await?.count)
}

/// The lines of a course, the latest first, in the page's direction.
pub(super) async fn of_course(
    mut conn: &AsyncPgConnection,
    course: CourseId,
    page: &Page<(DateTime<Utc>, Uuid)>,
) -> QueryResult<Vec<Entitlement>> {
    let ((after_at, after_id), (before_at, before_id)) = bounds(page);
    let rows = entitlements::table
        .filter(entitlements::course_id.eq(course))
        .filter(entitlements::starts_at.le(after_at))
        .filter(entitlements::starts_at.lt(after_at).or(entitlements::id.lt(after_id)))
        .filter(entitlements::starts_at.ge(before_at))
        .filter(entitlements::starts_at.gt(before_at).or(entitlements::id.gt(before_id)))
        .select(Entitlement::as_select())
        .limit(page.fetch());
    if page.backward {
        rows.order((entitlements::starts_at.asc(), entitlements::id.asc())).load(&mut conn).await
    } else {
        rows.order((entitlements::starts_at.desc(), entitlements::id.desc())).load(&mut conn).await
    }
}

/// How many lines each of these courses has.
pub(super) async fn count_of_courses(
    conn: &mut AsyncPgConnection,
    courses: &[CourseId],
) -> QueryResult<Vec<(Option<CourseId>, i64)>> {
    entitlements::table
        .filter(entitlements::course_id.eq_any(courses))
        .group_by(entitlements::course_id)
        .select((entitlements::course_id, diesel::dsl::count_star()))
        .load(conn)
        .await
}

/// A line that gives access at `$2`.
const ACTIVE: &str = "ended_at IS NULL AND starts_at <= $2 AND (expires_at IS NULL OR expires_at > $2)";

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

type Bound = (DateTime<Utc>, Uuid);

/// The ends of a page that goes from the latest to the oldest; an open one is the first or last possible key.
fn bounds(page: &Page<Bound>) -> (Bound, Bound) {
    let (last, first) = ((DateTime::<Utc>::MAX_UTC, Uuid::max()), (DateTime::UNIX_EPOCH, Uuid::nil()));
    (page.after.unwrap_or(last), page.before.unwrap_or(first))
}
