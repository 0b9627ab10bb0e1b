//! The SQL of giving accounts up.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types;
use diesel_async::AsyncPgConnection;

use crate::accounts::model::{DELETED_NAME, User, UserId, deleted_email};
use crate::platform::auth::Role;
use crate::platform::db::schema::users;
use crate::platform::db::{RunQueryDsl, Tx};

/// Accounts that are deleted at a time.
const DELETED: i64 = 100;

/// The tables whose rows go with their user: those that refer to one with `ON DELETE CASCADE`. The user's own row
/// stays, because others refer to it, so that PostgreSQL doesn't do this; a test compares the list with the database.
const BELONGINGS: [&str; 8] = [
    "api_tokens",
    "email_changes",
    "identities",
    "identity_attempts",
    "players",
    "second_factors",
    "sessions",
    "sign_in_challenges",
];

pub(in crate::accounts) async fn set_due(
    tx: &mut Tx,
    id: UserId,
    due_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> QueryResult<User> {
    diesel::update(users::table.find(id))
        .set((users::deletion_due_at.eq(due_at), users::updated_at.eq(now)))
        .returning(User::as_returning())
        .get_result(tx.conn())
        .await
}

/// Some of the accounts that are to be deleted by `now`, in the order of their ids from `after` on.
pub(in crate::accounts) async fn due(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    after: UserId,
) -> QueryResult<Vec<UserId>> {
    users::table
        .filter(users::deletion_due_at.le(now).and(users::id.gt(after)))
        .order(users::id)
        .limit(DELETED)
        .select(users::id)
        .load(conn)
        .await
}

/// Removes all that belongs to a user alone.
pub(in crate::accounts) async fn remove_belongings(tx: &mut Tx, id: UserId) -> QueryResult<()> {
    for table in BELONGINGS {
        let delete = diesel::sql_query(format!("DELETE FROM {table} WHERE user_id = $1"));
        delete.bind::<sql_types::Uuid, _>(id).execute(tx.conn()).await?;
    }
    Ok(())
}

/// Leaves nothing of the person in the user's row.
pub(in crate::accounts) async fn anonymise(tx: &mut Tx, id: UserId, now: DateTime<Utc>) -> QueryResult<User> {
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
            ),
            (
                users::banned_at.eq(None::<DateTime<Utc>>),
                users::banned_until.eq(None::<DateTime<Utc>>),
                users::ban_reason.eq(None::<String>),
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
