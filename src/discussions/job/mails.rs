//! The email templates of this feature, their contexts and samples.

use serde::Serialize;

use crate::platform::mail::{self, Sample, Template};

/// Tells a member of the course's team that a question was asked.
pub(super) static QUESTION_ASKED: Template = mail::template!("question_asked");
/// Tells a follower of a question that there is a new reply.
pub(super) static REPLY_POSTED: Template = mail::template!("reply_posted");

/// The context of both templates.
#[derive(Serialize)]
pub(super) struct PostNews<'a> {
    pub(super) name: &'a str,
    /// The name of the post's author.
    pub(super) author: &'a str,
    pub(super) course: &'a str,
    /// The title of the question.
    pub(super) question: &'a str,
    /// The beginning of the post.
    pub(super) excerpt: &'a str,
}

/// Returns samples of all emails of this feature, one for each case.
pub fn mails() -> Vec<Sample> {
    let sample = |excerpt| PostNews {
        name: "Ada Lovelace",
        author: "Charles Babbage",
        course: "Analytical Engines",
        question: "How does it carry?",
        excerpt,
    };
    vec![
        Sample::new(&QUESTION_ASKED, "", sample("I do not see how the tens get to the next wheel.")),
        Sample::new(&REPLY_POSTED, "", sample("By a lever that the wheel moves when it passes nine.")),
    ]
}
