//! Settings of push messages.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::check::base_url;
use super::reader::Reader;

/// The settings of push messages to devices.
#[derive(Clone, Debug)]
pub struct Push {
    /// The private key of Web Push, 32 bytes.
    pub vapid_key: Option<Vec<u8>>,
    /// Firebase Cloud Messaging; `None` to send no messages through it.
    pub fcm: Option<FcmSettings>,
    /// The Apple Push Notification service; `None` to send no messages through it.
    pub apns: Option<ApnsSettings>,
}

/// A Firebase project and the service account that sends its messages.
#[derive(Clone, Debug)]
pub struct FcmSettings {
    /// The service account.
    pub account: ServiceAccount,
    /// The base URL of the service, without a trailing slash.
    pub url: String,
}

/// An app of an Apple developer team, and a key of the team.
#[derive(Clone, Debug)]
pub struct ApnsSettings {
    /// The key, PEM.
    pub private_key: String,
    /// The id of the key.
    pub key_id: String,
    /// The id of the team.
    pub team_id: String,
    /// The id of the app.
    pub topic: String,
    /// The base URL of the service, without a trailing slash.
    pub url: String,
}

/// The file that Google offers for a service account.
#[derive(Clone, Debug, Deserialize)]
pub struct ServiceAccount {
    /// The id of its project.
    pub project_id: String,
    /// The account.
    pub client_email: String,
    /// Its key, PEM.
    pub private_key: String,
    /// The URL that exchanges a signed assertion for an access token.
    pub token_uri: String,
}

impl Push {
    pub(super) fn read(reader: &mut Reader) -> Push {
        let vapid_key = reader.text("LYCEUM_VAPID_KEY").map(|key| BASE64_URL_SAFE_NO_PAD.decode(key));
        let vapid_key = vapid_key.map(|key| key.ok().filter(|key| key.len() == 32));
        if vapid_key == Some(None) {
            reader.problem(
                "LYCEUM_VAPID_KEY is not a private key of 32 bytes in base64url, such as `npx web-push \
                 generate-vapid-keys` prints",
            );
        }
        Push { vapid_key: vapid_key.flatten(), fcm: fcm(reader), apns: apns(reader) }
    }
}

fn fcm(reader: &mut Reader) -> Option<FcmSettings> {
    let url = base_url(reader, "LYCEUM_FCM_URL");
    Some(FcmSettings { account: service_account(reader, "LYCEUM_FCM_CREDENTIALS")?, url })
}

/// Reads the file of a service account.
pub(super) fn service_account(reader: &mut Reader, name: &'static str) -> Option<ServiceAccount> {
    let account = serde_json::from_str(reader.text(name)?);
    if account.is_err() {
        reader.problem(format!("{name} is not the JSON of a service account; its value is not shown"));
    }
    account.ok()
}

fn apns(reader: &mut Reader) -> Option<ApnsSettings> {
    let url = base_url(reader, "LYCEUM_APNS_URL");
    // A line of `.env` or of a service's settings has no line breaks.
    let private_key = reader.text("LYCEUM_APNS_KEY")?.replace("\\n", "\n");
    let mut required = |name: &str| {
        let value = reader.text(name).unwrap_or_default().to_owned();
        if value.is_empty() {
            reader.problem(format!("{name} is required when LYCEUM_APNS_KEY is set"));
        }
        value
    };
    let (key_id, team_id) = (required("LYCEUM_APNS_KEY_ID"), required("LYCEUM_APNS_TEAM_ID"));
    Some(ApnsSettings { private_key, key_id, team_id, topic: required("LYCEUM_APNS_TOPIC"), url })
}
