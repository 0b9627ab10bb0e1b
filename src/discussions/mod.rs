//! [`lyceum_discussions`], and its part of the schema.

mod graphql;

pub use graphql::{
    DiscussionSubscription, PostFields, PostObject, PostType, QuestionObject, ReplyObject, mutations, nodes,
    post_types, queries,
};
pub(crate) use graphql::{QuestionConnection, course_questions, lesson_questions, response_to, visible_post};
pub use lyceum_discussions::*;
