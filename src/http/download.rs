//! Files whose URLs are given out by GraphQL, and are valid for all who have them until they expire.

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, TryStreamExt};
use serde::Deserialize;

use super::HttpState;
use crate::platform::internal_error::InternalError;
use crate::{live, orders};

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
        Ok(None) => expired(),
        Err(error) => failed(&error),
    };
    private(response)
}

/// `/live-sessions/<id>.ics`: a live session for calendar programs.
pub(super) async fn live_session(State(state): State<HttpState>, Query(Signed { token }): Query<Signed>) -> Response {
    let response = match live::session_file(&state.app, &token).await {
        Ok(Some(text)) => ([(header::CONTENT_TYPE, "text/calendar; charset=utf-8")], text).into_response(),
        Ok(None) => expired(),
        Err(error) => failed(&error),
    };
    private(response)
}

/// `/earnings/<month>.csv`: what one or all channels of a user have earned in a month.
pub(super) async fn earnings(
    State(state): State<HttpState>,
    Path(file): Path<String>,
    Query(Signed { token }): Query<Signed>,
) -> Response {
    let month = file.strip_suffix(".csv").unwrap_or_default();
    match orders::earnings_file(&state.app, month, &token) {
        Some(rows) => csv(&format!("earnings-{month}"), rows),
        None => expired(),
    }
}

/// The query parameters of the URL of a list.
#[derive(Deserialize)]
pub(super) struct Filtered {
    #[serde(default)]
    filter: String,
    #[serde(default)]
    token: String,
}

/// `/exports/orders.csv`: a list of orders.
pub(super) async fn orders(
    State(state): State<HttpState>,
    Query(Filtered { filter, token }): Query<Filtered>,
) -> Response {
    table("orders", orders::orders_file(&state.app, &filter, &token).await)
}

/// `/exports/sales.csv`: what a channel has sold.
pub(super) async fn sales(
    State(state): State<HttpState>,
    Query(Filtered { filter, token }): Query<Filtered>,
) -> Response {
    table("sales", orders::sales_file(&state.app, &filter, &token).await)
}

/// A table whose URL may not be valid anymore.
fn table(
    name: &str,
    rows: Result<Option<impl Stream<Item = Result<String, InternalError>> + Send + 'static>, InternalError>,
) -> Response {
    match rows {
        Ok(Some(rows)) => csv(name, rows),
        Ok(None) => expired(),
        Err(error) => failed(&error),
    }
}

/// A table that is sent while it is read. If that fails, the connection is closed in between, so that the client knows.
fn csv(name: &str, rows: impl Stream<Item = Result<String, InternalError>> + Send + 'static) -> Response {
    let rows = rows.inspect_err(|error| tracing::error!(error = error.report(), "a table could not be read"));
    let body = Body::from_stream(rows.map_err(|_| std::io::Error::other("the table could not be read")));
    let disposition = format!("attachment; filename=\"{name}.csv\"");
    let kind =
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    private((kind, body).into_response())
}

fn failed(error: &InternalError) -> Response {
    tracing::error!(error = error.report(), "a file could not be read");
    private((StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong on our side.").into_response())
}

fn expired() -> Response {
    private((StatusCode::FORBIDDEN, "This URL is not valid anymore. Ask for another one.").into_response())
}

/// Tells browsers and proxies to store nothing of it.
fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
