//! Videos, pictures and files: their way from an instructor's disk to a student's player or disk.
//!
//! The bytes never pass through this program: a client sends them to the object store, and the store says that they
//! have arrived. What is stored here is what the program found out about them. Where `ffmpeg` is, a job makes a picture
//! and HLS renditions of each video. Who plays one is given addresses that end soon; whoever may not watch it, none.

mod command;
mod error;
mod event;
mod graphql;
mod job;
mod loader;
mod model;
mod policy;
mod port;
mod query;

pub use command::{Report, download_url, my_data, playlist, receive_store_event, reconcile, sign};
pub use event::{VideoProcessed, VideoUploaded};
pub use graphql::{MediaFileObject, MediaSubscription, VideoObject, file_node, mutations, queries, video_node};
pub use job::handlers;
pub use loader::{CaptionsOf, FileById, VideoById};
pub use model::{
    Caption, FileId, MediaFile, Upload, UploadId, UploadPurpose, UploadStatus, Video, VideoId, VideoStatus,
};
pub use port::{Referrer, duration_seconds, files_of, lock_files, refer_to_files, release, show_video};
