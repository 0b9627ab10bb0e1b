//! The name under which the log, the response and its errors know a request.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName};

/// The header that carries the request's id.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The id that a proxy gave the request, if it is a plain one, or a new one.
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

/// A request id that nobody chose.
pub(super) fn new() -> Arc<str> {
    format!("{:016x}", rand::random::<u64>()).into()
}
