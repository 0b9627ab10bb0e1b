//! The events of uploads and videos.

use serde::{Deserialize, Serialize};

use super::model::{FileId, Upload, UploadId, UploadStatus, Video, VideoId, VideoStatus};
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

/// A picture or another file was uploaded completely.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FileUploaded {
    /// The id.
    pub file_id: FileId,
}

impl Event for FileUploaded {
    const KIND: &'static str = "file_uploaded";
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
pub fn processing_of(video: VideoId) -> String {
    format!("video:{}", video.uuid())
}

/// The processing of a video has advanced or ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VideoProgressed {
    /// The id.
    pub video_id: VideoId,
    /// The status at the time of the event.
    pub status: VideoStatus,
    /// The progress at the time of the event, in percent.
    pub percent: i32,
}

impl VideoProgressed {
    /// The event of a video's current state.
    pub fn of(video: &Video) -> VideoProgressed {
        VideoProgressed { video_id: video.id, status: video.status, percent: video.progress_percent }
    }
}

impl Event for VideoProgressed {
    const KIND: &'static str = "video_progressed";

    fn topics(&self) -> Vec<String> {
        vec![processing_of(self.video_id), changes_of(UploadId::new(self.video_id.uuid()))]
    }
}

/// The topic for the progress of one upload, up to its file being processed and attached.
pub fn changes_of(upload: UploadId) -> String {
    format!("upload:{}", upload.uuid())
}

/// More of an upload has been received, or the upload has ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UploadChanged {
    /// The id.
    pub upload_id: UploadId,
    /// The status at the time of the event.
    pub status: UploadStatus,
    /// The part that had been received at the time of the event, in percent.
    pub percent: i32,
    /// Whether the file was attached to its target, or could not be.
    #[serde(default)]
    pub attached: bool,
}

impl UploadChanged {
    /// The event of an upload's current state.
    pub fn of(upload: &Upload) -> UploadChanged {
        UploadChanged {
            upload_id: upload.id,
            status: upload.status,
            percent: upload.percent(),
            attached: upload.attached_at.is_some(),
        }
    }
}

impl Event for UploadChanged {
    const KIND: &'static str = "upload_changed";

    fn topics(&self) -> Vec<String> {
        vec![changes_of(self.upload_id)]
    }
}

/// An event in the topic of an upload.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum UploadStep {
    /// The upload itself.
    Upload(UploadChanged),
    /// The processing of its video.
    Video(VideoProgressed),
}

impl Event for UploadStep {
    const KIND: &'static str = "upload_step";
}
