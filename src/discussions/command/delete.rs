//! Commands that delete posts.

use uuid::Uuid;

use super::count::count_reply;
use super::find::{Found, find};
use crate::discussions::event::{Place, PostDeleted};
use crate::discussions::model::{DeletePostInput, Post, PostAction, PostId, PostKind, Resolution};
use crate::discussions::port::{PostChange, changed};
use crate::discussions::query::question::QuestionChanges;
use crate::discussions::query::{post, question, report};
use crate::discussions::{error, policy};
use crate::graphql::Result;
use crate::graphql::loaders::Loaders;
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;
use crate::platform::outbox;

/// What has become of a deleted post.
#[derive(Clone, Debug)]
pub enum Deleted {
    /// It is still there: a tombstone, or moderated otherwise.
    Buried(Box<Found>),
    /// It is gone.
    Gone,
}

impl Deleted {
    /// What has become of a post, which the actor still sees if it is left.
    pub(super) async fn of(loaders: &Loaders, actor: &Actor, id: PostId, is_left: bool) -> Result<Deleted> {
        if !is_left {
            return Ok(Deleted::Gone);
        }
        let found = find(loaders, actor, id).await?.ok_or_else(|| error::no_such_post("postId"))?;
        Ok(Deleted::Buried(Box::new(found)))
    }
}

/// Deletes a post of the actor. One with replies leaves a tombstone, without its text and its history.
///
/// # Errors
/// There is no such post; the actor has not written it.
pub async fn delete_post(loaders: &Loaders, actor: &Actor, input: DeletePostInput) -> Result<Deleted> {
    let (app, no_such) = (loaders.app(), || error::no_such_post("postId"));
    let found = find(loaders, actor, input.post_id).await?.ok_or_else(no_such)?;
    let rights = found.subject.rights;
    let buried = app
        .db
        .transaction(async |tx| {
            let old = lock(tx, &found.post).await?.ok_or_else(no_such)?;
            if !policy::permits(&rights, PostAction::Delete, &old, found.question.as_deref()) {
                return Err(error::not_allowed(PostAction::Delete, "postId"));
            }
            report::resolve(tx, old.id, Resolution::Deleted, app.clock.now()).await?;
            remove(tx, app, &old).await
        })
        .await?;
    Deleted::of(loaders, actor, input.post_id, buried).await
}

/// Locks a post that is to be deleted, after what it replies to.
pub(super) async fn lock(tx: &mut Tx, old: &Post) -> Result<Option<Post>> {
    if let Some(parent) = old.parent_id {
        post::lock(tx, parent).await?;
    }
    Ok(post::lock_to_delete(tx, old.id).await?)
}

/// Deletes a locked post; returns whether it has left a tombstone. What replies to a review goes with it.
pub(super) async fn remove(tx: &mut Tx, app: &App, old: &Post) -> Result<bool> {
    outbox::record(tx, &app.clock, &PostDeleted { place: Place::of(old) }).await?;
    if old.kind == PostKind::Question && post::has_replies(tx, old.id).await? {
        post::bury(tx, old.id, app.clock.now()).await?;
        let changes = QuestionChanges { title: Some(String::new()), ..QuestionChanges::default() };
        question::update(tx, old.id, changes).await?;
        return Ok(true);
    }
    if old.kind == PostKind::Review {
        report::resolve_of_replies(tx, old.id, Resolution::Deleted, app.clock.now()).await?;
    }
    changed(tx, app, old, PostChange::Deleted).await?;
    post::delete(tx, old.id).await?;
    if let Some(parent) = old.parent_id {
        leave(tx, app, old, parent).await?;
    }
    Ok(false)
}

/// Lets the locked post that a deleted reply belonged to forget it. A tombstone without replies goes with the last one.
async fn leave(tx: &mut Tx, app: &App, old: &Post, parent: Uuid) -> Result<()> {
    if let Some(question) = question::by_id(tx, parent).await? {
        if question.post.deleted_at.is_some() && !post::has_replies(tx, parent).await? {
            post::delete(tx, parent).await?;
            return Ok(());
        }
        if question.accepted_reply_id.is_some_and(|id| id.uuid() == old.id) {
            let changes = QuestionChanges { accepted_reply_id: Some(None), ..QuestionChanges::default() };
            question::update(tx, parent, changes).await?;
        }
    }
    if old.is_shown() {
        count_reply(tx, app, old, -1, None).await?;
    }
    Ok(())
}
