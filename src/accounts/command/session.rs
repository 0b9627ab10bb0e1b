//! Commands for sessions.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tokio::time::Instant;
use uuid::Uuid;

use crate::accounts::event::SessionReplayed;
use crate::accounts::loader::UserById;
use crate::accounts::model::{
    Exchange, IssuedTokens, RevokeSessionInput, Session, SessionEnd, SessionId, SessionSelection, SignOutInput,
    SignedIn, User, UserId,
};
use crate::accounts::query::session::{self as query, Span, Which};
use crate::accounts::query::{second_factor, user};
use crate::accounts::{error, policy};
use crate::graphql::loaders::Load;
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client, Grant, Role, TokenHash, hash_token, opaque};
use crate::platform::db::Tx;
use crate::platform::internal_error::{Context, InternalError};
use crate::platform::outbox;

/// The prefix of refresh tokens.
const REFRESH_PREFIX: &str = "lyr_";
/// The pause between updates of the list of revocations.
///
/// It is well below the second after which the list is stale.
const POLL: Duration = Duration::from_millis(400);
/// The timeout of one update.
const POLL_TIMEOUT: Duration = Duration::from_secs(2);
/// How far each update of the list reads back.
///
/// A transaction may commit this long after it read the clock, and the clocks of nodes differ slightly.
const OVERLAP: TimeDelta = TimeDelta::seconds(60);

/// Opens a session for a fully authenticated user, including the second factor, if any.
///
/// The least recently used sessions end if there are too many.
///
/// # Errors
/// The user is banned.
pub async fn open(tx: &mut Tx, app: &App, client: &Client, user: &User) -> Result<SignedIn> {
    let now = app.clock.now();
    // Read again under a lock: a ban that was committed during the password check is not missed, a later one finds the
    // session, and of two concurrent sign-ins only one can take the last allowed session.
    let user = user::lock(tx, user.id).await?.ok_or_else(error::wrong_credentials)?;
    if user.is_banned(now) {
        return Err(error::banned(&user));
    }
    end_oldest(tx, app, client, &user).await?;
    let id = SessionId::new(app.clock.uuid());
    let span = Span { from: now, to: now + app.config.session_lifetime };
    query::insert(tx, id, user.id, client, &span).await?;
    user::signed_in(tx, user.id, now).await?;
    let actor = Some(user.id.uuid());
    let entry =
        Entry { action: Action::SignedIn, actor, subject: actor, client, details: json!({ "sessionId": id.encode() }) };
    audit::record(tx.conn(), app.clock.uuid(), now, entry).await?;
    issue(tx, app, user, id, &span, opaque(REFRESH_PREFIX)).await
}

/// Issues the next pair of tokens of a session.
async fn issue(
    tx: &mut Tx,
    app: &App,
    user: User,
    id: SessionId,
    span: &Span,
    (refresh_token, hash): (String, TokenHash),
) -> Result<SignedIn> {
    query::insert_token(tx, id, &hash, span.from).await?;
    let lacks_second_factor =
        policy::needs_second_factor(&app.config, &user) && !second_factor::is_enabled(tx.conn(), user.id).await?;
    // Withhold only the administrator rights, so that the user can set up the second factor.
    let role = if lacks_second_factor { Role::Student } else { user.role };
    let grant = Grant { user: user.id.uuid(), role, session: id.uuid(), version: user.token_version };
    let (access_token, access_expires_at) = app.tokens.issue(grant)?;
    let refresh_expires_at = span.to;
    let tokens = IssuedTokens { session: id, access_token, access_expires_at, refresh_token, refresh_expires_at };
    Ok(SignedIn { user, tokens, lacks_second_factor })
}

/// Ends the least recently used sessions, to make room for one more.
async fn end_oldest(tx: &mut Tx, app: &App, client: &Client, user: &User) -> Result<()> {
    let most = app.config.max_sessions;
    if most == 0 {
        return Ok(());
    }
    let live = query::live(tx.conn(), user.id, app.clock.now()).await?;
    for old in live.iter().skip(most - 1) {
        end_recorded(tx, app, client, user.id, Which::Only(old.id), SessionEnd::TooMany).await?;
    }
    // Do not add the sessions to the list of revocations yet: if the transaction rolled back, live sessions would be
    // rejected. The next update of the list reads them.
    Ok(())
}

/// Exchanges a refresh token for the next pair of tokens.
///
/// # Errors
/// The session is over. The same client has just exchanged the token ([`error::refreshing`]). The token was used
/// before: then the session ends and its user is notified.
pub async fn refresh(app: &App, client: &Client, token: Option<String>) -> Result<SignedIn> {
    let Some(presented) = token.or_else(|| client.refresh_cookie.clone()) else {
        return Err(error::no_refresh_token());
    };
    let hash = hash_token(&presented);
    let now = app.clock.now();
    let outcome = app
        .db
        .transaction(async |tx| {
            let Some((session, token)) = query::lock_by_token(tx, &hash).await? else {
                return Err(error::session_over());
            };
            match Exchange::of(&session, &token, client, now) {
                Exchange::Over => Err(over(tx, &session, now).await?),
                Exchange::Race => Err(error::refreshing()),
                Exchange::Replay => end_replayed(tx, app, client, &session).await.map(|()| Err(session.id)),
                Exchange::First => {
                    query::use_token(tx, &hash, now).await?;
                    extend(tx, app, client, &session, &presented).await.map(Ok)
                }
                Exchange::Retry => extend(tx, app, client, &session, &presented).await.map(Ok),
            }
        })
        .await?;
    outcome.map_err(|stolen| {
        app.revocations.learn([stolen.uuid()], []);
        error::session_over()
    })
}

