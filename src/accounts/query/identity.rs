//! SQL for linked identities and sign-in attempts.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

use crate::accounts::model::{Attempt, Identity, IdentityId, User, UserId};
use crate::platform::auth::TokenHash;
use crate::platform::clock::Clock;
use crate::platform::db::schema::{identities, identity_attempts, users};
use crate::platform::db::{RunQueryDsl, Tx};
use crate::platform::identity::Identity as Vouched;

/// What a sign-in attempt is looked up by.
pub(crate) struct AttemptKey {
    pub state: TokenHash,
    pub(crate) browser: TokenHash,
    /// The user to link an account to; `None` for a sign-in.
    pub user: Option<UserId>,
}

pub(crate) async fn insert_attempt(
    tx: &mut Tx,
    key: &AttemptKey,
    attempt: &Attempt,
    expires_at: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::insert_into(identity_attempts::table)
        .values((
            identity_attempts::state_hash.eq(key.state.as_slice()),
            identity_attempts::browser_hash.eq(key.browser.as_slice()),
            identity_attempts::provider.eq(&attempt.provider),
            identity_attempts::nonce.eq(&attempt.nonce),
            identity_attempts::pkce_verifier.eq(&attempt.pkce_verifier),
            identity_attempts::redirect_uri.eq(&attempt.redirect_uri),
            identity_attempts::user_id.eq(key.user),
            identity_attempts::expires_at.eq(expires_at),
        ))
        .execute(tx.conn())
        .await
        .map(drop)
}

/// Deletes and returns an attempt. Of concurrent requests, only one gets it.
pub(crate) async fn take_attempt(tx: &mut Tx, key: &AttemptKey, now: DateTime<Utc>) -> QueryResult<Option<Attempt>> {
    diesel::delete(identity_attempts::table.find(key.state.as_slice()))
        .filter(identity_attempts::browser_hash.eq(key.browser.as_slice()))
        .filter(identity_attempts::user_id.is_not_distinct_from(key.user))
        .filter(identity_attempts::expires_at.gt(now))
        .returning(Attempt::as_returning())
        .get_result(tx.conn())
        .await
        .optional()
}

/// Records a use of a linked account and returns it; `None` if it is not linked.
pub(crate) async fn touch(tx: &mut Tx, vouched: &Vouched, now: DateTime<Utc>) -> QueryResult<Option<Identity>> {
    diesel::update(identities::table)
        .filter(identities::issuer.eq(&vouched.issuer))
        .filter(identities::subject.eq(&vouched.subject))
        .set((identities::last_used_at.eq(now), identities::email.eq(&vouched.email)))
        .returning(Identity::as_returning())
        .get_result(tx.conn())
        .await
        .optional()
}

/// Links an account; returns `None` if it is already linked.
pub(crate) async fn insert(
    tx: &mut Tx,
    clock: &Clock,
    user: UserId,
    vouched: &Vouched,
) -> QueryResult<Option<Identity>> {
    let now = clock.now();
    diesel::insert_into(identities::table)
        .values((
            identities::id.eq(clock.uuid()),
            identities::issuer.eq(&vouched.issuer),
            identities::subject.eq(&vouched.subject),
            identities::user_id.eq(user),
            identities::email.eq(&vouched.email),
            identities::created_at.eq(now),
            identities::last_used_at.eq(now),
        ))
        .on_conflict((identities::issuer, identities::subject))
        .do_nothing()
        .returning(Identity::as_returning())
        .get_result(tx.conn())
        .await
        .optional()
}

pub(crate) async fn delete(tx: &mut Tx, id: IdentityId) -> QueryResult<()> {
    diesel::delete(identities::table.find(id)).execute(tx.conn()).await.map(drop)
}

/// Returns the identities that are linked to the users, in the order of their linking.
pub(crate) async fn of_users(conn: &mut AsyncPgConnection, users: &[UserId]) -> QueryResult<Vec<Identity>> {
    identities::table
        .filter(identities::user_id.eq_any(users))
        .order((identities::created_at, identities::id))
        .select(Identity::as_select())
        .load(conn)
        .await
}

/// Locks the user with the email address, and returns whether they have verified it.
pub(crate) async fn lock_by_email(tx: &mut Tx, email: &str) -> QueryResult<Option<(User, bool)>> {
    users::table
        .filter(users::email.eq(email))
        .select((User::as_select(), users::email_verified_at.is_not_null()))
        .for_no_key_update()
        .first(tx.conn())
        .await
        .optional()
}

/// Locks the user, and returns whether they have a password; `None` if there is no such user.
///
/// The lock serializes unlinking: two concurrent requests must not each rely on the identity that the other unlinks.
pub(crate) async fn lock_password(tx: &mut Tx, user: UserId) -> QueryResult<Option<bool>> {
    users::table
        .find(user)
        .select(users::password_hash.is_not_null())
        .for_no_key_update()
        .first(tx.conn())
        .await
        .optional()
}

pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[IdentityId]) -> QueryResult<Vec<Identity>> {
    identities::table.filter(identities::id.eq_any(ids)).select(Identity::as_select()).load(conn).await
}
