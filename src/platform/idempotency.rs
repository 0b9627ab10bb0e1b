//! Idempotency keys: a request that creates something and is sent again creates nothing more.
//!
//! The key is claimed in the transaction that creates, before anything else. Concurrent transactions with the same key
//! wait there for the first one; if it rolls back, the next one creates.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Binary, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use futures_util::FutureExt;
use uuid::Uuid;

use super::db::schema::idempotency_keys;
use super::db::{RunQueryDsl, Tx, sql_query};
use super::jobs::Handler;
use super::retention::{self, Retention};

/// How long a key is remembered.
const LIFETIME: TimeDelta = TimeDelta::hours(24);
const OLD_KEYS: Retention = Retention::new("idempotency_keys", "created_at");

/// The outcome of claiming a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The key is new: the caller creates, and calls [`keep`].
    New,
    /// A request with this key and the same input has created the object with this id.
    Repeated(Uuid),
    /// The key was used with another input.
    OtherInput,
}

/// Claims a user's key for a request with this hash.
///
/// # Errors
/// The database failed.
pub async fn claim(tx: &mut Tx, user: Uuid, key: &str, hash: &[u8], now: DateTime<Utc>) -> QueryResult<Claim> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Binary)]
        input_hash: Vec<u8>,
        #[diesel(sql_type = Nullable<SqlUuid>)]
        created_id: Option<Uuid>,
    }
    // An old key is taken over like a new one: then the row has no id.
    let claimed = sql_query(
        "INSERT INTO idempotency_keys AS held (user_id, key, input_hash, created_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (user_id, key) DO UPDATE SET input_hash = $3, created_id = NULL, created_at = $4 \
         WHERE held.created_at <= $5",
    )
    .bind::<SqlUuid, _>(user)
    .bind::<Text, _>(key)
    .bind::<Binary, _>(hash)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now - LIFETIME)
    .execute(tx.conn())
    .await?;
    if claimed == 1 {
        return Ok(Claim::New);
    }
    let row: Row = sql_query("SELECT input_hash, created_id FROM idempotency_keys WHERE user_id = $1 AND key = $2")
        .bind::<SqlUuid, _>(user)
        .bind::<Text, _>(key)
        .get_result(tx.conn())
        .await?;
    Ok(match row.created_id {
        Some(id) if row.input_hash == hash => Claim::Repeated(id),
        _ => Claim::OtherInput,
    })
}

/// Keeps the id of what was created with a claimed key.
///
/// # Errors
/// The database failed.
pub async fn keep(tx: &mut Tx, user: Uuid, key: &str, created: Uuid) -> QueryResult<usize> {
    diesel::update(idempotency_keys::table.find((user, key)))
        .set(idempotency_keys::created_id.eq(created))
        .execute(tx.conn())
        .await
}

/// Returns the job that deletes old keys.
pub fn handlers() -> Vec<Handler> {
    vec![Handler::scheduled("idempotency.forget", "47 * * * *", retention::TIMEOUT, |app, _| {
        async move { retention::delete(app, &[OLD_KEYS], LIFETIME).await }.boxed()
    })]
}
