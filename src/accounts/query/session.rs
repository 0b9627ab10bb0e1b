//! SQL for sessions.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use super::api_token;
use crate::accounts::model::{RefreshToken, Session, SessionEnd, SessionId, UserId};
use crate::platform::auth::{Client, TokenHash};
use crate::platform::db::schema::{refresh_tokens, sessions, users};
use crate::platform::db::{RunQueryDsl, Tx};

/// The maximum number of listed sessions; the least recently used are left out.
const LISTED: i64 = 1000;

/// The start and the expiry of a session.
pub(crate) struct Span {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

pub(crate) async fn insert(tx: &mut Tx, id: SessionId, user: UserId, client: &Client, span: &Span) -> QueryResult<()> {
    diesel::insert_into(sessions::table)
        .values((
            sessions::id.eq(id),
            sessions::user_id.eq(user),
            sessions::user_agent.eq(&client.user_agent),
            sessions::ip.eq(client.ip_text()),
            sessions::created_at.eq(span.from),
            sessions::last_used_at.eq(span.from),
            sessions::expires_at.eq(span.to),
            sessions::authenticated_at.eq(span.from),
        ))
        .execute(tx.conn())
        .await
        .map(drop)
}

/// Inserts a token, unless it exists already because a retry issues it again.
pub(crate) async fn insert_token(
    tx: &mut Tx,
    session: SessionId,
    hash: &TokenHash,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::insert_into(refresh_tokens::table)
        .values((
            refresh_tokens::hash.eq(hash.as_slice()),
            refresh_tokens::session_id.eq(session),
            refresh_tokens::issued_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(tx.conn())
        .await
        .map(drop)
}

/// Locks the session of a token, to serialize its exchanges, and returns both.
pub(crate) async fn lock_by_token(tx: &mut Tx, hash: &TokenHash) -> QueryResult<Option<(Session, RefreshToken)>> {
    let found: Option<SessionId> = refresh_tokens::table
        .find(hash.as_slice())
        .select(refresh_tokens::session_id)
        .first(tx.conn())
        .await
        .optional()?;
    let Some(id) = found else { return Ok(None) };
    let session = sessions::table.find(id).select(Session::as_select()).for_no_key_update().first(tx.conn()).await?;
    // Read after locking: the previous holder of the lock may have used the token.
    let token = refresh_tokens::table.find(hash.as_slice()).select(RefreshToken::as_select()).first(tx.conn()).await?;
    Ok(Some((session, token)))
}

/// Returns the live session that a token belongs to, used or not, and its user.
pub(crate) async fn by_token(
    conn: &mut AsyncPgConnection,
    hash: &TokenHash,
    now: DateTime<Utc>,
) -> QueryResult<Option<(UserId, SessionId)>> {
    refresh_tokens::table
        .inner_join(sessions::table)
        .filter(refresh_tokens::hash.eq(hash.as_slice()))
        .filter(sessions::ended_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .select((sessions::user_id, sessions::id))
        .first(conn)
        .await
        .optional()
}

/// Marks a token as used.
pub(crate) async fn use_token(tx: &mut Tx, hash: &TokenHash, now: DateTime<Utc>) -> QueryResult<()> {
    diesel::update(refresh_tokens::table.find(hash.as_slice()))
        .set(refresh_tokens::used_at.eq(now))
        .execute(tx.conn())
        .await
        .map(drop)
}

/// Records a refresh of a session.
pub(crate) async fn touch(tx: &mut Tx, id: SessionId, client: &Client, used: &[u8], span: &Span) -> QueryResult<()> {
    diesel::update(sessions::table.find(id))
        .set((
            sessions::user_agent.eq(&client.user_agent),
            sessions::ip.eq(client.ip_text()),
            sessions::last_used_at.eq(span.from),
            sessions::expires_at.eq(span.to),
            sessions::previous_hash.eq(used),
        ))
        .execute(tx.conn())
        .await
        .map(drop)
}

/// Returns the ids of the user's sessions that have neither ended nor expired.
pub(crate) async fn open_sessions(tx: &mut Tx, user: UserId, now: DateTime<Utc>) -> QueryResult<Vec<Uuid>> {
    sessions::table
        .filter(sessions::user_id.eq(user).and(sessions::ended_at.is_null()).and(sessions::expires_at.gt(now)))
        .select(sessions::id)
        .load::<SessionId>(tx.conn())
        .await
        .map(|ids| ids.into_iter().map(Uuid::from).collect())
}

/// Returns the user's sessions that are live at `now`, most recently used first.
pub(crate) async fn live(conn: &mut AsyncPgConnection, user: UserId, now: DateTime<Utc>) -> QueryResult<Vec<Session>> {
    sessions::table
        .filter(sessions::user_id.eq(user))
        .filter(sessions::ended_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .order((sessions::last_used_at.desc(), sessions::id.desc()))
        .limit(LISTED)
        .select(Session::as_select())
        .load(conn)
        .await
}

/// Which of a user's sessions to end.
#[derive(Clone, Copy)]
pub(crate) enum Which {
    All,
    AllBut(SessionId),
    Only(SessionId),
}

/// Ends the selected sessions that have not ended yet, and returns their ids.
pub(crate) async fn end(
    tx: &mut Tx,
    user: UserId,
    which: Which,
    why: SessionEnd,
    now: DateTime<Utc>,
) -> QueryResult<Vec<Uuid>> {
    let live = sessions::user_id.eq(user).and(sessions::ended_at.is_null());
    let set = (sessions::ended_at.eq(now), sessions::end_reason.eq(why.as_str()));
    let (id, but) = match which {
        Which::All => (None, None),
        Which::AllBut(id) => (None, Some(id)),
        Which::Only(id) => (Some(id), None),
    };
    let mut rows = diesel::update(sessions::table).filter(live).set(set).into_boxed();
    if let Some(id) = id {
        rows = rows.filter(sessions::id.eq(id));
    }
    if let Some(id) = but {
        rows = rows.filter(sessions::id.ne(id));
    }
    rows.returning(sessions::id).get_results(tx.conn()).await
}

/// Returns the sessions and API tokens that ended after `since`.
///
/// The second list has the users whose token version changed since then, and their new versions.
pub(crate) async fn revoked_since(
    conn: &mut AsyncPgConnection,
    since: DateTime<Utc>,
) -> QueryResult<(Vec<Uuid>, Vec<(Uuid, i32)>)> {
    let mut ended = sessions::table.filter(sessions::ended_at.gt(since)).select(sessions::id).load(conn).await?;
    ended.extend(api_token::revoked_since(conn, since).await?);
    let changed = users::table
        .filter(users::tokens_changed_at.gt(since))
        .select((users::id, users::token_version))
        .load(conn)
        .await?;
    Ok((ended, changed))
}

/// Whether a session has not ended and its user's token version is `version`.
pub(crate) async fn is_current(conn: &mut AsyncPgConnection, session: SessionId, version: i32) -> QueryResult<bool> {
    let found = sessions::table
        .inner_join(users::table)
        .filter(sessions::id.eq(session))
        .filter(sessions::ended_at.is_null())
        .filter(users::token_version.eq(version))
        .select(sessions::id);
    diesel::select(diesel::dsl::exists(found)).get_result(conn).await
}

/// Returns when the user of a session last authenticated in it; `None` if there is no such session.
pub(crate) async fn authenticated_at(
    conn: &mut AsyncPgConnection,
    id: SessionId,
) -> QueryResult<Option<DateTime<Utc>>> {
    sessions::table.find(id).select(sessions::authenticated_at).first(conn).await.optional()
}

/// Records that the user of a session authenticated again; 0 if the session has ended.
pub(crate) async fn authenticate(tx: &mut Tx, id: SessionId, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(sessions::table.find(id).filter(sessions::ended_at.is_null()))
        .set(sessions::authenticated_at.eq(now))
        .execute(tx.conn())
        .await
}

/// Whether a session belongs to the user and is live at `now`.
pub(crate) async fn is_open(
    conn: &mut AsyncPgConnection,
    session: SessionId,
    user: UserId,
    now: DateTime<Utc>,
) -> QueryResult<bool> {
    let open = sessions::table.find(session).filter(sessions::user_id.eq(user));
    let open = open.filter(sessions::ended_at.is_null().and(sessions::expires_at.gt(now))).select(sessions::id);
    diesel::select(diesel::dsl::exists(open)).get_result(conn).await
}

pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[SessionId]) -> QueryResult<Vec<Session>> {
    sessions::table.filter(sessions::id.eq_any(ids)).select(Session::as_select()).load(conn).await
}
