//! SQL for lesson content.

use diesel::prelude::*;
use diesel_async::AsyncPgConnection;
use serde_json::Value;

use crate::catalog::model::{Lesson, LessonId, StoredContent, lesson_changed};
use crate::platform::db::schema::lessons;
use crate::platform::db::{RunQueryDsl, Tx};

pub(in crate::catalog) async fn contents(
    mut conn: &AsyncPgConnection,
    ids: &[LessonId],
) -> QueryResult<Vec<(LessonId, StoredContent)>> {
    lessons::table
        .filter(lessons::id.eq_any(ids))
        .select((lessons::id, StoredContent::as_select()))
        .load(&mut conn)
        .await
}

pub(in crate::catalog) async fn descriptions(
    mut conn: &AsyncPgConnection,
    ids: &[LessonId],
) -> QueryResult<Vec<(LessonId, String)>> {
    lessons::table.filter(lessons::id.eq_any(ids)).select((lessons::id, lessons::description)).load(&mut conn).await
}

pub(in crate::catalog) async fn timestamps(tx: &mut Tx, id: LessonId) -> QueryResult<Value> {
    lessons::table.find(id).select(lessons::timestamps).first(tx.conn()).await
}

pub(in crate::catalog) async fn set_timestamps(tx: &mut Tx, lesson: &Lesson, timestamps: &Value) -> QueryResult<usize> {
    lesson_changed(tx, lesson);
    diesel::update(lessons::table.find(lesson.id)).set(lessons::timestamps.eq(timestamps)).execute(tx.conn()).await
}
