//! The jobs for processing and cleanup.

mod file;
mod image;
mod process;
mod upload;
mod video;

use crate::platform::jobs::Handler;

/// Returns the job handlers of this feature.
pub fn handlers() -> Vec<Handler> {
    let all = [process::handlers(), video::handlers(), upload::handlers(), file::handlers(), image::handlers()];
    all.into_iter().flatten().collect()
}
