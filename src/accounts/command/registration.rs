//! Commands for registration and activation.
//!
//! Registering reads nothing about users, so that neither the response nor its timing reveals whether an email address
//! has an account. The job that emails the code checks that, and emails a different message to the owner.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::session::open;
use super::user::{check_password, check_person};
use crate::accounts::error;
use crate::accounts::event::{ActivationRequested, UserRegistered};
use crate::accounts::model::{
    ActivateRegistrationInput, RegisterInput, Registration, RegistrationId, RegistrationLinkInput, RegistrationProof,
    ResendActivationInput, SignedIn, User,
};
use crate::accounts::query::registration::{self as query, New};
use crate::accounts::query::user;
use crate::graphql::error::Check;
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Client, Link, Proof, Role};
use crate::platform::db::Tx;
use crate::platform::mail::suppression;
use crate::platform::outbox;
use crate::platform::throttle::Purpose;

/// Stores a registration, and emails a code to its address.
///
/// # Errors
/// The input is invalid; too many registrations.
pub async fn register(app: &App, client: &Client, input: RegisterInput) -> Result<Registration> {
    let (email, name) = check_person(&input)?;
    app.throttle.attempt(Purpose::Registration, client.address(), Some(&email)).await?;
    app.throttle.email(&email).await?;
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
pub async fn resend_activation(app: &App, client: &Client, input: ResendActivationInput) -> Result<Registration> {
    let id = input.registration_id;
    app.throttle.attempt(Purpose::Activation, client.address(), Some(&id.encode())).await?;
    let now = app.clock.now();
    // Check before the email is counted, and again under a lock: of concurrent requests, only one succeeds.
    let known = resendable(query::by_id(&mut *app.db.read().await?, id).await?, now)?;
    app.throttle.email(&known.email).await?;
    app.db
        .transaction(async |tx| {
            resendable(query::lock(tx, id).await?.map(|(registration, _)| registration), now)?;
            let renewed = query::renew(tx, id, now).await?;
            request_mail(tx, app, &renewed).await?;
            Ok(renewed)
        })
        .await
}

/// Returns the registration if another code can be sent at `now`.
fn resendable(found: Option<Registration>, now: DateTime<Utc>) -> Result<Registration> {
    let registration = found.filter(|row| row.is_live(now)).ok_or_else(error::registration_over)?;
    let resend_at = registration.resend_at().ok_or_else(error::no_more_codes)?;
    match resend_at <= now {
        true => Ok(registration),
        false => Err(Error::RateLimited { wait: (resend_at - now).to_std().unwrap_or(Duration::ZERO) }),
    }
}

async fn request_mail(tx: &mut Tx, app: &App, registration: &Registration) -> Result<()> {
    let event = ActivationRequested { registration_id: registration.id, resends: registration.resends };
    outbox::record(tx, &app.clock, &event).await?;
    Ok(())
}

/// Creates a user from a registration with its code or link, and signs them in.
///
/// # Errors
/// The code or link is wrong or expired; the new password is invalid; another user has registered the address in the
/// meantime.
pub async fn activate(app: &App, client: &Client, input: ActivateRegistrationInput) -> Result<SignedIn> {
    match input.proof {
        RegistrationProof::Code(proof) => activate_by_code(app, client, proof.registration_id, &proof.code).await,
        RegistrationProof::Link(proof) => activate_by_link(app, client, proof).await,
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

/// Activates a registration with its link, and with the password that the owner of the email address chooses now.
///
/// Opening a link does not prove that its owner made the registration: an attacker may have registered the address with
/// a password of their own.
async fn activate_by_link(app: &App, client: &Client, proof: RegistrationLinkInput) -> Result<SignedIn> {
    let RegistrationLinkInput { token, new_password } = proof;
    let mut check = Check::new();
    check.part(&["proof", "link"], |check| check_password(check, "newPassword", &new_password));
    check.finish()?;
    let link = Link::parse(&token).ok_or_else(error::link_over)?;
    let id = RegistrationId::new(link.id);
    let attempt = app.throttle.attempt(Purpose::Activation, client.address(), Some(&id.encode())).await?;
    // Check the link before the expensive hashing of the password.
    proved(app, &link, query::by_id(&mut *app.db.read().await?, id).await?)?;
    let password_hash = app.passwords.hash(new_password).await?;
    let signed_in = app
        .db
        .transaction(async |tx| {
            // Check again under a lock: of concurrent requests with one link, only one succeeds.
            let found = query::lock(tx, id).await?.map(|(registration, _)| registration);
            let registration = proved(app, &link, found)?;
            let user = create(tx, app, client, &registration, &password_hash).await?;
            open(tx, app, client, &user.ok_or_else(error::has_account)?).await
        })
        .await?;
    app.throttle.succeeded(attempt).await;
    Ok(signed_in)
}

/// Returns the registration that the link activates.
fn proved(app: &App, link: &Link, found: Option<Registration>) -> Result<Registration> {
    let is_link = |row: &Registration| app.codes.is_link(link, Proof::Activation, &row.state(), app.clock.now());
    found.filter(is_link).ok_or_else(error::link_over)
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
    suppression::lift(tx, email).await?;
    outbox::record(tx, &app.clock, &UserRegistered { user_id: user.id }).await?;
    let actor = Some(user.id.uuid());
    let details = json!({ "registrationId": registration.id });
    let entry = Entry { action: Action::Registered, actor, subject: actor, client, details };
    audit::record(tx.conn(), app.clock.uuid(), app.clock.now(), entry).await?;
    Ok(Some(user))
}
