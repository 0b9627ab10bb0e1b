//! Videos in the schema, as their viewers see them.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use crate::catalog::Showing;
use crate::enrollments::command;
use crate::enrollments::model::{KeepPlayingInput, Playback};
use crate::graphql::caching::cache_control;
use crate::graphql::context::{actor, app, loaders, within};
use crate::graphql::cost::cost;
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, Scope, requires};
use crate::graphql::{Requires, Result, Sequential, UserError};
use crate::media::{self, Video, VideoById, VideoId, VideoStatus};

/// A video of a lesson or course, in the schema.
#[derive(Clone)]
pub struct PlayableVideo {
    showing: Showing,
    video: Arc<Video>,
}

/// A video of a lesson or course.
#[Object(directive = cost::apply(Some(0), None, None))]
impl PlayableVideo {
    /// The id of the video. This object has none of its own, so that caches keep it with its lesson or course: what the
    /// viewer may play depends on it.
    async fn video_id(&self) -> VideoId {
        self.video.id
    }

    /// The status of the processing. The original can be played before the status is READY.
    async fn status(&self) -> VideoStatus {
        self.video.status
    }

    /// The duration in seconds; null until it is known.
    async fn duration_seconds(&self) -> Option<i32> {
        self.video.duration_seconds()
    }

    /// The width in pixels; null until it is known.
    async fn width(&self) -> Option<i32> {
        self.video.width
    }

    /// The height in pixels; null until it is known.
    async fn height(&self) -> Option<i32> {
        self.video.height
    }

    /// The URL of the poster image, valid for one hour; null until there is one.
    async fn poster_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(media::poster_url(app(ctx), &self.video).await?)
    }

    /// The URLs to play the video from. Null with an error if the viewer has no access, or if the account is playing in
    /// too many places (TOO_MANY_PLAYERS). Null without an error if the video cannot be played. Request it when the
    /// viewer presses play, not for lists.
    #[graphql(directive = cache_control::apply(0))]
    async fn playback(&self, ctx: &Context<'_>) -> Result<Option<Sequential<VideoPlayback>>> {
        let viewer = within(ctx, Scope::ReadCourses);
        let playback = command::play(loaders(ctx), viewer, &self.showing, &self.video).await?;
        Ok(playback.map(|playback| Sequential(playback.into())))
    }
}

/// Returns the video that a lesson or course shows, if there is one.
///
/// # Errors
/// The database failed.
pub async fn playable(ctx: &Context<'_>, showing: Showing) -> Result<Option<Sequential<PlayableVideo>>> {
    let Some(id) = showing.video_id() else { return Ok(None) };
    let video = loaders(ctx).load(VideoById(id)).await?;
    Ok(video.map(|video| Sequential(PlayableVideo { showing, video })))
}

/// Returns the URLs to play a video from by itself, for its owner and administrators.
///
/// # Errors
/// The viewer may not manage the video, or plays in too many places; the database failed.
pub async fn own_playback(ctx: &Context<'_>, video: Arc<Video>) -> Result<Option<Sequential<VideoPlayback>>> {
    let viewer = within(ctx, Scope::ReadCourses);
    let playback = command::play(loaders(ctx), viewer, &Showing::Own(video.clone()), &video).await?;
    Ok(playback.map(|playback| Sequential(playback.into())))
}

/// The URLs to play a video from. All expire at the same time; `keepPlaying` returns new ones.
#[derive(Clone, SimpleObject)]
pub struct VideoPlayback {
    /// The URL of the original file, which supports range requests. Null as soon as `hlsUrl` is available, unless the
    /// server is configured to serve originals.
    url: Option<String>,
    /// The URL of the HLS multivariant playlist, with several sizes; null until it is available. The segments are
    /// encrypted (AES-128); a viewer who loses access can play two more minutes at most.
    hls_url: Option<String>,
    /// The captions, ordered by language; empty if there are none.
    captions: Vec<Sequential<PlaybackCaptions>>,
    /// When the URLs expire: after the duration of the video plus some time for breaks. They expire earlier if the
    /// viewer's access does.
    expires_at: DateTime<Utc>,
}

/// Captions in one language.
#[derive(Clone, SimpleObject)]
pub(super) struct PlaybackCaptions {
    /// The language, a BCP 47 tag: the `srclang` of a track element.
    language: String,
    /// The label in a player's menu.
    label: String,
    /// The URL of the WebVTT file.
    url: String,
}

impl From<Playback> for VideoPlayback {
    fn from(playback: Playback) -> VideoPlayback {
        let captions = playback.captions.into_iter();
        let captions = captions.map(|(language, label, url)| Sequential(PlaybackCaptions { language, label, url }));
        VideoPlayback {
            url: playback.url,
            hls_url: playback.hls_url,
            captions: captions.collect(),
            expires_at: playback.expires_at,
        }
    }
}

/// The payload of `keepPlaying`.
#[derive(SimpleObject)]
pub(super) struct KeepPlayingPayload {
    /// The new URLs; null if there are `userErrors` of anything else than `progress`.
    playback: Option<Sequential<VideoPlayback>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The playback mutations.
#[derive(Default)]
pub(super) struct PlaybackMutation;

#[Object]
impl PlaybackMutation {
    /// Reports that the viewer's session is still playing and returns new URLs. If the number of players per account is
    /// limited, a player that does not report for two minutes may lose its slot to another session.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn keep_playing(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The lesson, with or without what was watched of it, or the course whose demo video is playing."
        )]
        input: KeepPlayingInput,
    ) -> Result<Option<Sequential<KeepPlayingPayload>>> {
        let (kept, mut user_errors) = payload(command::keep_playing(loaders(ctx), actor(ctx), input).await)?;
        let (playback, errors) = kept.unzip();
        user_errors.extend(errors.into_iter().flatten().map(Sequential));
        let playback = playback.map(|playback| Sequential(playback.into()));
        Ok(Some(Sequential(KeepPlayingPayload { playback, user_errors })))
    }
}
