//! Uploads, videos, pictures and files.
//!
//! The bytes never pass through this program: clients upload directly to the object store, which notifies the program.
//! If `ffmpeg` is available, a job creates a poster image and HLS renditions of each video. Players receive signed URLs
//! with a short lifetime, and only for viewers who have access.
//!
//! Another job makes JPEG files of several widths of each picture; everybody may see those.

use crate as media;
use lyceum_accounts as accounts;
use lyceum_channels as channels;
use lyceum_graphql as graphql;
use lyceum_platform as platform;

pub mod command;
pub mod error;
pub mod event;
mod job;
pub mod loader;
pub mod model;
pub mod policy;
mod port;
mod query;

pub use command::{
    ImportedVideo, Report, download_url, import_image, import_video, my_data, playlist, poster_url,
    receive_store_event, reconcile, segment_key_at, set_avatar, set_on_channel, sign, unattached,
};
pub use event::{FileUploaded, VideoProcessed, VideoUploaded};
pub use job::handlers;
pub use loader::{CaptionsOf, FileById, VideoById};
pub use model::{
    Caption, FileId, MediaFile, Referrer, Target, Upload, UploadId, UploadPurpose, UploadStatus, Video, VideoId,
    VideoStatus,
};
pub use policy::can_manage;
pub use port::{
    files_of, lock_files, refer_to_files, refer_to_videos, release, set_attached, show_picture, show_video, video,
};
