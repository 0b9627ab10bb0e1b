//! Commands for registration and activation.
//!
//! Registering reads nothing about users, so that neither the response nor its timing reveals whether an email address
//! has an account. The job that emails the code checks that, and emails a different message to the owner.

use std::time::Duration;

use serde_json::json;

use super::session::open;
use super::user::check_person;
use crate::accounts::error;
use crate::accounts::event::{ActivationRequested, UserRegistered};
use crate::accounts::model::{
    ActivateRegistrationInput, RegisterInput, Registration, RegistrationId, ResendActivationInput, SignedIn, User,
};
use crate::accounts::query::registration::{self as query, New};
use crate::accounts::query::user;
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Client, Link, Proof, Role};
use crate::platform::db::Tx;
use crate::platform::outbox;
use crate::platform::throttle::Purpose;

/// Stores a registration, and emails a code to its address.
///
/// # Errors
/// The input is invalid; too many registrations.
pub(crate) async fn register(app: &App, client: &Client, input: RegisterInput) -> Result<Registration> {
    let (email, name) = check_person(&input)?;
    app.throttle.attempt(Purpose::Registration, client.address(), Some(&email)).await?;
    let password_hash = app.passwords.hash(input.password).await?;
    let id = RegistrationId::new(app.clock.uuid());
    let new = New { id, email: &email, name: &name, password_hash: &password_hash };
    app.db
        .transaction(async |tx| {
            let registration = query::insert(tx, &new, app.clock.now()).await?;
            request_mail(tx, app, &registration).await?;
            Ok(registration)
        })
        .await
}

/// Emails another code, which replaces the previous one.
///
/// # Errors
/// It is too early, the registration has expired, or the limit of codes is reached.
pub(crate) async fn resend_activation(
    app: &App,
    client: &Client,
    input: ResendActivationInput,
) -> Result<Registration> {
    let id = input.registration_id;
    app.throttle.attempt(Purpose::Activation, client.address(), Some(&id.encode())).await?;
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let found = query::lock(tx, id).await?.map(|(registration, _)| registration);
            let registration = found.filter(|row| row.is_live(now)).ok_or_else(error::registration_over)?;
            let resend_at = registration.resend_at().ok_or_else(error::no_more_codes)?;
            if now < resend_at {
                return Err(Error::RateLimited { wait: (resend_at - now).to_std().unwrap_or(Duration::ZERO) });
            }
            let renewed = query::renew(tx, id, now).await?;
            request_mail(tx, app, &renewed).await?;
            Ok(renewed)
        })
        .await
}

async fn request_mail(tx: &mut Tx, app: &App, registration: &Registration) -> Result<()> {
    let event = ActivationRequested { registration_id: registration.id, resends: registration.resends };
    outbox::record(tx, &app.clock, &event).await?;
    Ok(())
}

/// Creates a user from a registration with its code or link, and signs them in.
///
/// # Errors
/// The code or link is wrong or expired; another user has registered the address in the meantime.
pub(crate) async fn activate(app: &App, client: &Client, input: ActivateRegistrationInput) -> Result<SignedIn> {
    match (input.registration_id, input.code, input.token) {
        (Some(id), Some(code), None) => activate_by_code(app, client, id, &code).await,
        (None, None, Some(token)) => activate_by_link(app, client, &token).await,
        _ => Err(error::code_or_token()),
    }
}

async fn activate_by_code(app: &App, client: &Client, id: RegistrationId, code: &str) -> Result<SignedIn> {
    let attempt = app.throttle.attempt(Purpose::Activation, client.address(), Some(&id.encode())).await?;
    let now = app.clock.now();
    let outcome = app
        .db
        .transaction(async |tx| {
            let found = query::lock(tx, id).await?.filter(|(row, _)| row.is_live(now));
            let Some((registration, password_hash)) = found else { return Ok(Err(error::registration_over())) };
            if registration.tries_left == 0 {
                return Ok(Err(error::code_over()));
            }
            let right = app.codes.is_code(code, Proof::Activation, id.uuid(), &registration.state());
            if right && let Some(user) = create(tx, app, client, &registration, &password_hash).await? {
                return open(tx, app, client, &user).await.map(Ok);
            }
            // This includes the right code for an address that has an account: that code was never emailed.
            Ok(Err(error::wrong_mailed_code(query::use_try(tx, id).await?)))
        })
        .await?;
    if outcome.is_ok() {
        app.throttle.succeeded(attempt).await;
    }
    outcome
}

async fn activate_by_link(app: &App, client: &Client, token: &str) -> Result<SignedIn> {
    let link = Link::parse(token).ok_or_else(error::link_over)?;
    let id = RegistrationId::new(link.id);
    let attempt = app.throttle.attempt(Purpose::Activation, client.address(), Some(&id.encode())).await?;
    let now = app.clock.now();
    let signed_in = app
        .db
        .transaction(async |tx| {
            let (registration, password_hash) = query::lock(tx, id).await?.ok_or_else(error::link_over)?;
            if !app.codes.is_link(&link, Proof::Activation, &registration.state(), now) {
                return Err(error::link_over());
            }
            // Opening a link does not prove that its owner made the registration: an attacker may have registered the
            // address with a password of their own, hoping that the owner confuses the two links.
            if query::has_rival(tx, &registration, now).await? {
                return Err(error::has_rival());
            }
            let user = create(tx, app, client, &registration, &password_hash).await?;
            open(tx, app, client, &user.ok_or_else(error::has_account)?).await
        })
        .await?;
    app.throttle.succeeded(attempt).await;
    Ok(signed_in)
}

/// Creates the user of a registration; returns `None` if another user has the email address.
async fn create(
    tx: &mut Tx,
    app: &App,
    client: &Client,
    registration: &Registration,
    password_hash: &str,
) -> Result<Option<User>> {
    let (email, name) = (&registration.email, &registration.name);
    let made = user::insert_verified(tx, &app.clock, email, name, Role::Student, Some(password_hash)).await?;
    let Some(user) = made else { return Ok(None) };
    query::delete(tx, registration.id).await?;
    outbox::record(tx, &app.clock, &UserRegistered { user_id: user.id }).await?;
    let actor = Some(user.id.uuid());
    let details = json!({ "registrationId": registration.id });
    let entry = Entry { action: Action::Registered, actor, subject: actor, client, details };
    audit::record(tx.conn(), app.clock.uuid(), app.clock.now(), entry).await?;
    Ok(Some(user))
}
