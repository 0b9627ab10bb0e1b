//! The video subscriptions.

use async_graphql::{Context, Object, Subscription};
use futures_util::stream::{self, Stream, StreamExt};

use super::upload_subscription::until_end;
use super::video::{VideoObject, video_node};
use crate::graphql::context::app;
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::page::{decode_cursor, encode_cursor};
use crate::graphql::subscription::timed;
use crate::graphql::{Result, Scoped, Sequential};
use crate::media::error;
use crate::media::event::{VideoProgressed, processing_of};
use crate::media::model::{VideoId, VideoStatus};
use crate::platform::outbox::{Position, Recorded, feed};

const LIST: &str = "videoProgress";

/// A progress event of the processing of a video in the schema.
#[derive(Clone)]
pub(super) struct VideoProgressObject(Recorded<VideoProgressed>);

/// A progress event of a video: its processing has advanced or ended.
#[Object(name = "VideoProgress")]
impl VideoProgressObject {
    /// The position of the event. Pass the last one received as `after` to resume without missing events.
    async fn cursor(&self) -> String {
        encode_cursor(LIST, &self.0.position)
    }

    /// The status at the time of the event.
    async fn status(&self) -> VideoStatus {
        self.0.event.status
    }

    /// The progress at the time of the event, in percent.
    async fn progress_percent(&self) -> i32 {
        self.0.event.percent
    }

    /// The video in its current state; null if it was deleted.
    async fn video(&self, ctx: &Context<'_>) -> Result<Option<Sequential<VideoObject>>> {
        Ok(video_node(ctx, self.0.event.video_id).await?.map(Sequential))
    }
}

/// The video subscriptions.
#[derive(Default)]
pub(super) struct VideoSubscription;

#[Subscription]
impl VideoSubscription {
    /// The progress of the processing of one of the viewer's videos, from its start or after `after`. Completes when
    /// the processing ends, immediately if it already has. The same state is available by polling `video`.
    #[graphql(
        guard = "Scoped(Role::Instructor, Scope::ReadCourses)",
        directive = scoped::apply(Role::Instructor, Scope::ReadCourses)
    )]
    async fn video_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The video.")] video_id: VideoId,
        #[graphql(desc = "The cursor of the last event received.")] after: Option<String>,
    ) -> Result<impl Stream<Item = Sequential<VideoProgressObject>> + use<>> {
        let after =
            after.map(|cursor| decode_cursor(LIST, "after", &cursor)).transpose()?.unwrap_or(Position::BEGINNING);
        let video = video_node(ctx, video_id).await?.ok_or_else(error::no_such_video)?;
        // Old events are deleted, so the final event of a video that ended long ago would never come.
        let changes = match video.0.status.is_end() {
            true => stream::empty().left_stream(),
            false => feed::follow::<VideoProgressed>(app(ctx).clone(), processing_of(video_id), Some(after))
                .await?
                .right_stream(),
        };
        let changes = timed(ctx, until_end(changes, |change| change.status.is_end()));
        Ok(changes.map(|change| Sequential(VideoProgressObject(change))))
    }
}
