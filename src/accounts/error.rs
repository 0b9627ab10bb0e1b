//! Errors of the accounts feature that clients can act on.

use super::model::User;
use crate::graphql::{Error, UserErrorCode};
use crate::platform::auth::Role;

pub(crate) fn email_taken() -> Error {
    Error::invalid(UserErrorCode::Taken, &["email"], "This e-mail address is registered already. Sign in instead.")
}

/// The same error for an unknown email address and a wrong password.
///
/// Otherwise anyone could find out which addresses have accounts.
pub(crate) fn wrong_credentials() -> Error {
    Error::invalid(UserErrorCode::WrongCredentials, &[], "The e-mail address or the password is wrong.")
}

/// The error for a banned user. Return it only to a caller who has proved to be that user.
pub fn banned(user: &User) -> Error {
    let reason = user.ban_reason.as_deref().unwrap_or_default();
    let until = user.banned_until.map(|until| format!(" until {}", until.format("%Y-%m-%d %H:%M UTC")));
    let message = format!("This account is banned{}: {reason}", until.unwrap_or_default());
    Error::invalid(UserErrorCode::Banned, &[], message)
}

/// The same error whether the email address of the code is free or already registered.
pub(crate) fn wrong_mailed_code(tries_left: i32) -> Error {
    let message = match tries_left {
        i32::MIN..=0 => "The code is wrong, and it was the last try: ask for another code.".to_owned(),
        1 => "The code is wrong. There is one more try.".to_owned(),
        tries => format!("The code is wrong. There are {tries} more tries."),
    };
    Error::invalid(UserErrorCode::WrongCode, &["code"], message)
}

pub(crate) fn code_over() -> Error {
    let message = "This code is no longer valid. Ask for another one.";
    Error::invalid(UserErrorCode::Expired, &["code"], message)
}

pub(crate) fn link_over() -> Error {
    let message = "This link is not valid, or no longer: each is good once, and for half an hour.";
    Error::invalid(UserErrorCode::Expired, &["token"], message)
}

pub(crate) fn registration_over() -> Error {
    let message = "This registration has ended. Register again, or sign in if you have activated it.";
    Error::invalid(UserErrorCode::Expired, &["registrationId"], message)
}

/// The email address has an account. Return it only to a caller who can read the mail of the address.
pub(crate) fn has_account() -> Error {
    let message = "There is an account with this e-mail address by now. Sign in, or ask for a new password.";
    Error::invalid(UserErrorCode::Taken, &["token"], message)
}

pub(crate) fn no_more_codes() -> Error {
    let message = "That was the last code for this registration. Register again.";
    Error::invalid(UserErrorCode::NotAllowed, &["registrationId"], message)
}

pub(crate) fn wrong_password(field: &'static str) -> Error {
    Error::invalid(UserErrorCode::WrongCredentials, &[field], "The password is wrong.")
}

pub(crate) fn no_password(field: &'static str) -> Error {
    let message = "This account has no password yet. Ask for a link to set one.";
    Error::invalid(UserErrorCode::NotAllowed, &[field], message)
}

pub(crate) fn own_email() -> Error {
    Error::invalid(UserErrorCode::Invalid, &["newEmail"], "This is your e-mail address already.")
}

pub(crate) fn session_over() -> Error {
    let message = "The session is over. Sign in again.";
    Error::invalid(UserErrorCode::SessionOver, &["refreshToken"], message)
}

/// A client exchanged one token twice at the same time, or retried too soon.
pub(crate) fn refreshing() -> Error {
    let message = "This token was exchanged a moment ago. Use the answer to that request; if it was lost, ask again \
        with the same token after a second.";
    Error::invalid(UserErrorCode::TryAgain, &["refreshToken"], message)
}

pub(crate) fn no_refresh_token() -> Error {
    let message = "Give the refresh token, or send it in its cookie.";
    Error::invalid(UserErrorCode::Blank, &["refreshToken"], message)
}

/// The user of the session has not authenticated recently.
pub fn reauthenticate() -> Error {
    let message = "Confirm that it is you: call reauthenticate with your password, then try again.";
    Error::invalid(UserErrorCode::ReauthenticationRequired, &[], message)
}

/// The account has no password and no second factor, so that only a new sign-in can be recent.
pub(crate) fn nothing_to_authenticate_with() -> Error {
    let message = "This account has no password and no second factor. Sign out, and sign in again.";
    Error::invalid(UserErrorCode::NotAllowed, &[], message)
}

pub(crate) fn wrong_code() -> Error {
    Error::invalid(UserErrorCode::WrongCode, &["code"], "The code is wrong, too old, or was used before.")
}

pub(crate) fn challenge_over() -> Error {
    let message = "This sign-in took too long or too many codes were tried. Sign in again.";
    Error::invalid(UserErrorCode::SessionOver, &["challenge"], message)
}

pub(crate) fn factor_exists() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &[], "There is a second factor already; disable it first.")
}

pub(crate) fn factor_not_started() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &[], "Start with startSecondFactor.")
}

pub(crate) fn no_factor() -> Error {
    Error::invalid(UserErrorCode::NotFound, &[], "There is no second factor.")
}

pub(crate) fn no_such_session() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["sessionId"], "You have no such session.")
}

pub(crate) fn no_such_api_token() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["apiTokenId"], "You have no such token.")
}

