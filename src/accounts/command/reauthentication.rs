//! Recent authentication: what could hand an account over to someone else needs more than a session.
//!
//! A session may have been stolen, or left open on someone else's device. Its user confirms that it is still theirs with
//! the password, either in the input of the sensitive mutation or with `reauthenticate`, which counts for
//! [`RECENT`]; so does the sign-in itself.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::password::{check, confirm, still};
use super::second_factor::with_code;
use super::session::signed_in;
use crate::accounts::error;
use crate::accounts::model::{Credentials, ReauthenticateInput, SessionId, User, UserId};
use crate::accounts::query::{second_factor, session as query, user as users};
use crate::graphql::error::{Check, UserErrorCode};
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client};
use crate::platform::db::Tx;

/// How long an authentication counts as recent.
const RECENT: TimeDelta = TimeDelta::minutes(15);

/// A session whose user has confirmed that it is theirs.
pub(super) struct Confirmed {
    pub(super) user: UserId,
    session: SessionId,
}

impl Confirmed {
    /// Locks the user. Fails if the session has ended since, for example by a password reset.
    pub(super) async fn lock(&self, tx: &mut Tx, app: &App) -> Result<User> {
        let user = users::lock(tx, self.user).await?.ok_or_else(error::no_such_user)?;
        match query::is_open(tx.conn(), self.session, self.user, app.clock.now()).await? {
            true => Ok(user),
            false => Err(Error::Unauthenticated("The session has ended. Sign in again.".into())),
        }
    }
}

/// Confirms the actor's session by its recent authentication.
///
/// # Errors
/// The actor has no session, or its user has not authenticated recently.
pub(super) async fn confirm_recent(app: &App, actor: &Actor) -> Result<Confirmed> {
    let (user, session) = signed_in(actor)?;
    // Read from the primary database: the user may have authenticated a moment ago.
    let at = query::authenticated_at(app.db.write().await?.conn(), session).await?;
    match at.is_some_and(|at| app.clock.now() < at + RECENT) {
        true => Ok(Confirmed { user, session }),
        false => Err(error::reauthenticate()),
    }
}

/// Confirms the actor's session by the password if it is given, otherwise by its recent authentication.
///
/// # Errors
/// The actor has no session; the password is wrong, or there is none; it is not given, and the user has not
/// authenticated recently.
pub(super) async fn confirm_session(
    app: &App,
    actor: &Actor,
    client: &Client,
    password: Option<String>,
) -> Result<Confirmed> {
    let Some(password) = password else { return confirm_recent(app, actor).await };
    let (user, session) = signed_in(actor)?;
    confirm(app, client, user, password, "password").await?;
    Ok(Confirmed { user, session })
}

/// Authenticates the user of the session again; returns until when this counts as recent.
///
/// As for a sign-in, this takes the password if there is one, and a code if there is a second factor.
///
/// # Errors
/// The password or the code is missing or wrong; the account has neither; too many attempts.
pub(crate) async fn reauthenticate(
    app: &App,
    actor: &Actor,
    client: &Client,
    input: ReauthenticateInput,
) -> Result<DateTime<Utc>> {
    let (user, session) = signed_in(actor)?;
    let mut conn = app.db.read().await?;
    let known = users::credentials_of(&mut conn, user).await?.ok_or_else(error::no_such_user)?;
    let has_factor = second_factor::is_enabled(&mut conn, user).await?;
    drop(conn);
    let mut missing = Check::new();
    if known.password_hash.is_some() && input.password.is_none() {
        missing.error(UserErrorCode::Blank, "password", "Enter your password.");
    }
    if has_factor && input.code.is_none() {
        missing.error(UserErrorCode::Blank, "code", "Enter a code from your authenticator app.");
    }
    missing.finish()?;
    if known.password_hash.is_none() && !has_factor {
        return Err(error::nothing_to_authenticate_with());
    }
    if let (Some(_), Some(password)) = (&known.password_hash, &input.password) {
        check(app, client, &known, password, "password").await?;
    }
    let done = async |tx: &mut Tx| record(tx, app, client, session, &known).await;
    match input.code.filter(|_| has_factor) {
        Some(code) => with_code(app, client, user, &code, done).await,
        None => app.db.transaction(done).await,
    }
}

async fn record(
    tx: &mut Tx,
    app: &App,
    client: &Client,
    session: SessionId,
    known: &Credentials,
) -> Result<DateTime<Utc>> {
    let now = app.clock.now();
    let user = Some(still(tx, known, "password").await?.id.uuid());
    if query::authenticate(tx, session, now).await? == 0 {
        return Err(error::session_over());
    }
    let details = json!({ "sessionId": session.encode() });
    let entry = Entry { action: Action::Reauthenticated, actor: user, subject: user, client, details };
    audit::record(tx.conn(), app.clock.uuid(), now, entry).await?;
    Ok(now + RECENT)
}
