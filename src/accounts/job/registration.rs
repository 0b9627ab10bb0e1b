//! Activation emails, and the cleanup of expired registrations.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;

use super::mails;
use crate::accounts::event::ActivationRequested;
use crate::accounts::model::Registration;
use crate::accounts::query::{registration as query, user};
use crate::platform::App;
use crate::platform::auth::Proof;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::mail::{self, Mail};
use crate::platform::outbox::Event;

pub(super) fn handlers() -> [Handler; 1] {
    let timeout = Duration::from_secs(30);
    [Handler::reaction("accounts.mail_activation", ActivationRequested::KIND, timeout, |app, payload| {
        async move { mail_activation(&app, serde_json::from_value(payload)?).await }.boxed()
    })]
}

async fn mail_activation(app: &App, event: ActivationRequested) -> Result<(), InternalError> {
    let now = app.clock.now();
    let found = query::by_id(&mut *app.db.read().await?, event.registration_id).await?;
    // Activated, expired or resent in the meantime; a resend sends its own email.
    let current = found.filter(|row| row.is_live(now) && row.resends == event.resends);
    let Some(registration) = current else { return Ok(()) };
    app.mailer.send(&activation(app, &registration, now).await?, now).await
}

async fn activation(app: &App, registration: &Registration, now: DateTime<Utc>) -> Result<Mail, InternalError> {
    if let Some(mail) = already_registered(app, &registration.email).await? {
        return Ok(mail);
    }
    let (id, state) = (registration.id.uuid(), registration.state());
    let token = app.codes.link(Proof::Activation, id, registration.expires_at, &state);
    let context = mails::Activation {
        code: &app.codes.code(Proof::Activation, id, &state),
        link: &format!("{}/activate?token={token}", app.config.app_url),
        minutes: minutes(registration.expires_at - now),
    };
    mail::render(&app.config, &mails::ACTIVATION, &registration.email, context)
}

/// Returns the email to send instead of a code if the address already has an account.
pub(super) async fn already_registered(app: &App, email: &str) -> Result<Option<Mail>, InternalError> {
    let owner = user::by_email(&mut *app.db.read().await?, email).await?;
    let Some(owner) = owner else { return Ok(None) };
    let context = mails::AlreadyRegistered { name: &owner.name };
    mail::render(&app.config, &mails::ALREADY_REGISTERED, email, context).map(Some)
}

/// Rounds up to minutes, so that a slightly delayed email still says 30 minutes.
pub(super) fn minutes(left: TimeDelta) -> i64 {
    (left + TimeDelta::seconds(59)).num_minutes()
}
