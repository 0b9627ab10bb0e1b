//! Reviews in the schema.

mod list;
mod mutation;
mod review;

use futures_util::FutureExt;

pub(crate) use list::{ReviewConnection, course_reviews};
pub use review::{ReviewObject, viewer_review};

use self::review::review_node;
use crate::discussions::{PostKind, PostType};
use crate::graphql::{NodeType, RootFields};
use crate::reviews::error;

/// Returns the types of this feature that implement `Node`.
pub fn nodes() -> Vec<NodeType> {
    vec![NodeType::new(|ctx, id| review_node(ctx, id).boxed())]
}

/// Returns the types of this feature that implement `Post`.
pub fn post_types() -> Vec<PostType> {
    vec![PostType::new(PostKind::Review, |ctx, fields| {
        async move { ReviewObject::of(ctx, fields).await?.ok_or_else(error::no_such_review) }.boxed()
    })]
}

/// The mutations of reviews.
pub fn mutations() -> Vec<Box<dyn RootFields>> {
    vec![Box::new(mutation::ReviewMutation)]
}
