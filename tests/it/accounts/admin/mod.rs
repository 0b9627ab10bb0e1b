//! What administrators do: list and search users, ban, read the audit trail.

mod audit;
mod bans;
mod bulk;
mod directory;
mod permissions;
mod sessions;
mod team;

use lyceum::accounts::{self, ImportedUser};
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::TestApp;

const PASSWORD: &str = "correct horse battery";
const SIGN_IN: &str = "mutation ($input: SignInInput!) { signIn(input: $input) {
    user { id } accessToken refreshToken userErrors { code field message } } }";
const BAN: &str = "mutation ($input: BanUserInput!) { banUser(input: $input) {
    user { id ban { reason startedAt endsAt } } userErrors { code field message } } }";
const UNBAN: &str = "mutation ($input: UnbanUserInput!) { unbanUser(input: $input) {
    user { id ban { reason } } userErrors { code field message } } }";
const CHANGE_ROLE: &str = "mutation ($input: ChangeUserRoleInput!) { changeUserRole(input: $input) {
    user { id role } userErrors { code field message } } }";
const VIEWER: &str = "{ viewer { user { id } } }";

/// Somebody with [`PASSWORD`], who has not signed in yet; returns the id.
async fn person(app: &TestApp, name: &str, role: Role) -> String {
    let password_hash = app.app.passwords.hash(PASSWORD.into()).await.unwrap();
    let email = format!("{}@people.example", name.to_lowercase());
    let person = ImportedUser { email, name: name.into(), role, password_hash };
    accounts::import(&app.app, &[person]).await.unwrap()[0].id.encode()
}

/// The payload of `signIn`.
async fn sign_in(app: &TestApp, name: &str, password: &str) -> Value {
    let input = json!({ "email": format!("{name}@people.example"), "password": password });
    app.data(None, SIGN_IN, json!({ "input": input })).await["signIn"].take()
}

/// The whole response to `banUser`.
async fn ban(app: &TestApp, token: &str, user: &str, until: Value) -> Value {
    let input = json!({ "userId": user, "reason": "Advertisements.", "endsAt": until });
    app.send(Some(token), BAN, json!({ "input": input })).await
}

/// The whole response to `changeUserRole`.
async fn change_role(app: &TestApp, token: &str, user: &str, role: &str) -> Value {
    app.send(Some(token), CHANGE_ROLE, json!({ "input": { "userId": user, "role": role } })).await
}

/// The code of a response's first error.
fn code(body: &Value) -> &str {
    body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
}

/// The first user error of a payload: its code, field and message.
fn user_error(payload: &Value) -> (&str, &Value, &str) {
    let error = &payload["userErrors"][0];
    (error["code"].as_str().unwrap_or_default(), &error["field"], error["message"].as_str().unwrap_or_default())
}
