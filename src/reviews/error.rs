//! The errors that a client can act on.

use crate::graphql::Error;
use crate::graphql::error::UserErrorCode;

pub(crate) fn no_such_course() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["courseId"], "There is no such course.")
}

/// There is no such review, or the viewer may not know of it.
pub fn no_such_review() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["reviewId"], "There is no such review.")
}

pub(crate) fn not_entitled() -> Error {
    let message = "Only those who are entitled to the course review it, and not its team.";
    Error::invalid(UserErrorCode::NotAllowed, &["courseId"], message)
}

pub(crate) fn reviewed_already() -> Error {
    let message = "You have reviewed this course already. Edit or delete that review.";
    Error::invalid(UserErrorCode::Taken, &["courseId"], message)
}

pub(crate) fn nothing_to_change() -> Error {
    Error::invalid(UserErrorCode::Blank, &[], "Give at least one field to change.")
}
