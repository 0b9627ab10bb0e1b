//! Following the processing of a video.

use async_graphql::{Context, Object, Subscription};
use futures_util::stream::{self, Stream, StreamExt};

use super::upload_subscription::until_end;
use super::video::{VideoObject, video_node};
use crate::graphql::context::app;
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::page::{decode_cursor, encode_cursor};
use crate::graphql::{Result, Scoped, Sequential};
use crate::media::error;
use crate::media::event::{VideoProgressed, processing_of};
use crate::media::model::{VideoId, VideoStatus};
use crate::platform::outbox::{Recorded, feed};

const LIST: &str = "videoProgress";

/// News of a video's processing in the schema.
#[derive(Clone)]
pub(super) struct VideoProgressObject(Recorded<VideoProgressed>);

/// The news that more of a video's processing is done, or that it has ended.
#[Object(name = "VideoProgress")]
impl VideoProgressObject {
    /// Its place among the news of the video. Pass the last one that you have seen as `after`, and you miss nothing.
    async fn cursor(&self) -> String {
        encode_cursor(LIST, &self.0.position)
    }

    /// Where the processing stood.
    async fn status(&self) -> VideoStatus {
        self.0.event.status
    }

    /// How much of it was done.
    async fn percent(&self) -> i32 {
        self.0.event.percent
    }

    /// The video as it is now; null once it is deleted.
    async fn video(&self, ctx: &Context<'_>) -> Result<Option<Sequential<VideoObject>>> {
        Ok(video_node(ctx, self.0.event.video_id).await?.map(Sequential))
    }
}

/// The subscriptions of videos.
#[derive(Default)]
pub(super) struct VideoSubscription;

#[Subscription]
impl VideoSubscription {
    /// How the processing of one of the viewer's videos goes on, from its beginning or from `after` on. It ends when
    /// the processing does, and at once if it has ended before; everything that it says can be seen in `video`, too.
    #[graphql(
        guard = "Scoped(Role::Instructor, Scope::ReadCourses)",
        directive = scoped::apply(Role::Instructor, Scope::ReadCourses)
    )]
    async fn video_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which video.")] video_id: VideoId,
        #[graphql(desc = "The cursor of the last news that was seen.")] after: Option<String>,
    ) -> Result<impl Stream<Item = Sequential<VideoProgressObject>> + use<>> {
        let after = after.map(|cursor| decode_cursor(LIST, "after", &cursor)).transpose()?.unwrap_or_default();
        let video = video_node(ctx, video_id).await?.ok_or_else(error::no_such_video)?;
        // The news of what ended long ago are forgotten: whoever waited for them would wait for ever.
        let changes = match video.0.status.is_end() {
            true => stream::empty().left_stream(),
            false => feed::follow::<VideoProgressed>(app(ctx).clone(), processing_of(video_id), Some(after))
                .await?
                .right_stream(),
        };
        Ok(until_end(changes, |change| change.status.is_end()).map(|change| Sequential(VideoProgressObject(change))))
    }
}
