//! An HTTP client for the APIs of external services.
//!
//! All requests share one client: TLS by rustls with the operating system's root certificates, limits on the time and
//! on the size of a response, and no redirects, so that a secret is sent only to the URL that it was meant for.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use hyper::{Request, Response};
use reqwest::redirect::Policy;
use reqwest::{Body, Client};
use url::Url;

use super::internal_error::{Context, InternalError};
use super::tls;
use crate::config::identity::is_confidential;

/// The largest response body, in bytes.
const ANSWER_LIMIT: usize = 512 << 10;

/// Sends requests; a clone shares its connections.
#[derive(Clone)]
pub struct Fetcher {
    client: Client,
}

/// Why a request failed. For the log only: a URL in it may contain secrets.
#[derive(Debug)]
pub enum FetchError {
    /// The URL is neither `https` nor on this machine.
    Exposed,
    /// The request timed out.
    TimedOut,
    /// The response is larger than 512 KiB.
    TooLong,
    /// The service is unreachable.
    Unreachable(reqwest::Error),
    /// The connection broke while the response was read.
    Broken(reqwest::Error),
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FetchError::Exposed => "the address is not an https:// one",
            FetchError::TimedOut => "the service took too long",
            FetchError::TooLong => "the service's answer is too long",
            FetchError::Unreachable(_) => "the service cannot be reached",
            FetchError::Broken(_) => "the service's answer broke off",
        })
    }
}

impl Error for FetchError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            FetchError::Unreachable(error) | FetchError::Broken(error) => Some(error),
            FetchError::Exposed | FetchError::TimedOut | FetchError::TooLong => None,
        }
    }
}

impl Fetcher {
    /// Returns a client whose requests time out after `patience`.
    ///
    /// The time counts from the first byte sent to the last byte received.
    ///
    /// # Errors
    /// No root certificates are installed on this machine.
    pub fn new(patience: Duration) -> Result<Fetcher, InternalError> {
        if tls::roots().is_empty() {
            return Err(InternalError::new("this machine has no certificates of authorities to trust"));
        }
        let client = Client::builder()
            .tls_backend_preconfigured(tls::client()?)
            .redirect(Policy::none())
            .no_proxy()
            .timeout(patience)
            .build()
            .context("make an HTTP client")?;
        Ok(Fetcher { client })
    }

    /// Sends one request and reads the whole response, whatever its status.
    ///
    /// # Errors
    /// See [`FetchError`].
    pub async fn send(&self, request: Request<impl Into<Body>>) -> Result<Response<Bytes>, FetchError> {
        if !Url::parse(&request.uri().to_string()).is_ok_and(|url| is_confidential(&url)) {
            return Err(FetchError::Exposed);
        }
        let request = request.try_into().map_err(FetchError::Unreachable)?;
        let mut answer = self.client.execute(request).await.map_err(|error| failed(error, FetchError::Unreachable))?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| failed(error, FetchError::Broken))? {
            if body.len() + chunk.len() > ANSWER_LIMIT {
                return Err(FetchError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }
}

fn failed(error: reqwest::Error, otherwise: fn(reqwest::Error) -> FetchError) -> FetchError {
    if error.is_timeout() { FetchError::TimedOut } else { otherwise(error) }
}
