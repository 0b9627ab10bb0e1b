//! Users' SQL.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::AsyncPgConnection;

use crate::accounts::model::{Ban, Credentials, ImportedUser, User, UserId};
use crate::platform::auth::Role;
use crate::platform::clock::Clock;
use crate::platform::db::schema::users;
use crate::platform::db::{RunQueryDsl, Tx};

/// What [`Tx::changed`] is told when a user's row is another one, unless an event tells it.
pub(in crate::accounts) const ROWS: &str = "user_changed";

pub(in crate::accounts) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[UserId]) -> QueryResult<Vec<User>> {
    users::table.filter(users::id.eq_any(ids)).select(User::as_select()).load(conn).await
}

pub(in crate::accounts) async fn credentials(
    conn: &mut AsyncPgConnection,
    email: &str,
) -> QueryResult<Option<Credentials>> {
    // PostgreSQL refuses a statement with a NUL in a text; nobody has such an address.
    if email.contains('\0') {
        return Ok(None);
    }
    users::table
        .filter(users::email.eq(email))
        .select((User::as_select(), users::password_hash))
        .first(conn)
        .await
        .optional()
}

pub(in crate::accounts) async fn credentials_of(
    conn: &mut AsyncPgConnection,
    id: UserId,
) -> QueryResult<Option<Credentials>> {
    let living = users::table.find(id).filter(users::deleted_at.is_null());
    living.select((User::as_select(), users::password_hash)).first(conn).await.optional()
}

pub(in crate::accounts) async fn lock_credentials(tx: &mut Tx, id: UserId) -> QueryResult<Option<Credentials>> {
    users::table
        .find(id)
        .filter(users::deleted_at.is_null())
        .select((User::as_select(), users::password_hash))
        .for_update()
        .first(tx.conn())
        .await
        .optional()
}

pub(in crate::accounts) async fn id_by_email(conn: &mut AsyncPgConnection, email: &str) -> QueryResult<Option<UserId>> {
    users::table.filter(users::email.eq(email)).select(users::id).first(conn).await.optional()
}

pub(in crate::accounts) async fn by_email(conn: &mut AsyncPgConnection, email: &str) -> QueryResult<Option<User>> {
    users::table.filter(users::email.eq(email)).select(User::as_select()).first(conn).await.optional()
}

pub(in crate::accounts) async fn lock_by_email(tx: &mut Tx, email: &str) -> QueryResult<Option<User>> {
    let found = users::table.filter(users::email.eq(email)).select(User::as_select());
    found.for_update().first(tx.conn()).await.optional()
}

/// Somebody with an account; `None` once it is deleted.
///
/// # Errors
/// The database failed.
pub async fn by_id(tx: &mut Tx, id: UserId) -> QueryResult<Option<User>> {
    users::table
        .find(id)
        .filter(users::deleted_at.is_null())
        .select(User::as_select())
        .first(tx.conn())
        .await
        .optional()
}

/// Locks a user, unless it is nobody any more: whoever changes a user while it is being deleted waits here and then
/// finds none.
pub(in crate::accounts) async fn lock(tx: &mut Tx, id: UserId) -> QueryResult<Option<User>> {
    let living = users::table.find(id).filter(users::deleted_at.is_null());
    living.select(User::as_select()).for_update().first(tx.conn()).await.optional()
}

/// Locks every administrator who is not banned and has not given the account up, so that two demotions or bans at once
/// cannot remove the last two. Whoever is demoted or banned while this waits is not in the answer.
pub(in crate::accounts) async fn lock_admins(tx: &mut Tx, now: DateTime<Utc>) -> QueryResult<Vec<UserId>> {
    users::table
        // Not a parameter: an index has these few, and PostgreSQL must know at planning that it has them all.
        .filter(diesel::dsl::sql::<Bool>("role = 'ADMIN'"))
        .filter(users::deletion_due_at.is_null())
        .filter(users::banned_at.is_null().or(users::banned_until.le(now)))
        .order(users::id)
        .select(users::id)
        .for_update()
        .load(tx.conn())
        .await
}

pub(in crate::accounts) async fn insert(tx: &mut Tx, clock: &Clock, new: &ImportedUser) -> QueryResult<User> {
    let now = clock.now();
    diesel::insert_into(users::table)
        .values((
            users::id.eq(clock.uuid()),
            users::email.eq(&new.email),
            users::name.eq(&new.name),
            users::role.eq(new.role),
            users::password_hash.eq(&new.password_hash),
            users::created_at.eq(now),
            users::updated_at.eq(now),
        ))
        .returning(User::as_returning())
        .get_result(tx.conn())
        .await
}

