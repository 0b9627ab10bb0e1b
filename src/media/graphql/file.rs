//! A picture or another file as its owner sees it.

use std::sync::Arc;

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};

use crate::graphql::context::{app, loaders, within};
use crate::graphql::guard::Scope;
use crate::graphql::{ByteSize, Result};
use crate::media::loader::FileById;
use crate::media::model::{FileId, MediaFile, UploadPurpose};
use crate::media::policy;

/// A file in the schema, as its owner and administrators see it.
#[derive(Clone)]
pub struct MediaFileObject(pub Arc<MediaFile>);

/// A picture or another file that was uploaded; its owner and administrators see it.
#[Object(name = "MediaFile")]
impl MediaFileObject {
    /// Identifies the file.
    pub async fn id(&self) -> FileId {
        self.0.id
    }

    /// What it is for: IMAGE or FILE.
    async fn purpose(&self) -> UploadPurpose {
        self.0.purpose
    }

    /// What it was called where it came from, and what a download is called.
    async fn filename(&self) -> &str {
        &self.0.filename
    }

    /// Its type, as its content tells where the type can be told by it.
    async fn content_type(&self) -> &str {
        &self.0.content_type
    }

    /// Its length.
    async fn size_bytes(&self) -> ByteSize {
        ByteSize(self.0.size_bytes)
    }

    /// The SHA-256 of its content in hexadecimal digits; null if neither the store has told nor its owner announced it.
    async fn sha256(&self) -> Option<String> {
        self.0.sha256.as_ref().map(hex::encode)
    }

    /// When it arrived.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it is deleted, because nothing refers to it; null while something does. Whatever refers to it before keeps
    /// it.
    async fn deleted_after(&self, ctx: &Context<'_>) -> Option<DateTime<Utc>> {
        self.0.unused_since.map(|since| since + app(ctx).config.video.grace)
    }
}

/// The file with this id, if the viewer may know of it.
///
/// # Errors
/// The database failed.
pub async fn file_node(ctx: &Context<'_>, id: FileId) -> Result<Option<MediaFileObject>> {
    let file = loaders(ctx).load(FileById(id)).await?;
    Ok(file.filter(|file| policy::owns(within(ctx, Scope::ReadCourses), file.owner_id)).map(MediaFileObject))
}
