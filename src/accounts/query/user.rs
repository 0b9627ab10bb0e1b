//! SQL for users.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::accounts::model::{Ban, Credentials, ImportedUser, User, UserId, user_key};
use crate::platform::auth::Role;
use crate::platform::clock::Clock;
use crate::platform::db::schema::users;
use crate::platform::db::{RunQueryDsl, Tx, sql_query};

pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[UserId]) -> QueryResult<Vec<User>> {
    users::table.filter(users::id.eq_any(ids)).select(User::as_select()).load(conn).await
}

pub(crate) async fn credentials(conn: &mut AsyncPgConnection, email: &str) -> QueryResult<Option<Credentials>> {
    // PostgreSQL rejects text with a NUL character; no email address contains one.
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

pub(crate) async fn credentials_of(conn: &mut AsyncPgConnection, id: UserId) -> QueryResult<Option<Credentials>> {
    let living = users::table.find(id).filter(users::deleted_at.is_null());
    living.select((User::as_select(), users::password_hash)).first(conn).await.optional()
}

pub(crate) async fn lock_credentials(tx: &mut Tx, id: UserId) -> QueryResult<Option<Credentials>> {
    users::table
        .find(id)
        .filter(users::deleted_at.is_null())
        .select((User::as_select(), users::password_hash))
        .for_no_key_update()
        .first(tx.conn())
        .await
        .optional()
}

pub(crate) async fn id_by_email(conn: &mut AsyncPgConnection, email: &str) -> QueryResult<Option<UserId>> {
    users::table.filter(users::email.eq(email)).select(users::id).first(conn).await.optional()
}

pub(crate) async fn by_email(conn: &mut AsyncPgConnection, email: &str) -> QueryResult<Option<User>> {
    users::table.filter(users::email.eq(email)).select(User::as_select()).first(conn).await.optional()
}

pub(crate) async fn by_emails(conn: &mut AsyncPgConnection, emails: &[&str]) -> QueryResult<Vec<User>> {
    users::table.filter(users::email.eq_any(emails)).select(User::as_select()).load(conn).await
}

pub(crate) async fn lock_by_email(tx: &mut Tx, email: &str) -> QueryResult<Option<User>> {
    let found = users::table.filter(users::email.eq(email)).select(User::as_select());
    found.for_no_key_update().first(tx.conn()).await.optional()
}

/// Returns a user; `None` if they are deleted.
pub(crate) async fn by_id(tx: &mut Tx, id: UserId) -> QueryResult<Option<User>> {
    users::table
        .find(id)
        .filter(users::deleted_at.is_null())
        .select(User::as_select())
        .first(tx.conn())
        .await
        .optional()
}

/// Locks a user; `None` if there is none or the account is deleted.
///
/// A change that runs while the user is being deleted waits for the lock and then finds no user.
pub(crate) async fn lock(tx: &mut Tx, id: UserId) -> QueryResult<Option<User>> {
    let living = users::table.find(id).filter(users::deleted_at.is_null());
    living.select(User::as_select()).for_no_key_update().first(tx.conn()).await.optional()
}

/// Locks a user's row, deleted or not, and returns whether they are not deleted.
pub(crate) async fn lock_row(tx: &mut Tx, id: UserId) -> QueryResult<bool> {
    let user = users::table.find(id).select(users::deleted_at.is_null()).for_no_key_update();
    Ok(user.first(tx.conn()).await.optional()?.unwrap_or(false))
}

/// Locks the administrators who are not banned or due for deletion; returns their ids.
///
/// Concurrent demotions or bans therefore cannot remove the last two. An administrator who is demoted or banned while
/// this waits is not returned.
pub(crate) async fn lock_admins(tx: &mut Tx, now: DateTime<Utc>) -> QueryResult<Vec<UserId>> {
    users::table
        // Not a bind parameter: for a partial index, PostgreSQL must see the condition when it plans the query.
        .filter(diesel::dsl::sql::<Bool>("role = 'ADMIN'"))
        .filter(users::deletion_due_at.is_null())
        .filter(users::banned_at.is_null().or(users::banned_until.le(now)))
        .order(users::id)
        .select(users::id)
        .for_no_key_update()
        .load(tx.conn())
        .await
}

pub(crate) async fn insert(tx: &mut Tx, clock: &Clock, new: &ImportedUser) -> QueryResult<User> {
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

/// Inserts a user with a verified email address; `None` if another user has the address.
///
/// Waits for a concurrent transaction that inserts the same address.
pub(crate) async fn insert_verified(
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

/// Inserts many users at once; skips email addresses that are already registered.
pub(crate) async fn insert_new(tx: &mut Tx, clock: &Clock, new: &[ImportedUser]) -> QueryResult<usize> {
    let ids: Vec<Uuid> = new.iter().map(|_| clock.uuid()).collect();
    let texts = |text: fn(&ImportedUser) -> &str| new.iter().map(text).collect::<Vec<&str>>();
    sql_query(
        "INSERT INTO users (id, email, name, role, password_hash, created_at, updated_at) \
         SELECT id, email, name, role, password_hash, $6, $6 \
         FROM unnest($1, $2, $3, $4, $5) AS new (id, email, name, role, password_hash) \
         ON CONFLICT (email) DO NOTHING",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Text>, _>(texts(|user| &user.email))
    .bind::<Array<Text>, _>(texts(|user| &user.name))
    .bind::<Array<Text>, _>(texts(|user| user.role.as_str()))
    .bind::<Array<Text>, _>(texts(|user| &user.password_hash))
    .bind::<Timestamptz, _>(clock.now())
    .execute(tx.conn())
    .await
}

pub(crate) async fn set_role(tx: &mut Tx, id: UserId, role: Role, now: DateTime<Utc>) -> QueryResult<User> {
    tx.changed(user_key(id));
    diesel::update(users::table.find(id))
        .set((
            users::role.eq(role),
            users::role_since.eq(now),
            users::updated_at.eq(now),
            // Access tokens contain the role.
            users::token_version.eq(users::token_version + 1),
            users::tokens_changed_at.eq(now),
        ))
        .returning(User::as_returning())
        .get_result(tx.conn())
        .await
}

/// Invalidates the user's access tokens; returns the new token version.
///
/// Clients must then refresh their sessions.
pub(crate) async fn renew_tokens(tx: &mut Tx, id: UserId, now: DateTime<Utc>) -> QueryResult<i32> {
    tx.changed(user_key(id));
    diesel::update(users::table.find(id))
        .set((users::token_version.eq(users::token_version + 1), users::tokens_changed_at.eq(now)))
        .returning(users::token_version)
        .get_result(tx.conn())
        .await
}

pub(crate) async fn set_ban(tx: &mut Tx, id: UserId, ban: Option<&Ban>, now: DateTime<Utc>) -> QueryResult<User> {
    tx.changed(user_key(id));
    diesel::update(users::table.find(id))
        .set((
            users::banned_at.eq(ban.map(|ban| ban.started_at)),
            users::banned_until.eq(ban.and_then(|ban| ban.ends_at)),
            users::ban_reason.eq(ban.map(|ban| &ban.reason)),
            users::updated_at.eq(now),
            // API tokens are not revoked but suspended during the ban: nodes must look them up again.
            users::token_version.eq(users::token_version + 1),
            users::tokens_changed_at.eq(now),
        ))
        .returning(User::as_returning())
        .get_result(tx.conn())
        .await
}

pub(crate) async fn set_password(tx: &mut Tx, id: UserId, hash: &str, now: DateTime<Utc>) -> QueryResult<User> {
    tx.changed(user_key(id));
    diesel::update(users::table.find(id))
        .set((users::password_hash.eq(hash), users::updated_at.eq(now)))
        .returning(User::as_returning())
        .get_result(tx.conn())
        .await
}

/// Records that the user has proved to own the email address.
pub(crate) async fn set_verified(tx: &mut Tx, id: UserId, now: DateTime<Utc>) -> QueryResult<()> {
    tx.changed(user_key(id));
    diesel::update(users::table.find(id))
        .filter(users::email_verified_at.is_null())
        .set(users::email_verified_at.eq(now))
        .execute(tx.conn())
        .await
        .map(drop)
}

/// Records that the user signed in.
pub(crate) async fn signed_in(tx: &mut Tx, id: UserId, now: DateTime<Utc>) -> QueryResult<()> {
    tx.changed(user_key(id));
    diesel::update(users::table.find(id)).set(users::last_sign_in_at.eq(now)).execute(tx.conn()).await.map(drop)
}

/// Whether there are any users.
pub async fn any(conn: &mut AsyncPgConnection) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(users::table.select(users::id))).get_result(conn).await
}

/// Whether a user has this email address.
pub async fn is_registered(conn: &mut AsyncPgConnection, email: &str) -> QueryResult<bool> {
    let found = users::table.filter(users::email.eq(email)).select(users::id);
    diesel::select(diesel::dsl::exists(found)).get_result(conn).await
}

/// Returns the next `limit` users with a role, or of all, in the order of their ids, after a user.
pub(crate) async fn after(
    conn: &mut AsyncPgConnection,
    role: Option<Role>,
    after: UserId,
    limit: i64,
) -> QueryResult<Vec<UserId>> {
    let mut rows = users::table.filter(users::id.gt(after).and(users::deleted_at.is_null())).into_boxed();
    match role {
        Some(Role::Student) => rows = rows.filter(users::role.eq(Role::Student)),
        // The constant makes PostgreSQL use the index of the others.
        Some(role) => rows = rows.filter(users::role.eq(role)).filter(sql::<Bool>("role <> 'STUDENT'")),
        None => {}
    }
    rows.order(users::id).limit(limit).select(users::id).load(conn).await
}

/// Counts the users with a role, or all users; deleted ones are not counted.
pub async fn count(conn: &mut AsyncPgConnection, role: Option<Role>) -> QueryResult<i64> {
    let mut rows = users::table.filter(users::deleted_at.is_null()).into_boxed();
    if let Some(role) = role {
        rows = rows.filter(users::role.eq(role));
    }
    rows.count().get_result(conn).await
}
