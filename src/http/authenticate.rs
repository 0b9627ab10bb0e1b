//! Authenticates requests by the `Authorization` header or cookies; identifies the client.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::extract::Extension;
use axum::http::{HeaderMap, HeaderName, Method, header};

use super::server::Peer;
use crate::accounts;
use crate::config::Config;
use crate::graphql::Error;
use crate::platform::App;
use crate::platform::auth::{Actor, Client, InvalidToken, TokenCookie};

/// The CSRF header; any value counts. Cross-origin pages cannot send it without a CORS preflight.
pub(super) const CSRF_HEADER: HeaderName = HeaderName::from_static("x-lyceum-csrf");

/// Why a request is rejected during authentication.
#[derive(Debug)]
pub(super) enum Denied {
    /// The token is invalid or expired.
    Unauthenticated(&'static str),
    /// The request has cookies, and another site may have made the browser send it (CSRF).
    CrossSite,
    /// Too many invalid API tokens came from this IP address.
    RateLimited(Duration),
    /// The token cannot be checked now because of an internal failure.
    Unavailable,
}

/// The authenticated sender of an HTTP request.
pub(super) struct Sender {
    /// The caller.
    pub(super) actor: Actor,
    /// The client: IP address, user agent and cookies.
    pub(super) client: Client,
    /// Why the token in the `Authorization` header is invalid, if it is. The request is not rejected here, because a
    /// client that sends its token with every request could otherwise never refresh it.
    pub(super) rejected: Option<&'static str>,
}

/// Authenticates an HTTP request. Without an `Authorization` header and cookies, the caller is anonymous.
pub(super) async fn authenticate(
    app: &App,
    method: &Method,
    headers: &HeaderMap,
    peer: Option<Peer>,
) -> Result<Sender, Denied> {
    let mut client = client(&app.config, headers, peer);
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let text = value.to_str().map_err(|_| Denied::Unauthenticated("The Authorization header is not text."))?;
        let actor = match text.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                match bearer(app, &client, token.trim()).await {
                    Err(Denied::Unauthenticated(message)) => Err(message),
                    outcome => Ok(outcome?),
                }
            }
            _ => {
                let message = "The Authorization header must be `Bearer` and a token.";
                return Err(Denied::Unauthenticated(message));
            }
        };
        client.takes_cookies = is_own(&app.config, headers);
        let (actor, rejected) = actor.map_or_else(|message| (Actor::Anonymous, Some(message)), |actor| (actor, None));
        return Ok(Sender { actor, client, rejected });
    }
    let (access, refresh) = cookies(app, headers);
    client.takes_cookies = is_own(&app.config, headers);
    if access.is_none() && refresh.is_none() {
        return Ok(Sender { actor: Actor::Anonymous, client, rejected: None });
    }
    // GET requests have no side effects, and another site cannot read the response.
    if *method != Method::GET && !client.takes_cookies {
        return Err(Denied::CrossSite);
    }
    client.refresh_cookie = refresh;
    Ok(Sender { actor: from_cookie(app, access).await?, client, rejected: None })
}

/// Authenticates a GET request; with credentials that are rejected, its sender is anonymous.
pub(super) async fn sender_or_anonymous(app: &App, headers: &HeaderMap, peer: Option<Extension<Peer>>) -> Actor {
    let sender = authenticate(app, &Method::GET, headers, peer.map(|Extension(peer)| peer)).await;
    sender.map_or(Actor::Anonymous, |sender| sender.actor)
}

/// Returns whether a request carries no credentials.
pub(super) fn is_bare(app: &App, headers: &HeaderMap) -> bool {
    !headers.contains_key(header::AUTHORIZATION) && cookies(app, headers) == (None, None)
}

/// Returns whether a request relies on cookies.
pub(super) fn sends_cookies(app: &App, headers: &HeaderMap) -> bool {
    !headers.contains_key(header::AUTHORIZATION) && cookies(app, headers) != (None, None)
}

/// Authenticates a WebSocket by the `authorization` of `connection_init` or by cookies.
///
/// Browsers let any page open a WebSocket, so cookies are accepted only from allowed origins.
pub(super) async fn authenticate_socket(
    app: &App,
    headers: &HeaderMap,
    peer: Option<Peer>,
    authorization: Option<&str>,
) -> Result<(Actor, Client), Denied> {
    let client = client(&app.config, headers, peer);
    if let Some(text) = authorization {
        let token = text.strip_prefix("Bearer ").or(text.strip_prefix("bearer ")).unwrap_or(text).trim();
        return Ok((bearer(app, &client, token).await?, client));
    }
    let (access, refresh) = cookies(app, headers);
    if (access.is_some() || refresh.is_some()) && !is_own(&app.config, headers) {
        return Err(Denied::CrossSite);
    }
    Ok((from_cookie(app, access).await?, client))
}

/// Authenticates a bearer token: an access token or a personal API token.
async fn bearer(app: &App, client: &Client, token: &str) -> Result<Actor, Denied> {
    if !accounts::is_api_token(token) {
        return read(app, token).await;
    }
    match accounts::authenticate(app, client, token).await {
        Ok(Some(actor)) => Ok(actor),
        Ok(None) => Err(Denied::Unauthenticated("The API token is not valid, or it has expired or was revoked.")),
        Err(Error::RateLimited { wait }) => Err(Denied::RateLimited(wait)),
        Err(error) => {
            tracing::warn!(?error, "cannot find out whose API token this is");
            Err(Denied::Unavailable)
        }
    }
}

