//! `/certificates/<code>.svg` and `.pdf`: certificates as pictures and as documents.

use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::HttpState;
use super::authenticate::sender_or_anonymous;
use super::server::Peer;
use crate::enrollments::{self, CertificateFile, CertificateFormat};

/// A picture contains no script, and loads nothing.
const PICTURE: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox");
/// Browsers do not show a document with `sandbox`.
const DOCUMENT: HeaderValue = HeaderValue::from_static("default-src 'none'");

/// Without credentials, or with wrong ones, a client is anonymous.
pub(super) async fn file(
    State(state): State<HttpState>,
    Path(file): Path<String>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Response {
    let sender = sender_or_anonymous(&state.app, &headers, peer).await;
    let (code, format) = match file.rsplit_once('.') {
        Some((code, "svg")) => (code, CertificateFormat::Svg),
        Some((code, "pdf")) => (code, CertificateFormat::Pdf),
        _ => return unknown(),
    };
    let found = enrollments::certificate_file(state.executor.loaders(), sender.in_session(), code, format).await;
    let mut response = match found {
        Ok(Some(CertificateFile::Svg(svg))) => {
            let kind = [(header::CONTENT_TYPE, "image/svg+xml; charset=utf-8")];
            (kind, [(header::CONTENT_SECURITY_POLICY, PICTURE)], svg).into_response()
        }
        Ok(Some(CertificateFile::Pdf(pdf))) => {
            let kind = [(header::CONTENT_TYPE, "application/pdf"), (header::CONTENT_DISPOSITION, "inline")];
            (kind, [(header::CONTENT_SECURITY_POLICY, DOCUMENT)], pdf).into_response()
        }
        Ok(Some(CertificateFile::Unprintable(picture))) => {
            let message = "This certificate has characters that the typeface of documents lacks. Its picture has them";
            (StatusCode::NOT_FOUND, format!("{message}: {picture}")).into_response()
        }
        Ok(None) => unknown(),
        Err(error) => {
            tracing::error!(error = error.report(), "a certificate could not be read");
            (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong on our side.").into_response()
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn unknown() -> Response {
    (StatusCode::NOT_FOUND, "There is no such certificate.").into_response()
}