/// Returns the error for a session that is over: the ban, if that ended it.
async fn over(tx: &mut Tx, session: &Session, now: DateTime<Utc>) -> Result<Error> {
    let user = user::by_id(tx, session.user_id).await?;
    let by_ban = user.filter(|user| user.is_banned(now) && session.ended_at == user.banned_at);
    Ok(by_ban.map_or_else(error::session_over, |user| error::banned(&user)))
}

/// Issues the successors of `token`. The same token always gets the same refresh token.
async fn extend(tx: &mut Tx, app: &App, client: &Client, session: &Session, token: &str) -> Result<SignedIn> {
    let now = app.clock.now();
    let user = user::by_id(tx, session.user_id).await?.ok_or_else(error::session_over)?;
    if user.is_banned(now) {
        return Err(error::banned(&user));
    }
    let span = Span { from: now, to: now + app.config.session_lifetime };
    query::touch(tx, session.id, client, &hash_token(token), &span).await?;
    issue(tx, app, user, session.id, &span, app.codes.successor(REFRESH_PREFIX, token)).await
}

/// Ends a session after a reuse of its refresh token. Must be committed, so this is no error for the transaction.
async fn end_replayed(tx: &mut Tx, app: &App, client: &Client, session: &Session) -> Result<()> {
    let now = app.clock.now();
    query::end(tx, session.user_id, Which::Only(session.id), SessionEnd::Replayed, now).await?;
    let subject = Some(session.user_id.uuid());
    let details = json!({ "sessionId": session.id.encode() });
    let entry = Entry { action: Action::RefreshTokenReplayed, actor: None, subject, client, details };
    audit::record(tx.conn(), app.clock.uuid(), now, entry).await?;
    let (ip, user_agent) = (client.ip_text(), client.user_agent.clone());
    let event = SessionReplayed { user_id: session.user_id, session_id: session.id, ip, user_agent, at: now };
    outbox::record(tx, &app.clock, &event).await?;
    Ok(())
}

/// Returns the viewer's sessions, most recently used first.
///
/// # Errors
/// The actor has no session.
pub async fn sessions(app: &App, actor: &Actor) -> Result<Vec<Session>> {
    let (user, _) = signed_in(actor)?;
    Ok(query::live(&mut *app.db.read().await?, user, app.clock.now()).await?)
}

/// Ends the current session, the viewer's other sessions, or all; returns how many ended.
///
/// If the access token has expired, the refresh token identifies the session.
///
/// # Errors
/// Neither an access token nor a refresh token identifies a session.
pub async fn sign_out(app: &App, actor: &Actor, client: &Client, input: SignOutInput) -> Result<usize> {
    let token = input.refresh_token.or_else(|| client.refresh_cookie.clone());
    let (user, session) = match (signed_in(actor), token) {
        (Ok(found), _) => found,
        (Err(_), Some(token)) => {
            let found = query::by_token(&mut *app.db.read().await?, &hash_token(&token), app.clock.now()).await?;
            found.ok_or_else(error::session_over)?
        }
        (Err(_), None) => return Err(error::no_refresh_token()),
    };
    let (which, why) = match input.sessions {
        SessionSelection::Current => (Which::Only(session), SessionEnd::SignedOut),
        SessionSelection::Others => (Which::AllBut(session), SessionEnd::Revoked),
        SessionSelection::All => (Which::All, SessionEnd::SignedOut),
    };
    Ok(end(app, user, client, which, why).await?.len())
}

/// Ends one of the viewer's sessions.
///
/// # Errors
/// The session is not one of the viewer's, or has already ended.
pub async fn revoke(app: &App, actor: &Actor, client: &Client, input: RevokeSessionInput) -> Result<SessionId> {
    let (user, _) = signed_in(actor)?;
    let ended = end(app, user, client, Which::Only(input.session_id), SessionEnd::Revoked).await?;
    if ended.is_empty() { Err(error::no_such_session()) } else { Ok(input.session_id) }
}

async fn end(app: &App, user: UserId, client: &Client, which: Which, why: SessionEnd) -> Result<Vec<Uuid>> {
    let ended = app.db.transaction(async |tx| end_recorded(tx, app, client, user, which, why).await).await?;
    app.revocations.learn(ended.iter().copied(), []);
    Ok(ended)
}

