//! The jobs that complete uploads and clean up after them.

use std::time::Duration;

use futures_util::FutureExt;
use serde::Deserialize;

use crate::accounts::UserDeleted;
use crate::media::command;
use crate::media::model::UploadId;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

/// The payload of the job for an event of the store.
#[derive(Deserialize)]
struct Arrival {
    upload_id: UploadId,
    key: String,
}

pub(super) fn handlers() -> Vec<Handler> {
    vec![
        Handler {
            name: command::HANDLE_ARRIVAL,
            on: None,
            cron: None,
            timeout: Duration::from_secs(900),
            run: |app, payload| {
                async move {
                    let Arrival { upload_id, key } = serde_json::from_value(payload)?;
                    command::handle_arrival(&app, upload_id, &key).await
                }
                .boxed()
            },
        },
        Handler {
            name: command::REMOVE_OBJECTS,
            on: None,
            cron: None,
            timeout: Duration::from_secs(300),
            run: |app, payload| {
                async move { command::remove_objects(&app, serde_json::from_value(payload)?).await }.boxed()
            },
        },
        Handler {
            name: "media.watch_uploads",
            on: None,
            cron: Some("* * * * *"),
            timeout: Duration::from_secs(900),
            run: |app, _| async move { command::watch_uploads(&app).await }.boxed(),
        },
        Handler {
            name: "media.sweep_uploads",
            on: None,
            cron: Some("*/10 * * * *"),
            timeout: Duration::from_secs(900),
            run: |app, _| async move { command::sweep_uploads(&app).await }.boxed(),
        },
        Handler {
            name: "media.report_orphans",
            on: None,
            cron: Some("41 4 * * 0"),
            timeout: Duration::from_secs(3600),
            run: |app, _| async move { command::report_orphans(&app).await }.boxed(),
        },
        Handler {
            name: "media.forget_person",
            on: Some(UserDeleted::KIND),
            cron: None,
            timeout: Duration::from_secs(120),
            run: |app, payload| {
                async move {
                    let deleted: UserDeleted = serde_json::from_value(payload)?;
                    command::forget_person(&app, deleted.user_id).await
                }
                .boxed()
            },
        },
    ]
}
