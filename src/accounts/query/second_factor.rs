//! SQL for second factors.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

use crate::accounts::model::{FactorState, SecondFactor, StoredChallenge, UserId};
use crate::platform::auth::TokenHash;
use crate::platform::db::schema::{recovery_codes, second_factors, sign_in_challenges};
use crate::platform::db::{RunQueryDsl, Tx};

/// Locks the user's second factor, confirmed or not, to serialize the checks of codes.
pub(crate) async fn lock(tx: &mut Tx, user: UserId) -> QueryResult<Option<SecondFactor>> {
    second_factors::table
        .find(user)
        .select(SecondFactor::as_select())
        .for_no_key_update()
        .first(tx.conn())
        .await
        .optional()
}

/// Whether sign-in requires a second factor of the user.
pub(crate) async fn is_enabled(conn: &mut AsyncPgConnection, user: UserId) -> QueryResult<bool> {
    let found = second_factors::table.find(user).filter(second_factors::confirmed_at.is_not_null());
    diesel::select(diesel::dsl::exists(found)).get_result(conn).await
}

pub(crate) async fn state(conn: &mut AsyncPgConnection, user: UserId) -> QueryResult<Option<FactorState>> {
    let enabled: Option<Option<DateTime<Utc>>> =
        second_factors::table.find(user).select(second_factors::confirmed_at).first(conn).await.optional()?;
    let Some(enabled_at) = enabled.flatten() else { return Ok(None) };
    let unused = recovery_codes::table
        .filter(recovery_codes::user_id.eq(user))
        .filter(recovery_codes::used_at.is_null())
        .count();
    Ok(Some(FactorState { enabled_at, codes_left: unused.get_result(conn).await? }))
}

/// Stores an unconfirmed secret, which replaces an earlier one.
pub(crate) async fn put(tx: &mut Tx, user: UserId, sealed: &[u8], now: DateTime<Utc>) -> QueryResult<()> {
    delete(tx, user).await?;
    diesel::insert_into(second_factors::table)
        .values((
            second_factors::user_id.eq(user),
            second_factors::sealed_secret.eq(sealed),
            second_factors::created_at.eq(now),
        ))
        .execute(tx.conn())
        .await
        .map(drop)
}

/// Deletes the second factor; returns whether there was one.
pub(crate) async fn delete(tx: &mut Tx, user: UserId) -> QueryResult<bool> {
    let deleted = diesel::delete(second_factors::table.find(user)).execute(tx.conn()).await?;
    Ok(deleted == 1)
}

pub(crate) async fn confirm(tx: &mut Tx, user: UserId, now: DateTime<Utc>) -> QueryResult<()> {
    diesel::update(second_factors::table.find(user))
        .set(second_factors::confirmed_at.eq(now))
        .execute(tx.conn())
        .await
        .map(drop)
}

pub(crate) async fn set_step(tx: &mut Tx, user: UserId, step: i64) -> QueryResult<()> {
    diesel::update(second_factors::table.find(user))
        .set(second_factors::last_step.eq(step))
        .execute(tx.conn())
        .await
        .map(drop)
}

pub(crate) async fn replace_codes(tx: &mut Tx, user: UserId, hashes: &[TokenHash]) -> QueryResult<()> {
    diesel::delete(recovery_codes::table.filter(recovery_codes::user_id.eq(user))).execute(tx.conn()).await?;
    let rows: Vec<_> = hashes
        .iter()
        .map(|hash| (recovery_codes::user_id.eq(user), recovery_codes::hash.eq(hash.as_slice())))
        .collect();
    diesel::insert_into(recovery_codes::table).values(rows).execute(tx.conn()).await.map(drop)
}

/// Uses up a recovery code; returns whether it was an unused one of the user.
pub(crate) async fn use_code(tx: &mut Tx, user: UserId, hash: &TokenHash, now: DateTime<Utc>) -> QueryResult<bool> {
    let used = diesel::update(recovery_codes::table.find((user, hash.as_slice())))
        .filter(recovery_codes::used_at.is_null())
        .set(recovery_codes::used_at.eq(now))
        .execute(tx.conn())
        .await?;
    Ok(used == 1)
}

pub(crate) async fn insert_challenge(
    tx: &mut Tx,
    hash: &TokenHash,
    user: UserId,
    tries: i32,
    expires_at: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::insert_into(sign_in_challenges::table)
        .values((
            sign_in_challenges::hash.eq(hash.as_slice()),
            sign_in_challenges::user_id.eq(user),
            sign_in_challenges::expires_at.eq(expires_at),
            sign_in_challenges::tries_left.eq(tries),
        ))
        .execute(tx.conn())
        .await
        .map(drop)
}

pub(crate) async fn challenged(conn: &mut AsyncPgConnection, hash: &TokenHash) -> QueryResult<Option<UserId>> {
    sign_in_challenges::table.find(hash.as_slice()).select(sign_in_challenges::user_id).first(conn).await.optional()
}

pub(crate) async fn lock_challenge(tx: &mut Tx, hash: &TokenHash) -> QueryResult<Option<StoredChallenge>> {
    sign_in_challenges::table
        .find(hash.as_slice())
        .select(StoredChallenge::as_select())
        .for_no_key_update()
        .first(tx.conn())
        .await
        .optional()
}

pub(crate) async fn count_try(tx: &mut Tx, hash: &TokenHash) -> QueryResult<()> {
    diesel::update(sign_in_challenges::table.find(hash.as_slice()))
        .set(sign_in_challenges::tries_left.eq(sign_in_challenges::tries_left - 1))
        .execute(tx.conn())
        .await
        .map(drop)
}

/// Deletes all pending sign-in challenges of the user.
pub(crate) async fn delete_challenges(tx: &mut Tx, user: UserId) -> QueryResult<()> {
    let waiting = sign_in_challenges::table.filter(sign_in_challenges::user_id.eq(user));
    diesel::delete(waiting).execute(tx.conn()).await.map(drop)
}

pub(crate) async fn delete_challenge(tx: &mut Tx, hash: &TokenHash) -> QueryResult<()> {
    diesel::delete(sign_in_challenges::table.find(hash.as_slice())).execute(tx.conn()).await.map(drop)
}
