//! SQL for lesson videos and demo videos.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::catalog::model::{Course, CourseId, Lesson, LessonId, course_key, lesson_changed};
use crate::media::VideoId;
use crate::platform::db::schema::{courses, lessons};
use crate::platform::db::{RunQueryDsl, Tx};

/// Sets the video and the duration of a lesson.
pub async fn set_lesson_video(
    tx: &mut Tx,
    id: LessonId,
    video: Option<VideoId>,
    duration_seconds: Option<i32>,
    now: DateTime<Utc>,
) -> QueryResult<Lesson> {
    let lesson: Lesson = diesel::update(lessons::table.find(id))
        .set((
            lessons::video_id.eq(video),
            lessons::duration_seconds.eq(duration_seconds),
            lessons::version.eq(lessons::version + 1),
            lessons::updated_at.eq(now),
        ))
        .returning(Lesson::as_returning())
        .get_result(tx.conn())
        .await?;
    lesson_changed(tx, &lesson);
    Ok(lesson)
}

pub(crate) async fn set_demo_video(
    tx: &mut Tx,
    id: CourseId,
    video: Option<VideoId>,
    now: DateTime<Utc>,
) -> QueryResult<Course> {
    tx.changed(course_key(id));
    diesel::update(courses::table.find(id))
        .set((courses::demo_video_id.eq(video), courses::version.eq(courses::version + 1), courses::updated_at.eq(now)))
        .returning(Course::as_returning())
        .get_result(tx.conn())
        .await
}

/// Returns the lessons that show a video, with their courses.
pub(crate) async fn lessons_with(tx: &mut Tx, video: VideoId) -> QueryResult<Vec<(LessonId, CourseId)>> {
    lessons::table
        .filter(lessons::video_id.eq(video))
        // The order in which courses are locked.
        .order((lessons::course_id, lessons::id))
        .select((lessons::id, lessons::course_id))
        .load(tx.conn())
        .await
}
