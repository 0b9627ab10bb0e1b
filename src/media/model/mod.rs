//! Videos as rows, and what commands are given.

mod video;

pub use video::{Video, VideoId, VideoStatus};
