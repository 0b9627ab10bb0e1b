//! Push messages to devices, through the services of browsers (Web Push), Google (FCM) and Apple (APNs).

mod apns;
mod fcm;
mod web;

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use self::apns::Apns;
use self::fcm::Fcm;
use self::web::WebPush;
use super::clock::Clock;
use super::fetch::{Fetcher, retry_after};
use super::internal_error::InternalError;
use crate::config::Config;

pub use self::web::is_valid as is_valid_web_target;

/// The timeout of one call to a push service.
const CALL: Duration = Duration::from_secs(10);
/// The longest payload in bytes. Web Push encrypts it into at most 4096 bytes (RFC 8291, 4); FCM and APNs allow 4096.
const PAYLOAD: usize = 3900;
/// How long a service keeps a message for a device that is offline.
const LIFETIME: Duration = Duration::from_secs(86_400);
/// The longest time after which a service may want a message again.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Where a message is sent to: a device, or a browser on it.
#[derive(Clone, PartialEq, Eq)]
pub enum Target {
    /// A subscription of a browser (RFC 8030).
    Web {
        /// The URL of the push service for this subscription.
        endpoint: String,
        /// The browser's public key: an uncompressed point on P-256, 65 bytes.
        p256dh: Vec<u8>,
        /// The browser's secret, 16 bytes.
        auth: Vec<u8>,
    },
    /// A registration token of Firebase Cloud Messaging.
    Fcm(String),
    /// A device token of the Apple Push Notification service, in hexadecimal.
    Apns(String),
}

/// A message for a device.
#[derive(Clone, Debug)]
pub struct Message {
    /// Identifies the message; a repetition has the same id.
    pub id: Uuid,
    /// The title.
    pub title: String,
    /// The text, which is shortened if the message would be too long.
    pub body: String,
    /// The URL that a tap opens.
    pub url: String,
    /// Messages with the same topic replace each other while the device is offline. At most 32 characters of the
    /// URL-safe base64 alphabet (RFC 8030, 5.4).
    pub topic: String,
}

/// Why a message was not accepted.
#[derive(Debug)]
pub enum Failure {
    /// The subscription has ended: it should be deleted.
    Gone,
    /// The service is unavailable or has had too many messages: try again, after this time if it states one.
    Later(Option<Duration>, InternalError),
    /// The service rejects the message, now and later.
    Rejected(InternalError),
}

/// The clients of the push services.
pub struct Pusher {
    web: Option<WebPush>,
    fcm: Option<Fcm>,
    apns: Option<Apns>,
}

impl Pusher {
    /// Creates the clients of the configured services. In development, Web Push has a key that is derived from `secret`.
    ///
    /// # Errors
    /// A key is malformed, or no root certificates are installed on this machine.
    pub fn new(config: &Config, secret: &str, clock: &Clock) -> Result<Pusher, InternalError> {
        let settings = &config.push;
        let web = match WebPush::key(config, secret) {
            // Tests and development have push services on this machine; in production, no client may reach it.
            Some(key) => {
                let fetcher = Fetcher::to_named_by_clients(CALL, !config.is_production())?;
                Some(WebPush::new(&key, &config.mail_from, fetcher, clock.clone())?)
            }
            None => None,
        };
        let fcm = settings.fcm.clone().map(|fcm| Fcm::new(fcm, Fetcher::new(CALL)?, clock.clone())).transpose()?;
        let apns =
            settings.apns.clone().map(|apns| Apns::new(apns, Fetcher::http2(CALL)?, clock.clone())).transpose()?;
        Ok(Pusher { web, fcm, apns })
    }

    /// The public key for `PushManager.subscribe` of browsers, in base64url; `None` if Web Push is not configured.
    pub fn web_key(&self) -> Option<&str> {
        self.web.as_ref().map(WebPush::public_key)
    }

    /// Whether a browser's subscription may have this URL, as far as it tells without asking DNS: https and public.
    pub fn may_call(&self, url: &Url) -> bool {
        self.web.as_ref().is_some_and(|web| web.may_call(url))
    }

