//! The interface `Post`, and what all types that implement it have in common.

use std::sync::Arc;

use async_graphql::indexmap::IndexMap;
use async_graphql::registry::{MetaField, Registry};
use async_graphql::{Context, Object, ObjectType, ServerResult, SimpleObject, Value};
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;

use crate::accounts::{UserObject, user_node};
use crate::discussions::command::{self, Found, Subject};
use crate::discussions::loader::{EditCount, EditPage, Html, Voted};
use crate::discussions::model::{HiddenReason, Post, PostAction, PostEdit, PostId, PostKind, Question};
use crate::discussions::policy;
use crate::graphql::context::{loaders, viewer_loaders, within};
use crate::graphql::guard::{Role, Scope, owned};
use crate::graphql::interface::{Any, Interface, Member, implement};
use crate::graphql::page::{encode_cursor, wants_total};
use crate::graphql::{Connection, Error, PageArgs, Result, RootFields, Sequential};
use crate::platform::internal_error::InternalError;

const EDITS: &str = "edits";

/// A post of any type.
pub type PostObject = Any<PostInterface>;

/// The definition of the interface.
pub struct PostInterface;

impl Interface for PostInterface {
    const NAME: &'static str = "Post";
    const DESCRIPTION: &'static str =
        "Something that a user has written about a lesson or a course, and that others vote for and report.";
    type Fields = PostFields;
}

/// What all posts have in common; a part of each type that implements `Post`.
#[derive(Clone)]
pub struct PostFields(pub(super) Found);

/// The fields of a post.
#[Object]
impl PostFields {
    /// The id of the post.
    async fn id(&self) -> PostId {
        self.0.post.post_id()
    }

    /// The author; null if the post was deleted. If the author's account was deleted, it is an anonymous user, whose
    /// name is “Deleted user”.
    async fn author(&self, ctx: &Context<'_>) -> Result<Option<Sequential<UserObject>>> {
        if self.0.post.deleted_at.is_some() {
            return Ok(None);
        }
        Ok(user_node(ctx, self.0.post.author_id).await?.map(Sequential))
    }

    /// Whether the author taught the course, or was an administrator, when they wrote the post.
    async fn is_by_team(&self) -> bool {
        self.0.post.is_by_team
    }

    /// The text in Markdown; empty if the post was deleted.
    async fn body(&self) -> &str {
        &self.0.post.body
    }

    /// The text as sanitized HTML that a page can embed: without scripts, styles, forms and frames, and with links to
    /// `http`, `https` and `mailto` only.
    async fn body_html(&self, ctx: &Context<'_>) -> Result<String> {
        let html = loaders(ctx).load(Html(self.0.post.body.as_str().into())).await?;
        Ok(html.map(|html| html.to_string()).unwrap_or_default())
    }

    /// When the post was written.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.post.created_at
    }

    /// When its author last edited the post; null if never.
    async fn edited_at(&self) -> Option<DateTime<Utc>> {
        self.0.post.edited_at
    }

    /// When the post was deleted, if it has replies and has therefore left a tombstone, without text and author; null
    /// if it was not.
    async fn deleted_at(&self) -> Option<DateTime<Utc>> {
        self.0.post.deleted_at
    }

    /// When the post was hidden: held automatically until a moderator has seen it, or hidden by one. Only its author
    /// and the course's team see it then. Null if it is not hidden.
    async fn hidden_at(&self) -> Option<DateTime<Utc>> {
        self.0.post.hidden_at
    }

    /// Why the post is hidden; null if it is not.
    async fn hidden_reason(&self) -> Option<HiddenReason> {
        self.0.post.hidden_reason
    }

    /// The version, incremented by each edit. Pass it to updates: an update with a stale version is rejected.
    async fn version(&self) -> i32 {
        self.0.post.version
    }

    /// The number of votes.
    async fn vote_count(&self) -> i32 {
        self.0.post.stats.vote_count
    }

    /// Whether the viewer has voted for the post; null for anonymous viewers.
    async fn viewer_has_voted(&self, ctx: &Context<'_>) -> Result<Option<bool>> {
        let Some(user) = self.0.subject.rights.viewer else { return Ok(None) };
        Ok(Some(viewer_loaders(ctx).load(Voted(self.0.post.id, user)).await?.is_some()))
    }

    /// What the viewer can do with the post, so that a page shows only the buttons that work.
    async fn viewer_actions(&self) -> Vec<PostAction> {
        PostAction::ALL.into_iter().filter(|action| self.0.permits(*action)).collect()
    }

    /// The earlier versions of the post, latest first; at most 50 are stored. Visible to its author and the course's
    /// team; for others it is null, with an error: an author can take back what others should not read.
    #[graphql(directive = owned::apply(Role::Instructor, Some(Scope::ReadDiscussions)))]
    async fn edits(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<PostEditObject>>>> {
        let Found { post, subject, .. } = &self.0;
        if !policy::can_see_edits(&subject.rights, post) {
            return Err(Error::Forbidden("Earlier versions are visible to the author and the course's team.".into()));
        }
        let page = PageArgs { first, after, last, before }.page::<i32>(EDITS)?;
        let rows = loaders(ctx).load(EditPage(post.id, page.clone())).await?.unwrap_or_default();
        let connection = page.connection(rows, PostEditObject::from, |edit| encode_cursor(EDITS, &edit.version));
        if !wants_total(ctx) {
            return Ok(Some(Sequential(connection)));
        }
        let total = loaders(ctx).load(EditCount(post.id)).await?.unwrap_or_default();
        Ok(Some(Sequential(connection.with_total(total))))
    }
}

