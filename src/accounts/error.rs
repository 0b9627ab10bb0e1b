//! What a caller can act on.

use super::model::User;
use crate::graphql::{Error, UserErrorCode};

pub(super) fn email_taken() -> Error {
    Error::invalid(UserErrorCode::Taken, &["email"], "This e-mail address is registered already. Sign in instead.")
}

/// The same for an unknown address and a wrong password, so that nobody learns who has an account.
pub(super) fn wrong_credentials() -> Error {
    Error::invalid(UserErrorCode::WrongCredentials, &[], "The e-mail address or the password is wrong.")
}

/// Told only to somebody who has proved to be the user.
pub(super) fn banned(user: &User) -> Error {
    let reason = user.ban_reason.as_deref().unwrap_or_default();
    let until = user.banned_until.map(|until| format!(" until {}", until.format("%Y-%m-%d %H:%M UTC")));
    let message = format!("This account is banned{}: {reason}", until.unwrap_or_default());
    Error::invalid(UserErrorCode::NotAllowed, &[], message)
}

pub(super) fn session_over() -> Error {
    let message = "The session is over. Sign in again.";
    Error::invalid(UserErrorCode::SessionOver, &["refreshToken"], message)
}

/// A race of a client with itself, or a retry that came too soon.
pub(super) fn refreshing() -> Error {
    let message = "This token was exchanged a moment ago. Use the answer to that request; if it was lost, ask again \
        with the same token after a second.";
    Error::invalid(UserErrorCode::TryAgain, &["refreshToken"], message)
}

pub(super) fn no_refresh_token() -> Error {
    let message = "Give the refresh token, or send it in its cookie.";
    Error::invalid(UserErrorCode::Blank, &["refreshToken"], message)
}

pub(super) fn wrong_code() -> Error {
    Error::invalid(UserErrorCode::WrongCredentials, &["code"], "The code is wrong, too old, or was used before.")
}

pub(super) fn challenge_over() -> Error {
    let message = "This sign-in took too long or too many codes were tried. Sign in again.";
    Error::invalid(UserErrorCode::SessionOver, &["challenge"], message)
}

pub(super) fn wrong_password() -> Error {
    Error::invalid(UserErrorCode::WrongCredentials, &["password"], "The password is wrong.")
}

pub(super) fn factor_exists() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &[], "There is a second factor already; disable it first.")
}

pub(super) fn factor_not_started() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &[], "Start with startSecondFactor.")
}

pub(super) fn no_factor() -> Error {
    Error::invalid(UserErrorCode::NotFound, &[], "There is no second factor.")
}

pub(super) fn no_such_session() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["sessionId"], "You have no such session.")
}

pub(super) fn no_cookies_here() -> Error {
    let message = "Cookies are set over HTTP only, for a page of this origin or a request with the header x-lyceum-csrf; \
        otherwise use the transport BEARER.";
    Error::BadInput(message.into())
}

pub(super) fn last_admin() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &["role"], "This is the last administrator; appoint another one first.")
}

/// The last administrator who stays.
pub(super) fn last_admin_stays() -> Error {
    let message = "You are the last administrator; appoint another one first.";
    Error::invalid(UserErrorCode::NotAllowed, &[], message)
}

pub(super) fn no_such_upload() -> Error {
    let message = "You have no such upload, or it is over. Begin another one.";
    Error::invalid(UserErrorCode::NotFound, &["uploadId"], message)
}

pub(super) fn not_uploaded() -> Error {
    let message = "The file has not been uploaded yet. Send it to the URL of the upload first.";
    Error::invalid(UserErrorCode::NotAllowed, &["uploadId"], message)
}

pub(super) fn not_as_announced(why: impl Into<String>) -> Error {
    Error::invalid(UserErrorCode::Invalid, &["uploadId"], why)
}

pub(super) fn no_such_user() -> Error {
    Error::NotFound("There is no such user.".into())
}
