//! SQL for videos.

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, exists, not};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::accounts::UserId;
use crate::graphql::page::Page;
use crate::media::model::{Video, VideoId};
use crate::platform::db::schema::{video_references, videos};
use crate::platform::db::{RunQueryDsl, Tx, newest_first};

/// The number of videos in one batch of a sweep.
const SWEPT: i64 = 200;

pub(crate) async fn by_ids(mut conn: &AsyncPgConnection, ids: &[VideoId]) -> QueryResult<Vec<Video>> {
    videos::table.filter(videos::id.eq_any(ids)).select(Video::as_select()).load(&mut conn).await
}

pub(crate) async fn insert(tx: &mut Tx, video: &Video) -> QueryResult<usize> {
    diesel::insert_into(videos::table)
        .values((
            videos::id.eq(video.id),
            videos::owner_id.eq(video.owner_id),
            videos::filename.eq(&video.filename),
            videos::object_key.eq(&video.object_key),
            videos::content_type.eq(&video.content_type),
            videos::size_bytes.eq(video.size_bytes),
            videos::status.eq(video.status),
            videos::progress_percent.eq(video.progress_percent),
            videos::created_at.eq(video.created_at),
            videos::updated_at.eq(video.created_at),
            videos::delete_after.eq(video.delete_after),
        ))
        .execute(tx.conn())
        .await
}

/// Returns a page of a user's videos, newest first, in the direction of the page.
pub(crate) async fn owned(
    mut conn: &AsyncPgConnection,
    owner: UserId,
    page: &Page<(DateTime<Utc>, Uuid)>,
) -> QueryResult<Vec<Video>> {
    let rows = videos::table.filter(videos::owner_id.eq(owner)).select(Video::as_select());
    newest_first!(&mut conn, rows, videos::created_at, videos::id, page)
}

/// Counts the videos of each user; users without videos are missing.
pub(crate) async fn count_owned(mut conn: &AsyncPgConnection, owners: &[UserId]) -> QueryResult<Vec<(UserId, i64)>> {
    videos::table
        .filter(videos::owner_id.eq_any(owners))
        .group_by(videos::owner_id)
        .select((videos::owner_id, count_star()))
        .load(&mut conn)
        .await
}

/// Locks a video.
///
/// This blocks concurrent changes of its references, and its deletion.
pub(crate) async fn lock(tx: &mut Tx, id: VideoId) -> QueryResult<Option<Video>> {
    videos::table.find(id).select(Video::as_select()).for_no_key_update().first(tx.conn()).await.optional()
}

/// Locks videos in the order of their ids.
pub(crate) async fn lock_all(tx: &mut Tx, ids: &[VideoId]) -> QueryResult<Vec<Video>> {
    videos::table
        .filter(videos::id.eq_any(ids))
        .order(videos::id)
        .select(Video::as_select())
        .for_no_key_update()
        .load(tx.conn())
        .await
}

/// Schedules the deletion at `at` of those videos that are no longer referenced. They must be locked.
pub(crate) async fn start_grace(
    tx: &mut Tx,
    ids: &[VideoId],
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    let shown = video_references::table.filter(video_references::video_id.eq(videos::id));
    let unused = videos::table.filter(videos::id.eq_any(ids)).filter(videos::delete_after.is_null());
    diesel::update(unused.filter(not(exists(shown))))
        .set((videos::delete_after.eq(at), videos::updated_at.eq(now)))
        .execute(tx.conn())
        .await
}

/// Schedules the deletion of a video, or cancels it (`None`).
pub(crate) async fn set_delete_after(
    tx: &mut Tx,
    id: VideoId,
    at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> QueryResult<Video> {
    diesel::update(videos::table.find(id))
        .set((videos::delete_after.eq(at), videos::updated_at.eq(now)))
        .returning(Video::as_returning())
        .get_result(tx.conn())
        .await
}

/// Returns a batch of videos that are due for deletion.
pub(crate) async fn due(conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> QueryResult<Vec<VideoId>> {
    let due = videos::table.filter(videos::delete_after.le(now)).order(videos::delete_after);
    due.limit(SWEPT).select(videos::id).load(conn).await
}

pub(crate) async fn delete(tx: &mut Tx, id: VideoId) -> QueryResult<usize> {
    diesel::delete(videos::table.find(id)).execute(tx.conn()).await
}

pub(crate) async fn is_there(conn: &mut AsyncPgConnection, id: VideoId) -> QueryResult<bool> {
    diesel::select(exists(videos::table.find(id).select(videos::id))).get_result(conn).await
}
