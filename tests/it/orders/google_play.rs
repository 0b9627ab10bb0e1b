//! Purchases on Google Play and the notifications about them, against a fake of its API.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::http::HeaderMap;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use lyceum::config::Config;
use lyceum::platform::clock::Clock;
use lyceum::platform::payments::google_play::{
    About, GooglePlay, Notification, Purchase, PurchaseState, Subscription, SubscriptionState,
};
use lyceum::platform::payments::{GatewayError, Unverified};

use super::fakes::{self, Call, Fault, Wire};
use super::*;
use crate::support::app::start;

const PACKAGE: &str = "example.school.app";
const AUDIENCE: &str = "https://api.school.example/webhooks/google-play";
const PUSHER: &str = "pubsub@school.iam.gserviceaccount.com";
/// Of the service account, and of Google's tokens.
const KEY: &str = include_str!("fakes/paypal/key.pem");

struct Play {
    client: GooglePlay,
    wire: Arc<Wire>,
    /// What Google answers about a purchase, by the end of the path.
    purchases: Arc<Mutex<BTreeMap<String, Value>>>,
    clock: Clock,
}

impl Play {
    async fn start() -> Play {
        let (wire, purchases) = (Arc::new(Wire::default()), Arc::new(Mutex::new(BTreeMap::new())));
        let shared = purchases.clone();
        let url = fakes::start(wire.clone(), move |call| answer(&shared, call)).await;
        let account = json!({
            "type": "service_account",
            "project_id": "school",
            "client_email": "play@school.iam.gserviceaccount.com",
            "private_key": KEY,
            "token_uri": format!("{url}/token"),
        });
        let keys = format!("{url}/certs");
        let vars = [
            ("LYCEUM_GOOGLE_PLAY_CREDENTIALS", account.to_string()),
            ("LYCEUM_GOOGLE_PLAY_PACKAGE", PACKAGE.into()),
            ("LYCEUM_GOOGLE_PLAY_PUSH_AUDIENCE", AUDIENCE.into()),
            ("LYCEUM_GOOGLE_PLAY_PUSH_ACCOUNT", PUSHER.into()),
            ("LYCEUM_GOOGLE_PLAY_URL", url),
            ("LYCEUM_GOOGLE_KEYS_URL", keys),
        ];
        let config = Config::from_vars(vars.map(|(name, value)| (name.to_owned(), value)).into()).unwrap();
        let (settings, clock) = (config.payments.gateways.google_play.unwrap(), Clock::manual(start()));
        Play { client: GooglePlay::new(settings, clock.clone()).unwrap(), wire, purchases, clock }
    }

    fn set(&self, path: &str, answer: Value) {
        self.purchases.lock().unwrap().insert(path.into(), answer);
    }

    async fn subscription(&self, token: &str) -> Option<Subscription> {
        self.client.read_subscription(token).await.unwrap()
    }

    async fn verify(&self, token: &str, body: &Value) -> Result<Notification, Unverified> {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        self.client.verify(&headers, body.to_string().as_bytes()).await
    }

    fn claims(&self) -> Value {
        let now = self.clock.now().timestamp();
        json!({
            "iss": "https://accounts.google.com",
            "aud": AUDIENCE,
            "email": PUSHER,
            "email_verified": true,
            "iat": now,
            "exp": now + 3600,
            "sub": "117",
        })
    }
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
    let path = call.path.strip_prefix(&prefix).unwrap();
    let mut purchases = purchases.lock().unwrap();
    if let Some(path) = path.strip_suffix(":acknowledge") {
        let token = path.rsplit('/').next().unwrap();
        let known = purchases.iter_mut().find(|(path, _)| path.ends_with(token));
        let Some((_, purchase)) = known else { return (404, Value::Null) };
        purchase["acknowledgementState"] = match purchase["acknowledgementState"].is_string() {
            true => "ACKNOWLEDGEMENT_STATE_ACKNOWLEDGED".into(),
            false => 1.into(),
        };
        return (204, Value::String(String::new()));
    }
    match purchases.get(path) {
        Some(purchase) => (200, purchase.clone()),
        None => (404, json!({ "error": { "code": 404, "message": "Not found.", "status": "NOT_FOUND" } })),
    }
}

