//! Which pages browsers let call this server and its embedded object store (CORS).

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::{Config, is_local};

/// How many refused origins the log tells of; anybody can send any origin.
const MOST_TOLD: usize = 100;

/// The allowed origins of pages; cheap to clone. The log tells once of each origin that is refused.
#[derive(Clone)]
pub struct PageOrigins {
    listed: Arc<BTreeSet<String>>,
    local: bool,
    told: Arc<Mutex<BTreeSet<String>>>,
}

impl PageOrigins {
    /// Returns those that the settings list and this server's own; in development also the local ones.
    pub fn of(config: &Config) -> PageOrigins {
        PageOrigins::new(config.page_origins(), !config.is_production())
    }

    /// Returns the origins in `listed` and, if `local`, those of pages on this machine, on any port.
    pub fn new(listed: Vec<String>, local: bool) -> PageOrigins {
        PageOrigins { listed: Arc::new(listed.into_iter().collect()), local, told: Arc::default() }
    }

    /// Returns whether pages of `origin` are allowed.
    pub fn allows(&self, origin: &str) -> bool {
        self.listed.contains(origin) || (self.local && is_local(origin))
    }

    /// Like [`PageOrigins::allows`], and tells the log of an origin that is refused for the first time.
    pub fn admits(&self, origin: &str) -> bool {
        let allowed = self.allows(origin);
        if !allowed {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.len() < MOST_TOLD && told.insert(origin.to_owned()) {
                tracing::warn!(origin, "a page of an origin that LYCEUM_CORS_ORIGINS lacks was refused");
            }
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_pages_are_allowed_in_development_only() {
        let listed = vec!["https://app.example".to_owned()];
        let (development, production) = (PageOrigins::new(listed.clone(), true), PageOrigins::new(listed, false));
        for origin in ["http://localhost", "http://localhost:3000", "http://127.0.0.1:5173"] {
            assert!(development.admits(origin), "{origin}");
            assert!(!production.admits(origin), "{origin}");
        }
        for foreign in [
            "https://evil.example",
            "http://localhost.evil.example:3000",
            "http://localhost:3000/",
            "http://localhost:3000@evil.example",
            "http://LOCALHOST:3000",
            "http://127.0.0.2:3000",
            "https://localhost:3000",
            "null",
            "",
        ] {
            assert!(!development.admits(foreign), "{foreign}");
        }
        assert!(development.allows("https://app.example") && production.allows("https://app.example"));
    }

    #[test]
    fn the_log_tells_of_a_bounded_number_of_origins() {
        let origins = PageOrigins::new(Vec::new(), false);
        for number in 0..1000 {
            assert!(!origins.admits(&format!("https://{number}.example")));
        }
        assert_eq!(origins.told.lock().unwrap().len(), MOST_TOLD);
    }
}
