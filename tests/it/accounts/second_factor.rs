//! The second factor: set up, asked for, given, lost.

use chrono::TimeDelta;
use lyceum::platform::auth::Role;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use crate::support::{TestApp, User};

const PASSWORD: &str = "correct horse battery";
const SIGN_IN: &str = "mutation ($input: SignInInput!) { signIn(input: $input) {
    user { role } accessToken refreshToken secondFactorRequired challenge { token expiresAt } userErrors { code } } }";
const COMPLETE: &str = "mutation ($input: CompleteSignInInput!) { completeSignIn(input: $input) {
    user { id } accessToken refreshToken userErrors { code field } } }";

/// A school where everybody has the same password.
async fn school(settings: &[(&str, &str)]) -> TestApp {
    TestApp::with(settings).await
}

pub(super) async fn person(app: &TestApp, name: &str, role: Role) -> User {
    let user = app.user(name, role).await;
    let hash = app.app.passwords.hash(PASSWORD.into()).await.unwrap();
    app.sql(&format!("UPDATE users SET password_hash = '{hash}'")).await;
    user
}

async fn sign_in(app: &TestApp, email: &str) -> Value {
    let input = json!({ "email": email, "password": PASSWORD });
    app.data(None, SIGN_IN, json!({ "input": input })).await["signIn"].take()
}

pub(super) async fn complete(app: &TestApp, challenge: &Value, code: &str) -> Value {
    let input = json!({ "challenge": challenge["token"], "code": code });
    app.data(None, COMPLETE, json!({ "input": input })).await["completeSignIn"].take()
}

/// What an authenticator app would show now.
pub(super) fn code(app: &TestApp, secret: &str) -> String {
    let totp = Builder::new().with_secret(Secret::try_from_base32(secret).unwrap()).build().unwrap();
    totp.generate(u64::try_from(app.app.clock.now().timestamp()).unwrap()).to_string()
}

/// Makes the code a new one.
pub(super) fn later(app: &TestApp) {
    app.app.clock.advance(TimeDelta::seconds(30));
}

/// Sets a second factor up; returns its secret and recovery codes.
pub(super) async fn enable(app: &TestApp, user: &User) -> (String, Vec<String>) {
    let started = app.mutate(user, "startSecondFactor", "secret uri", json!({ "password": PASSWORD })).await;
    let secret = started["secret"].as_str().unwrap().to_owned();
    assert!(started["uri"].as_str().unwrap().contains(&secret), "{started:#}");
    let confirmed =
        app.mutate(user, "confirmSecondFactor", "recoveryCodes", json!({ "code": code(app, &secret) })).await;
    let codes = confirmed["recoveryCodes"].as_array().unwrap();
    later(app);
    (secret, codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect())
}

