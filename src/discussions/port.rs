//! What a later feature does with posts of its own kind, inside its own transaction.

use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::model::{Post, PostKind};
use super::query::post;
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

/// What happens to a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostChange {
    /// It is hidden: by a moderator, or because an edit is held.
    Hidden,
    /// It is shown again.
    Shown,
    /// It is about to be deleted.
    Deleted,
    /// The number of its votes or replies changed a second ago.
    Counted,
}

/// The function that is called for each change of a post of one kind, in the transaction of the change.
///
/// `app.rs` registers a list of them. The post is as it was before the change, or with the new counts, and its row is
/// locked unless it was only counted.
#[derive(Clone, Copy)]
pub struct PostHook {
    /// The kind.
    pub kind: PostKind,
    /// The function.
    pub changed: Follow,
}

/// The function of a [`PostHook`].
type Follow = for<'a> fn(&'a mut Tx, &'a App, &'a Post, PostChange) -> BoxFuture<'a, Result<(), InternalError>>;

/// Calls the function that is registered for this kind of posts, if there is one.
pub(crate) async fn changed(tx: &mut Tx, app: &App, post: &Post, change: PostChange) -> Result<(), InternalError> {
    let hooks = app.hooks.get::<Vec<PostHook>>();
    match hooks.into_iter().flatten().find(|hook| hook.kind == post.kind) {
        Some(hook) => (hook.changed)(tx, app, post, change).await,
        None => Ok(()),
    }
}

/// Returns a post; `None` if there is none.
///
/// # Errors
/// The database failed.
pub async fn post_by_id(tx: &mut Tx, id: Uuid) -> Result<Option<Post>, InternalError> {
    Ok(post::by_id(tx, id).await?)
}
