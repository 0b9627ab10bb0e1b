//! What happened to videos.

use serde::{Deserialize, Serialize};

use super::model::VideoId;
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
