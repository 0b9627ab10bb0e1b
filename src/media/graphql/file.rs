//! Uploaded pictures and other files in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};

use super::image::image;
use crate::graphql::context::{app, loaders, within};
use crate::graphql::guard::Scope;
use crate::graphql::{ByteSize, ImageObject, Result, Sequential};
use crate::media::loader::FileById;
use crate::media::model::{FileId, MediaFile, UploadPurpose};
use crate::media::policy;

/// A file in the schema, as its owner and administrators see it.
#[derive(Clone)]
pub struct MediaFileObject(pub Arc<MediaFile>);

/// An uploaded picture or other file. Visible to its owner and administrators only.
#[Object(name = "MediaFile")]
impl MediaFileObject {
    /// The id of the file.
    pub async fn id(&self) -> FileId {
        self.0.id
    }

    /// The purpose of the file: IMAGE or FILE.
    async fn purpose(&self) -> UploadPurpose {
        self.0.purpose
    }

    /// The original filename, which is also the filename of downloads.
    async fn filename(&self) -> &str {
        &self.0.filename
    }

    /// The media type, detected from the content if the type has a signature; otherwise as declared.
    async fn content_type(&self) -> &str {
        &self.0.content_type
    }

    /// The size in bytes.
    async fn size_bytes(&self) -> ByteSize {
        ByteSize(self.0.size_bytes)
    }

    /// The SHA-256 of the file in hexadecimal digits; null if it is unknown.
    async fn sha256(&self) -> Option<String> {
        self.0.sha256.as_ref().map(hex::encode)
    }

    /// When the upload was completed.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// The picture as pages show it, with the filename as its `altText`; null if the purpose is not IMAGE or the picture
    /// cannot be shown.
    async fn image(&self, ctx: &Context<'_>) -> Result<Option<Sequential<ImageObject>>> {
        image(ctx, self.0.id, &self.0.filename).await
    }

    /// Why the picture cannot be shown; null if it can be, or while it is being processed.
    async fn failure(&self) -> Option<&str> {
        self.0.failure.as_deref()
    }

    /// When the file is deleted because nothing refers to it; null while it is in use. Referring to it before then
    /// cancels the deletion.
    async fn deletion_due_at(&self, ctx: &Context<'_>) -> Option<DateTime<Utc>> {
        self.0.unused_since.map(|since| since + app(ctx).config.video.grace)
    }
}

/// Returns the file with this id, if it is visible to the viewer.
///
/// # Errors
/// The database failed.
pub async fn file_node(ctx: &Context<'_>, id: FileId) -> Result<Option<MediaFileObject>> {
    let file = loaders(ctx).load(FileById(id)).await?;
    Ok(file.filter(|file| policy::owns(within(ctx, Scope::ReadCourses), file.owner_id)).map(MediaFileObject))
}
