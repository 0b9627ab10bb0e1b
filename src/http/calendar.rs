//! `/calendars/<token>.ics`: the live sessions of a user, for calendar programs.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::HttpState;
use crate::live;

pub(super) async fn file(State(state): State<HttpState>, Path(file): Path<String>) -> Response {
    let found = match file.strip_suffix(".ics") {
        Some(token) => live::calendar_feed(&state.app, token).await,
        None => Ok(None),
    };
    let mut response = match found {
        Ok(Some(text)) => ([(header::CONTENT_TYPE, "text/calendar; charset=utf-8")], text).into_response(),
        Ok(None) => (StatusCode::NOT_FOUND, "There is no such calendar.").into_response(),
        Err(error) => {
            tracing::error!(error = error.report(), "a calendar could not be read");
            (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong on our side.").into_response()
        }
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}
