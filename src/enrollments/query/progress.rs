//! SQL for progress.
//!
//! All that is saved of a user in a course is written under the row lock of their enrollment. A transaction that locks
//! several does so in the order of their ids.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Jsonb, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use serde_json::{Value, json};

use crate::accounts::UserId;
use crate::catalog::{CourseId, LessonId};
use crate::enrollments::model::ranges::Ranges;
use crate::enrollments::model::watching::Watching;
use crate::enrollments::model::{Enrollment, EnrollmentId, Learner, LessonState, LessonStates, Watched};
use crate::platform::clock::Clock;
use crate::platform::db::schema::{enrollments, lesson_progress};
use crate::platform::db::{RunQueryDsl, Tx, cached, sql_query};

/// A lesson of an enrollment with all that is saved of it.
#[derive(Queryable, Selectable)]
#[diesel(table_name = lesson_progress, check_for_backend(diesel::pg::Pg))]
struct WatchedRow {
    enrollment_id: EnrollmentId,
    lesson_id: LessonId,
    position_seconds: i32,
    position_at: Option<DateTime<Utc>>,
    watched_seconds: i32,
    settled: Vec<i32>,
    settled_at: Option<i32>,
    reports: Vec<i32>,
    completed_at: Option<DateTime<Utc>>,
    kept_open: bool,
    updated_at: DateTime<Utc>,
}

/// Makes the enrollment of a user who is entitled to the course by its category or to everything.
pub(crate) async fn enroll(
    tx: &mut Tx,
    clock: &Clock,
    (user, course): (UserId, CourseId),
    since: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::insert_into(enrollments::table)
        .values((
            enrollments::id.eq(clock.uuid()),
            enrollments::user_id.eq(user),
            enrollments::course_id.eq(course),
            enrollments::since.eq(since),
        ))
        .on_conflict((enrollments::user_id, enrollments::course_id))
        .do_nothing()
        .execute(tx.conn())
        .await
}

/// Locks the enrollments of pairs of a user and a course, in the order of their ids.
pub(crate) async fn lock(
    tx: &mut Tx,
    users: Vec<UserId>,
    courses: Vec<CourseId>,
) -> QueryResult<HashMap<(UserId, CourseId), (EnrollmentId, Learner)>> {
    let pairs = sql::<Bool>("(user_id, course_id) IN (SELECT * FROM unnest(").bind::<Array<SqlUuid>, _>(users);
    let pairs = pairs.sql(", ").bind::<Array<SqlUuid>, _>(courses).sql("))");
    let rows = enrollments::table.filter(pairs).order(enrollments::id).select(Enrollment::as_select());
    let rows: Vec<Enrollment> = cached(rows.for_no_key_update()).load(tx.conn()).await?;
    let learner = |row: Enrollment| {
        let learner = Learner {
            since: row.since,
            last_activity_at: row.last_activity_at,
            completed_at: row.completed_at,
            watched_seconds: row.watched_seconds,
            days: Ranges::of_column(&row.active_days),
        };
        ((row.user_id, row.course_id), (row.id, learner))
    };
    Ok(rows.into_iter().map(learner).collect())
}

/// Returns what is saved of lessons, for pairs of a locked enrollment and a lesson.
pub(crate) async fn watched(
    tx: &mut Tx,
    enrollments: Vec<EnrollmentId>,
    lessons: Vec<LessonId>,
) -> QueryResult<HashMap<(EnrollmentId, LessonId), Watched>> {
    let pairs = sql::<Bool>("(enrollment_id, lesson_id) IN (SELECT * FROM unnest(");
    let pairs = pairs.bind::<Array<SqlUuid>, _>(enrollments).sql(", ").bind::<Array<SqlUuid>, _>(lessons).sql("))");
    let rows = lesson_progress::table.filter(pairs).select(WatchedRow::as_select());
    let rows: Vec<WatchedRow> = cached(rows).load(tx.conn()).await?;
    let watched = |row: WatchedRow| {
        let watched = Watched {
            watching: Watching::of_columns(&row.settled, row.settled_at, &row.reports),
            position: row.position_at.map(|at| (at, row.position_seconds)),
            watched_seconds: row.watched_seconds,
            completed_at: row.completed_at,
            kept_open: row.kept_open,
            updated_at: row.updated_at,
        };
        ((row.enrollment_id, row.lesson_id), watched)
    };
    Ok(rows.into_iter().map(watched).collect())
}

