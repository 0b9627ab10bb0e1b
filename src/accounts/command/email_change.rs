//! Commands that change a user's email address.
//!
//! A change is requested with the password and confirmed with a code or link that is emailed to the new address. The
//! job that sends the email checks whether the address has an account already, so that no response reveals it.

use serde_json::json;

use super::confirmation::confirm_session;
use super::session::{signed_in, viewer};
use super::user::check_email;
use crate::accounts::error;
use crate::accounts::event::EmailChangeRequested;
use crate::accounts::model::{ChangeEmailInput, ConfirmEmailChangeInput, EmailChange, EmailChangeId, User, UserId};
use crate::accounts::query::{email_change as query, user};
use crate::graphql::error::Check;
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client, Link, Proof};
use crate::platform::db::{self, Tx};
use crate::platform::mail::suppression;
use crate::platform::outbox;
use crate::platform::throttle::Purpose;

/// The state that codes and links are bound to. Each change has one code, so only the end of the change invalidates it.
pub(crate) const STATE: &str = "";

/// Returns the viewer's change that waits for its confirmation.
///
/// # Errors
/// The caller is not signed in.
pub async fn pending(app: &App, actor: &Actor) -> Result<Option<EmailChange>> {
    let change = query::waiting(&mut *app.db.read().await?, viewer(actor)?).await?;
    Ok(change.filter(|change| change.expires_at > app.clock.now()))
}

/// Requests a change of the email address; replaces a pending one.
///
/// Emails a code to the new address and a notice to the old one.
///
/// # Errors
/// The session is not confirmed; the new address is invalid, or the viewer's own; too many requests.
pub async fn change_email(app: &App, actor: &Actor, client: &Client, input: ChangeEmailInput) -> Result<EmailChange> {
    let mut check = Check::new();
    let new_email = check_email(&mut check, "newEmail", &input.new_email);
    check.finish()?;
    let confirmed = confirm_session(app, actor, client, input.password).await?;
    // Like a registration, this sends email to an address that may belong to anyone.
    app.throttle.attempt(Purpose::Registration, client.address(), Some(&new_email)).await?;
    app.throttle.email(&new_email).await?;
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let user = confirmed.lock(tx, app).await?;
            if user.email == new_email {
                return Err(error::own_email());
            }
            query::end(tx, user.id, now).await?;
            let change_id = EmailChangeId::new(app.clock.uuid());
            let change = query::insert(tx, change_id, &user, &new_email, now).await?;
            outbox::record(tx, &app.clock, &EmailChangeRequested { email_change_id: change.id }).await?;
            note(tx, app, client, Action::EmailChangeRequested, &change).await?;
            Ok(change)
        })
        .await
}

/// Confirms a change and sets the new email address.
///
/// # Errors
/// The code or link is wrong or expired; a code was sent without a session; another user has registered the address in
/// the meantime.
pub async fn confirm_email_change(
    app: &App,
    actor: &Actor,
    client: &Client,
    input: ConfirmEmailChangeInput,
) -> Result<User> {
    match input {
        ConfirmEmailChangeInput::Code(code) => confirm_by_code(app, client, signed_in(actor)?.0, &code).await,
        ConfirmEmailChangeInput::Token(token) => confirm_by_link(app, client, &token).await,
    }
}

async fn confirm_by_code(app: &App, client: &Client, id: UserId, code: &str) -> Result<User> {
    let attempt = app.throttle.attempt(Purpose::Activation, client.address(), Some(&id.encode())).await?;
    let now = app.clock.now();
    let outcome = app
        .db
        .transaction(async |tx| {
            user::lock(tx, id).await?.ok_or_else(error::no_such_user)?;
            let waiting = query::waiting(tx.conn(), id).await?;
            let good = waiting.filter(|change| change.is_live(now) && change.tries_left > 0);
            let Some(change) = good else { return Ok(Err(error::code_over())) };
            let right = app.codes.is_code(code, Proof::EmailChange, change.id.uuid(), STATE);
            if right && let Some(user) = apply(tx, app, client, &change).await? {
                return Ok(Ok(user));
            }
            // This includes the right code for an address that has an account: that code was never emailed.
            Ok::<_, Error>(Err(error::wrong_mailed_code(query::use_try(tx, change.id).await?)))
        })
        .await?;
    if outcome.is_ok() {
        app.throttle.succeeded(attempt).await;
    }
    outcome
}

async fn confirm_by_link(app: &App, client: &Client, token: &str) -> Result<User> {
    let link = Link::parse(token).ok_or_else(error::link_over)?;
    let id = EmailChangeId::new(link.id);
    let attempt = app.throttle.attempt(Purpose::Activation, client.address(), Some(&id.encode())).await?;
    let now = app.clock.now();
    if !app.codes.is_link(&link, Proof::EmailChange, STATE, now) {
        return Err(error::link_over());
    }
    let user = app
        .db
        .transaction(async |tx| {
            let found = query::by_id(tx.conn(), id).await?.ok_or_else(error::link_over)?;
            user::lock(tx, found.user_id).await?.ok_or_else(error::link_over)?;
            let found = query::by_id(tx.conn(), id).await?.filter(|change| change.is_live(now));
            let change = found.ok_or_else(error::link_over)?;
            apply(tx, app, client, &change).await?.ok_or_else(error::has_account)
        })
        .await?;
    app.throttle.succeeded(attempt).await;
    Ok(user)
}

/// Sets the new email address; returns `None` if another user has it.
async fn apply(tx: &mut Tx, app: &App, client: &Client, change: &EmailChange) -> Result<Option<User>> {
    let now = app.clock.now();
    let applied = query::apply(tx, change, now).await.map_err(|error| match db::is_taken(&error, "users_email_key") {
        // Another user has registered it concurrently.
        true => error::has_account(),
        false => error.into(),
    });
    let Some(user) = applied? else { return Ok(None) };
    suppression::lift(tx, &user.email).await?;
    query::end(tx, user.id, now).await?;
    note(tx, app, client, Action::EmailChanged, change).await?;
    Ok(Some(user))
}

async fn note(tx: &mut Tx, app: &App, client: &Client, action: Action, change: &EmailChange) -> Result<()> {
    let (who, details) = (Some(change.user_id.uuid()), json!({ "emailChangeId": change.id }));
    let entry = Entry { action, actor: who, subject: who, client, details };
    audit::record(tx.conn(), app.clock.uuid(), app.clock.now(), entry).await?;
    Ok(())
}
