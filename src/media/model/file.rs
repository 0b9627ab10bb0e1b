//! Pictures and other files that have arrived.

use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};

use super::UploadPurpose;
use crate::accounts::UserId;
use crate::graphql::{Entity, Id};
use crate::platform::db::schema::media_files;

/// A file's id: `file_01j…`.
pub type FileId = Id<MediaFile>;

/// A picture or another file in the object store.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = media_files, check_for_backend(diesel::pg::Pg))]
pub struct MediaFile {
    /// The id.
    pub id: FileId,
    /// Who uploaded it.
    pub owner_id: UserId,
    /// What it is for.
    pub purpose: UploadPurpose,
    /// What it was called where it came from, and what a download is called.
    pub filename: String,
    /// Where it is in the object store.
    pub object_key: String,
    /// Its type, as its first bytes tell where they do.
    pub content_type: String,
    /// Its size in bytes.
    pub size_bytes: i64,
    /// Its SHA-256, where the store has told, or its owner had announced it.
    pub sha256: Option<Vec<u8>>,
    /// When it arrived.
    pub created_at: DateTime<Utc>,
    /// Since when nothing refers to it.
    pub unused_since: Option<DateTime<Utc>>,
}

impl Entity for MediaFile {
    const PREFIX: &'static str = "file";
}
