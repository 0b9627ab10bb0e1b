//! SQL for course thumbnails and lesson resources.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

use crate::catalog::model::{Course, CourseId, Lesson, LessonId, LessonResource, course_key, lesson_changed};
use crate::media::MediaFile;
use crate::platform::db::schema::{courses, lesson_resources};
use crate::platform::db::{RunQueryDsl, Tx};

pub(crate) async fn set_thumbnail(
    tx: &mut Tx,
    id: CourseId,
    file: Option<&MediaFile>,
    now: DateTime<Utc>,
) -> QueryResult<Course> {
    tx.changed(course_key(id));
    diesel::update(courses::table.find(id))
        .set((
            courses::thumbnail_id.eq(file.map(|file| file.id)),
            // The previous version of the program reads it.
            courses::thumbnail_key.eq(file.map(|file| &file.object_key)),
            courses::version.eq(courses::version + 1),
            courses::updated_at.eq(now),
        ))
        .returning(Course::as_returning())
        .get_result(tx.conn())
        .await
}

/// Returns the resources of lessons, in order for each lesson.
pub async fn resources(mut conn: &AsyncPgConnection, ids: &[LessonId]) -> QueryResult<Vec<(LessonId, LessonResource)>> {
    lesson_resources::table
        .filter(lesson_resources::lesson_id.eq_any(ids))
        .order((lesson_resources::lesson_id, lesson_resources::position))
        .select((lesson_resources::lesson_id, LessonResource::as_select()))
        .load(&mut conn)
        .await
}

/// Replaces the resources of a lesson, whose course must be locked.
pub(crate) async fn set_resources(tx: &mut Tx, lesson: &Lesson, resources: &[LessonResource]) -> QueryResult<()> {
    lesson_changed(tx, lesson);
    let old = lesson_resources::table.filter(lesson_resources::lesson_id.eq(lesson.id));
    diesel::delete(old).execute(tx.conn()).await?;
    let rows = (1..).zip(resources).map(|(position, resource): (i32, _)| {
        (
            lesson_resources::lesson_id.eq(lesson.id),
            lesson_resources::position.eq(position),
            lesson_resources::name.eq(&resource.name),
            lesson_resources::url.eq(&resource.url),
            lesson_resources::file_id.eq(resource.file_id),
        )
    });
    diesel::insert_into(lesson_resources::table).values(rows.collect::<Vec<_>>()).execute(tx.conn()).await.map(drop)
}
