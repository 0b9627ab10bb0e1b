//! SQL for courses.

use chrono::{DateTime, Utc};
use diesel::dsl::count_star;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use super::stats;
use crate::accounts::UserId;
use crate::catalog::model::{Course, CourseId, CourseLists, FactChanges, NewFacts, course_key, facts_key};
use crate::channels::ChannelId;
use crate::graphql::page::Page;
use crate::platform::clock::Clock;
use crate::platform::db::schema::courses;
use crate::platform::db::{RunQueryDsl, Tx, newest_first, sql_query};

/// The position of a course in a list: its time of publication or creation, and its id.
pub(crate) type CatalogKey = (DateTime<Utc>, Uuid);

/// Selects the ids of the published courses, for the conditions of other features' lists.
pub fn published_ids() -> courses::BoxedQuery<'static, Pg, Nullable<SqlUuid>> {
    courses::table.filter(courses::published_at.is_not_null()).select(courses::id.nullable()).into_boxed()
}

pub(crate) async fn by_ids(mut conn: &AsyncPgConnection, ids: &[CourseId]) -> QueryResult<Vec<Course>> {
    courses::table.filter(courses::id.eq_any(ids)).select(Course::as_select()).load(&mut conn).await
}

pub(crate) async fn descriptions(
    mut conn: &AsyncPgConnection,
    ids: &[CourseId],
) -> QueryResult<Vec<(CourseId, String)>> {
    courses::table.filter(courses::id.eq_any(ids)).select((courses::id, courses::description)).load(&mut conn).await
}

/// Returns the lists of texts of courses.
pub async fn lists(mut conn: &AsyncPgConnection, ids: &[CourseId]) -> QueryResult<Vec<(CourseId, CourseLists)>> {
    courses::table.filter(courses::id.eq_any(ids)).select((courses::id, CourseLists::as_select())).load(&mut conn).await
}

pub(crate) async fn by_slugs(mut conn: &AsyncPgConnection, slugs: &[&str]) -> QueryResult<Vec<Course>> {
    courses::table.filter(courses::slug.eq_any(slugs)).select(Course::as_select()).load(&mut conn).await
}

/// Returns a page of the public catalog in the page's direction.
///
/// Takes a shared connection, so that several pages can be pipelined.
pub async fn published(mut conn: &AsyncPgConnection, page: &Page<CatalogKey>) -> QueryResult<Vec<Course>> {
    let rows = courses::table
        .filter(courses::published_at.is_not_null())
        .filter(courses::archived_at.is_null())
        .select(Course::as_select());
    newest_first!(&mut conn, rows, courses::published_at, courses::id, page)
}

/// Returns an instructor's courses, newest first, with their descriptions and lists.
pub(crate) async fn taught_in_full(
    mut conn: &AsyncPgConnection,
    instructor: UserId,
    limit: i64,
) -> QueryResult<Vec<(Course, String, CourseLists)>> {
    courses::table
        .filter(courses::instructor_id.eq(instructor))
        .order((courses::created_at.desc(), courses::id.desc()))
        .limit(limit)
        .select((Course::as_select(), courses::description, CourseLists::as_select()))
        .load(&mut conn)
        .await
}

/// A course of the team that a user is in, with the time since when.
#[derive(QueryableByName)]
pub(crate) struct TeamCourse {
    #[diesel(sql_type = SqlUuid)]
    pub user_id: UserId,
    #[diesel(sql_type = SqlUuid)]
    pub course_id: CourseId,
    #[diesel(sql_type = Timestamptz)]
    pub(crate) since: DateTime<Utc>,
}

