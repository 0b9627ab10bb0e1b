//! The errors that a client can act on.

use crate::graphql::error::UserErrorCode;
use crate::graphql::{Error, UserError};

pub(crate) fn only_administrators() -> Error {
    Error::Forbidden("Only administrators give and take access.".into())
}

pub(crate) fn no_such_user() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["userId"], "There is no such user.")
}

pub(crate) fn no_such_course() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["courseId"], "There is no such course.")
}

pub(crate) fn nothing_granted() -> Error {
    let message = "No administrator has given this user access to this course. What was bought, or comes with a \
        membership, ends by a refund or with the membership.";
    Error::invalid(UserErrorCode::NotFound, &[], message)
}

pub(crate) fn costs_money() -> Error {
    let message = "This course is not free: it has to be bought.";
    Error::invalid(UserErrorCode::NotAllowed, &["courseId"], message)
}

pub(crate) fn nothing_to_play(path: &[&str]) -> Error {
    Error::invalid(UserErrorCode::NotFound, path, "There is nothing to play.")
}

pub(crate) fn too_many_players(most: usize) -> Error {
    let places = if most == 1 { "another place".to_owned() } else { format!("{most} other places") };
    let message = format!("Your account plays in {places} now. Stop there, wait two minutes, and try again.");
    Error::TooMuch("TOO_MANY_PLAYERS", message)
}

pub(crate) fn no_such_lesson() -> UserError {
    UserError::new(UserErrorCode::NotFound, &["lessonId"], "There is no such lesson.")
}

pub(crate) fn not_enrolled() -> UserError {
    let message = "Only those who are entitled to a course have progress in it.";
    UserError::new(UserErrorCode::NotAllowed, &["lessonId"], message)
}

pub(crate) fn wrong_time() -> UserError {
    let message = "The time is in the future, more than 30 days ago, or before the access to the course began.";
    UserError::new(UserErrorCode::OutOfRange, &["at"], message)
}

pub(crate) fn too_many_parts(parts: usize, most: usize) -> UserError {
    let message = format!("Watched has {parts} entries; at most {most} are allowed.");
    UserError::new(UserErrorCode::TooLong, &["watched"], message)
}

pub(crate) fn wrong_second(path: &[&str]) -> UserError {
    let message = "The seconds of a video count from 0, and a part ends after it begins.";
    UserError::new(UserErrorCode::OutOfRange, path, message)
}

pub(crate) fn only_administrators_revoke() -> Error {
    Error::Forbidden("Only administrators revoke certificates.".into())
}

pub(crate) fn no_such_certificate() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["certificateId"], "There is no such certificate.")
}

pub(crate) fn revoked_already() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &["certificateId"], "The certificate is revoked already.")
}
