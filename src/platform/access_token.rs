//! Access tokens of external services, each fetched once and used until shortly before its end.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use tokio::sync::Mutex;

/// How long before its end a token is replaced.
const MARGIN: TimeDelta = TimeDelta::minutes(5);
/// The longest lifetime that a service is believed, in seconds.
const LONGEST: i64 = 86_400;

/// A service's answer to a request for a token (RFC 6749, 5.1).
#[derive(Deserialize)]
pub struct Granted {
    /// The token.
    pub access_token: String,
    /// Its lifetime, in seconds.
    pub expires_in: i64,
}

/// The token of one service.
#[derive(Default)]
pub struct AccessToken {
    /// The token and its end. The lock is held while it is fetched, so that it is fetched once.
    token: Mutex<Option<(String, DateTime<Utc>)>>,
}

impl AccessToken {
    /// Returns the token; fetches one if there is none or if it ends soon.
    ///
    /// # Errors
    /// What `fetch` returns.
    pub async fn get<E>(
        &self,
        now: DateTime<Utc>,
        fetch: impl Future<Output = Result<Granted, E>>,
    ) -> Result<String, E> {
        let mut token = self.token.lock().await;
        if let Some((text, _)) = token.as_ref().filter(|(_, expires_at)| *expires_at - MARGIN > now) {
            return Ok(text.clone());
        }
        let Granted { access_token, expires_in } = fetch.await?;
        *token = Some((access_token.clone(), now + TimeDelta::seconds(expires_in.clamp(0, LONGEST))));
        Ok(access_token)
    }

    /// Forgets the token, which the service rejects.
    pub async fn forget(&self) {
        *self.token.lock().await = None;
    }
}
