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
pub(crate) struct NewSection<'a> {
    pub id: SectionId,
    pub course_id: CourseId,
    pub position: i32,
    pub title: &'a str,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A lesson of a new course.
#[derive(Insertable)]
#[diesel(table_name = lessons)]
pub(crate) struct NewLesson<'a> {
    pub id: LessonId,
    pub course_id: CourseId,
    pub section_id: SectionId,
    pub position: i32,
    pub title: &'a str,
    pub kind: LessonKind,
    pub(crate) video_id: Option<VideoId>,
    pub duration_seconds: Option<i32>,
    pub is_preview: bool,
    pub description: &'a str,
    pub chapters: Value,
    pub published_at: Option<DateTime<Utc>>,
    pub(crate) first_published_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// Inserts the outline of a new course.
pub(crate) async fn insert_outline(
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
pub(crate) struct Completed<'a> {
    /// The number of published lessons.
    pub lesson_count: i32,
    /// Their duration in seconds.
    pub duration_seconds: i32,
    pub created_at: DateTime<Utc>,
    pub published_at: Option<DateTime<Utc>>,
    pub publish_at: Option<DateTime<Utc>>,
    pub thumbnail: Option<&'a MediaFile>,
    pub(crate) demo_video_id: Option<VideoId>,
}

pub(crate) async fn complete(tx: &mut Tx, id: CourseId, set: &Completed<'_>) -> QueryResult<Course> {
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
