//! Replies in the schema.

use async_graphql::{Context, Object};

use super::post::{PostFields, PostObject, post_object};
use super::question::QuestionObject;
use crate::discussions::command::{self, Found};
use crate::discussions::loader::PostById;
use crate::discussions::model::{PostId, PostKind, ReplyId};
use crate::graphql::Result;
use crate::graphql::context::{loaders, within};
use crate::graphql::guard::Scope;

/// A reply in the schema.
#[derive(Clone)]
pub struct ReplyObject(pub(super) PostFields);

/// A reply to a question.
#[Object(name = "Reply")]
impl ReplyObject {
    #[graphql(flatten)]
    async fn fields(&self) -> &PostFields {
        &self.0
    }

    /// What it replies to; null if it has been deleted meanwhile.
    async fn parent(&self, ctx: &Context<'_>) -> Result<Option<PostObject>> {
        let Found { post, question, subject } = &self.0.0;
        if let Some(question) = question {
            return Ok(Some(PostObject::new(QuestionObject::new(question.clone(), subject.clone()))));
        }
        let Some(parent) = post.parent_id else { return Ok(None) };
        let Some(post) = loaders(ctx).load(PostById(parent)).await? else { return Ok(None) };
        post_object(ctx, Found { post, question: None, subject: subject.clone() }).await.map(Some)
    }
}

/// Returns the reply with this id, if the viewer may see it.
pub(super) async fn reply_node(ctx: &Context<'_>, id: ReplyId) -> Result<Option<ReplyObject>> {
    let id = PostId { kind: PostKind::Reply, id: id.uuid() };
    let found = command::find(loaders(ctx), within(ctx, Scope::ReadDiscussions), id).await?;
    Ok(found.map(|found| ReplyObject(PostFields(found))))
}
