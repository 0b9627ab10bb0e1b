//! Uploaded pictures and other files in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::image::image;
use crate::accounts::viewer;
use crate::graphql::context::{app, loaders, within};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::page::{encode_cursor, wants_total};
use crate::graphql::{ByteSize, Connection, ImageObject, PageArgs, Result, Scoped, Sequential, UserError};
use crate::media::loader::{FileById, FileCount, FilesPage};
use crate::media::model::{DeleteFileInput, FileId, MediaFile, UploadPurpose};
use crate::media::{command, policy};

const FILES: &str = "files";

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

/// The files of the viewer.
#[derive(Default)]
pub(super) struct ViewerFiles;

#[Object]
impl ViewerFiles {
    /// The uploaded pictures and files, newest first.
    #[graphql(
        guard = "Scoped(Role::Instructor, Scope::ReadCourses)",
        directive = scoped::apply(Role::Instructor, Scope::ReadCourses)
    )]
    async fn files(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<MediaFileObject>>>> {
        let page = PageArgs { first, after, last, before }.timed_page(FILES)?;
        let viewer = viewer(within(ctx, Scope::ReadCourses))?;
        let rows = loaders(ctx).load(FilesPage(viewer, page.clone())).await?.unwrap_or_default();
        let connection = page.connection(rows, MediaFileObject, |MediaFileObject(file)| {
            encode_cursor(FILES, &(file.created_at.timestamp_micros(), file.id))
        });
        if !wants_total(ctx) {
            return Ok(Some(Sequential(connection)));
        }
        let total = loaders(ctx).load(FileCount(viewer)).await?.unwrap_or_default();
        Ok(Some(Sequential(connection.with_total(total))))
    }
}

/// The payload of `deleteFile`.
#[derive(SimpleObject)]
pub(super) struct DeleteFilePayload {
    /// The id of the deleted file; null if there are `userErrors`.
    deleted_file_id: Option<FileId>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The file mutations.
#[derive(Default)]
pub(super) struct FileMutation;

#[Object(name = "MediaFileMutation")]
impl FileMutation {
    /// Deletes an uploaded picture or file that nothing refers to.
    #[graphql(
        guard = "Scoped(Role::Instructor, Scope::WriteCourses)",
        directive = scoped::apply(Role::Instructor, Scope::WriteCourses)
    )]
    async fn delete_file(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The file.")] input: DeleteFileInput,
    ) -> Result<Option<Sequential<DeleteFilePayload>>> {
        let outcome = command::delete_file(app(ctx), within(ctx, Scope::WriteCourses), input).await;
        let (deleted_file_id, user_errors) = payload(outcome)?;
        Ok(Some(Sequential(DeleteFilePayload { deleted_file_id, user_errors })))
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
