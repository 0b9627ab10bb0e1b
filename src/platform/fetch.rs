//! An HTTP client for the APIs of external services.
//!
//! All requests share one client: TLS by rustls with the operating system's root certificates, limits on the time and
//! on the size of a response, and no redirects, so that a secret is sent only to the URL that it was meant for.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use hyper::header::RETRY_AFTER;
use hyper::{Request, Response};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Body, Client, ClientBuilder};
use url::{Host, Url};

use super::internal_error::{Context, InternalError};
use super::tls;
use crate::config::identity::is_confidential;

/// The largest response body, in bytes.
const ANSWER_LIMIT: usize = 512 << 10;

/// Sends requests; a clone shares its connections.
#[derive(Clone)]
pub struct Fetcher {
    client: Client,
    /// Which addresses may be called; `None` if settings name the URLs.
    guard: Option<Guard>,
}

/// Why a request failed. For the log only: a URL in it may contain secrets.
#[derive(Debug)]
pub enum FetchError {
    /// The URL is neither `https` nor on this machine.
    Exposed,
    /// The URL is that of a private network.
    Private,
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
            FetchError::Private => "the address is not a public one",
            FetchError::TimedOut => "the service took too long",
            FetchError::TooLong => "the service's answer is too long",
            FetchError::Unreachable(_) => "the service cannot be reached",
            FetchError::Broken(_) => "the service's answer broke off",
        })
    }
}

impl FetchError {
    /// The same without the URL, which may contain a secret.
    pub fn without_url(self) -> FetchError {
        match self {
            FetchError::Unreachable(error) => FetchError::Unreachable(error.without_url()),
            FetchError::Broken(error) => FetchError::Broken(error.without_url()),
            other => other,
        }
    }
}

impl Error for FetchError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            FetchError::Unreachable(error) | FetchError::Broken(error) => Some(error),
            FetchError::Exposed | FetchError::Private | FetchError::TimedOut | FetchError::TooLong => None,
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
        Ok(Fetcher { client: client(patience, None, |builder| builder)?, guard: None })
    }

    /// The same for a service that speaks HTTP/2 only.
    ///
    /// # Errors
    /// No root certificates are installed on this machine.
    pub fn http2(patience: Duration) -> Result<Fetcher, InternalError> {
        Ok(Fetcher { client: client(patience, Some("h2"), ClientBuilder::http2_prior_knowledge)?, guard: None })
    }

    /// The same for URLs that clients have named: only public addresses are called, so that nobody makes this server
    /// call services of its own network. With `allow_loopback`, this machine is called, too.
    ///
    /// # Errors
    /// No root certificates are installed on this machine.
    pub fn to_named_by_clients(patience: Duration, allow_loopback: bool) -> Result<Fetcher, InternalError> {
        let guard = Guard { allow_loopback };
        let client = client(patience, None, |builder| builder.dns_resolver(std::sync::Arc::new(guard)))?;
        Ok(Fetcher { client, guard: Some(guard) })
    }

    /// Returns whether a URL that a client names can be called, as far as it tells without asking DNS.
    pub fn may_call(&self, url: &Url) -> bool {
        is_confidential(url) && self.guard.is_none_or(|guard| guard.allows_host(url))
    }

    /// Sends one request and reads the whole response, whatever its status.
    ///
    /// # Errors
    /// See [`FetchError`].
    pub async fn send(&self, request: Request<impl Into<Body>>) -> Result<Response<Bytes>, FetchError> {
        let url = Url::parse(&request.uri().to_string()).ok().filter(is_confidential).ok_or(FetchError::Exposed)?;
        if self.guard.is_some_and(|guard| !guard.allows_host(&url)) {
            return Err(FetchError::Private);
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

/// Returns the value of a response's Retry-After: seconds, or a date (RFC 9110, 10.2.3).
pub fn retry_after(response: &Response<Bytes>, now: DateTime<Utc>) -> Option<Duration> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    match value.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => Some((DateTime::parse_from_rfc2822(value).ok()?.to_utc() - now).to_std().unwrap_or_default()),
    }
}

