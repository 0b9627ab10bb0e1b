//! A video as its viewers see it.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use crate::catalog::Showing;
use crate::enrollments::command;
use crate::enrollments::model::{KeepPlayingInput, Playback};
use crate::graphql::caching::cache_control;
use crate::graphql::context::{actor, app, loaders, within};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, Scope, requires};
use crate::graphql::{Requires, Result, Sequential, UserError};
use crate::media::{Video, VideoById, VideoId, VideoStatus};

/// A video that something shows.
#[derive(Clone)]
pub struct PlayableVideo {
    showing: Showing,
    video: Arc<Video>,
}

/// A video that a lesson or a course shows.
#[Object]
impl PlayableVideo {
    /// Identifies the video.
    async fn id(&self) -> VideoId {
        self.video.id
    }

    /// Where its processing stands. Also before it is READY the original can be played.
    async fn status(&self) -> VideoStatus {
        self.video.status
    }

    /// How long it is, in seconds; null until that was found out.
    async fn duration_seconds(&self) -> Option<i32> {
        self.video.duration_seconds()
    }

    /// How wide its pictures are, in pixels; null until that was found out.
    async fn width(&self) -> Option<i32> {
        self.video.width
    }

    /// How high its pictures are, in pixels; null until that was found out.
    async fn height(&self) -> Option<i32> {
        self.video.height
    }

    /// Where to play it from. Null, with an error, for those who may not watch it, or while their account plays in too
    /// many places (TOO_MANY_PLAYERS); null without one if it can't be played. Ask when the viewer presses play, not
    /// for a list.
    #[graphql(directive = cache_control::apply(0))]
    async fn playback(&self, ctx: &Context<'_>) -> Result<Option<Sequential<VideoPlayback>>> {
        let viewer = within(ctx, Scope::ReadCourses);
        let playback = command::play(app(ctx), viewer, &self.showing, &self.video).await?;
        Ok(playback.map(|playback| Sequential(playback.into())))
    }
}

/// The video that is shown, if there is one.
///
/// # Errors
/// The database failed.
pub async fn playable(ctx: &Context<'_>, showing: Showing) -> Result<Option<Sequential<PlayableVideo>>> {
    let Some(id) = showing.video_id() else { return Ok(None) };
    let video = loaders(ctx).load(VideoById(id)).await?;
    Ok(video.map(|video| Sequential(PlayableVideo { showing, video })))
}

/// Where to play a video from. All addresses end together; ask `keepPlaying` for fresh ones.
#[derive(Clone, SimpleObject)]
pub(super) struct VideoPlayback {
    /// The file as it was uploaded; players may ask for ranges of it.
    url: String,
    /// The playlist for players that know HLS: the same in several sizes. Null until it was made.
    hls_url: Option<String>,
    /// A still picture to show before; null until it was made.
    poster_url: Option<String>,
    /// Captions by language.
    captions: Vec<Sequential<PlaybackCaptions>>,
    /// Until when the addresses are good: long enough to watch the video with some breaks.
    expires_at: DateTime<Utc>,
}

/// Captions in one language.
#[derive(Clone, SimpleObject)]
pub(super) struct PlaybackCaptions {
    /// The language, a BCP 47 tag; a track's `srclang`.
    language: String,
    /// What a player's menu calls them.
    label: String,
    /// A WebVTT file.
    url: String,
}

impl From<Playback> for VideoPlayback {
    fn from(playback: Playback) -> VideoPlayback {
        let captions = playback.captions.into_iter();
        let captions = captions.map(|(language, label, url)| Sequential(PlaybackCaptions { language, label, url }));
        VideoPlayback {
            url: playback.url,
            hls_url: playback.hls_url,
            poster_url: playback.poster_url,
            captions: captions.collect(),
            expires_at: playback.expires_at,
        }
    }
}

/// The answer to `keepPlaying`.
#[derive(SimpleObject)]
pub(super) struct KeepPlayingPayload {
    /// Fresh addresses; null when there are userErrors.
    playback: Option<Sequential<VideoPlayback>>,
    /// What is wrong with the input.
    user_errors: Vec<Sequential<UserError>>,
}

/// What players do.
#[derive(Default)]
pub(super) struct PlaybackMutation;

#[Object]
impl PlaybackMutation {
    /// Tells that the viewer's session goes on playing, and returns fresh addresses. Where the number of players is
    /// limited, a player that says nothing for two minutes may lose its place to another session of the same account.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn keep_playing(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is played.")] input: KeepPlayingInput,
    ) -> Result<Option<Sequential<KeepPlayingPayload>>> {
        let (playback, user_errors) = payload(command::keep_playing(app(ctx), actor(ctx), input).await)?;
        let playback = playback.map(|playback| Sequential(playback.into()));
        Ok(Some(Sequential(KeepPlayingPayload { playback, user_errors })))
    }
}
