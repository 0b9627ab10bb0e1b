//! Another address for a user.

use chrono::TimeDelta;
use lyceum::platform::auth::Proof;
use lyceum::platform::mail::Mail;
use serde_json::{Value, json};

use super::{
    PASSWORD, PROXIED, VIEWER, another, code, fault, mail, mails, mutate, payload, person, refusal, register,
    registered, sign_in, text, token,
};
use crate::support::TestApp;

const ADA: &str = "ada@people.example";
const NEW: &str = "ada@new.example";

async fn ask(app: &TestApp, token: &str, email: &str) -> Value {
    payload(app, Some(token), "changeEmail", json!({ "newEmail": email, "password": PASSWORD })).await
}

async fn confirm(app: &TestApp, token: Option<&str>, input: Value) -> Value {
    payload(app, token, "confirmEmailChange", input).await
}

/// The mail to the new address, when there is one to the old one, too.
async fn confirmation(app: &TestApp, email: &str) -> Mail {
    let mut mails = mails(app).await;
    mails.retain(|mail| mail.to == email);
    assert_eq!(mails.len(), 1, "{mails:?}");
    mails.remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_address_is_confirmed_there_and_the_old_one_is_warned() {
    let app = TestApp::with(&[("LYCEUM_APP_URL", "https://learn.example"), PROXIED[0]]).await;
    let ada = text(&registered(&app, ADA).await["accessToken"]);
    let asked = ask(&app, &ada, " Ada@New.example ").await;
    assert_eq!(asked["emailChange"]["newEmail"], NEW);
    assert_eq!(asked["emailChange"]["expiresAt"], "2026-11-20T09:30:00+00:00");
    let mails_of = mails(&app).await;
    let to = |email: &str| mails_of.iter().find(|mail| mail.to == email).unwrap_or_else(|| panic!("{mails_of:?}"));
    assert_eq!((mails_of.len(), &*to(ADA).subject), (2, "Your e-mail address is about to change"));
    assert!(to(ADA).text.contains(NEW) && !to(ADA).text.contains("token="), "{}", to(ADA).text);
    let link = format!("https://learn.example/confirm-email?token={}", token(to(NEW)));
    assert!(to(NEW).text.contains(&link), "{}", to(NEW).text);
    assert_eq!(refusal(&sign_in(&app, NEW, PASSWORD).await), "WRONG_CREDENTIALS", "nothing has changed yet");

    let code = code(to(NEW));
    assert_eq!(refusal(&confirm(&app, Some(&ada), json!({ "code": another(&code) })).await), "WRONG_CODE");
    app.sql("UPDATE users SET email_verified_at = NULL").await;
    assert_eq!(app.data(Some(&ada), VIEWER, json!({})).await["viewer"]["user"]["email"], ADA, "the row is cached now");
    let confirmed = confirm(&app, Some(&ada), json!({ "code": code })).await;
    assert_eq!(confirmed["userErrors"], json!([]));
    assert_eq!(app.sql("SELECT email_verified_at IS NOT NULL FROM users").await, "t");
    let viewer = app.data(Some(&ada), VIEWER, json!({})).await;
    assert_eq!(viewer["viewer"]["user"]["email"], NEW);
    assert!(sign_in(&app, NEW, PASSWORD).await["accessToken"].is_string());
    assert_eq!(refusal(&sign_in(&app, ADA, PASSWORD).await), "WRONG_CREDENTIALS");
    for again in [json!({ "code": code }), json!({ "token": token(to(NEW)) })] {
        assert_eq!(refusal(&confirm(&app, Some(&ada), again).await), "EXPIRED", "once");
    }
    let trail =
        app.sql("SELECT string_agg(action, ' ' ORDER BY id) FROM audit_entries WHERE action LIKE 'email%'").await;
    assert_eq!(trail, "email_change_requested email_changed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_link_confirms_without_a_session_and_a_code_needs_one() {
    let app = TestApp::with(&PROXIED).await;
    let ada = text(&registered(&app, ADA).await["accessToken"]);
    let eve = text(&registered(&app, "eve@people.example").await["accessToken"]);
    ask(&app, &ada, NEW).await;
    let mail = confirmation(&app, NEW).await;
    let body = mutate(&app, "192.0.2.1", None, "confirmEmailChange", json!({ "code": code(&mail) })).await;
    assert_eq!(fault(&body), "UNAUTHENTICATED", "{body:#}");
    assert_eq!(refusal(&confirm(&app, Some(&eve), json!({ "code": code(&mail) })).await), "EXPIRED", "it is not hers");
    for input in [json!({}), json!({ "code": code(&mail), "token": token(&mail) })] {
        let body = mutate(&app, "192.0.2.1", Some(&ada), "confirmEmailChange", input).await;
        assert_eq!(fault(&body), "BAD_USER_INPUT");
    }
    assert_eq!(refusal(&confirm(&app, None, json!({ "token": &token(&mail)[1..] })).await), "EXPIRED");
    assert_eq!(confirm(&app, None, json!({ "token": token(&mail) })).await["user"]["name"], "Ada");
    assert!(sign_in(&app, NEW, PASSWORD).await["accessToken"].is_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_needs_the_password_and_an_address() {
    let app = TestApp::with(&PROXIED).await;
    let ada = text(&registered(&app, ADA).await["accessToken"]);
    for (email, password, field, code) in [
        ("ada", PASSWORD, "newEmail", "INVALID"),
        ("", PASSWORD, "newEmail", "BLANK"),
        ("ADA@people.example", PASSWORD, "newEmail", "INVALID"),
        (NEW, "not the password", "password", "WRONG_CREDENTIALS"),
    ] {
        let refused =
            payload(&app, Some(&ada), "changeEmail", json!({ "newEmail": email, "password": password })).await;
        assert_eq!((refusal(&refused), &refused["userErrors"][0]["field"][0]), (code.into(), &json!(field)), "{email}");
    }
    assert_eq!(mails(&app).await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_taken_address_looks_like_a_free_one() {
    let app = TestApp::with(&PROXIED).await;
    let ada = text(&registered(&app, ADA).await["accessToken"]);
    registered(&app, "eve@people.example").await;
    let mut told = Vec::new();
    for email in ["eve@people.example", "ann@people.example"] {
        let mut asked = ask(&app, &ada, email).await;
        asked["emailChange"]["id"].take();
        asked["emailChange"]["newEmail"].take();
        let change = app.sql("SELECT id FROM email_changes WHERE ended_at IS NULL").await.parse().unwrap();
        let right = app.app.codes.code(Proof::EmailChange, change, "");
        // Nobody was mailed the right code of the taken one.
        let second = if email.starts_with("eve") { right.clone() } else { "x".into() };
        let one = confirm(&app, Some(&ada), json!({ "code": another(&right) })).await;
        let two = confirm(&app, Some(&ada), json!({ "code": second })).await;
        told.push([asked, one, two]);
        let mail = confirmation(&app, email).await;
        let expected =
            if email.starts_with("eve") { "You already have an account" } else { "Confirm your new e-mail address" };
        assert_eq!(mail.subject, expected);
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(refusal(&told[0][2]), "WRONG_CODE");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_codes_count_and_a_new_change_replaces_the_old_one() {
    let app = TestApp::with(&PROXIED).await;
    let ada = text(&registered(&app, ADA).await["accessToken"]);
    ask(&app, &ada, "first@new.example").await;
    let first = confirmation(&app, "first@new.example").await;
    ask(&app, &ada, NEW).await;
    let second = confirmation(&app, NEW).await;
    assert_eq!(refusal(&confirm(&app, None, json!({ "token": token(&first) })).await), "EXPIRED", "replaced");
    let guesses = (0..12).map(|number| {
        let (app, ada) = (&app, &ada);
        let wrong = format!("{:06}", (code(&second).parse::<u32>().unwrap() + 1 + number) % 1_000_000);
        let from = format!("198.51.100.{number}");
        async move { mutate(app, &from, Some(ada), "confirmEmailChange", json!({ "code": wrong })).await }
    });
    let answers = futures_util::future::join_all(guesses).await;
    let wrong = answers.iter().filter(|body| refusal(&body["data"]["confirmEmailChange"]) == "WRONG_CODE").count();
    assert_eq!(wrong, 5, "{answers:#?}");
    assert_eq!(refusal(&confirm(&app, Some(&ada), json!({ "code": code(&second) })).await), "EXPIRED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_ends_after_half_an_hour_and_with_a_new_password() {
    let app = TestApp::with(&PROXIED).await;
    let ada = text(&registered(&app, ADA).await["accessToken"]);
    ask(&app, &ada, NEW).await;
    let late = confirmation(&app, NEW).await;
    app.app.clock.advance(TimeDelta::minutes(30));
    for input in [json!({ "code": code(&late) }), json!({ "token": token(&late) })] {
        assert_eq!(refusal(&confirm(&app, Some(&ada), input).await), "EXPIRED");
    }
    // What somebody who knew the old password has begun.
    ask(&app, &ada, NEW).await;
    let mail = confirmation(&app, NEW).await;
    let input = json!({ "currentPassword": PASSWORD, "newPassword": "another horse, another battery" });
    assert_eq!(payload(&app, Some(&ada), "changePassword", input).await["userErrors"], json!([]));
    for input in [json!({ "code": code(&mail) }), json!({ "token": token(&mail) })] {
        assert_eq!(refusal(&confirm(&app, Some(&ada), input).await), "EXPIRED");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_who_confirm_one_address_at_once_one_gets_it() {
    let app = TestApp::with(&PROXIED).await;
    for round in 0..5 {
        let wanted = format!("wanted{round}@new.example");
        let mut links = Vec::new();
        for name in ["ada", "eve"] {
            let user = text(&registered(&app, &format!("{name}{round}@people.example")).await["accessToken"]);
            ask(&app, &user, &wanted).await;
            links.push(json!({ "token": token(&confirmation(&app, &wanted).await) }));
        }
        register(&app, person(&wanted)).await;
        let proof = json!({ "token": token(&mail(&app, &wanted).await), "newPassword": PASSWORD });
        let newcomer = json!({ "proof": { "link": proof } });
        let (one, two, three) = tokio::join!(
            confirm(&app, None, links[0].clone()),
            confirm(&app, None, links[1].clone()),
            payload(&app, None, "activateRegistration", newcomer),
        );
        let all = [one, two, three];
        let won = all.iter().filter(|payload| payload["user"].is_object()).count();
        let told = all.iter().filter(|payload| payload["userErrors"][0]["code"] == "TAKEN").count();
        assert_eq!((won, told), (1, 2), "round {round}: {all:#?}");
        mails(&app).await;
        app.app.clock.advance(TimeDelta::minutes(10));
    }
}

/// Whoever has taken over an account must not be faster than the warning.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_warning_still_goes_to_the_old_address() {
    let app = TestApp::with(&PROXIED).await;
    let ada = text(&registered(&app, ADA).await["accessToken"]);
    ask(&app, &ada, NEW).await;
    let change = app.sql("SELECT id FROM email_changes").await.parse().unwrap();
    let code = app.app.codes.code(Proof::EmailChange, change, "");
    assert_eq!(confirm(&app, Some(&ada), json!({ "code": code })).await["userErrors"], json!([]));
    assert_eq!(mail(&app, ADA).await.subject, "Your e-mail address is about to change", "and nothing else is mailed");
}
