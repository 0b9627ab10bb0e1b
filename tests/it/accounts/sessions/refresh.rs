//! Refresh tokens: good once, with a grace for a lost answer, and a trap for thieves.

use std::collections::HashSet;

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Phone, address, code, somebody};
use crate::support::TestApp;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_goes_on_for_as_long_as_it_is_refreshed() {
    let app = TestApp::with(&[("LYCEUM_TOKEN_MINUTES", "10"), ("LYCEUM_SESSION_DAYS", "2")]).await;
    let id = somebody(&app, "ada").await;
    let mut phone = Phone::new(&app.url, "phone");
    let signed_in = phone.sign_in(&address("ada"), super::PASSWORD).await;
    assert_eq!(signed_in["expiresAt"], "2026-11-20T09:10:00+00:00");
    assert_eq!(signed_in["refreshExpiresAt"], "2026-11-22T09:00:00+00:00");
    let session = phone.session().await;
    let mut seen = HashSet::from([phone.access.clone(), phone.refresh.clone()]);
    for day in 1..=5 {
        app.app.clock.advance(TimeDelta::days(1));
        assert!(!phone.is_in().await, "the access token of yesterday");
        let payload = phone.renew().await;
        assert_eq!(payload["user"], json!({ "id": id, "role": "STUDENT" }), "{payload:#}");
        assert_eq!(payload["expiresAt"], format!("2026-11-2{day}T09:10:00+00:00"));
        assert_eq!(payload["refreshExpiresAt"], format!("2026-11-2{}T09:00:00+00:00", day + 2));
        assert!(phone.is_in().await);
        assert_eq!(phone.session().await, session, "it is the same session");
        assert!(seen.insert(phone.access.clone()) && seen.insert(phone.refresh.clone()), "tokens are never repeated");
    }
    app.app.clock.advance(TimeDelta::days(2));
    let payload = phone.renew().await;
    assert_eq!((code(&payload), &payload["accessToken"]), ("SESSION_OVER", &Value::Null), "nobody came for too long");
    app.settle().await;
    assert_eq!(app.mails.lock().unwrap().len(), 0, "an expired session is no theft");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_refreshes_at_once_one_succeeds_and_the_session_lives() {
    let app = TestApp::start().await;
    let other = app.peer().await;
    somebody(&app, "ada").await;
    for round in 0..3 {
        let mut phone = Phone::of(&app, "ada").await;
        let (here, there) = (phone.on(&app), phone.on(&other));
        let attempts = (0..50).map(|number| if number % 2 == 0 { &here } else { &there });
        let payloads = join_all(attempts.map(|phone| phone.exchange(&phone.refresh))).await;
        let (won, lost): (Vec<&Value>, Vec<&Value>) = payloads.iter().partition(|payload| code(payload).is_empty());
        assert_eq!((won.len(), lost.len()), (1, 49), "round {round}: {payloads:#?}");
        for payload in lost {
            assert_eq!(code(payload), "TRY_AGAIN", "{payload:#}");
            assert_eq!((&payload["accessToken"], &payload["refreshToken"]), (&Value::Null, &Value::Null));
        }
        phone.keep(won[0].clone());
        assert!(phone.is_in().await, "round {round}");
        app.app.clock.advance(TimeDelta::minutes(5));
        assert_eq!(code(&phone.renew().await), "", "round {round}: the winner's token is good");
    }
    app.settle().await;
    assert_eq!(app.mails.lock().unwrap().len(), 0, "nobody is warned of himself");
    assert_eq!(app.sql("SELECT count(*) FROM sessions WHERE ended_at IS NOT NULL").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_is_asked_for_again() {
    let app = TestApp::with(&[("LYCEUM_PROXIES", "1")]).await;
    let other = app.peer().await;
    somebody(&app, "ada").await;
    let mut phone = Phone::of(&app, "ada").await;
    let lost = phone.exchange(&phone.refresh).await;
    assert_eq!(code(&phone.renew().await), "TRY_AGAIN", "at once it might be a race of two tabs");
    app.app.clock.advance(TimeDelta::seconds(1));
    // The second answer is lost, too; the third, from another node, arrives at the end of the grace.
    let lost_again = phone.exchange(&phone.refresh).await;
    assert_eq!(code(&lost_again), "");
    app.app.clock.advance(TimeDelta::seconds(28));
    // The phone is in another network by now.
    let mut phone = phone.on(&other);
    phone.forwarded = Some("198.51.100.9".into());
    assert_eq!(code(&phone.renew().await), "");
    for answer in [&lost, &lost_again] {
        assert_eq!(answer["refreshToken"], *phone.refresh, "it is told the same again");
    }
    assert!(phone.is_in().await && phone.on(&app).is_in().await);
    app.app.clock.advance(TimeDelta::minutes(5));
    assert_eq!(code(&phone.renew().await), "", "and the session goes on");
    app.settle().await;
    assert_eq!(app.mails.lock().unwrap().len(), 0, "no warning");
    // Whoever found a lost answer gives himself away.
    let stolen = lost["refreshToken"].as_str().unwrap();
    app.app.clock.advance(TimeDelta::minutes(1));
    assert_eq!(code(&phone.exchange(stolen).await), "SESSION_OVER");
    assert!(!phone.is_in().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_sends_its_old_token_along_can_still_renew_it_and_sign_out() {
    let app = TestApp::with(&[("LYCEUM_TOKEN_MINUTES", "10")]).await;
    somebody(&app, "ada").await;
    let mut phone = Phone::of(&app, "ada").await;
    app.app.clock.advance(TimeDelta::minutes(11));
    let input = json!({ "input": { "refreshToken": phone.refresh } });
    let both = "mutation ($input: RefreshSessionInput!) { refreshSession(input: $input) { accessToken }
        updateProfile(input: { name: \"Eve\" }) { user { name } } }";
    let mixed = phone.send(both, input.clone()).await;
    assert_eq!(mixed["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "nothing else goes with it: {mixed:#}");
    assert!(mixed.get("data").is_none());
    let body = phone.send(super::REFRESH, input).await;
    phone.keep(body["data"]["refreshSession"].clone());
    assert!(phone.is_in().await, "{body:#}");
    // The refresh token alone is enough to sign out.
    app.app.clock.advance(TimeDelta::minutes(11));
    let body = phone.send(super::SIGN_OUT, json!({ "input": { "refreshToken": phone.refresh } })).await;
    assert_eq!(body["data"]["signOut"], json!({ "endedCount": 1, "userErrors": [] }), "{body:#}");
    assert_eq!(code(&phone.renew().await), "SESSION_OVER");
    let body = phone.send_as(None, super::SIGN_OUT, json!({ "input": { "refreshToken": phone.refresh } })).await;
    assert_eq!(body["data"]["signOut"]["userErrors"][0]["code"], "SESSION_OVER", "{body:#}");
    let nobody = phone.send_as(None, super::SIGN_OUT, json!({ "input": {} })).await;
    assert_eq!(nobody["data"]["signOut"]["userErrors"][0]["code"], "BLANK", "{nobody:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tabs_with_one_token_both_stay_signed_in() {
    let app = TestApp::start().await;
    somebody(&app, "ada").await;
    let mut one = Phone::of(&app, "ada").await;
    let mut two = one.clone();
    for round in 0..5 {
        assert_eq!(code(&one.renew().await), "", "round {round}");
        assert_eq!(code(&two.exchange(&two.refresh).await), "TRY_AGAIN", "round {round}");
        // It does what it is told.
        app.app.clock.advance(TimeDelta::seconds(1));
        assert_eq!(code(&two.renew().await), "", "round {round}");
        assert_eq!(one.refresh, two.refresh, "round {round}");
        assert!(one.is_in().await && two.is_in().await, "round {round}");
        app.app.clock.advance(TimeDelta::minutes(8));
        std::mem::swap(&mut one, &mut two);
    }
    app.settle().await;
    assert_eq!(app.mails.lock().unwrap().len(), 0, "nobody is warned of himself");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_used_token_ends_its_session_and_the_user_is_told() {
    type Theft = (&'static str, i64, fn(&mut Phone), bool);
    let cases: [Theft; 3] = [
        ("the same client after the grace", 30, |_| {}, false),
        (
            "another program in the grace",
            5,
            |thief| {
                thief.agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0".into();
                thief.forwarded = Some("198.51.100.9".into());
            },
            false,
        ),
        ("a token that was used before the last", 5, |_| {}, true),
    ];
    for (case, seconds, disguise, twice) in cases {
        let app = TestApp::with(&[("LYCEUM_PROXIES", "1")]).await;
        let other = app.peer().await;
        let id = somebody(&app, "ada").await;
        app.settle().await;
        let (mut phone, laptop) = (Phone::of(&app, "ada").await, Phone::of(&app, "ada").await);
        let session = phone.session().await;
        let mut thief = phone.clone();
        disguise(&mut thief);
        assert_eq!(code(&phone.renew().await), "", "{case}");
        if twice {
            app.app.clock.advance(TimeDelta::seconds(2));
            assert_eq!(code(&phone.renew().await), "", "{case}");
        }
        app.app.clock.advance(TimeDelta::seconds(seconds));
        let caught = thief.renew().await;
        assert_eq!((code(&caught), &caught["accessToken"]), ("SESSION_OVER", &Value::Null), "{case}: {caught:#}");
        // The whole family: also what the owner got meanwhile.
        assert!(!phone.is_in().await, "{case}: on the same node at once");
        super::soon(case, async || !phone.on(&other).is_in().await).await;
        assert_eq!(code(&phone.renew().await), "SESSION_OVER", "{case}");
        assert!(
            laptop.is_in().await && laptop.on(&other).is_in().await,
            "{case}: the other session has nothing to do with it"
        );
        app.settle().await;
        app.settle().await;
        let mails = app.mails.lock().unwrap().clone();
        let warnings: Vec<_> = mails.iter().filter(|mail| !mail.subject.contains("Welcome")).collect();
        assert_eq!(warnings.len(), 1, "{case}: one mail, though it was tried again");
        let (to, text) = (&warnings[0].to, &warnings[0].text);
        assert_eq!(to, "ada@people.example", "{case}");
        let where_from = if thief.forwarded.is_some() { "198.51.100.9" } else { "127.0.0.1" };
        let what = if thief.agent.contains("Firefox") { "Firefox on Linux" } else { "lyceum-phone/1.0" };
        assert!(text.contains(where_from) && text.contains(what), "{case}: {text}");
        assert!(text.contains("password") && text.contains(&app.app.config.public_url), "{case}: {text}");
        let trail = "SELECT subject_id || ' ' || coalesce(actor_id::text, 'nobody') || ' ' || ip || ' ' || \
            (details->>'sessionId') FROM audit_entries WHERE action = 'refresh_token_replayed'";
        let (_, uuid) = lyceum::graphql::id::split(&id).unwrap();
        assert_eq!(app.sql(trail).await, format!("{uuid} nobody {where_from} {session}"), "{case}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_refresh_token_is_told_nothing() {
    let app = TestApp::start().await;
    somebody(&app, "ada").await;
    let phone = Phone::of(&app, "ada").await;
    for nonsense in [&*phone.access, "", "lyr_", "\u{0}", &*"x".repeat(10_000), &*phone.refresh.to_uppercase()] {
        let payload = phone.exchange(nonsense).await;
        assert_eq!(code(&payload), "SESSION_OVER", "{payload:#}");
        assert_eq!(payload["userErrors"][0]["field"], json!(["refreshToken"]));
    }
    let missing = phone.send_as(None, super::REFRESH, json!({ "input": {} })).await;
    assert_eq!(code(&missing["data"]["refreshSession"]), "BLANK", "{missing:#}");
    // And the other way round: the long-lived token is no access token.
    let refused = phone.send_as(Some(&phone.refresh), super::VIEWER, json!({})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{refused:#}");
    assert!(refused.get("data").is_none() && phone.is_in().await);
    assert_eq!(app.sql("SELECT count(*) FROM sessions WHERE ended_at IS NOT NULL").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_elses_token_is_his_whoever_sends_it() {
    let app = TestApp::start().await;
    let (ada, eve) = (somebody(&app, "ada").await, somebody(&app, "eve").await);
    let (adas, eves) = (Phone::of(&app, "ada").await, Phone::of(&app, "eve").await);
    // Eve's access token in the header changes nothing: the refresh token says whose session it is.
    let input = json!({ "input": { "refreshToken": adas.refresh } });
    let body = eves.send(super::REFRESH, input).await;
    assert_eq!(body["data"]["refreshSession"]["user"]["id"], *ada, "{body:#}");
    let mut stolen = eves.clone();
    stolen.keep(body["data"]["refreshSession"].clone());
    assert_eq!(stolen.ask("viewer/user", super::VIEWER, json!({})).await["id"], *ada);
    assert_eq!(eves.ask("viewer/user", super::VIEWER, json!({})).await["id"], *eve, "Eve's own session is untouched");
    // When Ada comes with hers, both lose it.
    app.app.clock.advance(TimeDelta::minutes(1));
    assert_eq!(code(&adas.exchange(&adas.refresh).await), "SESSION_OVER");
    assert!(!stolen.is_in().await && eves.is_in().await);
}
