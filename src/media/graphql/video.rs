//! Videos in the schema, as their owners see them.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use futures_util::future::join_all;

use crate::accounts::viewer;
use crate::enrollments::{self, VideoPlayback};
use crate::graphql::context::{app, loaders, within};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::node::{self, Node};
use crate::graphql::page::{encode_cursor, wants_total};
use crate::graphql::{ByteSize, Connection, PageArgs, Result, Scoped, Sequential, UserError};
use crate::media::loader::{CaptionsOf, ReferrersOf, VideoById, VideoCount, VideosPage};
use crate::media::model::{DeleteVideoInput, Video, VideoId, VideoStatus};
use crate::media::{command, policy};

const VIDEOS: &str = "videos";

/// A video in the schema, as its owner and administrators see it.
#[derive(Clone)]
pub struct VideoObject(pub Arc<Video>);

/// An uploaded video and its renditions. Visible to its owner and administrators only.
#[Object(name = "Video")]
impl VideoObject {
    /// The id of the video.
    pub async fn id(&self) -> VideoId {
        self.0.id
    }

    /// The original filename.
    async fn filename(&self) -> &str {
        &self.0.filename
    }

    /// The media type, detected from the content.
    async fn content_type(&self) -> &str {
        &self.0.content_type
    }

    /// The size of the original in bytes.
    async fn size_bytes(&self) -> ByteSize {
        ByteSize(self.0.size_bytes)
    }

    /// The status of the processing.
    async fn status(&self) -> VideoStatus {
        self.0.status
    }

    /// The progress of the processing in percent, 0 to 100.
    async fn progress_percent(&self) -> i32 {
        self.0.progress_percent
    }

    /// What went wrong in processing; null if there was no error. If the status is FAILED, why the video cannot be
    /// played; if it is READY, why only the original can be played.
    async fn failure(&self) -> Option<&str> {
        self.0.failure.as_deref()
    }

    /// The duration in seconds; null until it is known.
    async fn duration_seconds(&self) -> Option<i32> {
        self.0.duration_seconds()
    }

    /// The width in pixels; null until it is known.
    async fn width(&self) -> Option<i32> {
        self.0.width
    }

    /// The height in pixels; null until it is known.
    async fn height(&self) -> Option<i32> {
        self.0.height
    }

    /// The URL of the poster image, valid for one hour; null until there is one.
    async fn poster_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(command::poster_url(app(ctx), &self.0).await?)
    }

    /// The captions, ordered by language; empty if there are none.
    async fn captions(&self, ctx: &Context<'_>) -> Result<Vec<Sequential<VideoCaptions>>> {
        let captions = loaders(ctx).load(CaptionsOf(self.0.id)).await?.unwrap_or_default();
        let shown = |caption: crate::media::model::Caption| {
            Sequential(VideoCaptions { language: caption.language, label: caption.label })
        };
        Ok(captions.into_iter().map(shown).collect())
    }

    /// When the upload was completed.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// The URLs to play the video from, for those who may manage it, whether or not something shows it. Null if it
    /// cannot be played. Request it when the viewer presses play, not for lists.
    async fn playback(&self, ctx: &Context<'_>) -> Result<Option<Sequential<VideoPlayback>>> {
        enrollments::own_playback(ctx, self.0.clone()).await
    }

    /// The lessons and courses that show the video, the first 100; empty if nothing does.
    async fn used_by(&self, ctx: &Context<'_>) -> Result<Vec<Node>> {
        let referrers = loaders(ctx).load(ReferrersOf(self.0.id)).await?.unwrap_or_default();
        let found = join_all(referrers.iter().map(|id| node::find(ctx, id))).await;
        found.into_iter().filter_map(Result::transpose).collect()
    }

    /// When the video is deleted because nothing shows it anymore; null if no deletion is scheduled. Using the video
    /// before then cancels the deletion.
    async fn deletion_due_at(&self) -> Option<DateTime<Utc>> {
        self.0.delete_after
    }
}

/// Captions of a video in one language.
#[derive(Clone, SimpleObject)]
pub(super) struct VideoCaptions {
    /// The language, a BCP 47 tag.
    language: String,
    /// The label in a player's menu.
    label: String,
}

/// Returns the video with this id, if it is visible to the viewer.
///
/// # Errors
/// The database failed.
pub async fn video_node(ctx: &Context<'_>, id: VideoId) -> Result<Option<VideoObject>> {
    let video = loaders(ctx).load(VideoById(id)).await?;
    Ok(video.filter(|video| policy::can_manage(within(ctx, Scope::ReadCourses), video)).map(VideoObject))
}

/// The video queries.
#[derive(Default)]
pub(super) struct VideoQuery;

#[Object]
impl VideoQuery {
    /// The video with this id; null if it does not exist or belongs to another user. Subscribe to `videoProgress` for
    /// the progress of its processing.
    #[graphql(
        guard = "Scoped(Role::Instructor, Scope::ReadCourses)",
        directive = scoped::apply(Role::Instructor, Scope::ReadCourses)
    )]
    async fn video(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the video.")] id: VideoId,
    ) -> Result<Option<Sequential<VideoObject>>> {
        Ok(video_node(ctx, id).await?.map(Sequential))
    }
}

/// The videos of the viewer.
#[derive(Default)]
pub(super) struct ViewerVideos;

#[Object]
impl ViewerVideos {
    /// The uploaded videos, newest first.
    #[graphql(
        guard = "Scoped(Role::Instructor, Scope::ReadCourses)",
        directive = scoped::apply(Role::Instructor, Scope::ReadCourses)
    )]
    async fn videos(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<VideoObject>>>> {
        let page = PageArgs { first, after, last, before }.timed_page(VIDEOS)?;
        let viewer = viewer(within(ctx, Scope::ReadCourses))?;
        let rows = loaders(ctx).load(VideosPage(viewer, page.clone())).await?.unwrap_or_default();
        let connection = page.connection(rows, VideoObject, |VideoObject(video)| {
            encode_cursor(VIDEOS, &(video.created_at.timestamp_micros(), video.id))
        });
        if !wants_total(ctx) {
            return Ok(Some(Sequential(connection)));
        }
        let total = loaders(ctx).load(VideoCount(viewer)).await?.unwrap_or_default();
        Ok(Some(Sequential(connection.with_total(total))))
    }
}

/// The payload of `deleteVideo`.
#[derive(SimpleObject)]
pub(super) struct DeleteVideoPayload {
    /// The video, with `deletionDueAt`; null if there are `userErrors`.
    video: Option<Sequential<VideoObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The video mutations.
#[derive(Default)]
pub(super) struct VideoMutation;

#[Object(name = "MediaVideoMutation")]
impl VideoMutation {
    /// Schedules the deletion of a video that is not in use. Using it before `deletionDueAt` cancels the deletion.
    #[graphql(
        guard = "Scoped(Role::Instructor, Scope::WriteCourses)",
        directive = scoped::apply(Role::Instructor, Scope::WriteCourses)
    )]
    async fn delete_video(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The video.")] input: DeleteVideoInput,
    ) -> Result<Option<Sequential<DeleteVideoPayload>>> {
        let outcome = command::delete_video(app(ctx), within(ctx, Scope::WriteCourses), input).await;
        let (video, user_errors) = payload(outcome)?;
        Ok(Some(Sequential(DeleteVideoPayload { video: video.map(object), user_errors })))
    }
}

pub(super) fn object(video: Video) -> Sequential<VideoObject> {
    Sequential(VideoObject(Arc::new(video)))
}
