//! `/webhooks/<provider>`: what payment providers tell. The response is a success only when the event has been stored,
//! because a provider does not send an acknowledged event again.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::HttpState;
use crate::orders::{self, PaymentEventProvider};
use crate::platform::internal_error::InternalError;
use crate::platform::payments::{self, Provider, Unverified};

/// What Pub/Sub pushes of Google Play is sent to `/webhooks/google-play`.
const GOOGLE_PLAY: &str = "google-play";
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
    let app = &state.app;
    let play = app.payments.google_play().filter(|_| provider == GOOGLE_PLAY);
    let known = Provider::of_webhook(&provider);
    if play.is_none() && known.is_none() {
        return StatusCode::NOT_FOUND;
    }
    let body = match tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, LARGEST)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return StatusCode::PAYLOAD_TOO_LARGE,
        Err(_) => return StatusCode::REQUEST_TIMEOUT,
    };
    let (teller, why) = match (play, known) {
        (Some(play), _) => match play.verify(&headers, &body).await {
            Ok(told) => return stored(orders::receive_play(app, &told).await),
            Err(why) => (PaymentEventProvider::GooglePlay, why),
        },
        (None, Some(known)) => {
            match payments::verify_webhook(&app.payments, known, &headers, &body, app.clock.now()).await {
                Ok(event) => return stored(orders::receive(app, known, &event).await),
                Err(why) => (known.into(), why),
            }
        }
        (None, None) => return StatusCode::NOT_FOUND,
    };
    // It is the provider's all the same: sending it again would change nothing.
    if why == Unverified::Malformed
        && let Ok(told @ Value::Object(_)) = serde_json::from_slice(&body)
    {
        return stored(orders::receive_unread(app, teller, &told).await);
    }
    refused(&provider, why)
}

fn stored(outcome: Result<(), InternalError>) -> StatusCode {
    match outcome {
        Ok(()) => StatusCode::OK,
        Err(error) => {
            tracing::error!(error = error.report(), "an event of a payment provider could not be stored");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

fn refused(provider: &str, why: Unverified) -> StatusCode {
    match why {
        Unverified::Off => StatusCode::NOT_FOUND,
        Unverified::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Unverified::Forged | Unverified::Stale | Unverified::Malformed => {
            tracing::warn!(provider, ?why, "a webhook was refused");
            StatusCode::BAD_REQUEST
        }
    }
}
