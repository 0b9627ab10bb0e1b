//! SQL for pictures and files.

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, exists, not};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use super::upload::Arrived;
use crate::accounts::UserId;
use crate::graphql::export::FETCH;
use crate::graphql::page::Page;
use crate::media::model::{FileId, MediaFile, Upload, UploadPurpose, picture_key};
use crate::platform::db::schema::{file_references, media_files};
use crate::platform::db::{RunQueryDsl, Tx, newest_first};
use crate::platform::picture::Picture;

/// The number of files in one batch of a sweep.
const SWEPT: i64 = 200;

/// Inserts an uploaded file, without references.
pub(crate) async fn insert(
    tx: &mut Tx,
    upload: &Upload,
    arrived: &Arrived<'_>,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::insert_into(media_files::table)
        .values((
            media_files::id.eq(upload.file_id()),
            media_files::owner_id.eq(upload.user_id),
            media_files::purpose.eq(upload.purpose),
            media_files::filename.eq(&upload.filename),
            media_files::object_key.eq(arrived.object_key),
            media_files::content_type.eq(arrived.content_type),
            media_files::size_bytes.eq(upload.size_bytes),
            media_files::sha256.eq(arrived.sha256),
            media_files::created_at.eq(now),
            media_files::unused_since.eq(now),
            media_files::picture.eq(arrived.picture),
        ))
        .execute(tx.conn())
        .await
}

pub(crate) async fn by_ids(mut conn: &AsyncPgConnection, ids: &[FileId]) -> QueryResult<Vec<MediaFile>> {
    media_files::table.filter(media_files::id.eq_any(ids)).select(MediaFile::as_select()).load(&mut conn).await
}

/// Locks files in the order of their ids.
///
/// This blocks concurrent changes of their references, and their deletion.
pub(crate) async fn lock(tx: &mut Tx, ids: &[FileId]) -> QueryResult<Vec<MediaFile>> {
    media_files::table
        .filter(media_files::id.eq_any(ids))
        .order(media_files::id)
        .select(MediaFile::as_select())
        .for_no_key_update()
        .load(tx.conn())
        .await
}

/// Marks files as used; a reference exists or is about to be added.
pub(crate) async fn set_used(tx: &mut Tx, ids: &[FileId]) -> QueryResult<usize> {
    let unused = media_files::table.filter(media_files::id.eq_any(ids).and(media_files::unused_since.is_not_null()));
    diesel::update(unused).set(media_files::unused_since.eq(None::<DateTime<Utc>>)).execute(tx.conn()).await
}

/// Marks those files that are no longer referenced as unused since `now`. They must be locked.
pub(crate) async fn set_unused(tx: &mut Tx, ids: &[FileId], now: DateTime<Utc>) -> QueryResult<usize> {
    let used = media_files::table.filter(media_files::id.eq_any(ids).and(media_files::unused_since.is_null()));
    let referred = file_references::table.filter(file_references::file_id.eq(media_files::id));
    diesel::update(used.filter(not(exists(referred)))).set(media_files::unused_since.eq(now)).execute(tx.conn()).await
}

/// Ends the grace period of a locked file, if it is unused, as if that had begun at `long_ago`.
pub(crate) async fn end_grace(tx: &mut Tx, id: FileId, long_ago: DateTime<Utc>) -> QueryResult<usize> {
    let unused = media_files::table.find(id).filter(media_files::unused_since.gt(long_ago));
    diesel::update(unused).set(media_files::unused_since.eq(long_ago)).execute(tx.conn()).await
}

/// Returns whether a file is referenced.
pub(crate) async fn is_used(tx: &mut Tx, id: FileId) -> QueryResult<bool> {
    let referred = file_references::table.filter(file_references::file_id.eq(id));
    diesel::select(exists(referred)).get_result(tx.conn()).await
}

/// Returns a batch of files that have been unused since `before` or longer.
pub(crate) async fn unused(conn: &mut AsyncPgConnection, before: DateTime<Utc>) -> QueryResult<Vec<FileId>> {
    media_files::table
        .filter(media_files::unused_since.le(before))
        .order(media_files::unused_since)
        .limit(SWEPT)
        .select(media_files::id)
        .load(conn)
        .await
}