/// Somebody new who has shown that the address is theirs; `None` if somebody has it. Waits for somebody who is just getting
/// it.
pub(in crate::accounts) async fn insert_verified(
    tx: &mut Tx,
    clock: &Clock,
    email: &str,
    name: &str,
    role: Role,
    password_hash: Option<&str>,
) -> QueryResult<Option<User>> {
    let now = clock.now();
    diesel::insert_into(users::table)
        .values((
            users::id.eq(clock.uuid()),
            users::email.eq(email),
            users::name.eq(name),
            users::role.eq(role),
            users::password_hash.eq(password_hash),
            users::email_verified_at.eq(now),
            users::created_at.eq(now),
            users::updated_at.eq(now),
        ))
        .on_conflict(users::email)
        .do_nothing()
        .returning(User::as_returning())
        .get_result(tx.conn())
        .await
        .optional()
}

/// Inserts many at once; those whose address is known already are left out.
pub(in crate::accounts) async fn insert_new(
    tx: &mut Tx,
    clock: &Clock,
    new: &[ImportedUser],
) -> QueryResult<Vec<User>> {
    let now = clock.now();
    let rows: Vec<_> = new
        .iter()
        .map(|user| {
            (
                users::id.eq(clock.uuid()),
                users::email.eq(&user.email),
                users::name.eq(&user.name),
                users::role.eq(user.role),
                users::password_hash.eq(&user.password_hash),
                users::created_at.eq(now),
                users::updated_at.eq(now),
            )
        })
        .collect();
    diesel::insert_into(users::table)
        .values(rows)
        .on_conflict(users::email)
        .do_nothing()
        .returning(User::as_returning())
        .get_results(tx.conn())
        .await
}

pub(in crate::accounts) async fn set_role(
    tx: &mut Tx,
    id: UserId,
    role: Role,
    now: DateTime<Utc>,
) -> QueryResult<User> {
    diesel::update(users::table.find(id))
        .set((
            users::role.eq(role),
            users::updated_at.eq(now),
            // The role is in the access tokens.
            users::token_version.eq(users::token_version + 1),
            users::tokens_changed_at.eq(now),
        ))
        .returning(User::as_returning())
        .get_result(tx.conn())
        .await
}

/// Makes the user's access tokens worthless, so that the next ones are asked for; returns the new version.
pub(in crate::accounts) async fn renew_tokens(tx: &mut Tx, id: UserId, now: DateTime<Utc>) -> QueryResult<i32> {
    diesel::update(users::table.find(id))
        .set((users::token_version.eq(users::token_version + 1), users::tokens_changed_at.eq(now)))
        .returning(users::token_version)
        .get_result(tx.conn())
        .await
}

pub(in crate::accounts) async fn set_ban(
    tx: &mut Tx,
    id: UserId,
    ban: Option<&Ban>,
    now: DateTime<Utc>,
) -> QueryResult<User> {
    tx.changed(ROWS);
    diesel::update(users::table.find(id))
        .set((
            users::banned_at.eq(ban.map(|ban| ban.since)),
            users::banned_until.eq(ban.and_then(|ban| ban.until)),
            users::ban_reason.eq(ban.map(|ban| &ban.reason)),
            users::updated_at.eq(now),
            // API tokens are not ended, they rest while their owner is banned: the nodes have to ask again.
            users::token_version.eq(users::token_version + 1),
            users::tokens_changed_at.eq(now),
        ))
        .returning(User::as_returning())
        .get_result(tx.conn())
        .await
}

pub(in crate::accounts) async fn set_password(
    tx: &mut Tx,
    id: UserId,
    hash: &str,
    now: DateTime<Utc>,
) -> QueryResult<User> {
    diesel::update(users::table.find(id))
        .set((users::password_hash.eq(hash), users::updated_at.eq(now)))
        .returning(User::as_returning())
        .get_result(tx.conn())
        .await
}

/// Notes that the user has shown that the address is theirs.
pub(in crate::accounts) async fn set_verified(tx: &mut Tx, id: UserId, now: DateTime<Utc>) -> QueryResult<()> {
    diesel::update(users::table.find(id))
        .filter(users::email_verified_at.is_null())
        .set(users::email_verified_at.eq(now))
        .execute(tx.conn())
        .await
        .map(drop)
}

/// Whether there is any user at all.
///
/// # Errors
/// The database failed.
pub async fn any(conn: &mut AsyncPgConnection) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(users::table.select(users::id))).get_result(conn).await
}

/// Whether somebody has this address.
///
/// # Errors
/// The database failed.
pub async fn is_registered(conn: &mut AsyncPgConnection, email: &str) -> QueryResult<bool> {
    let found = users::table.filter(users::email.eq(email)).select(users::id);
    diesel::select(diesel::dsl::exists(found)).get_result(conn).await
}
