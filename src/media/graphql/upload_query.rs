//! The upload queries.

use async_graphql::{Context, Object};

use super::upload::{UPLOADER, UploadObject, uploader};
use crate::accounts::viewer;
use crate::graphql::context::loaders;
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::page::{encode_cursor, wants_total};
use crate::graphql::{Connection, PageArgs, Result, Sequential};
use crate::media::loader::{UploadById, UploadCount, UploadsPage};
use crate::media::model::Upload;
use crate::media::model::{UploadFilter, UploadId};

const UPLOADS: &str = "uploads";

/// The upload queries.
#[derive(Default)]
pub(super) struct UploadQuery;

#[Object]
impl UploadQuery {
    /// One of the viewer's uploads; null if it does not exist or belongs to another user.
    #[graphql(guard = "UPLOADER", directive = scoped::apply(Role::Student, Scope::WriteCourses))]
    async fn upload(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the upload.")] id: UploadId,
    ) -> Result<Option<UploadObject>> {
        upload_node(ctx, id).await
    }
}

/// The uploads of the viewer.
#[derive(Default)]
pub(super) struct ViewerUploads;

#[Object]
impl ViewerUploads {
    /// The uploads, newest first. An upload that has ended is available for 30 days.
    #[graphql(guard = "UPLOADER", directive = scoped::apply(Role::Student, Scope::WriteCourses))]
    #[allow(clippy::too_many_arguments)]
    async fn uploads(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which uploads to return; defaults to those in progress.")] filter: Option<UploadFilter>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<UploadObject>>>> {
        let page = PageArgs { first, after, last, before }.timed_page(UPLOADS)?;
        let (user, statuses) = (viewer(uploader(ctx))?, filter.unwrap_or_default().statuses);
        let key = UploadsPage { user, statuses: statuses.clone(), page: page.clone() };
        let rows = loaders(ctx).load(key).await?.unwrap_or_default();
        let connection = page.connection(rows, UploadObject, |UploadObject(upload)| {
            encode_cursor(UPLOADS, &(upload.created_at.timestamp_micros(), upload.id))
        });
        if !wants_total(ctx) {
            return Ok(Some(Sequential(connection)));
        }
        let total = loaders(ctx).load(UploadCount(user, statuses)).await?.unwrap_or_default();
        Ok(Some(Sequential(connection.with_total(total))))
    }
}

/// Returns an upload of the viewer.
pub(super) async fn upload_node(ctx: &Context<'_>, id: UploadId) -> Result<Option<UploadObject>> {
    let upload = loaders(ctx).load(UploadById(id)).await?;
    Ok(upload.filter(|upload| uploader(ctx).is(upload.user_id)).map(|upload| UploadObject(Upload::clone(&upload))))
}
