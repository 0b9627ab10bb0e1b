//! What a lesson's video comes with, in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object};

use crate::catalog::loader::ContentHtmlOf;
use crate::catalog::model::{LessonContent, LessonId, Link, Resource, Timestamp};
use crate::graphql::Result;
use crate::graphql::context::loaders;

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
    async fn resources(&self) -> Vec<Resource> {
        self.content.resources.clone()
    }
}
