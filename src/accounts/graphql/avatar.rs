//! User pictures in the schema.

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::user::{UserObject, object};
use crate::accounts::command;
use crate::accounts::model::{
    AvatarUploadId, CompleteAvatarUploadInput, CreateAvatarUploadInput, RemoveAvatarInput, StartedUpload,
};
use crate::graphql::context::{actor, app, client};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, requires};
use crate::graphql::{Requires, Result, Sequential, UserError};

/// How to upload a picture.
#[derive(Clone, SimpleObject)]
pub(super) struct AvatarUpload {
    /// The id to pass to `completeAvatarUpload` after the file is uploaded.
    id: AvatarUploadId,
    /// The URL for a `PUT` request with the file as its body, of exactly the announced size.
    url: String,
    /// Headers that the request must have, in addition to `Content-Length`.
    headers: Vec<Sequential<UploadHeader>>,
    /// When the upload expires: it must be completed before.
    expires_at: DateTime<Utc>,
}

/// A request header of an upload.
#[derive(Clone, SimpleObject)]
pub struct UploadHeader {
    /// The name of the header.
    pub name: String,
    /// The value of the header.
    pub value: String,
}

/// The payload of `createAvatarUpload`.
#[derive(SimpleObject)]
pub(super) struct CreateAvatarUploadPayload {
    /// The upload; null if there are `userErrors`.
    upload: Option<Sequential<AvatarUpload>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `completeAvatarUpload`.
#[derive(SimpleObject)]
pub(super) struct CompleteAvatarUploadPayload {
    /// The viewer with the new picture; null if there are `userErrors`.
    user: Option<Sequential<UserObject>>,
    /// Errors in the input or in the file; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `removeAvatar`.
#[derive(SimpleObject)]
pub(super) struct RemoveAvatarPayload {
    /// The user without a picture; null if there are `userErrors`.
    user: Option<Sequential<UserObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The user picture mutations.
#[derive(Default)]
pub(super) struct AvatarMutation;

#[Object]
impl AvatarMutation {
    /// Starts the upload of a new picture of the viewer. The file goes directly to the object store: send it to the
    /// `url` of the upload, then call `completeAvatarUpload`.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn create_avatar_upload(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The file to upload.")] input: CreateAvatarUploadInput,
    ) -> Result<Option<Sequential<CreateAvatarUploadPayload>>> {
        let (started, user_errors) = payload(command::create_upload(app(ctx), actor(ctx), input).await)?;
        let upload = started.map(|StartedUpload { upload, url }| {
            let header = UploadHeader { name: "content-type".to_owned(), value: upload.content_type };
            let headers = vec![Sequential(header)];
            Sequential(AvatarUpload { id: upload.id, url, headers, expires_at: upload.expires_at })
        });
        Ok(Some(Sequential(CreateAvatarUploadPayload { upload, user_errors })))
    }

    /// Sets the uploaded file as the viewer's picture, replacing the previous one. The server validates the file and
    /// deletes an invalid one; a new upload is needed then.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn complete_avatar_upload(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The upload.")] input: CompleteAvatarUploadInput,
    ) -> Result<Option<Sequential<CompleteAvatarUploadPayload>>> {
        let (user, user_errors) = payload(command::complete_upload(app(ctx), actor(ctx), input).await)?;
        Ok(Some(Sequential(CompleteAvatarUploadPayload { user: user.map(object), user_errors })))
    }

    /// Removes a user's picture. Does nothing if there is none.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn remove_avatar(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user whose picture to remove.")] input: RemoveAvatarInput,
    ) -> Result<Option<Sequential<RemoveAvatarPayload>>> {
        let (user, user_errors) = payload(command::remove_avatar(app(ctx), actor(ctx), client(ctx), input).await)?;
        Ok(Some(Sequential(RemoveAvatarPayload { user: user.map(object), user_errors })))
    }
}
