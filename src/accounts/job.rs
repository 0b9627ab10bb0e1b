//! What follows from what happened to accounts, and the clean-up.

mod email_change;
mod mails;
mod password;
mod registration;

use std::time::Duration;

use futures_util::FutureExt;

pub use self::mails::mails;
use super::command;
use super::event::{SecondFactorChanged, SessionReplayed, UserRegistered};
use super::loader::UserById;
use super::model::{Device, FactorChange};
use super::query::second_factor;
use crate::graphql::loaders::Load;
use crate::platform::App;
use crate::platform::fault::Fault;
use crate::platform::jobs::Handler;
use crate::platform::mail;
use crate::platform::outbox::Event;

/// The jobs of this feature.
pub fn handlers() -> Vec<Handler> {
    let here = [
        Handler {
            name: "accounts.welcome",
            on: Some(UserRegistered::KIND),
            cron: None,
            timeout: Duration::from_secs(30),
            run: |app, payload| async move { welcome(&app, serde_json::from_value(payload)?).await }.boxed(),
        },
        Handler {
            name: "accounts.warn_of_replay",
            on: Some(SessionReplayed::KIND),
            cron: None,
            timeout: Duration::from_secs(30),
            run: |app, payload| async move { warn_of_replay(&app, serde_json::from_value(payload)?).await }.boxed(),
        },
        Handler {
            name: "accounts.tell_of_second_factor",
            on: Some(SecondFactorChanged::KIND),
            cron: None,
            timeout: Duration::from_secs(30),
            run: |app, payload| {
                async move { tell_of_second_factor(&app, serde_json::from_value(payload)?).await }.boxed()
            },
        },
        Handler {
            name: "accounts.sweep_sessions",
            on: None,
            cron: Some("29 * * * *"),
            timeout: Duration::from_secs(600),
            run: |app, _| async move { command::sweep(&app).await }.boxed(),
        },
        Handler {
            name: "accounts.sweep_identity_attempts",
            on: None,
            cron: Some("*/10 * * * *"),
            timeout: Duration::from_secs(60),
            run: |app, _| async move { command::sweep_attempts(&app).await }.boxed(),
        },
    ];
    here.into_iter()
        .chain(registration::handlers())
        .chain(password::handlers())
        .chain(email_change::handlers())
        .collect()
}

async fn welcome(app: &App, event: UserRegistered) -> Result<(), Fault> {
    let mut found = UserById::load(app, &[UserById(event.user_id)]).await?;
    // Deleted in the meantime: nobody to greet.
    let Some(user) = found.remove(&UserById(event.user_id)) else { return Ok(()) };
    let mail = mail::render(&app.config, &mails::WELCOME, &user.email, mails::Welcome { name: &user.name })?;
    app.mailer.send(&mail, app.clock.now()).await
}

async fn warn_of_replay(app: &App, event: SessionReplayed) -> Result<(), Fault> {
    let mut found = UserById::load(app, &[UserById(event.user_id)]).await?;
    let Some(user) = found.remove(&UserById(event.user_id)) else { return Ok(()) };
    let context = mails::SessionStolen {
        name: &user.name,
        device: &Device::of(&event.user_agent).name,
        ip: event.ip.as_deref().unwrap_or("unknown"),
        at: event.at,
    };
    let mail = mail::render(&app.config, &mails::SESSION_STOLEN, &user.email, context)?;
    app.mailer.send(&mail, app.clock.now()).await
}

async fn tell_of_second_factor(app: &App, event: SecondFactorChanged) -> Result<(), Fault> {
    let mut found = UserById::load(app, &[UserById(event.user_id)]).await?;
    let Some(user) = found.remove(&UserById(event.user_id)) else { return Ok(()) };
    let change = match event.change {
        FactorChange::Enabled => mails::SecondFactorChange::Enabled,
        FactorChange::Disabled => mails::SecondFactorChange::Disabled,
        FactorChange::RecoveryCodeUsed => {
            let state = second_factor::state(&mut *app.db.read().await?, event.user_id).await?;
            mails::SecondFactorChange::RecoveryCodeUsed { left: state.map_or(0, |state| state.codes_left) }
        }
        // Whoever made new ones has them before their eyes.
        FactorChange::CodesRenewed => return Ok(()),
    };
    let context = mails::SecondFactorChanged { name: &user.name, at: event.at, change };
    let mail = mail::render(&app.config, &mails::SECOND_FACTOR_CHANGED, &user.email, context)?;
    app.mailer.send(&mail, app.clock.now()).await
}
