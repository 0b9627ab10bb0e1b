//! Discussions: questions about lessons, replies, votes, follows, reports and moderation.
//!
//! Who may see a lesson reads what is asked about it; who is entitled to it writes, and so does the course's team. A
//! question of a lesson that the viewer may not see does not exist for them: not by its id, not in counts, not in a
//! search, not in a push. Everything written is a [`Post`]; a later feature stores posts of its own kind, which are
//! then voted for, edited, reported and moderated like these ([`PostType`]).

mod command;
mod error;
mod event;
mod graphql;
mod job;
mod loader;
mod model;
mod policy;
mod port;
mod query;

pub use command::{
    ImportedPost, ImportedQuestion, ImportedThread, LONGEST_BODY, Subject, create_question, create_reply, edit_post,
    find_post, followers_after, held, import, my_data, question_title, write_post,
};
pub use event::{
    Place, PostCounted, PostDeleted, PostEdited, PostModerated, PostReported, QuestionAsked, QuestionResolved,
    ReplyAccepted, ReplyPosted,
};
pub use graphql::{
    DiscussionSubscription, PostFields, PostObject, PostType, QuestionObject, ReplyObject, mutations, nodes,
    post_types, queries,
};
pub(crate) use graphql::{QuestionConnection, course_questions, lesson_questions, response_to, visible_post};
pub use job::handlers;
pub use loader::{FollowedQuestionsOf, PostById};
pub use model::{
    CreateQuestionInput, CreateReplyInput, HiddenReason, Moderation, Post, PostId, PostKind, PostStats, Question,
    QuestionId, Reply, ReplyId, Report, ReportId, Resolution, Seer,
};
pub(crate) use model::{QuestionFilter, QuestionSort};
pub use policy::Rights;
pub use port::{PostChange, PostHook, post_by_id};
