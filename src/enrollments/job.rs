//! The jobs for expired access, deleted users and inactive players.

use std::time::Duration;

use futures_util::FutureExt;
use serde::Deserialize;

use super::command;
use super::query::player::PLAYERS;
use crate::accounts::UserDeleted;
use crate::entitlements::EntitlementId;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;
use crate::platform::retention;

/// Returns the job handlers of this feature.
pub fn handlers() -> Vec<Handler> {
    vec![
        Handler::queued(command::EXPIRE, Duration::from_secs(30), |app, payload| {
            async move {
                let Expires { entitlement_id } = serde_json::from_value(payload)?;
                command::expire(&app, entitlement_id).await
            }
            .boxed()
        }),
        Handler::scheduled("enrollments.expire_due", "*/10 * * * *", Duration::from_secs(600), |app, _| {
            async move { command::expire_due(&app).await }.boxed()
        }),
        Handler::scheduled("enrollments.forget_players", "41 * * * *", retention::TIMEOUT, |app, _| {
            retention::delete(app, &[PLAYERS], command::SILENCE)
        }),
        Handler::reaction("enrollments.forget_user", UserDeleted::KIND, Duration::from_secs(300), |app, payload| {
            async move {
                let UserDeleted { user_id } = serde_json::from_value(payload)?;
                command::forget_user(&app, user_id).await
            }
            .boxed()
        }),
    ]
}

/// The payload of the job that ends an entitlement.
#[derive(Deserialize)]
struct Expires {
    entitlement_id: EntitlementId,
}
