//! Background jobs of the catalog: scheduled publication, sort keys, student counts, durations.

use std::time::Duration;

use futures_util::FutureExt;
use serde::Deserialize;

use super::command;
use super::model::CourseId;
use crate::media::VideoProcessed;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

/// The jobs of this feature.
pub fn handlers() -> Vec<Handler> {
    vec![
        Handler {
            name: command::PUBLISH_DUE,
            on: None,
            cron: None,
            timeout: Duration::from_secs(30),
            run: |app, payload| {
                async move {
                    let Due { course_id } = serde_json::from_value(payload)?;
                    command::publish_due(&app, course_id).await
                }
                .boxed()
            },
        },
        Handler {
            name: "catalog.publish_missed",
            on: None,
            cron: Some("* * * * *"),
            timeout: Duration::from_secs(300),
            run: |app, _| async move { command::publish_missed(&app).await }.boxed(),
        },
        Handler {
            name: "catalog.refresh_sort_keys",
            on: None,
            cron: Some("* * * * *"),
            timeout: Duration::from_secs(300),
            run: |app, _| async move { command::refresh_sort_keys(&app).await }.boxed(),
        },
        Handler {
            name: "catalog.recount_students",
            on: None,
            cron: Some("17 3 * * *"),
            timeout: Duration::from_secs(3600),
            run: |app, _| async move { command::recount_students(&app).await }.boxed(),
        },
        Handler {
            name: "catalog.take_duration",
            on: Some(VideoProcessed::KIND),
            cron: None,
            timeout: Duration::from_secs(60),
            run: |app, payload| {
                async move { command::take_duration(&app, serde_json::from_value(payload)?).await }.boxed()
            },
        },
    ]
}

/// The payload of [`command::PUBLISH_DUE`]: the course in which something is due.
#[derive(Deserialize)]
struct Due {
    course_id: CourseId,
}
