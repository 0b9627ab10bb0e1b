//! What follows when somebody registers.

use std::time::Duration;

use futures_util::FutureExt;

use super::event::UserRegistered;
use super::loader::UserById;
use crate::graphql::loaders::Load;
use crate::platform::App;
use crate::platform::fault::Fault;
use crate::platform::jobs::Handler;
use crate::platform::mail::Mail;
use crate::platform::outbox::Event;

/// The jobs of this feature.
pub fn handlers() -> Vec<Handler> {
    vec![Handler {
        name: "accounts.welcome",
        on: Some(UserRegistered::KIND),
        cron: None,
        timeout: Duration::from_secs(30),
        run: |app, payload| async move { welcome(&app, serde_json::from_value(payload)?).await }.boxed(),
    }]
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
