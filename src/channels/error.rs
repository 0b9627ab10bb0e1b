//! Errors of channels that clients can act on.

use crate::graphql::{Error, UserErrorCode};

pub(crate) fn no_such_channel() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["channelId"], "There is no such channel.")
}

pub(crate) fn not_yours() -> Error {
    Error::Forbidden("Only the channel's owner and administrators may change it.".into())
}

pub(crate) fn slug_taken() -> Error {
    Error::invalid(
        UserErrorCode::Taken,
        &["slug"],
        "Another channel has this slug, or had it before; choose a different one.",
    )
}

pub(crate) fn no_such_teacher() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["member", "userId"], "There is no instructor with this id.")
}

/// Return it only to administrators: it reveals whether an address is registered.
pub(crate) fn no_such_address() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["member", "email"], "No instructor has this e-mail address.")
}

pub(crate) fn default_stays() -> Error {
    let message = "This is its owner's default channel, which every instructor has.";
    Error::invalid(UserErrorCode::NotAllowed, &["channelId"], message)
}

/// The same error whether or not the channel exists.
pub(crate) fn no_invitation() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["channelId"], "You have no invitation to this channel.")
}

pub(crate) fn owner_stays() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &["userId"], "The owner of a channel cannot be removed from it.")
}

pub(crate) fn too_many(message: String) -> Error {
    Error::invalid(UserErrorCode::OutOfRange, &[], message)
}
