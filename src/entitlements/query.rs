//! SQL for entitlements. A user's entitlements are written under the row lock of the user.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use super::model::{EndReason, Entitlement, EntitlementId, NewEntitlement, Scope, Target};
use crate::accounts::UserId;
use crate::graphql::page::Page;
use crate::platform::clock::Clock;
use crate::platform::db::schema::entitlements;
use crate::platform::db::{RunQueryDsl, Tx, newest_first, sql_query, storable};

/// The number of entitlements in one batch of a sweep.
const BATCH: i64 = 200;

/// An entitlement and the requested course.
#[derive(QueryableByName)]
pub(crate) struct HeldRow {
    #[diesel(sql_type = SqlUuid)]
    pub(crate) wanted: Uuid,
    #[diesel(embed)]
    pub row: Entitlement,
}

/// The columns of [`Entitlement`], by name: a prepared statement fails when `*` becomes other columns.
const HELD: &str = "id, user_id, scope, held.course_id, category_id, source, starts_at, expires_at, ended_at, end_reason, \
    note, granted_by";

/// Returns the open and expired entitlements for each pair of user and course.
///
/// Includes the entitlements to categories, whether or not the course is in them, and to everything.
pub(crate) async fn held(
    conn: &mut AsyncPgConnection,
    users: Vec<UserId>,
    courses: Vec<Uuid>,
) -> QueryResult<Vec<HeldRow>> {
    sql_query(format!(
        "WITH wanted AS (SELECT * FROM unnest($1, $2) AS pair (user_id, course_id)) \
         SELECT wanted.course_id AS wanted, {HELD} FROM wanted JOIN entitlements held USING (user_id, course_id) \
         WHERE ended_at IS NULL OR end_reason = 'EXPIRED' \
         UNION ALL \
         SELECT wanted.course_id AS wanted, {HELD} FROM wanted JOIN entitlements held USING (user_id) \
         WHERE scope <> 'COURSE' AND (ended_at IS NULL OR end_reason = 'EXPIRED')"
    ))
    .bind::<Array<SqlUuid>, _>(users)
    .bind::<Array<SqlUuid>, _>(courses)
    .load(conn)
    .await
}

/// Returns all entitlements, ended ones included, that may cover each pair of user and course, latest first.
///
/// Includes the entitlements to categories, whether or not the course is in them, and to everything.
pub(crate) async fn ledger(
    conn: &mut AsyncPgConnection,
    users: Vec<UserId>,
    courses: Vec<Uuid>,
) -> QueryResult<Vec<HeldRow>> {
    sql_query(format!(
        "WITH wanted AS (SELECT * FROM unnest($1, $2) AS pair (user_id, course_id)) \
         SELECT wanted.course_id AS wanted, {HELD} FROM wanted JOIN entitlements held USING (user_id, course_id) \
         UNION ALL \
         SELECT wanted.course_id AS wanted, {HELD} FROM wanted JOIN entitlements held USING (user_id) \
         WHERE scope <> 'COURSE' \
         ORDER BY starts_at DESC, id DESC"
    ))
    .bind::<Array<SqlUuid>, _>(users)
    .bind::<Array<SqlUuid>, _>(courses)
    .load(conn)
    .await
}

/// The user, scope, course and category of an entitlement.
pub(crate) type ActiveTarget = (UserId, Scope, Option<Uuid>, Option<Uuid>);

/// Returns what each of the users has active access to.
pub(crate) async fn active_targets(
    conn: &mut AsyncPgConnection,
    users: &[UserId],
    now: DateTime<Utc>,
) -> QueryResult<Vec<ActiveTarget>> {
    entitlements::table
        .filter(entitlements::user_id.eq_any(users).and(entitlements::ended_at.is_null()))
        .filter(entitlements::starts_at.le(now))
        .filter(entitlements::expires_at.is_null().or(entitlements::expires_at.gt(now)))
        .select((entitlements::user_id, entitlements::scope, entitlements::course_id, entitlements::category_id))
        .load(conn)
        .await
}

