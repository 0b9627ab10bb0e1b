//! A fake of the API of Google Play, of Google's tokens and keys, and of what Pub/Sub pushes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::{Call, Wire, start};

pub(crate) const PACKAGE: &str = "example.school.app";
const AUDIENCE: &str = "https://api.school.example/webhooks/google-play";
const PUSHER: &str = "pubsub@school.iam.gserviceaccount.com";
/// Of the service account, and of Google's tokens.
const KEY: &str = include_str!("paypal/key.pem");

/// What Google answers about purchases, by token.
type Purchases = Arc<Mutex<BTreeMap<String, Value>>>;

pub(crate) struct PlayFake {
    pub(crate) wire: Arc<Wire>,
    purchases: Purchases,
    url: String,
    credentials: String,
    keys: String,
}

impl PlayFake {
    pub(crate) async fn start() -> PlayFake {
        let (wire, purchases) = (Arc::new(Wire::default()), Purchases::default());
        let shared = purchases.clone();
        let url = start(wire.clone(), move |call| answer(&shared, call)).await;
        let credentials = json!({
            "type": "service_account",
            "project_id": "school",
            "client_email": "play@school.iam.gserviceaccount.com",
            "private_key": KEY,
            "token_uri": format!("{url}/token"),
        });
        let keys = format!("{url}/certs");
        PlayFake { wire, purchases, url, credentials: credentials.to_string(), keys }
    }

    pub(crate) fn settings(&self) -> Vec<(&'static str, &str)> {
        vec![
            ("LYCEUM_GOOGLE_PLAY_CREDENTIALS", self.credentials.as_str()),
            ("LYCEUM_GOOGLE_PLAY_PACKAGE", PACKAGE),
            ("LYCEUM_GOOGLE_PLAY_PUSH_AUDIENCE", AUDIENCE),
            ("LYCEUM_GOOGLE_PLAY_PUSH_ACCOUNT", PUSHER),
            ("LYCEUM_GOOGLE_PLAY_URL", self.url.as_str()),
            ("LYCEUM_GOOGLE_KEYS_URL", self.keys.as_str()),
        ]
    }

    pub(crate) fn set(&self, token: &str, purchase: Value) {
        self.purchases.lock().unwrap().insert(token.into(), purchase);
    }

    pub(crate) fn change(&self, token: &str, change: impl FnOnce(&mut Value)) {
        change(self.purchases.lock().unwrap().get_mut(token).unwrap());
    }

    pub(crate) fn forget(&self, token: &str) {
        self.purchases.lock().unwrap().remove(token);
    }
}

/// The claims of a token of Pub/Sub.
pub(crate) fn claims(now: DateTime<Utc>) -> Value {
    json!({
        "iss": "https://accounts.google.com",
        "aud": AUDIENCE,
        "email": PUSHER,
        "email_verified": true,
        "iat": now.timestamp(),
        "exp": now.timestamp() + 3600,
        "sub": "117",
    })
}

pub(crate) fn sign(claims: &Value, key_id: &str) -> String {
    let header = Header { kid: Some(key_id.into()), ..Header::new(Algorithm::RS256) };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_rsa_pem(KEY.as_bytes()).unwrap()).unwrap()
}

/// A message of Pub/Sub.
pub(crate) fn push(mut told: Value, package: &str) -> Value {
    told["version"] = "1.0".into();
    told["packageName"] = package.into();
    told["eventTimeMillis"] = "1700000000000".into();
    let data = BASE64_STANDARD.encode(told.to_string());
    json!({
        "message": { "data": data, "messageId": "136969346945", "publishTime": "2026-11-20T09:00:00Z" },
        "subscription": "projects/school/subscriptions/play",
    })
}

/// A subscription that is paid and renews.
pub(crate) fn active(account: &str, base_plan: &str, expires_at: DateTime<Utc>) -> Value {
    json!({
        "kind": "androidpublisher#subscriptionPurchaseV2",
        "startTime": "2026-11-01T00:00:00Z",
        "regionCode": "IN",
        "subscriptionState": "SUBSCRIPTION_STATE_ACTIVE",
        "acknowledgementState": "ACKNOWLEDGEMENT_STATE_PENDING",
        "externalAccountIdentifiers": { "obfuscatedExternalAccountId": account },
        "lineItems": [{
            "productId": "basic",
            "expiryTime": expires_at.to_rfc3339(),
            "autoRenewingPlan": { "autoRenewEnabled": true },
            "offerDetails": { "basePlanId": base_plan, "offerTags": [] },
            "latestSuccessfulOrderId": "GPA.3333-4444-5555-66666",
        }],
    })
}

fn answer(purchases: &Mutex<BTreeMap<String, Value>>, call: &Call) -> (u16, Value) {
    if call.path == "/token" {
        assert!(!call.form()["assertion"].is_empty());
        return (200, json!({ "access_token": "ya29.Lyceum", "expires_in": 3599, "token_type": "Bearer" }));
    }
    if call.path == "/certs" {
        let key = EncodingKey::from_rsa_pem(KEY.as_bytes()).unwrap();
        let mut jwk = Jwk::from_encoding_key(&key, Algorithm::RS256).unwrap();
        jwk.common.key_id = Some("key1".into());
        return (200, json!({ "keys": [jwk] }));
    }
    assert_eq!(call.header("authorization"), "Bearer ya29.Lyceum");
    let prefix = format!("/androidpublisher/v3/applications/{PACKAGE}/purchases/");
    let path: Vec<&str> = call.path.strip_prefix(&prefix).unwrap().split('/').collect();
    let mut purchases = purchases.lock().unwrap();
    let missing = (404, json!({ "error": { "code": 404, "message": "Not found.", "status": "NOT_FOUND" } }));
    match (call.method.as_str(), path[..].split_at(path.len() - 1)) {
        ("GET", (["subscriptionsv2", "tokens"], [token])) => {
            purchases.get(*token).map_or(missing, |purchase| (200, purchase.clone()))
        }
        ("POST", (["subscriptions", product, "tokens"], [token])) => {
            let token = token.strip_suffix(":acknowledge").unwrap();
            let Some(purchase) = purchases.get_mut(token) else { return missing };
            if purchase["lineItems"][0]["productId"] != *product {
                return (400, Value::Null);
            }
            purchase["acknowledgementState"] = "ACKNOWLEDGEMENT_STATE_ACKNOWLEDGED".into();
            (204, Value::String(String::new()))
        }
        other => panic!("{other:?}"),
    }
}