    /// Whether the service of this target is configured.
    pub fn reaches(&self, target: &Target) -> bool {
        match target {
            Target::Web { .. } => self.web.is_some(),
            Target::Fcm(_) => self.fcm.is_some(),
            Target::Apns(_) => self.apns.is_some(),
        }
    }

    /// Sends a message; returns when the service has accepted it.
    ///
    /// # Errors
    /// See [`Failure`]. After a timeout, the service may have accepted the message.
    pub async fn send(&self, target: &Target, message: &Message) -> Result<(), Failure> {
        let off = || Failure::Rejected(InternalError::new("the push service is not configured"));
        match target {
            Target::Web { endpoint, p256dh, auth } => {
                let web = self.web.as_ref().ok_or_else(off)?;
                web.send(endpoint, (p256dh, auth), message).await
            }
            Target::Fcm(token) => self.fcm.as_ref().ok_or_else(off)?.send(token, message).await,
            Target::Apns(token) => self.apns.as_ref().ok_or_else(off)?.send(token, message).await,
        }
    }
}

/// Builds a payload from a message whose text is shortened until the payload is short enough.
fn fitted(message: &Message, payload: impl Fn(&Message) -> Value) -> Vec<u8> {
    let mut message = message.clone();
    loop {
        let bytes = payload(&message).to_string().into_bytes();
        let characters = message.body.chars().count();
        if bytes.len() <= PAYLOAD || characters == 0 {
            return bytes;
        }
        message.body = message.body.chars().take(characters / 2).collect();
    }
}

/// The content of a message for a page's service worker.
fn web_payload(message: &Message) -> Value {
    let Message { id, title, body, url, topic } = message;
    json!({ "id": id, "title": title, "body": body, "url": url, "tag": topic })
}

/// Classifies a response that is not a success and that has no meaning of its own at the service.
fn failure(response: &Response<Bytes>, now: DateTime<Utc>) -> Failure {
    let status = response.status();
    let text: String = String::from_utf8_lossy(response.body()).chars().take(300).collect();
    let error = InternalError::new(format!("the push service answers {status}: {text}"));
    if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
        return Failure::Later(retry_after(response, now).map(|wait| wait.min(LONGEST_WAIT)), error);
    }
    Failure::Rejected(error)
}

/// The failure of a request that got no response.
fn unanswered(error: impl Into<InternalError>) -> Failure {
    Failure::Later(None, error.into())
}

#[cfg(test)]
mod tests {
    use hyper::header::RETRY_AFTER;

    use super::*;

    #[test]
    fn long_texts_are_shortened_and_waits_are_capped() {
        let body = "ä\u{1}".repeat(3000);
        let message = Message {
            id: Uuid::nil(),
            title: "Title".into(),
            body: body.clone(),
            url: "https://x.example".into(),
            topic: "t".into(),
        };
        let payload: Value = serde_json::from_slice(&fitted(&message, web_payload)).unwrap();
        let shown = payload["body"].as_str().unwrap();
        assert!(body.starts_with(shown) && shown.len() > 500 && payload.to_string().len() <= PAYLOAD);
        assert_eq!((&payload["title"], &payload["tag"]), (&json!("Title"), &json!("t")));

        let now = "2026-11-20T09:00:00Z".parse().unwrap();
        let after = |value: &str| {
            let response = Response::builder().status(429).header(RETRY_AFTER, value).body(Bytes::new()).unwrap();
            match failure(&response, now) {
                Failure::Later(wait, _) => wait.map(|wait| wait.as_secs()),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(after("7"), Some(7));
        assert_eq!(after("999999"), Some(3600));
        assert_eq!(after("Fri, 20 Nov 2026 09:01:00 GMT"), Some(60));
        assert_eq!(after("soon"), None);
        let denied = Response::builder().status(413).body(Bytes::new()).unwrap();
        assert!(matches!(failure(&denied, now), Failure::Rejected(_)));
    }
}
