//! Files whose URLs are given out by GraphQL, and are valid for all who have them until they expire.

use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::HttpState;
use crate::orders;

/// The query parameters of the URL.
#[derive(Deserialize)]
pub(super) struct Signed {
    #[serde(default)]
    token: String,
}

/// `/invoices/<name>.pdf`: an invoice or a credit note.
pub(super) async fn invoice(State(state): State<HttpState>, Query(Signed { token }): Query<Signed>) -> Response {
    let response = match orders::invoice_file(&state.app, &token).await {
        Ok(Some(pdf)) => {
            let kind = [(header::CONTENT_TYPE, "application/pdf"), (header::CONTENT_DISPOSITION, "inline")];
            (kind, [(header::CONTENT_SECURITY_POLICY, "default-src 'none'")], pdf).into_response()
        }
        Ok(None) => (StatusCode::FORBIDDEN, "This URL is not valid anymore. Ask for another one.").into_response(),
        Err(error) => {
            tracing::error!(error = error.report(), "an invoice could not be read");
            (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong on our side.").into_response()
        }
    };
    private(response)
}

/// Tells browsers and proxies to store nothing of it.
fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
