//! Posts, questions, replies, and the inputs of the mutations.

mod input;
mod list;
mod post;
mod question;

pub(super) use input::{
    AcceptReplyInput, DeletePostInput, FollowQuestionInput, SetQuestionResolvedInput, UpdateQuestionInput,
    UpdateReplyInput, VotePostInput,
};
pub use input::{CreateQuestionInput, CreateReplyInput};
pub(crate) use list::{QuestionFilter, QuestionPlace, QuestionSort};
pub(super) use list::{Scope, Seer, Which};
pub use post::{HiddenReason, Post, PostEdit, PostId, PostKind};
pub(super) use post::{NewPost, PostAction};
pub use question::{Question, QuestionId, Reply, ReplyId};
