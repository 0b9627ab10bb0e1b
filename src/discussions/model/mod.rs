//! Posts, questions, replies, and the inputs of the mutations.

mod input;
mod list;
mod post;
mod question;
mod report;

pub(super) use input::{
    AcceptReplyInput, DeletePostInput, FollowQuestionInput, SetQuestionResolvedInput, UpdateQuestionInput,
    UpdateReplyInput, VotePostInput,
};
pub use input::{CreateQuestionInput, CreateReplyInput};
pub use list::Seer;
pub(crate) use list::{QuestionFilter, QuestionPlace, QuestionSort};
pub(super) use list::{Scope, Which};
pub use post::{HiddenReason, Post, PostId, PostKind, PostStats};
pub(super) use post::{NewPost, PostAction, PostEdit};
pub use question::{Question, QuestionId, Reply, ReplyId};
pub(super) use report::{ModeratePostInput, ReportFilter, ReportPostInput, WhichReports};
pub use report::{Moderation, Report, ReportId, Resolution};
