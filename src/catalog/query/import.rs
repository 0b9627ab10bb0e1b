//! SQL for imports.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::Value;

use crate::catalog::model::{Course, CourseId, LessonId, LessonKind, SectionId, course_key, lists_key};
use crate::media::{MediaFile, VideoId};
use crate::platform::db::schema::{courses, lessons, sections};
use crate::platform::db::{RunQueryDsl, Tx};

/// A section of a new course.
#[derive(Insertable)]
#[diesel(table_name = sections)]
pub(in crate::catalog) struct NewSection<'a> {
    pub(in crate::catalog) id: SectionId,
    pub(in crate::catalog) course_id: CourseId,
    pub(in crate::catalog) position: i32,
    pub(in crate::catalog) title: &'a str,
    pub(in crate::catalog) created_at: DateTime<Utc>,
    pub(in crate::catalog) updated_at: DateTime<Utc>,
}

/// A lesson of a new course.
#[derive(Insertable)]
#[diesel(table_name = lessons)]
pub(in crate::catalog) struct NewLesson<'a> {
    pub(in crate::catalog) id: LessonId,
    pub(in crate::catalog) course_id: CourseId,
    pub(in crate::catalog) section_id: SectionId,
    pub(in crate::catalog) position: i32,
    pub(in crate::catalog) title: &'a str,
    pub(in crate::catalog) kind: LessonKind,
    pub(in crate::catalog) video_id: Option<VideoId>,
    pub(in crate::catalog) duration_seconds: Option<i32>,
    pub(in crate::catalog) is_preview: bool,
    pub(in crate::catalog) description: &'a str,
    pub(in crate::catalog) chapters: Value,
    pub(in crate::catalog) published_at: Option<DateTime<Utc>>,
    pub(in crate::catalog) first_published_at: Option<DateTime<Utc>>,
    pub(in crate::catalog) created_at: DateTime<Utc>,
    pub(in crate::catalog) updated_at: DateTime<Utc>,
}

/// Inserts the outline of a new course.
pub(in crate::catalog) async fn insert_outline(
    tx: &mut Tx,
    course: CourseId,
    new_sections: &[NewSection<'_>],
    new_lessons: &[NewLesson<'_>],
) -> QueryResult<()> {
    tx.changed(course_key(course));
    diesel::insert_into(sections::table).values(new_sections).execute(tx.conn()).await?;
    diesel::insert_into(lessons::table).values(new_lessons).execute(tx.conn()).await?;
    Ok(())
}

/// What is set in a new course once its outline is there.
pub(in crate::catalog) struct Completed<'a> {
    /// The number of published lessons.
    pub(in crate::catalog) lesson_count: i32,
    /// Their duration in seconds.
    pub(in crate::catalog) duration_seconds: i32,
    pub(in crate::catalog) created_at: DateTime<Utc>,
    pub(in crate::catalog) published_at: Option<DateTime<Utc>>,
    pub(in crate::catalog) publish_at: Option<DateTime<Utc>>,
    pub(in crate::catalog) thumbnail: Option<&'a MediaFile>,
    pub(in crate::catalog) demo_video_id: Option<VideoId>,
}

pub(in crate::catalog) async fn complete(tx: &mut Tx, id: CourseId, set: &Completed<'_>) -> QueryResult<Course> {
    tx.changed(course_key(id));
    tx.changed(lists_key());
    diesel::update(courses::table.find(id))
        .set((
            courses::lesson_count.eq(set.lesson_count),
            courses::duration_seconds.eq(set.duration_seconds),
            courses::created_at.eq(set.created_at),
            courses::published_at.eq(set.published_at),
            courses::publish_at.eq(set.publish_at),
            courses::thumbnail_id.eq(set.thumbnail.map(|file| file.id)),
            // The previous version of the program reads it.
            courses::thumbnail_key.eq(set.thumbnail.map(|file| &file.object_key)),
            courses::demo_video_id.eq(set.demo_video_id),
        ))
        .returning(Course::as_returning())
        .get_result(tx.conn())
        .await
}
