//! `/certificates/<code>.svg`: pictures of certificates.

use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::HttpState;
use super::authenticate::sender_or_anonymous;
use super::server::Peer;
use crate::enrollments;

/// A picture contains no script, and loads nothing.
const POLICY: &str = "default-src 'none'; sandbox";

pub(super) async fn picture(
    State(state): State<HttpState>,
    Path(file): Path<String>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Response {
    // Who sends no credentials, or wrong ones, sees what everybody sees.
    let sender = sender_or_anonymous(&state.app, &headers, peer).await;
    let unknown = || (StatusCode::NOT_FOUND, "There is no such certificate.").into_response();
    let Some(code) = file.strip_suffix(".svg") else { return unknown() };
    let mut response = match enrollments::certificate_svg(state.executor.loaders(), sender.in_session(), code).await {
        Ok(Some(svg)) => ([(header::CONTENT_TYPE, "image/svg+xml; charset=utf-8")], svg).into_response(),
        Ok(None) => unknown(),
        Err(error) => {
            tracing::error!(error = error.report(), "a certificate could not be read");
            (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong on our side.").into_response()
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
