//! Sessions from the outside: refresh tokens, cookies, and how fast and where the end of a session counts.

mod browser;
mod cookies;
mod keys;
mod limits;
mod outages;
mod races;
mod refresh;
mod revoking;
mod secrets;
mod sockets;

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::PASSWORD;
use crate::support::TestApp;

const SIGN_IN: &str = "mutation ($input: SignInInput!) { signIn(input: $input) { user { id role }
    accessToken expiresAt refreshToken refreshExpiresAt userErrors { code field message } } }";
const REFRESH: &str = "mutation ($input: RefreshSessionInput!) { refreshSession(input: $input) { user { id role }
    accessToken expiresAt refreshToken refreshExpiresAt userErrors { code field message } } }";
const SIGN_OUT: &str = "mutation ($input: SignOutInput!) { signOut(input: $input) { endedCount userErrors { code } } }";
const REVOKE: &str = "mutation ($input: RevokeSessionInput!) { revokeSession(input: $input) { sessionId
    userErrors { code field } } }";
const SESSIONS: &str = "{ viewer { sessions(first: 100) { totalCount nodes { id device { name browser os } ip createdAt
    lastUsedAt expiresAt isCurrent } } } }";
const VIEWER: &str = "{ viewer { user { id role } } }";
/// How soon the end of a session counts everywhere.
const SOON: Duration = Duration::from_secs(1);

/// Somebody with an account, by the address `name@people.example`; the id.
async fn somebody(app: &TestApp, name: &str) -> String {
    app.account(&address(name), name, PASSWORD).await
}

fn address(name: &str) -> String {
    format!("{name}@people.example")
}

/// A client that keeps its tokens itself, like an app on a phone.
#[derive(Clone)]
struct Phone {
    client: reqwest::Client,
    url: String,
    agent: String,
    /// What `X-Forwarded-For` says.
    forwarded: Option<String>,
    access: String,
    refresh: String,
}

impl Phone {
    /// Nobody is signed in yet. `url` is the node's.
    fn new(url: &str, agent: &str) -> Phone {
        let (url, agent) = (url.to_owned(), agent.to_owned());
        let (access, refresh) = (String::new(), String::new());
        Phone { client: crate::support::http::client(), url, agent, forwarded: None, access, refresh }
    }

    /// Signed in as `name`.
    async fn of(app: &TestApp, name: &str) -> Phone {
        let mut phone = Phone::new(&app.url, "lyceum-phone/1.0");
        phone.sign_in(&address(name), PASSWORD).await;
        phone
    }

    /// The same client, talking to another node.
    fn on(&self, node: &TestApp) -> Phone {
        Phone { url: node.url.clone(), ..self.clone() }
    }

    async fn send_as(&self, token: Option<&str>, query: &str, variables: Value) -> Value {
        let mut request = self.client.post(format!("{}/graphql", self.url)).header("user-agent", &self.agent);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(forwarded) = &self.forwarded {
            request = request.header("x-forwarded-for", forwarded);
        }
        let response = request.json(&json!({ "query": query, "variables": variables })).send().await.unwrap();
        response.json().await.unwrap()
    }

    /// The response to an operation.
    async fn send(&self, query: &str, variables: Value) -> Value {
        self.send_as(Some(&self.access), query, variables).await
    }

    /// The root field of an operation that must succeed.
    async fn ask(&self, path: &str, query: &str, variables: Value) -> Value {
        let mut body = self.send(query, variables).await;
        assert!(body.get("errors").is_none(), "{query}\n{body:#}");
        body["data"].pointer_mut(&format!("/{path}")).unwrap().take()
    }

    /// Signs in; the payload.
    async fn sign_in(&mut self, email: &str, password: &str) -> Value {
        let input = json!({ "email": email, "password": password });
        let mut body = self.send_as(None, SIGN_IN, json!({ "input": input })).await;
        self.keep(body["data"]["signIn"].take())
    }

    /// The payload of `refreshSession` for a token, which may be an old one. Nothing is kept of it.
    async fn exchange(&self, token: &str) -> Value {
        let input = json!({ "input": { "refreshToken": token } });
        let mut body = self.send_as(None, REFRESH, input).await;
        assert!(body.get("errors").is_none(), "{body:#}");
        body["data"]["refreshSession"].take()
    }

    /// Refreshes the session; the payload.
    async fn renew(&mut self) -> Value {
        let payload = self.exchange(&self.refresh).await;
        self.keep(payload)
    }

    /// Keeps the tokens of a payload, if it has any.
    fn keep(&mut self, payload: Value) -> Value {
        if let (Some(access), Some(refresh)) = (payload["accessToken"].as_str(), payload["refreshToken"].as_str()) {
            (self.access, self.refresh) = (access.to_owned(), refresh.to_owned());
        }
        payload
    }

    /// Whether the access token is accepted; nothing but a 401 stands for a no.
    async fn is_in(&self) -> bool {
        let body = self.send(VIEWER, json!({})).await;
        if body.get("errors").is_none() {
            assert!(body["data"]["viewer"]["user"]["id"].is_string(), "{body:#}");
            return true;
        }
        assert_eq!(body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{body:#}");
        false
    }

    /// The id of its session.
    async fn session(&self) -> String {
        let sessions = self.ask("viewer/sessions", SESSIONS, json!({})).await;
        let current = sessions["nodes"].as_array().unwrap().iter().find(|session| session["isCurrent"] == true);
        current.unwrap_or_else(|| panic!("{sessions:#}"))["id"].as_str().unwrap().to_owned()
    }
}

/// The code of the first user error, empty if there is none.
fn code(payload: &Value) -> &str {
    payload["userErrors"][0]["code"].as_str().unwrap_or_default()
}

/// Waits until `over` holds; it must take no longer than the promised second. Half of another one is for a machine
/// that is busy with other tests: what is checked is the list that is read twice a second, not the scheduler.
async fn soon(what: &str, over: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !over().await {
        assert!(begun.elapsed() < SOON + Duration::from_millis(500), "{what} takes too long");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until a node's list of revoked tokens is believed, so that nothing is asked of the database.
async fn warm(app: &TestApp) {
    crate::support::eventually("the list of ended sessions is read", async || app.app.revocations.is_fresh()).await;
}
