//! What follows from what happened to videos, and the clean-up.

mod file;
mod process;
mod upload;
mod video;

use crate::platform::jobs::Handler;

/// The jobs of this feature.
pub fn handlers() -> Vec<Handler> {
    let all = [process::handlers(), video::handlers(), upload::handlers(), file::handlers()];
    all.into_iter().flatten().collect()
}
