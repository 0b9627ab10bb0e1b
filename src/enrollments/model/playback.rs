//! What a player is given.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::catalog::{CourseId, LessonId, ShownAs};
use crate::media::VideoId;

/// Where to play a video from.
pub(crate) struct Playback {
    /// The original.
    pub url: String,
    /// The HLS multivariant playlist, if there is one.
    pub hls_url: Option<String>,
    /// The still picture, if there is one.
    pub poster_url: Option<String>,
    /// Captions: language, label, address.
    pub captions: Vec<(String, String, String)>,
    /// Until when all of these are good.
    pub expires_at: DateTime<Utc>,
}

/// What the address of a playlist says, encrypted: who may play what until when.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pass {
    /// Which video.
    pub video: VideoId,
    /// As what it is shown.
    pub shown_as: ShownAs,
    /// Who watches, and in which session; `None`: somebody who is not signed in.
    pub viewer: Option<(Uuid, Option<Uuid>)>,
    /// The end, in seconds since 1970.
    pub until: i64,
}

/// What goes on being played: a lesson, or else the demo of a course.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct KeepPlayingInput {
    /// The lesson that is played.
    pub lesson_id: Option<LessonId>,
    /// The course whose demo video is played.
    pub course_id: Option<CourseId>,
}
