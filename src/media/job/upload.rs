//! The jobs that complete uploads and clean up after them.

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::FutureExt;
use serde::Deserialize;

use crate::accounts::UserDeleted;
use crate::media::command;
use crate::media::model::UploadId;
use crate::media::query::upload::UPLOADS;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;
use crate::platform::retention;

/// How long uploads are retained after their end.
const KEPT: TimeDelta = TimeDelta::days(30);

/// The payload of the job for an event of the store.
#[derive(Deserialize)]
struct Arrival {
    upload_id: UploadId,
    key: String,
}

pub(super) fn handlers() -> Vec<Handler> {
    vec![
        Handler::queued(command::HANDLE_ARRIVAL, Duration::from_secs(900), |app, payload| {
            async move {
                let Arrival { upload_id, key } = serde_json::from_value(payload)?;
                command::handle_arrival(&app, upload_id, &key).await
            }
            .boxed()
        }),
        Handler::queued(command::REMOVE_OBJECTS, Duration::from_secs(300), |app, payload| {
            async move { command::remove_objects(&app, serde_json::from_value(payload)?).await }.boxed()
        }),
        Handler::scheduled("media.watch_uploads", "* * * * *", Duration::from_secs(900), |app, _| {
            async move { command::watch_uploads(&app).await }.boxed()
        }),
        Handler::scheduled("media.sweep_uploads", "*/10 * * * *", Duration::from_secs(900), |app, _| {
            async move { command::sweep_uploads(&app).await }.boxed()
        }),
        Handler::scheduled("media.forget_uploads", "7 * * * *", retention::TIMEOUT, |app, _| {
            retention::delete(app, &[UPLOADS], KEPT)
        }),
        Handler::scheduled("media.report_orphans", "41 4 * * 0", Duration::from_secs(3600), |app, _| {
            async move { command::report_orphans(&app).await }.boxed()
        }),
        Handler::reaction("media.forget_person", UserDeleted::KIND, Duration::from_secs(120), |app, payload| {
            async move {
                let deleted: UserDeleted = serde_json::from_value(payload)?;
                command::forget_person(&app, deleted.user_id).await
            }
            .boxed()
        }),
    ]
}
