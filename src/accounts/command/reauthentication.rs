//! Authenticates the user of a session again, so that sensitive actions are allowed for a while.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::confirmation::RECENT;
use super::password::{check, still};
use super::second_factor::with_code;
use super::session::signed_in;
use crate::accounts::error;
use crate::accounts::model::{Credentials, ReauthenticateInput, SessionId};
use crate::accounts::query::{second_factor, session as query, user as users};
use crate::graphql::Result;
use crate::graphql::error::{Check, UserErrorCode};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client};
use crate::platform::db::Tx;

/// Authenticates the user of the session again; returns until when this counts as recent.
///
/// As for a sign-in, this takes the password if there is one, and a code if there is a second factor.
///
/// # Errors
/// The password or the code is missing or wrong; the account has neither; too many attempts.
pub async fn reauthenticate(
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
