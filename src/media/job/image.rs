//! The jobs that process pictures.

use std::time::Duration;

use futures_util::FutureExt;

use crate::media::command;
use crate::media::event::FileUploaded;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

/// Enough for the largest picture behind many others: one is decoded at a time.
const TIMEOUT: Duration = Duration::from_secs(900);

pub(super) fn handlers() -> Vec<Handler> {
    vec![
        Handler::reaction("media.process_image", FileUploaded::KIND, TIMEOUT, |app, payload| {
            async move {
                let uploaded: FileUploaded = serde_json::from_value(payload)?;
                command::process_image(&app, uploaded.file_id).await
            }
            .boxed()
        }),
        Handler::scheduled("media.process_old_images", "*/10 * * * *", TIMEOUT, |app, _| {
            async move { command::process_old_images(&app).await }.boxed()
        }),
    ]
}
