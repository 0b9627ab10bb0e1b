//! What can be done with uploads.

use async_graphql::{Context, Object, SimpleObject};

use super::upload::{AUTHOR, UploadObject, UploadPartUrl, author};
use crate::graphql::context::app;
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::{Result, Sequential, UserError};
use crate::media::command;
use crate::media::model::{CancelUploadInput, CompleteUploadInput, CreateUploadInput, UploadPartUrlsInput};

/// The answer to `createUpload`.
#[derive(SimpleObject)]
pub(super) struct CreateUploadPayload {
    /// The upload; null when there are userErrors.
    upload: Option<UploadObject>,
    /// What is wrong with the input.
    user_errors: Vec<Sequential<UserError>>,
}

/// The answer to `uploadPartUrls`.
#[derive(SimpleObject)]
pub(super) struct UploadPartUrlsPayload {
    /// The upload with what has arrived; null when there are userErrors.
    upload: Option<UploadObject>,
    /// Where to send the parts; null when there are userErrors.
    part_urls: Option<Vec<Sequential<UploadPartUrl>>>,
    /// What is wrong with the input.
    user_errors: Vec<Sequential<UserError>>,
}

/// The answer to `completeUpload`.
#[derive(SimpleObject)]
pub(super) struct CompleteUploadPayload {
    /// The upload, complete, or still being completed if that takes long; null when there are userErrors.
    upload: Option<UploadObject>,
    /// What is wrong with the input, or with the file.
    user_errors: Vec<Sequential<UserError>>,
}

/// The answer to `cancelUpload`.
#[derive(SimpleObject)]
pub(super) struct CancelUploadPayload {
    /// The upload, cancelled; null when there are userErrors.
    upload: Option<UploadObject>,
    /// What is wrong with the input.
    user_errors: Vec<Sequential<UserError>>,
}

/// What can be done with uploads.
#[derive(Default)]
pub(super) struct UploadMutation;

#[Object]
impl UploadMutation {
    /// Begins the upload of a video, a picture or another file. It goes to the object store itself: whole, to the `url`
    /// of the upload, or in parts, to the URLs that `uploadPartUrls` gives out. The upload completes by itself when all
    /// has arrived, also when nobody waits for it; `completeUpload` makes it complete at once.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn create_upload(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The file to come.")] input: CreateUploadInput,
    ) -> Result<Option<CreateUploadPayload>> {
        let (upload, user_errors) = payload(command::create_upload(app(ctx), author(ctx), input).await)?;
        Ok(Some(CreateUploadPayload { upload: upload.map(UploadObject), user_errors }))
    }

    /// Where to send the parts of an upload: those that are named, or the first of those that have not arrived. They are
    /// good as long as the upload is; ask as often as you like.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn upload_part_urls(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which parts.")] input: UploadPartUrlsInput,
    ) -> Result<Option<UploadPartUrlsPayload>> {
        let (found, user_errors) = payload(command::part_urls(app(ctx), author(ctx), input).await)?;
        let (upload, urls) = found.unzip();
        let part_urls = urls.map(|urls| urls.into_iter().map(UploadPartUrl::new).collect());
        Ok(Some(UploadPartUrlsPayload { upload: upload.map(UploadObject), part_urls, user_errors }))
    }

    /// Turns an upload whose file has arrived into the video, picture or file that it is for. The server looks at the
    /// file, and asks the store which parts there are; a wrong file is removed, and the upload has failed.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn complete_upload(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which upload.")] input: CompleteUploadInput,
    ) -> Result<Option<CompleteUploadPayload>> {
        let (upload, user_errors) = payload(command::complete_upload(app(ctx), author(ctx), input).await)?;
        Ok(Some(CompleteUploadPayload { upload: upload.map(UploadObject), user_errors }))
    }

    /// Gives an upload up, and removes what has arrived of it.
    #[graphql(guard = "AUTHOR", directive = scoped::apply(Role::Instructor, Scope::WriteCourses))]
    async fn cancel_upload(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which upload.")] input: CancelUploadInput,
    ) -> Result<Option<CancelUploadPayload>> {
        let (upload, user_errors) = payload(command::cancel_upload(app(ctx), author(ctx), input).await)?;
        Ok(Some(CancelUploadPayload { upload: upload.map(UploadObject), user_errors }))
    }
}
