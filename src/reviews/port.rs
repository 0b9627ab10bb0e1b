//! What discussions tell this feature inside their own transactions.

use futures_util::FutureExt;

use super::command;
use crate::discussions::{PostHook, PostKind};

/// Returns the function that follows what happens to reviews as posts.
pub fn post_hook() -> PostHook {
    PostHook { kind: PostKind::Review, changed: |tx, post, change| command::follow_post(tx, post, change).boxed() }
}
