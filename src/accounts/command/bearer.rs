//! Authentication with personal API tokens.
//!
//! Lookups are cached for half a minute. What was revoked since is on the list of
//! [`Revocations`](crate::platform::auth::Revocations), which is at most a second old.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::api_token::API_TOKEN_PREFIX;
use crate::accounts::model::ApiTokenId;
use crate::accounts::policy;
use crate::accounts::query::{api_token as query, second_factor};
use crate::graphql::Result;
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client, Role, TokenHash, hash_token};
use crate::platform::internal_error::{Context, InternalError};
use crate::platform::throttle::Purpose;

/// The timeout of a lookup, including the wait for its lock.
const PATIENCE: Duration = Duration::from_secs(2);
/// The length of the text after the prefix: 256 bits in Base64.
const TEXT_LENGTH: usize = 43;
/// The minimum time between two updates of a token's last use.
const NOTED: TimeDelta = TimeDelta::minutes(1);
/// The minimum time between two audit entries for uses of a token from one IP address.
const AUDITED: TimeDelta = TimeDelta::days(1);

/// Whether a bearer token has the prefix of personal API tokens.
pub fn is_api_token(token: &str) -> bool {
    token.starts_with(API_TOKEN_PREFIX)
}

/// Returns the actor that a personal API token authenticates; `None` if the token is invalid.
///
/// A token that was looked up within the last half minute costs no database query.
///
/// # Errors
/// Too many unknown tokens came from the client's IP address; the database fails or does not respond in time.
pub async fn authenticate(app: &App, client: &Client, token: &str) -> Result<Option<Actor>> {
    if !is_well_formed(token) {
        return Ok(None);
    }
    let hash = hash_token(token);
    let actor = match recall(app, &hash) {
        Some(actor) => actor,
        None => {
            let asking = tokio::time::timeout(PATIENCE, look_up(app, client, hash)).await;
            asking.context("the database took too long to tell about an API token")??
        }
    };
    let now = app.clock.now();
    let actor = actor.filter(|actor| matches!(actor, Actor::User { expires_at, .. } if *expires_at > now));
    if let Some(actor) = &actor {
        note_use(app, client, actor, now);
    }
    Ok(actor)
}

/// Whether a text has the format of a token. Anything else is rejected without a lookup.
fn is_well_formed(token: &str) -> bool {
    token.strip_prefix(API_TOKEN_PREFIX).is_some_and(|text| {
        text.len() == TEXT_LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    })
}

/// Returns the cached actor of a token, `Some(None)` if it is known to be invalid.
///
/// Returns `None` if the database must be queried: there is no fresh cache entry, the list of revocations is stale, or
/// the token is on it, perhaps only because its owner's role changed.
fn recall(app: &App, hash: &TokenHash) -> Option<Option<Actor>> {
    let Some(actor) = app.api_tokens.recall(hash, app.clock.now())? else { return Some(None) };
    let current = app.revocations.is_fresh() && !app.revocations.rejects(&actor);
    current.then_some(Some(actor))
}

async fn look_up(app: &App, client: &Client, hash: TokenHash) -> Result<Option<Actor>> {
    let _turn = match app.api_tokens.lane(&hash) {
        Some(lane) => Some(lane.lock().await),
        None => None,
    };
    // Another request with the same token may have filled the cache.
    if let Some(actor) = recall(app, &hash) {
        return Ok(actor);
    }
    // Throttle only unknown tokens: a token that was valid before must not suffer from others at its IP address.
    let attempt = match app.api_tokens.is_known(&hash) {
        false => Some(app.throttle.attempt(Purpose::ApiToken, client.address(), None).await?),
        true => None,
    };
    let now = app.clock.now();
    let mut conn = app.db.read().await?;
    let Some((token, mut owner)) = query::by_hash(&mut conn, &hash).await? else {
        app.api_tokens.remember_unknown(hash, now);
        return Ok(None);
    };
    // As in a session, administrator rights may require a second factor.
    if policy::needs_second_factor(&app.config, &owner) && !second_factor::is_enabled(&mut conn, owner.id).await? {
        owner.role = Role::Student;
    }
    drop(conn);
    if let Some(attempt) = attempt {
        app.throttle.succeeded(attempt).await;
    }
    let actor = token.actor(&owner, now);
    app.api_tokens.remember(hash, actor, now);
    Ok(actor)
}

/// Records in the background that a token was used.
fn note_use(app: &App, client: &Client, actor: &Actor, now: DateTime<Utc>) {
    let Actor::User { session: token, .. } = actor else { return };
    let Some(permit) = app.api_tokens.note_use(*token, client.ip, now) else { return };
    let (app, client, actor, token) = (app.clone(), client.clone(), *actor, *token);
    let tasks = app.tasks.clone();
    tasks.spawn(async move {
        if let Err(error) = record_use(&app, &client, &actor, ApiTokenId::new(token), now).await {
            tracing::warn!(error = error.report(), "cannot write down that an API token was used");
            app.api_tokens.forget_use(token, client.ip);
        }
        drop(permit);
    });
}

async fn record_use(
    app: &App,
    client: &Client,
    actor: &Actor,
    token: ApiTokenId,
    now: DateTime<Utc>,
) -> std::result::Result<(), InternalError> {
    app.db
        .transaction(async |tx| {
            // Lock the token: another node may record a use at the same time.
            let Some(last) = query::lock_use(tx, token).await? else { return Ok(()) };
            if last.is_none_or(|last| now - last >= NOTED) {
                query::touch(tx, token, client.ip_text().as_deref(), now).await?;
            }
            let details = json!({ "apiTokenId": token.encode() });
            let entry = Entry { action: Action::ApiTokenUsed, actor: actor.id(), subject: actor.id(), client, details };
            if !audit::is_recorded(tx.conn(), now - AUDITED, &entry).await? {
                audit::record(tx.conn(), app.clock.uuid(), now, entry).await?;
            }
            Ok(())
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::auth::opaque;

    #[test]
    fn only_what_can_be_a_token_is_looked_up() {
        let (token, _) = opaque(API_TOKEN_PREFIX);
        assert!(is_well_formed(&token) && is_api_token(&token));
        for wrong in ["", "lyp_", &token[1..], &token[..46], &format!("{token}A"), &token.replace("lyp_", "lyr_")] {
            assert!(!is_well_formed(wrong), "{wrong}");
        }
        assert!(!is_well_formed(&format!("{}é", &token[..45])));
        assert!(!is_well_formed(&format!("{}=", &token[..46])));
    }
}
