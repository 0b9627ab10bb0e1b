//! Refreshing while something else happens to the session. Whatever comes first: nobody is left with a token that
//! outlives what ended it.

use chrono::TimeDelta;
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use super::{Phone, SIGN_OUT, VIEWER, code, somebody, soon};
use crate::accounts::{PASSWORD, change_role};
use crate::support::{TestApp, cluster, rounds};

/// How often two requests race each other.
fn races() -> usize {
    rounds(12)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_and_a_sign_out_at_once_end_the_session() {
    let app = TestApp::start().await;
    let other = app.peer().await;
    somebody(&app, "ada").await;
    let mut refreshed = 0;
    for round in 0..races() {
        let mut phone = Phone::of(&app, "ada").await;
        let twin = phone.on(&other);
        let (payload, ended) = tokio::join!(
            twin.exchange(&twin.refresh),
            phone.ask(
                "signOut",
                SIGN_OUT,
                json!({ "input": { "sessions": if round % 2 == 0 { "CURRENT" } else { "ALL" } } })
            )
        );
        assert_eq!(ended["endedCount"], 1, "round {round}: {ended:#}");
        refreshed += usize::from(code(&payload).is_empty());
        phone.keep(payload);
        soon("both nodes", async || !phone.is_in().await && !phone.on(&other).is_in().await).await;
        assert_eq!(code(&phone.renew().await), "SESSION_OVER", "round {round}");
    }
    println!("the refresh came first in {refreshed} of {} rounds", races());
    assert_eq!(app.sql("SELECT count(*) FROM sessions WHERE ended_at IS NULL").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_and_a_new_role_at_once_leave_nobody_with_the_old_one() {
    let app = TestApp::start().await;
    let other = app.peer().await;
    let root = app.user("Root", Role::Admin).await;
    let id = somebody(&app, "ada").await;
    let mut phone = Phone::of(&app, "ada").await;
    for round in 0..races() {
        let role = if round % 2 == 0 { "INSTRUCTOR" } else { "STUDENT" };
        let twin = phone.on(&other);
        let (payload, _) = tokio::join!(twin.exchange(&twin.refresh), change_role(&app, Some(&root.token), &id, role));
        assert_eq!(code(&payload), "", "round {round}");
        let old = phone.clone();
        phone.keep(payload);
        soon("the old token", async || !old.is_in().await && !old.on(&other).is_in().await).await;
        // The new token has the new role or is refused; the next one has it for certain.
        let body = phone.send(VIEWER, json!({})).await;
        let refused = body["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED";
        assert!(refused || body["data"]["viewer"]["user"]["role"] == role, "round {round}: {body:#}");
        assert_eq!(code(&phone.renew().await), "", "round {round}");
        assert_eq!(phone.ask("viewer/user", VIEWER, json!({})).await["role"], role, "round {round}");
        let claims = phone.access.split('.').nth(1).unwrap();
        let claims = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, claims).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&claims).unwrap()["role"], role, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_that_is_being_committed_is_waited_for() {
    let app = TestApp::start().await;
    let id = somebody(&app, "ada").await;
    let (_, uuid) = lyceum::graphql::id::split(&id).unwrap();
    let schema = app.sql("SELECT current_schema()").await;
    let phone = Phone::of(&app, "ada").await;
    let mut newcomer = Phone::new(&app.url, "phone");
    let ban = cluster::connect(cluster::throwaway()).await;
    ban.batch_execute(&format!(
        "SET search_path = {schema}; BEGIN;
         UPDATE users SET banned_at = now(), ban_reason = 'spam' WHERE id = '{uuid}';
         UPDATE sessions SET ended_at = '{}', end_reason = 'revoked' WHERE user_id = '{uuid}'",
        app.app.clock.now()
    ))
    .await
    .unwrap();
    let (refresh, sign_in) = (phone.clone(), async move { newcomer.sign_in("ada@people.example", PASSWORD).await });
    let refresh = tokio::spawn(async move { refresh.exchange(&refresh.refresh).await });
    let sign_in = tokio::spawn(sign_in);
    let waiting = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
        AND cardinality(pg_blocking_pids(pid)) > 0 AND application_name = '{schema}'
        AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = pg_stat_activity.pid
            AND l.relation IN ('{schema}.users'::regclass, '{schema}.sessions'::regclass))"
    );
    crate::support::eventually("both wait", async || cluster::ask(cluster::throwaway(), &waiting).await == "2").await;
    ban.batch_execute("COMMIT").await.unwrap();
    assert_eq!(code(&refresh.await.unwrap()), "SESSION_OVER");
    assert_eq!(code(&sign_in.await.unwrap()), "BANNED");
    soon("the ban", async || !phone.is_in().await).await;
    assert_eq!(app.sql("SELECT count(*) FROM sessions WHERE ended_at IS NULL").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_gave_up_waiting_gets_its_answer_later() {
    let app = TestApp::start().await;
    somebody(&app, "ada").await;
    let mut phone = Phone::of(&app, "ada").await;
    let schema = app.sql("SELECT current_schema()").await;
    let gate = cluster::connect(cluster::throwaway()).await;
    gate.batch_execute(&format!("SET search_path = {schema}; BEGIN; SELECT * FROM sessions FOR UPDATE")).await.unwrap();
    // The connection breaks while the server is at work, twice.
    for _ in 0..2 {
        let waiting = phone.clone();
        let request = tokio::spawn(async move { waiting.exchange(&waiting.refresh).await });
        let blocked = format!(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid FROM pg_locks
            WHERE relation = '{schema}.sessions'::regclass)"
        );
        crate::support::eventually("it waits", async || cluster::ask(cluster::throwaway(), &blocked).await != "0")
            .await;
        request.abort();
    }
    gate.batch_execute("ROLLBACK").await.unwrap();
    // Whether or not the broken requests had their effect: the client asks until it is told.
    let mut payload = phone.renew().await;
    for _ in 0..5 {
        if code(&payload).is_empty() {
            break;
        }
        assert_eq!(code(&payload), "TRY_AGAIN", "{payload:#}");
        app.app.clock.advance(TimeDelta::seconds(1));
        payload = phone.renew().await;
    }
    assert_eq!(code(&payload), "");
    app.app.clock.advance(TimeDelta::minutes(1));
    assert_eq!(code(&phone.renew().await), "", "the session goes on");
    app.settle().await;
    assert_eq!(app.mails.lock().unwrap().len(), 0, "and nobody is warned");
}
