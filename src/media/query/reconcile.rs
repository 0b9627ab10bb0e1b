//! SQL for the reconciliation with the object store.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types;
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::media::model::UploadId;
use crate::platform::db::schema::{media_files, uploads, videos};
use crate::platform::db::{RunQueryDsl, sql_query};

/// The number of rows in a batch.
const BATCH: i64 = 200;

/// Returns the uploads in progress among `ids`, and the originals of videos and files.
pub(crate) async fn known(
    conn: &mut AsyncPgConnection,
    ids: &[UploadId],
) -> QueryResult<(Vec<UploadId>, Vec<(UploadId, String)>)> {
    // In this order, an upload that is completed in between is found twice rather than not at all.
    let open = uploads::table.filter(uploads::id.eq_any(ids).and(uploads::ended_at.is_null()));
    let open: Vec<UploadId> = open.select(uploads::id).load(conn).await?;
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let found = videos::table.filter(videos::id.eq_any(&ids)).select((videos::id, videos::object_key));
    let files = media_files::table.filter(media_files::id.eq_any(&ids));
    let found = found.union_all(files.select((media_files::id, media_files::object_key)));
    Ok((open, found.load(conn).await?))
}

/// The original of a video or file.
#[derive(QueryableByName)]
pub(crate) struct Original {
    #[diesel(sql_type = sql_types::Uuid)]
    pub id: UploadId,
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) object_key: String,
}

/// Returns a batch of originals created before `before`, ordered by id, after `after`.
pub(crate) async fn originals(
    conn: &mut AsyncPgConnection,
    before: DateTime<Utc>,
    after: UploadId,
) -> QueryResult<Vec<Original>> {
    let sql = "SELECT id, object_key FROM (SELECT id, object_key, created_at FROM videos
            UNION ALL SELECT id, object_key, created_at FROM media_files) AS kept
        WHERE created_at < $1 AND id > $2 ORDER BY id LIMIT $3";
    sql_query(sql)
        .bind::<sql_types::Timestamptz, _>(before)
        .bind::<sql_types::Uuid, _>(after)
        .bind::<sql_types::BigInt, _>(BATCH)
        .load(conn)
        .await
}
