//! The upload mutations.

use async_graphql::{Context, InputObject, Object, SimpleObject};

use super::upload::{UPLOADER, UploadObject, UploadPartUrl, uploader};
use crate::catalog::{self, UploadTarget};
use crate::graphql::context::app;
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::{Result, Sequential, UserError};
use crate::media::command;
use crate::media::model::{CancelUploadInput, CompleteUploadInput, NewUpload, Upload, UploadPartUrlsInput};

/// The file to upload.
#[derive(InputObject)]
pub(super) struct CreateUploadInput {
    #[graphql(flatten)]
    upload: NewUpload,
    /// The object that will show the file. If null, attach the file later.
    attach_to: Option<UploadTarget>,
}

async fn create(ctx: &Context<'_>, input: CreateUploadInput) -> Result<Upload> {
    let (app, uploader) = (app(ctx), uploader(ctx));
    let target = match &input.attach_to {
        Some(target) => Some(catalog::upload_target(app, uploader, target).await?),
        None => None,
    };
    command::create_upload(app, uploader, input.upload, target).await
}

/// The payload of `createUpload`.
#[derive(SimpleObject)]
pub(super) struct CreateUploadPayload {
    /// The upload; null if there are `userErrors`.
    upload: Option<UploadObject>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `uploadPartUrls`.
#[derive(SimpleObject)]
pub(super) struct UploadPartUrlsPayload {
    /// The upload with its current progress; null if there are `userErrors`.
    upload: Option<UploadObject>,
    /// The URLs for the parts; null if there are `userErrors`.
    part_urls: Option<Vec<Sequential<UploadPartUrl>>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `completeUpload`.
#[derive(SimpleObject)]
pub(super) struct CompleteUploadPayload {
    /// The completed upload, or an upload still in progress if completion takes long; null if there are `userErrors`.
    upload: Option<UploadObject>,
    /// Errors in the input or in the file; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `cancelUpload`.
#[derive(SimpleObject)]
pub(super) struct CancelUploadPayload {
    /// The canceled upload; null if there are `userErrors`.
    upload: Option<UploadObject>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The upload mutations.
#[derive(Default)]
pub(super) struct UploadMutation;

#[Object]
impl UploadMutation {
    /// Starts the upload of a video, a picture or another file. The client uploads directly to the object store: to the
    /// `url` of the upload, or in parts to the URLs returned by `uploadPartUrls`. The upload completes automatically
    /// once the file is received; `completeUpload` completes it immediately. With `attachTo`, the server then attaches
    /// the file. Subscribe to `uploadProgress` to follow all of it. Students upload only their picture, with
    /// `attachTo: { avatar: true }`.
    #[graphql(guard = "UPLOADER", directive = scoped::apply(Role::Student, Scope::WriteCourses))]
    async fn create_upload(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The file to upload.")] input: CreateUploadInput,
    ) -> Result<Option<CreateUploadPayload>> {
        let (upload, user_errors) = payload(create(ctx, input).await)?;
        Ok(Some(CreateUploadPayload { upload: upload.map(UploadObject), user_errors }))
    }

    /// Returns URLs for the parts of an upload: the given ones, or the first that have not been received. The URLs are
    /// valid until the upload expires; new ones can be requested at any time.
    #[graphql(guard = "UPLOADER", directive = scoped::apply(Role::Student, Scope::WriteCourses))]
    async fn upload_part_urls(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The upload and the part numbers.")] input: UploadPartUrlsInput,
    ) -> Result<Option<UploadPartUrlsPayload>> {
        let (found, user_errors) = payload(command::part_urls(app(ctx), uploader(ctx), input).await)?;
        let (upload, urls) = found.unzip();
        let part_urls = urls.map(|urls| urls.into_iter().map(UploadPartUrl::new).collect());
        Ok(Some(UploadPartUrlsPayload { upload: upload.map(UploadObject), part_urls, user_errors }))
    }

    /// Completes an upload after the file is uploaded. The server checks the received parts with the store and
    /// validates the file. An invalid file is deleted and the upload fails.
    #[graphql(guard = "UPLOADER", directive = scoped::apply(Role::Student, Scope::WriteCourses))]
    async fn complete_upload(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The upload.")] input: CompleteUploadInput,
    ) -> Result<Option<CompleteUploadPayload>> {
        let (upload, user_errors) = payload(command::complete_upload(app(ctx), uploader(ctx), input).await)?;
        Ok(Some(CompleteUploadPayload { upload: upload.map(UploadObject), user_errors }))
    }

    /// Cancels an upload and deletes the received data.
    #[graphql(guard = "UPLOADER", directive = scoped::apply(Role::Student, Scope::WriteCourses))]
    async fn cancel_upload(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The upload.")] input: CancelUploadInput,
    ) -> Result<Option<CancelUploadPayload>> {
        let (upload, user_errors) = payload(command::cancel_upload(app(ctx), uploader(ctx), input).await)?;
        Ok(Some(CancelUploadPayload { upload: upload.map(UploadObject), user_errors }))
    }
}
