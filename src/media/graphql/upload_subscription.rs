//! Following an upload.

use async_graphql::{Context, Object, Subscription};
use futures_util::{FutureExt, Stream, StreamExt, future, stream};

use super::upload::{AUTHOR, UploadObject, author};
use crate::graphql::context::app;
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::page::{decode_cursor, encode_cursor};
use crate::graphql::{Result, Sequential};
use crate::media::command;
use crate::media::event::{UploadChanged, changes_of};
use crate::media::model::{UploadId, UploadStatus};
use crate::platform::outbox::{Recorded, feed};

const LIST: &str = "uploadProgress";

/// News of an upload in the schema.
#[derive(Clone)]
pub(super) struct UploadProgressObject {
    change: Recorded<UploadChanged>,
    owner: crate::platform::auth::Actor,
}

/// The news that more of an upload has arrived, or that it has ended.
#[Object(name = "UploadProgress")]
impl UploadProgressObject {
    /// Its place among the news of the upload. Pass the last one that you have seen as `after`, and you miss nothing.
    async fn cursor(&self) -> String {
        encode_cursor(LIST, &self.change.position)
    }

    /// Where the upload stood.
    async fn status(&self) -> UploadStatus {
        self.change.event.status
    }

    /// How much of it had arrived.
    async fn percent(&self) -> i32 {
        self.change.event.percent
    }

    /// The upload as it is now; null once it is forgotten.
    async fn upload(&self, ctx: &Context<'_>) -> Result<Option<UploadObject>> {
        Ok(command::find_own(app(ctx), &self.owner, self.change.event.upload_id).await?.map(UploadObject))
    }
}

/// The subscriptions of uploads.
#[derive(Default)]
pub(super) struct UploadSubscription;

#[Subscription]
impl UploadSubscription {
    /// What happens to one of the viewer's uploads, from its beginning or from `after` on, seen within some five seconds.
    /// It ends when the upload does; everything that it says can be seen in `upload`, too.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn upload_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which upload.")] upload_id: UploadId,
        #[graphql(desc = "The cursor of the last news that was seen.")] after: Option<String>,
    ) -> Result<impl Stream<Item = Sequential<UploadProgressObject>> + use<>> {
        let owner = *author(ctx);
        command::own(app(ctx), &owner, upload_id).await?;
        let after = after.map(|cursor| decode_cursor(LIST, "after", &cursor)).transpose()?.unwrap_or_default();
        let changes = feed::follow::<UploadChanged>(app(ctx).clone(), changes_of(upload_id), Some(after)).await?;
        let watching =
            command::watch_upload(app(ctx).clone(), upload_id).into_stream().filter_map(|()| future::ready(None));
        let changes = until_end(stream::select(changes, watching), |change| change.status.is_end());
        Ok(changes.map(move |change| Sequential(UploadProgressObject { change, owner })))
    }
}

/// What happens up to and including an end, and then nothing more.
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
