//! Uploaded pictures and other files.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};

use super::UploadPurpose;
use crate::accounts::UserId;
use crate::graphql::{Entity, Id};
use crate::platform::db::CacheKey;
use crate::platform::db::schema::media_files;
use crate::platform::picture::Picture;

/// A file's id: `file_01j…`.
pub type FileId = Id<MediaFile>;

/// A picture or other file in the object store.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = media_files, check_for_backend(diesel::pg::Pg))]
pub struct MediaFile {
    /// The id.
    pub id: FileId,
    /// The user who uploaded it.
    pub owner_id: UserId,
    /// The purpose.
    pub purpose: UploadPurpose,
    /// The original filename, which is also the filename of downloads.
    pub filename: String,
    /// The key in the object store.
    pub object_key: String,
    /// The media type, detected from the first bytes if the type has a signature.
    pub content_type: String,
    /// The size in bytes.
    pub size_bytes: i64,
    /// The SHA-256, if the store reported it or the owner declared it.
    pub sha256: Option<Vec<u8>>,
    /// When the upload was completed.
    pub created_at: DateTime<Utc>,
    /// Since when the file has been unreferenced; `None` while it is referenced.
    pub unused_since: Option<DateTime<Utc>>,
    /// The properties of a picture; `None` for other files, and if it was uploaded before there were any.
    pub picture: Option<Picture>,
    /// Why the picture cannot be shown.
    pub failure: Option<String>,
}

impl MediaFile {
    /// Returns what the object keys of the renditions of a picture begin with.
    pub fn renditions(id: FileId) -> String {
        UploadPurpose::Image.folder(id.uuid())
    }

    /// Returns the keys of all objects of the file.
    pub fn keys(&self) -> Vec<String> {
        let renditions = self.picture.iter().flat_map(|picture| picture.keys(&MediaFile::renditions(self.id)));
        renditions.chain([self.object_key.clone()]).collect()
    }
}

/// The cache key of a picture.
pub(crate) fn picture_key(id: FileId) -> CacheKey {
    CacheKey::of(MediaFile::PREFIX, id.uuid())
}

/// The file to delete.
#[derive(Clone, Debug, InputObject)]
pub struct DeleteFileInput {
    /// The picture or file. Nothing may refer to it.
    pub file_id: FileId,
}

impl Entity for MediaFile {
    const PREFIX: &'static str = "file";
}
