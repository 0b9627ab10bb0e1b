//! Lesson content in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object};
use futures_util::future::try_join_all;

use crate::catalog::loader::{ContentHtmlOf, ResourcesOf};
use crate::catalog::model::{LessonChapter, LessonContent, LessonId, LessonLink};
use crate::graphql::caching::cache_control;
use crate::graphql::context::{app, loaders};
use crate::graphql::{ByteSize, Result, Sequential};
use crate::media::{self, FileById, FileId, MediaFile};
use crate::platform::internal_error::InternalError;

/// Lesson content in the schema.
#[derive(Clone)]
pub(super) struct LessonContentObject {
    pub(super) lesson: LessonId,
    pub(super) content: Arc<LessonContent>,
}

/// The content that accompanies a lesson's video.
#[Object(name = "LessonContent")]
impl LessonContentObject {
    /// A notice to read before watching, as plain text; may be empty.
    async fn disclaimer(&self) -> &str {
        &self.content.disclaimer
    }

    /// The description in Markdown; may be empty.
    async fn description(&self) -> &str {
        &self.content.description
    }

    /// The description as sanitized HTML that a page can embed, as in `Course.descriptionHtml`.
    async fn description_html(&self, ctx: &Context<'_>) -> Result<String> {
        let text = loaders(ctx).load(ContentHtmlOf(self.lesson)).await?;
        Ok(text.map(|text| text.to_string()).unwrap_or_default())
    }

    /// The chapters of the video, in order; at most 200.
    async fn chapters(&self) -> Vec<LessonChapter> {
        self.content.chapters.clone()
    }

    /// Links that accompany the lesson; at most 50.
    async fn links(&self) -> Vec<LessonLink> {
        self.content.links.clone()
    }

    /// Resources to download; at most 50.
    async fn resources(&self, ctx: &Context<'_>) -> Result<Vec<Sequential<ResourceObject>>> {
        let resources = loaders(ctx).load(ResourcesOf(self.lesson)).await?.unwrap_or_default();
        let found = resources.iter().map(async |resource| {
            let source = match (&resource.url, resource.file_id) {
                (Some(url), _) => Source::Elsewhere(url.clone()),
                (None, None) => return Ok::<_, InternalError>(None),
                (None, Some(id)) => match loaders(ctx).load(FileById(id)).await? {
                    Some(file) => Source::File(file),
                    // Deleted while the row that refers to it was cached.
                    None => return Ok(None),
                },
            };
            Ok(Some(Sequential(ResourceObject { name: resource.name.clone(), source })))
        });
        Ok(try_join_all(found).await?.into_iter().flatten().collect())
    }
}

/// A resource in the schema.
#[derive(Clone)]
pub(super) struct ResourceObject {
    name: String,
    source: Source,
}

#[derive(Clone)]
enum Source {
    Elsewhere(String),
    File(Arc<MediaFile>),
}

/// A resource to download: either an external URL or an uploaded file.
#[Object(name = "LessonResource")]
impl ResourceObject {
    /// The name.
    async fn name(&self) -> &str {
        &self.name
    }

    /// The URL. For an uploaded file it is signed anew for each request and valid for 15 minutes, and browsers save the
    /// file.
    #[graphql(directive = cache_control::apply(0))]
    async fn url(&self, ctx: &Context<'_>) -> Result<String> {
        match &self.source {
            Source::Elsewhere(url) => Ok(url.clone()),
            Source::File(file) => Ok(media::download_url(app(ctx), file).await?),
        }
    }

    /// The content type of the file; null for an external URL.
    async fn content_type(&self) -> Option<&str> {
        self.file().map(|file| file.content_type.as_str())
    }

    /// The size of the file in bytes; null for an external URL.
    async fn size_bytes(&self) -> Option<ByteSize> {
        self.file().map(|file| ByteSize(file.size_bytes))
    }

    /// The id of the file, to keep it when you update the resources; null for an external URL.
    async fn file_id(&self) -> Option<FileId> {
        self.file().map(|file| file.id)
    }
}

impl ResourceObject {
    fn file(&self) -> Option<&MediaFile> {
        match &self.source {
            Source::Elsewhere(_) => None,
            Source::File(file) => Some(file),
        }
    }
}
