//! The SQL of videos.

pub(super) mod upload;
