//! Internal errors, which clients cannot act on: a lost connection, a full disk, a bug.
//!
//! [`InternalError`] deliberately has no `Display`: async-graphql turns every displayable error into a message to the
//! client, and the text of a driver's error must not reach clients. Only logs and the terminal show it, by
//! [`InternalError::report`].

use std::borrow::Cow;
use std::error::Error as StdError;

use super::outage::{self, Outage};

/// An internal error with its context: what was being done when it occurred.
pub struct InternalError {
    story: Vec<Cow<'static, str>>,
    source: Option<Box<dyn StdError + Send + Sync>>,
    /// Whether it is known to be an outage, without a source that tells.
    outage: Option<Outage>,
}

impl InternalError {
    /// Creates an error without a cause.
    pub fn new(what: impl Into<Cow<'static, str>>) -> InternalError {
        InternalError { story: vec![what.into()], source: None, outage: None }
    }

    /// Creates the error of something that took too long.
    pub fn timeout(what: impl Into<Cow<'static, str>>) -> InternalError {
        InternalError { outage: Some(Outage::Timeout), ..InternalError::new(what) }
    }

    /// Returns the same error for another waiter, without its source.
    pub fn copy(&self) -> InternalError {
        InternalError { outage: self.outage(), ..InternalError::new(self.report()) }
    }

    /// Returns whether the same operation may succeed when it is tried again.
    pub fn outage(&self) -> Option<Outage> {
        self.outage.or_else(|| outage::outage(self.source.as_deref()? as &(dyn StdError + 'static)))
    }

    /// Returns the context and causes on one line, outermost first, for logs and the terminal; never for clients.
    pub fn report(&self) -> String {
        let mut parts: Vec<String> = self.story.iter().rev().map(|part| part.to_string()).collect();
        let mut cause = self.source.as_deref().map(|source| source as &dyn StdError);
        while let Some(error) = cause {
            let text = error.to_string();
            // Many libraries include the cause in their own message.
            if !parts.last().is_some_and(|last| last.contains(&text)) {
                parts.push(text);
            }
            cause = error.source();
        }
        parts.join(": ")
    }

    /// Returns the underlying error, if it is of type `E`.
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        self.source.as_deref().and_then(|source| (source as &(dyn StdError + 'static)).downcast_ref())
    }
}

impl std::fmt::Debug for InternalError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.report())
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for InternalError {
    fn from(error: E) -> InternalError {
        InternalError { story: Vec::new(), source: Some(Box::new(error)), outage: None }
    }
}

/// Adds context to an error.
pub trait Context<T> {
    /// Adds `what` as the outermost context, such as "cannot read the settings file .env".
    ///
    /// # Errors
    /// The same error with the additional context.
    fn context(self, what: impl Into<Cow<'static, str>>) -> Result<T, InternalError>;
}

impl<T, E: Into<InternalError>> Context<T> for Result<T, E> {
    fn context(self, what: impl Into<Cow<'static, str>>) -> Result<T, InternalError> {
        self.map_err(|error| {
            let mut error: InternalError = error.into();
            error.story.push(what.into());
            error
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_reads_from_the_outside_in() {
        let missing = std::io::Error::new(std::io::ErrorKind::NotFound, "no such file");
        let error = Err::<(), _>(missing).context("cannot read .env").context("cannot start");
        assert_eq!(error.map_err(|error| error.report()), Err("cannot start: cannot read .env: no such file".into()));
    }
}
