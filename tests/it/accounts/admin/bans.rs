//! Bans: who is shut out is out, everywhere and at once, and an administrator is always left.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use super::*;
use crate::support::app::code_of;
use crate::support::socket::{PATIENCE, Socket};

const REFRESH: &str = "mutation ($token: String!) { refreshSession(input: { refreshToken: $token }) {
    accessToken userErrors { code message } } }";
const ADMINS: &str = "SELECT count(*) FROM users WHERE role = 'ADMIN' AND banned_at IS NULL";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_banned_is_out_on_every_node_within_a_second() {
    let app = TestApp::start().await;
    let peer = app.peer().await;
    let root = app.user("Root", Role::Admin).await;
    let ada = person(&app, "Ada", Role::Student).await;
    let signed_in = sign_in(&app, "ada", PASSWORD).await;
    let token = signed_in["accessToken"].as_str().unwrap();
    let bob = app.user("Bob", Role::Student).await;
    let (here, there) = (Socket::connect(&app.url, Some(token)).await, Socket::connect(&peer.url, Some(token)).await);
    let mut others = Socket::connect(&peer.url, Some(&bob.token)).await;
    for node in [&app, &peer] {
        assert_eq!(node.data(Some(token), VIEWER, json!({})).await["viewer"]["user"]["id"], ada);
    }

    let banned = ban(&app, &root.token, &ada, Value::Null).await;
    let since = Instant::now();
    let expected = json!({ "reason": "Advertisements.", "startedAt": "2026-11-20T09:00:00+00:00", "endsAt": null });
    assert_eq!(banned["data"]["banUser"], json!({ "user": { "id": ada, "ban": expected }, "userErrors": [] }));
    let refused = app.send(Some(token), VIEWER, json!({})).await;
    assert_eq!(code(&refused), "UNAUTHENTICATED", "on this node at once: {refused:#}");
    loop {
        let begun = since.elapsed();
        let answer = peer.send(Some(token), VIEWER, json!({})).await;
        if code(&answer) == "UNAUTHENTICATED" {
            break;
        }
        assert!(begun < Duration::from_secs(1), "asked {begun:?} after the ban: {answer:#}");
    }
    for (node, socket) in [("here", here), ("there", there)] {
        let closed = tokio::time::timeout(PATIENCE, socket.closed()).await.unwrap();
        assert_eq!(closed.code, 4403, "{node}: {closed:?}");
    }
    others.subscribe("1", VIEWER, json!({})).await;
    assert_eq!(
        others.receive().await.unwrap()["payload"]["data"]["viewer"]["user"]["id"],
        bob.id,
        "nobody else is touched"
    );
    assert_eq!(peer.data(Some(&bob.token), VIEWER, json!({})).await["viewer"]["user"]["id"], bob.id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_banned_is_told_why_by_mail_and_when_they_come_back() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    let ada = person(&app, "Ada", Role::Student).await;
    let signed_in = sign_in(&app, "ada", PASSWORD).await;
    ban(&app, &root.token, &ada, json!("2026-12-01T12:00:00Z")).await;
    let sentence = "This account is banned until 2026-12-01 12:00 UTC: Advertisements.";
    let refresh = app.data(None, REFRESH, json!({ "token": signed_in["refreshToken"] })).await;
    let expected = json!({ "accessToken": null, "userErrors": [{ "code": "BANNED", "message": sentence }] });
    assert_eq!(refresh["refreshSession"], expected);
    let again = sign_in(&app, "ada", PASSWORD).await;
    assert_eq!(user_error(&again), ("BANNED", &json!([]), sentence));
    assert_eq!((&again["user"], &again["accessToken"]), (&Value::Null, &Value::Null));
    let guess = sign_in(&app, "ada", "wrong horse battery").await;
    assert_eq!(user_error(&guess).0, "WRONG_CREDENTIALS", "nobody else learns of the ban");

    assert!(app.mails.lock().unwrap().is_empty(), "no mail leaves inside the request");
    app.settle().await;
    app.settle().await;
    let mails = app.mails.lock().unwrap().clone();
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert_eq!(mails[0].to, "ada@people.example");
    for part in ["Advertisements.", "1 December 2026 at 12:00 UTC"] {
        assert!(mails[0].text.contains(part), "{}", mails[0].text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_ends_by_itself_or_is_lifted_and_old_sessions_stay_over() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    let ada = person(&app, "Ada", Role::Student).await;
    let before = sign_in(&app, "ada", PASSWORD).await;
    ban(&app, &root.token, &ada, json!("2026-11-20T09:10:00Z")).await;
    app.app.clock.advance(TimeDelta::minutes(10) - TimeDelta::microseconds(1));
    assert_eq!(user_error(&sign_in(&app, "ada", PASSWORD).await).0, "BANNED");
    app.app.clock.advance(TimeDelta::microseconds(1));
    assert!(sign_in(&app, "ada", PASSWORD).await["accessToken"].is_string());
    let node = "query ($id: ID!) { node(id: $id) { ... on User { ban { reason } } } }";
    let shown = app.data(Some(&root.token), node, json!({ "id": ada })).await;
    assert_eq!(shown["node"]["ban"], Value::Null, "it is over");
    let refused = app.data(None, REFRESH, json!({ "token": before["refreshToken"] })).await;
    assert_eq!(refused["refreshSession"]["userErrors"][0]["code"], "SESSION_OVER");

    ban(&app, &root.token, &ada, Value::Null).await;
    assert_eq!(user_error(&sign_in(&app, "ada", PASSWORD).await).0, "BANNED");
    for _ in 0..2 {
        let unbanned = app.data(Some(&root.token), UNBAN, json!({ "input": { "userId": ada } })).await;
        let expected = json!({ "user": { "id": ada, "ban": null }, "userErrors": [] });
        assert_eq!(unbanned["unbanUser"], expected, "the second time nothing changes");
    }
    assert!(sign_in(&app, "ada", PASSWORD).await["accessToken"].is_string());
    let lifted = app.sql("SELECT count(*) FROM audit_entries WHERE action = 'user_unbanned'").await;
    assert_eq!(lifted, "1", "only what happened is in the trail");
    app.settle().await;
    assert!(app.mails.lock().unwrap().is_empty(), "who is let in again before the mail went out is not frightened");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_ban_again_changes_nothing_and_other_terms_are_told() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    let ada = person(&app, "Ada", Role::Student).await;
    for until in ["2026-12-01T12:00:00.123456789Z", "2026-12-01T12:00:00.123456789Z", "2027-12-01T12:00:00Z"] {
        let body = ban(&app, &root.token, &ada, json!(until)).await;
        let since = &body["data"]["banUser"]["user"]["ban"]["startedAt"];
        assert_eq!(since, "2026-11-20T09:00:00+00:00", "it began with the first: {body:#}");
        app.app.clock.advance(TimeDelta::minutes(1));
    }
    app.settle().await;
    assert_eq!(app.mails.lock().unwrap().len(), 2, "one for each of the terms");
    assert_eq!(app.sql("SELECT count(*) FROM audit_entries WHERE action = 'user_banned'").await, "2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_is_wrong_with_a_ban_comes_at_once() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    app.user("Other", Role::Admin).await;
    let bob = app.user("Bob", Role::Student).await;
    let now = "2026-11-20T09:00:00Z";
    for (user, reason, until, expected) in [
        (&bob.id, " ".to_owned(), Value::Null, vec![("reason", "BLANK")]),
        (&bob.id, "x".repeat(501), Value::Null, vec![("reason", "TOO_LONG")]),
        (&bob.id, "a\0b".into(), json!(now), vec![("reason", "INVALID"), ("endsAt", "OUT_OF_RANGE")]),
        (&bob.id, "Spam".into(), json!("2026-11-20T09:00:00.000000999Z"), vec![("endsAt", "OUT_OF_RANGE")]),
        (&root.id, "Spam".into(), Value::Null, vec![("userId", "NOT_ALLOWED")]),
        (
            &root.id,
            String::new(),
            json!(now),
            vec![("userId", "NOT_ALLOWED"), ("reason", "BLANK"), ("endsAt", "OUT_OF_RANGE")],
        ),
    ] {
        let input = json!({ "userId": user, "reason": reason, "endsAt": until });
        let payload = app.data(Some(&root.token), BAN, json!({ "input": input })).await["banUser"].take();
        let errors = payload["userErrors"].as_array().unwrap();
        let found: Vec<(&str, &str)> =
            errors.iter().map(|error| (error["field"][0].as_str().unwrap(), error["code"].as_str().unwrap())).collect();
        assert_eq!((&payload["user"], found), (&Value::Null, expected), "{payload:#}");
    }
    let nobody = ban(&app, &root.token, "user_01h455vb4pex5vsknk084sn02q", Value::Null).await;
    assert_eq!(code_of(&nobody), "NOT_FOUND", "{nobody:#}");
    assert_eq!(app.sql("SELECT count(*) FROM users WHERE banned_at IS NOT NULL").await, "0");
    let longest = json!({ "userId": bob.id, "reason": "ß".repeat(500) });
    let payload = app.data(Some(&root.token), BAN, json!({ "input": longest })).await;
    assert_eq!(payload["banUser"]["userErrors"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_administrators_who_ban_or_demote_each_other_at_once_leave_one() {
    let app = TestApp::start().await;
    for round in 0..12 {
        let one = app.user(&format!("One{round}"), Role::Admin).await;
        let two = app.user(&format!("Two{round}"), Role::Admin).await;
        let first = ban(&app, &one.token, &two.id, Value::Null);
        let (first, second) = if round % 2 == 0 {
            tokio::join!(first, ban(&app, &two.token, &one.id, Value::Null))
        } else {
            tokio::join!(first, change_role(&app, &two.token, &one.id, "STUDENT"))
        };
        assert_eq!(app.sql(ADMINS).await, "1", "round {round}: {first:#} {second:#}");
        let refused = [&first, &second].into_iter().filter(|body| !code(body).is_empty()).count();
        assert_eq!(refused, 1, "round {round}: {first:#} {second:#}");
        // The next round begins with nobody.
        app.sql("UPDATE users SET role = 'STUDENT'").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_banned_administrator_is_not_one_who_is_left() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    let other = app.user("Other", Role::Admin).await;
    ban(&app, &root.token, &other.id, json!("2026-11-20T09:10:00Z")).await;
    let last = change_role(&app, &root.token, &root.id, "STUDENT").await;
    assert_eq!(user_error(&last["data"]["changeUserRole"]).0, "NOT_ALLOWED", "{last:#}");
    let banned = change_role(&app, &root.token, &other.id, "STUDENT").await;
    assert_eq!(banned["data"]["changeUserRole"]["user"]["role"], "STUDENT", "the banned one may go: {banned:#}");
    change_role(&app, &root.token, &other.id, "ADMIN").await;
    app.app.clock.advance(TimeDelta::minutes(10));
    let may = change_role(&app, &root.token, &root.id, "STUDENT").await;
    assert_eq!(may["data"]["changeUserRole"]["user"]["role"], "STUDENT", "the ban is over: {may:#}");
    assert_eq!(app.sql("SELECT name FROM users WHERE role = 'ADMIN'").await, "Other");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_sign_in_slips_through_while_a_ban_is_on_its_way() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    for round in 0..4 {
        let name = format!("Ada{round}");
        let ada = person(&app, &name, Role::Student).await;
        let email = name.to_lowercase();
        let mut sign_ins: FuturesUnordered<_> = (0..4).map(|_| sign_in(&app, &email, PASSWORD)).collect();
        // Two passwords are checked at a time: the ban comes in between.
        let mut signed_in = vec![sign_ins.next().await.unwrap()];
        let (_, rest) = tokio::join!(ban(&app, &root.token, &ada, Value::Null), sign_ins.collect::<Vec<_>>());
        signed_in.extend(rest);
        assert!(signed_in[0]["accessToken"].is_string(), "round {round}: {signed_in:?}");
        let live = "SELECT count(*) FROM sessions JOIN users ON users.id = user_id
            WHERE ended_at IS NULL AND banned_at IS NOT NULL";
        assert_eq!(app.sql(live).await, "0", "round {round}");
        for payload in signed_in.iter().filter(|payload| payload["accessToken"].is_string()) {
            let answer = app.send(payload["accessToken"].as_str(), VIEWER, json!({})).await;
            assert_eq!(code(&answer), "UNAUTHENTICATED", "round {round}: {answer:#}");
        }
    }
}