/// Inserts a picture that was not uploaded, without references.
pub(crate) async fn insert_imported(tx: &mut Tx, file: &MediaFile) -> QueryResult<usize> {
    tx.changed(picture_key(file.id));
    diesel::insert_into(media_files::table)
        .values((
            media_files::id.eq(file.id),
            media_files::owner_id.eq(file.owner_id),
            media_files::purpose.eq(file.purpose),
            media_files::filename.eq(&file.filename),
            media_files::object_key.eq(&file.object_key),
            media_files::content_type.eq(&file.content_type),
            media_files::size_bytes.eq(file.size_bytes),
            media_files::created_at.eq(file.created_at),
            media_files::unused_since.eq(file.unused_since),
            media_files::picture.eq(&file.picture),
        ))
        .on_conflict_do_nothing()
        .execute(tx.conn())
        .await
}

/// Returns the pictures among these files that can be shown: the key of the original, and the properties.
pub(crate) async fn pictures(
    mut conn: &AsyncPgConnection,
    ids: &[FileId],
) -> QueryResult<Vec<(FileId, String, Picture)>> {
    media_files::table
        .filter(media_files::id.eq_any(ids).and(media_files::purpose.eq(UploadPurpose::Image)))
        .filter(media_files::failure.is_null().and(media_files::picture.is_not_null()))
        .select((media_files::id, media_files::object_key, media_files::picture.assume_not_null()))
        .load(&mut conn)
        .await
}

/// Stores the properties of a picture, or why it cannot be shown; returns false if it was deleted.
pub(crate) async fn set_picture(tx: &mut Tx, id: FileId, processed: Result<&Picture, &str>) -> QueryResult<bool> {
    tx.changed(picture_key(id));
    let file = media_files::table.find(id);
    let update = diesel::update(file).set((
        processed.ok().map(|picture| media_files::picture.eq(picture)),
        media_files::failure.eq(processed.err()),
    ));
    Ok(update.execute(tx.conn()).await? == 1)
}

/// Returns a batch of pictures that were uploaded before there were renditions.
pub(crate) async fn unprocessed(conn: &mut AsyncPgConnection) -> QueryResult<Vec<FileId>> {
    media_files::table
        // Not a bind parameter: for a partial index, PostgreSQL must see the condition when it plans the query.
        .filter(diesel::dsl::sql::<Bool>("purpose = 'IMAGE'"))
        .filter(media_files::picture.is_null().and(media_files::failure.is_null()))
        .order(media_files::id)
        .limit(SWEPT)
        .select(media_files::id)
        .load(conn)
        .await
}

pub(crate) async fn delete(tx: &mut Tx, id: FileId) -> QueryResult<usize> {
    tx.changed(picture_key(id));
    diesel::delete(media_files::table.find(id)).execute(tx.conn()).await
}

/// Returns a page of a user's files, newest first, in the direction of the page.
pub(crate) async fn page_of(
    mut conn: &AsyncPgConnection,
    owner: UserId,
    page: &Page<(DateTime<Utc>, Uuid)>,
) -> QueryResult<Vec<MediaFile>> {
    let rows = media_files::table.filter(media_files::owner_id.eq(owner)).select(MediaFile::as_select());
    newest_first!(&mut conn, rows, media_files::created_at, media_files::id, page)
}

/// Counts the files of each user; users without files are missing.
pub(crate) async fn count_owned(mut conn: &AsyncPgConnection, owners: &[UserId]) -> QueryResult<Vec<(UserId, i64)>> {
    media_files::table
        .filter(media_files::owner_id.eq_any(owners))
        .group_by(media_files::owner_id)
        .select((media_files::owner_id, count_star()))
        .load(&mut conn)
        .await
}

/// Returns a user's files, newest first.
pub(crate) async fn owned(conn: &mut AsyncPgConnection, owner: UserId) -> QueryResult<Vec<MediaFile>> {
    media_files::table
        .filter(media_files::owner_id.eq(owner))
        .order((media_files::created_at.desc(), media_files::id.desc()))
        .limit(FETCH)
        .select(MediaFile::as_select())
        .load(conn)
        .await
}

/// Removes a deleted user's personal data from their files.
///
/// Downloads that lessons offer keep their filenames. Unreferenced files are deleted by the next sweep: their grace
/// period is set to have begun at `long_ago`.
pub(crate) async fn forget_owner(tx: &mut Tx, owner: UserId, long_ago: DateTime<Utc>) -> QueryResult<()> {
    let theirs = media_files::table.filter(media_files::owner_id.eq(owner));
    let unused = theirs.filter(media_files::unused_since.gt(long_ago));
    diesel::update(unused).set(media_files::unused_since.eq(long_ago)).execute(tx.conn()).await?;
    let unnamed =
        theirs.filter(media_files::purpose.eq(UploadPurpose::Image).or(media_files::unused_since.is_not_null()));
    diesel::update(unnamed).set(media_files::filename.eq("deleted")).execute(tx.conn()).await.map(drop)
}
