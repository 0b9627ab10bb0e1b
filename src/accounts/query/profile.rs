//! SQL for profiles.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

use crate::accounts::model::{ProfileChanges, User, UserId, user_key};
use crate::platform::db::schema::users;
use crate::platform::db::{RunQueryDsl, Tx};

pub(in crate::accounts) async fn bios(
    conn: &mut AsyncPgConnection,
    ids: &[UserId],
) -> QueryResult<Vec<(UserId, String)>> {
    users::table.filter(users::id.eq_any(ids)).select((users::id, users::bio)).load(conn).await
}

pub(in crate::accounts) async fn update(
    tx: &mut Tx,
    id: UserId,
    changes: &ProfileChanges,
    now: DateTime<Utc>,
) -> QueryResult<User> {
    tx.changed(user_key(id));
    diesel::update(users::table.find(id))
        .set((changes, users::updated_at.eq(now)))
        .returning(User::as_returning())
        .get_result(tx.conn())
        .await
}
