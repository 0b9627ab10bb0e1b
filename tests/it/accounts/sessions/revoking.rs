//! The list of one's sessions, and ending them.

use chrono::TimeDelta;
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use super::{Phone, REVOKE, SESSIONS, SIGN_OUT, VIEWER, code, somebody, soon, warm};
use crate::accounts::{PASSWORD, change_role};
use crate::support::TestApp;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
    Version/17.5 Mobile/15E148 Safari/604.1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_sees_where_they_are_signed_in() {
    let app = TestApp::with(&[("LYCEUM_PROXIES", "1"), ("LYCEUM_SESSION_DAYS", "10")]).await;
    somebody(&app, "ada").await;
    somebody(&app, "eve").await;
    let mut laptop = Phone::new(&app.url, FIREFOX);
    laptop.forwarded = Some("6.6.6.6, 192.0.2.7".into());
    laptop.sign_in("ada@people.example", PASSWORD).await;
    app.app.clock.advance(TimeDelta::minutes(1));
    let mut mobile = Phone::new(&app.url, IPHONE);
    mobile.forwarded = Some("2001:db8::7".into());
    mobile.sign_in("ada@people.example", PASSWORD).await;
    Phone::of(&app, "eve").await;
    app.app.clock.advance(TimeDelta::minutes(1));
    // The laptop is in a train.
    laptop.forwarded = Some("198.51.100.20:4711".into());
    laptop.renew().await;
    let own = laptop.session().await;
    let sessions = laptop.ask("viewer/sessions", SESSIONS, json!({})).await;
    let expected = json!([
        { "id": own, "device": { "name": "Firefox on Linux", "browser": "Firefox", "os": "Linux" },
          "ip": "198.51.100.20", "createdAt": "2026-11-20T09:00:00+00:00", "lastUsedAt": "2026-11-20T09:02:00+00:00",
          "expiresAt": "2026-11-30T09:02:00+00:00", "isCurrent": true },
        { "id": mobile.session().await, "device": { "name": "Safari on iPhone", "browser": "Safari", "os": "iPhone" },
          "ip": "2001:db8::7", "createdAt": "2026-11-20T09:01:00+00:00", "lastUsedAt": "2026-11-20T09:01:00+00:00",
          "expiresAt": "2026-11-30T09:01:00+00:00", "isCurrent": false },
    ]);
    assert_eq!((&sessions["nodes"], &sessions["totalCount"]), (&expected, &json!(2)), "{sessions:#}");
    let nobody = laptop.send_as(None, SESSIONS, json!({})).await;
    assert_eq!(nobody["data"], json!({ "viewer": null }), "{nobody:#}");
    // Sessions that are over are not listed.
    mobile.ask("signOut", SIGN_OUT, json!({ "input": {} })).await;
    assert_eq!(laptop.ask("viewer/sessions", SESSIONS, json!({})).await["totalCount"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_session_the_others_or_all_are_ended_everywhere() {
    let app = TestApp::start().await;
    let other = app.peer().await;
    let id = somebody(&app, "ada").await;
    somebody(&app, "eve").await;
    let eve = Phone::of(&app, "eve").await;
    let (one, mut two, three) =
        (Phone::of(&app, "ada").await, Phone::of(&app, "ada").await, Phone::of(&app, "ada").await);
    warm(&other).await;

    // Nobody else's, and nothing that is over or never was.
    for session in [eve.session().await, "session_01h455vb4pex5vsknk084sn02q".into()] {
        let payload = one.ask("revokeSession", REVOKE, json!({ "input": { "sessionId": session } })).await;
        let error = json!([{ "code": "NOT_FOUND", "field": ["sessionId"] }]);
        assert_eq!(payload, json!({ "sessionId": null, "userErrors": error }));
    }
    assert!(eve.is_in().await);
    let second = two.session().await;
    let revoke = json!({ "input": { "sessionId": second } });
    let payload = one.ask("revokeSession", REVOKE, revoke.clone()).await;
    assert_eq!(payload, json!({ "sessionId": second, "userErrors": [] }));
    assert!(!two.is_in().await, "on this node at once");
    soon("another node", async || !two.on(&other).is_in().await).await;
    assert_eq!(code(&two.renew().await), "SESSION_OVER");
    assert_eq!(code(&one.ask("revokeSession", REVOKE, revoke).await), "NOT_FOUND", "once");
    assert!(one.is_in().await && three.on(&other).is_in().await);

    let four = Phone::of(&app, "ada").await;
    let others = json!({ "input": { "sessions": "OTHERS" } });
    assert_eq!(one.on(&other).ask("signOut", SIGN_OUT, others).await["endedCount"], 2);
    soon("others", async || !three.is_in().await && !four.is_in().await).await;
    assert!(one.is_in().await && one.on(&other).is_in().await);

    let five = Phone::of(&app, "ada").await;
    assert_eq!(one.ask("signOut", SIGN_OUT, json!({ "input": { "sessions": "ALL" } })).await["endedCount"], 2);
    soon("all", async || !one.on(&other).is_in().await && !five.on(&other).is_in().await).await;
    let refused = one.send(SIGN_OUT, json!({ "input": {} })).await;
    assert_eq!(refused["data"]["signOut"]["userErrors"][0]["code"], "BLANK", "{refused:#}");
    assert!(eve.is_in().await && eve.on(&other).is_in().await);

    let trail = "SELECT string_agg(details->>'reason' || ' ' || jsonb_array_length(details->'sessionIds'), ', '
        ORDER BY at, id) FROM audit_entries WHERE action = 'sessions_ended'";
    assert_eq!(app.sql(trail).await, "revoked 1, revoked 2, signed_out 2", "an attempt that ends nothing is no entry");
    let (_, uuid) = lyceum::graphql::id::split(&id).unwrap();
    let owner = format!(
        "SELECT bool_and(actor_id = '{uuid}' AND subject_id = '{uuid}' AND ip = '127.0.0.1'
        AND user_agent = 'lyceum-phone/1.0') FROM audit_entries WHERE action = 'sessions_ended'"
    );
    assert_eq!(app.sql(&owner).await, "t");
    let ids = format!("SELECT count(*) FROM audit_entries WHERE details->'sessionIds' ? '{second}'");
    assert_eq!(app.sql(&ids).await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn authentication_costs_no_statement() {
    let app = TestApp::start().await;
    let other = app.peer().await;
    somebody(&app, "ada").await;
    let phone = Phone::of(&app, "ada").await;
    for node in [&app, &other] {
        warm(node).await;
        let here = phone.on(node);
        let requests = async || {
            for _ in 0..20 {
                here.send("{ __typename }", json!({})).await;
            }
            crate::support::socket::Socket::connect(&node.url, Some(&phone.access)).await;
        };
        assert_eq!(node.counted(requests).await.0, 0, "who asks is in the token");
        let viewer = async || {
            node.forget_rows();
            here.ask("viewer/user", VIEWER, json!({})).await
        };
        assert_eq!(node.counted(viewer).await.0, 1, "the counter counts: this reads the user");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_ends_access_everywhere_and_for_as_long_as_it_lasts() {
    let app = TestApp::start().await;
    let other = app.peer().await;
    let id = somebody(&app, "ada").await;
    let mut phone = Phone::of(&app, "ada").await;
    warm(&other).await;
    // What the administrators' command does: the user is marked and the sessions end, in one transaction.
    let (_, uuid) = lyceum::graphql::id::split(&id).unwrap();
    let now = app.app.clock.now();
    app.sql(&format!(
        "BEGIN; UPDATE users SET banned_at = '{now}', ban_reason = 'spam', banned_until = '{now}'::timestamptz + interval '1 day'
            WHERE id = '{uuid}';
         UPDATE sessions SET ended_at = '{now}', end_reason = 'banned' WHERE user_id = '{uuid}'; COMMIT"
    ))
    .await;
    soon("both nodes", async || !phone.is_in().await && !phone.on(&other).is_in().await).await;
    assert_eq!(code(&phone.renew().await), "BANNED", "and it is told why its session is over");
    let refused = phone.sign_in("ada@people.example", PASSWORD).await;
    assert_eq!((code(&refused), &refused["accessToken"]), ("BANNED", &Value::Null), "{refused:#}");
    let message = refused["userErrors"][0]["message"].as_str().unwrap();
    assert!(message.contains("spam") && message.contains("2026-11-21"), "{message}");
    let wrong = phone.sign_in("ada@people.example", "not her password").await;
    assert_eq!(code(&wrong), "WRONG_CREDENTIALS", "others are not told that she is banned");
    app.app.clock.advance(TimeDelta::days(1));
    assert_eq!(code(&phone.sign_in("ada@people.example", PASSWORD).await), "");
    assert!(phone.on(&other).is_in().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_alone_stops_a_session_from_being_refreshed() {
    let app = TestApp::start().await;
    let id = somebody(&app, "ada").await;
    let mut phone = Phone::of(&app, "ada").await;
    let (_, uuid) = lyceum::graphql::id::split(&id).unwrap();
    app.sql(&format!("UPDATE users SET banned_at = now(), ban_reason = 'spam' WHERE id = '{uuid}'")).await;
    assert_eq!(code(&phone.renew().await), "BANNED");
    app.sql(&format!("UPDATE users SET banned_at = NULL, ban_reason = NULL WHERE id = '{uuid}'")).await;
    assert_eq!(code(&phone.renew().await), "", "and the attempt has used nothing up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_role_is_refused_with_the_old_token_and_comes_with_a_refresh() {
    let app = TestApp::start().await;
    let other = app.peer().await;
    let root = app.user("Root", Role::Admin).await;
    let id = somebody(&app, "ada").await;
    let mut phone = Phone::of(&app, "ada").await;
    let session = phone.session().await;
    let socket = crate::support::socket::Socket::connect(&other.url, Some(&phone.access)).await;
    change_role(&app, Some(&root.token), &id, "INSTRUCTOR").await;
    assert!(!phone.is_in().await, "on this node at once");
    soon("another node", async || !phone.on(&other).is_in().await).await;
    assert_eq!(socket.closed().await.code, 4403);
    let payload = phone.on(&other).exchange(&phone.refresh).await;
    phone.keep(payload);
    for node in [&app, &other] {
        assert_eq!(
            phone.on(node).ask("viewer/user", VIEWER, json!({})).await,
            json!({ "id": id, "role": "INSTRUCTOR" })
        );
    }
    assert_eq!(phone.session().await, session, "the session goes on");
    let trail = "SELECT details->>'from' || ' ' || (details->>'to') FROM audit_entries WHERE action = 'role_changed'";
    assert_eq!(app.sql(trail).await, "STUDENT INSTRUCTOR");
}
