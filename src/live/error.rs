//! The errors that a client can act on.

use super::model::{LiveSessionId, LiveSessionStatus};
use crate::graphql::error::UserErrorCode;
use crate::graphql::{Error, Result};

/// The constraint that keeps a host from being in two sessions at once.
const HOST: &str = "live_sessions_host_is_free";

/// There is no such session, or the viewer may not know of it.
pub fn no_such_session(id: LiveSessionId) -> Error {
    let message = format!("Session {} not found", id.encode());
    Error::invalid(UserErrorCode::NotFound, &["liveSessionId"], message)
}

pub(crate) fn no_such_course() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["courseId"], "There is no such course.")
}

pub(crate) fn no_such_category() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["categoryId"], "There is no such category.")
}

pub(crate) fn no_such_host() -> Error {
    let message = "There is no such user who could be the host: an instructor or administrator.";
    Error::invalid(UserErrorCode::NotFound, &["hostId"], message)
}

pub(crate) fn may_not_create() -> Error {
    Error::Forbidden("Instructors create sessions of their own about their courses; administrators create any.".into())
}

pub(crate) fn may_not_manage() -> Error {
    Error::Forbidden("Only the host of a session and administrators manage it.".into())
}

pub(crate) fn not_scheduled(status: LiveSessionStatus) -> Error {
    let why = match status {
        LiveSessionStatus::Canceled => "This session was canceled.",
        _ => "This session has started.",
    };
    Error::invalid(UserErrorCode::NotAllowed, &["liveSessionId"], why)
}

pub(crate) fn is_over() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &["liveSessionId"], "This session is over or was canceled.")
}

pub(crate) fn not_started() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &["liveSessionId"], "This session has not started.")
}

pub(crate) fn not_joined() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &["liveSessionId"], "You have no place in this session.")
}

pub(crate) fn has_participants() -> Error {
    let message = "Users have or had places in this session. Cancel it instead.";
    Error::invalid(UserErrorCode::NotAllowed, &["liveSessionId"], message)
}

pub(crate) fn too_few_seats(taken: i64) -> Error {
    let message = format!("{taken} seats are taken.");
    Error::invalid(UserErrorCode::OutOfRange, &["capacity"], message)
}

pub(crate) fn nothing_to_change() -> Error {
    Error::invalid(UserErrorCode::Blank, &[], "There is nothing to change.")
}

/// Turns the violation of a constraint by a session into what the host can correct.
pub(crate) fn refused(failed: diesel::result::Error) -> Error {
    use diesel::result::Error as Failed;
    match &failed {
        Failed::DatabaseError(_, info) if info.constraint_name() == Some(HOST) => {
            let message = "The host is in another session at this time.";
            Error::invalid(UserErrorCode::Taken, &["startsAt"], message)
        }
        _ => failed.into(),
    }
}

/// Returns an entry's error at its place in the list of entries.
pub(crate) fn bad_entry<T>(place: usize, code: UserErrorCode, message: impl Into<String>) -> Result<T> {
    Err(Error::invalid(code, &["entries", &place.to_string(), "userId"], message))
}
