//! As much of GitHub as a sign-in needs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use url::{Url, form_urlencoded};
use uuid::Uuid;

pub(crate) const CLIENT_ID: &str = "Iv1.lyceum";
pub(crate) const CLIENT_SECRET: &str = "octopus";
const TOKEN: &str = "gho_token";

type Params = HashMap<String, String>;

pub(crate) struct GitHubStandIn {
    pub(crate) url: Url,
    inside: Arc<Mutex<Inside>>,
}

struct Inside {
    user: Value,
    addresses: Value,
    codes: HashMap<String, Params>,
}

type Shared = Arc<Mutex<Inside>>;

impl GitHubStandIn {
    pub(crate) async fn start() -> GitHubStandIn {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let inside = Inside { user: json!({}), addresses: json!([]), codes: HashMap::new() };
        let inside = Arc::new(Mutex::new(inside));
        let router = Router::new()
            .route("/login/oauth/authorize", get(authorize))
            .route("/login/oauth/access_token", post(token))
            .route("/user", get(user))
            .route("/user/emails", get(addresses))
            .with_state(inside.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        GitHubStandIn { url, inside }
    }

    /// Who is signed in there, as its interface tells.
    pub(crate) fn person(&self, user: Value, addresses: Value) {
        let mut inside = self.inside.lock().unwrap();
        (inside.user, inside.addresses) = (user, addresses);
    }
}

async fn authorize(State(state): State<Shared>, Query(params): Query<Params>) -> Redirect {
    assert_eq!(params["client_id"], CLIENT_ID);
    assert_eq!((&*params["scope"], &*params["code_challenge_method"]), ("user:email", "S256"));
    let mut back = Url::parse(&params["redirect_uri"]).unwrap();
    let code = Uuid::new_v4().to_string();
    back.query_pairs_mut().append_pair("code", &code).append_pair("state", &params["state"]);
    state.lock().unwrap().codes.insert(code, params);
    Redirect::to(back.as_str())
}

/// Answers 200 with an error in it, as GitHub does.
async fn token(State(state): State<Shared>, headers: HeaderMap, body: String) -> Json<Value> {
    assert_eq!(headers["accept"], "application/json");
    let form: Params = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    if form["client_id"] != CLIENT_ID || form["client_secret"] != CLIENT_SECRET {
        return Json(json!({ "error": "incorrect_client_credentials" }));
    }
    let granted = state.lock().unwrap().codes.remove(&form["code"]);
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
    let good = granted.is_some_and(|granted| {
        granted["code_challenge"] == challenge && granted["redirect_uri"] == form["redirect_uri"]
    });
    Json(if good {
        json!({ "access_token": TOKEN, "token_type": "bearer", "scope": "user:email" })
    } else {
        json!({ "error": "bad_verification_code", "error_description": "The code passed is incorrect or expired." })
    })
}

async fn user(State(state): State<Shared>, headers: HeaderMap) -> Response {
    answer(&headers, || state.lock().unwrap().user.clone())
}

async fn addresses(State(state): State<Shared>, headers: HeaderMap) -> Response {
    answer(&headers, || state.lock().unwrap().addresses.clone())
}

fn answer(headers: &HeaderMap, value: impl FnOnce() -> Value) -> Response {
    // GitHub refuses requests without it.
    assert!(headers.contains_key("user-agent"));
    if headers.get("authorization").is_none_or(|found| found != &format!("Bearer {TOKEN}")) {
        return axum::http::StatusCode::UNAUTHORIZED.into_response();
    }
    Json(value()).into_response()
}
