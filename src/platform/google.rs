//! Service accounts of Google: a signed assertion is exchanged for an access token (RFC 7523).
//!
//! Source: <https://developers.google.com/identity/protocols/oauth2/service-account>.

use chrono::TimeDelta;
use hyper::header::CONTENT_TYPE;
use hyper::{Request, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;
use url::form_urlencoded;

use super::access_token::{AccessToken, Granted};
use super::clock::Clock;
use super::fetch::Fetcher;
use super::internal_error::{Context, InternalError};
use crate::config::push::ServiceAccount;

/// A service account, with the access token of one scope.
pub struct Account {
    email: String,
    token_url: String,
    scope: &'static str,
    signing: EncodingKey,
    clock: Clock,
    token: AccessToken,
}

impl Account {
    /// Creates the account, for tokens of `scope`.
    ///
    /// # Errors
    /// The private key is malformed.
    pub fn new(account: &ServiceAccount, scope: &'static str, clock: Clock) -> Result<Account, InternalError> {
        let signing = EncodingKey::from_rsa_pem(account.private_key.as_bytes()).context("read a key of Google")?;
        let (email, token_url) = (account.client_email.clone(), account.token_uri.clone());
        Ok(Account { email, token_url, scope, signing, clock, token: AccessToken::default() })
    }

    /// Returns an access token.
    ///
    /// # Errors
    /// Google cannot be reached, or grants none.
    pub async fn access(&self, fetcher: &Fetcher) -> Result<String, InternalError> {
        self.token.get(self.clock.now(), self.fetch(fetcher)).await
    }

    /// Forgets the access token, which a service rejects.
    pub async fn forget(&self) {
        self.token.forget().await;
    }

    async fn fetch(&self, fetcher: &Fetcher) -> Result<Granted, InternalError> {
        let now = self.clock.now();
        let (from, to) = (now.timestamp(), (now + TimeDelta::hours(1)).timestamp());
        let claims = json!({ "iss": self.email, "scope": self.scope, "aud": self.token_url, "iat": from, "exp": to });
        let assertion = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &self.signing)?;
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
            .append_pair("assertion", &assertion)
            .finish();
        let request =
            Request::post(&self.token_url).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form)?;
        let response = fetcher.send(request).await.context("ask Google for an access token")?;
        if response.status() != StatusCode::OK {
            return Err(InternalError::new(format!("Google gives no access token: {}", response.status())));
        }
        serde_json::from_slice(response.body()).context("read Google's access token")
    }
}
