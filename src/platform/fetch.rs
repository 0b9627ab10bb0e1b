//! Calls to other services' HTTP interfaces.
//!
//! One client for all of them: TLS by rustls with the machine's own certificates, a limit on the time and on the size
//! of an answer, and no redirect is followed, so that a secret reaches only the address that it was meant for.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use hyper::{Request, Response};
use reqwest::redirect::Policy;
use reqwest::{Body, Client};
use url::Url;

use super::fault::{Context, Fault};
use super::tls;
use crate::config::identity::is_confidential;

/// The largest answer, in bytes, that is taken into memory.
const ANSWER_LIMIT: usize = 512 << 10;

/// Sends requests; a clone shares its connections.
#[derive(Clone)]
pub struct Fetcher {
    client: Client,
}

/// Why there is no answer. For the log: a URL in it may hold what only the log should know.
#[derive(Debug)]
pub enum FetchError {
    /// The address is neither `https` nor on this machine.
    Exposed,
    /// It took too long.
    TimedOut,
    /// The answer is longer than 512 KiB.
    TooLong,
    /// The service can't be reached.
    Unreachable(reqwest::Error),
    /// The connection broke within the answer.
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
    /// A client that waits for `patience` at most, from the first byte sent to the last one received.
    ///
    /// # Errors
    /// This machine has no certificates of authorities to trust.
    pub fn new(patience: Duration) -> Result<Fetcher, Fault> {
        if tls::roots().is_empty() {
            return Err(Fault::new("this machine has no certificates of authorities to trust"));
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

    /// Sends one request and takes the whole answer, whatever its status.
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
