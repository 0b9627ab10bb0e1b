//! Signing in with another service.

use chrono::TimeDelta;
use serde_json::json;
use url::Url;

use super::second_factor::admit;
use super::user::normalise;
use crate::accounts::error;
use crate::accounts::event::UserRegistered;
use crate::accounts::model::{
    Admission, Attempt, CompleteSocialSignInInput, Identity, StartSocialSignInInput, StartedSocialSignIn, User, UserId,
};
use crate::accounts::policy::{self, Newcomer};
use crate::accounts::query::identity::{self as query, AttemptKey};
use crate::accounts::query::user;
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client, Role, hash_token, opaque};
use crate::platform::db::Tx;
use crate::platform::fault::{Context, Fault};
use crate::platform::identity::{Exchange, Identity as Vouched, NotVouched, Provider};
use crate::platform::outbox;
use crate::platform::throttle::Purpose;

/// How long people may take at the service.
const PATIENCE: TimeDelta = TimeDelta::minutes(10);
/// What browser keys begin with.
const BROWSER_PREFIX: &str = "lyb_";
/// What somebody is called whom the service gives no name.
const NAMELESS: &str = "Student";
/// Overtaken by another sign-in of the same person, one looks again; more than once is no coincidence.
const LOOKS: usize = 3;

/// Begins a sign-in with another service, or, for somebody who is signed in, the linking of an account there.
///
/// # Errors
/// There is no such service, it does not answer, or the address to come back to is not one of ours. Too many were begun.
pub(in crate::accounts) async fn start_social(
    app: &App,
    actor: &Actor,
    client: &Client,
    input: StartSocialSignInInput,
) -> Result<StartedSocialSignIn> {
    app.throttle.attempt(Purpose::SocialSignIn, client.address(), None).await?;
    let (provider, redirect_uri) = check(app, &input)?;
    let begun = provider.authorize(&redirect_uri).await.map_err(|why| {
        log(provider, &why);
        error::provider_unavailable(provider.name())
    })?;
    let (browser_key, browser) = opaque(BROWSER_PREFIX);
    let key = AttemptKey { state: hash_token(&begun.state), browser, user: actor.id().map(UserId::new) };
    let attempt = Attempt {
        provider: provider.id().to_owned(),
        nonce: begun.nonce,
        pkce_verifier: begun.pkce_verifier,
        redirect_uri: redirect_uri.into(),
    };
    let expires_at = app.clock.now() + PATIENCE;
    app.db.transaction(async |tx| Ok::<_, Error>(query::insert_attempt(tx, &key, &attempt, expires_at).await?)).await?;
    Ok(StartedSocialSignIn { authorization_url: begun.url.into(), state: begun.state, browser_key, expires_at })
}

fn check<'a>(app: &'a App, input: &StartSocialSignInInput) -> Result<(&'a Provider, Url)> {
    let provider = app.identity.find(&input.provider).ok_or_else(error::no_such_provider);
    let config = &app.config;
    let redirect_uri = Url::parse(&input.redirect_uri)
        .ok()
        .filter(|address| policy::can_return_to(address, &config.public_url, &config.cors_origins))
        .ok_or_else(error::foreign_redirect);
    match (provider, redirect_uri) {
        (Err(Error::Invalid(one)), Err(Error::Invalid(two))) => Err(Error::Invalid([one, two].concat())),
        (provider, redirect_uri) => Ok((provider?, redirect_uri?)),
    }
}

/// Exchanges what the browser came back with for a session, or for the question for the second factor. Somebody new
/// gets an account.
///
/// # Errors
/// The attempt is over, the service does not vouch, an address is not verified, or the user is banned.
pub(in crate::accounts) async fn complete_social(
    app: &App,
    client: &Client,
    input: CompleteSocialSignInInput,
) -> Result<Admission> {
    let key = AttemptKey { state: hash_token(&input.state), browser: hash_token(&input.browser_key), user: None };
    let attempt = take(app, &key).await?;
    let outcome = async {
        let (provider, vouched) = vouched(app, attempt, &input.code).await?;
        app.db
            .transaction(async |tx| {
                let user = recognise(tx, app, client, provider, &vouched).await?;
                admit(tx, app, client, &user).await
            })
            .await
    };
    let outcome = outcome.await;
    match &outcome {
        Ok(_) => {
            let begun = app.throttle.earlier(Purpose::SocialSignIn, client.address(), None);
            app.throttle.succeeded(begun).await;
        }
        Err(Error::Invalid(errors)) => {
            let why: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
            let entry = Entry {
                action: Action::SignInFailed,
                actor: None,
                subject: None,
                client,
                details: json!({ "social": true, "why": why }),
            };
            audit::record(&mut *app.db.read().await?, app.clock.uuid(), app.clock.now(), entry).await?;
        }
        Err(_) => {}
    }
    outcome
}

