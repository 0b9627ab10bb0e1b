//! Pictures of users: which there may be, and the permission to upload one.

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
/// How many bytes tell what kind of picture it is.
pub(crate) const SIGNATURE_LENGTH: u64 = 32;

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

/// The kinds of pictures that every browser shows and that hold no scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ImageType {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    Webp,
}

impl ImageType {
    const ALL: [ImageType; 3] = [ImageType::Jpeg, ImageType::Png, ImageType::Webp];

    /// The media type.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            ImageType::Jpeg => "image/jpeg",
            ImageType::Png => "image/png",
            ImageType::Webp => "image/webp",
        }
    }

    /// Reads a media type.
    pub(crate) fn named(media_type: &str) -> Option<ImageType> {
        ImageType::ALL.into_iter().find(|image| image.as_str() == media_type)
    }

    /// Tells a picture by how it begins (WHATWG MIME Sniffing, 6.1).
    pub(crate) fn of(start: &[u8]) -> Option<ImageType> {
        if start.starts_with(b"\xff\xd8\xff") {
            Some(ImageType::Jpeg)
        } else if start.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(ImageType::Png)
        } else if start.starts_with(b"RIFF") && start.get(8..14) == Some(b"WEBPVP") {
            Some(ImageType::Webp)
        } else {
            None
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_told_by_how_they_begin() {
        let cases: [(&[u8], Option<ImageType>); 10] = [
            (b"\xff\xd8\xff\xe0\x00\x10JFIF", Some(ImageType::Jpeg)),
            (b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR", Some(ImageType::Png)),
            (b"RIFF\x24\x00\x00\x00WEBPVP8 ", Some(ImageType::Webp)),
            (b"RIFF\x24\x00\x00\x00WAVEfmt ", None),
            (b"RIFF\x24\x00", None),
            (b"<svg xmlns=", None),
            (b"<!doctype html>", None),
            (b"GIF89a", None),
            (b"\xff\xd8", None),
            (b"", None),
        ];
        for (start, expected) in cases {
            assert_eq!(ImageType::of(start), expected, "{start:?}");
        }
        for image in ImageType::ALL {
            assert_eq!(ImageType::named(image.as_str()), Some(image));
        }
        assert_eq!(ImageType::named("image/svg+xml"), None);
    }
}
