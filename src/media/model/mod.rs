//! Rows of uploads, videos and files, and the inputs of the commands.

mod avatar;
mod caption;
mod channel_image;
mod file;
mod file_type;
mod purpose;
mod referrer;
mod segment_key;
mod store_event;
mod upload;
mod video;
mod video_type;

pub(super) use avatar::RemoveAvatarInput;
pub use caption::Caption;
pub(super) use caption::{RemoveVideoCaptionsInput, SetVideoCaptionsInput, check_webvtt};
pub(super) use channel_image::SetChannelImageInput;
pub(super) use file::{DeleteFileInput, picture_key};
pub use file::{FileId, MediaFile};
pub(super) use file_type::SIGNATURE_LENGTH;
pub use purpose::UploadPurpose;
pub use referrer::Referrer;
pub(super) use segment_key::{SEGMENTS_PER_KEY, key_name, parse_key_path, segment_key};
pub(super) use store_event::created;
pub(crate) use upload::UploadFilter;
pub(super) use upload::{
    CancelUploadInput, CompleteUploadInput, LARGEST_WHOLE, NewUpload, PartUrl, UploadPartUrlsInput, owner_of,
    part_bytes,
};
pub use upload::{Target, Upload, UploadId, UploadStatus};
pub(super) use video::DeleteVideoInput;
pub use video::{Video, VideoId, VideoStatus};
use video_type::VideoType;
