//! The job that deletes unused files.

use std::time::Duration;

use futures_util::FutureExt;

use crate::media::command;
use crate::platform::jobs::Handler;

pub(super) fn handlers() -> Vec<Handler> {
    vec![Handler::scheduled("media.delete_unused_files", "*/5 * * * *", Duration::from_secs(600), |app, _| {
        async move { command::delete_unused_files(&app).await }.boxed()
    })]
}
