//! `/unsubscribe`: ends notifications by email, without signing in, for users who have the link of one of them.
//!
//! A mail program posts `List-Unsubscribe=One-Click` (RFC 8058), which ends what the mail was about. A browser gets a
//! page with a form. Opening the link ends nothing: programs that check mails for viruses open all links.

use axum::extract::{Query, RawForm, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use minijinja::context;
use serde::Deserialize;

use super::HttpState;
use super::pages::{form, page};
use crate::notifications::{self, Unsubscription};

/// The query parameters of the link.
#[derive(Deserialize)]
pub(super) struct Mailed {
    #[serde(default)]
    token: String,
}

pub(super) async fn show(State(state): State<HttpState>, Query(Mailed { token }): Query<Mailed>) -> Response {
    let Some(link) = notifications::read_unsubscription(&state.app, &token) else { return broken() };
    let kind = kind(&link);
    form("unsubscribe.html", Ok(Some(context! { site_name => state.app.config.site_name, kind })))
}

pub(super) async fn end(
    State(state): State<HttpState>,
    Query(Mailed { token }): Query<Mailed>,
    RawForm(body): RawForm,
) -> Response {
    let Some(link) = notifications::read_unsubscription(&state.app, &token) else { return broken() };
    let everything = url::form_urlencoded::parse(&body).any(|(name, value)| (&*name, &*value) == ("emails", "all"));
    match notifications::unsubscribe(&state.app, link, everything).await {
        Ok(()) => {
            let kind = kind(&link).filter(|_| !everything);
            page("unsubscribed.html", Ok(Some(context! { site_name => state.app.config.site_name, kind })))
        }
        Err(error) => {
            tracing::error!(error = error.report(), "a user could not be unsubscribed");
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "60")], "Try again later.\n").into_response()
        }
    }
}

/// The name of the kind that the mail was about, in words; `None` of a digest.
fn kind(link: &Unsubscription) -> Option<String> {
    link.kind.map(|kind| kind.as_str().to_lowercase().replace('_', " "))
}

fn broken() -> Response {
    let response = page("broken_link.html", Ok(Some(context! {})));
    (StatusCode::BAD_REQUEST, response).into_response()
}
