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
