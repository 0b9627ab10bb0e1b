//! The Apple Push Notification service with a provider token:
//! <https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns>.

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use hyper::header::AUTHORIZATION;
use hyper::{Request, Response, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{Failure, LIFETIME, Message, failure, fitted, unanswered};
use crate::config::push::ApnsSettings;
use crate::platform::clock::Clock;
use crate::platform::fetch::Fetcher;
use crate::platform::internal_error::{Context, InternalError};

/// How long a provider token is used. Apple wants a new one after 20 to 60 minutes.
const TOKEN_AGE: TimeDelta = TimeDelta::minutes(40);

/// The client of one app.
pub(super) struct Apns {
    settings: ApnsSettings,
    signing: EncodingKey,
    fetcher: Fetcher,
    clock: Clock,
    /// The provider token and when it was signed.
    token: Mutex<Option<(String, DateTime<Utc>)>>,
}

impl Apns {
    pub(super) fn new(settings: ApnsSettings, fetcher: Fetcher, clock: Clock) -> Result<Apns, InternalError> {
        let signing = EncodingKey::from_ec_pem(settings.private_key.as_bytes()).context("read LYCEUM_APNS_KEY")?;
        Ok(Apns { settings, signing, fetcher, clock, token: Mutex::default() })
    }

    pub(super) async fn send(&self, device: &str, message: &Message) -> Result<(), Failure> {
        let token = self.provider_token().await.map_err(Failure::Rejected)?;
        let expires = self.clock.now() + LIFETIME;
        let request = Request::post(format!("{}/3/device/{device}", self.settings.url))
            .header(AUTHORIZATION, format!("bearer {token}"))
            .header("apns-id", message.id.to_string())
            .header("apns-topic", &self.settings.topic)
            .header("apns-push-type", "alert")
            .header("apns-expiration", expires.timestamp())
            .header("apns-collapse-id", &message.topic)
            .body(fitted(message, payload))
            .map_err(|error| Failure::Rejected(error.into()))?;
        let response = self.fetcher.send(request).await.map_err(unanswered)?;
        match (response.status(), reason(&response).as_deref()) {
            (StatusCode::OK, _) => Ok(()),
            (StatusCode::GONE, _) | (_, Some("BadDeviceToken" | "DeviceTokenNotForTopic")) => Err(Failure::Gone),
            (_, Some("ExpiredProviderToken")) => {
                *self.token.lock().await = None;
                Err(unanswered(InternalError::new("APNs calls the provider token expired")))
            }
            _ => Err(failure(&response, self.clock.now())),
        }
    }

    async fn provider_token(&self) -> Result<String, InternalError> {
        let mut token = self.token.lock().await;
        let now = self.clock.now();
        if let Some((text, _)) = token.as_ref().filter(|(_, signed_at)| *signed_at + TOKEN_AGE > now) {
            return Ok(text.clone());
        }
        let header = Header { kid: Some(self.settings.key_id.clone()), ..Header::new(Algorithm::ES256) };
        let claims = json!({ "iss": self.settings.team_id, "iat": now.timestamp() });
        let text = jsonwebtoken::encode(&header, &claims, &self.signing)?;
        *token = Some((text.clone(), now));
        Ok(text)
    }
}

fn payload(message: &Message) -> Value {
    json!({
        "aps": {
            "alert": { "title": message.title, "body": message.body },
            "thread-id": message.topic,
            "sound": "default",
        },
        "id": message.id,
        "url": message.url,
    })
}

/// Returns the reason of an error response, such as `Unregistered`.
fn reason(response: &Response<Bytes>) -> Option<String> {
    let body: Value = serde_json::from_slice(response.body()).ok()?;
    Some(body.get("reason")?.as_str()?.to_owned())
}
