//! The cookies of a session.
//!
//! They are `HttpOnly`, so that scripts cannot read them; limited to `/graphql`; and `Secure` if the public URL is
//! https (RFC 6265bis, sections 4.1.2 and 4.1.3.1).

use chrono::{DateTime, Utc};

/// The cookies that hold a session's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenCookie {
    /// The access token.
    Access,
    /// The refresh token.
    Refresh,
}

impl TokenCookie {
    /// The cookie's name. Browsers accept the prefix `__Secure-` over https only, which prevents injection over http.
    fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (TokenCookie::Access, true) => "__Secure-lyceum-access",
            (TokenCookie::Access, false) => "lyceum-access",
            (TokenCookie::Refresh, true) => "__Secure-lyceum-refresh",
            (TokenCookie::Refresh, false) => "lyceum-refresh",
        }
    }

    /// Returns the `Set-Cookie` header that stores `value` until `expires_at`.
    pub fn set(self, public_url: &str, value: &str, expires_at: DateTime<Utc>, now: DateTime<Utc>) -> String {
        let seconds = (expires_at - now).num_seconds().max(0);
        let secure = is_secure(public_url);
        let attribute = if secure { "; Secure" } else { "" };
        let name = self.name(secure);
        format!("{name}={value}; Path=/graphql; Max-Age={seconds}; HttpOnly; SameSite=Lax{attribute}")
    }

    /// Returns the `Set-Cookie` header that deletes the cookie.
    pub fn clear(self, public_url: &str) -> String {
        let now = DateTime::UNIX_EPOCH;
        self.set(public_url, "", now, now)
    }

    /// Finds the cookie's value in a `Cookie` header; `None` if it is missing or empty.
    pub fn find(self, public_url: &str, header: &str) -> Option<String> {
        let name = self.name(is_secure(public_url));
        let mut pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(own, value)| *own == name && !value.is_empty()).map(|(_, value)| value.to_owned())
    }
}

fn is_secure(public_url: &str) -> bool {
    public_url.starts_with("https://")
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn what_is_set_is_found_again() {
        let now = DateTime::UNIX_EPOCH;
        let set = TokenCookie::Refresh.set("https://school.example", "abc", now + TimeDelta::minutes(1), now);
        assert_eq!(set, "__Secure-lyceum-refresh=abc; Path=/graphql; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
        let header = "a=b; __Secure-lyceum-refresh=abc; lyceum-access=d";
        assert_eq!(TokenCookie::Refresh.find("https://school.example", header).as_deref(), Some("abc"));
        assert_eq!(TokenCookie::Access.find("https://school.example", header), None, "a plain name, from http");
        assert_eq!(TokenCookie::Access.find("http://127.0.0.1:8080", header).as_deref(), Some("d"));
        assert!(!TokenCookie::Access.set("http://127.0.0.1:8080", "d", now, now).contains("Secure"));
        assert!(TokenCookie::Access.clear("https://school.example").contains("Max-Age=0"));
    }
}
