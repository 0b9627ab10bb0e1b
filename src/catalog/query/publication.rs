//! SQL for publishing, unpublishing, scheduling and deleting; writes require a locked course.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

use crate::catalog::model::{
    Course, CourseId, Lesson, LessonId, LessonKind, LessonUnlockInput, course_key, lesson_changed, lists_key, slug_key,
};
use crate::media::VideoId;
use crate::platform::db::schema::{courses, lessons, sections};
use crate::platform::db::{RunQueryDsl, Tx};

/// The number of courses in a batch of [`due`].
const BATCH: i64 = 200;

/// Publishes a course, with the time of its first publication if there was one.
///
/// Also returns whether this is its first publication.
pub(crate) async fn publish(tx: &mut Tx, id: CourseId, now: DateTime<Utc>) -> QueryResult<(Course, bool)> {
    tx.changed(course_key(id));
    tx.changed(lists_key());
    let first: Option<DateTime<Utc>> =
        courses::table.find(id).select(courses::first_published_at).first(tx.conn()).await?;
    let course = diesel::update(courses::table.find(id))
        .set((
            courses::published_at.eq(first.unwrap_or(now)),
            courses::archived_at.eq(None::<DateTime<Utc>>),
            courses::publish_at.eq(None::<DateTime<Utc>>),
            courses::updated_at.eq(now),
        ))
        .returning(Course::as_returning())
        .get_result(tx.conn())
        .await?;
    Ok((course, first.is_none()))
}

/// Publishes a lesson, with the time of its first publication if there was one.
///
/// `seen` is whether its course is published. Also returns whether the lesson becomes visible for the first time.
pub async fn publish_lesson(tx: &mut Tx, id: LessonId, seen: bool, now: DateTime<Utc>) -> QueryResult<(Lesson, bool)> {
    let first: Option<DateTime<Utc>> =
        lessons::table.find(id).select(lessons::first_published_at).first(tx.conn()).await?;
    let lesson: Lesson = diesel::update(lessons::table.find(id))
        .set((
            lessons::published_at.eq(first.unwrap_or(now)),
            lessons::first_published_at.eq(first.or(seen.then_some(now))),
            lessons::publish_at.eq(None::<DateTime<Utc>>),
            lessons::updated_at.eq(now),
        ))
        .returning(Lesson::as_returning())
        .get_result(tx.conn())
        .await?;
    lesson_changed(tx, &lesson);
    Ok((lesson, seen && first.is_none()))
}

/// Records that a course's published lessons become visible now, if they never were.
///
/// Returns these lessons in the order of the outline.
pub(crate) async fn first_seen(
    tx: &mut Tx,
    id: CourseId,
    now: DateTime<Utc>,
) -> QueryResult<Vec<(LessonId, LessonKind)>> {
    let unseen: Vec<(LessonId, LessonKind)> = lessons::table
        .inner_join(sections::table.on(sections::id.eq(lessons::section_id)))
        .filter(lessons::course_id.eq(id))
        .filter(lessons::published_at.is_not_null().and(lessons::first_published_at.is_null()))
        .order((sections::position, lessons::position))
        .select((lessons::id, lessons::kind))
        .load(tx.conn())
        .await?;
    tx.changed(course_key(id));
    let ids: Vec<LessonId> = unseen.iter().map(|(id, _)| *id).collect();
    diesel::update(lessons::table.filter(lessons::id.eq_any(ids)))
        .set((lessons::published_at.eq(now), lessons::first_published_at.eq(now)))
        .execute(tx.conn())
        .await?;
    Ok(unseen)
}

