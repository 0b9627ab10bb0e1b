//! Accounts through the API: here signing in and roles, and what the other files use.

mod admin;
mod api_tokens;
mod deletion;
mod email_change;
mod passwords;
mod profile;
mod registration;
mod scopes;
mod second_factor;
mod sensitive;
mod sessions;
mod social;
mod timing;
mod viewer;

use chrono::TimeDelta;
use lyceum::platform::auth::Role;
use lyceum::platform::mail::Mail;
use serde_json::{Value, json};

use crate::support::app::code_of;
use crate::support::{TestApp, User};

const SIGN_IN: &str = "mutation ($input: SignInInput!) { signIn(input: $input) {
    user { id role } accessToken expiresAt userErrors { code field message } } }";
const CHANGE_ROLE: &str = "mutation ($input: ChangeUserRoleInput!) { changeUserRole(input: $input) {
    user { id role } userErrors { code field message } } }";
const VIEWER: &str = "{ viewer { user { id email role } } }";
const PASSWORD: &str = "correct horse battery";

/// What every test's clients are behind, so that each request can come from an address of its own.
const PROXIED: [(&str, &str); 1] = [("LYCEUM_PROXIES", "1")];

/// The whole response to a mutation, sent from the address `from` by whoever has `token`.
async fn mutate(app: &TestApp, from: &str, token: Option<&str>, field: &str, input: Value) -> Value {
    let selection = match field {
        "register" | "resendActivation" => "registration { id email expiresAt resendAt }",
        "activateRegistration" => "user { id name role createdAt } accessToken expiresAt refreshToken refreshExpiresAt",
        "signIn" => "user { id } accessToken refreshToken",
        "requestPasswordReset" => "expiresAt",
        "changeEmail" => "emailChange { id newEmail expiresAt }",
        _ => "user { id name }",
    };
    let input_type = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
    let query = format!(
        "mutation ($input: {input_type}!) {{ {field}(input: $input) {{ {selection} userErrors {{ code field message }} }} }}"
    );
    let mut request = app.client.post(format!("{}/graphql", app.url)).header("x-forwarded-for", from);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let body = json!({ "query": query, "variables": { "input": input } });
    request.json(&body).send().await.unwrap().json().await.unwrap()
}

/// The payload of a mutation that is no fault.
async fn payload(app: &TestApp, token: Option<&str>, field: &str, input: Value) -> Value {
    let mut body = mutate(app, "192.0.2.1", token, field, input).await;
    assert!(body.get("errors").is_none(), "{field}: {body:#}");
    body["data"][field].take()
}

fn person(email: &str) -> Value {
    json!({ "email": email, "name": "Ada", "password": PASSWORD })
}

/// The payload of `register`.
async fn register(app: &TestApp, input: Value) -> Value {
    payload(app, None, "register", input).await
}

/// Takes the mails that have been sent so far.
async fn mails(app: &TestApp) -> Vec<Mail> {
    app.settle().await;
    std::mem::take(&mut *app.mails.lock().unwrap())
}

/// The one mail that has been sent, which must go to `email`.
async fn mail(app: &TestApp, email: &str) -> Mail {
    let mails = mails(app).await;
    let to: Vec<&String> = mails.iter().map(|mail| &mail.to).collect();
    assert_eq!(to, [email], "one mail");
    mails.into_iter().next().unwrap()
}

/// The six digits in a mail.
fn code(mail: &Mail) -> String {
    let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit());
    mail.text.lines().map(str::trim).find(is_code).unwrap_or_else(|| panic!("{}", mail.text)).to_owned()
}

/// The token of the link in a mail.
fn token(mail: &Mail) -> String {
    let (_, rest) = mail.text.split_once("?token=").unwrap_or_else(|| panic!("{}", mail.text));
    rest.split_whitespace().next().unwrap().to_owned()
}

