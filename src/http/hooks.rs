//! `/hooks/storage` and `/hooks/mail`: the webhooks for events of the object store and reports of the mail service.
//!
//! The service authenticates with a shared secret: MinIO sends it as a bearer token; services that are configured with
//! only a URL (SNS) have it in the URL, as the password or as `?token=`. The response is a success only when the event
//! has been persisted.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::HttpState;
use crate::media;
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::mail::suppression;

/// The timeout for receiving the request body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) async fn storage(
    State(state): State<HttpState>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Body,
) -> StatusCode {
    let secret = state.app.config.uploads.hook_secret.as_deref();
    match received(&state.app, secret, (&headers, query.as_deref()), body).await {
        Ok(event) => stored(media::receive_store_event(&state.app, &event).await),
        Err(status) => status,
    }
}

pub(super) async fn mail(
    State(state): State<HttpState>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Body,
) -> StatusCode {
    let secret = state.app.config.mail_hook_secret.as_deref();
    let report = match received(&state.app, secret, (&headers, query.as_deref()), body).await {
        Ok(report) => report,
        Err(status) => return status,
    };
    if report.get("SubscribeURL").is_some() {
        return StatusCode::NO_CONTENT;
    }
    let Some(found) = suppression::reported(&report) else { return StatusCode::BAD_REQUEST };
    stored(suppression::suppress(&state.app, &found).await)
}

/// Returns the event of a service that knows the secret.
///
/// # Errors
/// The status to respond with.
async fn received(
    app: &App,
    secret: Option<&str>,
    (headers, query): (&HeaderMap, Option<&str>),
    body: Body,
) -> Result<Value, StatusCode> {
    let secret = secret.ok_or(StatusCode::NOT_FOUND)?;
    if !given(headers, query).iter().any(|given| is_equal(secret, given)) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let reading = tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, app.config.limits.body_bytes));
    let body = match reading.await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => return Err(StatusCode::REQUEST_TIMEOUT),
    };
    let event: Value = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    if let Some(url) = event.get("SubscribeURL").and_then(Value::as_str) {
        tracing::warn!(url, "SNS asks whether the hook wants its events; open the address if you do");
    }
    Ok(event)
}

fn stored(result: Result<(), InternalError>) -> StatusCode {
    match result {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(error) => {
            tracing::error!(error = error.report(), "an event of a webhook could not be stored");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

/// Returns all candidates for the secret: query parameter, bearer token, basic password.
fn given(headers: &HeaderMap, query: Option<&str>) -> Vec<String> {
    let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let mut given: Vec<String> =
        pairs.filter(|(name, _)| name == "token").map(|(_, value)| value.into_owned()).collect();
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match authorization.and_then(|value| value.split_once(' ')) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => given.push(token.trim().to_owned()),
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("basic") => {
            let decoded = STANDARD.decode(token.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            given.extend(decoded.and_then(|pair| Some(pair.split_once(':')?.1.to_owned())));
        }
        _ => {}
    }
    given
}

/// Compares the MACs of both texts in constant time, to prevent timing attacks.
fn is_equal(secret: &str, given: &str) -> bool {
    let over = |text: &str| Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map(|mac| mac.chain_update(text));
    match (over(secret), over(given)) {
        (Ok(right), Ok(given)) => given.verify_slice(&right.finalize().into_bytes()).is_ok(),
        _ => false,
    }
}
