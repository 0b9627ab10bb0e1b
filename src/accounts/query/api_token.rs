//! SQL for personal API tokens.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::accounts::model::{ApiToken, ApiTokenId, User, UserId};
use crate::platform::auth::{Scopes, TokenHash};
use crate::platform::db::schema::{api_tokens, users};
use crate::platform::db::{RunQueryDsl, Tx};

/// The maximum number of listed tokens; the oldest are left out.
const LISTED: i64 = 1000;

/// The columns of a new token.
pub(crate) struct NewApiToken<'a> {
    pub id: ApiTokenId,
    pub user_id: UserId,
    pub name: &'a str,
    pub(crate) hash: &'a TokenHash,
    pub scopes: Scopes,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

pub(crate) async fn insert(tx: &mut Tx, new: &NewApiToken<'_>) -> QueryResult<ApiToken> {
    diesel::insert_into(api_tokens::table)
        .values((
            api_tokens::id.eq(new.id),
            api_tokens::user_id.eq(new.user_id),
            api_tokens::name.eq(new.name),
            api_tokens::hash.eq(new.hash.as_slice()),
            api_tokens::scopes.eq(new.scopes.names()),
            api_tokens::created_at.eq(new.created_at),
            api_tokens::expires_at.eq(new.expires_at),
        ))
        .returning(ApiToken::as_returning())
        .get_result(tx.conn())
        .await
}

/// Returns the user's tokens that are not revoked, newest first. Expired ones are retained for a month.
pub(crate) async fn kept(conn: &mut AsyncPgConnection, user: UserId) -> QueryResult<Vec<ApiToken>> {
    api_tokens::table
        .filter(api_tokens::user_id.eq(user))
        .filter(api_tokens::revoked_at.is_null())
        .order((api_tokens::created_at.desc(), api_tokens::id.desc()))
        .limit(LISTED)
        .select(ApiToken::as_select())
        .load(conn)
        .await
}

pub(crate) async fn count_live(tx: &mut Tx, user: UserId, now: DateTime<Utc>) -> QueryResult<i64> {
    api_tokens::table
        .filter(api_tokens::user_id.eq(user))
        .filter(api_tokens::revoked_at.is_null())
        .filter(api_tokens::expires_at.gt(now))
        .count()
        .get_result(tx.conn())
        .await
}

pub(crate) async fn by_id(conn: &mut AsyncPgConnection, id: ApiTokenId) -> QueryResult<Option<ApiToken>> {
    api_tokens::table.find(id).select(ApiToken::as_select()).first(conn).await.optional()
}

/// Returns the token with this hash and its owner, whatever their state.
pub(crate) async fn by_hash(conn: &mut AsyncPgConnection, hash: &TokenHash) -> QueryResult<Option<(ApiToken, User)>> {
    api_tokens::table
        .inner_join(users::table)
        .filter(api_tokens::hash.eq(hash.as_slice()))
        .select((ApiToken::as_select(), User::as_select()))
        .first(conn)
        .await
        .optional()
}

/// Revokes a token of the user and returns it; `None` if it is already revoked.
pub(crate) async fn revoke(
    tx: &mut Tx,
    user: UserId,
    id: ApiTokenId,
    now: DateTime<Utc>,
) -> QueryResult<Option<ApiToken>> {
    diesel::update(api_tokens::table.find(id))
        .filter(api_tokens::user_id.eq(user))
        .filter(api_tokens::revoked_at.is_null())
        .set(api_tokens::revoked_at.eq(now))
        .returning(ApiToken::as_returning())
        .get_result(tx.conn())
        .await
        .optional()
}

/// Revokes all tokens of the user that are not revoked yet, and returns their ids.
pub(crate) async fn revoke_all(tx: &mut Tx, user: UserId, now: DateTime<Utc>) -> QueryResult<Vec<Uuid>> {
    diesel::update(api_tokens::table)
        .filter(api_tokens::user_id.eq(user))
        .filter(api_tokens::revoked_at.is_null())
        .set(api_tokens::revoked_at.eq(now))
        .returning(api_tokens::id)
        .get_results(tx.conn())
        .await
}

/// Locks a token and returns when it was last used; `None` if the token is gone.
///
/// The lock serializes updates of the last use.
pub(crate) async fn lock_use(tx: &mut Tx, id: ApiTokenId) -> QueryResult<Option<Option<DateTime<Utc>>>> {
    let found = api_tokens::table.find(id).select(api_tokens::last_used_at).for_no_key_update();
    found.first(tx.conn()).await.optional()
}

pub(crate) async fn touch(tx: &mut Tx, id: ApiTokenId, ip: Option<&str>, now: DateTime<Utc>) -> QueryResult<()> {
    diesel::update(api_tokens::table.find(id))
        .set((api_tokens::last_used_at.eq(now), api_tokens::last_used_ip.eq(ip)))
        .execute(tx.conn())
        .await
        .map(drop)
}

/// Returns the tokens that were revoked after `since`.
pub(crate) async fn revoked_since(conn: &mut AsyncPgConnection, since: DateTime<Utc>) -> QueryResult<Vec<Uuid>> {
    api_tokens::table.filter(api_tokens::revoked_at.gt(since)).select(api_tokens::id).load(conn).await
}

pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[ApiTokenId]) -> QueryResult<Vec<ApiToken>> {
    api_tokens::table.filter(api_tokens::id.eq_any(ids)).select(ApiToken::as_select()).load(conn).await
}
