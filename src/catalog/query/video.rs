//! Which videos are shown.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::catalog::model::{Course, CourseId, Lesson, LessonId, ROWS, SectionId};
use crate::media::VideoId;
use crate::platform::db::schema::{courses, lessons};
use crate::platform::db::{RunQueryDsl, Tx};

/// Gives a lesson a video, and the video's duration if that is known.
pub(in crate::catalog) async fn set_lesson_video(
    tx: &mut Tx,
    id: LessonId,
    video: Option<VideoId>,
    duration_seconds: i32,
    now: DateTime<Utc>,
) -> QueryResult<Lesson> {
    tx.changed(ROWS);
    diesel::update(lessons::table.find(id))
        .set((
            lessons::video_id.eq(video),
            lessons::duration_seconds.eq(duration_seconds),
            lessons::version.eq(lessons::version + 1),
            lessons::updated_at.eq(now),
        ))
        .returning(Lesson::as_returning())
        .get_result(tx.conn())
        .await
}

pub(in crate::catalog) async fn set_demo_video(
    tx: &mut Tx,
    id: CourseId,
    video: Option<VideoId>,
    now: DateTime<Utc>,
) -> QueryResult<Course> {
    tx.changed(ROWS);
    diesel::update(courses::table.find(id))
        .set((courses::demo_video_id.eq(video), courses::version.eq(courses::version + 1), courses::updated_at.eq(now)))
        .returning(Course::as_returning())
        .get_result(tx.conn())
        .await
}

/// The lessons that show a video, with their courses.
pub(in crate::catalog) async fn lessons_with(tx: &mut Tx, video: VideoId) -> QueryResult<Vec<(LessonId, CourseId)>> {
    lessons::table
        .filter(lessons::video_id.eq(video))
        .order(lessons::id)
        .select((lessons::id, lessons::course_id))
        .load(tx.conn())
        .await
}

/// The videos that a section's lessons show.
pub(in crate::catalog) async fn videos_in(tx: &mut Tx, section: SectionId) -> QueryResult<Vec<VideoId>> {
    let shown = lessons::table.filter(lessons::section_id.eq(section)).select(lessons::video_id.assume_not_null());
    // In one order for everybody, as they are going to be locked.
    shown.filter(lessons::video_id.is_not_null()).order(lessons::video_id).distinct().load(tx.conn()).await
}
