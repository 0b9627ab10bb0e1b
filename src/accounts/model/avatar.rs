//! Uploads of user pictures.

use async_graphql::InputObject;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::{Queryable, Selectable};
use uuid::Uuid;

use super::User;
use crate::graphql::{Entity, Id, Idempotency};
use crate::platform::db::schema::avatar_uploads;

/// How long an upload is valid.
pub(crate) const UPLOAD_LIFETIME: TimeDelta = TimeDelta::minutes(15);
/// The maximum size of a picture, in bytes.
pub(crate) const LARGEST_AVATAR: i32 = 5 << 20;

/// An upload's id: `upload_01j…`.
pub(crate) type AvatarUploadId = Id<AvatarUpload>;

/// The permission to upload one picture.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = avatar_uploads, check_for_backend(diesel::pg::Pg))]
pub(crate) struct AvatarUpload {
    /// The id.
    pub(crate) id: AvatarUploadId,
    /// The user who may upload.
    pub(crate) user_id: Id<User>,
    /// The announced media type.
    pub(crate) content_type: String,
    /// The announced size of the file, in bytes.
    pub(crate) size_bytes: i32,
    /// Until when the file can be uploaded and the upload be completed.
    pub(crate) expires_at: DateTime<Utc>,
    /// When it was completed, whether or not the file was accepted.
    pub(crate) ended_at: Option<DateTime<Utc>>,
}

impl AvatarUpload {
    /// The object key that the client uploads to. What is stored there is never shown to users.
    ///
    /// The client can replace the file for as long as the URL is valid, even after the server has checked it.
    pub(crate) fn draft_key(&self) -> String {
        format!("uploads/avatars/{}", self.id.uuid().simple())
    }

    /// The object key of the published picture.
    ///
    /// It is derived from the id, so that cleanup finds the object even if the process that copies it crashes.
    pub(crate) fn avatar_key(&self) -> String {
        avatar_key_of(self.id.uuid())
    }
}

/// Returns the object key of a published picture with this id.
pub(crate) fn avatar_key_of(id: Uuid) -> String {
    format!("avatars/{}", id.simple())
}

/// Returns what the object keys of the renditions of the picture at `key` begin with.
///
/// They are not below the key itself, because a store of files cannot have both a file and a folder there.
pub(crate) fn renditions(key: &str) -> String {
    format!("{key}-")
}

impl Entity for AvatarUpload {
    const PREFIX: &'static str = "upload";
}

/// An upload with its presigned URL.
pub(crate) struct StartedUpload {
    pub(crate) upload: AvatarUpload,
    /// The URL to `PUT` the file to.
    pub(crate) url: String,
}

/// The input of `createAvatarUpload`.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct CreateAvatarUploadInput {
    /// The media type: `image/jpeg`, `image/png` or `image/webp`.
    pub(crate) content_type: String,
    /// The size of the file in bytes: 1 to 5,242,880.
    pub(crate) size_bytes: i32,
    /// Identifies this request.
    #[graphql(flatten)]
    pub(crate) once: Idempotency,
}

/// The input of `completeAvatarUpload`.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct CompleteAvatarUploadInput {
    /// The upload to complete.
    pub(crate) upload_id: AvatarUploadId,
}

/// The input of `removeAvatar`.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct RemoveAvatarInput {
    /// Whose picture to remove; defaults to the viewer. Administrators may remove the picture of any user.
    pub(crate) user_id: Option<Id<User>>,
}
