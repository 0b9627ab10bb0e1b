//! What follows from what happened to videos, and the clean-up.

mod process;
mod upload;
mod video;

use crate::platform::jobs::Handler;

/// The jobs of this feature.
pub fn handlers() -> Vec<Handler> {
    process::handlers().into_iter().chain(video::handlers()).chain(upload::handlers()).collect()
}
