//! SQL for references to videos and files.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::media::model::{FileId, Referrer, VideoId};
use crate::platform::db::schema::{file_references, video_references};
use crate::platform::db::{RunQueryDsl, Tx, sql_query};

/// Returns the videos that `referrers` show, in the order of their ids, each once.
pub(crate) async fn videos_of(tx: &mut Tx, referrers: &[Uuid]) -> QueryResult<Vec<VideoId>> {
    video_references::table
        .filter(video_references::referrer_id.eq_any(referrers))
        .select(video_references::video_id)
        .order(video_references::video_id)
        .distinct()
        .load(tx.conn())
        .await
}

/// Returns the kind and id of one referrer of a video.
pub(crate) async fn one_of_video(tx: &mut Tx, id: VideoId) -> QueryResult<Option<(String, Uuid)>> {
    video_references::table
        .filter(video_references::video_id.eq(id))
        .order((video_references::referrer_kind.desc(), video_references::referrer_id))
        .select((video_references::referrer_kind, video_references::referrer_id))
        .first(tx.conn())
        .await
        .optional()
}

/// Returns the videos with the kinds and ids of the objects that show them, courses first, at most `limit` for each.
pub(crate) async fn of_videos(
    mut conn: &AsyncPgConnection,
    ids: &[VideoId],
    limit: i64,
) -> QueryResult<Vec<(VideoId, String, Uuid)>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        video_id: Uuid,
        #[diesel(sql_type = Text)]
        referrer_kind: String,
        #[diesel(sql_type = SqlUuid)]
        referrer_id: Uuid,
    }
    let rows: Vec<Row> = sql_query(
        "SELECT page.* FROM unnest($1) AS video (id) CROSS JOIN LATERAL ( \
            SELECT video_id, referrer_kind, referrer_id FROM video_references WHERE video_id = video.id \
            ORDER BY referrer_kind, referrer_id LIMIT $2) AS page",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<BigInt, _>(limit)
    .load(&mut conn)
    .await?;
    Ok(rows.into_iter().map(|row| (VideoId::new(row.video_id), row.referrer_kind, row.referrer_id)).collect())
}

pub(crate) async fn add_videos(tx: &mut Tx, references: &[(VideoId, Referrer)]) -> QueryResult<usize> {
    let rows = references.iter().map(|(id, referrer)| {
        (
            video_references::video_id.eq(id),
            video_references::referrer_kind.eq(referrer.kind),
            video_references::referrer_id.eq(referrer.id),
        )
    });
    diesel::insert_into(video_references::table).values(rows.collect::<Vec<_>>()).execute(tx.conn()).await
}

pub(crate) async fn remove_videos(tx: &mut Tx, referrers: &[Uuid]) -> QueryResult<usize> {
    let theirs = video_references::table.filter(video_references::referrer_id.eq_any(referrers));
    diesel::delete(theirs).execute(tx.conn()).await
}

/// Returns the files that `referrers` refer to, in the order of their ids, each once.
pub(crate) async fn files_of(tx: &mut Tx, referrers: &[Uuid]) -> QueryResult<Vec<FileId>> {
    file_references::table
        .filter(file_references::referrer_id.eq_any(referrers))
        .select(file_references::file_id)
        .order(file_references::file_id)
        .distinct()
        .load(tx.conn())
        .await
}

pub(crate) async fn add_files(tx: &mut Tx, ids: &[FileId], referrer: Referrer) -> QueryResult<usize> {
    let rows = ids.iter().map(|id| {
        (
            file_references::file_id.eq(id),
            file_references::referrer_kind.eq(referrer.kind),
            file_references::referrer_id.eq(referrer.id),
        )
    });
    diesel::insert_into(file_references::table)
        .values(rows.collect::<Vec<_>>())
        .on_conflict_do_nothing()
        .execute(tx.conn())
        .await
}

pub(crate) async fn remove_files(tx: &mut Tx, referrers: &[Uuid]) -> QueryResult<usize> {
    let theirs = file_references::table.filter(file_references::referrer_id.eq_any(referrers));
    diesel::delete(theirs).execute(tx.conn()).await
}
