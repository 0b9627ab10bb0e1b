//! What a lesson's video comes with, in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object};
use futures_util::future::try_join_all;

use crate::catalog::loader::{ContentHtmlOf, ResourcesOf};
use crate::catalog::model::{LessonContent, LessonId, Link, Timestamp};
use crate::graphql::caching::cache_control;
use crate::graphql::context::{app, loaders};
use crate::graphql::{ByteSize, Result, Sequential};
use crate::media::{self, FileById, FileId, MediaFile};
use crate::platform::internal_error::InternalError;

/// What a lesson's video comes with, in the schema.
#[derive(Clone)]
pub(super) struct LessonContentObject {
    pub(super) lesson: LessonId,
    pub(super) content: Arc<LessonContent>,
}

/// What a lesson's video comes with.
#[Object(name = "LessonContent")]
impl LessonContentObject {
    /// What to know before watching; plain text, may be empty.
    async fn disclaimer(&self) -> &str {
        &self.content.disclaimer
    }

    /// What the lesson is about, in Markdown; may be empty.
    async fn description(&self) -> &str {
        &self.content.description
    }

    /// The description as HTML that a page can show as it is, like a course's.
    async fn description_html(&self, ctx: &Context<'_>) -> Result<String> {
        let text = loaders(ctx).load(ContentHtmlOf(self.lesson)).await?;
        Ok(text.map(|text| text.to_string()).unwrap_or_default())
    }

    /// Moments of the video, in order; at most 200.
    async fn timestamps(&self) -> Vec<Timestamp> {
        self.content.timestamps.clone()
    }

    /// Places to go on to; at most 50.
    async fn links(&self) -> Vec<Link> {
        self.content.links.clone()
    }

    /// Things to download; at most 50.
    async fn resources(&self, ctx: &Context<'_>) -> Result<Vec<Sequential<ResourceObject>>> {
        let resources = loaders(ctx).load(ResourcesOf(self.lesson)).await?.unwrap_or_default();
        let found = resources.iter().map(async |resource| {
            let source = match (&resource.url, resource.file_id) {
                (Some(url), _) => Source::Elsewhere(url.clone()),
                (None, None) => return Ok::<_, InternalError>(None),
                (None, Some(id)) => match loaders(ctx).load(FileById(id)).await? {
                    Some(file) => Source::File(file),
                    // Let go and deleted while this was kept.
                    None => return Ok(None),
                },
            };
            Ok(Some(Sequential(ResourceObject { name: resource.name.clone(), source })))
        });
        Ok(try_join_all(found).await?.into_iter().flatten().collect())
    }
}

/// Something to download, in the schema.
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

/// Something to download: an address elsewhere, or a file that was uploaded here.
#[Object(name = "Resource")]
impl ResourceObject {
    /// What it is called.
    async fn name(&self) -> &str {
        &self.name
    }

    /// Where it is. Of a file the address is made anew each time and good for 15 minutes; browsers save what is there.
    #[graphql(directive = cache_control::apply(0))]
    async fn url(&self, ctx: &Context<'_>) -> Result<String> {
        match &self.source {
            Source::Elsewhere(url) => Ok(url.clone()),
            Source::File(file) => Ok(media::download_url(app(ctx), file).await?),
        }
    }

    /// The file's type; null for what is elsewhere.
    async fn content_type(&self) -> Option<&str> {
        self.file().map(|file| file.content_type.as_str())
    }

    /// The file's length; null for what is elsewhere.
    async fn size_bytes(&self) -> Option<ByteSize> {
        self.file().map(|file| ByteSize(file.size_bytes))
    }

    /// The file, to name it again in an edit; null for what is elsewhere.
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
