//! Commands for discussions.

mod answer;
mod count;
mod delete;
mod edit;
mod export;
mod find;
mod import;
mod moderate;
mod recount;
mod vote;
mod write;

pub use answer::{accept_reply, set_question_resolved};
pub(crate) use count::{FOLLOW_COUNTS, follow_counts};
pub use delete::{Deleted, delete_post};
pub use edit::edit_post;
pub use edit::{update_question, update_reply};
pub(crate) use export::forget_user;
pub use export::my_data;
pub use find::{Found, find};
pub use find::{Subject, find_post, question_title};
pub use import::{ImportedPost, ImportedQuestion, ImportedThread, import};
pub use moderate::{moderate_post, report_post};
pub(crate) use recount::recount_posts;
pub use vote::followers_after;
pub use vote::{follow_question, vote_post};
pub use write::{LONGEST_BODY, create_question, create_reply, held, write_post};
