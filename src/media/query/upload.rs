//! SQL for uploads.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types;
use diesel_async::AsyncPgConnection;
use serde_json::Value;
use uuid::Uuid;

use crate::accounts::UserId;
use crate::graphql::export::FETCH;
use crate::graphql::page::Page;
use crate::media::model::{Upload, UploadId, UploadStatus, Video, VideoStatus};
use crate::platform::db::schema::{uploads, video_references, videos};
use crate::platform::db::{RunQueryDsl, Tx, Writer, newest_first, sql_query};
use crate::platform::picture::Picture;
use crate::platform::retention::Retention;

/// The number of uploads in a batch.
const BATCH: i64 = 200;

/// Uploads that have ended and left no objects behind.
pub(crate) const UPLOADS: Retention =
    Retention { only: "swept_at IS NOT NULL", ..Retention::new("uploads", "ended_at") };

/// Takes an advisory lock, so that a user's uploads are created one at a time.
pub(crate) async fn lock_user(tx: &mut Tx, user: UserId) -> QueryResult<()> {
    sql_query("SELECT pg_advisory_xact_lock(hashtextextended('uploads/' || $1::text, 0))")
        .bind::<sql_types::Uuid, _>(user)
        .execute(tx.conn())
        .await
        .map(drop)
}

/// Counts a user's uploads in progress.
pub(crate) async fn count_open(tx: &mut Tx, user: UserId, now: DateTime<Utc>) -> QueryResult<i64> {
    uploads::table
        .filter(uploads::user_id.eq(user).and(uploads::ended_at.is_null()).and(uploads::expires_at.gt(now)))
        .count()
        .get_result(tx.conn())
        .await
}

/// Returns when a user's uploads with this target since `since` were created, earliest first.
pub(crate) async fn begun(
    tx: &mut Tx,
    user: UserId,
    target: &Value,
    since: DateTime<Utc>,
) -> QueryResult<Vec<DateTime<Utc>>> {
    uploads::table
        .filter(uploads::user_id.eq(user).and(uploads::created_at.gt(since)))
        .filter(uploads::attach_to.eq(target))
        .order(uploads::created_at)
        .select(uploads::created_at)
        .load(tx.conn())
        .await
}

#[derive(QueryableByName)]
struct Stored {
    #[diesel(sql_type = sql_types::BigInt)]
    bytes: i64,
}

/// Returns the bytes of a user's originals: videos, files, and open uploads as announced.
pub(crate) async fn stored_bytes(tx: &mut Tx, user: UserId, now: DateTime<Utc>) -> QueryResult<i64> {
    let stored: Stored = sql_query(
        "SELECT (coalesce((SELECT sum(size_bytes) FROM videos WHERE owner_id = $1), 0) \
            + coalesce((SELECT sum(size_bytes) FROM media_files WHERE owner_id = $1), 0) \
            + coalesce((SELECT sum(size_bytes) FROM uploads \
                WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2), 0))::bigint AS bytes",
    )
    .bind::<sql_types::Uuid, _>(user)
    .bind::<sql_types::Timestamptz, _>(now)
    .get_result(tx.conn())
    .await?;
    Ok(stored.bytes)
}

pub(crate) async fn insert(tx: &mut Tx, upload: &Upload) -> QueryResult<usize> {
    diesel::insert_into(uploads::table)
        .values((
            uploads::id.eq(upload.id),
            uploads::user_id.eq(upload.user_id),
            uploads::purpose.eq(upload.purpose),
            uploads::sha256.eq(&upload.sha256),
            uploads::filename.eq(&upload.filename),
            uploads::content_type.eq(&upload.content_type),
            uploads::size_bytes.eq(upload.size_bytes),
            uploads::part_bytes.eq(upload.part_bytes),
            uploads::status.eq(upload.status),
            uploads::looked_at.eq(upload.created_at),
            uploads::created_at.eq(upload.created_at),
            uploads::expires_at.eq(upload.expires_at),
            uploads::attach_to.eq(&upload.attach_to),
        ))
        .execute(tx.conn())
        .await
}

/// Stores the id of the multipart upload; returns false if the upload has ended in the meantime.
pub(crate) async fn set_multipart_id(writer: &mut Writer, id: UploadId, multipart_id: &str) -> QueryResult<bool> {
    let open = uploads::table.find(id).filter(uploads::ended_at.is_null());
    let set = diesel::update(open).set(uploads::multipart_id.eq(multipart_id));
    Ok(set.execute(writer.conn()).await? == 1)
}

pub(crate) async fn find(conn: &mut AsyncPgConnection, id: UploadId) -> QueryResult<Option<Upload>> {
    uploads::table.find(id).select(Upload::as_select()).first(conn).await.optional()
}

