//! Passwords: forgotten ones and new ones.

use chrono::TimeDelta;
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use super::{
    PASSWORD, PROXIED, VIEWER, fault, mail, mails, mutate, payload, person, refusal, registered, sign_in, text, token,
};
use crate::support::TestApp;

const ADA: &str = "ada@people.example";
const NEW: &str = "another horse, another battery";

/// Asks for a link and takes its token out of the mail.
async fn link(app: &TestApp, email: &str) -> String {
    let asked = payload(app, None, "requestPasswordReset", json!({ "email": email })).await;
    assert_eq!(asked["userErrors"], json!([]));
    token(&mail(app, &email.trim().to_lowercase()).await)
}

async fn reset(app: &TestApp, token: &str, password: &str) -> Value {
    payload(app, None, "resetPassword", json!({ "token": token, "newPassword": password })).await
}

async fn change(app: &TestApp, token: &str, from: &str, to: &str) -> Value {
    payload(app, Some(token), "changePassword", json!({ "currentPassword": from, "newPassword": to })).await
}

/// Whether the access token still opens something.
async fn is_in(app: &TestApp, token: &str) -> bool {
    let body = app.send(Some(token), VIEWER, json!({})).await;
    body["data"]["viewer"]["user"].is_object()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forgotten_password_is_replaced_with_a_mailed_link() {
    let app = TestApp::with(&[("LYCEUM_APP_URL", "https://learn.example")]).await;
    let ada = registered(&app, ADA).await;
    let elsewhere = sign_in(&app, ADA, PASSWORD).await;
    let asked = payload(&app, None, "requestPasswordReset", json!({ "email": " ADA@people.example" })).await;
    assert_eq!(asked, json!({ "expiresAt": "2026-11-20T09:30:00+00:00", "userErrors": [] }));
    let mail_of = mail(&app, ADA).await;
    let token = token(&mail_of);
    assert!(mail_of.text.contains(&format!("https://learn.example/reset-password?token={token}")), "{}", mail_of.text);

    let create = "mutation { createApiToken(input: { name: \"Report\", scopes: [READ_ACCOUNT],
        expiresAt: \"2026-12-20T09:00:00Z\" }) { token } }";
    let program = app.data(ada["accessToken"].as_str(), create, json!({})).await["createApiToken"].take();
    assert!(is_in(&app, &text(&program["token"])).await);
    assert_eq!(mail(&app, ADA).await.subject, "A new API token of your account");

    let short = reset(&app, &token, "short").await;
    assert_eq!((refusal(&short), &short["userErrors"][0]["field"]), ("TOO_SHORT".into(), &json!(["newPassword"])));
    let done = reset(&app, &token, NEW).await;
    assert_eq!((&done["user"]["id"], &done["userErrors"]), (&ada["user"]["id"], &json!([])));
    for session in [&ada, &elsewhere] {
        assert!(!is_in(&app, &text(&session["accessToken"])).await, "every session has ended, at once");
    }
    assert!(!is_in(&app, &text(&program["token"])).await, "and every token for programs");
    let reasons = app.sql("SELECT string_agg(DISTINCT end_reason, ',') FROM sessions").await;
    assert_eq!(reasons, "password_reset");
    assert_eq!(refusal(&sign_in(&app, ADA, PASSWORD).await), "WRONG_CREDENTIALS");
    assert!(sign_in(&app, ADA, NEW).await["accessToken"].is_string());
    assert_eq!(mail(&app, ADA).await.subject, "Your password was changed");
    let trail =
        app.sql("SELECT string_agg(action, ' ' ORDER BY id) FROM audit_entries WHERE action LIKE 'password%'").await;
    assert_eq!(trail, "password_reset_requested password_reset");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_to_a_new_password_is_good_once() {
    let app = TestApp::with(&PROXIED).await;
    registered(&app, ADA).await;
    let (first, second) = (link(&app, ADA).await, link(&app, ADA).await);
    assert_eq!(reset(&app, &first, NEW).await["userErrors"], json!([]));
    for used in [&first, &second] {
        assert_eq!(refusal(&reset(&app, used, "a third password").await), "EXPIRED", "also one that was mailed before");
    }
    assert!(sign_in(&app, ADA, NEW).await["accessToken"].is_string());
    // The same password again has another salt, and ends the link all the same.
    let third = link_of_two(&app).await;
    assert_eq!(reset(&app, &third, NEW).await["userErrors"], json!([]));
    assert_eq!(refusal(&reset(&app, &third, NEW).await), "EXPIRED");
}

/// A link when there are other mails, too.
async fn link_of_two(app: &TestApp) -> String {
    mails(app).await;
    link(app, ADA).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_who_use_a_link_at_once_one_sets_the_password() {
    let app = TestApp::with(&PROXIED).await;
    registered(&app, ADA).await;
    let token = link(&app, ADA).await;
    let uses = (0..6).map(|number| {
        let (app, password) = (&app, format!("the password of number {number}"));
        let input = json!({ "token": token, "newPassword": password });
        async move {
            let body = mutate(app, &format!("198.51.100.{number}"), None, "resetPassword", input).await;
            (password, body)
        }
    });
    let answers = futures_util::future::join_all(uses).await;
    let won: Vec<_> = answers.iter().filter(|(_, body)| body["data"]["resetPassword"]["user"].is_object()).collect();
    assert_eq!(won.len(), 1, "{answers:#?}");
    assert!(sign_in(&app, ADA, &won[0].0).await["accessToken"].is_string());
    assert_eq!(mail(&app, ADA).await.subject, "Your password was changed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_ends_after_half_an_hour_and_with_anything_that_changes_the_account() {
    let app = TestApp::with(&PROXIED).await;
    let ada = text(&registered(&app, ADA).await["accessToken"]);
    let late = link(&app, ADA).await;
    app.app.clock.advance(TimeDelta::minutes(30));
    assert_eq!(refusal(&reset(&app, &late, NEW).await), "EXPIRED");

    let overtaken = link(&app, ADA).await;
    assert_eq!(change(&app, &ada, PASSWORD, NEW).await["userErrors"], json!([]));
    assert_eq!(refusal(&reset(&app, &overtaken, PASSWORD).await), "EXPIRED", "the password is another one");

    let elsewhere = link_of_two(&app).await;
    app.sql("UPDATE users SET email = 'ada@new.example'").await;
    assert_eq!(refusal(&reset(&app, &elsewhere, PASSWORD).await), "EXPIRED", "the old address is nobody's now");

    for wrong in ["", "x", &elsewhere[1..]] {
        assert_eq!(refusal(&reset(&app, wrong, PASSWORD).await), "EXPIRED", "{wrong:?}");
    }
    assert!(sign_in(&app, "ada@new.example", NEW).await["accessToken"].is_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asking_for_a_link_never_tells_whether_an_address_is_registered() {
    let app = TestApp::with(&PROXIED).await;
    registered(&app, ADA).await;
    let mut answers = Vec::new();
    for email in [ADA, "eve@people.example"] {
        let mut told = Vec::new();
        for _ in 0..4 {
            let mut body = mutate(&app, "198.51.100.7", None, "requestPasswordReset", json!({ "email": email })).await;
            if let Some(error) = body.pointer_mut("/errors/0/extensions/requestId") {
                error.take();
            }
            told.push(body);
        }
        assert_eq!(fault(&told[3]), "RATE_LIMITED", "{told:#?}");
        answers.push(told);
    }
    assert_eq!(answers[0], answers[1]);
    let mails = mails(&app).await;
    assert!(mails.len() == 3 && mails.iter().all(|mail| mail.to == ADA), "who has no account gets no mail");
    let bad = payload(&app, None, "requestPasswordReset", json!({ "email": "ada" })).await;
    assert_eq!(refusal(&bad), "INVALID", "this much is told: it is nobody's");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_no_password_sets_one_with_a_link() {
    let app = TestApp::with(&PROXIED).await;
    let bob = app.user("Bob", Role::Student).await;
    app.sql("UPDATE users SET password_hash = NULL, email_verified_at = NULL").await;
    let refused = change(&app, &bob.token, "", NEW).await;
    assert_eq!(refusal(&refused), "NOT_ALLOWED", "there is none to ask for: {refused:#}");
    let token = link(&app, "bob@people.example").await;
    assert_eq!(reset(&app, &token, NEW).await["user"]["id"], json!(bob.id));
    let verified = app.sql("SELECT count(*) FROM users WHERE email_verified_at IS NOT NULL").await;
    assert_eq!(verified, "1", "whoever reads the address' mail has shown that it is theirs");
    assert!(sign_in(&app, "bob@people.example", NEW).await["accessToken"].is_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_password_keeps_this_session_and_ends_the_others() {
    let app = TestApp::with(&PROXIED).await;
    let here = text(&registered(&app, ADA).await["accessToken"]);
    let elsewhere = sign_in(&app, ADA, PASSWORD).await;
    let wrong = change(&app, &here, "not the password", NEW).await;
    assert_eq!(refusal(&wrong), "WRONG_CREDENTIALS");
    assert_eq!(wrong["userErrors"][0]["field"], json!(["currentPassword"]));
    assert_eq!(refusal(&change(&app, &here, PASSWORD, "short").await), "TOO_SHORT");
    assert!(is_in(&app, &text(&elsewhere["accessToken"])).await, "nothing has happened");

    let changed = change(&app, &here, PASSWORD, NEW).await;
    assert_eq!(changed["userErrors"], json!([]), "{changed:#}");
    assert!(is_in(&app, &here).await);
    assert!(!is_in(&app, &text(&elsewhere["accessToken"])).await, "at once");
    let reasons = app.sql("SELECT string_agg(coalesce(end_reason, '-'), ',' ORDER BY id) FROM sessions").await;
    assert_eq!(reasons, "-,password_changed");
    assert_eq!(refusal(&sign_in(&app, ADA, PASSWORD).await), "WRONG_CREDENTIALS");
    assert!(sign_in(&app, ADA, NEW).await["accessToken"].is_string());
    assert_eq!(mail(&app, ADA).await.subject, "Your password was changed");
    let trail =
        app.sql("SELECT string_agg(action, ' ' ORDER BY id) FROM audit_entries WHERE action LIKE 'password%'").await;
    assert_eq!(trail, "password_refused password_changed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_change_a_password_at_once_one_does() {
    let app = TestApp::with(&PROXIED).await;
    let token = text(&registered(&app, ADA).await["accessToken"]);
    let (one, two) =
        tokio::join!(change(&app, &token, PASSWORD, "the first one's"), change(&app, &token, PASSWORD, NEW));
    let won = [&one, &two].iter().filter(|payload| payload["user"].is_object()).count();
    assert_eq!(won, 1, "{one:#} {two:#}");
    assert_eq!(mails(&app).await.len(), 1);
}

/// Somebody who found a phone must not find out the password with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_the_current_password_counts_like_signing_in() {
    let app = TestApp::with(&PROXIED).await;
    let token = text(&registered(&app, ADA).await["accessToken"]);
    for _ in 0..3 {
        assert_eq!(refusal(&change(&app, &token, "a guess", NEW).await), "WRONG_CREDENTIALS");
    }
    for _ in 0..2 {
        let input = json!({ "newEmail": "ada@new.example", "password": "a guess" });
        assert_eq!(refusal(&payload(&app, Some(&token), "changeEmail", input).await), "WRONG_CREDENTIALS");
    }
    let input = json!({ "currentPassword": PASSWORD, "newPassword": NEW });
    let body = mutate(&app, "192.0.2.1", Some(&token), "changePassword", input).await;
    assert_eq!(fault(&body), "RATE_LIMITED", "{body:#}");
}

/// A sign-in that has just checked the old password does not outlive the new one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_session_begins_with_a_password_that_is_being_replaced() {
    let app = TestApp::with(&PROXIED).await;
    registered(&app, ADA).await;
    for round in 0..6 {
        let (old, new) = (format!("the password number {round}"), format!("the password number {}", round + 1));
        assert_eq!(reset(&app, &link_of_two(&app).await, &old).await["userErrors"], json!([]));
        let token = link_of_two(&app).await;
        let (done, signed_in) = tokio::join!(reset(&app, &token, &new), sign_in(&app, ADA, &old));
        assert_eq!(done["userErrors"], json!([]));
        if let Some(token) = signed_in["accessToken"].as_str() {
            assert!(!is_in(&app, token).await, "round {round}");
        }
        assert_eq!(app.sql("SELECT count(*) FROM sessions WHERE ended_at IS NULL").await, "0", "round {round}");
        // The links of one address are throttled; an hour forgets them.
        app.app.clock.advance(TimeDelta::hours(3));
    }
}

/// Who knows the old password may stand before the question for the second factor.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_that_waits_for_the_second_factor_ends_with_the_password() {
    let app = TestApp::with(&PROXIED).await;
    registered(&app, ADA).await;
    app.sql("INSERT INTO sign_in_challenges SELECT sha256('x'), id, '2026-11-20T09:10:00Z', 5 FROM users").await;
    assert_eq!(reset(&app, &link(&app, ADA).await, NEW).await["userErrors"], json!([]));
    assert_eq!(app.sql("SELECT count(*) FROM sign_in_challenges").await, "0");
}

/// A stranger with many networks cannot fill a mailbox, and its owner still gets in: each email has a link that works.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn emails_to_one_address_have_a_budget_for_all_senders() {
    let app = TestApp::with(&PROXIED).await;
    registered(&app, "ada@people.example").await;
    let mut sent = 0;
    for number in 0..30 {
        let from = format!("198.51.{number}.1");
        let (field, input) = match number % 2 {
            0 => ("requestPasswordReset", json!({ "email": "Ada@people.example" })),
            _ => ("register", person("ada@people.example")),
        };
        let body = mutate(&app, &from, None, field, input).await;
        match body["data"][field].is_object() {
            true => sent += 1,
            false => assert_eq!(fault(&body), "RATE_LIMITED", "{body:#}"),
        }
    }
    assert_eq!(sent, 9, "the tenth was the registration before");
    let mails = mails(&app).await;
    assert_eq!(mails.len(), sent);
    let elsewhere = mutate(&app, "198.51.99.1", None, "requestPasswordReset", json!({ "email": "eve@people.example" }));
    assert_eq!(elsewhere.await.get("errors"), None, "other addresses have their own");

    // The links that the stranger asked for are the owner's.
    let reset = mails.iter().rev().find(|mail| mail.subject == "Choose a new password").unwrap();
    let input = json!({ "token": token(reset), "newPassword": "another good password" });
    assert_eq!(payload(&app, None, "resetPassword", input).await["userErrors"], json!([]));
    // And there is another one before they have expired.
    app.app.clock.advance(TimeDelta::minutes(29));
    let body =
        mutate(&app, "198.51.98.1", None, "requestPasswordReset", json!({ "email": "ada@people.example" })).await;
    assert_eq!(body.get("errors"), None, "{body:#}");
}
