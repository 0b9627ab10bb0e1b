//! Uploads in the schema.

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::file::MediaFileObject;
use super::video::{VideoObject, video_node};
use crate::graphql::context::{app, loaders, within};
use crate::graphql::guard::{Role, Scope};
use crate::graphql::node::{self, Node};
use crate::graphql::{ByteSize, Result, Scoped, Sequential};
use crate::media::command;
use crate::media::loader::FileById;
use crate::media::model::{PartUrl, Upload, UploadId, UploadPurpose, UploadStatus, VideoId};
use crate::platform::auth::Actor;
use crate::platform::storage;

/// The authorization rule for uploads. Students upload their picture only.
pub(super) const UPLOADER: Scoped = Scoped(Role::Student, Scope::WriteCourses);

/// Returns the caller, within the scope for uploads.
pub(super) fn uploader<'a>(ctx: &Context<'a>) -> &'a Actor {
    within(ctx, Scope::WriteCourses)
}

/// An upload in the schema.
#[derive(Clone)]
pub(super) struct UploadObject(pub(super) Upload);

impl UploadObject {
    /// Returns whether the upload is complete and has this purpose.
    fn made(&self, purpose: UploadPurpose) -> bool {
        self.0.purpose == purpose && self.0.status == UploadStatus::Completed
    }
}

/// An upload of one file to the object store. Visible to its owner only.
#[Object(name = "Upload")]
impl UploadObject {
    /// The id of the upload.
    async fn id(&self) -> UploadId {
        self.0.id
    }

    /// The purpose of the file.
    async fn purpose(&self) -> UploadPurpose {
        self.0.purpose
    }

    /// The original filename.
    async fn filename(&self) -> &str {
        &self.0.filename
    }

    /// The declared media type.
    async fn content_type(&self) -> &str {
        &self.0.content_type
    }

    /// The declared size in bytes.
    async fn size_bytes(&self) -> ByteSize {
        ByteSize(self.0.size_bytes)
    }

    /// The declared SHA-256 in hexadecimal digits; null if none was declared.
    async fn sha256(&self) -> Option<String> {
        self.0.sha256.as_ref().map(hex::encode)
    }

    /// The status of the upload.
    async fn status(&self) -> UploadStatus {
        self.0.status
    }

    /// The received part of the file in percent, as of the last check of the store. The store is checked once a minute,
    /// every five seconds during an `uploadProgress` subscription, and on each `uploadPartUrls`. If the file is not
    /// uploaded in parts, the value is 0 until the whole file is received, then 100.
    async fn progress_percent(&self) -> i32 {
        self.0.percent()
    }

    /// The received part of the file in bytes, updated like `progressPercent`.
    async fn received_bytes(&self) -> ByteSize {
        ByteSize(self.0.received_bytes)
    }

    /// Why the upload failed; null if it did not.
    async fn failure(&self) -> Option<&str> {
        self.0.failure.as_deref()
    }

    /// When the upload was created.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When the upload expires: it must be completed before.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.0.expires_at
    }

    /// When the upload ended, successfully or not; null while it is in progress.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.0.ended_at
    }

    /// The URL for a `PUT` request with the file as its body, of exactly the declared size. Signed anew for each
    /// request. Null if the file is uploaded in parts, or if the upload has ended or expired.
    async fn url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(command::whole_url(app(ctx), &self.0).await?)
    }

    /// Headers that the request to `url` must have, in addition to `Content-Length`; empty if the file is uploaded in
    /// parts.
    async fn headers(&self) -> Vec<Sequential<UploadHeader>> {
        if self.0.part_bytes.is_some() {
            return Vec::new();
        }
        let content_type = ("content-type", self.0.content_type.clone());
        let sum = self.0.sha256.as_ref().map(|sum| (storage::CHECKSUM, storage::checksum(sum)));
        let headers = std::iter::once(content_type).chain(sum);
        headers.map(|(name, value)| Sequential(UploadHeader { name: name.to_owned(), value })).collect()
    }

    /// The size of every part but the last, in bytes; null if the file is not uploaded in parts. The last part contains
    /// the rest of the file.
    async fn part_size_bytes(&self) -> Option<ByteSize> {
        self.0.part_bytes.map(ByteSize)
    }

    /// The number of parts; null if the file is not uploaded in parts.
    async fn part_count(&self) -> Option<i32> {
        self.0.part_bytes.map(|_| self.0.part_count())
    }

    /// The parts that the store has received, checked for each request; at most 10,000. Empty if the file is not
    /// uploaded in parts, or if the upload has ended or expired.
    async fn parts(&self, ctx: &Context<'_>) -> Result<Vec<Sequential<UploadPart>>> {
        let parts = command::arrived_parts(app(ctx), &self.0).await?;
        let part = |(number, size)| Sequential(UploadPart { number, size_bytes: ByteSize(size) });
        Ok(parts.into_iter().map(part).collect())
    }

    /// The object that shows the file, for an upload with `attachTo`; null until the file is attached, or if the object
    /// was deleted.
    async fn attached_to(&self, ctx: &Context<'_>) -> Result<Option<Node>> {
        match &self.0.attached_to {
            Some(id) => node::find(ctx, id).await,
            None => Ok(None),
        }
    }

    /// Why the file could not be attached, for example because the lesson was deleted; null if that did not happen.
    async fn attach_failure(&self) -> Option<&str> {
        self.0.attach_failure.as_deref()
    }

    /// The id of the resulting video; null unless the purpose is VIDEO and the upload is complete.
    async fn video_id(&self) -> Option<VideoId> {
        self.made(UploadPurpose::Video).then(|| self.0.video_id())
    }

    /// The resulting video; null unless the purpose is VIDEO and the upload is complete, or if the video was deleted.
    async fn video(&self, ctx: &Context<'_>) -> Result<Option<Sequential<VideoObject>>> {
        match self.made(UploadPurpose::Video) {
            true => Ok(video_node(ctx, self.0.video_id()).await?.map(Sequential)),
            false => Ok(None),
        }
    }

    /// The resulting picture or file; null if the purpose is VIDEO, the upload is not complete, or the file was
    /// deleted.
    async fn file(&self, ctx: &Context<'_>) -> Result<Option<Sequential<MediaFileObject>>> {
        if self.0.purpose == UploadPurpose::Video || self.0.status != UploadStatus::Completed {
            return Ok(None);
        }
        Ok(loaders(ctx).load(FileById(self.0.file_id())).await?.map(MediaFileObject).map(Sequential))
    }
}

/// A request header of an upload.
#[derive(Clone, SimpleObject)]
pub(super) struct UploadHeader {
    /// The name of the header.
    name: String,
    /// The value of the header.
    value: String,
}

/// A part that the store has received.
#[derive(Clone, SimpleObject)]
pub(super) struct UploadPart {
    /// The part number, starting at 1.
    number: i32,
    /// The size of the part in bytes.
    size_bytes: ByteSize,
}

/// The URL for one part.
#[derive(Clone, SimpleObject)]
pub(super) struct UploadPartUrl {
    /// The part number, starting at 1. Part `n` begins at byte `(n - 1) * partSizeBytes` of the file.
    number: i32,
    /// The size of the part in bytes.
    size_bytes: ByteSize,
    /// The URL for a `PUT` request with the part as its body. The body must have exactly this size; no further headers
    /// are needed.
    url: String,
}

impl UploadPartUrl {
    pub(super) fn new(part: PartUrl) -> Sequential<UploadPartUrl> {
        Sequential(UploadPartUrl { number: part.number, size_bytes: ByteSize(part.size), url: part.url })
    }
}
