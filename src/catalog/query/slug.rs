//! SQL for the URL slugs of courses.

use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

use crate::catalog::model::{Course, CourseId, slug_key};
use crate::platform::clock::Clock;
use crate::platform::db::schema::{course_slugs, courses};
use crate::platform::db::{RunQueryDsl, Tx};

/// Returns the courses that have or had one of these slugs, each with that slug.
pub(crate) async fn courses_once_called(
    mut conn: &AsyncPgConnection,
    slugs: &[&str],
) -> QueryResult<Vec<(String, Course)>> {
    course_slugs::table
        .inner_join(courses::table)
        .filter(course_slugs::slug.eq_any(slugs))
        .select((course_slugs::slug, Course::as_select()))
        .load(&mut conn)
        .await
}

/// Returns the current and earlier slugs that are `base` or start with `base-`.
pub(crate) async fn taken_like(tx: &mut Tx, base: &str) -> QueryResult<Vec<String>> {
    course_slugs::table
        .filter(course_slugs::slug.eq(base).or(course_slugs::slug.like(format!("{base}-%"))))
        .select(course_slugs::slug)
        .load(tx.conn())
        .await
}

/// Returns the course that has or had a slug.
pub(crate) async fn owner(tx: &mut Tx, slug: &str) -> QueryResult<CourseId> {
    course_slugs::table.find(slug).select(course_slugs::course_id).first(tx.conn()).await
}

/// Reserves a slug for a course permanently; `false` if another course has or had it.
///
/// A concurrent reservation of the same slug waits.
pub async fn take(tx: &mut Tx, clock: &Clock, slug: &str, course: CourseId) -> QueryResult<bool> {
    tx.changed(slug_key(slug));
    diesel::insert_into(course_slugs::table)
        .values((
            course_slugs::slug.eq(slug),
            course_slugs::course_id.eq(course),
            course_slugs::taken_at.eq(clock.now()),
        ))
        .on_conflict(course_slugs::slug)
        .do_nothing()
        .execute(tx.conn())
        .await?;
    let owner: CourseId = course_slugs::table.find(slug).select(course_slugs::course_id).first(tx.conn()).await?;
    Ok(owner == course)
}
