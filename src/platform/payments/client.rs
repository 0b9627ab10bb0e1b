//! Sends requests to the API of a payment provider.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use hyper::{Request, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::GatewayError;
use crate::platform::fetch::{FetchError, Fetcher, retry_after};
use crate::platform::internal_error::{Context, InternalError};

/// The timeout of one attempt.
const ATTEMPT: Duration = Duration::from_secs(6);
/// The number of attempts in one call. All calls can be repeated: those that change something have an idempotency key,
/// or doing them twice does no harm.
const MOST_ATTEMPTS: u32 = 3;
/// How long it takes until the second attempt; twice as long until the third.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// The longest wait that a provider may ask for within a call. After a longer one, a job calls again.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// How much of a provider's message is kept, in characters.
const LONGEST_MESSAGE: usize = 300;

/// The client of one provider's API.
pub(super) struct Client {
    provider: &'static str,
    fetcher: Fetcher,
}

impl Client {
    /// Creates the client; `provider` names it in errors.
    pub(super) fn new(provider: &'static str) -> Result<Client, InternalError> {
        Ok(Client { provider, fetcher: Fetcher::new(ATTEMPT)? })
    }

    /// What sends the requests, for those that are not to be retried.
    pub(super) fn fetcher(&self) -> &Fetcher {
        &self.fetcher
    }

    /// Sends a request and reads its response. A response of 409, 429 or 5xx and a lost connection are retried with
    /// backoff, and after the time that the provider asks for; a timeout is not.
    ///
    /// # Errors
    /// `Refused` for another response of 4xx, as `<code>: <message>`. `Failed` if the key is rejected, or if all
    /// attempts failed.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        request: Result<Request<String>, hyper::http::Error>,
        now: DateTime<Utc>,
    ) -> Result<T, GatewayError> {
        let response = self.send(request.map_err(InternalError::from)?, now).await?;
        let status = response.status();
        if status.is_success() {
            // 204 has no content.
            let body: &[u8] = if response.body().is_empty() { b"null" } else { response.body() };
            let read = serde_json::from_slice(body);
            return Ok(read.context(format!("read what {} answers", self.provider))?);
        }
        let message = message(response.body());
        if status.is_client_error() && ![StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status) {
            return Err(GatewayError::Refused(message));
        }
        Err(self.failed(status, &message))
    }

    /// The same for a response that is read as it is.
    pub(super) async fn send(
        &self,
        request: Request<String>,
        now: DateTime<Utc>,
    ) -> Result<Response<Bytes>, GatewayError> {
        let mut wait = FIRST_WAIT;
        for attempt in 1.. {
            let is_last = attempt >= MOST_ATTEMPTS;
            match self.fetcher.send(request.clone()).await {
                Ok(response) if !is_busy(response.status()) => return Ok(response),
                Ok(response) => {
                    let asked = retry_after(&response, now).unwrap_or(wait);
                    if is_last || asked > LONGEST_WAIT {
                        return Err(self.failed(response.status(), &message(response.body())));
                    }
                    wait = asked.max(wait);
                }
                Err(FetchError::TimedOut) => return Err(GatewayError::TimedOut),
                Err(error) if is_last => {
                    // The URL may have the token of a purchase.
                    return Err(GatewayError::Failed(InternalError::from(error.without_url())));
                }
                Err(_) => {}
            }
            // Spread, so that many jobs do not call again at the same time.
            tokio::time::sleep(wait.mul_f64(rand::random_range(0.75..1.25))).await;
            wait *= 2;
        }
        Err(GatewayError::TimedOut)
    }

    fn failed(&self, status: StatusCode, message: &str) -> GatewayError {
        GatewayError::Failed(InternalError::new(format!("{} answers {status}: {message}", self.provider)))
    }
}

fn is_busy(status: StatusCode) -> bool {
    // 409: another request with the same idempotency key is in flight.
    status.is_server_error() || [StatusCode::CONFLICT, StatusCode::TOO_MANY_REQUESTS].contains(&status)
}

/// Returns the code and the description of an error response, wherever the provider puts them.
fn message(body: &[u8]) -> String {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let first = |pointers: &[&str]| {
        let text = pointers.iter().find_map(|pointer| value.pointer(pointer)?.as_str());
        text.unwrap_or_default().to_owned()
    };
    // Stripe, Razorpay and Google; PayPal.
    let code = first(&["/error/code", "/error/status", "/details/0/issue", "/name", "/error"]);
    let text = first(&["/error/message", "/error/description", "/details/0/description", "/message"]);
    format!("{code}: {text}").chars().take(LONGEST_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_of_an_error_is_found_in_each_providers_form() {
        for (body, expected) in [
            (
                r#"{"error":{"code":"charge_already_refunded","message":"Charge ch_1 has already been refunded."}}"#,
                "charge_already_refunded: Charge ch_1 has already been refunded.",
            ),
            (
                r#"{"error":{"code":"BAD_REQUEST_ERROR","description":"The amount is invalid"}}"#,
                "BAD_REQUEST_ERROR: The amount is invalid",
            ),
            (
                r#"{"name":"UNPROCESSABLE_ENTITY","details":[{"issue":"ORDER_ALREADY_CAPTURED","description":"Once."}]}"#,
                "ORDER_ALREADY_CAPTURED: Once.",
            ),
            (r#"{"error":{"code":404,"message":"Gone.","status":"NOT_FOUND"}}"#, "NOT_FOUND: Gone."),
            ("<html>", ": "),
        ] {
            assert_eq!(message(body.as_bytes()), expected);
        }
        let long = format!(r#"{{"message":"{}"}}"#, "x".repeat(1000));
        assert_eq!(message(long.as_bytes()).chars().count(), LONGEST_MESSAGE);
    }
}
