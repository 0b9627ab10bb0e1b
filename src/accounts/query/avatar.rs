//! SQL for user pictures and their uploads.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

use crate::accounts::model::{AvatarUpload, AvatarUploadId, User, UserId, user_key};
use crate::platform::db::schema::{avatar_uploads, users};
use crate::platform::db::{RunQueryDsl, Tx, Writer};
use crate::platform::picture::Picture;

/// The batch size of the cleanup.
const SWEPT: i64 = 500;

pub(in crate::accounts) async fn insert(tx: &mut Tx, upload: &AvatarUpload) -> QueryResult<usize> {
    diesel::insert_into(avatar_uploads::table)
        .values((
            avatar_uploads::id.eq(upload.id),
            avatar_uploads::user_id.eq(upload.user_id),
            avatar_uploads::content_type.eq(&upload.content_type),
            avatar_uploads::size_bytes.eq(upload.size_bytes),
            avatar_uploads::expires_at.eq(upload.expires_at),
        ))
        .execute(tx.conn())
        .await
}

/// Returns when the user's unexpired uploads expire, including ended ones, earliest first.
pub(in crate::accounts) async fn expiries(
    tx: &mut Tx,
    user: UserId,
    now: DateTime<Utc>,
) -> QueryResult<Vec<DateTime<Utc>>> {
    avatar_uploads::table
        .filter(avatar_uploads::user_id.eq(user).and(avatar_uploads::expires_at.gt(now)))
        .order(avatar_uploads::expires_at)
        .select(avatar_uploads::expires_at)
        .load(tx.conn())
        .await
}

pub(in crate::accounts) async fn find(
    conn: &mut AsyncPgConnection,
    id: AvatarUploadId,
) -> QueryResult<Option<AvatarUpload>> {
    avatar_uploads::table.find(id).select(AvatarUpload::as_select()).first(conn).await.optional()
}

/// Ends an upload; returns false if it has already ended.
pub(in crate::accounts) async fn end(tx: &mut Tx, id: AvatarUploadId, now: DateTime<Utc>) -> QueryResult<bool> {
    let open = avatar_uploads::table.find(id).filter(avatar_uploads::ended_at.is_null());
    Ok(diesel::update(open).set(avatar_uploads::ended_at.eq(now)).execute(tx.conn()).await? == 1)
}

pub(in crate::accounts) async fn set_avatar(
    tx: &mut Tx,
    user: UserId,
    shown: Option<(&str, &Picture)>,
    now: DateTime<Utc>,
) -> QueryResult<User> {
    let (key, picture) = shown.unzip();
    tx.changed(user_key(user));
    diesel::update(users::table.find(user))
        .set((users::avatar_key.eq(key), users::avatar_picture.eq(picture), users::updated_at.eq(now)))
        .returning(User::as_returning())
        .get_result(tx.conn())
        .await
}

/// Whether the user's picture is the one at `key`.
pub(in crate::accounts) async fn is_shown(conn: &mut AsyncPgConnection, user: UserId, key: &str) -> QueryResult<bool> {
    let found = users::table.find(user).filter(users::avatar_key.eq(key)).select(users::id);
    diesel::select(diesel::dsl::exists(found)).get_result(conn).await
}

/// Stores the properties of the user's picture; returns false if it is no longer the one at `key`.
pub(in crate::accounts) async fn set_picture(
    tx: &mut Tx,
    user: UserId,
    key: &str,
    picture: &Picture,
) -> QueryResult<bool> {
    tx.changed(user_key(user));
    let shown = users::table.find(user).filter(users::avatar_key.eq(key));
    Ok(diesel::update(shown).set(users::avatar_picture.eq(picture)).execute(tx.conn()).await? == 1)
}

/// Returns a batch of users with a picture from before there were renditions, with its key.
pub(in crate::accounts) async fn unprocessed(conn: &mut AsyncPgConnection) -> QueryResult<Vec<(UserId, String)>> {
    users::table
        .filter(users::avatar_key.is_not_null().and(users::avatar_picture.is_null()))
        .order(users::id)
        .limit(SWEPT)
        .select((users::id, users::avatar_key.assume_not_null()))
        .load(conn)
        .await
}

/// Returns a batch of the uploads that expired before `before`.
///
/// They are ordered by id, starting after `after`.
pub(in crate::accounts) async fn expired(
    conn: &mut AsyncPgConnection,
    before: DateTime<Utc>,
    after: AvatarUploadId,
) -> QueryResult<Vec<AvatarUpload>> {
    avatar_uploads::table
        .filter(avatar_uploads::expires_at.lt(before).and(avatar_uploads::id.gt(after)))
        .order(avatar_uploads::id)
        .limit(SWEPT)
        .select(AvatarUpload::as_select())
        .load(conn)
        .await
}

pub(in crate::accounts) async fn delete(writer: &mut Writer, id: AvatarUploadId) -> QueryResult<usize> {
    diesel::delete(avatar_uploads::table.find(id)).execute(writer.conn()).await
}
