//! The errors that a client can act on.

use crate::graphql::Error;
use crate::graphql::error::UserErrorCode;

pub(crate) fn ids_or_cursor() -> Error {
    Error::invalid(UserErrorCode::Invalid, &["ids"], "Give either ids or upTo.")
}

pub(crate) fn too_many_ids(count: usize, most: usize) -> Error {
    Error::invalid(UserErrorCode::TooLong, &["ids"], format!("There are {count} ids; at most {most} are allowed."))
}

pub(crate) fn unread_by_id() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &["upTo"], "Only READ and ARCHIVED go with upTo; give ids.")
}

pub(crate) fn bad_cursor() -> Error {
    Error::invalid(UserErrorCode::Invalid, &["upTo"], "This is not a cursor that notifications returned.")
}

pub(crate) fn no_such_subject() -> Error {
    let message = "There is no such course, channel or question.";
    Error::invalid(UserErrorCode::NotFound, &["subjectId"], message)
}

pub(crate) fn too_many_mutes(most: i64) -> Error {
    let message = format!("You have muted {most} already, which is the maximum. Show some of them again.");
    Error::invalid(UserErrorCode::TooLong, &["subjectId"], message)
}

pub(crate) fn half_quiet() -> Error {
    let message = "Give both quietFrom and quietTo, or null for both.";
    Error::invalid(UserErrorCode::Invalid, &["quietFrom"], message)
}

pub(crate) fn security_stays() -> Error {
    let message = "Notifications about the security of the account are always shown.";
    Error::invalid(UserErrorCode::NotAllowed, &["preferences"], message)
}

pub(crate) fn needs_session() -> Error {
    Error::Forbidden("Devices are registered in a session, not with an API token.".into())
}

pub(crate) fn push_is_off() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &[], "This server sends no messages through that service.")
}

pub(crate) fn no_endpoint() -> Error {
    let message = "This is not the URL of a push service: https, public, and at most 2,000 characters.";
    Error::invalid(UserErrorCode::Invalid, &["web", "endpoint"], message)
}

pub(crate) fn no_push_keys() -> Error {
    let message = "These are not the keys of a subscription: p256dh is a point on P-256, auth 16 bytes, in base64url.";
    Error::invalid(UserErrorCode::Invalid, &["web", "p256dh"], message)
}

pub(crate) fn no_device_token(field: &[&str]) -> Error {
    Error::invalid(UserErrorCode::Invalid, field, "This is not the token of a device.")
}

pub(crate) fn no_such_push_subscription() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["pushSubscriptionId"], "You have no such push subscription.")
}

pub(crate) fn no_such_audience() -> Error {
    let message = "There is no such course or channel of yours; only administrators address all users or a role.";
    Error::invalid(UserErrorCode::NotFound, &["audience"], message)
}

pub(crate) fn no_such_announcement() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["announcementId"], "There is no such announcement.")
}

pub(crate) fn announced_too_often(most: usize) -> Error {
    let message = format!("You can make {most} announcements within 24 hours. Try again later.");
    Error::invalid(UserErrorCode::TooOften, &[], message)
}
