//! The errors that a client can act on.

use crate::graphql::Error;
use crate::graphql::error::UserErrorCode;

pub(super) fn no_such_course() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["courseId"], "There is no such course.")
}

pub(super) fn no_such_review() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["reviewId"], "There is no such review.")
}

pub(super) fn not_entitled() -> Error {
    let message = "Only those who are entitled to the course review it, and not its team.";
    Error::invalid(UserErrorCode::NotAllowed, &["courseId"], message)
}

pub(super) fn reviewed_already() -> Error {
    let message = "You have reviewed this course already. Edit or delete that review.";
    Error::invalid(UserErrorCode::Taken, &["courseId"], message)
}

pub(super) fn nothing_to_change() -> Error {
    Error::invalid(UserErrorCode::Blank, &[], "Give at least one field to change.")
}
