//! What follows from what happened to accounts, and the clean-up of sessions.

use std::time::Duration;

use futures_util::FutureExt;

use super::command;
use super::event::{SessionReplayed, UserRegistered};
use super::loader::UserById;
use super::model::Device;
use crate::graphql::loaders::Load;
use crate::platform::App;
use crate::platform::fault::Fault;
use crate::platform::jobs::Handler;
use crate::platform::mail::Mail;
use crate::platform::outbox::Event;

/// The jobs of this feature.
pub fn handlers() -> Vec<Handler> {
    vec![
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
            name: "accounts.sweep_sessions",
            on: None,
            cron: Some("29 * * * *"),
            timeout: Duration::from_secs(600),
            run: |app, _| async move { command::sweep(&app).await }.boxed(),
        },
    ]
}

async fn welcome(app: &App, event: UserRegistered) -> Result<(), Fault> {
    let mut found = UserById::load(app, &[UserById(event.user_id)]).await?;
    // Deleted in the meantime: nobody to greet.
    let Some(user) = found.remove(&UserById(event.user_id)) else { return Ok(()) };
    let text = format!(
        "Hello {},\n\nyour account is ready. Sign in with this e-mail address:\n{}\n\nEnjoy learning!\n",
        user.name, app.config.public_url
    );
    let mail = Mail { to: user.email.clone(), subject: "Welcome to Lyceum".into(), text, html: None };
    app.mailer.send(&mail, app.clock.now()).await
}

async fn warn_of_replay(app: &App, event: SessionReplayed) -> Result<(), Fault> {
    let mut found = UserById::load(app, &[UserById(event.user_id)]).await?;
    let Some(user) = found.remove(&UserById(event.user_id)) else { return Ok(()) };
    let text = format!(
        "Hello {},\n\na sign-in of yours was used from two places, so we have ended it. The second one was {} at {}, on {}.\n\n\
         If that was not you, change your password:\n{}\n",
        user.name,
        Device::of(&event.user_agent).name,
        event.ip.as_deref().unwrap_or("an unknown address"),
        event.at.format("%Y-%m-%d %H:%M UTC"),
        app.config.public_url
    );
    let mail = Mail { to: user.email.clone(), subject: "We ended one of your sessions".into(), text, html: None };
    app.mailer.send(&mail, app.clock.now()).await
}