pub(crate) async fn lock(tx: &mut Tx, id: UploadId) -> QueryResult<Option<Upload>> {
    uploads::table.find(id).select(Upload::as_select()).for_no_key_update().first(tx.conn()).await.optional()
}

/// Starts an attempt to complete the upload, or (`None`) ends one without an outcome.
pub(crate) async fn set_completing(
    tx: &mut Tx,
    id: UploadId,
    attempt: Option<(Uuid, DateTime<Utc>)>,
) -> QueryResult<Upload> {
    let (by, until) = attempt.unzip();
    diesel::update(uploads::table.find(id))
        .set((uploads::completing_by.eq(by), uploads::completing_until.eq(until)))
        .returning(Upload::as_returning())
        .get_result(tx.conn())
        .await
}

/// Extends the lease of an attempt to complete an upload, if it still has it.
pub(crate) async fn renew_completing(
    tx: &mut Tx,
    id: UploadId,
    attempt: Uuid,
    until: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::update(uploads::table.find(id).filter(uploads::completing_by.eq(attempt)))
        .set(uploads::completing_until.eq(until))
        .execute(tx.conn())
        .await
}

/// Updates the number of bytes received, and the status.
pub(crate) async fn set_received(
    tx: &mut Tx,
    id: UploadId,
    received: i64,
    status: UploadStatus,
) -> QueryResult<Upload> {
    diesel::update(uploads::table.find(id))
        .set((uploads::received_bytes.eq(received), uploads::status.eq(status)))
        .returning(Upload::as_returning())
        .get_result(tx.conn())
        .await
}

/// Stores when the store was last checked.
pub(crate) async fn looked(writer: &mut Writer, id: UploadId, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(uploads::table.find(id)).set(uploads::looked_at.eq(now)).execute(writer.conn()).await
}

/// Ends an upload.
pub(crate) async fn end(
    tx: &mut Tx,
    upload: &Upload,
    status: UploadStatus,
    failure: Option<&str>,
    now: DateTime<Utc>,
) -> QueryResult<Upload> {
    let received = if status == UploadStatus::Completed { upload.size_bytes } else { upload.received_bytes };
    diesel::update(uploads::table.find(upload.id))
        .set((
            uploads::status.eq(status),
            uploads::failure.eq(failure),
            uploads::received_bytes.eq(received),
            uploads::ended_at.eq(now),
            uploads::completing_by.eq(None::<Uuid>),
            uploads::completing_until.eq(None::<DateTime<Utc>>),
        ))
        .returning(Upload::as_returning())
        .get_result(tx.conn())
        .await
}

/// Notes that the file was attached to the object with this id, or why it could not be.
pub(crate) async fn set_attached(
    tx: &mut Tx,
    id: UploadId,
    outcome: Result<&str, &str>,
    now: DateTime<Utc>,
) -> QueryResult<Upload> {
    diesel::update(uploads::table.find(id))
        .set((
            uploads::attached_at.eq(now),
            uploads::attached_to.eq(outcome.ok()),
            uploads::attach_failure.eq(outcome.err()),
        ))
        .returning(Upload::as_returning())
        .get_result(tx.conn())
        .await
}

/// The properties of an uploaded file.
pub(crate) struct Arrived<'a> {
    pub(crate) object_key: &'a str,
    pub content_type: &'static str,
    pub sha256: Option<&'a [u8]>,
    /// Only of pictures.
    pub picture: Option<&'a Picture>,
}

pub(crate) async fn insert_video(
    tx: &mut Tx,
    upload: &Upload,
    arrived: &Arrived<'_>,
    delete_after: DateTime<Utc>,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::insert_into(videos::table)
        .values((
            videos::id.eq(upload.video_id()),
            videos::owner_id.eq(upload.user_id),
            videos::filename.eq(&upload.filename),
            videos::object_key.eq(arrived.object_key),
            videos::content_type.eq(arrived.content_type),
            videos::size_bytes.eq(upload.size_bytes),
            videos::sha256.eq(arrived.sha256),
            videos::status.eq(VideoStatus::Uploaded),
            videos::created_at.eq(now),
            videos::delete_after.eq(delete_after),
            videos::updated_at.eq(now),
        ))
        .execute(tx.conn())
        .await
}

/// The sort key of a user's uploads, newest first.
pub(crate) type UploadKey = (DateTime<Utc>, Uuid);

/// Returns a page of a user's uploads with these statuses, in the direction of the page.
pub(crate) async fn of_user(
    mut conn: &AsyncPgConnection,
    user: UserId,
    statuses: &[UploadStatus],
    page: &Page<UploadKey>,
) -> QueryResult<Vec<Upload>> {
    let rows = uploads::table
        .filter(uploads::user_id.eq(user).and(uploads::status.eq_any(statuses)))
        .select(Upload::as_select());
    newest_first!(&mut conn, rows, uploads::created_at, uploads::id, page)
}

