//! SQL for posts, questions, votes, follows and reports.
//!
//! A post is locked before its replies, and counts are written last. What a transaction writes of a question it writes
//! under the lock of the question's post, except for the copies of its counts.

pub(super) mod follow;
pub(super) mod import;
pub(super) mod post;
pub(super) mod question;
pub(super) mod reply;
pub(super) mod report;
pub(super) mod vote;