/// Six digits that are not `code`.
fn another(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

/// Somebody who has registered and activated the account: the payload of `activateRegistration`. Mails so far are lost.
async fn registered(app: &TestApp, email: &str) -> Value {
    mails(app).await;
    let registration = register(app, person(email)).await;
    let mail = mail(app, email).await;
    let proof = json!({ "registrationId": registration["registration"]["id"], "code": code(&mail) });
    let input = json!({ "proof": { "code": proof } });
    let activated = payload(app, None, "activateRegistration", input).await;
    assert_eq!(activated["userErrors"], json!([]), "{activated:#}");
    mails(app).await;
    activated
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value:#}")).to_owned()
}

/// The code of the only user error.
fn refusal(payload: &Value) -> String {
    let errors = payload["userErrors"].as_array().unwrap_or_else(|| panic!("{payload:#}"));
    assert_eq!(errors.len(), 1, "{payload:#}");
    text(&errors[0]["code"])
}

/// `extensions.code` of the only error.
fn fault(body: &Value) -> String {
    text(&body["errors"][0]["extensions"]["code"])
}

/// The payload of `signIn`.
async fn sign_in(app: &TestApp, email: &str, password: &str) -> Value {
    let input = json!({ "email": email, "password": password });
    app.data(None, SIGN_IN, json!({ "input": input })).await["signIn"].take()
}

/// The whole response to `changeUserRole`.
async fn change_role(app: &TestApp, token: Option<&str>, user: &str, role: &str) -> Value {
    app.send(token, CHANGE_ROLE, json!({ "input": { "userId": user, "role": role } })).await
}

fn codes(payload: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let errors = payload["userErrors"].as_array().unwrap();
    errors.iter().map(|error| (text(&error["field"][0]), text(&error["code"]))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_signs_in_gets_a_token_that_works_until_it_expires() {
    let app = TestApp::with(&[("LYCEUM_TOKEN_MINUTES", "30")]).await;
    let registered = registered(&app, "ada@people.example").await;
    let signed_in = sign_in(&app, "ada@people.example", PASSWORD).await;
    assert_eq!(signed_in["user"], json!({ "id": registered["user"]["id"], "role": "STUDENT" }));
    assert_eq!(signed_in["expiresAt"], "2026-11-20T09:30:00+00:00", "the clock stands at nine");
    let token = signed_in["accessToken"].as_str().unwrap();
    let viewer = app.data(Some(token), VIEWER, json!({})).await;
    let expected = json!({ "id": registered["user"]["id"], "email": "ada@people.example", "role": "STUDENT" });
    assert_eq!(viewer["viewer"]["user"], expected);
    app.app.clock.advance(TimeDelta::minutes(29));
    assert_eq!(app.data(Some(token), VIEWER, json!({})).await["viewer"]["user"], expected);
    app.app.clock.advance(TimeDelta::minutes(1));
    let refused = app.send(Some(token), VIEWER, json!({})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{refused:#}");
    assert_eq!(
        app.data(None, VIEWER, json!({})).await["viewer"]["user"],
        Value::Null,
        "nobody is signed in without one"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_and_an_unknown_address_get_the_same_answer() {
    let app = TestApp::start().await;
    registered(&app, "ada@people.example").await;
    let error = json!([{ "code": "WRONG_CREDENTIALS", "field": [], "message": "The e-mail address or the password is wrong." }]);
    let expected = json!({ "user": null, "accessToken": null, "expiresAt": null, "userErrors": error });
    for (email, password) in [
        ("ada@people.example", "correct horse battery "),
        ("ada@people.example", "Correct horse battery"),
        ("ada@people.example", ""),
        ("ada@people.example", &*"x".repeat(201)),
        ("eve@people.example", PASSWORD),
        ("", ""),
        ("not an address", PASSWORD),
        ("ada@people.example\u{0}", PASSWORD),
        ("ada%", PASSWORD),
    ] {
        assert_eq!(sign_in(&app, email, password).await, expected, "{email:?} {password:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_administrators_change_roles() {
    let app = TestApp::start().await;
    let (root, ada) = (app.user("Root", Role::Admin).await, app.user("Ada", Role::Instructor).await);
    let bob = app.user("Bob", Role::Student).await;
    for (who, token, code) in [
        ("anonymous", None, "UNAUTHENTICATED"),
        ("the student herself", Some(&*bob.token), "FORBIDDEN"),
        ("an instructor", Some(&*ada.token), "FORBIDDEN"),
    ] {
        let body = change_role(&app, token, &bob.id, "ADMIN").await;
        assert_eq!(body["data"], json!({ "changeUserRole": null }), "{who}: {body:#}");
        assert_eq!(body["errors"][0]["extensions"]["code"], code, "{who}: {body:#}");
    }
    let student = app.data(Some(&bob.token), VIEWER, json!({})).await;
    assert_eq!(student["viewer"]["user"]["role"], "STUDENT", "nothing has changed");
    for role in ["INSTRUCTOR", "INSTRUCTOR", "ADMIN", "STUDENT"] {
        let body = change_role(&app, Some(&root.token), &bob.id, role).await;
        let expected = json!({ "user": { "id": bob.id, "role": role }, "userErrors": [] });
        assert_eq!(body["data"]["changeUserRole"], expected, "{body:#}");
    }
    let nobody = change_role(&app, Some(&root.token), "user_01h455vb4pex5vsknk084sn02q", "ADMIN").await;
    assert_eq!(code_of(&nobody), "NOT_FOUND", "{nobody:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_role_counts_at_once_and_older_tokens_are_refused() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    let ada = text(&registered(&app, "ada@people.example").await["user"]["id"]);
    let create = "mutation { createCourse(input: { title: \"Engines\" }) { course { id } } }";
    let old = sign_in(&app, "ada@people.example", PASSWORD).await;
    change_role(&app, Some(&root.token), &ada, "INSTRUCTOR").await;
    let refused = app.send(old["accessToken"].as_str(), create, json!({})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{refused:#}");
    let new = sign_in(&app, "ada@people.example", PASSWORD).await;
    assert_eq!(new["user"]["role"], "INSTRUCTOR");
    assert!(app.data(new["accessToken"].as_str(), create, json!({})).await["createCourse"]["course"].is_object());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_administrator_stays_one() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    for role in ["STUDENT", "INSTRUCTOR"] {
        let body = change_role(&app, Some(&root.token), &root.id, role).await;
        let payload = &body["data"]["changeUserRole"];
        assert_eq!(payload["user"], Value::Null, "{body:#}");
        assert_eq!(codes(payload), [("role".to_owned(), "NOT_ALLOWED".to_owned())], "{body:#}");
    }
    let same = change_role(&app, Some(&root.token), &root.id, "ADMIN").await;
    assert_eq!(same["data"]["changeUserRole"]["userErrors"], json!([]), "{same:#}");
    app.user("Second", Role::Admin).await;
    let body = change_role(&app, Some(&root.token), &root.id, "STUDENT").await;
    assert_eq!(body["data"]["changeUserRole"]["user"]["role"], "STUDENT", "with a second one it may go: {body:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_administrators_who_demote_each_other_at_once_leave_one() {
    let app = TestApp::start().await;
    for round in 0..10 {
        let (one, two) =
            (app.user(&format!("One{round}"), Role::Admin).await, app.user(&format!("Two{round}"), Role::Admin).await);
        let demote = async |by: &User, whom: &User| change_role(&app, Some(&by.token), &whom.id, "STUDENT").await;
        let (first, second) = tokio::join!(demote(&one, &two), demote(&two, &one));
        let gone = [&first, &second].iter().filter(|body| body["data"]["changeUserRole"]["user"].is_object()).count();
        assert_eq!(gone, 1, "round {round}: {first:#} {second:#}");
        assert_eq!(app.sql("SELECT count(*) FROM users WHERE role = 'ADMIN'").await, "1", "round {round}");
        // The next round begins with nobody.
        app.sql("UPDATE users SET role = 'STUDENT'").await;
    }
}
