//! `/unsubscribe`: ends notifications by email, without signing in, for users who have the link of one of them.
//!
//! A mail program posts `List-Unsubscribe=One-Click` (RFC 8058), which ends what the mail was about. A browser gets a
//! page with a form. Opening the link ends nothing: programs that check mails for viruses open all links.

use axum::extract::{Query, RawForm, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use minijinja::context;
use serde::Deserialize;

use super::HttpState;
use super::pages::{form, page};
use crate::notifications::{self, Unsubscription};
use crate::platform::internal_error::InternalError;

/// The query parameters of the link.
#[derive(Deserialize)]
pub(super) struct Mailed {
    #[serde(default)]
    token: String,
}

pub(super) async fn show(
    State(state): State<HttpState>,
    Query(Mailed { token }): Query<Mailed>,
    headers: HeaderMap,
) -> Response {
    match notifications::read_unsubscription(&state.app, &token).await {
        Ok(Some(link)) => form("unsubscribe.html", Ok(Some(context(&state, &link, &headers, false)))),
        Ok(None) => broken(),
        Err(error) => unavailable(&error),
    }
}

pub(super) async fn end(
    State(state): State<HttpState>,
    Query(Mailed { token }): Query<Mailed>,
    headers: HeaderMap,
    RawForm(body): RawForm,
) -> Response {
    let link = match notifications::read_unsubscription(&state.app, &token).await {
        Ok(Some(link)) => link,
        Ok(None) => return broken(),
        Err(error) => return unavailable(&error),
    };
    let everything = url::form_urlencoded::parse(&body).any(|(name, value)| (&*name, &*value) == ("emails", "all"));
    match notifications::unsubscribe(&state.app, link, everything).await {
        Ok(()) => page("unsubscribed.html", Ok(Some(context(&state, &link, &headers, everything)))),
        Err(error) => unavailable(&error),
    }
}

/// What the pages say, in the language of the user.
fn context(state: &HttpState, link: &Unsubscription, headers: &HeaderMap, everything: bool) -> minijinja::Value {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let lang = link.language(accepted.unwrap_or_default());
    let subject = link.subject(lang).filter(|_| !everything);
    context! { site_name => state.app.config.site_name, lang, subject }
}

fn broken() -> Response {
    let response = page("broken_link.html", Ok(Some(context! {})));
    (StatusCode::BAD_REQUEST, response).into_response()
}

fn unavailable(error: &InternalError) -> Response {
    tracing::error!(error = error.report(), "a user could not be unsubscribed");
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "60")], "Try again later.\n").into_response()
}
