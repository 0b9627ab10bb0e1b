//! Commands that set up, verify and remove second factors.

use chrono::TimeDelta;
use serde_json::json;

use super::confirmation::confirm_session;
use super::session::{open, viewer};
use crate::accounts::event::SecondFactorChanged;
use crate::accounts::model::{
    self, Admission, Challenge, CompleteSignInInput, ConfirmSecondFactorInput, DisableSecondFactorInput, FactorChange,
    FactorState, PendingFactor, RECOVERY_CODES, RenewRecoveryCodesInput, ResetSecondFactorInput, SignedIn,
    StartSecondFactorInput, User, UserId,
};
use crate::accounts::query::{second_factor as query, user};
use crate::accounts::{error, policy};
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client, OneTimePasswords, base32, hash_token, opaque};
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::outbox;
use crate::platform::throttle::Purpose;

/// The prefix of challenge tokens.
const CHALLENGE_PREFIX: &str = "lyc_";
/// How long a challenge is valid.
const CHALLENGE_LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// How many codes may be tried for one sign-in.
const TRIES: i32 = 5;

/// Opens a session, or returns a challenge if the user has a second factor.
///
/// # Errors
/// The user is banned.
pub async fn admit(tx: &mut Tx, app: &App, client: &Client, user: &User) -> Result<Admission> {
    if !query::is_enabled(tx.conn(), user.id).await? {
        return Ok(Admission::Open(Box::new(open(tx, app, client, user).await?)));
    }
    if user.is_banned(app.clock.now()) {
        return Err(error::banned(user));
    }
    let (token, hash) = opaque(CHALLENGE_PREFIX);
    let expires_at = app.clock.now() + CHALLENGE_LIFETIME;
    query::insert_challenge(tx, &hash, user.id, TRIES, expires_at).await?;
    Ok(Admission::Challenge(Challenge { token, expires_at }))
}

/// Completes a sign-in with the second factor.
///
/// # Errors
/// The code is wrong or was already used; the challenge has expired, or too many codes were tried.
pub async fn complete(app: &App, client: &Client, input: CompleteSignInInput) -> Result<SignedIn> {
    let hash = hash_token(&input.challenge);
    let challenged = query::challenged(&mut *app.db.read().await?, &hash).await?;
    let user = challenged.ok_or_else(error::challenge_over)?;
    let attempt = app.throttle.attempt(Purpose::SecondFactor, client.address(), Some(&user.encode())).await?;
    let outcome = app
        .db
        .transaction(async |tx| {
            let found = query::lock_challenge(tx, &hash).await?;
            let good = found.filter(|found| found.tries_left > 0 && found.expires_at > app.clock.now());
            let user = good.ok_or_else(error::challenge_over)?.user_id;
            if !verify(tx, app, client, user, &input.code).await? {
                query::count_try(tx, &hash).await?;
                failed(tx, app, client, user).await?;
                // The attempt must be counted, so the transaction must commit.
                return Ok(None);
            }
            query::delete_challenge(tx, &hash).await?;
            let user = user::by_id(tx, user).await?.ok_or_else(error::challenge_over)?;
            open(tx, app, client, &user).await.map(Some)
        })
        .await?;
    let signed_in = outcome.ok_or_else(error::wrong_code)?;
    app.throttle.succeeded(attempt).await;
    Ok(signed_in)
}

/// Returns the state of the viewer's second factor; `None` if it is not enabled.
///
/// # Errors
/// The caller is not signed in; the database failed.
pub async fn state(app: &App, actor: &Actor) -> Result<Option<FactorState>> {
    Ok(query::state(&mut *app.db.read().await?, viewer(actor)?).await?)
}

/// Whether the viewer's administrator rights are withheld until a second factor is set up.
///
/// # Errors
/// The caller is not signed in; the database failed.
pub async fn is_required(app: &App, actor: &Actor) -> Result<bool> {
    let mut conn = app.db.read().await?;
    let Some(user) = user::credentials_of(&mut conn, viewer(actor)?).await?.map(|found| found.user) else {
        return Ok(false);
    };
    Ok(policy::needs_second_factor(&app.config, &user) && !query::is_enabled(&mut conn, user.id).await?)
}