/// Unpublishes a course, so that it is archived or a draft.
///
/// It is archived since `archived_at`, or a draft if that is `None`. The time of its first publication is kept.
pub(crate) async fn withdraw(
    tx: &mut Tx,
    course: &Course,
    archived_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> QueryResult<Course> {
    tx.changed(course_key(course.id));
    tx.changed(lists_key());
    if course.published_at.is_some() {
        diesel::update(courses::table.find(course.id))
            .set(courses::first_published_at.eq(courses::published_at))
            .execute(tx.conn())
            .await?;
    }
    diesel::update(courses::table.find(course.id))
        .set((
            courses::published_at.eq(None::<DateTime<Utc>>),
            courses::publish_at.eq(None::<DateTime<Utc>>),
            courses::archived_at.eq(archived_at),
            courses::updated_at.eq(now),
        ))
        .returning(Course::as_returning())
        .get_result(tx.conn())
        .await
}

/// Unpublishes a published lesson.
pub(crate) async fn withdraw_lesson(tx: &mut Tx, id: LessonId, now: DateTime<Utc>) -> QueryResult<Lesson> {
    let lesson: Lesson = diesel::update(lessons::table.find(id))
        .set((lessons::published_at.eq(None::<DateTime<Utc>>), lessons::updated_at.eq(now)))
        .returning(Lesson::as_returning())
        .get_result(tx.conn())
        .await?;
    lesson_changed(tx, &lesson);
    Ok(lesson)
}

/// Sets when a draft course is published; `None` cancels the schedule.
pub(crate) async fn schedule(
    tx: &mut Tx,
    id: CourseId,
    at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> QueryResult<Course> {
    tx.changed(course_key(id));
    diesel::update(courses::table.find(id))
        .set((courses::publish_at.eq(at), courses::version.eq(courses::version + 1), courses::updated_at.eq(now)))
        .returning(Course::as_returning())
        .get_result(tx.conn())
        .await
}

/// Sets when a draft lesson is published; `None` cancels the schedule.
pub async fn schedule_lesson(
    tx: &mut Tx,
    id: LessonId,
    at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> QueryResult<Lesson> {
    let lesson: Lesson = diesel::update(lessons::table.find(id))
        .set((lessons::publish_at.eq(at), lessons::version.eq(lessons::version + 1), lessons::updated_at.eq(now)))
        .returning(Lesson::as_returning())
        .get_result(tx.conn())
        .await?;
    lesson_changed(tx, &lesson);
    Ok(lesson)
}

/// Sets when a lesson unlocks for users with access to its course.
pub(crate) async fn set_unlock(
    tx: &mut Tx,
    id: LessonId,
    unlock: Option<&LessonUnlockInput>,
    now: DateTime<Utc>,
) -> QueryResult<Lesson> {
    let (after, at) = match unlock {
        None => (None, None),
        Some(LessonUnlockInput::AfterDays(days)) => (Some(*days), None),
        Some(LessonUnlockInput::At(at)) => (None, Some(at.0)),
    };
    let lesson: Lesson = diesel::update(lessons::table.find(id))
        .set((
            lessons::unlock_after_days.eq(after),
            lessons::unlock_at.eq(at),
            lessons::version.eq(lessons::version + 1),
            lessons::updated_at.eq(now),
        ))
        .returning(Lesson::as_returning())
        .get_result(tx.conn())
        .await?;
    lesson_changed(tx, &lesson);
    Ok(lesson)
}

/// Returns the draft lessons of a course that are due, in the order of their times.
pub(crate) async fn due_lessons(tx: &mut Tx, course: CourseId, now: DateTime<Utc>) -> QueryResult<Vec<Lesson>> {
    lessons::table
        .filter(lessons::course_id.eq(course).and(lessons::publish_at.le(now)))
        .filter(lessons::published_at.is_null())
        .order((lessons::publish_at, lessons::position, lessons::id))
        .select(Lesson::as_select())
        .load(tx.conn())
        .await
}

/// Returns the courses with draft lessons that show a video and are due, in the order of their ids.
pub(crate) async fn waiting_for(
    conn: &mut AsyncPgConnection,
    video: VideoId,
    now: DateTime<Utc>,
) -> QueryResult<Vec<CourseId>> {
    lessons::table
        .filter(lessons::video_id.eq(video).and(lessons::publish_at.le(now)))
        .filter(lessons::published_at.is_null())
        .order(lessons::course_id)
        .select(lessons::course_id)
        .distinct()
        .load(conn)
        .await
}

/// Returns a batch of courses that have something due by `now`.
///
/// The batch starts after the course `after`, in the order of the ids.
pub(crate) async fn due(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    after: CourseId,
) -> QueryResult<Vec<CourseId>> {
    let of_lessons = lessons::table.filter(lessons::publish_at.le(now)).select(lessons::course_id);
    courses::table
        .filter(courses::publish_at.le(now).or(courses::id.eq_any(of_lessons)))
        .filter(courses::id.gt(after))
        .order(courses::id)
        .limit(BATCH)
        .select(courses::id)
        .load(conn)
        .await
}

/// Deletes a course with its sections and lessons.
pub(crate) async fn delete(tx: &mut Tx, course: &Course) -> QueryResult<usize> {
    tx.changed(course_key(course.id));
    tx.changed(slug_key(&course.slug));
    tx.changed(lists_key());
    diesel::delete(courses::table.find(course.id)).execute(tx.conn()).await
}