/// Returns the user's open entitlements to `target`.
pub(crate) async fn open(tx: &mut Tx, user: UserId, target: Target) -> QueryResult<Vec<Entitlement>> {
    let (scope, course, category) = target.columns();
    entitlements::table
        .filter(entitlements::user_id.eq(user).and(entitlements::scope.eq(scope)))
        .filter(entitlements::course_id.is_not_distinct_from(course))
        .filter(entitlements::category_id.is_not_distinct_from(category))
        .filter(entitlements::ended_at.is_null())
        .select(Entitlement::as_select())
        .load(tx.conn())
        .await
}

pub(crate) async fn insert(tx: &mut Tx, clock: &Clock, new: NewEntitlement) -> QueryResult<Entitlement> {
    let (scope, course_id, category_id) = new.target.columns();
    diesel::insert_into(entitlements::table)
        .values((
            entitlements::id.eq(clock.uuid()),
            entitlements::user_id.eq(new.user_id),
            entitlements::scope.eq(scope),
            entitlements::course_id.eq(course_id),
            entitlements::category_id.eq(category_id),
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

/// Inserts many entitlements at once; returns the courses of those that were not there before.
pub(crate) async fn insert_all(tx: &mut Tx, clock: &Clock, new: &[NewEntitlement]) -> QueryResult<Vec<Uuid>> {
    #[derive(QueryableByName)]
    struct Made {
        #[diesel(sql_type = Nullable<SqlUuid>)]
        course_id: Option<Uuid>,
    }
    let targets = || new.iter().map(|new| new.target.columns());
    let made: Vec<Made> = sql_query(
        "INSERT INTO entitlements \
             (id, user_id, scope, course_id, category_id, source, expires_at, note, granted_by, starts_at) \
         SELECT new.*, $10 FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) AS new \
         ON CONFLICT DO NOTHING RETURNING course_id",
    )
    .bind::<Array<SqlUuid>, _>(new.iter().map(|_| clock.uuid()).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(new.iter().map(|new| new.user_id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(targets().map(|(scope, ..)| scope.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(targets().map(|(_, course, _)| course).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(targets().map(|(_, _, category)| category).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(new.iter().map(|new| new.source.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(new.iter().map(|new| new.expires_at).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(new.iter().map(|new| new.note.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(new.iter().map(|new| new.granted_by).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(clock.now())
    .load(tx.conn())
    .await?;
    Ok(made.into_iter().filter_map(|made| made.course_id).collect())
}

/// Gives an open entitlement new terms.
pub(crate) async fn change(tx: &mut Tx, id: EntitlementId, new: NewEntitlement) -> QueryResult<Entitlement> {
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

pub(crate) async fn end(
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

/// Returns whether any user has an unexpired entitlement to this course.
pub(crate) async fn is_owned(tx: &mut Tx, course: Uuid, now: DateTime<Utc>) -> QueryResult<bool> {
    let owned = entitlements::table
        .filter(entitlements::course_id.eq(course).and(entitlements::ended_at.is_null()))
        .filter(entitlements::expires_at.is_null().or(entitlements::expires_at.gt(now)))
        .select(entitlements::id);
    diesel::select(diesel::dsl::exists(owned)).get_result(tx.conn()).await
}

/// Ends all expired entitlements to a course.
pub(crate) async fn end_expired_of_course(tx: &mut Tx, course: Uuid, now: DateTime<Utc>) -> QueryResult<()> {
    diesel::update(entitlements::table)
        .filter(entitlements::course_id.eq(course).and(entitlements::ended_at.is_null()))
        .filter(entitlements::expires_at.le(now))
        .set((entitlements::ended_at.eq(now), entitlements::end_reason.eq(EndReason::Expired)))
        .execute(tx.conn())
        .await
        .map(drop)
}

/// Returns one entitlement.
///
/// # Errors
/// The database failed.
pub async fn by_id(conn: &mut AsyncPgConnection, id: EntitlementId) -> QueryResult<Option<Entitlement>> {
    entitlements::table.find(id).select(Entitlement::as_select()).first(conn).await.optional()
}

/// Returns a batch of open entitlements that have expired.
///
/// They are in the order of their expiry and id, after the given key.
///
/// # Errors
/// The database failed.
pub async fn expired(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    (at, id): (DateTime<Utc>, Uuid),
) -> QueryResult<Vec<Entitlement>> {
    entitlements::table
        .filter(entitlements::ended_at.is_null().and(entitlements::expires_at.le(now)))
        .filter(entitlements::expires_at.ge(storable(at)))
        .filter(entitlements::expires_at.gt(storable(at)).or(entitlements::id.gt(EntitlementId::new(id))))
        .order((entitlements::expires_at, entitlements::id))
        .limit(BATCH)
        .select(Entitlement::as_select())
        .load(conn)
        .await
}

/// Returns a batch of the user's open entitlements.
///
/// # Errors
/// The database failed.
pub async fn open_of_user(conn: &mut AsyncPgConnection, user: UserId) -> QueryResult<Vec<Entitlement>> {
    entitlements::table
        .filter(entitlements::user_id.eq(user).and(entitlements::ended_at.is_null()))
        .order(entitlements::id)
        .limit(BATCH)
        .select(Entitlement::as_select())
        .load(conn)
        .await
}

/// Counts the users who have an open entitlement to each course; courses without any are missing.
///
/// # Errors
/// The database failed.
pub async fn count_students(conn: &mut AsyncPgConnection, courses: &[Uuid]) -> QueryResult<HashMap<Uuid, i32>> {
    #[derive(QueryableByName)]
    struct Students {
        #[diesel(sql_type = SqlUuid)]
        course_id: Uuid,
        #[diesel(sql_type = Integer)]
        count: i32,
    }
    let counted: Vec<Students> = sql_query(
        "SELECT course_id, count(DISTINCT user_id)::integer AS count FROM entitlements \
         WHERE course_id = ANY ($1) AND ended_at IS NULL GROUP BY course_id",
    )
    .bind::<Array<SqlUuid>, _>(courses)
    .load(conn)
    .await?;
    Ok(counted.into_iter().map(|row| (row.course_id, row.count)).collect())
}

/// Removes the administrators' reasons from a user's entitlements.
pub(crate) async fn forget_notes(tx: &mut Tx, user: UserId) -> QueryResult<usize> {
    diesel::update(entitlements::table.filter(entitlements::user_id.eq(user)))
        .set(entitlements::note.eq(""))
        .execute(tx.conn())
        .await
}

/// Returns the user's entitlements, newest first.
///
/// # Errors
/// The database failed.
pub async fn all_of(conn: &mut AsyncPgConnection, user: UserId, limit: i64) -> QueryResult<Vec<Entitlement>> {
    entitlements::table
        .filter(entitlements::user_id.eq(user))
        .order((entitlements::starts_at.desc(), entitlements::id.desc()))
        .limit(limit)
        .select(Entitlement::as_select())
        .load(conn)
        .await
}

/// Returns a page of a course's entitlements, newest first, in the direction of the page.
pub(crate) async fn of_course(
    mut conn: &AsyncPgConnection,
    course: Uuid,
    page: &Page<(DateTime<Utc>, Uuid)>,
) -> QueryResult<Vec<Entitlement>> {
    let rows = entitlements::table.filter(entitlements::course_id.eq(course)).select(Entitlement::as_select());
    newest_first!(&mut conn, rows, entitlements::starts_at, entitlements::id, page)
}

/// Counts the entitlements to each of the courses.
pub(crate) async fn count_of_courses(
    conn: &mut AsyncPgConnection,
    courses: &[Uuid],
) -> QueryResult<Vec<(Option<Uuid>, i64)>> {
    entitlements::table
        .filter(entitlements::course_id.eq_any(courses))
        .group_by(entitlements::course_id)
        .select((entitlements::course_id, diesel::dsl::count_star()))
        .load(conn)
        .await
}

pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[EntitlementId]) -> QueryResult<Vec<Entitlement>> {
    entitlements::table.filter(entitlements::id.eq_any(ids)).select(Entitlement::as_select()).load(conn).await
}
