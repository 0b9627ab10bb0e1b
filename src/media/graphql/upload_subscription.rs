//! The upload subscriptions.

use async_graphql::{Context, Object, Subscription};
use futures_util::{FutureExt, Stream, StreamExt, future, stream};

use super::upload::{UPLOADER, UploadObject, uploader};
use crate::graphql::context::app;
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::loaders::Load;
use crate::graphql::page::{decode_cursor, encode_cursor};
use crate::graphql::subscription::timed;
use crate::graphql::{Error, Result, Sequential};
use crate::media::command;
use crate::media::event::{UploadChanged, UploadStep, VideoProgressed, changes_of};
use crate::media::loader::VideoById;
use crate::media::model::{UploadId, UploadPurpose, UploadStatus, VideoStatus};
use crate::platform::auth::Actor;
use crate::platform::outbox::{Position, Recorded, feed};

const LIST: &str = "uploadProgress";

/// A progress event of an upload in the schema.
#[derive(Clone)]
pub(super) struct UploadProgressObject {
    position: Position,
    is_start: bool,
    step: UploadStep,
    upload_id: UploadId,
    owner: Actor,
}

/// A progress event of an upload: more of the file was received, the upload has ended, its video is processed, or the
/// file is attached.
#[Object(name = "UploadProgress")]
impl UploadProgressObject {
    /// The position of the event. Pass the last one received as `after` to resume without missing events.
    async fn cursor(&self) -> String {
        encode_cursor(LIST, &self.position)
    }

    /// Whether this is the first message of the subscription, which has the current status.
    async fn is_start(&self) -> bool {
        self.is_start
    }

    /// The status of the upload at the time of the event.
    async fn status(&self) -> UploadStatus {
        match &self.step {
            UploadStep::Upload(change) => change.status,
            UploadStep::Video(_) => UploadStatus::Completed,
        }
    }

    /// The received part of the file at the time of the event, in percent.
    async fn progress_percent(&self) -> i32 {
        match &self.step {
            UploadStep::Upload(change) => change.percent,
            UploadStep::Video(_) => 100,
        }
    }

    /// The status of the processing at the time of the event; null if the event is not about it.
    async fn video_status(&self) -> Option<VideoStatus> {
        match &self.step {
            UploadStep::Upload(_) => None,
            UploadStep::Video(change) => Some(change.status),
        }
    }

    /// The progress of the processing at the time of the event, in percent; null if the event is not about it.
    async fn processing_percent(&self) -> Option<i32> {
        match &self.step {
            UploadStep::Upload(_) => None,
            UploadStep::Video(change) => Some(change.percent),
        }
    }

    /// The upload in its current state; null after its retention of 30 days.
    async fn upload(&self, ctx: &Context<'_>) -> Result<Option<UploadObject>> {
        Ok(command::find_own(app(ctx), &self.owner, self.upload_id).await?.map(UploadObject))
    }
}

/// The upload subscriptions.
#[derive(Default)]
pub(super) struct UploadSubscription;

#[Subscription]
impl UploadSubscription {
    /// The progress of one of the viewer's uploads. The first message is the start, with `isStart` and the current status;
    /// then come the events after it, or after `after`. Events are delayed by up to about five seconds. Completes when
    /// the upload has failed, or when its video is processed and the file attached to what `attachTo` named. The same
    /// state is available by polling `upload`, also if `after` is refused with the code
    /// CURSOR_EXPIRED because it is older than 30 days.
    #[graphql(guard = "UPLOADER", directive = scoped::apply(Role::Student, Scope::WriteCourses))]
    async fn upload_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The upload.")] upload_id: UploadId,
        #[graphql(desc = "The cursor of the last event received.")] after: Option<String>,
    ) -> Result<impl Stream<Item = Sequential<UploadProgressObject>> + use<>> {
        let owner = *uploader(ctx);
        command::own(app(ctx), &owner, upload_id).await?;
        let after = after.map(|cursor| decode_cursor(LIST, "after", &cursor)).transpose()?;
        let followed = feed::follow::<UploadStep>(app(ctx).clone(), changes_of(upload_id), after).await;
        let (position, changes) = followed.map_err(|why| Error::unreadable(why, "`upload`"))?;
        // Read after the position, so that no change is missed.
        let now = command::own(app(ctx), &owner, upload_id).await?;
        let video = VideoById(now.video_id()).load_one(app(ctx)).await?;
        let watching =
            command::watch_upload(app(ctx).clone(), upload_id).into_stream().filter_map(|()| future::ready(None));
        let changes = stream::select(changes, watching).map(Message::from);
        let end = End { is_video: now.purpose == UploadPurpose::Video, is_attached: now.attach_to.is_some() };
        let step = match video {
            Some(video) if !now.is_unattached() => UploadStep::Video(VideoProgressed::of(&video)),
            _ => UploadStep::Upload(UploadChanged::of(&now)),
        };
        // An upload that is attached has no more events, whatever its last step was.
        let is_over = now.attached_at.is_some();
        let start = Message { position, is_start: true, event: step };
        let messages = until_end(start, changes, move |step| is_over || end.is(step));
        Ok(timed(ctx, messages).map(move |Message { position, is_start, event: step }| {
            Sequential(UploadProgressObject { position, is_start, step, upload_id, owner })
        }))
    }
}

/// The last step of an upload.
#[derive(Clone, Copy)]
struct End {
    /// Whether a video is processed after the upload.
    is_video: bool,
    /// Whether the file is attached after that.
    is_attached: bool,
}

impl End {
    fn is(self, step: &UploadStep) -> bool {
        match step {
            UploadStep::Upload(change) if change.status == UploadStatus::Completed => {
                change.attached || !(self.is_video || self.is_attached)
            }
            UploadStep::Upload(change) => change.status.is_end(),
            UploadStep::Video(change) => change.status.is_end() && !self.is_attached,
        }
    }
}

/// A message of a subscription that begins with the current state.
#[derive(Clone)]
pub(super) struct Message<E> {
    /// The position of the event, or the one from which the subscription follows.
    pub(super) position: Position,
    /// Whether this is the current state.
    pub(super) is_start: bool,
    /// The state.
    pub(super) event: E,
}

impl<E> From<Recorded<E>> for Message<E> {
    fn from(Recorded { position, event }: Recorded<E>) -> Message<E> {
        Message { position, is_start: false, event }
    }
}

/// Returns the messages up to and including the first final one, then ends.
pub(super) fn until_end<E>(
    start: Message<E>,
    later: impl Stream<Item = Message<E>>,
    is_end: impl Fn(&E) -> bool,
) -> impl Stream<Item = Message<E>> {
    let told = stream::iter([start]).chain(later).flat_map(move |message| {
        let end = is_end(&message.event);
        stream::iter([Some(message)].into_iter().chain(end.then_some(None)))
    });
    told.take_while(|message| future::ready(message.is_some())).filter_map(future::ready)
}
