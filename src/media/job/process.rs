//! The jobs that process videos.

use std::time::Duration;

use futures_util::FutureExt;

use crate::media::command;
use crate::media::event::VideoUploaded;
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::{Handler, JobDied};
use crate::platform::outbox::Event;

const PROCESS: &str = "media.process";
/// Enough for the longest video in three sizes on a slow machine. The worker keeps renewing the lease.
const TIMEOUT: Duration = Duration::from_secs(36 * 3600);

pub(super) fn handlers() -> Vec<Handler> {
    vec![
        Handler::reaction(PROCESS, VideoUploaded::KIND, TIMEOUT, |app, payload| {
            async move { process(&app, serde_json::from_value(payload)?).await }.boxed()
        })
        .long(),
        Handler::reaction("media.leave_original", JobDied::KIND, Duration::from_secs(60), |app, payload| {
            async move { leave_original(&app, serde_json::from_value(payload)?).await }.boxed()
        }),
    ]
}

async fn process(app: &App, event: VideoUploaded) -> Result<(), InternalError> {
    command::process(app, event.video_id).await
}

async fn leave_original(app: &App, died: JobDied) -> Result<(), InternalError> {
    if died.handler != PROCESS {
        return Ok(());
    }
    let event: VideoUploaded = serde_json::from_value(died.payload)?;
    command::leave_original(app, event.video_id).await
}
