//! The upload subscriptions.

use async_graphql::{Context, Object, Subscription};
use futures_util::{FutureExt, Stream, StreamExt, future, stream};

use super::upload::{AUTHOR, UploadObject, author};
use crate::graphql::context::app;
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::page::{decode_cursor, encode_cursor};
use crate::graphql::subscription::timed;
use crate::graphql::{Result, Sequential};
use crate::media::command;
use crate::media::event::{UploadChanged, changes_of};
use crate::media::model::{UploadId, UploadStatus};
use crate::platform::outbox::{Position, Recorded, feed};

const LIST: &str = "uploadProgress";

/// A progress event of an upload in the schema.
#[derive(Clone)]
pub(super) struct UploadProgressObject {
    change: Recorded<UploadChanged>,
    owner: crate::platform::auth::Actor,
}

/// A progress event of an upload: more of the file was received, or the upload has ended.
#[Object(name = "UploadProgress")]
impl UploadProgressObject {
    /// The position of the event. Pass the last one received as `after` to resume without missing events.
    async fn cursor(&self) -> String {
        encode_cursor(LIST, &self.change.position)
    }

    /// The status at the time of the event.
    async fn status(&self) -> UploadStatus {
        self.change.event.status
    }

    /// The received part of the file at the time of the event, in percent.
    async fn progress_percent(&self) -> i32 {
        self.change.event.percent
    }

    /// The upload in its current state; null after its retention of 30 days.
    async fn upload(&self, ctx: &Context<'_>) -> Result<Option<UploadObject>> {
        Ok(command::find_own(app(ctx), &self.owner, self.change.event.upload_id).await?.map(UploadObject))
    }
}

/// The upload subscriptions.
#[derive(Default)]
pub(super) struct UploadSubscription;

#[Subscription]
impl UploadSubscription {
    /// The progress of one of the viewer's uploads, from its start or after `after`. Events are delayed by up to about
    /// five seconds. Completes when the upload ends. The same state is available by polling `upload`.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn upload_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The upload.")] upload_id: UploadId,
        #[graphql(desc = "The cursor of the last event received.")] after: Option<String>,
    ) -> Result<impl Stream<Item = Sequential<UploadProgressObject>> + use<>> {
        let owner = *author(ctx);
        command::own(app(ctx), &owner, upload_id).await?;
        let after =
            after.map(|cursor| decode_cursor(LIST, "after", &cursor)).transpose()?.unwrap_or(Position::BEGINNING);
        let changes = feed::follow::<UploadChanged>(app(ctx).clone(), changes_of(upload_id), Some(after)).await?;
        let watching =
            command::watch_upload(app(ctx).clone(), upload_id).into_stream().filter_map(|()| future::ready(None));
        let changes = until_end(stream::select(changes, watching), |change| change.status.is_end());
        Ok(timed(ctx, changes).map(move |change| Sequential(UploadProgressObject { change, owner })))
    }
}

/// Returns the events up to and including the first final one, then ends.
pub(super) fn until_end<E>(
    changes: impl Stream<Item = Recorded<E>>,
    is_end: fn(&E) -> bool,
) -> impl Stream<Item = Recorded<E>> {
    let told = changes.flat_map(move |change| {
        let end = is_end(&change.event);
        stream::iter([Some(change)].into_iter().chain(end.then_some(None)))
    });
    told.take_while(|change| future::ready(change.is_some())).filter_map(future::ready)
}
