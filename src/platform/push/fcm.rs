//! Firebase Cloud Messaging, HTTP v1: <https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send>.

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{Request, Response, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::form_urlencoded;

use super::{Failure, LIFETIME, Message, failure, fitted, unanswered};
use crate::config::push::FcmSettings;
use crate::platform::clock::Clock;
use crate::platform::fetch::Fetcher;
use crate::platform::internal_error::{Context, InternalError};

const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
/// How long before its end a token is replaced.
const MARGIN: TimeDelta = TimeDelta::minutes(5);

/// The client of one Firebase project.
pub(super) struct Fcm {
    settings: FcmSettings,
    signing: EncodingKey,
    fetcher: Fetcher,
    clock: Clock,
    /// The access token. The lock is held while it is fetched, so that it is fetched once.
    token: Mutex<Option<AccessToken>>,
}

#[derive(Clone)]
struct AccessToken {
    text: String,
    expires_at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: i64,
}

impl Fcm {
    pub(super) fn new(settings: FcmSettings, fetcher: Fetcher, clock: Clock) -> Result<Fcm, InternalError> {
        let signing = EncodingKey::from_rsa_pem(settings.private_key.as_bytes())
            .context("read the private key of LYCEUM_FCM_CREDENTIALS")?;
        Ok(Fcm { settings, signing, fetcher, clock, token: Mutex::default() })
    }

    pub(super) async fn send(&self, device: &str, message: &Message) -> Result<(), Failure> {
        let access = self.access().await.map_err(unanswered)?;
        let url = format!("{}/v1/projects/{}/messages:send", self.settings.url, self.settings.project);
        let request = Request::post(url)
            .header(AUTHORIZATION, format!("Bearer {access}"))
            .header(CONTENT_TYPE, "application/json")
            .body(fitted(message, |message| payload(device, message)))
            .map_err(unanswered)?;
        let response = self.fetcher.send(request).await.map_err(unanswered)?;
        match response.status() {
            StatusCode::OK => Ok(()),
            // The app was removed from the device, or belongs to another project now.
            StatusCode::NOT_FOUND => Err(Failure::Gone),
            StatusCode::FORBIDDEN if code(&response).as_deref() == Some("SENDER_ID_MISMATCH") => Err(Failure::Gone),
            StatusCode::UNAUTHORIZED => {
                *self.token.lock().await = None;
                Err(unanswered(InternalError::new("FCM rejects the access token")))
            }
            _ => Err(failure(&response, self.clock.now())),
        }
    }

    /// Returns an access token (RFC 7523): <https://developers.google.com/identity/protocols/oauth2/service-account>.
    async fn access(&self) -> Result<String, InternalError> {
        let mut token = self.token.lock().await;
        let now = self.clock.now();
        if let Some(token) = token.as_ref().filter(|token| token.expires_at - MARGIN > now) {
            return Ok(token.text.clone());
        }
        let (issuer, audience) = (&self.settings.client_email, &self.settings.token_url);
        let (from, to) = (now.timestamp(), (now + TimeDelta::hours(1)).timestamp());
        let claims = json!({ "iss": issuer, "scope": SCOPE, "aud": audience, "iat": from, "exp": to });
        let assertion = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &self.signing)?;
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
            .append_pair("assertion", &assertion)
            .finish();
        let request = Request::post(audience).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form)?;
        let response = self.fetcher.send(request).await.context("ask Google for an access token")?;
        if response.status() != StatusCode::OK {
            return Err(InternalError::new(format!("Google gives no access token: {}", response.status())));
        }
        let granted: Granted = serde_json::from_slice(response.body()).context("read Google's access token")?;
        let expires_at = now + TimeDelta::seconds(granted.expires_in.clamp(0, 86_400));
        let text = granted.access_token;
        *token = Some(AccessToken { text: text.clone(), expires_at });
        Ok(text)
    }
}

fn payload(device: &str, message: &Message) -> Value {
    json!({ "message": {
        "token": device,
        "notification": { "title": message.title, "body": message.body },
        "data": { "id": message.id, "url": message.url },
        "android": { "ttl": format!("{}s", LIFETIME.as_secs()), "collapse_key": message.topic },
    } })
}

/// Returns the code of an error response, such as `UNREGISTERED`.
fn code(response: &Response<Bytes>) -> Option<String> {
    let body: Value = serde_json::from_slice(response.body()).ok()?;
    let details = body.pointer("/error/details")?.as_array()?;
    details.iter().find_map(|detail| Some(detail.get("errorCode")?.as_str()?.to_owned()))
}
