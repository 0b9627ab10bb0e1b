//! Videos that have arrived.

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

/// A file in the object store, and what was made of it.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = videos, check_for_backend(diesel::pg::Pg))]
pub struct Video {
    /// The id.
    pub id: VideoId,
    /// Who uploaded it.
    pub owner_id: UserId,
    /// What the file was called where it came from.
    pub filename: String,
    /// The original in the object store.
    pub object_key: String,
    /// Its type, as its first bytes tell.
    pub content_type: String,
    /// Its size in bytes.
    pub size_bytes: i64,
    /// Where its processing stands.
    pub status: VideoStatus,
    /// How much of the processing is done.
    pub progress_percent: i32,
    /// Why it failed, or was not converted, for its owner.
    pub failure: Option<String>,
    /// How long it is, in milliseconds; `None` until it was looked at.
    pub duration_ms: Option<i64>,
    /// Pixels.
    pub width: Option<i32>,
    /// Pixels.
    pub height: Option<i32>,
    /// Its still picture in the object store.
    pub poster_key: Option<String>,
    /// The HLS multivariant playlist in the object store; `None` while only the original plays.
    pub playlist_key: Option<String>,
    /// When it arrived.
    pub created_at: DateTime<Utc>,
    /// When its objects are deleted, unless something refers to it again until then.
    pub delete_after: Option<DateTime<Utc>>,
}

impl Video {
    /// Where all that is made of a video is kept in the object store.
    pub fn folder(id: VideoId) -> String {
        UploadPurpose::Video.folder(id.uuid())
    }

    /// Its length in whole seconds, a part of one counted as one.
    pub fn duration_seconds(&self) -> Option<i32> {
        self.duration_ms.and_then(|millis| i32::try_from(millis.checked_add(999)? / 1000).ok())
    }
}

impl Entity for Video {
    const PREFIX: &'static str = "video";
}

/// Where a video's processing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum VideoStatus {
    /// It has arrived, and waits.
    Uploaded,
    /// It is looked at and converted. The original plays already.
    Processing,
    /// All is made of it that is made here.
    Ready,
    /// It is no video that can be played.
    Failed,
}

stored_as_text!(VideoStatus { Uploaded = "UPLOADED", Processing = "PROCESSING", Ready = "READY", Failed = "FAILED" });

impl VideoStatus {
    /// Whether its processing has ended.
    pub fn is_end(self) -> bool {
        matches!(self, VideoStatus::Ready | VideoStatus::Failed)
    }
}

/// The video to delete.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct DeleteVideoInput {
    /// Which video. No lesson and no course may show it.
    pub video_id: VideoId,
}
