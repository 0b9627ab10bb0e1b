//! Questions in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::post::PostFields;
use super::reply::ReplyObject;
use crate::catalog::{LessonById, LessonObject};
use crate::discussions::command::{self, Found, Subject};
use crate::discussions::loader::{Follows, PostById, ReplyCount, ReplyPage};
use crate::discussions::model::{Post, PostId, PostKind, Question, QuestionId};
use crate::discussions::policy;
use crate::graphql::context::{loaders, viewer_loaders, within};
use crate::graphql::guard::Scope;
use crate::graphql::page::{Page, encode_cursor, page_selected, wants_total};
use crate::graphql::{Connection, PageArgs, Result, Sequential};

const REPLIES: &str = "replies";

/// A question in the schema.
#[derive(Clone)]
pub struct QuestionObject {
    fields: PostFields,
    question: Arc<Question>,
    /// A page of its replies, if it was read on the way.
    replies: Option<(Page<Uuid>, Vec<Arc<Post>>)>,
}

impl QuestionObject {
    /// A question that the viewer may see.
    pub(super) fn new(question: Arc<Question>, subject: Arc<Subject>) -> QuestionObject {
        QuestionObject { fields: PostFields::of_question(question.clone(), subject), question, replies: None }
    }

    /// The same with a page of its replies.
    pub(super) fn with_replies(self, replies: Option<(Page<Uuid>, Vec<Arc<Post>>)>) -> QuestionObject {
        QuestionObject { replies, ..self }
    }

    /// The question that a post is; `None` if it is none.
    pub(super) fn of(fields: PostFields) -> Option<QuestionObject> {
        let question = fields.0.question.clone()?;
        Some(QuestionObject { fields, question, replies: None })
    }

    /// The question.
    pub(super) fn row(&self) -> &Question {
        &self.question
    }
}

/// A question about a lesson.
#[Object(name = "Question")]
impl QuestionObject {
    #[graphql(flatten)]
    async fn fields(&self) -> &PostFields {
        &self.fields
    }

    /// The lesson; null if it is not visible to the viewer anymore.
    async fn lesson(&self, ctx: &Context<'_>) -> Result<Option<Sequential<LessonObject>>> {
        let Subject { course, lesson, .. } = &*self.fields.0.subject;
        let row = match (lesson, self.question.post.lesson_id) {
            (None, Some(id)) => loaders(ctx).load(LessonById(id)).await?,
            _ => lesson.clone(),
        };
        Ok(row.map(|row| Sequential(LessonObject { course: course.clone(), row })))
    }

    /// The title; empty if the question was deleted.
    async fn title(&self) -> &str {
        &self.question.title
    }

    /// The second of the video that the question is about; null if it is about none.
    async fn at_seconds(&self) -> Option<i32> {
        self.question.at_seconds
    }

    /// Whether the question comes first in all lists.
    async fn is_pinned(&self) -> bool {
        self.question.is_pinned
    }

    /// Whether the question is closed for replies.
    async fn is_locked(&self) -> bool {
        self.question.is_locked
    }

    /// When the question was resolved; null if it is not.
    async fn resolved_at(&self) -> Option<DateTime<Utc>> {
        self.question.resolved_at
    }

    /// Whether the viewer follows the question; null for anonymous viewers.
    async fn viewer_follows(&self, ctx: &Context<'_>) -> Result<Option<bool>> {
        let Some(user) = self.fields.0.subject.rights.viewer else { return Ok(None) };
        Ok(Some(viewer_loaders(ctx).load(Follows(self.question.post.id, user)).await?.is_some()))
    }

    /// The reply that the asker or the course's team has accepted as the answer; null if there is none.
    async fn accepted_reply(&self, ctx: &Context<'_>) -> Result<Option<Sequential<ReplyObject>>> {
        let Some(id) = self.question.accepted_reply_id else { return Ok(None) };
        let Some(post) = loaders(ctx).load(PostById(id.uuid())).await? else { return Ok(None) };
        let subject = self.fields.0.subject.clone();
        let seen = policy::can_see(&subject.rights, &post, Some(&self.question));
        let found = Found { post, question: Some(self.question.clone()), subject };
        Ok(seen.then_some(Sequential(ReplyObject(PostFields(found)))))
    }

    /// The number of replies that everybody sees who sees the question.
    async fn reply_count(&self) -> i32 {
        self.question.post.stats.reply_count
    }

    /// The replies, oldest first.
    async fn replies(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Sequential<Connection<ReplyObject>>> {
        let subject = &self.fields.0.subject;
        let page = PageArgs { first, after, last, before }.page::<Uuid>(REPLIES)?;
        let (parent, seer) = (self.question.post.id, subject.rights.seer());
        let rows = match &self.replies {
            Some((read, rows)) if *read == page => rows.clone(),
            _ => loaders(ctx).load(ReplyPage { parent, page: page.clone(), seer }).await?.unwrap_or_default(),
        };
        let reply = |post| {
            ReplyObject(PostFields(Found { post, question: Some(self.question.clone()), subject: subject.clone() }))
        };
        let connection = page.connection(rows, reply, |reply| encode_cursor(REPLIES, &reply.0.post().id));
        if !wants_total(ctx) {
            return Ok(Sequential(connection));
        }
        let total = loaders(ctx).load(ReplyCount(parent, seer)).await?.unwrap_or_default();
        Ok(Sequential(connection.with_total(total)))
    }
}

/// Returns the page of replies that is selected of each question of a list; `None` if there is none, or not one.
pub(super) fn replies_selected(ctx: &Context<'_>) -> Option<Page<Uuid>> {
    let selected = ["nodes", "edges"].map(|field| ctx.look_ahead().field(field));
    let [nodes, edges] = selected;
    let args = page_selected(nodes.field(REPLIES)).or_else(|| page_selected(edges.field("node").field(REPLIES)))?;
    args.page(REPLIES).ok()
}

/// Returns the question with this id, if the viewer may see it.
pub(super) async fn question_node(ctx: &Context<'_>, id: QuestionId) -> Result<Option<QuestionObject>> {
    let id = PostId { kind: PostKind::Question, id: id.uuid() };
    let found = command::find(loaders(ctx), within(ctx, Scope::ReadDiscussions), id).await?;
    Ok(found.and_then(|found| QuestionObject::of(PostFields(found))))
}
