//! Messages to devices, over HTTP to services that the tests start.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::Version;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use lyceum::config::Config;
use lyceum::platform::clock::Clock;
use lyceum::platform::push::{Failure, Message, Pusher, Target};
use serde_json::json;
use uuid::Uuid;
use web_push_native::p256::SecretKey;

use crate::support::app::{SECRET, start};
use crate::support::push_services::{Browser, PushServices, vapid};

fn message() -> Message {
    Message {
        id: Uuid::from_u128(7),
        title: "Neue Antwort".into(),
        body: "Von Ada.".repeat(1000),
        url: "https://school.example/open?id=question_01".into(),
        topic: "0192abcd".into(),
    }
}

fn pusher(services: &PushServices, clock: &Clock) -> Pusher {
    let vars: BTreeMap<String, String> =
        services.settings().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Pusher::new(&Config::from_vars(vars).unwrap(), SECRET, clock).unwrap()
}

fn later(result: Result<(), Failure>) -> Option<Duration> {
    match result {
        Err(Failure::Later(wait, _)) => wait,
        other => panic!("{other:?}"),
    }
}

fn is_gone(result: Result<(), Failure>) -> bool {
    matches!(result, Err(Failure::Gone))
}

#[test]
fn the_encryption_is_that_of_the_rfc() {
    // RFC 8291, section 5.
    let secret = BASE64_URL_SAFE_NO_PAD.decode("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94").unwrap();
    let auth: [u8; 16] = BASE64_URL_SAFE_NO_PAD.decode("BTBZMqHH6r4Tts7J_aSIgg").unwrap().try_into().unwrap();
    let body = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6\
        PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
    let body = BASE64_URL_SAFE_NO_PAD.decode(body).unwrap();
    let plain = web_push_native::decrypt(body, &SecretKey::from_slice(&secret).unwrap(), &auth.into()).unwrap();
    assert_eq!(plain, b"When I grow up, I want to be a watermelon");
}

#[tokio::test]
async fn a_browser_reads_what_only_it_can_read() {
    let services = PushServices::start().await;
    let (browser, other) = (Browser::new(&services, "one"), Browser::new(&services, "two"));
    let pusher = pusher(&services, &Clock::manual(start()));
    let target = Target::Web { endpoint: browser.endpoint.clone(), p256dh: browser.p256dh(), auth: browser.auth() };
    pusher.send(&target, &message()).await.unwrap();
    let [received] = &services.received()[..] else { panic!("one request") };
    let payload = browser.read(received);
    let expected = (&json!("Neue Antwort"), &json!(message().url), &json!(message().id), &json!("0192abcd"));
    assert_eq!((&payload["title"], &payload["url"], &payload["id"], &payload["tag"]), expected);
    assert!(message().body.starts_with(payload["body"].as_str().unwrap()));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| other.read(received))).is_err());
    assert_eq!((received.path.as_str(), received.header("ttl")), ("/push/one", "86400"));
    assert_eq!((received.header("urgency"), received.header("topic")), ("normal", "0192abcd"));
    let (claims, key) = vapid(received);
    assert_eq!(Some(&*key), pusher.web_key());
    let expires = (start() + TimeDelta::hours(12)).timestamp();
    assert_eq!(claims, json!({ "aud": services.url, "exp": expires, "sub": "mailto:no-reply@lyceum.example" }));

    services.answer([
        (410, vec![], json!({})),
        (404, vec![], json!({})),
        (429, vec![("retry-after", "120")], json!({})),
        (503, vec![], json!({})),
        (413, vec![], json!({})),
        (302, vec![("location", "/elsewhere")], json!({})),
    ]);
    assert!(is_gone(pusher.send(&target, &message()).await) && is_gone(pusher.send(&target, &message()).await));
    assert_eq!(later(pusher.send(&target, &message()).await), Some(Duration::from_secs(120)));
    assert_eq!(later(pusher.send(&target, &message()).await), None);
    for _ in 0..2 {
        assert!(matches!(pusher.send(&target, &message()).await, Err(Failure::Rejected(_))));
    }
    assert!(services.received().iter().all(|received| received.path == "/push/one"), "redirects are not followed");
}

#[tokio::test]
async fn fcm_gets_a_message_with_a_token_that_is_fetched_once() {
    let services = PushServices::start().await;
    let clock = Clock::manual(start());
    let pusher = pusher(&services, &clock);
    let (target, message) = (Target::Fcm("device-1".into()), message());
    let four = [(); 4].map(|()| pusher.send(&target, &message));
    futures_util::future::try_join_all(four).await.unwrap();
    let received = services.received();
    let tokens: Vec<_> = received.iter().filter(|received| received.path == "/token").collect();
    assert_eq!((tokens.len(), received.len()), (1, 5), "one fetches for all");
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(&tokens[0].body).into_owned().collect();
    assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let (_, claims) = services.fcm_key.claims(&form["assertion"]);
    let expected = json!({
        "iss": "push@school.example",
        "scope": "https://www.googleapis.com/auth/firebase.messaging",
        "aud": format!("{}/token", services.url),
        "iat": start().timestamp(),
        "exp": (start() + TimeDelta::hours(1)).timestamp(),
    });
    assert_eq!(claims, expected);
    let sent = received.iter().find(|received| received.path == "/v1/projects/school/messages:send").unwrap();
    assert_eq!(sent.header("authorization"), "Bearer ya29.token");
    let sent = sent.json();
    assert_eq!((&sent["message"]["token"], &sent["message"]["data"]["url"]), (&json!("device-1"), &json!(message.url)));
    assert_eq!(sent["message"]["notification"]["title"], "Neue Antwort");
    assert_eq!(sent["message"]["android"], json!({ "ttl": "86400s", "collapse_key": "0192abcd" }));

    let error = |code: &str| json!({ "error": { "details": [{ "errorCode": code }] } });
    services.answer([
        (404, vec![], error("UNREGISTERED")),
        (403, vec![], error("SENDER_ID_MISMATCH")),
        (429, vec![("retry-after", "60")], error("QUOTA_EXCEEDED")),
        (400, vec![], error("INVALID_ARGUMENT")),
        (401, vec![], json!({})),
    ]);
    assert!(is_gone(pusher.send(&target, &message).await) && is_gone(pusher.send(&target, &message).await));
    assert_eq!(later(pusher.send(&target, &message).await), Some(Duration::from_secs(60)));
    assert!(matches!(pusher.send(&target, &message).await, Err(Failure::Rejected(_))));
    assert_eq!(services.received().iter().filter(|received| received.path == "/token").count(), 0);
    later(pusher.send(&target, &message).await);
    pusher.send(&target, &message).await.unwrap();
    clock.advance(TimeDelta::minutes(56));
    pusher.send(&target, &message).await.unwrap();
    let fetched = services.received().iter().filter(|received| received.path == "/token").count();
    assert_eq!(fetched, 2, "after it was rejected, and before it expires");
}

