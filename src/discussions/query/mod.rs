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

use crate::platform::db::schema::{
    post_edits, post_reports, post_stats, post_texts, post_votes, posts, question_follows, questions,
};

// diesel.toml says why not all.
diesel::allow_tables_to_appear_in_same_query!(
    post_edits,
    post_reports,
    post_stats,
    post_texts,
    post_votes,
    posts,
    question_follows,
    questions
);
