//! Sign-in through the API: who guesses waits, and nobody else does.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::TestApp;

const SIGN_IN: &str = "mutation ($input: SignInInput!) { signIn(input: $input) {
    accessToken userErrors { code } } }";
const PASSWORD: &str = "correct horse battery";

/// A school behind one proxy, so that a test can come from any address.
async fn school() -> TestApp {
    open(TestApp::with(&[("LYCEUM_PROXIES", "1")]).await).await
}

async fn open(app: TestApp) -> TestApp {
    let hash = app.app.passwords.hash(PASSWORD.into()).await.unwrap();
    app.user("Ada", Role::Student).await;
    app.sql(&format!("UPDATE users SET password_hash = '{hash}'")).await;
    app
}

/// The body and the `Retry-After` of a sign-in from `ip`.
async fn sign_in(app: &TestApp, ip: &str, email: &str, password: &str) -> (Value, Option<u64>) {
    let input = json!({ "email": email, "password": password });
    let request = app.client.post(format!("{}/graphql", app.url)).header("x-forwarded-for", ip);
    let response = request.json(&json!({ "query": SIGN_IN, "variables": { "input": input } })).send().await.unwrap();
    let wait = response.headers().get("retry-after").map(|value| value.to_str().unwrap().parse().unwrap());
    (response.json().await.unwrap(), wait)
}

fn is_limited(body: &Value) -> bool {
    body["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
}

fn user_error(body: &Value) -> &str {
    body["data"]["signIn"]["userErrors"][0]["code"].as_str().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_guesses_waits_longer_each_time_and_nobody_else_does() {
    let app = school().await;
    // An address that nobody has is counted like one that somebody has.
    for email in ["ada@people.example", "nobody@people.example"] {
        for attempt in 1..=5 {
            let (body, wait) = sign_in(&app, "192.0.2.1", email, "a wrong password").await;
            assert_eq!((user_error(&body), wait), ("WRONG_CREDENTIALS", None), "{email} {attempt}: {body:#}");
        }
        let mut waits = Vec::new();
        for _ in 0..4 {
            let (body, wait) = sign_in(&app, "192.0.2.1", email, PASSWORD).await;
            assert!(is_limited(&body), "even the right password waits: {body:#}");
            assert_eq!(body["errors"][0]["extensions"]["retryAfter"], json!(wait.unwrap()), "{body:#}");
            assert_eq!(body["data"]["signIn"], Value::Null);
            waits.push(wait.unwrap());
            app.app.clock.advance(TimeDelta::seconds(i64::try_from(wait.unwrap()).unwrap()));
            let (body, _) = sign_in(&app, "192.0.2.1", email, "a wrong password").await;
            assert_eq!(user_error(&body), "WRONG_CREDENTIALS", "the wait is over: {body:#}");
        }
        assert_eq!(waits, [1, 2, 4, 8], "{email}");
    }
    let (body, _) = sign_in(&app, "192.0.2.1", "ada@people.example", PASSWORD).await;
    assert!(is_limited(&body), "{body:#}");
    let (body, wait) = sign_in(&app, "198.51.100.7", "ada@people.example", PASSWORD).await;
    assert!(body["data"]["signIn"]["accessToken"].is_string() && wait.is_none(), "the owner is elsewhere: {body:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_right_password_makes_up_for_the_wrong_ones() {
    let app = school().await;
    for _ in 0..4 {
        for _ in 0..4 {
            let (body, _) = sign_in(&app, "192.0.2.1", "ada@people.example", "a wrong password").await;
            assert_eq!(user_error(&body), "WRONG_CREDENTIALS", "{body:#}");
        }
        let (body, _) = sign_in(&app, "192.0.2.1", "ada@people.example", PASSWORD).await;
        assert!(body["data"]["signIn"]["accessToken"].is_string(), "{body:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_attempts_at_once_do_not_keep_other_requests_waiting() {
    let app = open(TestApp::with_costly_passwords(&[("LYCEUM_PROXIES", "1")]).await).await;
    let (limited, wrong, other) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(Vec::new()));
    let flood = futures_util::future::join_all((0..1000).map(async |number: usize| {
        let ip = format!("10.1.{}.{}", number / 250, number % 250);
        let (body, wait) = sign_in(&app, &ip, &format!("victim{number}@people.example"), "a guess at it").await;
        // On a busy machine some do not get a connection to the database in time, and are told the same.
        let is_overloaded = body["errors"][0]["extensions"]["code"] == "UNAVAILABLE";
        match (is_limited(&body) || is_overloaded, user_error(&body)) {
            (true, _) if wait == Some(2) => _ = limited.fetch_add(1, Ordering::SeqCst),
            (false, "WRONG_CREDENTIALS") => _ = wrong.fetch_add(1, Ordering::SeqCst),
            _ => other.lock().unwrap().push((body, wait)),
        }
    }));
    tokio::pin!(flood);
    let mut answered = 0;
    loop {
        tokio::select! {
            _ = &mut flood => break,
            data = app.data(None, "{ __typename }", json!({})) => {
                assert_eq!(data["__typename"], "Query");
                answered += 1;
            }
        }
    }
    let [limited, wrong] = [&limited, &wrong].map(|count| count.load(Ordering::SeqCst));
    assert_eq!(other.lock().unwrap().first(), None, "{limited} were told to come back, {wrong} were checked");
    assert_eq!(limited + wrong, 1000);
    assert!(limited >= 300, "the line is bounded: {limited} were told to come back, {wrong} were checked");
    assert!(answered >= 20, "only {answered} other requests were answered while {wrong} passwords were checked");
}
