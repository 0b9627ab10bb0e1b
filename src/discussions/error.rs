//! The errors that a client can act on.

use super::model::PostAction;
use crate::graphql::Error;
use crate::graphql::error::UserErrorCode;

pub(crate) fn not_signed_in() -> Error {
    Error::Unauthenticated("Sign in first.".into())
}

/// The lesson does not exist, or the viewer may not know of it.
pub fn no_such_lesson() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["lessonId"], "There is no such lesson.")
}

/// The course does not exist, or the viewer may not know of it.
pub fn no_such_course() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["courseId"], "There is no such course.")
}

pub(crate) fn no_such_question() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["questionId"], "There is no such question.")
}

pub(crate) fn no_such_reply() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["replyId"], "There is no such reply to this question.")
}

pub(crate) fn no_such_post(field: &str) -> Error {
    Error::invalid(UserErrorCode::NotFound, &[field], "There is no such post.")
}

pub(crate) fn not_entitled() -> Error {
    let message = "Only those who are entitled to the course take part in its discussions.";
    Error::invalid(UserErrorCode::NotAllowed, &["lessonId"], message)
}

pub(crate) fn nothing_to_change() -> Error {
    Error::invalid(UserErrorCode::Blank, &[], "Give at least one field to change.")
}

pub(crate) fn too_often(most: usize) -> Error {
    let message = format!("You can write {most} posts in a course within an hour. Try again later.");
    Error::invalid(UserErrorCode::TooOften, &[], message)
}

/// The error for an action that the viewer may not take on a post that they may see.
pub(crate) fn not_allowed(action: PostAction, field: &str) -> Error {
    let message = match action {
        PostAction::Update | PostAction::Delete => "Only the author changes or deletes this.",
        PostAction::Vote => {
            "You cannot vote for this: it is your own, hidden or deleted, or you are not entitled to the course."
        }
        PostAction::Report => "You cannot report what is your own or deleted.",
        PostAction::Reply => {
            "You cannot reply to this: it is locked, hidden or deleted, or you are not entitled to the course. To a \
                review, only the course's team replies, and once."
        }
        PostAction::Accept => "You cannot accept this reply: that is for who has asked and for the course's team.",
        PostAction::Resolve => "Only who has asked and the course's team say whether the question is resolved.",
        PostAction::Pin | PostAction::Lock => "Only the course's team pins and locks questions.",
        PostAction::Hide => "Only the course's team hides posts, and this one is hidden or deleted already.",
        PostAction::Restore => "Only the course's team shows posts again, and this one is not hidden.",
        PostAction::Remove => "Only the course's team removes posts, and this one may be deleted already.",
    };
    Error::invalid(UserErrorCode::NotAllowed, &[field], message)
}
