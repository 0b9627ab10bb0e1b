//! Emails about passwords.

use std::time::Duration;

use futures_util::FutureExt;

use super::mails;
use super::registration::minutes;
use crate::accounts::event::{PasswordChanged, PasswordResetRequested};
use crate::accounts::loader::UserById;
use crate::accounts::model::{CODE_LIFETIME, UserId};
use crate::accounts::query::{identity, user as query};
use crate::graphql::loaders::Load;
use crate::platform::App;
use crate::platform::auth::Proof;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::mail;
use crate::platform::outbox::Event;

pub(super) fn handlers() -> [Handler; 2] {
    [
        Handler::reaction(
            "accounts.mail_password_reset",
            PasswordResetRequested::KIND,
            Duration::from_secs(30),
            |app, payload| async move { mail_reset(&app, serde_json::from_value(payload)?).await }.boxed(),
        ),
        Handler::reaction(
            "accounts.notice_password_change",
            PasswordChanged::KIND,
            Duration::from_secs(30),
            |app, payload| async move { notice_change(&app, serde_json::from_value(payload)?).await }.boxed(),
        ),
    ]
}

async fn mail_reset(app: &App, event: PasswordResetRequested) -> Result<(), InternalError> {
    let (now, expires_at) = (app.clock.now(), event.at + CODE_LIFETIME);
    let Some(id) = event.user_id.filter(|_| now < expires_at) else { return Ok(()) };
    let found = query::credentials_of(&mut *app.db.read().await?, id).await?;
    let Some(found) = found else { return Ok(()) };
    let token = app.codes.link(Proof::PasswordReset, id.uuid(), expires_at, &found.reset_state());
    let linked = linked_providers(app, id).await?;
    let context = mails::PasswordReset {
        name: &found.user.name,
        linked: &linked,
        link: &format!("{}/reset-password?token={token}", app.config.app_url),
        minutes: minutes(expires_at - now),
    };
    let mail = mail::render(&app.config, &mails::PASSWORD_RESET, &found.user.email, context)?;
    app.mailer.send(&mail, now).await
}

/// Returns the names of the identity providers that the user can sign in with.
async fn linked_providers(app: &App, user: UserId) -> Result<Vec<String>, InternalError> {
    let linked = identity::of_users(&mut *app.db.read().await?, &[user]).await?;
    Ok(linked.iter().map(|identity| app.identity.name_of(&identity.issuer).to_owned()).collect())
}

async fn notice_change(app: &App, event: PasswordChanged) -> Result<(), InternalError> {
    let Some(user) = UserById(event.user_id).load_one(app).await? else { return Ok(()) };
    let linked = linked_providers(app, user.id).await?;
    let context = mails::PasswordChanged { name: &user.name, linked: &linked, at: event.at };
    let mail = mail::render(&app.config, &mails::PASSWORD_CHANGED, &user.email, context)?;
    app.mailer.send(&mail, app.clock.now()).await
}
