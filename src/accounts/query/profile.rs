//! SQL for profiles.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::accounts::model::{ProfileChanges, User, UserId, user_key};
use crate::platform::db::schema::users;
use crate::platform::db::{RunQueryDsl, Tx};

pub(crate) async fn bios(conn: &mut AsyncPgConnection, ids: &[UserId]) -> QueryResult<Vec<(UserId, String)>> {
    users::table.filter(users::id.eq_any(ids)).select((users::id, users::bio)).load(conn).await
}

pub(crate) async fn update(tx: &mut Tx, id: UserId, changes: &ProfileChanges, now: DateTime<Utc>) -> QueryResult<User> {
    tx.changed(user_key(id));
    diesel::update(users::table.find(id))
        .set((changes, users::updated_at.eq(now)))
        .returning(User::as_returning())
        .get_result(tx.conn())
        .await
}

pub(crate) async fn set_avatar(tx: &mut Tx, id: UserId, file: Option<Uuid>, now: DateTime<Utc>) -> QueryResult<User> {
    tx.changed(user_key(id));
    diesel::update(users::table.find(id))
        .set((users::avatar_id.eq(file), users::updated_at.eq(now)))
        .returning(User::as_returning())
        .get_result(tx.conn())
        .await
}
