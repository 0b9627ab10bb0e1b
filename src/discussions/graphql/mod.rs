//! Discussions in the schema.

mod list;
mod mutation;
mod post;
mod question;
mod reply;
mod report;
mod subscription;

use futures_util::FutureExt;

pub(crate) use list::{QuestionConnection, course_questions, lesson_questions};
pub(crate) use post::visible_post;
pub use post::{PostFields, PostObject, PostType};
pub use question::QuestionObject;
pub use reply::ReplyObject;
pub(crate) use reply::response_to;
pub use subscription::DiscussionSubscription;

use self::post::PostTypes;
use self::question::question_node;
use self::reply::reply_node;
use self::report::report_node;
use super::model::PostKind;
use crate::graphql::{Error, NodeType, RootFields};
use crate::platform::internal_error::InternalError;

/// Returns the types of this feature that implement `Node`.
pub fn nodes() -> Vec<NodeType> {
    vec![
        NodeType::new(|ctx, id| question_node(ctx, id).boxed()),
        NodeType::new(|ctx, id| reply_node(ctx, id).boxed()),
        NodeType::new(|ctx, id| report_node(ctx, id).boxed()),
    ]
}

/// Returns the types of this feature that implement `Post`.
pub fn post_types() -> Vec<PostType> {
    vec![
        PostType::new(PostKind::Question, |_, fields| {
            async move {
                let question = QuestionObject::of(fields);
                question.ok_or_else(|| Error::from(InternalError::new("a question has no row of its own")))
            }
            .boxed()
        }),
        PostType::new(PostKind::Reply, |_, fields| async move { Ok(ReplyObject(fields)) }.boxed()),
    ]
}

/// The queries of discussions, and the interface `Post` with the types of all features that implement it.
pub fn queries(types: Vec<PostType>) -> Vec<Box<dyn RootFields>> {
    vec![Box::new(PostTypes(types)), Box::new(report::ReportQuery)]
}

/// The mutations of discussions.
pub fn mutations() -> Vec<Box<dyn RootFields>> {
    vec![Box::new(mutation::QuestionMutation), Box::new(mutation::PostMutation), Box::new(report::ReportMutation)]
}
