//! What follows from what happened to videos, and the clean-up.

mod upload;

use crate::platform::jobs::Handler;

/// The jobs of this feature.
pub fn handlers() -> Vec<Handler> {
    upload::handlers()
}
