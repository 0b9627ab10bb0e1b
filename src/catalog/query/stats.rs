//! SQL for the counts and aggregates of courses.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::catalog::model::{CourseId, CourseStats, facts_key, stats_key};
use crate::platform::db::schema::course_stats;
use crate::platform::db::{RunQueryDsl, Tx, sql_query};

/// The number of courses in one statement of a job.
const BATCH: i64 = 2000;

/// Returns the statistics of courses.
pub async fn of(mut conn: &AsyncPgConnection, ids: &[CourseId]) -> QueryResult<Vec<CourseStats>> {
    let rows = course_stats::table.filter(course_stats::course_id.eq_any(ids));
    rows.select(CourseStats::as_select()).load(&mut conn).await
}

pub(crate) async fn insert(tx: &mut Tx, id: CourseId) -> QueryResult<usize> {
    tx.changed(stats_key(id));
    diesel::insert_into(course_stats::table).values(course_stats::course_id.eq(id)).execute(tx.conn()).await
}

/// Adds `more` to a course's number of students.
pub(crate) async fn add_students(tx: &mut Tx, id: CourseId, more: i32) -> QueryResult<usize> {
    tx.changed(stats_key(id));
    diesel::insert_into(course_stats::table)
        .values((course_stats::course_id.eq(id), course_stats::student_count.eq(more)))
        // Usually there is a row; a course that the previous version of the program made has none.
        .on_conflict(course_stats::course_id)
        .do_update()
        .set(course_stats::student_count.eq(course_stats::student_count + more))
        .execute(tx.conn())
        .await
}

/// Adds `more` to the numbers of a course's reviews with one to five stars.
pub(crate) async fn add_ratings(tx: &mut Tx, id: CourseId, more: [i32; 5]) -> QueryResult<usize> {
    use course_stats::{stars_1, stars_2, stars_3, stars_4, stars_5};
    let [one, two, three, four, five] = more;
    tx.changed(stats_key(id));
    diesel::update(course_stats::table.find(id))
        .set((
            stars_1.eq(stars_1 + one),
            stars_2.eq(stars_2 + two),
            stars_3.eq(stars_3 + three),
            stars_4.eq(stars_4 + four),
            stars_5.eq(stars_5 + five),
        ))
        .execute(tx.conn())
        .await
}

/// The result of one batch of [`refresh_sort_keys`].
#[derive(QueryableByName)]
pub(crate) struct Refreshed {
    /// The last course of the batch; `None` if the batch was empty.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub last: Option<Uuid>,
    /// The number of courses whose sort keys changed.
    #[diesel(sql_type = BigInt)]
    pub(crate) changed: i64,
}

/// Copies the stats of a batch of courses to the indexed columns that lists are sorted by.
///
/// The batch starts after the course `after`, in the order of the ids. Courses that are locked by an edit are left to
/// the next run, so this never waits.
pub(crate) async fn refresh_sort_keys(tx: &mut Tx, after: Uuid) -> QueryResult<Refreshed> {
    let refreshed: Refreshed = sql_query(
        "WITH batch AS ( \
             SELECT * FROM course_stats WHERE course_id > $1 ORDER BY course_id LIMIT $2 \
         ), stale AS ( \
             SELECT courses.id, batch.student_count, batch.rating_hundredths FROM courses \
             JOIN batch ON batch.course_id = courses.id \
             WHERE (popularity, courses.rating_hundredths) <> (batch.student_count, batch.rating_hundredths) \
             ORDER BY courses.id FOR NO KEY UPDATE OF courses SKIP LOCKED \
         ), written AS ( \
             UPDATE courses SET popularity = stale.student_count, rating_hundredths = stale.rating_hundredths \
             FROM stale WHERE courses.id = stale.id RETURNING 1 \
         ) \
         SELECT (SELECT course_id FROM batch ORDER BY course_id DESC LIMIT 1) AS last, \
             (SELECT count(*) FROM written) AS changed",
    )
    .bind::<SqlUuid, _>(after)
    .bind::<BigInt, _>(BATCH)
    .get_result(tx.conn())
    .await?;
    if refreshed.changed > 0 {
        tx.changed(facts_key());
    }
    Ok(refreshed)
}

/// Returns a batch of courses with their student counts.
///
/// The batch starts after the course `after`, in the order of the ids.
pub(crate) async fn batch(conn: &mut AsyncPgConnection, after: Uuid) -> QueryResult<Vec<(CourseId, i32)>> {
    course_stats::table
        .filter(course_stats::course_id.gt(CourseId::new(after)))
        .order(course_stats::course_id)
        .limit(BATCH)
        .select((course_stats::course_id, course_stats::student_count))
        .load(conn)
        .await
}

/// Locks the stats of a course and returns its number of students.
pub(crate) async fn lock_students(tx: &mut Tx, id: CourseId) -> QueryResult<Option<i32>> {
    let row = course_stats::table.find(id).select(course_stats::student_count).for_no_key_update();
    row.first(tx.conn()).await.optional()
}

/// Returns a batch of courses with the numbers of their ratings with one to five stars.
///
/// The batch starts after the course `after`, in the order of the ids.
///
/// # Errors
/// The database failed.
pub async fn ratings(conn: &mut AsyncPgConnection, after: Uuid) -> QueryResult<Vec<(CourseId, [i32; 5])>> {
    let rows: Vec<CourseStats> = course_stats::table
        .filter(course_stats::course_id.gt(CourseId::new(after)))
        .order(course_stats::course_id)
        .limit(BATCH)
        .select(CourseStats::as_select())
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(|row| (row.course_id, row.stars.counts())).collect())
}

/// Locks the stats of a course and returns the numbers of its ratings.
pub(crate) async fn lock_ratings(tx: &mut Tx, id: CourseId) -> QueryResult<Option<[i32; 5]>> {
    let row = course_stats::table.find(id).select(CourseStats::as_select()).for_no_key_update();
    let row: Option<CourseStats> = row.first(tx.conn()).await.optional()?;
    Ok(row.map(|row| row.stars.counts()))
}
