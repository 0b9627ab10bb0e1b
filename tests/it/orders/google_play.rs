//! The client of Google Play, against a fake of its API. What follows from purchases is in `memberships::play`.

use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use jsonwebtoken::{EncodingKey, Header};
use lyceum::config::Config;
use lyceum::platform::clock::Clock;
use lyceum::platform::payments::google_play::{GooglePlay, Notification, Subscription, SubscriptionState};
use lyceum::platform::payments::{GatewayError, Unverified};

use super::fakes::Fault;
use super::fakes::google_play::{PACKAGE, PlayFake, active, claims, push, sign};
use super::*;
use crate::support::app::start;

struct Play {
    client: GooglePlay,
    fake: PlayFake,
    clock: Clock,
}

impl Play {
    async fn start() -> Play {
        let fake = PlayFake::start().await;
        let vars = fake.settings().into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let config = Config::from_vars(vars).unwrap();
        let (settings, clock) = (config.payments.gateways.google_play.unwrap(), Clock::manual(start()));
        Play { client: GooglePlay::new(settings, clock.clone()).unwrap(), fake, clock }
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
        claims(self.clock.now())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_is_read_by_its_token_and_acknowledged() {
    let play = Play::start().await;
    let expires_at: DateTime<Utc> = "2026-12-01T00:00:00.5Z".parse().unwrap();
    let mut bought = active("user_1", "monthly", expires_at);
    bought["linkedPurchaseToken"] = "old-token".into();
    play.fake.set("token-1", bought.clone());
    // Busy, then away: within the same call.
    play.fake.wire.fail("tokens/token-1", Fault::Refused(429));
    play.fake.wire.fail("tokens/token-1", Fault::Refused(503));
    let read = play.subscription("token-1").await.unwrap();
    let expected = Subscription {
        state: SubscriptionState::Active,
        product: "basic".into(),
        base_plan: Some("monthly".into()),
        order: Some("GPA.3333-4444-5555-66666".into()),
        expires_at: Some(expires_at),
        country: Some("IN".into()),
        renews: true,
        linked_token: Some("old-token".into()),
        is_acknowledged: false,
        app_account: Some("user_1".into()),
        is_test: false,
    };
    assert_eq!(read, expected);
    for _ in 0..2 {
        play.client.acknowledge("basic", "token-1").await.unwrap();
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
        let mut purchase = bought.clone();
        purchase["subscriptionState"] = format!("SUBSCRIPTION_STATE_{state}").into();
        purchase["testPurchase"] = json!({});
        play.fake.set("token-1", purchase);
        let read = play.subscription("token-1").await.unwrap();
        assert_eq!((read.state, read.is_test), (expected, true), "{state}");
    }
    assert_eq!(play.fake.wire.count("/token "), 0);
    assert_eq!(play.fake.wire.count("POST /token"), 1, "one access token for all");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_purchase_is_not_found_and_what_is_away_is_told_apart() {
    let play = Play::start().await;
    for nothing in ["unknown", "", "..", "a/b", "a?b", "a%2fb", &"x".repeat(1001)] {
        assert_eq!(play.subscription(nothing).await, None, "{nothing}");
    }
    assert_eq!(play.fake.wire.count("GET"), 1, "only what may be a token is asked about");
    let refused = play.client.acknowledge("basic", "unknown").await;
    assert!(matches!(refused, Err(GatewayError::Refused(_))), "{refused:?}");
    for _ in 0..3 {
        play.fake.wire.fail("GET", Fault::Refused(500));
    }
    let away = play.client.read_subscription("token-1").await;
    assert!(matches!(away, Err(GatewayError::Failed(_))), "{away:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_our_subscription_of_pubsub_is_believed() {
    let play = Play::start().await;
    let token = |name: &str| json!({ name: { "purchaseToken": "token-1", "notificationType": 2, "sku": "book" } });
    let good = sign(&play.claims(), "key1");
    let of_type =
        |number: u32| json!({ "subscriptionNotification": { "purchaseToken": "token-1", "notificationType": number } });
    let voided = |product_type: u32| json!({ "voidedPurchaseNotification": { "purchaseToken": "token-1", "productType": product_type } });
    for (told, kind, about) in [
        (token("subscriptionNotification"), "subscription.renewed", Some("token-1")),
        (of_type(4), "subscription.purchased", Some("token-1")),
        (of_type(13), "subscription.expired", Some("token-1")),
        (of_type(999), "subscription.changed", Some("token-1")),
        (token("voidedPurchaseNotification"), "purchase.voided", Some("token-1")),
        (voided(1), "purchase.voided", Some("token-1")),
        (voided(2), "purchase.voided", None),
        (token("oneTimeProductNotification"), "product.changed", None),
        (json!({ "testNotification": { "version": "1.0" } }), "test", None),
        (json!({ "somethingNew": {} }), "other", None),
    ] {
        let read = play.verify(&good, &push(told, PACKAGE)).await;
        let expected = Notification { id: "136969346945".into(), kind: kind.into(), token: about.map(str::to_owned) };
        assert_eq!(read, Ok(expected));
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
    assert_eq!(play.fake.wire.count("/certs"), 1, "also for keys that do not exist");
    play.clock.advance(TimeDelta::hours(2));
    assert_eq!(play.verify(&good, &body).await, Err(Unverified::Stale));
    // The keys are old by now, and away.
    play.clock.advance(TimeDelta::hours(2));
    for fault in [Fault::Refused(500), Fault::Refused(503)] {
        play.fake.wire.fail("/certs", fault);
        assert_eq!(play.verify(&good, &body).await, Err(Unverified::Unavailable));
    }
}
