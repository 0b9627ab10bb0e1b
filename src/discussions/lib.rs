//! Discussions: questions about lessons, replies, votes, follows, reports and moderation.
//!
//! Who may see a lesson reads what is asked about it; who is entitled to it writes, and so does the course's team. A
//! question of a lesson that the viewer may not see does not exist for them: not by its id, not in counts, not in a
//! search, not in a push. Everything written is a [`Post`]; a later feature stores posts of its own kind, which are
//! then voted for, edited, reported and moderated like these (`PostType`).

use crate as discussions;
use lyceum_accounts as accounts;
use lyceum_catalog as catalog;
use lyceum_config as config;
use lyceum_entitlements as entitlements;
use lyceum_graphql as graphql;
use lyceum_platform as platform;

pub mod command;
pub mod error;
pub mod event;
mod job;
pub mod loader;
pub mod model;
pub mod policy;
mod port;
pub mod query;

pub use command::{
    ImportedPost, ImportedQuestion, ImportedThread, LONGEST_BODY, Subject, create_question, create_reply, edit_post,
    find_post, followers_after, held, import, my_data, question_title, write_post,
};
pub use event::{
    Place, PostCounted, PostDeleted, PostEdited, PostModerated, PostReported, QuestionAsked, QuestionResolved,
    ReplyAccepted, ReplyPosted,
};
pub use job::handlers;
pub use loader::{FollowedQuestionsOf, PostById};
pub use model::{
    CreateQuestionInput, CreateReplyInput, HiddenReason, Moderation, Post, PostId, PostKind, PostStats, Question,
    QuestionFilter, QuestionId, QuestionSort, Reply, ReplyId, Report, ReportId, Resolution, Seer,
};
pub use policy::Rights;
pub use port::{PostChange, PostHook, post_by_id};