fn sign(claims: &Value, key_id: &str) -> String {
    let header = Header { kid: Some(key_id.into()), ..Header::new(Algorithm::RS256) };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_rsa_pem(KEY.as_bytes()).unwrap()).unwrap()
}

/// A message of Pub/Sub.
fn push(mut told: Value, package: &str) -> Value {
    told["version"] = "1.0".into();
    told["packageName"] = package.into();
    told["eventTimeMillis"] = "1700000000000".into();
    let data = BASE64_STANDARD.encode(told.to_string());
    json!({
        "message": { "data": data, "messageId": "136969346945", "publishTime": "2026-11-20T09:00:00Z" },
        "subscription": "projects/school/subscriptions/play",
    })
}

fn active() -> Value {
    json!({
        "kind": "androidpublisher#subscriptionPurchaseV2",
        "startTime": "2026-11-01T00:00:00Z",
        "regionCode": "IN",
        "subscriptionState": "SUBSCRIPTION_STATE_ACTIVE",
        "acknowledgementState": "ACKNOWLEDGEMENT_STATE_PENDING",
        "linkedPurchaseToken": "old-token",
        "externalAccountIdentifiers": { "obfuscatedExternalAccountId": "user_1" },
        "lineItems": [{
            "productId": "basic",
            "expiryTime": "2026-12-01T00:00:00.5Z",
            "autoRenewingPlan": { "autoRenewEnabled": true },
            "offerDetails": { "basePlanId": "monthly", "offerTags": [] },
            "latestSuccessfulOrderId": "GPA.3333-4444-5555-66666",
        }],
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_is_read_by_its_token_and_acknowledged() {
    let play = Play::start().await;
    let path = "subscriptionsv2/tokens/token-1";
    play.set(path, active());
    // Busy, then away: within the same call.
    play.wire.fail(path, Fault::Refused(429));
    play.wire.fail(path, Fault::Refused(503));
    let expires_at: DateTime<Utc> = "2026-12-01T00:00:00.5Z".parse().unwrap();
    let read = play.subscription("token-1").await.unwrap();
    let expected = Subscription {
        state: SubscriptionState::Active,
        product: "basic".into(),
        base_plan: Some("monthly".into()),
        order: Some("GPA.3333-4444-5555-66666".into()),
        expires_at: Some(expires_at),
        renews: true,
        linked_token: Some("old-token".into()),
        is_acknowledged: false,
        app_account: Some("user_1".into()),
        is_test: false,
    };
    assert_eq!(read, expected);
    for _ in 0..2 {
        play.client.acknowledge_subscription("basic", "token-1").await.unwrap();
    }
    assert!(play.subscription("token-1").await.unwrap().is_acknowledged);
    for (state, expected) in [
        ("PENDING", SubscriptionState::Pending),
        ("PAUSED", SubscriptionState::Paused),
        ("IN_GRACE_PERIOD", SubscriptionState::InGracePeriod),
        ("ON_HOLD", SubscriptionState::OnHold),
        ("CANCELED", SubscriptionState::Canceled),
        ("EXPIRED", SubscriptionState::Expired),
        ("PENDING_PURCHASE_CANCELED", SubscriptionState::PendingCanceled),
        ("SOMETHING_NEW", SubscriptionState::Unknown),
    ] {
        let mut purchase = active();
        purchase["subscriptionState"] = format!("SUBSCRIPTION_STATE_{state}").into();
        purchase["testPurchase"] = json!({});
        play.set(path, purchase);
        let read = play.subscription("token-1").await.unwrap();
        assert_eq!((read.state, read.is_test), (expected, true), "{state}");
    }
    assert_eq!(play.wire.count("/token "), 0);
    assert_eq!(play.wire.count("POST /token"), 1, "one access token for all");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_purchase_is_not_found_and_what_is_away_is_told_apart() {
    let play = Play::start().await;
    for nothing in ["unknown", "", "..", "a/b", "a?b", "a%2fb", &"x".repeat(1001)] {
        assert_eq!(play.subscription(nothing).await, None, "{nothing}");
        assert_eq!(play.client.read_purchase("book", nothing).await.unwrap(), None, "{nothing}");
    }
    assert_eq!(play.wire.count("GET"), 2, "only what may be a token is asked about");
    let refused = play.client.acknowledge_purchase("book", "unknown").await;
    assert!(matches!(refused, Err(GatewayError::Refused(_))), "{refused:?}");
    for _ in 0..3 {
        play.wire.fail("GET", Fault::Refused(500));
    }
    let away = play.client.read_subscription("token-1").await;
    assert!(matches!(away, Err(GatewayError::Failed(_))), "{away:?}");

    let path = "products/book/tokens/token-2";
    for (state, expected) in [(0, PurchaseState::Purchased), (1, PurchaseState::Canceled), (2, PurchaseState::Pending)]
    {
        play.set(path, json!({ "purchaseState": state, "acknowledgementState": 0, "orderId": "GPA.1" }));
        let read = play.client.read_purchase("book", "token-2").await.unwrap().unwrap();
        let order = Some("GPA.1".into());
        assert_eq!(read, Purchase { state: expected, order, is_acknowledged: false, app_account: None });
    }
    play.client.acknowledge_purchase("book", "token-2").await.unwrap();
    assert!(play.client.read_purchase("book", "token-2").await.unwrap().unwrap().is_acknowledged);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_our_subscription_of_pubsub_is_believed() {
    let play = Play::start().await;
    let token = |name: &str| json!({ name: { "purchaseToken": "token-1", "notificationType": 2, "sku": "book" } });
    let good = sign(&play.claims(), "key1");
    for (told, about) in [
        (token("subscriptionNotification"), About::Subscription("token-1".into())),
        (token("oneTimeProductNotification"), About::Purchase("token-1".into(), "book".into())),
        (token("voidedPurchaseNotification"), About::Voided("token-1".into())),
        (json!({ "testNotification": { "version": "1.0" } }), About::Test),
    ] {
        let read = play.verify(&good, &push(told, PACKAGE)).await;
        assert_eq!(read, Ok(Notification { id: "136969346945".into(), about }));
    }
    let body = push(token("subscriptionNotification"), PACKAGE);
    let changed = |name: &str, value: Value| {
        let mut claims = play.claims();
        claims[name] = value;
        sign(&claims, "key1")
    };
    let without = |name: &str| {
        let mut claims = play.claims();
        claims.as_object_mut().unwrap().remove(name);
        sign(&claims, "key1")
    };
    for (what, token) in [
        ("another audience", changed("aud", json!("https://evil.example"))),
        ("no audience", without("aud")),
        ("another issuer", changed("iss", json!("https://evil.example"))),
        ("no issuer", without("iss")),
        ("another account", changed("email", json!("evil@example.org"))),
        ("an address that is not verified", changed("email_verified", json!(false))),
        ("no end", without("exp")),
        ("a key that does not exist", sign(&play.claims(), "key2")),
        ("a part of a token", good[..good.len() - 5].to_owned()),
        ("no token", String::new()),
    ] {
        assert_eq!(play.verify(&token, &body).await, Err(Unverified::Forged), "{what}");
    }
    let unsigned = jsonwebtoken::encode(&Header::default(), &play.claims(), &EncodingKey::from_secret(b"x")).unwrap();
    assert_eq!(play.verify(&unsigned, &body).await, Err(Unverified::Forged), "another algorithm");
    for malformed in [push(token("subscriptionNotification"), "another.app"), json!({}), json!({ "message": 1 })] {
        assert_eq!(play.verify(&good, &malformed).await, Err(Unverified::Malformed), "{malformed}");
    }
    assert_eq!(play.wire.count("/certs"), 1, "also for keys that do not exist");
    play.clock.advance(TimeDelta::hours(2));
    assert_eq!(play.verify(&good, &body).await, Err(Unverified::Stale));
    // The keys are old by now, and away.
    play.clock.advance(TimeDelta::hours(2));
    for fault in [Fault::Refused(500), Fault::Refused(503)] {
        play.wire.fail("/certs", fault);
        assert_eq!(play.verify(&good, &body).await, Err(Unverified::Unavailable));
    }
}
