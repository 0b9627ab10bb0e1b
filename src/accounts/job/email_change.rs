//! Emails about a change of address: a confirmation to the new one, a warning to the old one.

use std::time::Duration;

use futures_util::FutureExt;

use super::mails;
use super::registration::{already_registered, minutes};
use crate::accounts::command::EMAIL_CHANGE_STATE;
use crate::accounts::event::EmailChangeRequested;
use crate::accounts::loader::UserById;
use crate::accounts::model::EmailChange;
use crate::accounts::query::email_change as query;
use crate::graphql::loaders::Load;
use crate::platform::App;
use crate::platform::auth::Proof;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::mail;
use crate::platform::outbox::Event;

/// Two jobs, so that a retry of one email does not send the other one twice.
pub(super) fn handlers() -> [Handler; 2] {
    [
        Handler::reaction(
            "accounts.mail_email_change",
            EmailChangeRequested::KIND,
            Duration::from_secs(30),
            |app, payload| async move { mail_new(&app, serde_json::from_value(payload)?).await }.boxed(),
        ),
        Handler::reaction(
            "accounts.notice_email_change",
            EmailChangeRequested::KIND,
            Duration::from_secs(30),
            |app, payload| async move { notice_old(&app, serde_json::from_value(payload)?).await }.boxed(),
        ),
    ]
}

async fn mail_new(app: &App, event: EmailChangeRequested) -> Result<(), InternalError> {
    let now = app.clock.now();
    let found = query::by_id(&mut *app.db.read().await?, event.email_change_id).await?;
    let Some(change) = found.filter(|change| change.is_live(now)) else { return Ok(()) };
    let mail = match already_registered(app, &change.new_email).await? {
        Some(mail) => mail,
        None => confirmation(app, &change)?,
    };
    app.mailer.send(&mail, now).await
}

fn confirmation(app: &App, change: &EmailChange) -> Result<mail::Mail, InternalError> {
    let id = change.id.uuid();
    let token = app.codes.link(Proof::EmailChange, id, change.expires_at, EMAIL_CHANGE_STATE);
    let context = mails::EmailChangeConfirm {
        code: &app.codes.code(Proof::EmailChange, id, EMAIL_CHANGE_STATE),
        link: &format!("{}/confirm-email?token={token}", app.config.app_url),
        minutes: minutes(change.expires_at - app.clock.now()),
    };
    mail::render(&app.config, &mails::EMAIL_CHANGE_CONFIRM, &change.new_email, context)
}

/// Warns the old address, even if the change was confirmed in the meantime.
async fn notice_old(app: &App, event: EmailChangeRequested) -> Result<(), InternalError> {
    let found = query::by_id(&mut *app.db.read().await?, event.email_change_id).await?;
    let Some(change) = found else { return Ok(()) };
    let Some(user) = UserById(change.user_id).load_one(app).await? else { return Ok(()) };
    let (new_email, at) = (change.new_email.as_str(), change.requested_at);
    let context = mails::EmailChangeNotice { name: &user.name, new_email, at };
    let mail = mail::render(&app.config, &mails::EMAIL_CHANGE_NOTICE, &change.old_email, context)?;
    app.mailer.send(&mail, app.clock.now()).await
}
