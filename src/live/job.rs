//! The jobs of live sessions: their end, reminders, and the places of deleted users.

use std::time::Duration;

use futures_util::FutureExt;

use super::command;
use crate::accounts::UserDeleted;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

/// Returns the job handlers of this feature.
pub fn handlers() -> Vec<Handler> {
    let long = Duration::from_secs(600);
    vec![
        Handler::scheduled("live.settle", "* * * * *", long, |app, _| {
            async move { command::settle_all(&app).await }.boxed()
        }),
        Handler::scheduled("live.remind", "* * * * *", long, |app, _| {
            async move { command::remind(&app).await }.boxed()
        }),
        Handler::reaction("live.forget_user", UserDeleted::KIND, Duration::from_secs(300), |app, payload| {
            async move {
                let UserDeleted { user_id } = serde_json::from_value(payload)?;
                command::forget_user(&app, user_id).await
            }
            .boxed()
        }),
    ]
}
