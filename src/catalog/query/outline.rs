//! SQL for sections and lessons.

use chrono::{DateTime, Utc};
use diesel::dsl::max;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use serde_json::Value;

use crate::catalog::model::{
    Course, CourseId, CreateLessonInput, Lesson, LessonId, LessonKind, Section, SectionId, course_key, facts_key,
    lesson_changed,
};
use crate::entitlements::Opening;
use crate::media::VideoId;
use crate::platform::clock::Clock;
use crate::platform::db::schema::{courses, lessons, sections};
use crate::platform::db::{RunQueryDsl, Tx};

pub(crate) async fn sections_of(mut conn: &AsyncPgConnection, ids: &[CourseId]) -> QueryResult<Vec<Section>> {
    sections::table
        .filter(sections::course_id.eq_any(ids))
        .order((sections::course_id, sections::position))
        .select(Section::as_select())
        .load(&mut conn)
        .await
}

pub(crate) async fn sections_by_ids(mut conn: &AsyncPgConnection, ids: &[SectionId]) -> QueryResult<Vec<Section>> {
    sections::table.filter(sections::id.eq_any(ids)).select(Section::as_select()).load(&mut conn).await
}

pub(crate) async fn lessons_of(mut conn: &AsyncPgConnection, ids: &[CourseId]) -> QueryResult<Vec<Lesson>> {
    lessons::table
        .inner_join(sections::table.on(sections::id.eq(lessons::section_id)))
        .filter(lessons::course_id.eq_any(ids))
        .order((sections::position, sections::id, lessons::position))
        .select(Lesson::as_select())
        .load(&mut conn)
        .await
}

/// Selects those lessons of a course whose content a viewer may see. Without `previews`, those that are open only as
/// free previews are not among them.
pub fn open_lessons(course: CourseId, opening: Opening, previews: bool) -> lessons::BoxedQuery<'static, Pg, SqlUuid> {
    let open = lessons::table.filter(lessons::course_id.eq(course)).select(lessons::id).into_boxed();
    match opening {
        Opening::All => open,
        Opening::None => open.filter(false.into_sql::<Bool>()),
        Opening::Published { previews: has_previews, days, now } => {
            let at_once = lessons::unlock_at.is_null().and(lessons::unlock_after_days.is_null());
            let after_days = lessons::unlock_at.is_null().and(
                lessons::unlock_after_days.assume_not_null().le(i32::try_from(days.unwrap_or(-1)).unwrap_or(i32::MAX)),
            );
            let unlocked = at_once.or(after_days).or(lessons::unlock_at.assume_not_null().le(now));
            let entitled = days.is_some().into_sql::<Bool>().and(unlocked);
            let preview = (previews && has_previews).into_sql::<Bool>().and(lessons::is_preview);
            open.filter(lessons::published_at.is_not_null()).filter(preview.or(entitled))
        }
    }
}

pub(crate) async fn lessons_by_ids(mut conn: &AsyncPgConnection, ids: &[LessonId]) -> QueryResult<Vec<Lesson>> {
    lessons::table.filter(lessons::id.eq_any(ids)).select(Lesson::as_select()).load(&mut conn).await
}

pub(crate) async fn section(tx: &mut Tx, id: SectionId) -> QueryResult<Option<Section>> {
    sections::table.find(id).select(Section::as_select()).first(tx.conn()).await.optional()
}

pub(crate) async fn lesson(tx: &mut Tx, id: LessonId) -> QueryResult<Option<Lesson>> {
    lessons::table.find(id).select(Lesson::as_select()).first(tx.conn()).await.optional()
}

/// Records a change of a course's outline.
///
/// Adds to the number of its published lessons and to their seconds.
pub(crate) async fn outline_changed(
    tx: &mut Tx,
    id: CourseId,
    (lessons, seconds): (i32, i32),
    now: DateTime<Utc>,
) -> QueryResult<Course> {
    tx.changed(course_key(id));
    let course: Course = diesel::update(courses::table.find(id))
        .set((
            courses::lesson_count.eq(courses::lesson_count + lessons),
            courses::duration_seconds.eq(courses::duration_seconds + seconds),
            courses::updated_at.eq(now),
        ))
        .returning(Course::as_returning())
        .get_result(tx.conn())
        .await?;
    if course.published_at.is_some() && (lessons, seconds) != (0, 0) {
        tx.changed(facts_key());
    }
    Ok(course)
}

