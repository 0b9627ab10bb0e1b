//! The errors that a client can act on.

use crate::graphql::Error;
use crate::graphql::error::UserErrorCode;

pub(super) fn only_administrators() -> Error {
    Error::Forbidden("Only administrators give and take access.".into())
}

pub(super) fn no_such_user() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["userId"], "There is no such user.")
}

pub(super) fn no_such_course() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["courseId"], "There is no such course.")
}

pub(super) fn nothing_granted() -> Error {
    let message = "No administrator has given this user access to this course. What was bought, or comes with a \
        membership, ends by a refund or with the membership.";
    Error::invalid(UserErrorCode::NotFound, &[], message)
}

pub(super) fn costs_money() -> Error {
    let message = "This course is not free: it has to be bought.";
    Error::invalid(UserErrorCode::NotAllowed, &["courseId"], message)
}

pub(super) fn nothing_to_play(field: &str) -> Error {
    Error::invalid(UserErrorCode::NotFound, &[field], "There is nothing to play.")
}

pub(super) fn too_many_players(most: usize) -> Error {
    let places = if most == 1 { "another place".to_owned() } else { format!("{most} other places") };
    let message = format!("Your account plays in {places} now. Stop there, wait two minutes, and try again.");
    Error::TooMuch("TOO_MANY_PLAYERS", message)
}
