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

pub use avatar::RemoveAvatarInput;
pub use caption::Caption;
pub(crate) use caption::check_webvtt;
pub use caption::{RemoveVideoCaptionsInput, SetVideoCaptionsInput};
pub use channel_image::SetChannelImageInput;
pub use file::DeleteFileInput;
pub(crate) use file::picture_key;
pub use file::{FileId, MediaFile};
pub(crate) use file_type::SIGNATURE_LENGTH;
pub use purpose::UploadPurpose;
pub use referrer::Referrer;
pub(crate) use segment_key::{SEGMENTS_PER_KEY, key_name, parse_key_path, segment_key};
pub(crate) use store_event::created;
pub use upload::UploadFilter;
pub use upload::{CancelUploadInput, CompleteUploadInput, NewUpload, PartUrl, UploadPartUrlsInput, part_bytes};
pub(crate) use upload::{LARGEST_WHOLE, owner_of};
pub use upload::{Target, Upload, UploadId, UploadStatus};
pub use video::DeleteVideoInput;
pub use video::{Video, VideoId, VideoStatus};
use video_type::VideoType;