/// Returns the courses that each of the users teaches or may edit as a member of a channel; of each user's own courses
/// and of each channel the latest `limit`. The members are pairs of a user and a channel, with the time of joining.
pub(crate) async fn of_teams(
    conn: &mut AsyncPgConnection,
    users: &[UserId],
    members: &[(UserId, ChannelId, DateTime<Utc>)],
    limit: i64,
) -> QueryResult<Vec<TeamCourse>> {
    sql_query(
        "SELECT wanted.user_id, own.id AS course_id, own.created_at AS since FROM unnest($1) AS wanted (user_id) \
         CROSS JOIN LATERAL (SELECT id, created_at FROM courses WHERE instructor_id = wanted.user_id \
            ORDER BY created_at DESC, id DESC LIMIT $5) AS own \
         UNION ALL \
         SELECT wanted.user_id, other.id AS course_id, greatest(joined_at, other.created_at) AS since \
         FROM unnest($2, $3, $4) AS wanted (user_id, channel_id, joined_at) \
         CROSS JOIN LATERAL (SELECT id, created_at FROM courses \
            WHERE channel_id = wanted.channel_id AND instructor_id <> wanted.user_id \
            ORDER BY published_at DESC, id DESC LIMIT $5) AS other",
    )
    .bind::<Array<SqlUuid>, _>(users)
    .bind::<Array<SqlUuid>, _>(members.iter().map(|member| member.0).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(members.iter().map(|member| member.1).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(members.iter().map(|member| member.2).collect::<Vec<_>>())
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await
}

/// Returns the ids of an instructor's courses, newest first.
pub(crate) async fn taught_ids(
    conn: &mut AsyncPgConnection,
    instructor: UserId,
    limit: i64,
) -> QueryResult<Vec<CourseId>> {
    courses::table
        .filter(courses::instructor_id.eq(instructor))
        .order((courses::created_at.desc(), courses::id.desc()))
        .limit(limit)
        .select(courses::id)
        .load(conn)
        .await
}

pub(crate) async fn count_published(mut conn: &AsyncPgConnection) -> QueryResult<i64> {
    courses::table
        .filter(courses::published_at.is_not_null())
        .filter(courses::archived_at.is_null())
        .count()
        .get_result(&mut conn)
        .await
}

/// Returns a page of an instructor's courses, including drafts, newest first; like [`published`].
pub(crate) async fn taught_by(
    mut conn: &AsyncPgConnection,
    instructor: UserId,
    page: &Page<CatalogKey>,
) -> QueryResult<Vec<Course>> {
    let rows = courses::table.filter(courses::instructor_id.eq(instructor)).select(Course::as_select());
    newest_first!(&mut conn, rows, courses::created_at, courses::id, page)
}

/// Counts the courses of each of these instructors; an instructor without any is missing.
pub(crate) async fn count_taught(
    mut conn: &AsyncPgConnection,
    instructors: &[UserId],
) -> QueryResult<Vec<(UserId, i64)>> {
    courses::table
        .filter(courses::instructor_id.eq_any(instructors))
        .group_by(courses::instructor_id)
        .select((courses::instructor_id, count_star()))
        .load(&mut conn)
        .await
}

/// Returns which of these users teach a published course.
pub(crate) async fn with_published(mut conn: &AsyncPgConnection, instructors: &[UserId]) -> QueryResult<Vec<UserId>> {
    courses::table
        .filter(courses::instructor_id.eq_any(instructors))
        .filter(courses::published_at.is_not_null())
        .filter(courses::archived_at.is_null())
        .select(courses::instructor_id)
        .distinct()
        .load(&mut conn)
        .await
}

/// Locks a course.
///
/// Every change of a course, its outline or its files takes this lock. Several courses are locked in the order of their
/// ids.
pub(crate) async fn lock(tx: &mut Tx, id: CourseId) -> QueryResult<Option<Course>> {
    courses::table.find(id).select(Course::as_select()).for_no_key_update().first(tx.conn()).await.optional()
}

/// Locks a course for its deletion; waits for [`hold`], too, and blocks it.
pub(crate) async fn lock_to_delete(tx: &mut Tx, id: CourseId) -> QueryResult<Option<Course>> {
    courses::table.find(id).select(Course::as_select()).for_update().first(tx.conn()).await.optional()
}

/// Returns a course, and prevents its deletion until the transaction ends; edits can go on.
pub(crate) async fn hold(tx: &mut Tx, id: CourseId) -> QueryResult<Option<Course>> {
    courses::table.find(id).select(Course::as_select()).for_key_share().first(tx.conn()).await.optional()
}

/// Inserts a course; `None` if another course has its slug.
pub(crate) async fn insert(tx: &mut Tx, clock: &Clock, course: &NewCourse<'_>) -> QueryResult<Option<Course>> {
    let now = clock.now();
    let made: Option<Course> = diesel::insert_into(courses::table)
        .values((
            courses::id.eq(course.id),
            courses::slug.eq(&course.slug),
            courses::title.eq(course.title),
            courses::subtitle.eq(course.subtitle),
            courses::description.eq(course.description),
            courses::instructor_id.eq(course.instructor_id),
            courses::created_at.eq(now),
            courses::updated_at.eq(now),
            &course.facts,
        ))
        .on_conflict(courses::slug)
        .do_nothing()
        .returning(Course::as_returning())
        .get_result(tx.conn())
        .await
        .optional()?;
    if let Some(course) = &made {
        tx.changed(course_key(course.id));
        stats::insert(tx, course.id).await?;
    }
    Ok(made)
}

pub(crate) struct NewCourse<'a> {
    pub id: CourseId,
    pub slug: String,
    pub title: &'a str,
    pub subtitle: &'a str,
    pub description: &'a str,
    pub instructor_id: UserId,
    pub(crate) facts: NewFacts,
}

/// Changes of a course; `None` stays unchanged.
#[derive(AsChangeset, Clone)]
#[diesel(table_name = courses)]
pub(crate) struct CourseChanges {
    pub slug: Option<String>,
    pub title: Option<String>,
    pub subtitle: Option<String>,
    pub description: Option<String>,
    #[diesel(embed)]
    pub(crate) facts: FactChanges,
    pub updated_at: DateTime<Utc>,
}

pub(crate) async fn update(tx: &mut Tx, id: CourseId, changes: CourseChanges) -> QueryResult<Course> {
    let course: Course = diesel::update(courses::table.find(id))
        .set((changes, courses::version.eq(courses::version + 1)))
        .returning(Course::as_returning())
        .get_result(tx.conn())
        .await?;
    tx.changed(course_key(id));
    if course.published_at.is_some() {
        tx.changed(facts_key());
    }
    Ok(course)
}

/// Gives a course to another instructor, in a channel.
pub(crate) async fn transfer(
    tx: &mut Tx,
    id: CourseId,
    (instructor, channel): (UserId, ChannelId),
    now: DateTime<Utc>,
) -> QueryResult<Course> {
    let course: Course = diesel::update(courses::table.find(id))
        .set((
            courses::instructor_id.eq(instructor),
            courses::channel_id.eq(channel),
            courses::updated_at.eq(now),
            courses::version.eq(courses::version + 1),
        ))
        .returning(Course::as_returning())
        .get_result(tx.conn())
        .await?;
    tx.changed(course_key(id));
    if course.published_at.is_some() {
        tx.changed(facts_key());
    }
    Ok(course)
}

/// Returns whether any course, published or not, is in a channel.
pub(crate) async fn is_in_channel(tx: &mut Tx, channel: ChannelId) -> QueryResult<bool> {
    let courses = courses::table.filter(courses::channel_id.eq(channel)).select(courses::id);
    diesel::select(diesel::dsl::exists(courses)).get_result(tx.conn()).await
}
