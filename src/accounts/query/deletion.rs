//! SQL for the deletion of accounts.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types;
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::accounts::model::{DELETED_NAME, User, UserId, deleted_email, user_key};
use crate::platform::auth::Role;
use crate::platform::db::schema::users;
use crate::platform::db::{RunQueryDsl, Tx, sql_query};
use crate::platform::picture::Picture;

/// The batch size of deletions.
const DELETED: i64 = 100;

/// The tables whose rows are deleted with their user (`ON DELETE CASCADE`).
///
/// PostgreSQL does not cascade, because the user's own row stays. A test compares the list with the database.
const BELONGINGS: [&str; 7] = [
    "api_tokens",
    "email_changes",
    "identities",
    "identity_attempts",
    "second_factors",
    "sessions",
    "sign_in_challenges",
];

pub(crate) async fn set_due(
    tx: &mut Tx,
    id: UserId,
    due_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> QueryResult<User> {
    tx.changed(user_key(id));
    diesel::update(users::table.find(id))
        .set((users::deletion_due_at.eq(due_at), users::updated_at.eq(now)))
        .returning(User::as_returning())
        .get_result(tx.conn())
        .await
}

/// Returns a batch of the accounts that are due for deletion at `now`.
///
/// They are ordered by id, starting after `after`.
pub(crate) async fn due(conn: &mut AsyncPgConnection, now: DateTime<Utc>, after: UserId) -> QueryResult<Vec<UserId>> {
    users::table
        .filter(users::deletion_due_at.le(now).and(users::id.gt(after)))
        .order(users::id)
        .limit(DELETED)
        .select(users::id)
        .load(conn)
        .await
}

/// Deletes all rows that belong to the user alone.
pub(crate) async fn remove_belongings(tx: &mut Tx, id: UserId) -> QueryResult<()> {
    for table in BELONGINGS {
        let delete = sql_query(format!("DELETE FROM {table} WHERE user_id = $1"));
        delete.bind::<sql_types::Uuid, _>(id).execute(tx.conn()).await?;
    }
    Ok(())
}

/// Removes all personal data from the user's row.
pub(crate) async fn anonymise(tx: &mut Tx, id: UserId, now: DateTime<Utc>) -> QueryResult<User> {
    tx.changed(user_key(id));
    diesel::update(users::table.find(id))
        .set((
            (
                users::email.eq(deleted_email(id)),
                users::name.eq(DELETED_NAME),
                users::role.eq(Role::Student),
                users::password_hash.eq(None::<String>),
                users::email_verified_at.eq(None::<DateTime<Utc>>),
                users::bio.eq(""),
                users::locale.eq(None::<String>),
                users::time_zone.eq(None::<String>),
                users::avatar_key.eq(None::<String>),
                users::avatar_picture.eq(None::<Picture>),
                users::avatar_id.eq(None::<Uuid>),
            ),
            (
                users::banned_at.eq(None::<DateTime<Utc>>),
                users::banned_until.eq(None::<DateTime<Utc>>),
                users::ban_reason.eq(None::<String>),
                users::last_sign_in_at.eq(None::<DateTime<Utc>>),
            ),
            (
                users::deletion_due_at.eq(None::<DateTime<Utc>>),
                users::deleted_at.eq(now),
                users::updated_at.eq(now),
                users::token_version.eq(users::token_version + 1),
                users::tokens_changed_at.eq(now),
            ),
        ))
        .returning(User::as_returning())
        .get_result(tx.conn())
        .await
}
