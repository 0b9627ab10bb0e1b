//! SQL for lesson content.

use diesel::prelude::*;
use diesel_async::AsyncPgConnection;
use serde_json::Value;

use crate::catalog::model::{Lesson, LessonId, StoredContent, lesson_changed};
use crate::platform::db::schema::lessons;
use crate::platform::db::{RunQueryDsl, Tx};

pub(crate) async fn contents(
    mut conn: &AsyncPgConnection,
    ids: &[LessonId],
) -> QueryResult<Vec<(LessonId, StoredContent)>> {
    lessons::table
        .filter(lessons::id.eq_any(ids))
        .select((lessons::id, StoredContent::as_select()))
        .load(&mut conn)
        .await
}

pub(crate) async fn descriptions(
    mut conn: &AsyncPgConnection,
    ids: &[LessonId],
) -> QueryResult<Vec<(LessonId, String)>> {
    lessons::table.filter(lessons::id.eq_any(ids)).select((lessons::id, lessons::description)).load(&mut conn).await
}

pub(crate) async fn chapters(tx: &mut Tx, id: LessonId) -> QueryResult<Value> {
    lessons::table.find(id).select(lessons::chapters).first(tx.conn()).await
}

pub(crate) async fn set_chapters(tx: &mut Tx, lesson: &Lesson, chapters: &Value) -> QueryResult<usize> {
    lesson_changed(tx, lesson);
    diesel::update(lessons::table.find(lesson.id)).set(lessons::chapters.eq(chapters)).execute(tx.conn()).await
}
