//! The events of uploads and videos.

use serde::{Deserialize, Serialize};

use super::model::{FileId, UploadId, UploadStatus, VideoId, VideoStatus};
use crate::platform::outbox::Event;

/// A video was uploaded completely.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VideoUploaded {
    /// The id.
    pub video_id: VideoId,
}

impl Event for VideoUploaded {
    const KIND: &'static str = "video_uploaded";
}

/// A picture was uploaded completely.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ImageUploaded {
    /// The id.
    pub(super) file_id: FileId,
}

impl Event for ImageUploaded {
    const KIND: &'static str = "image_uploaded";
}

/// The processing of a video has ended, successfully or not.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VideoProcessed {
    /// The id.
    pub video_id: VideoId,
    /// The duration in seconds, if it is known.
    pub duration_seconds: Option<i32>,
}

impl Event for VideoProcessed {
    const KIND: &'static str = "video_processed";
}

/// The topic for the processing of one video.
pub(super) fn processing_of(video: VideoId) -> String {
    format!("video:{}", video.uuid())
}

/// The processing of a video has advanced or ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct VideoProgressed {
    /// The id.
    pub(super) video_id: VideoId,
    /// The status at the time of the event.
    pub(super) status: VideoStatus,
    /// The progress at the time of the event, in percent.
    pub(super) percent: i32,
}

impl Event for VideoProgressed {
    const KIND: &'static str = "video_progressed";

    fn topics(&self) -> Vec<String> {
        vec![processing_of(self.video_id)]
    }
}

/// The topic for the progress of one upload.
pub(super) fn changes_of(upload: UploadId) -> String {
    format!("upload:{}", upload.uuid())
}

/// More of an upload has been received, or the upload has ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct UploadChanged {
    /// The id.
    pub(super) upload_id: UploadId,
    /// The status at the time of the event.
    pub(super) status: UploadStatus,
    /// The part that had been received at the time of the event, in percent.
    pub(super) percent: i32,
}

impl Event for UploadChanged {
    const KIND: &'static str = "upload_changed";

    fn topics(&self) -> Vec<String> {
        vec![changes_of(self.upload_id)]
    }
}
