//! Replies in the schema.

use async_graphql::{Context, Object};

use super::post::{PostFields, PostObject, post_object, visible_post};
use super::question::QuestionObject;
use crate::discussions::command::Found;
use crate::discussions::loader::{PostById, ReplyPage};
use crate::discussions::model::{PostId, PostKind, ReplyId};
use crate::graphql::context::loaders;
use crate::graphql::page::Page;
use crate::graphql::{Result, Sequential};

/// A reply in the schema.
#[derive(Clone)]
pub struct ReplyObject(pub(super) PostFields);

/// A reply to a question, or the response of a course's team to a review.
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
    let fields = visible_post(ctx, PostId { kind: PostKind::Reply, id: id.uuid() }).await?;
    Ok(fields.map(ReplyObject))
}

/// Returns the last reply to a post that has at most one at a time; `None` if the viewer sees none.
pub(crate) async fn response_to(ctx: &Context<'_>, fields: &PostFields) -> Result<Option<Sequential<ReplyObject>>> {
    let Found { post, subject, .. } = &fields.0;
    let page = Page { limit: 1, backward: true, after: None, before: None };
    let replies = loaders(ctx).load(ReplyPage { parent: post.id, page, seer: subject.rights.seer() }).await?;
    // The rows of a backward page are the latest first.
    let last = replies.and_then(|replies| replies.first().cloned());
    Ok(last.map(|post| Sequential(ReplyObject(PostFields::new(post, subject.clone())))))
}
