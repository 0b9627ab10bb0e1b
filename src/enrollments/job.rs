//! Access that ends by itself.

use std::time::Duration;

use futures_util::FutureExt;
use serde::Deserialize;

use super::command;
use crate::accounts::{UserDeleted, UserId};
use crate::catalog::CourseId;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

/// The jobs of this feature.
pub fn handlers() -> Vec<Handler> {
    vec![
        Handler {
            name: command::EXPIRE,
            on: None,
            cron: None,
            timeout: Duration::from_secs(30),
            run: |app, payload| {
                async move {
                    let Expired { course_id, user_id } = serde_json::from_value(payload)?;
                    command::expire(&app, course_id, user_id).await
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

/// Whose access to which course was to end.
#[derive(Deserialize)]
struct Expired {
    course_id: CourseId,
    user_id: UserId,
}
