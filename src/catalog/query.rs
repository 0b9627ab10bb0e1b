//! The catalog's SQL. Whatever writes a row notes that in its transaction, so that loaders drop what they keep.

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, max};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use super::model::{Course, CourseId, Lesson, LessonId, ROWS, Section, SectionId};
use crate::accounts::UserId;
use crate::graphql::page::Page;
use crate::platform::clock::Clock;
use crate::platform::db::Tx;
use crate::platform::db::schema::{courses, lessons, sections};

/// Where a published course stands in the catalog: by publication, newest first.
pub(super) type CatalogKey = (DateTime<Utc>, Uuid);

pub(super) async fn by_ids(mut conn: &AsyncPgConnection, ids: &[CourseId]) -> QueryResult<Vec<Course>> {
    courses::table.filter(courses::id.eq_any(ids)).select(Course::as_select()).load(&mut conn).await
}

pub(super) async fn descriptions(
    mut conn: &AsyncPgConnection,
    ids: &[CourseId],
) -> QueryResult<Vec<(CourseId, String)>> {
    courses::table.filter(courses::id.eq_any(ids)).select((courses::id, courses::description)).load(&mut conn).await
}

pub(super) async fn by_slugs(mut conn: &AsyncPgConnection, slugs: &[&str]) -> QueryResult<Vec<Course>> {
    // PostgreSQL refuses a statement with a NUL in a text, and this one may carry the slugs of several requests.
    let slugs: Vec<&str> = slugs.iter().copied().filter(|slug| !slug.contains('\0')).collect();
    courses::table.filter(courses::slug.eq_any(slugs)).select(Course::as_select()).load(&mut conn).await
}

/// A page of the catalog in the page's direction. Takes a shared connection, so that several pages can be pipelined.
pub(super) async fn published(mut conn: &AsyncPgConnection, page: &Page<CatalogKey>) -> QueryResult<Vec<Course>> {
    // One statement for all pages: an open end is the first or last possible key. `<= AND (< OR <)` is what lets the
    // index start at the cursor.
    let (after_at, after_id) = page.after.unwrap_or((DateTime::<Utc>::MAX_UTC, Uuid::max()));
    let (before_at, before_id) = page.before.unwrap_or((DateTime::UNIX_EPOCH, Uuid::nil()));
    let rows = courses::table
        .filter(courses::published_at.is_not_null())
        .filter(courses::published_at.le(after_at))
        .filter(courses::published_at.lt(after_at).or(courses::id.lt(CourseId::new(after_id))))
        .filter(courses::published_at.ge(before_at))
        .filter(courses::published_at.gt(before_at).or(courses::id.gt(CourseId::new(before_id))))
        .select(Course::as_select())
        .limit(page.fetch());
    if page.backward {
        rows.order((courses::published_at.asc(), courses::id.asc())).load(&mut conn).await
    } else {
        rows.order((courses::published_at.desc(), courses::id.desc())).load(&mut conn).await
    }
}

/// The courses that somebody teaches, the latest first, each with its description.
pub(super) async fn taught_in_full(
    mut conn: &AsyncPgConnection,
    instructor: UserId,
    limit: i64,
) -> QueryResult<Vec<(Course, String)>> {
    courses::table
        .filter(courses::instructor_id.eq(instructor))
        .order((courses::created_at.desc(), courses::id.desc()))
        .limit(limit)
        .select((Course::as_select(), courses::description))
        .load(&mut conn)
        .await
}

pub(super) async fn count_published(mut conn: &AsyncPgConnection) -> QueryResult<i64> {
    courses::table.filter(courses::published_at.is_not_null()).count().get_result(&mut conn).await
}

/// A page of what somebody teaches, drafts too, the newest first; as [`published`].
pub(super) async fn taught_by(
    mut conn: &AsyncPgConnection,
    instructor: UserId,
    page: &Page<CatalogKey>,
) -> QueryResult<Vec<Course>> {
    let (after_at, after_id) = page.after.unwrap_or((DateTime::<Utc>::MAX_UTC, Uuid::max()));
    let (before_at, before_id) = page.before.unwrap_or((DateTime::UNIX_EPOCH, Uuid::nil()));
    let rows = courses::table
        .filter(courses::instructor_id.eq(instructor))
        .filter(courses::created_at.le(after_at))
        .filter(courses::created_at.lt(after_at).or(courses::id.lt(CourseId::new(after_id))))
        .filter(courses::created_at.ge(before_at))
        .filter(courses::created_at.gt(before_at).or(courses::id.gt(CourseId::new(before_id))))
        .select(Course::as_select())
        .limit(page.fetch());
    if page.backward {
        rows.order((courses::created_at.asc(), courses::id.asc())).load(&mut conn).await
    } else {
        rows.order((courses::created_at.desc(), courses::id.desc())).load(&mut conn).await
    }
}

