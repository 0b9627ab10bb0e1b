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

pub(super) fn no_such_api_token() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["apiTokenId"], "You have no such token.")
}

pub(super) fn too_many_api_tokens(most: i64) -> Error {
    let message = format!("You have {most} tokens, the most there may be; revoke one first.");
    Error::invalid(UserErrorCode::NotAllowed, &[], message)
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

/// Demoted or banned since the access token was issued.
pub(super) fn no_longer_admin() -> Error {
    Error::Forbidden("You are no longer an administrator.".into())
}

pub(super) fn no_such_user() -> Error {
    Error::NotFound("There is no such user.".into())
}

pub(super) fn no_such_provider() -> Error {
    let message = "There is no such service here; identityProviders lists those that there are.";
    Error::invalid(UserErrorCode::NotFound, &["provider"], message)
}

pub(super) fn foreign_redirect() -> Error {
    let message = "The address must belong to this server or to an app that it knows (LYCEUM_CORS_ORIGINS), and have \
        no fragment.";
    Error::invalid(UserErrorCode::Invalid, &["redirectUri"], message)
}

pub(super) fn provider_unavailable(name: &str) -> Error {
    let message = format!("{name} does not answer as it should. Try again in a moment.");
    Error::invalid(UserErrorCode::TryAgain, &[], message)
}

/// One answer for what is unknown, spent, late, or another browser's, so that nobody learns which states there are.
pub(super) fn attempt_over() -> Error {
    let message = "This sign-in is over, or was begun elsewhere. Begin again.";
    Error::invalid(UserErrorCode::AttemptOver, &["state"], message)
}

pub(super) fn not_vouched(name: &str) -> Error {
    Error::invalid(UserErrorCode::AttemptOver, &["code"], format!("{name} did not confirm who you are. Begin again."))
}

/// The code was spent in vain, so that the same again can't help.
pub(super) fn provider_failed(name: &str) -> Error {
    let message = format!("{name} does not answer as it should. Begin again in a moment.");
    Error::invalid(UserErrorCode::AttemptOver, &[], message)
}

/// The same whether or not the address is registered: who did not prove that it is theirs is not told.
pub(super) fn unverified_there(name: &str) -> Error {
    let message = format!(
        "{name} has no verified e-mail address of yours. Verify it there and begin again; or sign in here in another \
        way and link your {name} account then."
    );
    Error::invalid(UserErrorCode::Unverified, &[], message)
}

pub(super) fn unverified_here(name: &str) -> Error {
    let message = format!(
        "Your e-mail address is registered here, but it was never verified. Verify it, or sign in with the password \
        and link your {name} account then."
    );
    Error::invalid(UserErrorCode::Unverified, &[], message)
}

pub(super) fn identity_taken(name: &str) -> Error {
    let message = format!("This {name} account is linked to another user. Unlink it there first.");
    Error::invalid(UserErrorCode::Taken, &[], message)
}

pub(super) fn no_such_identity() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["identityId"], "You have no such linked account.")
}

pub(super) fn only_way_in() -> Error {
    let message = "This is your only way to sign in. Set a password or link another account first.";
    Error::invalid(UserErrorCode::NotAllowed, &["identityId"], message)
}