pub(crate) async fn count_of_user(
    mut conn: &AsyncPgConnection,
    user: UserId,
    statuses: &[UploadStatus],
) -> QueryResult<i64> {
    let rows = uploads::table.filter(uploads::user_id.eq(user).and(uploads::status.eq_any(statuses)));
    rows.count().get_result(&mut conn).await
}

/// Returns a batch of uploads in progress last checked before `before`, oldest first.
pub(crate) async fn to_look_at(conn: &mut AsyncPgConnection, before: DateTime<Utc>) -> QueryResult<Vec<Upload>> {
    uploads::table
        .filter(uploads::ended_at.is_null().and(uploads::looked_at.lt(before)))
        .order(uploads::looked_at)
        .limit(BATCH)
        .select(Upload::as_select())
        .load(conn)
        .await
}

/// Returns a batch of expired uploads that have not ended, ordered by id, after `after`.
pub(crate) async fn expired(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    after: UploadId,
) -> QueryResult<Vec<UploadId>> {
    uploads::table
        .filter(uploads::swept_at.is_null().and(uploads::ended_at.is_null()))
        .filter(uploads::expires_at.le(now).and(uploads::id.gt(after)))
        .order(uploads::id)
        .limit(BATCH)
        .select(uploads::id)
        .load(conn)
        .await
}

/// Returns a batch of ended, unswept uploads, ordered by id, after `after`.
///
/// They expired before `before` and may have left objects behind.
pub(crate) async fn unswept(
    conn: &mut AsyncPgConnection,
    before: DateTime<Utc>,
    after: UploadId,
) -> QueryResult<Vec<Upload>> {
    uploads::table
        .filter(uploads::swept_at.is_null().and(uploads::ended_at.is_not_null()))
        .filter(uploads::expires_at.le(before).and(uploads::id.gt(after)))
        .order(uploads::id)
        .limit(BATCH)
        .select(Upload::as_select())
        .load(conn)
        .await
}

pub(crate) async fn set_swept(writer: &mut Writer, id: UploadId, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(uploads::table.find(id)).set(uploads::swept_at.eq(now)).execute(writer.conn()).await
}

/// Returns a user's uploads in progress.
pub(crate) async fn open_of(conn: &mut AsyncPgConnection, user: UserId) -> QueryResult<Vec<UploadId>> {
    let open = uploads::table.filter(uploads::user_id.eq(user).and(uploads::ended_at.is_null()));
    open.select(uploads::id).load(conn).await
}

/// Returns a user's uploads, newest first.
pub(crate) async fn all_of(conn: &mut AsyncPgConnection, user: UserId) -> QueryResult<Vec<Upload>> {
    uploads::table
        .filter(uploads::user_id.eq(user))
        .order((uploads::created_at.desc(), uploads::id.desc()))
        .limit(FETCH)
        .select(Upload::as_select())
        .load(conn)
        .await
}

/// Returns a user's videos, newest first.
pub(crate) async fn videos_of(conn: &mut AsyncPgConnection, user: UserId) -> QueryResult<Vec<Video>> {
    videos::table
        .filter(videos::owner_id.eq(user))
        .order((videos::created_at.desc(), videos::id.desc()))
        .limit(FETCH)
        .select(Video::as_select())
        .load(conn)
        .await
}

/// Removes a deleted user's personal data from their uploads and videos.
///
/// Schedules the deletion of unused videos.
pub(crate) async fn forget_owner(tx: &mut Tx, user: UserId, now: DateTime<Utc>) -> QueryResult<()> {
    let theirs = uploads::table.filter(uploads::user_id.eq(user));
    diesel::update(theirs)
        .set((uploads::filename.eq("deleted"), uploads::failure.eq(None::<String>)))
        .execute(tx.conn())
        .await?;
    let theirs = videos::table.filter(videos::owner_id.eq(user));
    diesel::update(theirs).set(videos::filename.eq("deleted")).execute(tx.conn()).await?;
    let shown = diesel::dsl::exists(video_references::table.filter(video_references::video_id.eq(videos::id)));
    let unused = videos::table.filter(videos::owner_id.eq(user).and(videos::delete_after.is_null()));
    diesel::update(unused.filter(diesel::dsl::not(shown)))
        .set(videos::delete_after.eq(now))
        .execute(tx.conn())
        .await
        .map(drop)
}

pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[UploadId]) -> QueryResult<Vec<Upload>> {
    uploads::table.filter(uploads::id.eq_any(ids)).select(Upload::as_select()).load(conn).await
}
