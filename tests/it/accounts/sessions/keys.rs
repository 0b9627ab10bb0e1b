//! Access tokens and the keys that sign them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use lyceum::platform::auth::{Grant, Role, Tokens};
use serde_json::{Value, json};
use uuid::Uuid;

use super::browser::Page;
use super::{Phone, VIEWER, somebody};
use crate::support::TestApp;
use crate::support::app::SECRET;
use crate::support::socket::{Closed, Socket};

const OLD: &str = "the secret of the year before this one";
const UNKNOWN: &str = "a secret that this server has never had";

/// A part of a token, decoded.
fn part(token: &str, index: usize) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap()).unwrap()
}

fn sign(algorithm: Algorithm, key_id: &Value, claims: &Value, secret: &str) -> String {
    let header = Header { kid: key_id.as_str().map(str::to_owned), ..Header::new(algorithm) };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

/// A token without a signature.
fn unsigned(header: Value, claims: &Value) -> String {
    format!("{}.{}.", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// As `phone`'s token, but signed with another secret, as a node did that has not been given the new one yet.
fn signed_with(app: &TestApp, phone: &Phone, secret: &str) -> String {
    let claims = part(&phone.access, 1);
    let id = |name: &str| claims[name].as_str().unwrap().parse::<Uuid>().unwrap();
    let grant = Grant { user: id("sub"), role: Role::Student, session: id("sid"), version: 0 };
    Tokens::new(secret, &[], TimeDelta::hours(1), app.app.clock.clone()).issue(grant).unwrap().0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_replaced_without_signing_anybody_out() {
    let app = TestApp::with(&[("LYCEUM_PREVIOUS_SECRETS", OLD)]).await;
    let id = somebody(&app, "ada").await;
    let mut phone = Phone::of(&app, "ada").await;
    let old = signed_with(&app, &phone, OLD);
    let (old_key, new_key) = (part(&old, 0)["kid"].clone(), part(&phone.access, 0)["kid"].clone());
    assert!(old_key.is_string() && new_key.is_string() && old_key != new_key, "{old_key} {new_key}");
    let viewer = phone.send_as(Some(&old), VIEWER, json!({})).await;
    assert_eq!(viewer["data"]["viewer"]["user"]["id"], *id, "{viewer:#}");
    Socket::connect(&app.url, Some(&old)).await;
    phone.access = old.clone();
    phone.renew().await;
    assert_eq!(part(&phone.access, 0)["kid"], new_key, "what is issued is signed with the new one");
    // A revoked session is over, whichever key signed.
    phone.ask("signOut", super::SIGN_OUT, json!({ "input": {} })).await;
    for token in [&old, &phone.access] {
        let refused = phone.send_as(Some(token), VIEWER, json!({})).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{refused:#}");
    }
    // And on a server that was not told of the old secret, it is somebody else's.
    let forgetful = TestApp::start().await;
    let refused = Phone::new(&forgetful.url, "phone").send_as(Some(&old), VIEWER, json!({})).await;
    assert_eq!(refused["errors"][0]["message"], "The access token is not valid.", "{refused:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_forged_is_refused_wherever_it_is_shown() {
    let app = TestApp::with(&[("LYCEUM_PREVIOUS_SECRETS", OLD)]).await;
    let id = somebody(&app, "ada").await;
    let page = Page::of(&app);
    page.sign_in("ada").await;
    let mut phone = Phone::of(&app, "ada").await;
    let genuine = phone.access.clone();
    let (key, claims) = (part(&genuine, 0)["kid"].clone(), part(&genuine, 1));
    let old_key = part(&signed_with(&app, &phone, OLD), 0)["kid"].clone();
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        claims
    };
    let without = |name: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        claims
    };
    let hs256 = Algorithm::HS256;
    let parts: Vec<&str> = genuine.split('.').collect();
    let promoted = URL_SAFE_NO_PAD.encode(with("role", json!("ADMIN")).to_string());
    let signature = URL_SAFE_NO_PAD.encode([0; 32]);
    assert!(phone.is_in().await);
    phone.access = sign(hs256, &key, &claims, SECRET);
    assert!(phone.is_in().await, "the test is fair");
    for (case, token) in [
        ("another secret", sign(hs256, &key, &claims, UNKNOWN)),
        ("another secret, another key id", sign(hs256, &json!("0123456789abcdef"), &claims, UNKNOWN)),
        ("the old secret under the new key's id", sign(hs256, &key, &claims, OLD)),
        ("the new secret under the old key's id", sign(hs256, &old_key, &claims, SECRET)),
        ("no key id", sign(hs256, &Value::Null, &claims, SECRET)),
        ("another algorithm", sign(Algorithm::HS512, &key, &claims, SECRET)),
        ("another issuer", sign(hs256, &key, &with("iss", json!("elsewhere")), SECRET)),
        ("no issuer", sign(hs256, &key, &without("iss"), SECRET)),
        ("no end", sign(hs256, &key, &without("exp"), SECRET)),
        ("no session", sign(hs256, &key, &without("sid"), SECRET)),
        ("no version", sign(hs256, &key, &without("ver"), SECRET)),
        ("an unknown role", sign(hs256, &key, &with("role", json!("GOD")), SECRET)),
        ("alg none", unsigned(json!({ "alg": "none", "typ": "JWT", "kid": key }), &claims)),
        ("alg None", unsigned(json!({ "alg": "None", "typ": "JWT", "kid": key }), &claims)),
        ("alg none with a signature", unsigned(json!({ "alg": "none", "kid": key }), &claims) + parts[2]),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("a signature of nothing", format!("{}.{}.{signature}", parts[0], parts[1])),
        ("other claims", format!("{}.{promoted}.{}", parts[0], parts[2])),
        ("its end is over", sign(hs256, &key, &with("exp", json!(app.app.clock.now().timestamp())), SECRET)),
    ] {
        let answer = phone.send_as(Some(&token), VIEWER, json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{case}: {answer:#}");
        assert!(answer.get("data").is_none(), "{case}: {answer:#}");
        let mut socket = Socket::open(&app.url).await;
        socket.greet(Some(&token)).await;
        let Closed { code, reason } = socket.closed().await;
        assert!(code == 4403 && reason.starts_with("Forbidden: The access token"), "{case}: {code} {reason}");
        // In a cookie it is nobody's.
        let mut cookies = page.cookies();
        cookies.get_mut("lyceum-access").unwrap().value = token;
        let genuine = page.cookies();
        page.plant(cookies);
        assert_eq!(page.viewer().await, Value::Null, "{case}");
        page.plant(genuine);
    }
    assert_eq!(page.viewer().await, json!(id));
}
