//! The jobs that delete videos.

use std::time::Duration;

use futures_util::FutureExt;
use serde::Deserialize;
use uuid::Uuid;

use crate::media::command;
use crate::media::model::VideoId;
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;

pub(super) fn handlers() -> Vec<Handler> {
    vec![
        Handler::scheduled("media.delete_due", "*/5 * * * *", Duration::from_secs(600), |app, _| {
            async move { command::delete_due(&app).await }.boxed()
        }),
        Handler::queued(command::DELETE_OBJECTS, Duration::from_secs(1800), |app, payload| {
            async move { delete_objects(&app, serde_json::from_value(payload)?).await }.boxed()
        }),
    ]
}

/// The payload of the job that deletes the objects of a video.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Objects {
    video_id: Uuid,
    object_key: String,
}

async fn delete_objects(app: &App, objects: Objects) -> Result<(), InternalError> {
    command::delete_objects(app, &objects.object_key, VideoId::new(objects.video_id)).await
}
