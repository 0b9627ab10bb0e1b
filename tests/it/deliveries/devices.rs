//! Push messages to browsers and apps.

use chrono::TimeDelta;

use super::*;
use crate::support::app::code_of;
use crate::support::push_services::{Browser, PushServices, Received};

async fn with(services: &PushServices) -> TestApp {
    let settings = services.settings();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    TestApp::with(&settings).await
}

async fn register(app: &TestApp, user: &User, input: Value) -> String {
    let made = app.mutate(user, "registerPushSubscription", "pushSubscription { id }", input).await;
    made["pushSubscription"]["id"].as_str().unwrap().to_owned()
}

async fn listed(app: &TestApp, user: &User) -> Value {
    let query = "{ viewer { pushSubscriptions { totalCount nodes {
        id service isCurrent lastUsedAt device { name } } } } }";
    app.data(Some(&user.token), query, json!({})).await["viewer"]["pushSubscriptions"].take()
}

/// What the services got for messages since the last time, by path.
async fn pushed(app: &TestApp, services: &PushServices) -> Vec<Received> {
    work(app).await;
    let mut all = services.received();
    all.retain(|received| received.path != "/token");
    all.sort_by(|one, other| one.path.cmp(&other.path));
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_reaches_all_devices_of_its_readers() {
    let services = PushServices::start().await;
    let (room, id) = asked(with(&services).await).await;
    profile(&room.app, "Sam", "de", "UTC").await;
    let (browser, tims) = (Browser::new(&services, "sam"), Browser::new(&services, "tim"));
    let first = register(&room.app, &room.sam, browser.input()).await;
    assert_eq!(register(&room.app, &room.sam, browser.input()).await, first, "the same device");
    register(&room.app, &room.sam, json!({ "fcmToken": "device:1_a-b" })).await;
    register(&room.app, &room.sam, json!({ "apnsToken": "00FC13adff785122" })).await;
    register(&room.app, &room.tim, tims.input()).await;
    let key = room.app.data(None, "{ pushKey }", json!({})).await["pushKey"].take();
    assert_eq!(key.as_str(), room.app.app.pusher.web_key());
    let devices = listed(&room.app, &room.sam).await;
    let kinds: Vec<&str> =
        devices["nodes"].as_array().unwrap().iter().map(|device| device["service"].as_str().unwrap()).collect();
    assert_eq!((kinds, &devices["totalCount"]), (vec!["APNS", "FCM", "WEB"], &json!(3)));
    assert_eq!((&devices["nodes"][2]["isCurrent"], &devices["nodes"][2]["lastUsedAt"]), (&json!(true), &Value::Null));

    room.reply(&room.tim, &id, "So.").await;
    let received = pushed(&room.app, &services).await;
    let paths: Vec<&str> = received.iter().map(|received| received.path.as_str()).collect();
    assert_eq!(paths, ["/3/device/00FC13adff785122", "/push/sam", "/v1/projects/school/messages:send"], "not Tim");
    let message = browser.read(&received[1]);
    assert_eq!((&message["title"], &message["body"]), (&json!("Neue Antwort auf „How?“"), &json!("Von Tim.")));
    assert_eq!(message["url"], format!("http://127.0.0.1:8080/open?id={id}"));
    assert_eq!(message["tag"].as_str().unwrap(), received[1].header("topic"));
    assert_eq!(received[0].json()["aps"]["alert"]["title"], "Neue Antwort auf „How?“");
    assert_eq!(received[2].json()["message"]["token"], "device:1_a-b");
    assert_ne!(listed(&room.app, &room.sam).await["nodes"][2]["lastUsedAt"], Value::Null);

    settings(&room.app, &room.sam, preference("REPLY_RECEIVED", true, false)).await;
    room.reply(&room.tim, &id, "Or so.").await;
    assert!(pushed(&room.app, &services).await.is_empty(), "Sam wants none");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_is_gone_is_forgotten_and_a_busy_service_is_asked_again() {
    let services = PushServices::start().await;
    let (room, id) = asked(with(&services).await).await;
    register(&room.app, &room.sam, Browser::new(&services, "sam").input()).await;
    services.answer([(429, vec![("retry-after", "300")], json!({}))]);
    room.reply(&room.tim, &id, "So.").await;
    assert_eq!(pushed(&room.app, &services).await.len(), 1);
    room.app.app.clock.advance(TimeDelta::seconds(299));
    room.app.run("notifications.send").await;
    assert!(pushed(&room.app, &services).await.is_empty());
    room.app.app.clock.advance(TimeDelta::seconds(2));
    services.answer([(410, vec![], json!({}))]);
    room.app.run("notifications.send").await;
    assert_eq!(pushed(&room.app, &services).await.len(), 1);
    assert_eq!(listed(&room.app, &room.sam).await["nodes"], json!([]));
    room.reply(&room.tim, &id, "Or so.").await;
    assert!(pushed(&room.app, &services).await.is_empty());
    assert_eq!(room.app.sql("SELECT count(*) FROM push_subscriptions").await, "0");

    // A service that never recovers is given up.
    register(&room.app, &room.sam, Browser::new(&services, "new").input()).await;
    services.answer(std::iter::repeat_n((503, vec![], json!({})), 20));
    room.reply(&room.tim, &id, "Anyway.").await;
    let mut attempts = pushed(&room.app, &services).await.len();
    for _ in 0..12 {
        room.app.app.clock.advance(TimeDelta::minutes(61));
        room.app.run("notifications.send").await;
        attempts += pushed(&room.app, &services).await.len();
    }
    assert_eq!((attempts, &*count(&room.app, "FAILED").await), (10, "2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_that_was_removed_is_forgotten_and_what_was_sent_to_it_is_not() {
    let services = PushServices::start().await;
    let (room, id) = asked(with(&services).await).await;
    for (input, status, body) in [
        (json!({ "fcmToken": "one" }), 404, json!({ "error": { "details": [{ "errorCode": "UNREGISTERED" }] } })),
        (json!({ "apnsToken": "00fc13" }), 410, json!({ "reason": "Unregistered" })),
    ] {
        register(&room.app, &room.sam, input.clone()).await;
        room.reply(&room.tim, &id, "So.").await;
        assert_eq!(pushed(&room.app, &services).await.len(), 1, "{input}");
        // Of two that wait at once, the second is not sent after the first has told that the app is gone.
        services.answer([(status, vec![], body)]);
        for title in ["Why?", "When?"] {
            let question = room.ask(&room.sam, title).await;
            later(&room.app);
            room.reply(&room.tim, &question, "So.").await;
        }
        room.app.settle().await;
        room.app.settle().await;
        assert_eq!(listed(&room.app, &room.sam).await["totalCount"], 0, "{input}");
        pushed(&room.app, &services).await;
    }
    let push = "SELECT string_agg(status, ' ' ORDER BY status) FROM (SELECT DISTINCT status FROM notification_deliveries \
        WHERE channel = 'PUSH' AND push_subscription_id IS NULL) AS ended";
    assert!(room.app.sql(push).await.starts_with("FAILED SENT"), "they are in reports");
    assert_eq!(count(&room.app, "PENDING").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_ends_with_its_session() {
    let services = PushServices::start().await;
    let (room, id) = asked(with(&services).await).await;
    let device = register(&room.app, &room.sam, json!({ "fcmToken": "one" })).await;
    room.app.mutate(&room.sam, "signOut", "endedCount", json!({})).await;
    room.reply(&room.tim, &id, "So.").await;
    assert!(pushed(&room.app, &services).await.is_empty());
    assert_eq!(room.app.sql("SELECT count(*) FROM push_subscriptions").await, "0");

    // The user who signs in on the device next is told there, and the one before is not.
    let device_of_tim = register(&room.app, &room.tim, json!({ "fcmToken": "shared" })).await;
    let device_of_ada = register(&room.app, &room.ada, json!({ "fcmToken": "shared" })).await;
    assert_eq!(device_of_tim, device_of_ada);
    assert_eq!(listed(&room.app, &room.tim).await["totalCount"], 0);
    let node = "query ($id: ID!) { node(id: $id) { id } }";
    for (user, id, found) in
        [(&room.ada, &device_of_ada, true), (&room.tim, &device_of_ada, false), (&room.ada, &device, false)]
    {
        let data = room.app.data(Some(&user.token), node, json!({ "id": id })).await;
        assert_eq!(!data["node"].is_null(), found);
    }
    let input = json!({ "pushSubscriptionId": device_of_ada });
    let code = |payload: &Value| payload["userErrors"][0]["code"].clone();
    let stranger = room.app.payload(&room.tim, "deletePushSubscription", "pushSubscriptionId", input.clone()).await;
    assert_eq!(code(&stranger), "NOT_FOUND");
    room.app.mutate(&room.ada, "deletePushSubscription", "pushSubscriptionId", input).await;
    assert_eq!(listed(&room.app, &room.ada).await["totalCount"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_public_addresses_and_well_formed_keys_are_registered() {
    let services = PushServices::start().await;
    let room = Room::with(with(&services).await).await;
    let browser = Browser::new(&services, "sam");
    let changed = |field: &str, value: &str| {
        let mut input = browser.input();
        input["web"][field] = json!(value);
        input
    };
    for (input, field) in [
        (changed("endpoint", "https://10.0.0.1/push"), "endpoint"),
        (changed("endpoint", "https://[fd00::1]/push"), "endpoint"),
        (changed("endpoint", "https://169.254.169.254/latest/meta-data"), "endpoint"),
        (changed("endpoint", "http://push.example/1"), "endpoint"),
        (changed("endpoint", "ftp://push.example/1"), "endpoint"),
        (changed("endpoint", &format!("https://push.example/{}", "x".repeat(2000))), "endpoint"),
        (changed("p256dh", "BAAA"), "p256dh"),
        (changed("auth", "c2hvcnQ"), "p256dh"),
        (json!({ "fcmToken": "" }), "fcmToken"),
        (json!({ "fcmToken": "a/b" }), "fcmToken"),
        (json!({ "apnsToken": "xyz" }), "apnsToken"),
        (json!({ "apnsToken": "../1" }), "apnsToken"),
    ] {
        let payload = room.app.payload(&room.sam, "registerPushSubscription", "pushSubscription { id }", input).await;
        let path = payload["userErrors"][0]["field"].as_array().unwrap_or_else(|| panic!("{field}: {payload:#}"));
        assert_eq!(path.last().unwrap(), field, "{payload:#}");
    }
    for number in 0..21 {
        register(&room.app, &room.sam, json!({ "fcmToken": format!("device-{number}") })).await;
    }
    let all = listed(&room.app, &room.sam).await;
    assert_eq!((&all["totalCount"], all["nodes"].as_array().unwrap().len()), (&json!(20), 20));
    let query = "mutation { registerPushSubscription(input: { fcmToken: \"x\" }) { userErrors { code } } }";
    assert_eq!(code_of(&room.app.send(None, query, json!({})).await), "UNAUTHENTICATED");

    let app = TestApp::start().await;
    let sam = app.user("Sam", lyceum::platform::auth::Role::Student).await;
    let input = json!({ "fcmToken": "x" });
    let payload = app.payload(&sam, "registerPushSubscription", "pushSubscription { id }", input).await;
    assert_eq!(payload["userErrors"][0]["code"], "NOT_ALLOWED", "FCM is not configured: {payload:#}");
}