/// How many courses each of these people teaches; nobody who teaches none is in the answer.
pub(super) async fn count_taught(
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

pub(super) async fn sections_of(mut conn: &AsyncPgConnection, ids: &[CourseId]) -> QueryResult<Vec<Section>> {
    sections::table
        .filter(sections::course_id.eq_any(ids))
        .order((sections::course_id, sections::position))
        .select(Section::as_select())
        .load(&mut conn)
        .await
}

pub(super) async fn sections_by_ids(mut conn: &AsyncPgConnection, ids: &[SectionId]) -> QueryResult<Vec<Section>> {
    sections::table.filter(sections::id.eq_any(ids)).select(Section::as_select()).load(&mut conn).await
}

pub(super) async fn lessons_of(mut conn: &AsyncPgConnection, ids: &[CourseId]) -> QueryResult<Vec<Lesson>> {
    lessons::table
        .filter(lessons::course_id.eq_any(ids))
        .order((lessons::section_id, lessons::position))
        .select(Lesson::as_select())
        .load(&mut conn)
        .await
}

pub(super) async fn lessons_by_ids(mut conn: &AsyncPgConnection, ids: &[LessonId]) -> QueryResult<Vec<Lesson>> {
    lessons::table.filter(lessons::id.eq_any(ids)).select(Lesson::as_select()).load(&mut conn).await
}

/// Locks a course: everything that changes a course's outline or counts waits its turn here.
pub(super) async fn lock(tx: &mut Tx, id: CourseId) -> QueryResult<Option<Course>> {
    courses::table.find(id).select(Course::as_select()).for_update().first(tx.conn()).await.optional()
}

pub(super) async fn section(tx: &mut Tx, id: SectionId) -> QueryResult<Option<Section>> {
    sections::table.find(id).select(Section::as_select()).first(tx.conn()).await.optional()
}

pub(super) async fn lesson(tx: &mut Tx, id: LessonId) -> QueryResult<Option<Lesson>> {
    lessons::table.find(id).select(Lesson::as_select()).first(tx.conn()).await.optional()
}

/// The slugs that are `base` or begin with `base-`.
pub(super) async fn slugs_like(tx: &mut Tx, base: &str) -> QueryResult<Vec<String>> {
    courses::table
        .filter(courses::slug.eq(base).or(courses::slug.like(format!("{base}-%"))))
        .select(courses::slug)
        .load(tx.conn())
        .await
}

/// Inserts a course; `None` if another one has its slug.
pub(super) async fn insert(tx: &mut Tx, clock: &Clock, course: &NewCourse<'_>) -> QueryResult<Option<Course>> {
    tx.changed(ROWS);
    let now = clock.now();
    diesel::insert_into(courses::table)
        .values((
            courses::id.eq(clock.uuid()),
            courses::slug.eq(&course.slug),
            courses::title.eq(course.title),
            courses::subtitle.eq(course.subtitle),
            courses::description.eq(course.description),
            courses::instructor_id.eq(course.instructor_id),
            courses::created_at.eq(now),
            courses::updated_at.eq(now),
        ))
        .on_conflict(courses::slug)
        .do_nothing()
        .returning(Course::as_returning())
        .get_result(tx.conn())
        .await
        .optional()
}

pub(super) struct NewCourse<'a> {
    pub(super) slug: String,
    pub(super) title: &'a str,
    pub(super) subtitle: &'a str,
    pub(super) description: &'a str,
    pub(super) instructor_id: UserId,
}

/// What a change leaves out stays as it is.
#[derive(AsChangeset)]
#[diesel(table_name = courses)]
pub(super) struct CourseChanges {
    pub(super) slug: Option<String>,
    pub(super) title: Option<String>,
    pub(super) subtitle: Option<String>,
    pub(super) description: Option<String>,
    pub(super) updated_at: DateTime<Utc>,
}

