//! `/certificates/<code>.svg`: pictures of certificates.

use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::HttpState;
use super::authenticate::authenticate;
use super::server::Peer;
use crate::enrollments;
use crate::platform::auth::Actor;

/// A picture contains no script, and loads nothing.
const POLICY: &str = "default-src 'none'; sandbox";

pub(super) async fn picture(
    State(state): State<HttpState>,
    Path(file): Path<String>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Response {
    let peer = peer.map(|Extension(peer)| peer);
    // Who sends no credentials, or wrong ones, sees what everybody sees.
    let sender = match authenticate(&state.app, &Method::GET, &headers, peer).await {
        Ok(sender) => sender.actor,
        Err(_) => Actor::Anonymous,
    };
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
