//! The video subscriptions.

use async_graphql::{Context, Object, Subscription};
use futures_util::stream::{Stream, StreamExt};

use super::upload_subscription::{Message, until_end};
use super::video::{VideoObject, video_node};
use crate::graphql::context::app;
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::loaders::Load;
use crate::graphql::page::{decode_cursor, encode_cursor};
use crate::graphql::subscription::timed;
use crate::graphql::{Error, Result, Scoped, Sequential};
use crate::media::error;
use crate::media::event::{VideoProgressed, processing_of};
use crate::media::loader::VideoById;
use crate::media::model::{VideoId, VideoStatus};
use crate::platform::outbox::feed;

const LIST: &str = "videoProgress";

/// A progress event of the processing of a video in the schema.
#[derive(Clone)]
pub(super) struct VideoProgressObject(Message<VideoProgressed>);

/// A progress event of a video: its processing has advanced or ended.
#[Object(name = "VideoProgress")]
impl VideoProgressObject {
    /// The position of the event. Pass the last one received as `after` to resume without missing events.
    async fn cursor(&self) -> String {
        encode_cursor(LIST, &self.0.position)
    }

    /// Whether this is the first message of the subscription, which has the current status.
    async fn is_start(&self) -> bool {
        self.0.is_start
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
    /// The progress of the processing of one of the viewer's videos. The first message is the start, with `isStart` and
    /// the current status; then come the events after it, or after `after`. Completes when the processing ends. The same
    /// state is available by polling `video`, also if `after` is refused with the code CURSOR_EXPIRED because it is older
    /// than 30 days.
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
        video_node(ctx, video_id).await?.ok_or_else(error::no_such_video)?;
        let after = after.map(|cursor| decode_cursor(LIST, "after", &cursor)).transpose()?;
        let followed = feed::follow::<VideoProgressed>(app(ctx).clone(), processing_of(video_id), after).await;
        let (position, changes) = followed.map_err(|why| Error::unreadable(why, "`video`"))?;
        // Read after the position and not from the row cache, so that no change is missed.
        let now = VideoById(video_id).load_one(app(ctx)).await?.ok_or_else(error::no_such_video)?;
        let start = Message { position, is_start: true, event: VideoProgressed::of(&now) };
        let messages = until_end(start, changes.map(Message::from), |change| change.status.is_end());
        Ok(timed(ctx, messages).map(|message| Sequential(VideoProgressObject(message))))
    }
}
