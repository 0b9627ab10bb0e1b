//! Calls to other services' HTTP interfaces.
//!
//! One client for all of them: TLS by rustls with the machine's own certificates, a limit on the time and on the size
//! of an answer, and no redirect is followed, so that a secret reaches only the address that it was meant for.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{Request, Response};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::TokioExecutor;
use url::Url;

use super::fault::{Context, Fault};
use crate::config::identity::is_confidential;

/// The largest answer, in bytes, that is taken into memory.
const ANSWER_LIMIT: usize = 512 << 10;

/// Sends requests; a clone shares its connections.
#[derive(Clone)]
pub struct Fetcher {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    patience: Duration,
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
    Unreachable(legacy::Error),
    /// The connection broke within the answer.
    Broken(Box<dyn Error + Send + Sync>),
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
            FetchError::Unreachable(error) => Some(error),
            FetchError::Broken(error) => Some(&**error),
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
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(provider)
            .context("read this machine's certificates")?
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Fetcher { client: Client::builder(TokioExecutor::new()).build(connector), patience })
    }

    /// Sends one request and takes the whole answer, whatever its status.
    ///
    /// # Errors
    /// See [`FetchError`].
    pub async fn send(&self, request: Request<impl Into<Bytes>>) -> Result<Response<Bytes>, FetchError> {
        if !Url::parse(&request.uri().to_string()).is_ok_and(|url| is_confidential(&url)) {
            return Err(FetchError::Exposed);
        }
        let request = request.map(|body| Full::new(body.into()));
        tokio::time::timeout(self.patience, async {
            let (head, body) = self.client.request(request).await.map_err(FetchError::Unreachable)?.into_parts();
            let body = Limited::new(body, ANSWER_LIMIT).collect().await.map_err(|error| {
                if error.is::<LengthLimitError>() { FetchError::TooLong } else { FetchError::Broken(error) }
            })?;
            Ok(Response::from_parts(head, body.to_bytes()))
        })
        .await
        .map_err(|_| FetchError::TimedOut)?
    }
}
