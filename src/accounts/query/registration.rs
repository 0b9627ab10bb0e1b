//! SQL for registrations.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

use crate::accounts::model::{CODE_LIFETIME, Registration, RegistrationId, TRIES};
use crate::platform::db::schema::registrations;
use crate::platform::db::{RunQueryDsl, Tx};

/// The columns of a new row that differ between registrations.
pub(crate) struct New<'a> {
    pub id: RegistrationId,
    pub email: &'a str,
    pub name: &'a str,
    pub(crate) password_hash: &'a str,
}

pub(crate) async fn insert(tx: &mut Tx, new: &New<'_>, now: DateTime<Utc>) -> QueryResult<Registration> {
    diesel::insert_into(registrations::table)
        .values((
            registrations::id.eq(new.id),
            registrations::email.eq(new.email),
            registrations::name.eq(new.name),
            registrations::password_hash.eq(new.password_hash),
            registrations::resends.eq(0),
            registrations::tries_left.eq(TRIES),
            registrations::sent_at.eq(now),
            registrations::expires_at.eq(now + CODE_LIFETIME),
        ))
        .returning(Registration::as_returning())
        .get_result(tx.conn())
        .await
}

pub(crate) async fn by_id(conn: &mut AsyncPgConnection, id: RegistrationId) -> QueryResult<Option<Registration>> {
    registrations::table.find(id).select(Registration::as_select()).first(conn).await.optional()
}

/// Locks a registration and returns it with its password hash. The lock serializes guesses at its code.
pub(crate) async fn lock(tx: &mut Tx, id: RegistrationId) -> QueryResult<Option<(Registration, String)>> {
    registrations::table
        .find(id)
        .select((Registration::as_select(), registrations::password_hash))
        .for_no_key_update()
        .first(tx.conn())
        .await
        .optional()
}

/// Starts a new code with new attempts.
pub(crate) async fn renew(tx: &mut Tx, id: RegistrationId, now: DateTime<Utc>) -> QueryResult<Registration> {
    diesel::update(registrations::table.find(id))
        .set((
            registrations::resends.eq(registrations::resends + 1),
            registrations::tries_left.eq(TRIES),
            registrations::sent_at.eq(now),
            registrations::expires_at.eq(now + CODE_LIFETIME),
        ))
        .returning(Registration::as_returning())
        .get_result(tx.conn())
        .await
}

/// Uses up an attempt; returns how many are left.
pub(crate) async fn use_try(tx: &mut Tx, id: RegistrationId) -> QueryResult<i32> {
    diesel::update(registrations::table.find(id))
        .set(registrations::tries_left.eq(registrations::tries_left - 1))
        .returning(registrations::tries_left)
        .get_result(tx.conn())
        .await
}

pub(crate) async fn delete(tx: &mut Tx, id: RegistrationId) -> QueryResult<()> {
    diesel::delete(registrations::table.find(id)).execute(tx.conn()).await.map(drop)
}
