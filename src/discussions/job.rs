//! Reactions to events: the counts that lists are sorted by, and the cleanup after an account is deleted. And the nightly
//! recount of votes and replies.

use std::time::Duration;

use futures_util::FutureExt;
use serde::Deserialize;
use uuid::Uuid;

use super::command;
use crate::accounts::UserDeleted;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

/// Returns the job handlers of this feature.
pub fn handlers() -> Vec<Handler> {
    let timeout = Duration::from_secs(60);
    vec![
        Handler::queued(command::FOLLOW_COUNTS, timeout, |app, payload| {
            async move {
                let Counted { post } = serde_json::from_value(payload)?;
                command::follow_counts(&app, post).await
            }
            .boxed()
        }),
        Handler::reaction("discussions.forget_user", UserDeleted::KIND, Duration::from_secs(300), |app, payload| {
            async move {
                let UserDeleted { user_id } = serde_json::from_value(payload)?;
                command::forget_user(&app, user_id).await
            }
            .boxed()
        }),
        Handler::scheduled("discussions.recount_posts", "41 3 * * *", Duration::from_secs(3600), |app, _| {
            async move { command::recount_posts(&app).await }.boxed()
        }),
    ]
}

/// The payload of [`command::FOLLOW_COUNTS`].
#[derive(Deserialize)]
struct Counted {
    post: Uuid,
}
