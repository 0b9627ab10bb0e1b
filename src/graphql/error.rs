//! The errors that clients can see.
//!
//! [`Error`] has no `Display`, so async-graphql's blanket conversion of displayable types does not apply to it. Any
//! other error passes a resolver's `?` only as an [`InternalError`], which clients see only as the code `INTERNAL`.

mod check;

use std::time::Duration;

use async_graphql::{Enum, ErrorExtensionValues, SimpleObject, Value};

pub use check::Check;

use super::sequential::Sequential;
use crate::platform::db::TxError;
use crate::platform::internal_error::InternalError;
use crate::platform::outage::Outage;
use crate::platform::outbox::Unreadable;
use crate::platform::throttle::{Failure, Wait};

/// When to try again what failed because of an outage.
const OUTAGE_WAIT: Duration = Duration::from_secs(2);
const TOO_LONG: &str = "The operation took too long and was stopped.";

/// The error of a command or a resolver.
#[derive(Debug)]
pub enum Error {
    /// The input is invalid and the user can fix it; becomes the payload's `userErrors`.
    Invalid(Vec<UserError>),
    /// The caller is not signed in, or the token is invalid or expired.
    Unauthenticated(String),
    /// The caller is signed in but lacks the permission.
    Forbidden(String),
    /// The caller has no access to restricted content. `FORBIDDEN`, with a machine-readable reason.
    NoAccess {
        /// `extensions.reason`.
        reason: &'static str,
        /// The message for the user.
        message: String,
    },
    /// An argument is invalid because of a bug in the client.
    BadInput(String),
    /// The request exceeds a limit; error code and message.
    TooMuch(&'static str, String),
    /// The rate limit is exceeded; the operation was not attempted.
    RateLimited {
        /// How long to wait before retrying.
        wait: Duration,
    },
    /// The cursor is older than the log, or of a log that was rewound, as by a restore from a backup.
    CursorExpired {
        /// What clients query instead.
        instead: &'static str,
    },
    /// The operation timed out.
    Timeout,
    /// An internal error.
    Internal(InternalError),
}

/// A result whose error clients can see.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An [`Error::Invalid`] with a single user error.
    pub fn invalid(code: UserErrorCode, field: &[&str], message: impl Into<String>) -> Error {
        Error::Invalid(vec![UserError::new(code, field, message)])
    }

    /// Returns the value of `extensions.code`.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Invalid(errors) if errors.iter().all(|error| error.code == UserErrorCode::NotFound) => "NOT_FOUND",
            Error::Invalid(_) | Error::BadInput(_) => "BAD_USER_INPUT",
            Error::Unauthenticated(_) => "UNAUTHENTICATED",
            Error::Forbidden(_) | Error::NoAccess { .. } => "FORBIDDEN",
            Error::TooMuch(code, _) => code,
            Error::CursorExpired { .. } => "CURSOR_EXPIRED",
            Error::RateLimited { .. } => "RATE_LIMITED",
            Error::Timeout => "TIMEOUT",
            Error::Internal(error) => match error.outage() {
                Some(Outage::Unavailable) => "UNAVAILABLE",
                Some(Outage::Timeout) => "TIMEOUT",
                None => "INTERNAL",
            },
        }
    }

    /// Returns how long to wait before the same request is tried again, if it should be.
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Error::RateLimited { wait } => Some(*wait),
            Error::Timeout => Some(OUTAGE_WAIT),
            Error::Internal(error) => error.outage().map(|_| OUTAGE_WAIT),
            _ => None,
        }
    }

    /// Returns the error for a log that cannot be read from a cursor on; `instead` is what clients query then.
    pub fn unreadable(why: Unreadable, instead: &'static str) -> Error {
        match why {
            Unreadable::Expired => Error::CursorExpired { instead },
            Unreadable::Failed(error) => Error::Internal(error),
        }
    }

    /// Returns the message for clients; logs an internal error.
    pub fn into_message(self) -> String {
        match self {
            Error::Invalid(errors) => errors.into_iter().map(|error| error.message).collect::<Vec<_>>().join(" "),
            Error::Unauthenticated(message)
            | Error::Forbidden(message)
            | Error::NoAccess { message, .. }
            | Error::BadInput(message)
            | Error::TooMuch(_, message) => message,
            Error::RateLimited { wait } => format!("Too many attempts; try again in {}.", in_words(wait)),
            Error::CursorExpired { instead } => format!(
                "The cursor is older than the log, which reaches back 30 days, or from before a restore of the server's \
                 data. Query {instead} again, and subscribe without a cursor."
            ),
            Error::Timeout => TOO_LONG.into(),
            Error::Internal(error) if let Some(outage) = error.outage() => {
                tracing::warn!(error = error.report(), "an operation failed for now");
                match outage {
                    Outage::Timeout => TOO_LONG.into(),
                    Outage::Unavailable => "The service is overloaded or restarting; try again in a moment.".into(),
                }
            }
            Error::Internal(error) => {
                // The client gets only the request id, which the tracing span adds to this log entry.
                tracing::error!(error = error.report(), "internal error");
                "Something went wrong on our side. Please quote the request id when you report it.".into()
            }
        }
    }
}

