//! Posts, questions, replies, and the inputs of the mutations.

mod input;
mod list;
mod post;
mod question;
mod report;

pub use input::{
    AcceptReplyInput, DeletePostInput, FollowQuestionInput, SetQuestionResolvedInput, UpdateQuestionInput,
    UpdateReplyInput, VotePostInput,
};
pub use input::{CreateQuestionInput, CreateReplyInput};
pub use list::Seer;
pub use list::{QuestionFilter, QuestionPlace, QuestionSort};
pub use list::{Scope, Which};
pub(crate) use post::NewPost;
pub use post::{HiddenReason, Post, PostId, PostKind, PostStats};
pub use post::{PostAction, PostEdit};
pub use question::{Question, QuestionId, Reply, ReplyId};
pub use report::{ModeratePostInput, ReportFilter, ReportPostInput, WhichReports};
pub use report::{Moderation, Report, ReportId, Resolution};