/// Takes an attempt away, before the service is asked, so that nothing is tried twice.
pub(super) async fn take(app: &App, key: &AttemptKey) -> Result<Attempt> {
    let now = app.clock.now();
    let taken = app.db.transaction(async |tx| Ok::<_, Error>(query::take_attempt(tx, key, now).await?)).await?;
    taken.ok_or_else(error::attempt_over)
}

/// Whom the service vouches for.
pub(super) async fn vouched<'a>(app: &'a App, attempt: Attempt, code: &str) -> Result<(&'a Provider, Vouched)> {
    // It may have been taken out of the settings in the meantime.
    let provider = app.identity.find(&attempt.provider).ok_or_else(error::attempt_over)?;
    let redirect_uri = Url::parse(&attempt.redirect_uri).context("read a stored address")?;
    let (nonce, pkce_verifier) = (&*attempt.nonce, &*attempt.pkce_verifier);
    let exchange = Exchange { code, nonce, pkce_verifier, redirect_uri: &redirect_uri };
    let vouched = provider.exchange(exchange).await.map_err(|why| {
        log(provider, &why);
        match why {
            NotVouched::Refused(_) => error::not_vouched(provider.name()),
            NotVouched::Unavailable(_) => error::provider_failed(provider.name()),
        }
    })?;
    Ok((provider, vouched))
}

/// The user that somebody is, or becomes.
async fn recognise(tx: &mut Tx, app: &App, client: &Client, provider: &Provider, vouched: &Vouched) -> Result<User> {
    for _ in 0..LOOKS {
        if let Some(known) = query::touch(tx, vouched, app.clock.now()).await? {
            return user::by_id(tx, known.user_id).await?.ok_or_else(error::attempt_over);
        }
        let email = vouched.email.as_deref().map(normalise);
        let verified = vouched.email_verified && email.is_some();
        let email = email.unwrap_or_default();
        let found = query::lock_by_email(tx, &email).await?;
        let user = match policy::newcomer(verified, found.as_ref().map(|(_, verified)| *verified)) {
            Newcomer::UnverifiedThere => return Err(error::unverified_there(provider.name())),
            Newcomer::UnverifiedHere => return Err(error::unverified_here(provider.name())),
            Newcomer::Known => found.map(|(user, _)| user),
            Newcomer::New => register(tx, app, &email, vouched).await?,
        };
        if let Some(user) = user
            && link(tx, app, client, provider, user.id, vouched).await?.is_some()
        {
            return Ok(user);
        }
    }
    Err(Error::Internal(Fault::new("a sign-in was overtaken again and again")))
}

async fn register(tx: &mut Tx, app: &App, email: &str, vouched: &Vouched) -> Result<Option<User>> {
    let name = vouched.name.as_deref().unwrap_or(NAMELESS);
    let user = user::insert_verified(tx, &app.clock, email, name, Role::Student, None).await?;
    if let Some(user) = &user {
        outbox::record(tx, &app.clock, &UserRegistered { user_id: user.id }).await?;
    }
    Ok(user)
}

/// Makes an account at the service open the user's; `None` if it opens somebody's already.
pub(super) async fn link(
    tx: &mut Tx,
    app: &App,
    client: &Client,
    provider: &Provider,
    user: UserId,
    vouched: &Vouched,
) -> Result<Option<Identity>> {
    let Some(identity) = query::insert(tx, &app.clock, user, vouched).await? else { return Ok(None) };
    let details = json!({ "identityId": identity.id, "provider": provider.id() });
    let actor = Some(user.uuid());
    let entry = Entry { action: Action::IdentityLinked, actor, subject: actor, client, details };
    audit::record(tx.conn(), app.clock.uuid(), app.clock.now(), entry).await?;
    Ok(Some(identity))
}

fn log(provider: &Provider, why: &NotVouched) {
    let (NotVouched::Refused(fault) | NotVouched::Unavailable(fault)) = why;
    tracing::warn!(provider = provider.id(), fault = fault.report(), "a service does not vouch for somebody");
}
