//! Reactions to events.

use std::time::Duration;

use futures_util::FutureExt;

use super::command;
use crate::accounts::UserDeleted;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

/// Returns the job handlers of this feature.
pub fn handlers() -> Vec<Handler> {
    vec![Handler::reaction("discussions.forget_user", UserDeleted::KIND, Duration::from_secs(300), |app, payload| {
        async move {
            let UserDeleted { user_id } = serde_json::from_value(payload)?;
            command::forget_user(&app, user_id).await
        }
        .boxed()
    })]
}