impl PostFields {
    /// The fields of a post of another feature, which must be visible to the viewer.
    pub fn new(post: Arc<Post>, subject: Arc<Subject>) -> PostFields {
        PostFields(Found { post, question: None, subject })
    }

    /// The fields of a question.
    pub(super) fn of_question(question: Arc<Question>, subject: Arc<Subject>) -> PostFields {
        let post = Arc::new(question.post.clone());
        PostFields(Found { post, question: Some(question), subject })
    }

    /// The post.
    pub fn post(&self) -> &Arc<Post> {
        &self.0.post
    }

    /// What the post is about.
    pub fn subject(&self) -> &Arc<Subject> {
        &self.0.subject
    }
}

/// Returns what a post has in common with others, if the viewer may see it.
pub(crate) async fn visible_post(ctx: &Context<'_>, id: PostId) -> Result<Option<PostFields>> {
    let found = command::find(loaders(ctx), within(ctx, Scope::ReadDiscussions), id).await?;
    Ok(found.map(PostFields))
}

/// An earlier version of a post.
#[derive(Clone, SimpleObject)]
#[graphql(name = "PostEdit")]
pub(super) struct PostEditObject {
    /// The version.
    version: i32,
    /// The title of a question; null for other posts.
    title: Option<String>,
    /// The text in Markdown.
    body: String,
    /// When the author replaced this version.
    edited_at: DateTime<Utc>,
}

impl From<Arc<PostEdit>> for PostEditObject {
    fn from(edit: Arc<PostEdit>) -> PostEditObject {
        let PostEdit { version, title, body, edited_at } = Arc::unwrap_or_clone(edit);
        PostEditObject { version, title, body, edited_at }
    }
}

/// A type that implements the interface, and how to make its objects.
#[derive(Clone)]
pub struct PostType {
    kind: PostKind,
    member: Member,
    object: MakeObject,
}

type MakeObject = Arc<dyn for<'a> Fn(&'a Context<'a>, PostFields) -> BoxFuture<'a, Result<PostObject>> + Send + Sync>;

impl PostType {
    /// The object type `T` of posts of `kind`, whose objects `object` makes.
    pub fn new<T: ObjectType + 'static>(
        kind: PostKind,
        object: impl for<'a> Fn(&'a Context<'a>, PostFields) -> BoxFuture<'a, Result<T>> + Send + Sync + 'static,
    ) -> PostType {
        let object = Arc::new(object);
        PostType {
            kind,
            member: Member::new::<T>(),
            object: Arc::new(move |ctx, fields| {
                let object = object.clone();
                Box::pin(async move { Ok(PostObject::new(object(ctx, fields).await?)) })
            }),
        }
    }
}

/// Returns the object of a post, of whatever type.
pub(super) async fn post_object(ctx: &Context<'_>, found: Found) -> Result<PostObject> {
    let types = ctx.data_unchecked::<Vec<PostType>>();
    let of_kind = types.iter().find(|post_type| post_type.kind == found.post.kind);
    let of_kind = of_kind.ok_or_else(|| Error::from(InternalError::new("a kind of posts has no type")))?;
    (of_kind.object)(ctx, PostFields(found)).await
}

/// Registers the types that implement the interface.
pub(super) struct PostTypes(pub(super) Vec<PostType>);

impl RootFields for PostTypes {
    fn describe(&self, registry: &mut Registry) -> IndexMap<String, MetaField> {
        implement::<PostInterface>(registry, self.0.iter().map(|post_type| post_type.member));
        registry.add_implements(PostInterface::NAME, "Node");
        IndexMap::new()
    }

    fn resolve<'a>(&'a self, _: &'a Context<'a>) -> BoxFuture<'a, ServerResult<Option<Value>>> {
        Box::pin(async { Ok(None) })
    }

    fn feature(&self) -> &'static str {
        "lyceum::discussions"
    }
}
