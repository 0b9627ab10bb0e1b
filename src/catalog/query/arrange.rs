//! SQL for the order of an outline; the course must be locked.
//!
//! The uniqueness of positions is checked at the end of each statement, so one statement can move many rows.

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, sum};
use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, Timestamptz, Uuid};

use crate::catalog::model::{Course, CourseId, Lesson, LessonId, Section, SectionId, course_key};
use crate::platform::db::schema::{courses, lessons, sections};
use crate::platform::db::{RunQueryDsl, Tx, sql_query};

/// Records that a course was reordered.
pub(crate) async fn reordered(tx: &mut Tx, id: CourseId, now: DateTime<Utc>) -> QueryResult<Course> {
    tx.changed(course_key(id));
    diesel::update(courses::table.find(id))
        .set((courses::version.eq(courses::version + 1), courses::updated_at.eq(now)))
        .returning(Course::as_returning())
        .get_result(tx.conn())
        .await
}

pub(crate) async fn section_ids(tx: &mut Tx, course: CourseId) -> QueryResult<Vec<SectionId>> {
    sections::table.filter(sections::course_id.eq(course)).select(sections::id).load(tx.conn()).await
}

pub(crate) async fn lesson_ids(tx: &mut Tx, course: CourseId) -> QueryResult<Vec<LessonId>> {
    lessons::table.filter(lessons::course_id.eq(course)).select(lessons::id).load(tx.conn()).await
}

pub(crate) async fn lesson_ids_of_section(tx: &mut Tx, section: SectionId) -> QueryResult<Vec<LessonId>> {
    lessons::table.filter(lessons::section_id.eq(section)).select(lessons::id).load(tx.conn()).await
}

/// Positions sections, which must be all of the course, in the order of `ids`.
pub(crate) async fn place_sections(
    tx: &mut Tx,
    course: CourseId,
    ids: &[SectionId],
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    tx.changed(course_key(course));
    let sql = "UPDATE sections SET position = placed.position, updated_at = $2
        FROM unnest($1) WITH ORDINALITY AS placed (id, position)
        WHERE sections.id = placed.id AND sections.position <> placed.position";
    sql_query(sql).bind::<Array<Uuid>, _>(ids).bind::<Timestamptz, _>(now).execute(tx.conn()).await
}

/// The position of a lesson.
pub(crate) struct Place {
    pub lesson: LessonId,
    pub section: SectionId,
    pub position: i32,
}

/// Positions lessons, which must be all of the course.
pub(crate) async fn place_lessons(
    tx: &mut Tx,
    course: CourseId,
    places: &[Place],
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    tx.changed(course_key(course));
    let ids: Vec<LessonId> = places.iter().map(|place| place.lesson).collect();
    let sections: Vec<SectionId> = places.iter().map(|place| place.section).collect();
    let positions: Vec<i32> = places.iter().map(|place| place.position).collect();
    let sql = "UPDATE lessons SET section_id = placed.section_id, position = placed.position, updated_at = $4
        FROM unnest($1, $2, $3) AS placed (id, section_id, position)
        WHERE lessons.id = placed.id
            AND (lessons.section_id, lessons.position) <> (placed.section_id, placed.position)";
    sql_query(sql)
        .bind::<Array<Uuid>, _>(ids)
        .bind::<Array<Uuid>, _>(sections)
        .bind::<Array<Integer>, _>(positions)
        .bind::<Timestamptz, _>(now)
        .execute(tx.conn())
        .await
}

/// Returns the number and the total seconds of a section's published lessons.
pub(crate) async fn published_in(tx: &mut Tx, section: SectionId) -> QueryResult<(i64, i64)> {
    let published = lessons::table.filter(lessons::section_id.eq(section)).filter(lessons::published_at.is_not_null());
    let (count, seconds): (i64, Option<i64>) =
        published.select((count_star(), sum(lessons::duration_seconds))).first(tx.conn()).await?;
    Ok((count, seconds.unwrap_or_default()))
}

/// Deletes a section with its lessons; later sections move up.
pub async fn delete_section(tx: &mut Tx, section: &Section) -> QueryResult<()> {
    tx.changed(course_key(section.course_id));
    diesel::delete(sections::table.find(section.id)).execute(tx.conn()).await?;
    let later =
        sections::table.filter(sections::course_id.eq(section.course_id).and(sections::position.gt(section.position)));
    diesel::update(later).set(sections::position.eq(sections::position - 1)).execute(tx.conn()).await.map(drop)
}

/// Deletes a lesson; later lessons move up.
pub async fn delete_lesson(tx: &mut Tx, lesson: &Lesson) -> QueryResult<()> {
    tx.changed(course_key(lesson.course_id));
    diesel::delete(lessons::table.find(lesson.id)).execute(tx.conn()).await?;
    let later =
        lessons::table.filter(lessons::section_id.eq(lesson.section_id).and(lessons::position.gt(lesson.position)));
    diesel::update(later).set(lessons::position.eq(lessons::position - 1)).execute(tx.conn()).await.map(drop)
}