/// Creates a secret that must be confirmed with its first code.
///
/// # Errors
/// The session is not confirmed; a second factor is already enabled.
pub async fn start(app: &App, actor: &Actor, client: &Client, input: StartSecondFactorInput) -> Result<PendingFactor> {
    let confirmed = confirm_session(app, actor, client, input.password).await?;
    let secret = OneTimePasswords::secret();
    app.db
        .transaction(async |tx| {
            let user = confirmed.lock(tx, app).await?;
            if query::is_enabled(tx.conn(), user.id).await? {
                return Err(error::factor_exists());
            }
            let sealed = app.seal.close(&secret, user.id.uuid().as_bytes())?;
            query::put(tx, user.id, &sealed, app.clock.now()).await?;
            let codes = OneTimePasswords::new(&secret, &app.config.site_name, &user.email)?;
            Ok(PendingFactor { secret: base32(&secret), uri: codes.uri()? })
        })
        .await
}

/// Enables the second factor with its first code, and returns the recovery codes.
///
/// # Errors
/// The code is wrong; no setup was started, or a second factor is already enabled.
pub async fn confirm(
    app: &App,
    actor: &Actor,
    client: &Client,
    input: ConfirmSecondFactorInput,
) -> Result<Vec<String>> {
    let id = viewer(actor)?;
    let attempt = app.throttle.attempt(Purpose::SecondFactor, client.address(), Some(&id.encode())).await?;
    let done = app
        .db
        .transaction(async |tx| {
            let user = user::lock(tx, id).await?.ok_or_else(error::no_such_user)?;
            let factor = query::lock(tx, id).await?.ok_or_else(error::factor_not_started)?;
            if factor.confirmed_at.is_some() {
                return Err(error::factor_exists());
            }
            if !verify(tx, app, client, id, &input.code).await? {
                // The failure must be recorded, so the transaction must commit.
                return failed(tx, app, client, id).await.map(|()| None);
            }
            query::confirm(tx, id, app.clock.now()).await?;
            let codes = renew(tx, id).await?;
            note(tx, app, actor, client, id, FactorChange::Enabled).await?;
            // An administrator who needed the second factor gets their rights with the next access token.
            let changed = user::renew_tokens(tx, user.id, app.clock.now()).await?;
            Ok(Some((codes, changed)))
        })
        .await?;
    let (codes, changed) = done.ok_or_else(error::wrong_code)?;
    app.throttle.succeeded(attempt).await;
    app.revocations.learn([], [(id.uuid(), changed)]);
    Ok(codes)
}

/// Replaces the recovery codes, and returns the new ones.
///
/// # Errors
/// The code is wrong; there is no second factor.
pub async fn renew_codes(
    app: &App,
    actor: &Actor,
    client: &Client,
    input: RenewRecoveryCodesInput,
) -> Result<Vec<String>> {
    let id = viewer(actor)?;
    with_code(app, client, id, &input.code, async |tx: &mut Tx| {
        let codes = renew(tx, id).await?;
        note(tx, app, actor, client, id, FactorChange::CodesRenewed).await?;
        Ok(codes)
    })
    .await
}

/// Disables the viewer's second factor.
///
/// # Errors
/// The code is wrong; there is no second factor.
pub async fn disable(app: &App, actor: &Actor, client: &Client, input: DisableSecondFactorInput) -> Result<bool> {
    let id = viewer(actor)?;
    let version =
        with_code(app, client, id, &input.code, async |tx: &mut Tx| remove(tx, app, actor, client, id).await).await?;
    app.revocations.learn([], [(id.uuid(), version)]);
    Ok(true)
}

/// Removes the second factor of a user who has lost it. For administrators only.
///
/// # Errors
/// The actor is not an administrator, or the user is the actor; there is no such user, or no second factor.
pub async fn reset(app: &App, actor: &Actor, client: &Client, input: ResetSecondFactorInput) -> Result<User> {
    if !policy::can_reset_second_factor(actor, input.user_id) {
        return Err(Error::Forbidden("Only administrators take a second factor away, and not their own.".into()));
    }
    let user = app
        .db
        .transaction(async |tx| {
            let user = user::lock(tx, input.user_id).await?.ok_or_else(error::no_such_user)?;
            remove(tx, app, actor, client, user.id).await?;
            user::by_id(tx, user.id).await?.ok_or_else(error::no_such_user)
        })
        .await?;
    app.revocations.learn([], [(user.id.uuid(), user.token_version)]);
    Ok(user)
}

