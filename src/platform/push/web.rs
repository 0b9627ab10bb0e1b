//! Web Push: RFC 8030, with the encryption of RFC 8291 and the authentication of RFC 8292 (VAPID).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use chrono::TimeDelta;
use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use hyper::{Request, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use lettre::message::Mailbox;
use serde_json::json;
use url::Url;
use web_push_native::p256::elliptic_curve::sec1::ToEncodedPoint;
use web_push_native::p256::pkcs8::EncodePrivateKey;
use web_push_native::p256::{PublicKey, SecretKey};

use super::{Failure, LIFETIME, Message, failure, fitted, unanswered, web_payload};
use crate::config::Config;
use crate::platform::auth::derived;
use crate::platform::clock::Clock;
use crate::platform::fetch::Fetcher;
use crate::platform::internal_error::{Context, InternalError};

/// How long a VAPID token is valid; at most a day (RFC 8292, 2).
const TOKEN_LIFETIME: TimeDelta = TimeDelta::hours(12);

/// The length of a browser's secret in bytes (RFC 8291, 3.2).
const AUTH: usize = 16;

/// The client of the push services of browsers.
pub(super) struct WebPush {
    signing: EncodingKey,
    public_key: String,
    /// Whom a push service can contact, a `mailto:` URL.
    contact: String,
    fetcher: Fetcher,
    clock: Clock,
}

impl WebPush {
    /// Returns the private key: the setting, or in development one that is derived from `secret`.
    pub(super) fn key(config: &Config, secret: &str) -> Option<Vec<u8>> {
        let derived = || derived(secret, "vapid").to_vec();
        config.push.vapid_key.clone().or_else(|| (!config.is_production()).then(derived))
    }

    pub(super) fn new(key: &[u8], from: &str, fetcher: Fetcher, clock: Clock) -> Result<WebPush, InternalError> {
        let key = SecretKey::from_slice(key).context("read LYCEUM_VAPID_KEY")?;
        let public_key = BASE64.encode(key.public_key().to_encoded_point(false).as_bytes());
        let der = key.to_pkcs8_der().map_err(|_| InternalError::new("cannot encode LYCEUM_VAPID_KEY"))?;
        let contact = format!("mailto:{}", from.parse::<Mailbox>()?.email);
        Ok(WebPush { signing: EncodingKey::from_ec_der(der.as_bytes()), public_key, contact, fetcher, clock })
    }

    pub(super) fn may_call(&self, url: &Url) -> bool {
        self.fetcher.may_call(url)
    }

    pub(super) fn public_key(&self) -> &str {
        &self.public_key
    }

    pub(super) async fn send(
        &self,
        endpoint: &str,
        (p256dh, auth): (&[u8], &[u8]),
        message: &Message,
    ) -> Result<(), Failure> {
        let request = self.request(endpoint, (p256dh, auth), message).map_err(Failure::Rejected)?;
        let response = self.fetcher.send(request).await.map_err(unanswered)?;
        match response.status() {
            status if status.is_success() => Ok(()),
            StatusCode::NOT_FOUND | StatusCode::GONE => Err(Failure::Gone),
            _ => Err(failure(&response, self.clock.now())),
        }
    }

    fn request(
        &self,
        endpoint: &str,
        (p256dh, auth): (&[u8], &[u8]),
        message: &Message,
    ) -> Result<Request<Vec<u8>>, InternalError> {
        let audience = Url::parse(endpoint)?.origin().ascii_serialization();
        let expires = self.clock.now() + TOKEN_LIFETIME;
        let claims = json!({ "aud": audience, "exp": expires.timestamp(), "sub": self.contact });
        let token = jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims, &self.signing)?;
        let key = PublicKey::from_sec1_bytes(p256dh)?;
        let auth: [u8; AUTH] = auth.try_into()?;
        let encrypted = web_push_native::encrypt(fitted(message, web_payload), &key, &auth.into())
            .map_err(|_| InternalError::new("cannot encrypt a push message"))?;
        Ok(Request::post(endpoint)
            .header("ttl", LIFETIME.as_secs())
            .header("urgency", "normal")
            .header("topic", &message.topic)
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONTENT_ENCODING, "aes128gcm")
            .header(AUTHORIZATION, format!("vapid t={token}, k={}", self.public_key))
            .body(encrypted)?)
    }
}

/// Returns whether the keys of a subscription are well-formed: a point on P-256, and 16 bytes.
pub fn is_valid(p256dh: &[u8], auth: &[u8]) -> bool {
    PublicKey::from_sec1_bytes(p256dh).is_ok() && auth.len() == AUTH
}