#[tokio::test]
async fn apns_gets_a_message_over_http2_with_a_token_of_the_team() {
    let services = PushServices::start().await;
    let clock = Clock::manual(start());
    let pusher = pusher(&services, &clock);
    let (target, message) = (Target::Apns("00fc13adff785122".into()), message());
    pusher.send(&target, &message).await.unwrap();
    pusher.send(&target, &message).await.unwrap();
    clock.advance(TimeDelta::minutes(41));
    pusher.send(&target, &message).await.unwrap();
    let received = services.received();
    let sent = &received[0];
    assert_eq!((sent.version, sent.path.as_str()), (Version::HTTP_2, "/3/device/00fc13adff785122"));
    let token = |index: usize| received[index].header("authorization").strip_prefix("bearer ").unwrap();
    let (key, claims) = services.apns_key.claims(token(0));
    assert_eq!(
        (key.as_deref(), claims),
        (Some("KEY1234567"), json!({ "iss": "TEAM123456", "iat": start().timestamp() }))
    );
    assert_eq!(token(0), token(1));
    assert_ne!(token(0), token(2), "a new one before the hour is over");
    let expires = (start() + TimeDelta::days(1)).timestamp().to_string();
    for (name, value) in [
        ("apns-topic", "example.school.app"),
        ("apns-push-type", "alert"),
        ("apns-id", &message.id.to_string()),
        ("apns-collapse-id", "0192abcd"),
        ("apns-expiration", &expires),
    ] {
        assert_eq!(sent.header(name), value);
    }
    assert_eq!(sent.json()["aps"]["alert"]["title"], "Neue Antwort");

    services.answer([
        (410, vec![], json!({ "reason": "Unregistered" })),
        (400, vec![], json!({ "reason": "BadDeviceToken" })),
        (503, vec![("retry-after", "9")], json!({ "reason": "ServiceUnavailable" })),
        (403, vec![], json!({ "reason": "ExpiredProviderToken" })),
        (400, vec![], json!({ "reason": "PayloadEmpty" })),
    ]);
    assert!(is_gone(pusher.send(&target, &message).await) && is_gone(pusher.send(&target, &message).await));
    assert_eq!(later(pusher.send(&target, &message).await), Some(Duration::from_secs(9)));
    later(pusher.send(&target, &message).await);
    assert!(matches!(pusher.send(&target, &message).await, Err(Failure::Rejected(_))));
}

#[test]
fn what_is_not_configured_is_off_and_a_wrong_setting_is_a_problem() {
    let config = |vars: &[(&str, &str)]| {
        Config::from_vars(vars.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
    };
    let pusher = Pusher::new(&config(&[]).unwrap(), SECRET, &Clock::System).unwrap();
    assert!(!pusher.reaches(&Target::Fcm("x".into())) && !pusher.reaches(&Target::Apns("x".into())));
    let key = pusher.web_key().unwrap().to_owned();
    assert_eq!(Pusher::new(&config(&[]).unwrap(), SECRET, &Clock::System).unwrap().web_key(), Some(&*key));
    let private = BASE64_URL_SAFE_NO_PAD.encode([7; 32]);
    let own = Pusher::new(&config(&[("LYCEUM_VAPID_KEY", &private)]).unwrap(), SECRET, &Clock::System).unwrap();
    assert_ne!(own.web_key(), Some(&*key));
    for (name, value, expected) in [
        ("LYCEUM_VAPID_KEY", "short", "LYCEUM_VAPID_KEY is not a private key of 32 bytes"),
        ("LYCEUM_FCM_CREDENTIALS", "{}", "LYCEUM_FCM_CREDENTIALS is not the JSON of a service account"),
        ("LYCEUM_APNS_KEY", "x", "LYCEUM_APNS_TOPIC is required when LYCEUM_APNS_KEY is set"),
        ("LYCEUM_APNS_URL", "apple", "LYCEUM_APNS_URL is \"apple\"; it must be a URL that starts with"),
        ("LYCEUM_MAIL_HOOK_SECRET", "short", "LYCEUM_MAIL_HOOK_SECRET is too short: it has 5 of at least 20"),
    ] {
        let problems = config(&[(name, value)]).unwrap_err().join("\n");
        assert!(problems.contains(expected), "{problems}");
    }
}
