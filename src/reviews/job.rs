//! Reactions to access that ends and returns, and the nightly recount of the ratings.

use std::time::Duration;

use futures_util::FutureExt;

use super::command;
use crate::catalog::CourseId;
use crate::entitlements::{AccessEnded, AccessGranted, EndReason};
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

/// Returns the job handlers of this feature.
pub fn handlers() -> Vec<Handler> {
    let timeout = Duration::from_secs(60);
    vec![
        Handler::reaction("reviews.lose_rating", AccessEnded::KIND, timeout, |app, payload| {
            async move {
                let event: AccessEnded = serde_json::from_value(payload)?;
                match event.reason {
                    EndReason::Refunded => {
                        command::follow_access(&app, event.user_id, event.course_id.map(CourseId::new)).await
                    }
                    EndReason::Expired
                    | EndReason::Revoked
                    | EndReason::AccountDeleted
                    | EndReason::MembershipChanged => Ok(()),
                }
            }
            .boxed()
        }),
        Handler::reaction("reviews.regain_rating", AccessGranted::KIND, timeout, |app, payload| {
            async move {
                let event: AccessGranted = serde_json::from_value(payload)?;
                command::follow_access(&app, event.user_id, event.course_id.map(CourseId::new)).await
            }
            .boxed()
        }),
        Handler::scheduled("reviews.recount_ratings", "37 3 * * *", Duration::from_secs(3600), |app, _| {
            async move { command::recount_ratings(&app).await }.boxed()
        }),
    ]
}
