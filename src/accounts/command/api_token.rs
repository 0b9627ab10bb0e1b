//! Commands for personal API tokens.

use chrono::TimeDelta;
use serde_json::json;

use super::confirmation::confirm_recent;
use super::session::signed_in;
use crate::accounts::error;
use crate::accounts::event::ApiTokenCreated;
use crate::accounts::model::{ApiToken, ApiTokenId, CreateApiTokenInput, CreatedApiToken, RevokeApiTokenInput};
use crate::accounts::query::api_token::{self as query, NewApiToken};
use crate::graphql::error::{Check, UserErrorCode};
use crate::graphql::idempotency::{self, Turn};
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client, Scope, Scopes, opaque};
use crate::platform::outbox;

/// The prefix of personal API tokens.
pub(super) const API_TOKEN_PREFIX: &str = "lyp_";
const LONGEST_NAME: usize = 100;
/// The maximum lifetime. Every token expires, so that one that leaked and was forgotten does not stay valid.
const LONGEST_LIFE: TimeDelta = TimeDelta::days(366);
/// The maximum number of live tokens of one user.
const MOST_TOKENS: i64 = 100;

/// Creates a token for a program that acts for the actor. Its secret is returned here and never again, also not to a
/// repeated request.
///
/// # Errors
/// The actor has no session, or has not authenticated recently; the input is invalid; the actor is banned or has too
/// many tokens.
pub async fn create_api_token(
    app: &App,
    actor: &Actor,
    client: &Client,
    input: CreateApiTokenInput,
) -> Result<CreatedApiToken> {
    let confirmed = confirm_recent(app, actor).await?;
    let user = confirmed.user;
    let now = app.clock.now();
    let mut check = Check::new();
    let name = check.required("name", &input.name, LONGEST_NAME);
    if input.scopes.is_empty() {
        check.error(UserErrorCode::Blank, "scopes", "Choose at least one scope.");
    }
    if input.expires_at.0 <= now || input.expires_at.0 > now + LONGEST_LIFE {
        let latest = (now + LONGEST_LIFE).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let message = format!("The token must end in the future, and within 366 days: at {latest} at the latest.");
        check.error(UserErrorCode::OutOfRange, "expiresAt", message);
    }
    check.finish()?;
    let scopes: Scopes = input.scopes.iter().copied().map(Scope::from).collect();
    let (token, hash) = opaque(API_TOKEN_PREFIX);
    let (id, expires_at) = (ApiTokenId::new(app.clock.uuid()), input.expires_at.0);
    let new = NewApiToken { id, user_id: user, name: &name, hash: &hash, scopes, created_at: now, expires_at };
    app.db
        .transaction(async |tx| {
            let claimed = match input.once.claim(tx, app, user.uuid(), "createApiToken", &input).await? {
                Turn::Create(claimed) => claimed,
                Turn::Repeat(id) => {
                    let row = query::by_id(tx.conn(), id).await?.ok_or_else(idempotency::gone)?;
                    return Ok(CreatedApiToken { row, token: None });
                }
            };
            // Lock the owner: of concurrent requests only one can create the last allowed token, and a ban is not
            // missed.
            let owner = confirmed.lock(tx, app).await?;
            if owner.is_banned(now) {
                return Err(error::banned(&owner));
            }
            if query::count_live(tx, user, now).await? >= MOST_TOKENS {
                return Err(error::too_many_api_tokens(MOST_TOKENS));
            }
            let row = query::insert(tx, &new).await?;
            claimed.keep(tx, id.uuid()).await?;
            let details = json!({
                "apiTokenId": id.encode(), "name": name, "scopes": scopes.names(), "expiresAt": expires_at
            });
            let (actor, subject) = (actor.id(), Some(user.uuid()));
            let entry = Entry { action: Action::ApiTokenCreated, actor, subject, client, details };
            audit::record(tx.conn(), app.clock.uuid(), now, entry).await?;
            outbox::record(tx, &app.clock, &ApiTokenCreated { user_id: user, api_token_id: id }).await?;
            Ok(CreatedApiToken { row, token: Some(token.clone()) })
        })
        .await
}

/// Revokes one of the actor's tokens. Within a second it is rejected and its WebSocket connections close.
///
/// # Errors
/// The token is not one of the actor's, or is already revoked.
pub async fn revoke_api_token(
    app: &App,
    actor: &Actor,
    client: &Client,
    input: RevokeApiTokenInput,
) -> Result<ApiTokenId> {
    let (user, _) = signed_in(actor)?;
    let now = app.clock.now();
    let revoked = app
        .db
        .transaction(async |tx| {
            let revoked = query::revoke(tx, user, input.api_token_id, now).await?;
            let revoked = revoked.ok_or_else(error::no_such_api_token)?;
            let details = json!({ "apiTokenId": revoked.id.encode(), "name": revoked.name });
            let (actor, subject) = (actor.id(), Some(user.uuid()));
            let entry = Entry { action: Action::ApiTokenRevoked, actor, subject, client, details };
            audit::record(tx.conn(), app.clock.uuid(), now, entry).await?;
            Ok::<_, Error>(revoked)
        })
        .await?;
    app.revocations.learn([revoked.id.uuid()], []);
    Ok(revoked.id)
}

/// Returns the actor's tokens that are not revoked, newest first.
///
/// # Errors
/// The actor has no session.
pub async fn api_tokens(app: &App, actor: &Actor) -> Result<Vec<ApiToken>> {
    let (user, _) = signed_in(actor)?;
    Ok(query::kept(&mut *app.db.read().await?, user).await?)
}
