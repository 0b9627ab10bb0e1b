//! Registration, sign-in and roles through the API.

mod admin;
mod api_tokens;
mod avatar;
mod deletion;
mod profile;
mod scopes;
mod second_factor;
mod sessions;
mod social;

use chrono::TimeDelta;
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::{TestApp, User};

const REGISTER: &str = "mutation ($input: RegisterInput!) { register(input: $input) {
    user { id name role createdAt } userErrors { code field message } } }";
const SIGN_IN: &str = "mutation ($input: SignInInput!) { signIn(input: $input) {
    user { id role } accessToken expiresAt userErrors { code field message } } }";
const CHANGE_ROLE: &str = "mutation ($input: ChangeUserRoleInput!) { changeUserRole(input: $input) {
    user { id role } userErrors { code field message } } }";
const VIEWER: &str = "{ viewer { id email role } }";
const PASSWORD: &str = "correct horse battery";

fn person(email: &str) -> Value {
    json!({ "email": email, "name": "Ada", "password": PASSWORD })
}

/// The payload of `register`.
async fn register(app: &TestApp, input: Value) -> Value {
    app.data(None, REGISTER, json!({ "input": input })).await["register"].take()
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
async fn everything_that_is_wrong_with_a_registration_comes_at_once() {
    let app = TestApp::start().await;
    let input = |email: &str, name: &str, password: &str| json!({ "email": email, "name": name, "password": password });
    let long = |count: usize| "x".repeat(count);
    let cases: [(Value, &[(&str, &str)]); 10] = [
        (input("ada", " ", "short"), &[("email", "INVALID"), ("name", "BLANK"), ("password", "TOO_SHORT")]),
        (input("", "", ""), &[("email", "BLANK"), ("name", "BLANK"), ("password", "TOO_SHORT")]),
        (input("@b.example", "Ada", PASSWORD), &[("email", "INVALID")]),
        (input("a b@c.example", "Ada", PASSWORD), &[("email", "INVALID")]),
        (input("ada@people.example, eve@people.example", "Ada", PASSWORD), &[("email", "INVALID")]),
        (input("Ada <ada@people.example>", "Ada", PASSWORD), &[("email", "INVALID")]),
        (
            input(&format!("{}@b.example", long(250)), &long(101), &long(201)),
            &[("email", "TOO_LONG"), ("email", "INVALID"), ("name", "TOO_LONG"), ("password", "TOO_LONG")],
        ),
        (input("ada@people.example", "Ada", "123456789"), &[("password", "TOO_SHORT")]),
        (input("ada@people.example", "A\u{0}da", PASSWORD), &[("name", "INVALID")]),
        (input("a\u{0}da@people.example", "Ada", PASSWORD), &[("email", "INVALID"), ("email", "INVALID")]),
    ];
    for (input, expected) in cases {
        let payload = register(&app, input.clone()).await;
        assert_eq!(payload["user"], Value::Null, "{input}");
        let found = codes(&payload);
        let found: Vec<(&str, &str)> = found.iter().map(|(field, code)| (&**field, &**code)).collect();
        assert_eq!(found, expected, "{input}: {payload:#}");
        for error in payload["userErrors"].as_array().unwrap() {
            assert!(error["message"].as_str().unwrap().ends_with('.'), "a sentence for people: {error:#}");
        }
    }
    let payload = register(&app, input("x", &long(101), "123456789")).await;
    let messages: Vec<&str> =
        payload["userErrors"].as_array().unwrap().iter().map(|error| error["message"].as_str().unwrap()).collect();
    assert!(messages[1].contains("101") && messages[1].contains("100"), "what it is and what is allowed: {messages:?}");
    assert!(messages[2].contains('9') && messages[2].contains("10"), "what it is and what is allowed: {messages:?}");
    app.settle().await;
    assert!(app.mails.lock().unwrap().is_empty(), "nobody was registered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_longest_and_shortest_that_is_allowed_is_accepted_and_stored_trimmed() {
    let app = TestApp::start().await;
    let shortest = register(&app, json!({ "email": " A@B.example ", "name": " Ö ", "password": "0123456789" })).await;
    assert_eq!(shortest["userErrors"], json!([]));
    assert_eq!((&shortest["user"]["name"], &shortest["user"]["role"]), (&json!("Ö"), &json!("STUDENT")));
    let password = "🔑".repeat(200);
    let longest = json!({ "email": "b@b.example", "name": "ß".repeat(100), "password": password });
    assert_eq!(register(&app, longest).await["userErrors"], json!([]));
    assert!(sign_in(&app, "b@b.example", &password).await["accessToken"].is_string());
    assert!(sign_in(&app, "a@b.example", "0123456789").await["accessToken"].is_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_belongs_to_one_user_however_it_is_spelled() {
    let app = TestApp::start().await;
    assert_eq!(register(&app, person("Ada@People.example")).await["userErrors"], json!([]));
    assert_eq!(register(&app, person("Äda@people.example")).await["userErrors"], json!([]), "another address");
    for again in [
        "Ada@People.example",
        "ada@people.example",
        "ADA@PEOPLE.EXAMPLE",
        " ada@people.example\n",
        "ÄDA@people.example",
    ] {
        let payload = register(&app, person(again)).await;
        assert_eq!(codes(&payload), [("email".to_owned(), "TAKEN".to_owned())], "{again}: {payload:#}");
        assert!(sign_in(&app, again, PASSWORD).await["accessToken"].is_string(), "{again}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_register_one_address_at_once_one_gets_it() {
    let app = TestApp::start().await;
    for round in 0..6 {
        let email = format!("ada{round}@people.example");
        let (one, two) = tokio::join!(register(&app, person(&email)), register(&app, person(&email.to_uppercase())));
        let won = [&one, &two].into_iter().filter(|payload| payload["user"].is_object()).count();
        let told = [&one, &two].into_iter().filter(|payload| payload["userErrors"][0]["code"] == "TAKEN").count();
        assert_eq!((won, told), (1, 1), "{one:#} {two:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_signs_in_gets_a_token_that_works_until_it_expires() {
    let app = TestApp::with(&[("LYCEUM_TOKEN_MINUTES", "30")]).await;
    let registered = register(&app, person("ada@people.example")).await;
    let signed_in = sign_in(&app, "ada@people.example", PASSWORD).await;
    assert_eq!(signed_in["user"], json!({ "id": registered["user"]["id"], "role": "STUDENT" }));
    assert_eq!(signed_in["expiresAt"], "2026-11-20T09:30:00+00:00", "the clock stands at nine");
    let token = signed_in["accessToken"].as_str().unwrap();
    let viewer = app.data(Some(token), VIEWER, json!({})).await;
    let expected = json!({ "id": registered["user"]["id"], "email": "ada@people.example", "role": "STUDENT" });
    assert_eq!(viewer["viewer"], expected);
    app.app.clock.advance(TimeDelta::minutes(29));
    assert_eq!(app.data(Some(token), VIEWER, json!({})).await["viewer"], expected);
    app.app.clock.advance(TimeDelta::minutes(1));
    let refused = app.send(Some(token), VIEWER, json!({})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{refused:#}");
    assert_eq!(app.data(None, VIEWER, json!({})).await["viewer"], Value::Null, "nobody is signed in without one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_and_an_unknown_address_get_the_same_answer() {
    let app = TestApp::start().await;
    register(&app, person("ada@people.example")).await;
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
    assert_eq!(student["viewer"]["role"], "STUDENT", "nothing has changed");
    for role in ["INSTRUCTOR", "INSTRUCTOR", "ADMIN", "STUDENT"] {
        let body = change_role(&app, Some(&root.token), &bob.id, role).await;
        let expected = json!({ "user": { "id": bob.id, "role": role }, "userErrors": [] });
        assert_eq!(body["data"]["changeUserRole"], expected, "{body:#}");
    }
    let nobody = change_role(&app, Some(&root.token), "user_01h455vb4pex5vsknk084sn02q", "ADMIN").await;
    assert_eq!(nobody["errors"][0]["extensions"]["code"], "NOT_FOUND", "{nobody:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_role_counts_at_once_and_older_tokens_are_refused() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    let ada = register(&app, person("ada@people.example")).await["user"]["id"].as_str().unwrap().to_owned();
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_user_is_welcomed_once_and_only_after_registration() {
    let app = TestApp::start().await;
    register(&app, person("Ada@people.example")).await;
    assert!(app.mails.lock().unwrap().is_empty(), "no mail leaves inside the request");
    app.settle().await;
    app.settle().await;
    app.app.clock.advance(TimeDelta::days(1));
    app.settle().await;
    register(&app, person("ada@people.example")).await;
    app.settle().await;
    let mails = app.mails.lock().unwrap();
    assert_eq!(mails.len(), 1, "{:?}", mails.iter().map(|mail| &mail.to).collect::<Vec<_>>());
    assert_eq!(mails[0].to, "ada@people.example");
    assert!(mails[0].text.contains("Hello Ada"), "{}", mails[0].text);
    assert!(!mails[0].text.contains(PASSWORD), "{}", mails[0].text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_at_once_welcome_each_user_once() {
    let app = TestApp::start().await;
    for number in 0..10 {
        register(&app, person(&format!("ada{number}@people.example"))).await;
    }
    tokio::join!(app.settle(), app.settle());
    app.settle().await;
    let mut addresses: Vec<String> = app.mails.lock().unwrap().iter().map(|mail| mail.to.clone()).collect();
    addresses.sort();
    let expected: Vec<String> = (0..10).map(|number| format!("ada{number}@people.example")).collect();
    assert_eq!(addresses, expected);
}
