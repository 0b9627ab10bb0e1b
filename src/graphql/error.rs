//! The error wall: what a client may be told, and nothing else.
//!
//! [`Error`] has no `Display`, so async-graphql's conversion of everything displayable does not apply to it, and a
//! foreign error reaches a resolver's `?` only through [`Fault`], which becomes `INTERNAL` and nothing more.

use std::fmt;
use std::time::Duration;

use async_graphql::{Enum, ErrorExtensionValues, SimpleObject, Value};
use chrono::{DateTime, Datelike, Utc};

use super::inline::Inline;
use crate::platform::auth::Unhashed;
use crate::platform::fault::Fault;
use crate::platform::throttle::Wait;

/// What a command or a resolver can fail with.
#[derive(Debug)]
pub enum Error {
    /// What the person who sent the input can mend: becomes the payload's `userErrors`.
    Invalid(Vec<UserError>),
    /// Nobody is signed in, or the token is not good (any more).
    Unauthenticated(String),
    /// Signed in, but without the right.
    Forbidden(String),
    /// Without access to what is shown only to some: forbidden as well, with a reason for programs.
    Refused {
        /// `extensions.reason`.
        reason: &'static str,
        /// For people.
        message: String,
    },
    /// An argument is wrong in a way that only a developer can mend.
    BadInput(String),
    /// Too much work for one request; code and sentence.
    TooMuch(&'static str, String),
    /// Too often in too short a time; what was asked for was not tried.
    RateLimited {
        /// How long until it may be tried again.
        wait: Duration,
    },
    /// It took longer than allowed.
    Timeout,
    /// Our fault.
    Internal(Fault),
}

/// A result that can cross the wall.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An input with one thing wrong.
    pub fn invalid(code: UserErrorCode, field: &[&str], message: impl Into<String>) -> Error {
        Error::Invalid(vec![UserError::new(code, field, message)])
    }

    /// `extensions.code`.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Invalid(errors) if errors.iter().all(|error| error.code == UserErrorCode::NotFound) => "NOT_FOUND",
            Error::Invalid(_) | Error::BadInput(_) => "BAD_USER_INPUT",
            Error::Unauthenticated(_) => "UNAUTHENTICATED",
            Error::Forbidden(_) | Error::Refused { .. } => "FORBIDDEN",
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
            | Error::Refused { message, .. }
            | Error::BadInput(message)
            | Error::TooMuch(_, message) => message,
            Error::RateLimited { wait } => format!("Too many attempts; try again in {}.", in_words(wait)),
            Error::Timeout => "The operation took too long and was stopped.".into(),
            Error::Internal(fault) => {
                // The request's span carries the request id, which is all that the client gets.
                tracing::error!(fault = fault.report(), "internal error");
                "Something went wrong on our side. Please quote the request id when you report it.".into()
            }
        }
    }
}

impl<F: Into<Fault>> From<F> for Error {
    fn from(fault: F) -> Error {
        Error::Internal(fault.into())
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
            Unhashed::Failed(fault) => Error::Internal(fault),
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
        if let Error::Refused { reason, .. } = &error {
            extensions.set("reason", *reason);
        }
        let mut converted = async_graphql::Error::new(error.into_message());
        converted.extensions = Some(extensions);
        converted
    }
}

/// Rounded up, so that nobody comes too early, and never zero.
fn whole_seconds(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1)
}

/// Seconds up to two minutes, then minutes.
fn in_words(wait: Duration) -> String {
    match whole_seconds(wait) {
        1 => "1 second".into(),
        seconds if seconds <= 120 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds.div_ceil(60)),
    }
}

/// An error outside any field, for the top level of a response.
pub fn request_error(code: &str, message: impl Into<String>) -> async_graphql::ServerError {
    let mut error = async_graphql::ServerError::new(message, None);
    error.extensions.get_or_insert_default().set("code", Value::from(code));
    error
}

/// What kind of mistake an input has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum UserErrorCode {
    /// A value is missing or blank.
    Blank,
    /// A text or list is longer than allowed.
    TooLong,
    /// A text is shorter than allowed.
    TooShort,
    /// A number or time is outside the allowed range.
    OutOfRange,
    /// A value does not have the required form.
    Invalid,
    /// Somebody or something else has this value already.
    Taken,
    /// What the input refers to does not exist, or is not yours.
    NotFound,
    /// The e-mail address or the password is wrong.
    WrongCredentials,
    /// The code or link is wrong.
    WrongCode,
    /// The code or link is no longer valid: it has expired, was used, or was guessed at too often. Begin anew.
    Expired,
    /// The session has ended or expired: sign in again.
    SessionOver,
    /// The account is banned; the message says until when and why.
    Banned,
    /// Nothing is wrong but the moment: the same again, a second later, may work.
    TryAgain,
    /// What was begun elsewhere, or a while ago, or did not succeed: begin again.
    AttemptOver,
    /// An e-mail address has not been verified; the message says which and what to do.
    Unverified,
    /// The object has changed since you read it: the payload shows it as it is now.
    Conflict,
    /// The object is not in a state that allows this.
    NotAllowed,
}

