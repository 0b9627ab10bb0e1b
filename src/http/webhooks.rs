//! `/webhooks/<provider>`: what payment providers tell. The response is a success only when the event has been stored,
//! because a provider does not send an acknowledged event again.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};

use super::HttpState;
use crate::orders;
use crate::platform::payments::{self, Provider, Unverified};

/// The largest body, in bytes. A provider's event has some kilobytes.
const LARGEST: usize = 256 << 10;
/// The timeout for receiving the request body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) async fn receive(
    State(state): State<HttpState>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> StatusCode {
    let Some(provider) = Provider::of_webhook(&provider) else { return StatusCode::NOT_FOUND };
    let body = match tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, LARGEST)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return StatusCode::PAYLOAD_TOO_LARGE,
        Err(_) => return StatusCode::REQUEST_TIMEOUT,
    };
    let app = &state.app;
    let event = match payments::verify_webhook(&app.payments, provider, &headers, &body, app.clock.now()).await {
        Ok(event) => event,
        Err(Unverified::Off) => return StatusCode::NOT_FOUND,
        Err(Unverified::Unavailable) => return StatusCode::SERVICE_UNAVAILABLE,
        Err(why @ (Unverified::Forged | Unverified::Stale | Unverified::Malformed)) => {
            tracing::warn!(?provider, ?why, "a webhook was refused");
            return StatusCode::BAD_REQUEST;
        }
    };
    match orders::receive(app, provider, &event).await {
        Ok(()) => StatusCode::OK,
        Err(error) => {
            tracing::error!(error = error.report(), "an event of a payment provider could not be stored");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}
