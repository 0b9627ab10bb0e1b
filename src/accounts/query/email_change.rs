//! SQL for email changes. Writers must have locked the user, which serializes the changes of one user.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

use crate::accounts::model::{CODE_LIFETIME, EmailChange, EmailChangeId, TRIES, User, UserId, user_key};
use crate::platform::db::schema::{email_changes, users};
use crate::platform::db::{RunQueryDsl, Tx};

pub(crate) async fn insert(
    tx: &mut Tx,
    id: EmailChangeId,
    user: &User,
    new_email: &str,
    now: DateTime<Utc>,
) -> QueryResult<EmailChange> {
    diesel::insert_into(email_changes::table)
        .values((
            email_changes::id.eq(id),
            email_changes::user_id.eq(user.id),
            email_changes::old_email.eq(&user.email),
            email_changes::new_email.eq(new_email),
            email_changes::tries_left.eq(TRIES),
            email_changes::requested_at.eq(now),
            email_changes::expires_at.eq(now + CODE_LIFETIME),
        ))
        .returning(EmailChange::as_returning())
        .get_result(tx.conn())
        .await
}

pub(crate) async fn by_id(conn: &mut AsyncPgConnection, id: EmailChangeId) -> QueryResult<Option<EmailChange>> {
    email_changes::table.find(id).select(EmailChange::as_select()).first(conn).await.optional()
}

/// Returns the pending change of the user.
pub(crate) async fn waiting(conn: &mut AsyncPgConnection, user: UserId) -> QueryResult<Option<EmailChange>> {
    email_changes::table
        .filter(email_changes::user_id.eq(user))
        .filter(email_changes::ended_at.is_null())
        .select(EmailChange::as_select())
        .first(conn)
        .await
        .optional()
}

/// Ends the pending change of the user, if there is one.
pub(crate) async fn end(tx: &mut Tx, user: UserId, now: DateTime<Utc>) -> QueryResult<()> {
    diesel::update(email_changes::table)
        .filter(email_changes::user_id.eq(user))
        .filter(email_changes::ended_at.is_null())
        .set(email_changes::ended_at.eq(now))
        .execute(tx.conn())
        .await
        .map(drop)
}

/// Uses up an attempt; returns how many are left.
pub(crate) async fn use_try(tx: &mut Tx, id: EmailChangeId) -> QueryResult<i32> {
    diesel::update(email_changes::table.find(id))
        .set(email_changes::tries_left.eq(email_changes::tries_left - 1))
        .returning(email_changes::tries_left)
        .get_result(tx.conn())
        .await
}

/// Sets the new email address; returns `None` if another user has it.
///
/// If another user registers the address concurrently, the constraint `users_email_key` is violated.
pub(crate) async fn apply(tx: &mut Tx, change: &EmailChange, now: DateTime<Utc>) -> QueryResult<Option<User>> {
    let owner = diesel::alias!(users as owner);
    let taken = owner.filter(owner.field(users::email).eq(&change.new_email)).select(owner.field(users::id));
    tx.changed(user_key(change.user_id));
    diesel::update(users::table.find(change.user_id))
        .filter(diesel::dsl::not(diesel::dsl::exists(taken)))
        .set((users::email.eq(&change.new_email), users::email_verified_at.eq(now), users::updated_at.eq(now)))
        .returning(User::as_returning())
        .get_result(tx.conn())
        .await
        .optional()
}
