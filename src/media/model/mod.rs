//! Videos as rows, and what commands are given.

mod file_type;
mod store_event;
mod upload;
mod video;

pub(super) use file_type::{FileType, SIGNATURE_LENGTH};
pub(super) use store_event::created;
pub(super) use upload::{
    CancelUploadInput, CompleteUploadInput, CreateUploadInput, DRAFTS, LARGEST_WHOLE, PartUrl, UploadPartUrlsInput,
    VIDEOS, owner_of, part_bytes,
};
pub use upload::{Upload, UploadId, UploadStatus};
pub use video::{Video, VideoId, VideoStatus};
