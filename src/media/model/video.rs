//! Uploaded videos.

use async_graphql::{Enum, InputObject};
use chrono::{DateTime, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use diesel::{Queryable, Selectable};
use serde::{Deserialize, Serialize};

use super::UploadPurpose;
use crate::accounts::UserId;
use crate::graphql::{Entity, Id};
use crate::platform::db::schema::videos;
use crate::platform::db::stored_as_text;

/// A video's id: `video_01j…`.
pub type VideoId = Id<Video>;

/// An uploaded video file and its renditions.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = videos, check_for_backend(diesel::pg::Pg))]
pub struct Video {
    /// The id.
    pub id: VideoId,
    /// The user who uploaded it.
    pub owner_id: UserId,
    /// The original filename.
    pub filename: String,
    /// The key of the original in the object store.
    pub object_key: String,
    /// The media type, detected from the first bytes.
    pub content_type: String,
    /// The size in bytes.
    pub size_bytes: i64,
    /// The status of the processing.
    pub status: VideoStatus,
    /// The progress of the processing, in percent.
    pub progress_percent: i32,
    /// Why it failed or was not converted, as a message for the owner.
    pub failure: Option<String>,
    /// The duration in milliseconds; `None` until it is known.
    pub duration_ms: Option<i64>,
    /// The width in pixels.
    pub width: Option<i32>,
    /// The height in pixels.
    pub height: Option<i32>,
    /// The key of the poster image in the object store.
    pub poster_key: Option<String>,
    /// The key of the HLS multivariant playlist; `None` while only the original can be played.
    pub playlist_key: Option<String>,
    /// When the upload was completed.
    pub created_at: DateTime<Utc>,
    /// When the video is deleted, unless it is referenced again before.
    pub delete_after: Option<DateTime<Utc>>,
}

impl Video {
    /// Returns the key prefix of all objects of a video.
    pub fn folder(id: VideoId) -> String {
        UploadPurpose::Video.folder(id.uuid())
    }

    /// Returns the duration in seconds, rounded up.
    pub fn duration_seconds(&self) -> Option<i32> {
        self.duration_ms.and_then(|millis| i32::try_from(millis.checked_add(999)? / 1000).ok())
    }
}

impl Entity for Video {
    const PREFIX: &'static str = "video";
}

/// The status of the processing of a video.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum VideoStatus {
    /// Uploaded; processing has not started.
    Uploaded,
    /// Processing. The original can already be played.
    Processing,
    /// Processing is complete.
    Ready,
    /// The file cannot be played.
    Failed,
}

stored_as_text!(VideoStatus { Uploaded = "UPLOADED", Processing = "PROCESSING", Ready = "READY", Failed = "FAILED" });

impl VideoStatus {
    /// Returns whether the processing has ended.
    pub fn is_end(self) -> bool {
        matches!(self, VideoStatus::Ready | VideoStatus::Failed)
    }
}

/// The video to delete.
#[derive(Clone, Debug, InputObject)]
pub struct DeleteVideoInput {
    /// The video. It must not be in use by a lesson or course.
    pub video_id: VideoId,
}