impl TxError for Error {
    fn internal(&self) -> Option<&InternalError> {
        match self {
            Error::Internal(error) => Some(error),
            _ => None,
        }
    }
}

impl<F: Into<Failure>> From<F> for Error {
    fn from(failure: F) -> Error {
        match failure.into() {
            Failure::Limited(Wait(wait)) => Error::RateLimited { wait },
            Failure::Internal(error) => Error::Internal(error),
        }
    }
}

impl From<Error> for async_graphql::Error {
    fn from(error: Error) -> async_graphql::Error {
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", error.code());
        if let Some(wait) = error.retry_after() {
            extensions.set("retryAfter", whole_seconds(wait));
        }
        if let Error::NoAccess { reason, .. } = &error {
            extensions.set("reason", *reason);
        }
        let mut converted = async_graphql::Error::new(error.into_message());
        converted.extensions = Some(extensions);
        converted
    }
}

/// The wait in seconds, rounded up so that clients do not retry too early; at least 1.
fn whole_seconds(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1)
}

/// Formats the wait in seconds up to two minutes, then in minutes.
fn in_words(wait: Duration) -> String {
    match whole_seconds(wait) {
        1 => "1 second".into(),
        seconds if seconds <= 120 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds.div_ceil(60)),
    }
}

/// Creates a request error: one without a path, for the top level of a response.
pub fn request_error(code: &str, message: impl Into<String>) -> async_graphql::ServerError {
    let mut error = async_graphql::ServerError::new(message, None);
    error.extensions.get_or_insert_default().set("code", Value::from(code));
    error
}

/// The kind of a user error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum UserErrorCode {
    /// A value is missing or blank.
    Blank,
    /// A string or list is longer than allowed.
    TooLong,
    /// A string is shorter than allowed.
    TooShort,
    /// A number or time is outside the allowed range.
    OutOfRange,
    /// A value does not have the required form.
    Invalid,
    /// The value is already in use.
    Taken,
    /// The object that the input refers to does not exist or does not belong to you.
    NotFound,
    /// The email address or the password is wrong.
    WrongCredentials,
    /// The code or link is wrong.
    WrongCode,
    /// The code, link or upload is no longer valid. It has expired, was already used, or failed too often; start over.
    Expired,
    /// The session or sign-in attempt has ended or expired. Sign in again.
    SessionOver,
    /// This needs a sign-in within the last 15 minutes. Call `reauthenticate`, then repeat the request.
    ReauthenticationRequired,
    /// The account is banned; the message states the end and the reason.
    Banned,
    /// A temporary failure. Retry the same request after about a second.
    TryAgain,
    /// The sign-in attempt is unknown, expired, already used, or has failed. Start a new one.
    AttemptOver,
    /// An email address has not been verified; the message says which one and what to do.
    Unverified,
    /// The object has changed since you read it; the payload returns its current state.
    Conflict,
    /// The current state of the object does not allow this.
    NotAllowed,
    /// The user has done this too often lately; the message has the limit.
    TooOften,
}