fn error(payload: &Value) -> &str {
    payload["userErrors"][0]["code"].as_str().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_in_asks_for_the_code_and_takes_each_once() {
    let app = school(&[]).await;
    let ada = person(&app, "Ada", Role::Student).await;
    assert_eq!(sign_in(&app, "ada@people.example").await["challenge"], Value::Null, "not yet");
    let (secret, _) = enable(&app, &ada).await;
    let asked = sign_in(&app, "ada@people.example").await;
    let nothing = json!({ "user": null, "accessToken": null, "refreshToken": null });
    for field in ["user", "accessToken", "refreshToken"] {
        assert_eq!(asked[field], nothing[field], "the password alone opens nothing: {asked:#}");
    }
    let challenge = &asked["challenge"];
    assert_eq!(error(&complete(&app, challenge, "000000").await), "WRONG_CODE");
    let now = code(&app, &secret);
    let signed_in = complete(&app, challenge, &format!("{} {}", &now[..3], &now[3..])).await;
    assert_eq!(signed_in["user"]["id"], ada.id, "typed with a space: {signed_in:#}");
    let viewer = app.data(signed_in["accessToken"].as_str(), "{ viewer { user { id } } }", json!({})).await;
    assert_eq!(viewer["viewer"]["user"]["id"], ada.id);
    assert_eq!(error(&complete(&app, challenge, &now).await), "SESSION_OVER", "the question was answered");
    let again = sign_in(&app, "ada@people.example").await["challenge"].take();
    assert_eq!(error(&complete(&app, &again, &now).await), "WRONG_CODE", "the code was used");
    later(&app);
    assert!(complete(&app, &again, &code(&app, &secret)).await["accessToken"].is_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_can_be_answered_five_times_and_for_ten_minutes() {
    let app = school(&[]).await;
    let ada = person(&app, "Ada", Role::Student).await;
    let (secret, _) = enable(&app, &ada).await;
    let asked = sign_in(&app, "ada@people.example").await["challenge"].take();
    for _ in 0..5 {
        assert_eq!(error(&complete(&app, &asked, "000000").await), "WRONG_CODE");
    }
    app.app.clock.advance(TimeDelta::minutes(1));
    assert_eq!(error(&complete(&app, &asked, &code(&app, &secret)).await), "SESSION_OVER");
    assert_eq!(app.sql("SELECT count(*) FROM audit_entries WHERE action = 'second_factor_failed'").await, "5");
    let asked = sign_in(&app, "ada@people.example").await["challenge"].take();
    app.app.clock.advance(TimeDelta::minutes(10));
    assert_eq!(error(&complete(&app, &asked, &code(&app, &secret)).await), "SESSION_OVER");
    assert_eq!(error(&complete(&app, &json!({ "token": "lyc_nonsense" }), "000000").await), "SESSION_OVER");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_who_use_one_code_at_once_one_gets_in() {
    let app = school(&[]).await;
    for round in 0..6 {
        let ada = person(&app, &format!("Ada{round}"), Role::Student).await;
        let (secret, recovery) = enable(&app, &ada).await;
        let code = if round % 2 == 0 { code(&app, &secret) } else { recovery[0].clone() };
        let mut questions = Vec::new();
        for _ in 0..5 {
            questions.push(sign_in(&app, &format!("ada{round}@people.example")).await["challenge"].take());
        }
        let answers = futures_util::future::join_all(questions.iter().map(|asked| complete(&app, asked, &code))).await;
        let opened = answers.iter().filter(|answer| answer["accessToken"].is_string()).count();
        assert_eq!(opened, 1, "{code}: {answers:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recovery_code_helps_once_and_its_owner_is_told() {
    let app = school(&[]).await;
    let ada = person(&app, "Ada", Role::Student).await;
    let (secret, codes) = enable(&app, &ada).await;
    assert_eq!(codes.len(), 10);
    let stored = app.sql("SELECT string_agg(hash::text, ',') FROM recovery_codes").await;
    assert!(codes.iter().all(|code| !stored.contains(code)), "{stored}");
    let asked = sign_in(&app, "ada@people.example").await["challenge"].take();
    let typed = codes[0].to_lowercase().replace('-', "");
    let signed_in = complete(&app, &asked, &typed).await;
    let token = signed_in["accessToken"].as_str().unwrap().to_owned();
    let left = app.data(Some(&token), "{ viewer { secondFactor { recoveryCodesLeft } } }", json!({})).await;
    assert_eq!(left["viewer"]["secondFactor"]["recoveryCodesLeft"], 9);
    let asked = sign_in(&app, "ada@people.example").await["challenge"].take();
    assert_eq!(error(&complete(&app, &asked, &codes[0]).await), "WRONG_CODE");
    let ada = User { id: ada.id, token };
    let renewed = app.mutate(&ada, "renewRecoveryCodes", "recoveryCodes", json!({ "code": code(&app, &secret) })).await;
    assert_eq!(renewed["recoveryCodes"].as_array().unwrap().len(), 10);
    assert_eq!(error(&complete(&app, &asked, &codes[1]).await), "WRONG_CODE", "the old ones are worthless");
    app.settle().await;
    let mut subjects: Vec<String> = app.mails.lock().unwrap().iter().map(|mail| mail.subject.clone()).collect();
    subjects.sort();
    assert_eq!(subjects, ["A recovery code was used", "New recovery codes were made", "Two-step sign-in is on"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn setting_it_up_takes_the_password_and_giving_it_up_a_code() {
    let app = school(&[]).await;
    let ada = person(&app, "Ada", Role::Student).await;
    let start = "mutation ($input: StartSecondFactorInput!) { startSecondFactor(input: $input) {
        secret userErrors { code } } }";
    let data = app.data(Some(&ada.token), start, json!({ "input": { "password": "a wrong password" } })).await;
    assert_eq!(error(&data["startSecondFactor"]), "WRONG_CREDENTIALS");
    let confirm = "mutation { confirmSecondFactor(input: { code: \"123456\" }) { recoveryCodes userErrors { code } } }";
    let data = app.data(Some(&ada.token), confirm, json!({})).await;
    assert_eq!(error(&data["confirmSecondFactor"]), "NOT_ALLOWED", "nothing was started");
    // Only the last one that was started counts, and none before its first code.
    app.mutate(&ada, "startSecondFactor", "secret", json!({ "password": PASSWORD })).await;
    assert_eq!(sign_in(&app, "ada@people.example").await["challenge"], Value::Null);
    let (secret, _) = enable(&app, &ada).await;
    let refused = app.send(Some(&ada.token), "{ viewer { user { id } } }", json!({})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "tokens are renewed: {refused:#}");
    let asked = sign_in(&app, "ada@people.example").await["challenge"].take();
    let token = complete(&app, &asked, &code(&app, &secret)).await["accessToken"].as_str().unwrap().to_owned();
    let disable = "mutation ($input: DisableSecondFactorInput!) { disableSecondFactor(input: $input) {
        disabled userErrors { code } } }";
    let give_up = async |code: String| {
        app.data(Some(&token), disable, json!({ "input": { "code": code } })).await["disableSecondFactor"].take()
    };
    assert_eq!(error(&give_up("000000".into()).await), "WRONG_CODE");
    later(&app);
    assert_eq!(give_up(code(&app, &secret)).await["disabled"], true);
    assert!(sign_in(&app, "ada@people.example").await["accessToken"].is_string());
    let sealed = app.sql("SELECT count(*) FROM second_factors").await;
    assert_eq!(sealed, "0", "the secret is gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_who_needs_one_has_no_powers_without() {
    let app = school(&[("LYCEUM_REQUIRE_SECOND_FACTOR", "admins")]).await;
    let root = person(&app, "Root", Role::Admin).await;
    let bob = person(&app, "Bob", Role::Student).await;
    let promote = "mutation ($input: ChangeUserRoleInput!) { changeUserRole(input: $input) { user { role } } }";
    let promote = async |token: &str| {
        app.send(Some(token), promote, json!({ "input": { "userId": bob.id, "role": "INSTRUCTOR" } })).await
    };
    let signed_in = sign_in(&app, "root@people.example").await;
    assert_eq!(signed_in["secondFactorRequired"], true, "{signed_in:#}");
    let root = User { id: root.id, token: signed_in["accessToken"].as_str().unwrap().into() };
    let refused = promote(&root.token).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN", "{refused:#}");
    // A token for programs is no way around it.
    let input = json!({ "name": "All", "scopes": ["READ_USERS"], "expiresAt": "2026-12-20T09:00:00Z" });
    let made = app.mutate(&root, "createApiToken", "token", input).await;
    let users = "{ users { totalCount } }";
    let body = app.send(made["token"].as_str(), users, json!({})).await;
    assert_eq!(body["errors"][0]["extensions"]["code"], "FORBIDDEN", "{body:#}");
    let (secret, _) = enable(&app, &root).await;
    app.app.clock.advance(chrono::TimeDelta::seconds(31));
    let body = app.send(made["token"].as_str(), users, json!({})).await;
    assert_eq!(body["data"]["users"]["totalCount"], 2, "{body:#}");
    // Refreshing is enough: the session was there before.
    let refresh = "mutation ($input: RefreshSessionInput!) { refreshSession(input: $input) { accessToken } }";
    let input = json!({ "input": { "refreshToken": signed_in["refreshToken"] } });
    let token = app.data(None, refresh, input).await["refreshSession"]["accessToken"].as_str().unwrap().to_owned();
    let body = promote(&token).await;
    assert_eq!(body["data"]["changeUserRole"]["user"]["role"], "INSTRUCTOR", "{body:#}");
    // Giving it up gives the powers up.
    let root = User { id: root.id, token };
    app.mutate(&root, "disableSecondFactor", "disabled", json!({ "code": code(&app, &secret) })).await;
    let body = promote(&root.token).await;
    assert_eq!(body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{body:#}");
    let student = sign_in(&app, "bob@people.example").await;
    assert_eq!(student["secondFactorRequired"], false, "only administrators need one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_helps_who_has_lost_everything() {
    let app = school(&[]).await;
    let (root, ada) = (person(&app, "Root", Role::Admin).await, person(&app, "Ada", Role::Student).await);
    enable(&app, &ada).await;
    let reset = "mutation ($input: ResetSecondFactorInput!) { resetSecondFactor(input: $input) {
        user { id } userErrors { code } } }";
    let bob = person(&app, "Bob", Role::Instructor).await;
    let body = app.send(Some(&bob.token), reset, json!({ "input": { "userId": ada.id } })).await;
    assert_eq!(body["errors"][0]["extensions"]["code"], "FORBIDDEN", "{body:#}");
    let own = app.send(Some(&root.token), reset, json!({ "input": { "userId": root.id } })).await;
    assert_eq!(own["errors"][0]["extensions"]["code"], "FORBIDDEN", "{own:#}");
    app.mutate(&root, "resetSecondFactor", "user { id }", json!({ "userId": ada.id })).await;
    assert!(sign_in(&app, "ada@people.example").await["accessToken"].is_string());
    app.settle().await;
    assert!(app.mails.lock().unwrap().iter().any(|mail| mail.subject == "Two-step sign-in is off"));
}