pub(crate) fn too_many_api_tokens(most: i64) -> Error {
    let message = format!("You have {most} tokens, the most there may be; revoke one first.");
    Error::invalid(UserErrorCode::NotAllowed, &[], message)
}

/// Tokens were asked for in cookies where none can be set.
pub fn no_cookies_here() -> Error {
    let message = "Cookies are set over HTTP only, for a page of this origin or a request with the header x-lyceum-csrf; \
        otherwise use the transport BEARER.";
    Error::BadInput(message.into())
}

pub(crate) fn last_admin() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &["role"], "This is the last administrator; appoint another one first.")
}

/// The last administrator cannot delete their own account.
pub(crate) fn last_admin_stays() -> Error {
    let message = "You are the last administrator; appoint another one first.";
    Error::invalid(UserErrorCode::NotAllowed, &[], message)
}

/// The actor is no longer an administrator, or has requested account deletion.
///
/// This happens if they were demoted or banned after the access token was issued.
pub(crate) fn no_longer_admin() -> Error {
    Error::Forbidden("You are no longer an administrator, or have given your account up.".into())
}

pub(crate) fn in_team_already(role: Role) -> Error {
    let message = format!("This user is in the team already, with the role {role}; change it with changeUserRole.");
    Error::invalid(UserErrorCode::NotAllowed, &["email"], message)
}

pub(crate) fn cannot_join() -> Error {
    let message = "This user is banned, or has given the account up.";
    Error::invalid(UserErrorCode::NotAllowed, &["email"], message)
}

pub(crate) fn no_such_invitation() -> Error {
    let message = "There is no such invitation, or no longer.";
    Error::invalid(UserErrorCode::NotFound, &["invitationId"], message)
}

pub(crate) fn invitation_over() -> Error {
    let message = "This invitation is not valid, or no longer. Ask for another one.";
    Error::invalid(UserErrorCode::Expired, &["token"], message)
}

pub(crate) fn no_such_user() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["userId"], "There is no such user.")
}

pub(crate) fn no_such_provider() -> Error {
    let message = "There is no such service here; identityProviders lists those that there are.";
    Error::invalid(UserErrorCode::NotFound, &["provider"], message)
}

pub(crate) fn foreign_redirect() -> Error {
    let message = "The address must belong to this server or to an app that it knows (LYCEUM_CORS_ORIGINS), and have \
        no fragment.";
    Error::invalid(UserErrorCode::Invalid, &["redirectUri"], message)
}

pub(crate) fn provider_unavailable(name: &str) -> Error {
    let message = format!("{name} does not answer as it should. Try again in a moment.");
    Error::invalid(UserErrorCode::TryAgain, &[], message)
}

/// The same error for an unknown, used or expired state, or one of another browser.
///
/// Otherwise anyone could probe for valid states.
pub(crate) fn attempt_over() -> Error {
    let message = "This sign-in is over, or was begun elsewhere. Begin again.";
    Error::invalid(UserErrorCode::AttemptOver, &["state"], message)
}

pub(crate) fn not_vouched(name: &str) -> Error {
    Error::invalid(UserErrorCode::AttemptOver, &["code"], format!("{name} did not confirm who you are. Begin again."))
}

/// The authorization code is already consumed, so a retry with the same code cannot succeed.
pub(crate) fn provider_failed(name: &str) -> Error {
    let message = format!("{name} does not answer as it should. Begin again in a moment.");
    Error::invalid(UserErrorCode::AttemptOver, &[], message)
}

/// The same error whether or not the email address is registered.
///
/// The caller has not proved to own it.
pub(crate) fn unverified_there(name: &str) -> Error {
    let message = format!(
        "{name} has no verified e-mail address of yours. Verify it there and begin again; or sign in here in another \
        way and link your {name} account then."
    );
    Error::invalid(UserErrorCode::Unverified, &[], message)
}

pub(crate) fn unverified_here(name: &str) -> Error {
    let message = format!(
        "Your e-mail address is registered here, but it was never verified. Verify it, or sign in with the password \
        and link your {name} account then."
    );
    Error::invalid(UserErrorCode::Unverified, &[], message)
}

pub(crate) fn identity_taken(name: &str) -> Error {
    let message = format!("This {name} account is linked to another user. Unlink it there first.");
    Error::invalid(UserErrorCode::Taken, &[], message)
}

pub(crate) fn no_such_identity() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["identityId"], "You have no such linked account.")
}

pub(crate) fn only_way_in() -> Error {
    let message = "This is your only way to sign in. Set a password or link another account first.";
    Error::invalid(UserErrorCode::NotAllowed, &["identityId"], message)
}

/// The error for a filter by something that is neither an IP address nor a network.
pub fn no_network(text: &str) -> Error {
    let text: String = text.chars().take(64).collect();
    Error::BadInput(format!("{text:?} is neither an IP address nor a network, such as 192.0.2.0/24."))
}

pub(crate) fn no_such_job() -> Error {
    let message = "There is no such job: it is deleted when it is done.";
    Error::invalid(UserErrorCode::NotFound, &["jobId"], message)
}

pub(crate) fn job_is_alive() -> Error {
    let message = "The job is not dead: it is tried again by itself.";
    Error::invalid(UserErrorCode::NotAllowed, &["jobId"], message)
}
