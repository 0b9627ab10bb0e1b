//! Tokens with which Pub/Sub signs what it pushes: JWTs of a service account, by Google's keys.
//!
//! Source: <https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions>.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use hyper::Request;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::Unverified;
use crate::platform::fetch::Fetcher;
use crate::platform::internal_error::{Context, InternalError};

/// How long the keys are used before they are fetched again.
const AGE: TimeDelta = TimeDelta::hours(1);
/// How long the keys are used though one is missing: an unknown key id does not make this server ask Google each time.
const SHORTEST_AGE: TimeDelta = TimeDelta::minutes(1);
/// How far the clocks of Google and of this machine may differ.
const LEEWAY: Duration = Duration::from_secs(60);
const ISSUERS: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];

/// Google's keys.
pub(super) struct Keys {
    url: String,
    fetcher: Fetcher,
    /// The keys and when they were fetched. The lock is held while they are, so that they are fetched once.
    kept: Mutex<Option<(JwkSet, DateTime<Utc>)>>,
}

#[derive(Deserialize)]
struct Claims {
    email: String,
    email_verified: bool,
    exp: i64,
}

impl Keys {
    /// The keys at `url`, a JSON Web Key Set.
    pub(super) fn new(url: String, fetcher: Fetcher) -> Keys {
        Keys { url, fetcher, kept: Mutex::default() }
    }

    /// Checks that a token is for `audience`, and of the service account `sender`.
    ///
    /// # Errors
    /// `Unavailable` if the keys cannot be fetched; Pub/Sub sends the message again.
    pub(super) async fn verify(
        &self,
        token: &str,
        (audience, sender): (&str, &str),
        now: DateTime<Utc>,
    ) -> Result<(), Unverified> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| Unverified::Forged)?;
        let key = self.key(header.kid.as_deref().ok_or(Unverified::Forged)?, now).await?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&[audience]);
        validation.set_issuer(&ISSUERS);
        // A token that lacks one of them would pass otherwise.
        validation.set_required_spec_claims(&["exp", "aud", "iss"]);
        // By our clock, below.
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation).map_err(|_| Unverified::Forged)?.claims;
        if claims.email != sender || !claims.email_verified {
            return Err(Unverified::Forged);
        }
        let leeway = i64::try_from(LEEWAY.as_secs()).unwrap_or_default();
        if claims.exp + leeway < now.timestamp() { Err(Unverified::Stale) } else { Ok(()) }
    }

    async fn key(&self, id: &str, now: DateTime<Utc>) -> Result<DecodingKey, Unverified> {
        let mut kept = self.kept.lock().await;
        let found = |kept: &Option<(JwkSet, DateTime<Utc>)>, age: TimeDelta| {
            let (keys, fetched_at) = kept.as_ref()?;
            if now - *fetched_at > age {
                return None;
            }
            Some(keys.find(id).and_then(|key| DecodingKey::from_jwk(key).ok()))
        };
        // A key that is missing may be new.
        if let Some(Some(key)) = found(&kept, AGE) {
            return Ok(key);
        }
        if found(&kept, SHORTEST_AGE).is_none() {
            let keys = self.fetch().await.map_err(|error| {
                tracing::warn!(error = error.report(), "the keys of Google cannot be fetched");
                Unverified::Unavailable
            })?;
            *kept = Some((keys, now));
        }
        found(&kept, AGE).flatten().ok_or(Unverified::Forged)
    }

    async fn fetch(&self) -> Result<JwkSet, InternalError> {
        let response = self.fetcher.send(Request::get(&self.url).body(String::new())?).await?;
        if !response.status().is_success() {
            return Err(InternalError::new(format!("Google answers {}", response.status())));
        }
        serde_json::from_slice(response.body()).context("read the keys of Google")
    }
}
