//! SQL for the settings of courses.

use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

use crate::catalog::model::{CourseId, course_key};
use crate::platform::db::schema::course_settings;
use crate::platform::db::{RunQueryDsl, Tx};

/// Returns the completion shares of courses, in percent; a course with the default is missing.
pub(crate) async fn completion_percents(
    mut conn: &AsyncPgConnection,
    ids: &[CourseId],
) -> QueryResult<Vec<(CourseId, i32)>> {
    course_settings::table
        .filter(course_settings::course_id.eq_any(ids))
        .select((course_settings::course_id, course_settings::completion_percent.assume_not_null()))
        .filter(course_settings::completion_percent.is_not_null())
        .load(&mut conn)
        .await
}

/// Sets the completion share of a course, in percent; `None` for the default.
pub(crate) async fn set_completion_percent(tx: &mut Tx, id: CourseId, percent: Option<i32>) -> QueryResult<usize> {
    tx.changed(course_key(id));
    diesel::insert_into(course_settings::table)
        .values((course_settings::course_id.eq(id), course_settings::completion_percent.eq(percent)))
        .on_conflict(course_settings::course_id)
        .do_update()
        .set(course_settings::completion_percent.eq(percent))
        .execute(tx.conn())
        .await
}
