//! Sign-in with identity providers.

use chrono::TimeDelta;
use serde_json::json;
use url::Url;

use super::linking::{announce, link};
use super::second_factor::admit;
use super::user::normalise;
use crate::accounts::error;
use crate::accounts::event::UserRegistered;
use crate::accounts::model::{
    Admission, Attempt, CompleteSocialSignInInput, StartSocialSignInInput, StartedSocialSignIn, User, UserId,
};
use crate::accounts::policy::{self, Newcomer};
use crate::accounts::query::identity::{self as query, AttemptKey};
use crate::accounts::query::user;
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client, Role, hash_token, opaque};
use crate::platform::db::Tx;
use crate::platform::identity::{Exchange, Identity as Vouched, NotVouched, Provider};
use crate::platform::internal_error::{Context, InternalError};
use crate::platform::outbox;
use crate::platform::throttle::Purpose;

/// How long a user may take at the provider.
const PATIENCE: TimeDelta = TimeDelta::minutes(10);
/// The prefix of browser keys.
const BROWSER_PREFIX: &str = "lyb_";
/// The name of a user for whom the provider reports none.
const NAMELESS: &str = "Student";
/// The maximum number of lookups of a user.
///
/// A concurrent sign-in of the same user makes another lookup necessary.
const LOOKS: usize = 3;

/// Begins a sign-in with an identity provider.
///
/// For a signed-in user, begins the linking of an account there.
///
/// # Errors
/// There is no such provider, it does not respond, or the redirect URI is not allowed; too many attempts were begun.
pub async fn start_social(
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

/// Exchanges the result of the redirect for a session, or for a second-factor challenge.
///
/// A new user gets an account.
///
/// # Errors
/// The attempt is over, the provider does not confirm the user, an email address is not verified, or the user is
/// banned.
pub async fn complete_social(app: &App, client: &Client, input: CompleteSocialSignInInput) -> Result<Admission> {
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

/// Removes and returns an attempt. It is removed before the provider is called, so that nothing is tried twice.
pub(super) async fn take(app: &App, key: &AttemptKey) -> Result<Attempt> {
    let now = app.clock.now();
    let taken = app.db.transaction(async |tx| Ok::<_, Error>(query::take_attempt(tx, key, now).await?)).await?;
    taken.ok_or_else(error::attempt_over)
}

/// Exchanges the code for the identity that the provider confirms.
pub(super) async fn vouched<'a>(app: &'a App, attempt: Attempt, code: &str) -> Result<(&'a Provider, Vouched)> {
    // The provider may have been removed from the configuration in the meantime.
    let provider = app.identity.find(&attempt.provider).ok_or_else(error::attempt_over)?;
    let redirect_uri = Url::parse(&attempt.redirect_uri).context("read a stored address")?;
    let (nonce, pkce_verifier) = (&*attempt.nonce, &*attempt.pkce_verifier);
    let exchange = Exchange { code, nonce, pkce_verifier, redirect_uri: &redirect_uri };
    let vouched = provider.exchange(exchange).await.map_err(|why| {
        log(provider, &why);
        match why {
            NotVouched::Rejected(_) => error::not_vouched(provider.name()),
            NotVouched::Unavailable(_) => error::provider_failed(provider.name()),
        }
    })?;
    Ok((provider, vouched))
}

/// Finds or creates the user of a confirmed identity.
async fn recognise(tx: &mut Tx, app: &App, client: &Client, provider: &Provider, vouched: &Vouched) -> Result<User> {
    for _ in 0..LOOKS {
        if let Some(known) = query::touch(tx, vouched, app.clock.now()).await? {
            return user::by_id(tx, known.user_id).await?.ok_or_else(error::attempt_over);
        }
        let email = vouched.email.as_deref().map(normalise);
        let verified = vouched.email_verified && email.is_some();
        let email = email.unwrap_or_default();
        let found = query::lock_by_email(tx, &email).await?;
        let newcomer = policy::newcomer(verified, found.as_ref().map(|(_, verified)| *verified));
        let user = match newcomer {
            Newcomer::UnverifiedThere => return Err(error::unverified_there(provider.name())),
            Newcomer::UnverifiedHere => return Err(error::unverified_here(provider.name())),
            Newcomer::Known => found.map(|(user, _)| user),
            Newcomer::New => register(tx, app, &email, vouched).await?,
        };
        if let Some(user) = user
            && link(tx, app, client, provider, user.id, vouched).await?.is_some()
        {
            if newcomer == Newcomer::Known {
                announce(tx, app, user.id, provider.name(), true).await?;
            }
            return Ok(user);
        }
    }
    Err(Error::Internal(InternalError::new("a sign-in was overtaken again and again")))
}

async fn register(tx: &mut Tx, app: &App, email: &str, vouched: &Vouched) -> Result<Option<User>> {
    let name = vouched.name.as_deref().unwrap_or(NAMELESS);
    let user = user::insert_verified(tx, &app.clock, email, name, Role::Student, None).await?;
    if let Some(user) = &user {
        outbox::record(tx, &app.clock, &UserRegistered { user_id: user.id }).await?;
    }
    Ok(user)
}

fn log(provider: &Provider, why: &NotVouched) {
    let (NotVouched::Rejected(error) | NotVouched::Unavailable(error)) = why;
    tracing::warn!(
        provider = provider.id(),
        error = error.report(),
        "a provider rejected a sign-in or was unavailable"
    );
}