/// Writes lessons of locked enrollments: an array of [`LessonRow`](crate::enrollments::model::LessonRow).
pub(crate) async fn write_lessons(tx: &mut Tx, rows: Value) -> QueryResult<usize> {
    sql_query(
        "INSERT INTO lesson_progress (enrollment_id, lesson_id, position_seconds, position_at, watched_seconds, settled, \
            settled_at, reports, completed_at, kept_open, updated_at) \
         SELECT * FROM jsonb_to_recordset($1) AS new (enrollment_id uuid, lesson_id uuid, position_seconds integer, \
            position_at timestamptz, watched_seconds integer, settled integer[], settled_at integer, reports integer[], \
            completed_at timestamptz, kept_open boolean, updated_at timestamptz) \
         ON CONFLICT (enrollment_id, lesson_id) DO UPDATE SET \
            (position_seconds, position_at, watched_seconds, settled, settled_at, reports, completed_at, kept_open, updated_at) \
            = (excluded.position_seconds, excluded.position_at, excluded.watched_seconds, excluded.settled, \
            excluded.settled_at, excluded.reports, excluded.completed_at, excluded.kept_open, excluded.updated_at)",
    )
    .bind::<Jsonb, _>(rows)
    .execute(tx.conn())
    .await
}

/// Writes locked enrollments.
pub(crate) async fn write_learners(
    tx: &mut Tx,
    learners: impl Iterator<Item = (EnrollmentId, &Learner)>,
) -> QueryResult<usize> {
    let row = |(id, learner): (EnrollmentId, &Learner)| {
        json!({
            "id": id.uuid(),
            "last_activity_at": learner.last_activity_at,
            "completed_at": learner.completed_at,
            "watched_seconds": learner.watched_seconds,
            "active_days": learner.days.to_column(),
        })
    };
    sql_query(
        "UPDATE enrollments SET last_activity_at = new.last_activity_at, completed_at = new.completed_at, \
            watched_seconds = new.watched_seconds, active_days = new.active_days \
         FROM jsonb_to_recordset($1) AS new (id uuid, last_activity_at timestamptz, completed_at timestamptz, \
            watched_seconds integer, active_days integer[]) \
         WHERE enrollments.id = new.id",
    )
    .bind::<Jsonb, _>(Value::from_iter(learners.map(row)))
    .execute(tx.conn())
    .await
}

/// Returns the completed lessons of enrollments.
pub(crate) async fn completed(
    tx: &mut Tx,
    ids: &[EnrollmentId],
) -> QueryResult<HashMap<EnrollmentId, HashSet<LessonId>>> {
    let rows: Vec<(EnrollmentId, LessonId)> = lesson_progress::table
        .filter(lesson_progress::enrollment_id.eq_any(ids).and(lesson_progress::completed_at.is_not_null()))
        .select((lesson_progress::enrollment_id, lesson_progress::lesson_id))
        .load(tx.conn())
        .await?;
    let mut completed: HashMap<EnrollmentId, HashSet<LessonId>> = HashMap::new();
    for (enrollment, lesson) in rows {
        completed.entry(enrollment).or_default().insert(lesson);
    }
    Ok(completed)
}

/// Returns the progress in the lessons of enrollments; an enrollment without any is missing.
pub(crate) async fn states(
    conn: &mut AsyncPgConnection,
    ids: &[EnrollmentId],
) -> QueryResult<HashMap<EnrollmentId, LessonStates>> {
    type Row = (EnrollmentId, LessonId, i32, i32, Option<DateTime<Utc>>, DateTime<Utc>);
    let rows: Vec<Row> = lesson_progress::table
        .filter(lesson_progress::enrollment_id.eq_any(ids))
        .select((
            lesson_progress::enrollment_id,
            lesson_progress::lesson_id,
            lesson_progress::position_seconds,
            lesson_progress::watched_seconds,
            lesson_progress::completed_at,
            lesson_progress::updated_at,
        ))
        .load(conn)
        .await?;
    let mut states: HashMap<EnrollmentId, LessonStates> = HashMap::new();
    for (enrollment, lesson, position_seconds, watched_seconds, completed_at, updated_at) in rows {
        let state = LessonState { position_seconds, watched_seconds, completed_at, updated_at };
        states.entry(enrollment).or_default().insert(lesson, state);
    }
    Ok(states)
}

/// Returns the latest progress of a user, for the export of their data.
pub(crate) async fn latest_of(
    conn: &mut AsyncPgConnection,
    user: UserId,
    limit: i64,
) -> QueryResult<Vec<(LessonId, LessonState)>> {
    type Row = (LessonId, i32, i32, Option<DateTime<Utc>>, DateTime<Utc>);
    let rows: Vec<Row> = lesson_progress::table
        .inner_join(enrollments::table)
        .filter(enrollments::user_id.eq(user))
        .order((lesson_progress::updated_at.desc(), lesson_progress::lesson_id))
        .limit(limit)
        .select((
            lesson_progress::lesson_id,
            lesson_progress::position_seconds,
            lesson_progress::watched_seconds,
            lesson_progress::completed_at,
            lesson_progress::updated_at,
        ))
        .load(conn)
        .await?;
    let state = |(lesson, position_seconds, watched_seconds, completed_at, updated_at)| {
        (lesson, LessonState { position_seconds, watched_seconds, completed_at, updated_at })
    };
    Ok(rows.into_iter().map(state).collect())
}
