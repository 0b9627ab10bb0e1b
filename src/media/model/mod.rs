//! Videos as rows, and what commands are given.

mod caption;
mod file_type;
mod playback;
mod store_event;
mod upload;
mod video;

pub(super) use caption::{Caption, RemoveVideoCaptionsInput, SetVideoCaptionsInput, check_webvtt};
pub(super) use file_type::{FileType, SIGNATURE_LENGTH};
pub(super) use playback::{KeepPlayingInput, Pass, Playback};
pub(super) use store_event::created;
pub(super) use upload::{
    CancelUploadInput, CompleteUploadInput, CreateUploadInput, DRAFTS, LARGEST_WHOLE, PartUrl, UploadPartUrlsInput,
    VIDEOS, owner_of, part_bytes,
};
pub use upload::{Upload, UploadId, UploadStatus};
pub(super) use video::DeleteVideoInput;
pub use video::{Video, VideoId, VideoStatus};
