//! Who sends a personal API token. What the database says of one is believed for half a minute; what has ended since
//! is on the list of [`Revocations`](crate::platform::auth::Revocations), which knows within a second.

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
use crate::platform::fault::{Context, Fault};
use crate::platform::throttle::Purpose;

/// How long a lookup may take, the wait for its turn included.
const PATIENCE: Duration = Duration::from_secs(2);
/// What follows the prefix: 256 bits in Base64.
const TEXT_LENGTH: usize = 43;
/// The last use of a token is written down this often at most.
const NOTED: TimeDelta = TimeDelta::minutes(1);
/// The audit trail tells of a token's use from one address this often at most.
const AUDITED: TimeDelta = TimeDelta::days(1);

/// Whether a text claims to be a personal API token.
pub fn is_api_token(token: &str) -> bool {
    token.starts_with(API_TOKEN_PREFIX)
}

/// Whom a personal API token speaks for; `None` when it is no token, or not good any more. With a token that was used
/// in the last half minute this costs no statement.
///
/// # Errors
/// Too many texts that are no tokens came from the client's address, or the database does not answer.
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

/// Anything else is refused without any work.
fn is_well_formed(token: &str) -> bool {
    token.strip_prefix(API_TOKEN_PREFIX).is_some_and(|text| {
        text.len() == TEXT_LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    })
}

/// What this process knows; `None` when the database has to be asked: what is remembered is too old, or the list of
/// what has ended is, or the token is on it, perhaps only because its owner's role changed.
fn recall(app: &App, hash: &TokenHash) -> Option<Option<Actor>> {
    let Some(actor) = app.api_tokens.recall(hash, app.clock.now())? else { return Some(None) };
    let current = app.revocations.is_fresh() && !app.revocations.refuse(&actor);
    current.then_some(Some(actor))
}

async fn look_up(app: &App, client: &Client, hash: TokenHash) -> Result<Option<Actor>> {
    let _turn = match app.api_tokens.lane(&hash) {
        Some(lane) => Some(lane.lock().await),
        None => None,
    };
    // Somebody else with the same token may just have asked.
    if let Some(actor) = recall(app, &hash) {
        return Ok(actor);
    }
    // Only what may be anything is counted: a token that was good before is not to suffer for its neighbours.
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
    // As in a session: a token is no way around the second factor.
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

/// Writes down, in the background, that a token was used.
fn note_use(app: &App, client: &Client, actor: &Actor, now: DateTime<Utc>) {
    let Actor::User { session: token, .. } = actor else { return };
    let Some(permit) = app.api_tokens.note_use(*token, client.ip, now) else { return };
    let (app, client, actor, token) = (app.clone(), client.clone(), *actor, *token);
    let tasks = app.tasks.clone();
    tasks.spawn(async move {
        if let Err(fault) = record_use(&app, &client, &actor, ApiTokenId::new(token), now).await {
            tracing::warn!(fault = fault.report(), "cannot write down that an API token was used");
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
) -> std::result::Result<(), Fault> {
    app.db
        .transaction(async |tx| {
            // The lock: another node may write down a use at the same time.
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
