//! The data for video players.

use async_graphql::OneofObject;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ProgressInput;
use crate::catalog::{CourseId, LessonId, ShownAs};
use crate::media::VideoId;

/// The URLs to play a video from.
pub struct Playback {
    /// The URL of the original; `None` if only HLS is served.
    pub url: Option<String>,
    /// The URL of the HLS multivariant playlist, if there is one.
    pub hls_url: Option<String>,
    /// The language, label and URL of each caption file.
    pub captions: Vec<(String, String, String)>,
    /// When all URLs expire.
    pub expires_at: DateTime<Utc>,
}

/// The encrypted content of a playlist's URL: who may play which video, until when.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pass {
    /// The video.
    pub video: VideoId,
    /// The lesson or course that shows it.
    pub shown_as: ShownAs,
    /// The user and session; `None` for an anonymous user.
    pub viewer: Option<(Uuid, Option<Uuid>)>,
    /// The expiry, in seconds since 1970.
    pub until: i64,
}

/// What the player is playing: either a lesson or the demo video of a course.
#[derive(Clone, Debug, OneofObject)]
pub enum KeepPlayingInput {
    /// The lesson that is playing.
    LessonId(LessonId),
    /// The lesson that is playing, with what was watched of it. That is saved as by `saveProgress`; for those who are not
    /// entitled to the course, as with a preview, nothing is.
    Progress(ProgressInput),
    /// The course whose demo video is playing.
    CourseId(CourseId),
}
