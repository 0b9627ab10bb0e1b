//! Videos as rows, and what commands are given.

mod caption;
mod playback;
mod video;

pub(super) use caption::{Caption, RemoveVideoCaptionsInput, SetVideoCaptionsInput, check_webvtt};
pub(super) use playback::{KeepPlayingInput, Pass, Playback};
pub(super) use video::DeleteVideoInput;
pub use video::{Video, VideoId, VideoStatus};
