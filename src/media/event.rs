//! What happened to videos.

use serde::{Deserialize, Serialize};

use super::model::{UploadId, UploadStatus, VideoId, VideoStatus};
use crate::platform::outbox::Event;

/// A video has arrived in the object store, whole.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VideoUploaded {
    /// Which one.
    pub video_id: VideoId,
}

impl Event for VideoUploaded {
    const KIND: &'static str = "video_uploaded";
}

/// All is made of a video that is made here, or it turned out to be none.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VideoProcessed {
    /// Which one.
    pub video_id: VideoId,
    /// How long it is, if that was found out.
    pub duration_seconds: Option<i32>,
}

impl Event for VideoProcessed {
    const KIND: &'static str = "video_processed";
}

/// The topic of the processing of one video.
pub(super) fn processing_of(video: VideoId) -> String {
    format!("video:{}", video.uuid())
}

/// More of a video's processing is done, or it has ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct VideoProgressed {
    /// Which one.
    pub(super) video_id: VideoId,
    /// Where it stood then.
    pub(super) status: VideoStatus,
    /// How much was done.
    pub(super) percent: i32,
}

impl Event for VideoProgressed {
    const KIND: &'static str = "video_progressed";

    fn topics(&self) -> Vec<String> {
        vec![processing_of(self.video_id)]
    }
}

/// The topic of what happens to one upload.
pub(super) fn changes_of(upload: UploadId) -> String {
    format!("upload:{}", upload.uuid())
}

/// More of an upload has arrived, or it has ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct UploadChanged {
    /// Which one.
    pub(super) upload_id: UploadId,
    /// Where it stood then.
    pub(super) status: UploadStatus,
    /// How much of it had arrived.
    pub(super) percent: i32,
}

impl Event for UploadChanged {
    const KIND: &'static str = "upload_changed";

    fn topics(&self) -> Vec<String> {
        vec![changes_of(self.upload_id)]
    }
}
