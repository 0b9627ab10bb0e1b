//! Where a request comes from, for sessions, throttles and the audit trail.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// Longer ones are cut: nobody needs more to recognise a browser.
const LONGEST_USER_AGENT: usize = 400;

/// The program at the other end of a request.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// Its address, as the trusted proxies in front tell it; `None` for the command line.
    pub ip: Option<IpAddr>,
    /// What it calls itself, at most 400 characters.
    pub user_agent: String,
    /// The refresh token of its cookie, if it sent one and the request may use it.
    pub refresh_cookie: Option<String>,
    /// Whether an answer can set cookies: over HTTP it can, over a WebSocket it can't.
    pub takes_cookies: bool,
}

impl Client {
    /// A client at `ip` that calls itself `user_agent`.
    pub fn new(ip: Option<IpAddr>, user_agent: &str) -> Client {
        let user_agent = user_agent.chars().filter(|letter| !letter.is_control()).take(LONGEST_USER_AGENT).collect();
        Client { ip, user_agent, refresh_cookie: None, takes_cookies: false }
    }

    /// The address under which its attempts are counted; one for all who have none.
    pub fn address(&self) -> IpAddr {
        self.ip.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED))
    }

    /// The address as it is stored.
    pub fn ip_text(&self) -> Option<String> {
        self.ip.map(|ip| ip.to_canonical().to_string())
    }
}

// The cookie must not reach a log by way of a derived Debug.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("ip", &self.ip).field("user_agent", &self.user_agent).finish_non_exhaustive()
    }
}
