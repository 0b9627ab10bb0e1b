//! Pictures of users: the permission to upload one.

use async_graphql::InputObject;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::{Queryable, Selectable};

use super::User;
use crate::graphql::{Entity, Id};
use crate::platform::db::schema::avatar_uploads;

/// How long somebody may take to upload a picture.
pub(crate) const UPLOAD_LIFETIME: TimeDelta = TimeDelta::minutes(15);
/// The largest picture, in bytes.
pub(crate) const LARGEST_AVATAR: i32 = 5 << 20;

/// An upload's id: `upload_01j…`.
pub(crate) type AvatarUploadId = Id<AvatarUpload>;

/// The permission to upload one picture.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = avatar_uploads, check_for_backend(diesel::pg::Pg))]
pub(crate) struct AvatarUpload {
    /// The id.
    pub(crate) id: AvatarUploadId,
    /// Who may upload.
    pub(crate) user_id: Id<User>,
    /// What the file is said to be.
    pub(crate) content_type: String,
    /// How long the file is said to be.
    pub(crate) size_bytes: i32,
    /// Until when the file can be uploaded and the upload be completed.
    pub(crate) expires_at: DateTime<Utc>,
    /// When it was completed, be the file right or wrong.
    pub(crate) ended_at: Option<DateTime<Utc>>,
}

impl AvatarUpload {
    /// Where the client puts the file. Nobody is ever shown what is there: the client can replace it for as long as
    /// its URL is good, also after we have looked at it.
    pub(crate) fn draft_key(&self) -> String {
        format!("uploads/avatars/{}", self.id.uuid().simple())
    }

    /// Where the picture is shown from. The same each time, so that it can be found again whatever happens to the
    /// process that makes it.
    pub(crate) fn avatar_key(&self) -> String {
        format!("avatars/{}", self.id.uuid().simple())
    }
}

impl Entity for AvatarUpload {
    const PREFIX: &'static str = "upload";
}

/// An upload with what the client needs for it.
pub(crate) struct StartedUpload {
    pub(crate) upload: AvatarUpload,
    /// Where to `PUT` the file.
    pub(crate) url: String,
}

/// The picture that somebody wants to upload.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct CreateAvatarUploadInput {
    /// `image/jpeg`, `image/png` or `image/webp`.
    pub(crate) content_type: String,
    /// The file's length: 1 to 5,242,880 bytes.
    pub(crate) size_bytes: i32,
}

/// A picture that was uploaded.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct CompleteAvatarUploadInput {
    /// Which upload.
    pub(crate) upload_id: AvatarUploadId,
}

/// Takes a picture away.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct RemoveAvatarInput {
    /// Whose; the viewer's own if left out. Administrators may take away anybody's.
    pub(crate) user_id: Option<Id<User>>,
}
