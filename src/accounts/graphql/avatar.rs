//! Pictures of users in the schema.

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::user::{UserObject, object};
use crate::accounts::command;
use crate::accounts::model::{
    AvatarUploadId, CompleteAvatarUploadInput, CreateAvatarUploadInput, RemoveAvatarInput, StartedUpload,
};
use crate::graphql::context::{Role, actor, app, client, requires};
use crate::graphql::error::payload;
use crate::graphql::{Inline, Requires, Result, UserError};

/// Where and how to upload a picture.
#[derive(Clone, SimpleObject)]
pub(super) struct AvatarUpload {
    /// Pass it to `completeAvatarUpload` when the file is uploaded.
    id: AvatarUploadId,
    /// Send the file here as the body of a `PUT` request, with just the announced length.
    url: String,
    /// Headers that the request must have. (`Content-Length` it has by itself.)
    headers: Vec<Inline<UploadHeader>>,
    /// Until when the file can be uploaded and the upload be completed.
    expires_at: DateTime<Utc>,
}

/// A header of an upload.
#[derive(Clone, SimpleObject)]
pub struct UploadHeader {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// The answer to `createAvatarUpload`.
#[derive(SimpleObject)]
pub(super) struct CreateAvatarUploadPayload {
    /// Where to upload; null when there are userErrors.
    upload: Option<Inline<AvatarUpload>>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to `completeAvatarUpload`.
#[derive(SimpleObject)]
pub(super) struct CompleteAvatarUploadPayload {
    /// The viewer with the new picture; null when there are userErrors.
    user: Option<Inline<UserObject>>,
    /// What is wrong with the input, or with the file.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to `removeAvatar`.
#[derive(SimpleObject)]
pub(super) struct RemoveAvatarPayload {
    /// The user without a picture; null when there are userErrors.
    user: Option<Inline<UserObject>>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// What can be done with pictures.
#[derive(Default)]
pub(super) struct AvatarMutation;

#[Object]
impl AvatarMutation {
    /// Begins the upload of a new picture of the viewer's. The file goes to the object store itself: send it to the
    /// `url` of the upload, then call `completeAvatarUpload`.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn create_avatar_upload(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The file to come.")] input: CreateAvatarUploadInput,
    ) -> Result<Option<Inline<CreateAvatarUploadPayload>>> {
        let (started, user_errors) = payload(command::create_upload(app(ctx), actor(ctx), input).await)?;
        let upload = started.map(|StartedUpload { upload, url }| {
            let header = UploadHeader { name: "content-type".to_owned(), value: upload.content_type };
            let headers = vec![Inline(header)];
            Inline(AvatarUpload { id: upload.id, url, headers, expires_at: upload.expires_at })
        });
        Ok(Some(Inline(CreateAvatarUploadPayload { upload, user_errors })))
    }

    /// Makes the uploaded file the viewer's picture, in place of the one before. The server looks at the file; a wrong
    /// one is removed, and the upload begins anew.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn complete_avatar_upload(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which upload.")] input: CompleteAvatarUploadInput,
    ) -> Result<Option<Inline<CompleteAvatarUploadPayload>>> {
        let (user, user_errors) = payload(command::complete_upload(app(ctx), actor(ctx), input).await)?;
        Ok(Some(Inline(CompleteAvatarUploadPayload { user: user.map(object), user_errors })))
    }

    /// Takes a picture away.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn remove_avatar(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose picture.")] input: RemoveAvatarInput,
    ) -> Result<Option<Inline<RemoveAvatarPayload>>> {
        let (user, user_errors) = payload(command::remove_avatar(app(ctx), actor(ctx), client(ctx), input).await)?;
        Ok(Some(Inline(RemoveAvatarPayload { user: user.map(object), user_errors })))
    }
}