pub(super) async fn update(tx: &mut Tx, id: CourseId, changes: CourseChanges) -> QueryResult<Course> {
    tx.changed(ROWS);
    diesel::update(courses::table.find(id)).set(changes).returning(Course::as_returning()).get_result(tx.conn()).await
}

pub(super) async fn publish(tx: &mut Tx, id: CourseId, now: DateTime<Utc>) -> QueryResult<Course> {
    tx.changed(ROWS);
    diesel::update(courses::table.find(id))
        .set((courses::published_at.eq(now), courses::updated_at.eq(now)))
        .returning(Course::as_returning())
        .get_result(tx.conn())
        .await
}

/// Notes that a course's outline has changed, by so many published lessons and seconds.
pub(super) async fn outline_changed(
    tx: &mut Tx,
    id: CourseId,
    (lessons, seconds): (i32, i32),
    now: DateTime<Utc>,
) -> QueryResult<Course> {
    tx.changed(ROWS);
    diesel::update(courses::table.find(id))
        .set((
            courses::lesson_count.eq(courses::lesson_count + lessons),
            courses::duration_seconds.eq(courses::duration_seconds + seconds),
            courses::updated_at.eq(now),
        ))
        .returning(Course::as_returning())
        .get_result(tx.conn())
        .await
}

/// The position after the last section; the course must be locked.
pub(super) async fn next_section(tx: &mut Tx, course: CourseId) -> QueryResult<i32> {
    let last: Option<i32> =
        sections::table.filter(sections::course_id.eq(course)).select(max(sections::position)).first(tx.conn()).await?;
    Ok(last.unwrap_or_default() + 1)
}

/// The position after the last lesson; the course must be locked.
pub(super) async fn next_lesson(tx: &mut Tx, section: SectionId) -> QueryResult<i32> {
    let last: Option<i32> =
        lessons::table.filter(lessons::section_id.eq(section)).select(max(lessons::position)).first(tx.conn()).await?;
    Ok(last.unwrap_or_default() + 1)
}

pub(super) async fn insert_section(
    tx: &mut Tx,
    clock: &Clock,
    course: CourseId,
    position: i32,
    title: &str,
) -> QueryResult<Section> {
    tx.changed(ROWS);
    let now = clock.now();
    diesel::insert_into(sections::table)
        .values((
            sections::id.eq(clock.uuid()),
            sections::course_id.eq(course),
            sections::position.eq(position),
            sections::title.eq(title),
            sections::created_at.eq(now),
            sections::updated_at.eq(now),
        ))
        .returning(Section::as_returning())
        .get_result(tx.conn())
        .await
}

pub(super) async fn rename_section(
    tx: &mut Tx,
    id: SectionId,
    title: &str,
    now: DateTime<Utc>,
) -> QueryResult<Section> {
    tx.changed(ROWS);
    diesel::update(sections::table.find(id))
        .set((sections::title.eq(title), sections::updated_at.eq(now)))
        .returning(Section::as_returning())
        .get_result(tx.conn())
        .await
}

pub(super) async fn insert_lesson(
    tx: &mut Tx,
    clock: &Clock,
    section: &Section,
    position: i32,
    title: &str,
    duration_seconds: i32,
) -> QueryResult<Lesson> {
    tx.changed(ROWS);
    let now = clock.now();
    diesel::insert_into(lessons::table)
        .values((
            lessons::id.eq(clock.uuid()),
            lessons::course_id.eq(section.course_id),
            lessons::section_id.eq(section.id),
            lessons::position.eq(position),
            lessons::title.eq(title),
            lessons::duration_seconds.eq(duration_seconds),
            lessons::created_at.eq(now),
            lessons::updated_at.eq(now),
        ))
        .returning(Lesson::as_returning())
        .get_result(tx.conn())
        .await
}

/// What a change leaves out stays as it is.
#[derive(AsChangeset)]
#[diesel(table_name = lessons)]
pub(super) struct LessonChanges {
    pub(super) title: Option<String>,
    pub(super) duration_seconds: Option<i32>,
    pub(super) published_at: Option<DateTime<Utc>>,
    pub(super) updated_at: DateTime<Utc>,
}

pub(super) async fn update_lesson(tx: &mut Tx, id: LessonId, changes: LessonChanges) -> QueryResult<Lesson> {
    tx.changed(ROWS);
    diesel::update(lessons::table.find(id)).set(changes).returning(Lesson::as_returning()).get_result(tx.conn()).await
}
