//! SQL for posts, questions, votes, follows and reports.
//!
//! A post is locked before its replies, and counts are written last. What a transaction writes of a question it writes
//! under the lock of the question's post, except for the copies of its counts.

pub mod follow;
pub(crate) mod import;
pub mod post;
pub mod question;
pub mod reply;
pub mod report;
pub mod vote;
