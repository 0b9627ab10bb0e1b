//! The client of a request, for sessions, rate limits, and the audit trail.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

/// The longest user agent that is kept, in characters; longer ones are truncated.
const LONGEST_USER_AGENT: usize = 400;

/// The client that sent a request.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// The IP address, as reported by the trusted proxies; `None` on the command line.
    pub ip: Option<IpAddr>,
    /// The user agent, at most 400 characters.
    pub user_agent: String,
    /// The refresh token from the cookie, if it was sent and the request may use it.
    pub refresh_cookie: Option<String>,
    /// Whether the response can set cookies: possible over HTTP, not over a WebSocket.
    pub takes_cookies: bool,
    /// The id of the request, as in the log; `None` outside of requests.
    pub request_id: Option<Arc<str>>,
}

impl Client {
    /// Returns a client with the IP address `ip` and the user agent `user_agent`.
    pub fn new(ip: Option<IpAddr>, user_agent: &str) -> Client {
        let user_agent = user_agent.chars().filter(|letter| !letter.is_control()).take(LONGEST_USER_AGENT).collect();
        Client { ip, user_agent, refresh_cookie: None, takes_cookies: false, request_id: None }
    }

    /// Returns the client of the request `id`.
    pub fn of_request(mut self, id: &Arc<str>) -> Client {
        self.request_id = Some(id.clone());
        self
    }

    /// The IP address under which attempts are rate-limited. All clients without one share the unspecified address.
    pub fn address(&self) -> IpAddr {
        self.ip.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED))
    }

    /// The IP address in the form in which it is stored.
    pub fn ip_text(&self) -> Option<String> {
        self.ip.map(|ip| ip.to_canonical().to_string())
    }
}

// A derived Debug would write the refresh token to logs.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("ip", &self.ip).field("user_agent", &self.user_agent).finish_non_exhaustive()
    }
}
