//! Firebase Cloud Messaging, HTTP v1: <https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send>.

use bytes::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{Request, Response, StatusCode};
use serde_json::{Value, json};

use super::{Failure, LIFETIME, Message, failure, fitted, unanswered};
use crate::config::push::FcmSettings;
use crate::platform::clock::Clock;
use crate::platform::fetch::Fetcher;
use crate::platform::google::Account;
use crate::platform::internal_error::{Context, InternalError};

const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
/// The client of one Firebase project.
pub(super) struct Fcm {
    settings: FcmSettings,
    account: Account,
    fetcher: Fetcher,
    clock: Clock,
}

impl Fcm {
    pub(super) fn new(settings: FcmSettings, fetcher: Fetcher, clock: Clock) -> Result<Fcm, InternalError> {
        let account = Account::new(&settings.account, SCOPE, clock.clone()).context("LYCEUM_FCM_CREDENTIALS")?;
        Ok(Fcm { settings, account, fetcher, clock })
    }

    pub(super) async fn send(&self, device: &str, message: &Message) -> Result<(), Failure> {
        let access = self.account.access(&self.fetcher).await.map_err(unanswered)?;
        let url = format!("{}/v1/projects/{}/messages:send", self.settings.url, self.settings.account.project_id);
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
                self.account.forget().await;
                Err(unanswered(InternalError::new("FCM rejects the access token")))
            }
            _ => Err(failure(&response, self.clock.now())),
        }
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
