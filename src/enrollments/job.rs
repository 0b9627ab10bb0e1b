//! The jobs for expired access, deleted users and inactive players.

use std::time::Duration;

use futures_util::FutureExt;
use serde::Deserialize;

use super::command;
use crate::accounts::UserDeleted;
use crate::entitlements::EntitlementId;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

/// Returns the job handlers of this feature.
pub fn handlers() -> Vec<Handler> {
    vec![
        Handler {
            name: command::EXPIRE,
            on: None,
            cron: None,
            timeout: Duration::from_secs(30),
            run: |app, payload| {
                async move {
                    let Expires { entitlement_id } = serde_json::from_value(payload)?;
                    command::expire(&app, entitlement_id).await
                }
                .boxed()
            },
        },
        Handler {
            name: "enrollments.expire_due",
            on: None,
            cron: Some("*/10 * * * *"),
            timeout: Duration::from_secs(600),
            run: |app, _| async move { command::expire_due(&app).await }.boxed(),
        },
        Handler {
            name: "enrollments.forget_players",
            on: None,
            cron: Some("41 * * * *"),
            timeout: Duration::from_secs(60),
            run: |app, _| async move { command::forget_players(&app).await }.boxed(),
        },
        Handler {
            name: "enrollments.forget_user",
            on: Some(UserDeleted::KIND),
            cron: None,
            timeout: Duration::from_secs(300),
            run: |app, payload| {
                async move {
                    let UserDeleted { user_id } = serde_json::from_value(payload)?;
                    command::forget_user(&app, user_id).await
                }
                .boxed()
            },
        },
    ]
}

/// The payload of the job that ends an entitlement.
#[derive(Deserialize)]
struct Expires {
    entitlement_id: EntitlementId,
}
