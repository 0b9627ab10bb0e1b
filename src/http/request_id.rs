//! The request id that appears in the log, the response headers and the errors.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName};

/// The request id header.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Returns the request id from the header if it is well-formed, otherwise a new one.
///
/// A well-formed id has 8 to 64 characters of `[A-Za-z0-9_-]`.
pub(super) fn of(headers: &HeaderMap) -> Arc<str> {
    let given = headers.get(HEADER).and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        (8..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    match given.filter(plain) {
        Some(id) => id.into(),
        None => new(),
    }
}

/// Generates a random request id.
pub(super) fn new() -> Arc<str> {
    format!("{:016x}", rand::random::<u64>()).into()
}
