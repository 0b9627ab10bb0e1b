//! Reactions to events, of which users are told, and the cleanup of old notifications.

mod kind;
mod mails;
mod send;
mod text;

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::FutureExt;
use serde::Deserialize;
use uuid::Uuid;

pub use self::kind::default_of;
pub(crate) use self::kind::name_of;
pub use self::mails::{mails, push_messages};
pub use self::text::text;
pub(crate) use self::text::{Language, Names};
use super::command;
use super::event::NotificationCreated;
use super::query::retention::{DELIVERIES, EVENTS, NOTIFICATIONS, READ, RECEIPTS};
use crate::accounts::{UserDeleted, UserId};
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;
use crate::platform::retention::{TIMEOUT, delete};

/// The timeout of a run that sends. A lease is sent within four minutes, and more runs follow.
const SENDING: Duration = Duration::from_secs(1800);
/// How long it is known what was sent.
const DELIVERY_AGE: TimeDelta = TimeDelta::days(30);

/// What [`command::WALK`] reads of the event and of its own payload.
#[derive(Deserialize)]
struct Walked {
    occurrence: Uuid,
}

/// The payload of [`command::COMPACT`].
#[derive(Deserialize)]
struct Marking {
    user: UserId,
}

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
        Handler::reaction(command::WALK, NotificationCreated::KIND, Duration::from_secs(300), |app, payload| {
            async move {
                let Walked { occurrence } = serde_json::from_value(payload)?;
                command::walk(&app, occurrence).await
            }
            .boxed()
        }),
        Handler::queued(command::COMPACT, Duration::from_secs(60), |app, payload| {
            async move {
                let Marking { user } = serde_json::from_value(payload)?;
                command::compact(&app, user).await
            }
            .boxed()
        }),
        // What is due later, such as after quiet hours, is looked for each minute.
        Handler::scheduled(command::SEND, "* * * * *", SENDING, |app, _| send::send(app).boxed()),
        Handler::scheduled("notifications.forget_deliveries", "41 3 * * *", TIMEOUT, |app, _| {
            async move {
                // Before the first of the deliveries of a day are deleted.
                command::keep_reports(&app, app.clock.now() - DELIVERY_AGE + TimeDelta::days(2)).await?;
                delete(app, &[DELIVERIES], DELIVERY_AGE).await
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