/// Ends sessions at the request of their user, and records it in the audit trail.
pub(super) async fn end_recorded(
    tx: &mut Tx,
    app: &App,
    client: &Client,
    user: UserId,
    which: Which,
    why: SessionEnd,
) -> Result<Vec<Uuid>> {
    let now = app.clock.now();
    let ended = query::end(tx, user, which, why, now).await?;
    if !ended.is_empty() {
        let details = json!({ "sessionIds": encoded(&ended), "reason": why.as_str() });
        let person = Some(user.uuid());
        let entry = Entry { action: Action::SessionsEnded, actor: person, subject: person, client, details };
        audit::record(tx.conn(), app.clock.uuid(), now, entry).await?;
    }
    Ok(ended)
}

/// Returns the ids of sessions as they are encoded in the schema.
pub(super) fn encoded(sessions: &[Uuid]) -> Vec<String> {
    sessions.iter().map(|id| SessionId::new(*id).encode()).collect()
}

/// Returns the id of the signed-in user.
///
/// # Errors
/// The caller is not signed in.
pub fn viewer(actor: &Actor) -> Result<UserId> {
    actor.id().map(UserId::new).ok_or_else(|| Error::Unauthenticated("Sign in first.".into()))
}

/// Returns the user and the session of the actor. Fails for an API token, which has no session.
pub(super) fn signed_in(actor: &Actor) -> Result<(UserId, SessionId)> {
    match actor.in_session() {
        Actor::User { id, session, .. } => Ok((UserId::new(*id), SessionId::new(*session))),
        Actor::Anonymous => Err(Error::Unauthenticated("Sign in first.".into())),
    }
}

/// Whether the actor's session is live and its token version current.
///
/// Answers from the list of revocations, or from the database if the list is stale.
///
/// # Errors
/// The list is stale and the database does not respond.
pub async fn is_current(app: &App, actor: &Actor) -> std::result::Result<bool, InternalError> {
    let Actor::User { session, version, .. } = actor else { return Ok(true) };
    if app.revocations.is_fresh() || app.revocations.rejects(actor) {
        return Ok(!app.revocations.rejects(actor));
    }
    let asking = async {
        let mut conn = app.db.read().await?;
        Ok(query::is_current(&mut conn, SessionId::new(*session), *version).await?)
    };
    tokio::time::timeout(POLL_TIMEOUT, asking).await.context("the database took too long to tell about a session")?
}

/// Returns the actor of a user for a caller that holds no token.
///
/// If the caller knows a session of the user, that session must be live.
///
/// `None` if the session has ended, the account is deleted, or the user is banned.
///
/// # Errors
/// The database failed.
pub async fn actor_now(
    app: &App,
    id: UserId,
    session: Option<Uuid>,
) -> std::result::Result<Option<Actor>, InternalError> {
    let now = app.clock.now();
    let user = UserById(id).load_one(app).await?;
    let Some(mut actor) = user.and_then(|user| actor_of(&user, now)) else { return Ok(None) };
    if let Some(known) = session {
        if !query::is_open(&mut *app.db.read().await?, SessionId::new(known), id, now).await? {
            return Ok(None);
        }
        if let Actor::User { session, .. } = &mut actor {
            *session = known;
        }
    }
    Ok(Some(actor))
}

/// Returns the actor of a user for a caller that knows no session; `None` if the account is deleted or the user is
/// banned.
pub fn actor_of(user: &User, now: DateTime<Utc>) -> Option<Actor> {
    if !user.is_active(now) {
        return None;
    }
    Some(Actor::User {
        id: user.id.uuid(),
        role: user.role,
        session: Uuid::nil(),
        version: user.token_version,
        expires_at: now,
        scopes: None,
    })
}

/// Returns which of the sessions have neither ended nor expired.
///
/// # Errors
/// The database failed.
pub async fn live_sessions(
    app: &App,
    sessions: &[SessionId],
) -> std::result::Result<HashSet<SessionId>, InternalError> {
    let now = app.clock.now();
    let rows = query::by_ids(&mut *app.db.read().await?, sessions).await?;
    let live = rows.into_iter().filter(|row| row.ended_at.is_none() && row.expires_at > now);
    Ok(live.map(|row| row.id).collect())
}

/// Keeps [`App::revocations`](crate::platform::Services) up to date until the application stops.
pub async fn watch_revocations(app: App) {
    let mut since = app.clock.now() - app.config.token_lifetime - OVERLAP;
    loop {
        let (started, now) = (Instant::now(), app.clock.now());
        match tokio::time::timeout(POLL_TIMEOUT, read_revocations(&app, since)).await {
            Ok(Ok(())) => {
                app.revocations.complete(started);
                since = now - OVERLAP;
            }
            Ok(Err(error)) => tracing::warn!(error = error.report(), "cannot read which sessions have ended"),
            Err(_) => tracing::warn!("reading which sessions have ended took too long"),
        }
        tokio::select! {
            () = app.stopping.cancelled() => return,
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

async fn read_revocations(app: &App, since: DateTime<Utc>) -> std::result::Result<(), InternalError> {
    // Use a dedicated connection, so that this does not wait behind requests.
    let mut conn = app.db.watch().await?;
    let (ended, changed): (Vec<Uuid>, _) = query::revoked_since(&mut conn, since).await?;
    app.revocations.learn(ended, changed);
    Ok(())
}