/// Removes the second factor, and returns the user's new token version.
async fn remove(tx: &mut Tx, app: &App, actor: &Actor, client: &Client, user: UserId) -> Result<i32> {
    if !query::delete(tx, user).await? {
        return Err(error::no_factor());
    }
    note(tx, app, actor, client, user, FactorChange::Disabled).await?;
    // An administrator may lose their rights without a second factor.
    Ok(user::renew_tokens(tx, user, app.clock.now()).await?)
}

/// Runs `work` in the same transaction if `code` is valid for the user.
pub(super) async fn with_code<R, F>(app: &App, client: &Client, user: UserId, code: &str, work: F) -> Result<R>
where
    for<'t> F:
        AsyncFn(&'t mut Tx) -> Result<R> + crate::platform::db::SendFn<&'t mut Tx, Result<R>, Fut: Send> + Send + Sync,
    R: Send,
{
    let attempt = app.throttle.attempt(Purpose::SecondFactor, client.address(), Some(&user.encode())).await?;
    let done = app
        .db
        .transaction(async |tx| {
            if !query::is_enabled(tx.conn(), user).await? {
                return Err(error::no_factor());
            }
            if !verify(tx, app, client, user, code).await? {
                return failed(tx, app, client, user).await.map(|()| None);
            }
            work(tx).await.map(Some)
        })
        .await?;
    let done = done.ok_or_else(error::wrong_code)?;
    app.throttle.succeeded(attempt).await;
    Ok(done)
}

/// Whether `code` is valid; uses it up. The lock ensures that one code cannot pass two concurrent requests.
async fn verify(tx: &mut Tx, app: &App, client: &Client, user: UserId, code: &str) -> Result<bool> {
    let Some(factor) = query::lock(tx, user).await? else { return Ok(false) };
    let secret = app.seal.open(&factor.sealed_secret, user.uuid().as_bytes())?;
    let codes = OneTimePasswords::new(&secret, "", "")?;
    let plain: String = code.chars().filter(|letter| !letter.is_whitespace()).collect();
    if let Some(step) = codes.step(&plain, app.clock.now()) {
        if step <= factor.last_step {
            return Ok(false);
        }
        query::set_step(tx, user, step).await?;
        return Ok(true);
    }
    let used = query::use_code(tx, user, &model::recovery_hash(code), app.clock.now()).await?;
    if used {
        let actor = Actor::Anonymous;
        note(tx, app, &actor, client, user, FactorChange::RecoveryCodeUsed).await?;
    }
    Ok(used)
}

async fn renew(tx: &mut Tx, user: UserId) -> Result<Vec<String>> {
    let codes =
        (0..RECOVERY_CODES).map(|_| model::recovery_code()).collect::<std::result::Result<Vec<_>, InternalError>>()?;
    let hashes: Vec<_> = codes.iter().map(|code| model::recovery_hash(code)).collect();
    query::replace_codes(tx, user, &hashes).await?;
    Ok(codes)
}

/// Records a change in the audit trail and as an event, which notifies the user.
async fn note(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    client: &Client,
    user: UserId,
    change: FactorChange,
) -> Result<()> {
    let now = app.clock.now();
    let (actor, subject) = (actor.id(), Some(user.uuid()));
    let entry = Entry { action: change.action(), actor, subject, client, details: json!({}) };
    audit::record(tx.conn(), app.clock.uuid(), now, entry).await?;
    outbox::record(tx, &app.clock, &SecondFactorChanged { user_id: user, change, at: now }).await?;
    Ok(())
}

async fn failed(tx: &mut Tx, app: &App, client: &Client, user: UserId) -> Result<()> {
    let subject = Some(user.uuid());
    let entry = Entry { action: Action::SecondFactorFailed, actor: None, subject, client, details: json!({}) };
    Ok(audit::record(tx.conn(), app.clock.uuid(), app.clock.now(), entry).await?)
}
