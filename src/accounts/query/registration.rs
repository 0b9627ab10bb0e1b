//! Registrations' SQL.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

use crate::accounts::model::{CODE_LIFETIME, Registration, RegistrationId, TRIES};
use crate::platform::db::schema::registrations;
use crate::platform::db::{RunQueryDsl, Tx};

/// What a new row holds beside what is the same for all.
pub(in crate::accounts) struct New<'a> {
    pub(in crate::accounts) id: RegistrationId,
    pub(in crate::accounts) email: &'a str,
    pub(in crate::accounts) name: &'a str,
    pub(in crate::accounts) password_hash: &'a str,
}

pub(in crate::accounts) async fn insert(tx: &mut Tx, new: &New<'_>, now: DateTime<Utc>) -> QueryResult<Registration> {
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

pub(in crate::accounts) async fn by_id(
    conn: &mut AsyncPgConnection,
    id: RegistrationId,
) -> QueryResult<Option<Registration>> {
    registrations::table.find(id).select(Registration::as_select()).first(conn).await.optional()
}

/// The row and its password hash. Guesses at one code happen one after the other.
pub(in crate::accounts) async fn lock(tx: &mut Tx, id: RegistrationId) -> QueryResult<Option<(Registration, String)>> {
    registrations::table
        .find(id)
        .select((Registration::as_select(), registrations::password_hash))
        .for_update()
        .first(tx.conn())
        .await
        .optional()
}

/// Begins another code.
pub(in crate::accounts) async fn renew(
    tx: &mut Tx,
    id: RegistrationId,
    now: DateTime<Utc>,
) -> QueryResult<Registration> {
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

/// Takes a try away and returns how many are left.
pub(in crate::accounts) async fn use_try(tx: &mut Tx, id: RegistrationId) -> QueryResult<i32> {
    diesel::update(registrations::table.find(id))
        .set(registrations::tries_left.eq(registrations::tries_left - 1))
        .returning(registrations::tries_left)
        .get_result(tx.conn())
        .await
}

/// Whether somebody else waits for a confirmation of the same address.
pub(in crate::accounts) async fn has_rival(tx: &mut Tx, of: &Registration, now: DateTime<Utc>) -> QueryResult<bool> {
    let rivals = registrations::table
        .filter(registrations::email.eq(&of.email))
        .filter(registrations::id.ne(of.id))
        .filter(registrations::expires_at.gt(now))
        .select(registrations::id);
    diesel::select(diesel::dsl::exists(rivals)).get_result(tx.conn()).await
}

pub(in crate::accounts) async fn delete(tx: &mut Tx, id: RegistrationId) -> QueryResult<()> {
    diesel::delete(registrations::table.find(id)).execute(tx.conn()).await.map(drop)
}

/// Deletes those that have expired; returns how many.
pub(in crate::accounts) async fn sweep(conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::delete(registrations::table.filter(registrations::expires_at.le(now))).execute(conn).await
}
