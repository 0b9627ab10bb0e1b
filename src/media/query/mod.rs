//! The SQL of videos.

pub(super) mod caption;
pub(super) mod playback;
pub(super) mod process;
pub(super) mod upload;
pub(super) mod video;
