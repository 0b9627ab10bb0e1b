//! The errors that clients can see.
//!
//! [`Error`] has no `Display`, so async-graphql's blanket conversion of displayable types does not apply to it. Any
//! other error passes a resolver's `?` only as an [`InternalError`], which clients see only as the code `INTERNAL`.

use std::fmt;
use std::time::Duration;

use async_graphql::{Enum, ErrorExtensionValues, SimpleObject, Value};
use chrono::{DateTime, Datelike, Utc};

use super::sequential::Sequential;
use crate::platform::auth::Unhashed;
use crate::platform::db::TxError;
use crate::platform::internal_error::InternalError;
use crate::platform::throttle::Wait;

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
            Error::RateLimited { .. } => "RATE_LIMITED",
            Error::Timeout => "TIMEOUT",
            Error::Internal(_) => "INTERNAL",
        }
    }

    fn into_message(self) -> String {
        match self {
            Error::Invalid(errors) => errors.into_iter().map(|error| error.message).collect::<Vec<_>>().join(" "),
            Error::Unauthenticated(message)
            | Error::Forbidden(message)
            | Error::NoAccess { message, .. }
            | Error::BadInput(message)
            | Error::TooMuch(_, message) => message,
            Error::RateLimited { wait } => format!("Too many attempts; try again in {}.", in_words(wait)),
            Error::Timeout => "The operation took too long and was stopped.".into(),
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

impl<F: Into<InternalError>> From<F> for Error {
    fn from(error: F) -> Error {
        Error::Internal(error.into())
    }
}

impl From<Wait> for Error {
    fn from(Wait(wait): Wait) -> Error {
        Error::RateLimited { wait }
    }
}

impl From<Unhashed> for Error {
    fn from(unhashed: Unhashed) -> Error {
        match unhashed {
            Unhashed::Busy(wait) => wait.into(),
            Unhashed::Failed(error) => Error::Internal(error),
        }
    }
}

impl From<Error> for async_graphql::Error {
    fn from(error: Error) -> async_graphql::Error {
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", error.code());
        if let Error::RateLimited { wait } = error {
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

/// Collects all errors of an input, so that a form can show them at once.
#[derive(Default)]
pub struct Check {
    errors: Vec<UserError>,
}

impl Check {
    /// Creates a check without errors.
    pub fn new() -> Check {
        Check::default()
    }

    /// Adds an error at `field`.
    pub fn error(&mut self, code: UserErrorCode, field: &str, message: impl Into<String>) {
        self.errors.push(UserError::new(code, &[field], message));
    }

    /// Checks a nested part of the input; `path` is prepended to the fields of its errors.
    pub fn part<T>(&mut self, path: &[&str], check: impl FnOnce(&mut Check) -> T) -> T {
        let mut part = Check::new();
        let checked = check(&mut part);
        for mut error in part.errors {
            error.field.splice(0..0, path.iter().map(|step| step.to_string()));
            self.errors.push(error);
        }
        checked
    }

    /// Trims a text, which must have 1 to `longest` characters.
    pub fn required(&mut self, field: &str, value: &str, longest: usize) -> String {
        let text = self.text(field, value, longest);
        if text.is_empty() {
            self.error(UserErrorCode::Blank, field, format!("{} must not be blank.", title(field)));
        }
        text
    }

    /// Trims a text, which may be empty and has at most `longest` characters.
    pub fn text(&mut self, field: &str, value: &str, longest: usize) -> String {
        let text = value.trim().to_owned();
        let length = text.chars().count();
        if length > longest {
            let message = format!("{} has {length} characters; at most {longest} are allowed.", title(field));
            self.error(UserErrorCode::TooLong, field, message);
        }
        if text.contains('\0') {
            self.error(UserErrorCode::Invalid, field, format!("{} contains a NUL character.", title(field)));
        }
        text
    }

    /// Like [`Check::required`], for a single-line name that is shown to other users.
    ///
    /// Control characters, invisible characters and marks that change the text direction are not allowed.
    pub fn name(&mut self, field: &str, value: &str, longest: usize) -> String {
        let text = self.required(field, value, longest);
        if text.chars().any(|letter| letter != '\0' && (letter.is_control() || is_invisible(letter))) {
            let message = format!("{} contains a character that can't be seen.", title(field));
            self.error(UserErrorCode::Invalid, field, message);
        }
        text
    }

    /// Checks that the year is from 1 to 9999, which PostgreSQL and most clients can represent.
    pub fn time(&mut self, field: &str, value: DateTime<Utc>) {
        if !(1..=9999).contains(&value.year()) {
            self.error(UserErrorCode::OutOfRange, field, "A year has one to four digits.");
        }
    }

    /// Checks at most `most` texts, each as by [`Check::required`]. An error's path ends with the zero-based index.
    pub fn list(&mut self, field: &str, values: &[String], most: usize, longest: usize) -> Vec<String> {
        if values.len() > most {
            let message = format!("{} has {} entries; at most {most} are allowed.", title(field), values.len());
            self.error(UserErrorCode::TooLong, field, message);
            return Vec::new();
        }
        let mut texts = Vec::new();
        for (place, value) in values.iter().enumerate() {
            let before = self.errors.len();
            texts.push(self.required(field, value, longest));
            for error in self.errors.iter_mut().skip(before) {
                error.field.push(place.to_string());
            }
        }
        texts
    }

    /// Ends the check.
    ///
    /// # Errors
    /// [`Error::Invalid`] with all errors, if there are any.
    pub fn finish(self) -> Result<()> {
        if self.errors.is_empty() { Ok(()) } else { Err(Error::Invalid(self.errors)) }
    }
}

/// Returns whether `letter` is a zero-width space or a bidirectional control (UAX 9).
///
/// Zero-width joiners are allowed, because Persian, Indic scripts and emoji need them.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// Converts a field name to words: `durationSeconds` becomes "Duration seconds".
fn title(field: &str) -> String {
    let mut words = String::new();
    for (index, letter) in field.chars().enumerate() {
        if index == 0 {
            words.extend(letter.to_uppercase());
        } else if letter.is_uppercase() {
            words.push(' ');
            words.extend(letter.to_lowercase());
        } else {
            words.push(letter);
        }
    }
    words
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

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.errors.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_mistakes_come_at_once_and_name_their_field() {
        let mut check = Check::new();
        check.required("title", "  ", 10);
        check.text("subtitleText", &"x".repeat(11), 10);
        let Err(Error::Invalid(errors)) = check.finish() else { panic!("accepted") };
        let messages: Vec<_> = errors.iter().map(|error| error.message.as_str()).collect();
        assert_eq!(messages, ["Title must not be blank.", "Subtitle text has 11 characters; at most 10 are allowed."]);
    }

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