/// Something that the person who sent the input can mend.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct UserError {
    /// What kind of mistake it is, for programs.
    pub code: UserErrorCode,
    /// The path of the wrong value inside `input`; empty when the input as a whole is wrong.
    pub field: Vec<String>,
    /// What is wrong and what is allowed, for people.
    pub message: String,
}

impl UserError {
    /// A mistake at `field`.
    pub fn new(code: UserErrorCode, field: &[&str], message: impl Into<String>) -> UserError {
        UserError { code, field: field.iter().map(|part| part.to_string()).collect(), message: message.into() }
    }
}

/// Collects everything that is wrong with an input, so that a form can show it all at once.
#[derive(Default)]
pub struct Check {
    errors: Vec<UserError>,
}

impl Check {
    /// Nothing wrong so far.
    pub fn new() -> Check {
        Check::default()
    }

    /// Notes a mistake.
    pub fn error(&mut self, code: UserErrorCode, field: &str, message: impl Into<String>) {
        self.errors.push(UserError::new(code, &[field], message));
    }

    /// The mistakes of a part of the input, which is at `path`.
    pub fn part<T>(&mut self, path: &[&str], check: impl FnOnce(&mut Check) -> T) -> T {
        let mut part = Check::new();
        let checked = check(&mut part);
        for mut error in part.errors {
            error.field.splice(0..0, path.iter().map(|step| step.to_string()));
            self.errors.push(error);
        }
        checked
    }

    /// A text with surrounding space removed; must have 1 to `longest` characters.
    pub fn required(&mut self, field: &str, value: &str, longest: usize) -> String {
        let text = self.text(field, value, longest);
        if text.is_empty() {
            self.error(UserErrorCode::Blank, field, format!("{} must not be blank.", title(field)));
        }
        text
    }

    /// A text with surrounding space removed; may be empty, has at most `longest` characters.
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

    /// As [`Check::required`], and on one line: a name, which others see among their own texts. What can't be seen, or
    /// turns the direction of what follows, is not allowed.
    pub fn name(&mut self, field: &str, value: &str, longest: usize) -> String {
        let text = self.required(field, value, longest);
        if text.chars().any(|letter| letter != '\0' && (letter.is_control() || is_invisible(letter))) {
            let message = format!("{} contains a character that can't be seen.", title(field));
            self.error(UserErrorCode::Invalid, field, message);
        }
        text
    }

    /// A point in time of our era, of four digits: PostgreSQL and most programs know no others.
    pub fn time(&mut self, field: &str, value: DateTime<Utc>) {
        if !(1..=9999).contains(&value.year()) {
            self.error(UserErrorCode::OutOfRange, field, "A year has one to four digits.");
        }
    }

    /// Short texts, each as by [`Check::required`]; at most `most` of them. A mistake in one is at its place, from 0.
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
    /// [`Error::Invalid`] with all mistakes, if there are any.
    pub fn finish(self) -> Result<()> {
        if self.errors.is_empty() { Ok(()) } else { Err(Error::Invalid(self.errors)) }
    }
}

/// Spaces of no width, and marks that change the direction of text (Unicode, UAX 9); not the joiners that Persian and
/// Indian scripts and emoji need.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// `durationSeconds` as it stands at the start of a sentence: "Duration seconds".
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

/// How an edit of a certain version of something ended.
#[derive(Debug)]
pub enum Edit<T> {
    /// It was saved.
    Saved(T),
    /// Somebody else was faster: nothing was written.
    Conflict {
        /// What they made of it.
        current: T,
        /// Its version.
        version: i32,
    },
}

impl<T> Edit<T> {
    /// The same with something else in it.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Edit<U> {
        match self {
            Edit::Saved(saved) => Edit::Saved(change(saved)),
            Edit::Conflict { current, version } => Edit::Conflict { current: change(current), version },
        }
    }
}

/// Splits the outcome of an edit as every payload shows it: as [`payload`], and the entity as it is now beside a conflict,
/// so that a client can merge the two.
///
/// # Errors
/// Faults stay errors.
pub fn edit_payload<T>(outcome: Result<Edit<T>>) -> Result<(Option<T>, Vec<Inline<UserError>>)> {
    let (row, mut errors) = payload(outcome)?;
    Ok(match row {
        None => (None, errors),
        Some(Edit::Saved(row)) => (Some(row), errors),
        Some(Edit::Conflict { current, version }) => {
            let message = format!("This has been changed since you read it: its version is {version} now.");
            errors.push(Inline(UserError::new(UserErrorCode::Conflict, &["version"], message)));
            (Some(current), errors)
        }
    })
}

/// Splits a command's outcome as every payload shows it: the entity, or what the person can mend.
///
/// # Errors
/// Faults stay errors.
pub fn payload<T>(outcome: Result<T>) -> Result<(Option<T>, Vec<Inline<UserError>>)> {
    match outcome {
        Ok(value) => Ok((Some(value), Vec::new())),
        Err(Error::Invalid(errors)) => Ok((None, errors.into_iter().map(Inline).collect())),
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