/// Authenticates an access token; its session must not have ended.
async fn read(app: &App, token: &str) -> Result<Actor, Denied> {
    let actor = app.tokens.read(token).map_err(|invalid: InvalidToken| Denied::Unauthenticated(invalid.message()))?;
    match accounts::is_current(app, &actor).await {
        Ok(true) => Ok(actor),
        Ok(false) => {
            Err(Denied::Unauthenticated("The access token is no longer good; refresh the session or sign in again."))
        }
        Err(error) => {
            tracing::warn!(error = error.report(), "cannot find out whether a session goes on");
            Err(Denied::Unavailable)
        }
    }
}

/// Authenticates an access token cookie.
///
/// An invalid one counts as anonymous: browsers keep sending it, and signing in again must stay possible.
async fn from_cookie(app: &App, access: Option<String>) -> Result<Actor, Denied> {
    let Some(token) = access else { return Ok(Actor::Anonymous) };
    match read(app, &token).await {
        Err(Denied::Unauthenticated(_)) => Ok(Actor::Anonymous),
        outcome => outcome,
    }
}

/// Returns the access token and the refresh token from the cookies.
fn cookies(app: &App, headers: &HeaderMap) -> (Option<String>, Option<String>) {
    let url = &app.config.public_url;
    let find = |cookie: TokenCookie| {
        let mut sent = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        sent.find_map(|value| cookie.find(url, value))
    };
    (find(TokenCookie::Access), find(TokenCookie::Refresh))
}

/// Returns whether the request comes from a page of this origin or of an allowed one.
///
/// The CSRF header proves it, too, because only such a page can send it.
fn is_own(config: &Config, headers: &HeaderMap) -> bool {
    if headers.contains_key(CSRF_HEADER) {
        return true;
    }
    let Some(origin) = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok()) else { return false };
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    // An opaque origin is the string "null", which has no scheme. On an https server, a page of the same host that was
    // loaded over http may have been forged by a network attacker.
    let (scheme, authority) = origin.split_once("://").unwrap_or_default();
    let safe = scheme == "https" || !config.public_url.starts_with("https://");
    let same = safe && Some(authority) == host;
    same || config.allows_origin(origin)
}

/// Determines the client of a request.
///
/// Each trusted proxy appends the IP address of its peer to `X-Forwarded-For`; entries before those are unverified.
pub(super) fn client(config: &Config, headers: &HeaderMap, peer: Option<Peer>) -> Client {
    // Count the entries before parsing: skipping an unparsable one would put an unverified entry in its place.
    let forwarded: Vec<&[u8]> = headers
        .get_all("x-forwarded-for")
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .collect();
    let told = config.proxies.checked_sub(1).and_then(|behind| forwarded.iter().rev().nth(behind));
    let told = told.and_then(|address| ip(std::str::from_utf8(address).ok()?));
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Client::new(told.or(peer.map(|Peer(ip)| ip)), agent.unwrap_or_default())
}

/// Parses an IP address as proxies write it, with or without brackets and port.
fn ip(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn config(settings: &[(&str, &str)]) -> Config {
        let vars: BTreeMap<String, String> =
            settings.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Config::from_vars(vars).unwrap()
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_address_is_what_the_trusted_proxies_say() {
        let peer = Some(Peer([10, 0, 0, 1].into()));
        let ip = |proxies: &str, headers: &HeaderMap| {
            client(&config(&[("LYCEUM_PROXIES", proxies)]), headers, peer).ip_text().unwrap()
        };
        let forged = headers(&[("x-forwarded-for", "6.6.6.6, 192.0.2.7, 10.0.0.2")]);
        assert_eq!(ip("0", &forged), "10.0.0.1");
        assert_eq!(ip("1", &forged), "10.0.0.2");
        assert_eq!(ip("2", &forged), "192.0.2.7");
        assert_eq!(ip("9", &forged), "10.0.0.1", "fewer than there should be: nobody is believed");
        assert_eq!(ip("1", &HeaderMap::new()), "10.0.0.1");
        let ports = headers(&[("x-forwarded-for", "6.6.6.6, 192.0.2.7:4711, [2001:db8::1]:80, [2001:db8::2]")]);
        assert_eq!(ip("1", &ports), "2001:db8::2");
        assert_eq!(ip("2", &ports), "2001:db8::1");
        assert_eq!(ip("3", &ports), "192.0.2.7");
        let unreadable = headers(&[("x-forwarded-for", "6.6.6.6, unknown")]);
        assert_eq!(ip("1", &unreadable), "10.0.0.1", "the client's claim does not take its place");
    }

    #[test]
    fn only_own_pages_may_use_cookies() {
        let config = config(&[
            ("LYCEUM_PUBLIC_URL", "https://school.example"),
            ("LYCEUM_CORS_ORIGINS", "https://app.school.example"),
        ]);
        for (own, pairs) in [
            (true, &[("origin", "https://school.example")][..]),
            (true, &[("origin", "https://app.school.example")]),
            (true, &[("origin", "https://learn.school.example"), ("host", "learn.school.example")]),
            (true, &[("x-lyceum-csrf", "1"), ("origin", "https://evil.example")]),
            (false, &[("origin", "https://evil.example"), ("host", "school.example")]),
            (false, &[("origin", "http://school.example"), ("host", "school.example")]),
            (false, &[("origin", "null"), ("host", "null")]),
            (false, &[("origin", "null"), ("host", "")]),
            (false, &[("origin", "https://school.example.evil.example")]),
            (false, &[]),
        ] {
            assert_eq!(is_own(&config, &headers(pairs)), own, "{pairs:?}");
        }
        let plain = Config::from_vars(BTreeMap::new()).unwrap();
        let local = headers(&[("origin", "http://localhost:8080"), ("host", "localhost:8080")]);
        assert!(is_own(&plain, &local), "another name of this machine");
    }
}