fn client(
    patience: Duration,
    protocol: Option<&str>,
    with: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> Result<Client, InternalError> {
    if tls::roots().is_empty() {
        return Err(InternalError::new("this machine has no certificates of authorities to trust"));
    }
    let mut tls = tls::client()?;
    tls.alpn_protocols = protocol.into_iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let builder = Client::builder().tls_backend_preconfigured(tls);
    let builder = builder.redirect(Policy::none()).no_proxy().timeout(patience);
    with(builder).build().context("make an HTTP client")
}

/// Admits public addresses. It is also the resolver, so that what it admitted is what is connected to.
#[derive(Clone, Copy)]
struct Guard {
    allow_loopback: bool,
}

impl Guard {
    fn allows(self, address: IpAddr) -> bool {
        is_public(address) || (self.allow_loopback && address.is_loopback())
    }

    /// Whether the host of a URL is a name, or an address that is allowed. Names are resolved later.
    fn allows_host(self, url: &Url) -> bool {
        match url.host() {
            Some(Host::Domain(_)) => true,
            Some(Host::Ipv4(address)) => self.allows(address.into()),
            Some(Host::Ipv6(address)) => self.allows(address.into()),
            None => false,
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = *self;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<_> = found.filter(|address| guard.allows(address.ip())).collect();
            if allowed.is_empty() {
                return Err(Box::new(FetchError::Private) as Box<dyn Error + Send + Sync>);
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Returns whether an address is one of the Internet: not in the registries of special-purpose addresses (RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b));
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([one, two], [three, four]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(one, two, three, four))
    };
    match (a, b, c, d, e, f) {
        // Mapped addresses, NAT64 (RFC 6052) and 6to4 (RFC 3056) lead to the IPv4 address that they contain.
        (0, 0, 0, 0, 0, 0xffff) | (0x64, 0xff9b, 0, 0, 0, 0) => embedded(g, h),
        (0x2002, ..) => embedded(b, c),
        (0x2001, 0xdb8, ..) | (0x2001, 0, ..) => false,
        // Global unicast is 2000::/3 today.
        _ => (0x2000..0x4000).contains(&a),
    }
}

fn failed(error: reqwest::Error, otherwise: fn(reqwest::Error) -> FetchError) -> FetchError {
    if error.is_timeout() { FetchError::TimedOut } else { otherwise(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_called_for_clients() {
        let guard = Guard { allow_loopback: false };
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.2.1",
            "[::1]",
            "[::]",
            "[fe80::1]",
            "[fd00::1]",
            "[ff02::1]",
            "[::ffff:10.0.0.1]",
            "[64:ff9b::a00:1]",
            "[2002:7f00:1::]",
            "[2001:db8::1]",
        ] {
            assert!(!guard.allows_host(&Url::parse(&format!("https://{private}/push")).unwrap()), "{private}");
        }
        // Other spellings of the same address.
        for private in ["0x7f.1", "2130706433", "127.1"] {
            assert!(!guard.allows_host(&Url::parse(&format!("https://{private}/push")).unwrap()), "{private}");
        }
        for public in ["1.1.1.1", "100.128.0.1", "[2606:4700::1111]", "[::ffff:1.1.1.1]", "push.example"] {
            assert!(guard.allows_host(&Url::parse(&format!("https://{public}/push")).unwrap()), "{public}");
        }
        let local = Guard { allow_loopback: true };
        assert!(local.allows(Ipv4Addr::LOCALHOST.into()) && !local.allows("10.0.0.1".parse().unwrap()));
    }

    #[tokio::test]
    async fn a_name_of_this_machine_is_refused_when_it_is_resolved() {
        let fetcher = Fetcher::to_named_by_clients(Duration::from_secs(5), false).unwrap();
        let request = || Request::post("https://localhost:9/push").body("").unwrap();
        let report = InternalError::from(fetcher.send(request()).await.unwrap_err()).report();
        assert!(report.contains("not a public one"), "{report}");
    }
}
