//! A video as its owner sees it.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use crate::accounts::viewer;
use crate::graphql::context::{app, loaders, within};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::page::{encode_cursor, wants_total};
use crate::graphql::{ByteSize, Connection, PageArgs, Result, Scoped, Sequential, UserError};
use crate::media::loader::{CaptionsOf, VideoById, VideoCount, VideosPage};
use crate::media::model::{DeleteVideoInput, Video, VideoId, VideoStatus};
use crate::media::{command, policy};

const VIDEOS: &str = "videos";
/// How long the address of a picture is good.
const POSTER: Duration = Duration::from_secs(3600);

/// A video in the schema, as its owner and administrators see it.
#[derive(Clone)]
pub struct VideoObject(pub Arc<Video>);

/// A file that was uploaded, and what was made of it; its owner and administrators see it.
#[Object(name = "Video")]
impl VideoObject {
    /// Identifies the video.
    pub async fn id(&self) -> VideoId {
        self.0.id
    }

    /// What the file was called where it came from.
    async fn filename(&self) -> &str {
        &self.0.filename
    }

    /// The file's type, as its content tells.
    async fn content_type(&self) -> &str {
        &self.0.content_type
    }

    /// The file's length.
    async fn size_bytes(&self) -> ByteSize {
        ByteSize(self.0.size_bytes)
    }

    /// Where its processing stands.
    async fn status(&self) -> VideoStatus {
        self.0.status
    }

    /// How much of the processing is done, 0 to 100.
    async fn progress_percent(&self) -> i32 {
        self.0.progress_percent
    }

    /// What went wrong: why it can't be played if the status is FAILED, why only the original plays if it is READY. Null if
    /// nothing did.
    async fn failure(&self) -> Option<&str> {
        self.0.failure.as_deref()
    }

    /// How long it is, in seconds; null until that was found out.
    async fn duration_seconds(&self) -> Option<i32> {
        self.0.duration_seconds()
    }

    /// How wide its pictures are, in pixels; null until that was found out.
    async fn width(&self) -> Option<i32> {
        self.0.width
    }

    /// How high its pictures are, in pixels; null until that was found out.
    async fn height(&self) -> Option<i32> {
        self.0.height
    }

    /// Where its still picture is, for an hour; null until there is one.
    async fn poster_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let Some(key) = &self.0.poster_key else { return Ok(None) };
        Ok(Some(app(ctx).storage.presign_get(key, POSTER).await?))
    }

    /// Its captions by language.
    async fn captions(&self, ctx: &Context<'_>) -> Result<Vec<Sequential<VideoCaptions>>> {
        let captions = loaders(ctx).load(CaptionsOf(self.0.id)).await?.unwrap_or_default();
        let shown = |caption: crate::media::model::Caption| {
            Sequential(VideoCaptions { language: caption.language, label: caption.label })
        };
        Ok(captions.into_iter().map(shown).collect())
    }

    /// When it arrived.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it is deleted, because nothing shows it any more; null if it stays. Whatever shows it before keeps it.
    async fn deleted_after(&self) -> Option<DateTime<Utc>> {
        self.0.delete_after
    }
}

/// Captions that a video has.
#[derive(Clone, SimpleObject)]
pub(super) struct VideoCaptions {
    /// In which language, a BCP 47 tag.
    language: String,
    /// What a player's menu calls them.
    label: String,
}

/// The video with this id, if the viewer may know of it.
///
/// # Errors
/// The database failed.
pub async fn video_node(ctx: &Context<'_>, id: VideoId) -> Result<Option<VideoObject>> {
    let video = loaders(ctx).load(VideoById(id)).await?;
    Ok(video.filter(|video| policy::can_manage(within(ctx, Scope::ReadCourses), video)).map(VideoObject))
}

/// The queries about videos.
#[derive(Default)]
pub(super) struct VideoQuery;

#[Object]
impl VideoQuery {
    /// The video with this id; null if there is none, or if it is somebody else's. `videoProgress` follows its processing.
    #[graphql(
        guard = "Scoped(Role::Instructor, Scope::ReadCourses)",
        directive = scoped::apply(Role::Instructor, Scope::ReadCourses)
    )]
    async fn video(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which video.")] id: VideoId,
    ) -> Result<Option<Sequential<VideoObject>>> {
        Ok(video_node(ctx, id).await?.map(Sequential))
    }

    /// The viewer's videos, those that arrived last first.
    #[graphql(
        guard = "Scoped(Role::Instructor, Scope::ReadCourses)",
        directive = scoped::apply(Role::Instructor, Scope::ReadCourses)
    )]
    async fn videos(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many, from the start; 1 to 100, 20 if neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most this many, from the end; 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Sequential<Connection<VideoObject>>> {
        let page = PageArgs { first, after, last, before }.timed_page(VIDEOS)?;
        let viewer = viewer(within(ctx, Scope::ReadCourses))?;
        let rows = loaders(ctx).load(VideosPage(viewer, page.clone())).await?.unwrap_or_default();
        let connection = page.connection(rows, VideoObject, |VideoObject(video)| {
            encode_cursor(VIDEOS, &(video.created_at.timestamp_micros(), video.id))
        });
        if !wants_total(ctx) {
            return Ok(Sequential(connection));
        }
        let total = loaders(ctx).load(VideoCount(viewer)).await?.unwrap_or_default();
        Ok(Sequential(connection.with_total(total)))
    }
}

/// The answer to `deleteVideo`.
#[derive(SimpleObject)]
pub(super) struct DeleteVideoPayload {
    /// The video with the time of its end; null when there are userErrors.
    video: Option<Sequential<VideoObject>>,
    /// What is wrong with the input.
    user_errors: Vec<Sequential<UserError>>,
}

/// What can be done with videos.
#[derive(Default)]
pub(super) struct VideoMutation;

#[Object(name = "MediaVideoMutation")]
impl VideoMutation {
    /// Deletes a video that nothing shows, after a while: until then it can be used again.
    #[graphql(
        guard = "Scoped(Role::Instructor, Scope::WriteCourses)",
        directive = scoped::apply(Role::Instructor, Scope::WriteCourses)
    )]
    async fn delete_video(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which video.")] input: DeleteVideoInput,
    ) -> Result<Option<Sequential<DeleteVideoPayload>>> {
        let outcome = command::delete_video(app(ctx), within(ctx, Scope::WriteCourses), input).await;
        let (video, user_errors) = payload(outcome)?;
        Ok(Some(Sequential(DeleteVideoPayload { video: video.map(object), user_errors })))
    }
}

pub(super) fn object(video: Video) -> Sequential<VideoObject> {
    Sequential(VideoObject(Arc::new(video)))
}
