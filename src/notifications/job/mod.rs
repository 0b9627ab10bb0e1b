//! Reactions to events, of which users are told, and the cleanup of old notifications.

mod kind;
mod text;

use std::time::Duration;

use futures_util::FutureExt;

pub(super) use self::kind::default_of;
pub(super) use self::text::{Language, Names, text};
use super::command;
use super::query::retention::{EVENTS, NOTIFICATIONS, READ, RECEIPTS};
use crate::accounts::UserDeleted;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;
use crate::platform::retention::{TIMEOUT, delete};

/// Returns the job handlers of this feature.
pub fn handlers() -> Vec<Handler> {
    let own = [
        Handler::reaction("notifications.forget_user", UserDeleted::KIND, Duration::from_secs(300), |app, payload| {
            async move {
                let UserDeleted { user_id } = serde_json::from_value(payload)?;
                command::forget_user(&app, user_id).await
            }
            .boxed()
        }),
        // Receipts first, so that few are left that are deleted with their notification.
        Handler::scheduled("notifications.sweep", "43 3 * * *", TIMEOUT, |app, _| {
            let age = app.config.notifications.age;
            delete(app, &[RECEIPTS, EVENTS, NOTIFICATIONS], age)
        }),
        Handler::scheduled("notifications.sweep_read", "47 3 * * *", TIMEOUT, |app, _| {
            let age = app.config.notifications.read_age;
            delete(app, &[READ], age)
        }),
    ];
    own.into_iter().chain(kind::handlers()).collect()
}
