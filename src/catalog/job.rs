//! What follows for courses from what happened elsewhere.

use std::time::Duration;

use futures_util::FutureExt;

use super::command;
use crate::media::VideoProcessed;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

/// The jobs of this feature.
pub fn handlers() -> Vec<Handler> {
    vec![Handler {
        name: "catalog.take_duration",
        on: Some(VideoProcessed::KIND),
        cron: None,
        timeout: Duration::from_secs(60),
        run: |app, payload| async move { command::take_duration(&app, serde_json::from_value(payload)?).await }.boxed(),
    }]
}
