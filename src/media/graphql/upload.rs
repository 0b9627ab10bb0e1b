//! Uploads in the schema.

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::file::MediaFileObject;
use super::video::{VideoObject, video_node};
use crate::accounts::UploadHeader;
use crate::graphql::context::{app, loaders, within};
use crate::graphql::guard::{Role, Scope};
use crate::graphql::{ByteSize, Result, Scoped, Sequential};
use crate::media::command;
use crate::media::loader::FileById;
use crate::media::model::{PartUrl, Upload, UploadId, UploadPurpose, UploadStatus, VideoId};
use crate::platform::auth::Actor;
use crate::platform::storage;

/// Who may upload.
pub(super) const AUTHOR: Scoped = Scoped(Role::Instructor, Scope::WriteCourses);

/// Who asks, as an author.
pub(super) fn author<'a>(ctx: &Context<'a>) -> &'a Actor {
    within(ctx, Scope::WriteCourses)
}

/// An upload in the schema.
#[derive(Clone)]
pub(super) struct UploadObject(pub(super) Upload);

impl UploadObject {
    /// Whether something for this purpose came of it.
    fn made(&self, purpose: UploadPurpose) -> bool {
        self.0.purpose == purpose && self.0.status == UploadStatus::Completed
    }
}

/// The permission to send one file to the object store, and what became of it. Only who has it sees it.
#[Object(name = "Upload")]
impl UploadObject {
    /// Identifies it among all objects.
    async fn id(&self) -> UploadId {
        self.0.id
    }

    /// What the file is for.
    async fn purpose(&self) -> UploadPurpose {
        self.0.purpose
    }

    /// What the file is called where it comes from.
    async fn filename(&self) -> &str {
        &self.0.filename
    }

    /// What the file is said to be.
    async fn content_type(&self) -> &str {
        &self.0.content_type
    }

    /// How long the file is said to be.
    async fn size_bytes(&self) -> ByteSize {
        ByteSize(self.0.size_bytes)
    }

    /// What the file's SHA-256 is said to be, in hexadecimal digits; null if that was not announced.
    async fn sha256(&self) -> Option<String> {
        self.0.sha256.as_ref().map(hex::encode)
    }

    /// Where it stands.
    async fn status(&self) -> UploadStatus {
        self.0.status
    }

    /// How much of the file had arrived when the store was last asked: once a minute, every few seconds while
    /// somebody follows the upload, and whenever URLs of parts are asked for. Of a file that is sent whole nothing is seen until all of it has arrived: 0 or 100.
    async fn percent(&self) -> i32 {
        self.0.percent()
    }

    /// The same in bytes.
    async fn received_bytes(&self) -> ByteSize {
        ByteSize(self.0.received_bytes)
    }

    /// Why it failed; null if it did not.
    async fn failure(&self) -> Option<&str> {
        self.0.failure.as_deref()
    }

    /// When it began.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// Until when it has to be complete.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.0.expires_at
    }

    /// When it ended, well or not; null while it is in progress.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.0.ended_at
    }

    /// Send the file here as the body of a `PUT` request, with just the announced length; null if it is sent in parts,
    /// or the upload is over. A fresh one each time.
    async fn url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(command::whole_url(app(ctx), &self.0).await?)
    }

    /// Headers that the request to `url` must have. (`Content-Length` it has by itself.)
    async fn headers(&self) -> Vec<Sequential<UploadHeader>> {
        if self.0.part_bytes.is_some() {
            return Vec::new();
        }
        let content_type = ("content-type", self.0.content_type.clone());
        let sum = self.0.sha256.as_ref().map(|sum| (storage::CHECKSUM, storage::checksum(sum)));
        let headers = std::iter::once(content_type).chain(sum);
        headers.map(|(name, value)| Sequential(UploadHeader { name: name.to_owned(), value })).collect()
    }

    /// The size of all parts but the last, which is what remains; null if the file is sent whole.
    async fn part_size_bytes(&self) -> Option<ByteSize> {
        self.0.part_bytes.map(ByteSize)
    }

    /// How many parts the file is sent in; null if it is sent whole.
    async fn part_count(&self) -> Option<i32> {
        self.0.part_bytes.map(|_| self.0.part_count())
    }

    /// The parts that have arrived, as the store says at this moment; at most 10,000. None if the file is sent whole,
    /// or the upload is over.
    async fn parts(&self, ctx: &Context<'_>) -> Result<Vec<Sequential<UploadPart>>> {
        let parts = command::arrived_parts(app(ctx), &self.0).await?;
        let part = |(number, size)| Sequential(UploadPart { number, size_bytes: ByteSize(size) });
        Ok(parts.into_iter().map(part).collect())
    }

    /// The id of the video that came of it; null unless it is for one and complete.
    async fn video_id(&self) -> Option<VideoId> {
        self.made(UploadPurpose::Video).then(|| self.0.video_id())
    }

    /// The video that came of it; null, too, once it is deleted.
    async fn video(&self, ctx: &Context<'_>) -> Result<Option<Sequential<VideoObject>>> {
        match self.made(UploadPurpose::Video) {
            true => Ok(video_node(ctx, self.0.video_id()).await?.map(Sequential)),
            false => Ok(None),
        }
    }

    /// The picture or file that came of it; null unless it is for one and complete, and once it is deleted.
    async fn file(&self, ctx: &Context<'_>) -> Result<Option<Sequential<MediaFileObject>>> {
        if self.0.purpose == UploadPurpose::Video || self.0.status != UploadStatus::Completed {
            return Ok(None);
        }
        Ok(loaders(ctx).load(FileById(self.0.file_id())).await?.map(MediaFileObject).map(Sequential))
    }
}

/// A part that has arrived.
#[derive(Clone, SimpleObject)]
pub(super) struct UploadPart {
    /// Its place in the file, from 1.
    number: i32,
    /// Its length.
    size_bytes: ByteSize,
}

/// Where to send one part.
#[derive(Clone, SimpleObject)]
pub(super) struct UploadPartUrl {
    /// Its place in the file, from 1: part `n` begins at `(n - 1) * partSizeBytes`.
    number: i32,
    /// Its length.
    size_bytes: ByteSize,
    /// Send the part here as the body of a `PUT` request, with just this length and no further headers.
    url: String,
}

impl UploadPartUrl {
    pub(super) fn new(part: PartUrl) -> Sequential<UploadPartUrl> {
        Sequential(UploadPartUrl { number: part.number, size_bytes: ByteSize(part.size), url: part.url })
    }
}
