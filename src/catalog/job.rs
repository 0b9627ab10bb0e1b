//! Background jobs of the catalog: scheduled publication, sort keys, student counts, durations.

use std::time::Duration;

use futures_util::FutureExt;
use serde::Deserialize;

use super::command;
use super::model::CourseId;
use crate::media::{FileUploaded, UploadId, VideoProcessed};
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

/// The jobs of this feature.
pub fn handlers() -> Vec<Handler> {
    vec![
        Handler::queued(command::PUBLISH_DUE, Duration::from_secs(30), |app, payload| {
            async move {
                let Due { course_id } = serde_json::from_value(payload)?;
                command::publish_due(&app, course_id).await
            }
            .boxed()
        }),
        Handler::scheduled("catalog.publish_missed", "* * * * *", Duration::from_secs(300), |app, _| {
            async move { command::publish_missed(&app).await }.boxed()
        }),
        Handler::scheduled("catalog.refresh_sort_keys", "* * * * *", Duration::from_secs(300), |app, _| {
            async move { command::refresh_sort_keys(&app).await }.boxed()
        }),
        Handler::scheduled("catalog.recount_students", "17 3 * * *", Duration::from_secs(3600), |app, _| {
            async move { command::recount_students(&app).await }.boxed()
        }),
        Handler::reaction("catalog.take_duration", VideoProcessed::KIND, Duration::from_secs(60), |app, payload| {
            async move {
                let event: VideoProcessed = serde_json::from_value(payload)?;
                command::take_duration(&app, &event).await?;
                command::publish_waiting(&app, event.video_id).await
            }
            .boxed()
        }),
        Handler::reaction("catalog.attach_video", VideoProcessed::KIND, Duration::from_secs(60), |app, payload| {
            async move {
                let event: VideoProcessed = serde_json::from_value(payload)?;
                command::attach_upload(&app, UploadId::new(event.video_id.uuid())).await
            }
            .boxed()
        }),
        Handler::reaction("catalog.attach_file", FileUploaded::KIND, Duration::from_secs(60), |app, payload| {
            async move {
                let event: FileUploaded = serde_json::from_value(payload)?;
                command::attach_upload(&app, UploadId::new(event.file_id.uuid())).await
            }
            .boxed()
        }),
    ]
}

/// The payload of [`command::PUBLISH_DUE`]: the course in which something is due.
#[derive(Deserialize)]
struct Due {
    course_id: CourseId,
}