/// Returns the position after the last section; the course must be locked.
pub(crate) async fn next_section(tx: &mut Tx, course: CourseId) -> QueryResult<i32> {
    let last: Option<i32> =
        sections::table.filter(sections::course_id.eq(course)).select(max(sections::position)).first(tx.conn()).await?;
    Ok(last.unwrap_or_default() + 1)
}

/// Returns the position after the last lesson; the course must be locked.
pub(crate) async fn next_lesson(tx: &mut Tx, section: SectionId) -> QueryResult<i32> {
    let last: Option<i32> =
        lessons::table.filter(lessons::section_id.eq(section)).select(max(lessons::position)).first(tx.conn()).await?;
    Ok(last.unwrap_or_default() + 1)
}

/// Returns the number of lessons of a course; the course must be locked.
pub(crate) async fn count_lessons(tx: &mut Tx, course: CourseId) -> QueryResult<i64> {
    lessons::table.filter(lessons::course_id.eq(course)).count().get_result(tx.conn()).await
}

pub(crate) async fn insert_section(
    tx: &mut Tx,
    clock: &Clock,
    course: CourseId,
    position: i32,
    title: &str,
) -> QueryResult<Section> {
    tx.changed(course_key(course));
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

pub(crate) async fn rename_section(
    tx: &mut Tx,
    id: SectionId,
    title: &str,
    now: DateTime<Utc>,
) -> QueryResult<Section> {
    let section: Section = diesel::update(sections::table.find(id))
        .set((sections::title.eq(title), sections::version.eq(sections::version + 1), sections::updated_at.eq(now)))
        .returning(Section::as_returning())
        .get_result(tx.conn())
        .await?;
    tx.changed(course_key(section.course_id));
    Ok(section)
}

pub(crate) async fn insert_lesson(
    tx: &mut Tx,
    clock: &Clock,
    section: &Section,
    position: i32,
    input: &CreateLessonInput,
) -> QueryResult<Lesson> {
    tx.changed(course_key(section.course_id));
    let now = clock.now();
    diesel::insert_into(lessons::table)
        .values((
            lessons::id.eq(clock.uuid()),
            lessons::course_id.eq(section.course_id),
            lessons::section_id.eq(section.id),
            lessons::position.eq(position),
            lessons::title.eq(&input.title),
            lessons::kind.eq(input.kind),
            lessons::duration_seconds.eq(input.duration_seconds),
            lessons::created_at.eq(now),
            lessons::updated_at.eq(now),
        ))
        .returning(Lesson::as_returning())
        .get_result(tx.conn())
        .await
}

/// Changes of a lesson's content; `None` stays unchanged.
#[derive(AsChangeset, Default)]
#[diesel(table_name = lessons)]
pub(crate) struct ContentChanges {
    pub disclaimer: Option<String>,
    pub description: Option<String>,
    pub chapters: Option<Value>,
    pub links: Option<Value>,
}

/// Changes of a lesson; `None` stays unchanged.
#[derive(AsChangeset)]
#[diesel(table_name = lessons)]
pub(crate) struct LessonChanges {
    #[diesel(embed)]
    pub content: ContentChanges,
    pub is_preview: Option<bool>,
    pub title: Option<String>,
    pub kind: Option<LessonKind>,
    /// `Some(None)` removes the video.
    pub(crate) video_id: Option<Option<VideoId>>,
    /// `Some(None)`: it is unknown.
    pub duration_seconds: Option<Option<i32>>,
    pub updated_at: DateTime<Utc>,
}

pub(crate) async fn update_lesson(tx: &mut Tx, id: LessonId, changes: LessonChanges) -> QueryResult<Lesson> {
    let lesson: Lesson = diesel::update(lessons::table.find(id))
        .set((changes, lessons::version.eq(lessons::version + 1)))
        .returning(Lesson::as_returning())
        .get_result(tx.conn())
        .await?;
    lesson_changed(tx, &lesson);
    Ok(lesson)
}