/// An error in the input that the user can fix.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct UserError {
    /// The kind of error, for use in code.
    pub code: UserErrorCode,
    /// The path of the invalid value inside `input`; empty if the input as a whole is invalid.
    pub field: Vec<String>,
    /// The message to show to the user: what is wrong and what is allowed.
    pub message: String,
}

impl UserError {
    /// Creates an error at the path `field`.
    pub fn new(code: UserErrorCode, field: &[&str], message: impl Into<String>) -> UserError {
        UserError { code, field: field.iter().map(|part| part.to_string()).collect(), message: message.into() }
    }
}

/// The outcome of an edit with optimistic locking.
#[derive(Debug)]
pub enum Edit<T> {
    /// The edit was saved.
    Saved(T),
    /// The version is stale, because another edit came first; nothing was written.
    Conflict {
        /// The current state.
        current: T,
        /// The current version.
        version: i32,
    },
}

impl<T> Edit<T> {
    /// Applies `change` to the entity.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Edit<U> {
        match self {
            Edit::Saved(saved) => Edit::Saved(change(saved)),
            Edit::Conflict { current, version } => Edit::Conflict { current: change(current), version },
        }
    }
}

/// Splits the outcome of an edit into entity and user errors, like [`payload`].
///
/// On a conflict, the entity is returned in its current state, so that the client can merge.
///
/// # Errors
/// Errors other than [`Error::Invalid`] are returned as they are.
pub fn edit_payload<T>(outcome: Result<Edit<T>>) -> Result<(Option<T>, Vec<Sequential<UserError>>)> {
    let (row, mut errors) = payload(outcome)?;
    Ok(match row {
        None => (None, errors),
        Some(Edit::Saved(row)) => (Some(row), errors),
        Some(Edit::Conflict { current, version }) => {
            let message = format!("This has been changed since you read it: its version is {version} now.");
            errors.push(Sequential(UserError::new(UserErrorCode::Conflict, &["version"], message)));
            (Some(current), errors)
        }
    })
}

/// Splits the outcome of a command into entity and user errors, for a mutation payload.
///
/// # Errors
/// Errors other than [`Error::Invalid`] are returned as they are.
pub fn payload<T>(outcome: Result<T>) -> Result<(Option<T>, Vec<Sequential<UserError>>)> {
    match outcome {
        Ok(value) => Ok((Some(value), Vec::new())),
        Err(Error::Invalid(errors)) => Ok((None, errors.into_iter().map(Sequential).collect())),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_internal_error_tells_nothing() {
        let error = Error::from(std::io::Error::other("password=hunter2"));
        let shown = async_graphql::Error::from(error);
        assert!(!shown.message.contains("hunter2"));
        assert_eq!(shown.extensions.unwrap().get("code"), Some(&Value::from("INTERNAL")));
        assert!(shown.source.is_none());
    }

    #[test]
    fn who_is_to_wait_is_told_how_long() {
        for (millis, seconds, words) in [
            (0, 1, "1 second."),
            (1000, 1, "1 second."),
            (7001, 8, "8 seconds."),
            (120_000, 120, "120 seconds."),
            (120_001, 121, "3 minutes."),
            (3_600_000, 3600, "60 minutes."),
        ] {
            let shown = async_graphql::Error::from(Error::from(Wait(Duration::from_millis(millis))));
            assert_eq!(shown.message, format!("Too many attempts; try again in {words}"));
            let extensions = shown.extensions.unwrap();
            assert_eq!(extensions.get("code"), Some(&Value::from("RATE_LIMITED")));
            assert_eq!(extensions.get("retryAfter"), Some(&Value::from(seconds)));
        }
    }
}
