//! Access tokens that are not good: 401 before anything else happens.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use lyceum::platform::auth::{Grant, Role, Tokens};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, MODERN};
use crate::support::TestApp;
use crate::support::app::SECRET;

const VIEWER: &str = "{ viewer { user { id } } }";

async fn authorised_by(app: &TestApp, value: &str) -> Answer {
    Answer::to(app.graphql().header("authorization", value).json(&json!({ "query": VIEWER }))).await
}

fn grant(role: Role) -> Grant {
    Grant { user: Uuid::new_v4(), role, session: Uuid::new_v4(), version: 0 }
}

/// A token of three parts, the last one as it is.
fn token(header: Value, claims: &Value, signature: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", part(&header), part(claims))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_not_ours_is_a_401_whatever_it_claims() {
    let app = TestApp::start().await;
    let admin = app.user("Root", Role::Admin).await;
    let lifetime = TimeDelta::hours(1);
    let foreign = Tokens::new("another secret of thirty-two bytes", &[], lifetime, app.app.clock.clone());
    let (foreign, _) = foreign.issue(grant(Role::Admin)).unwrap();
    let now = app.app.clock.now().timestamp();
    let claims = json!({ "iss": "lyceum", "sub": Uuid::new_v4(), "role": "ADMIN", "iat": now, "exp": now + 600 });
    let parts: Vec<&str> = admin.token.split('.').collect();
    let forged = "not valid";
    for (case, value, words) in [
        ("another key", format!("Bearer {foreign}"), forged),
        ("no algorithm", format!("Bearer {}", token(json!({ "alg": "none", "typ": "JWT" }), &claims, "")), forged),
        ("other claims", format!("Bearer {}", token(json!({ "alg": "HS256" }), &claims, parts[2])), forged),
        ("another algorithm", format!("Bearer {}", token(json!({ "alg": "HS512" }), &claims, parts[2])), forged),
        ("no signature", format!("Bearer {}.{}.", parts[0], parts[1]), forged),
        ("two parts", format!("Bearer {}.{}", parts[0], parts[1]), forged),
        ("nonsense", "Bearer nonsense".to_owned(), forged),
        ("nothing", "Bearer ".to_owned(), "Bearer"),
        ("another scheme", format!("Basic {}", admin.token), "must be `Bearer`"),
        ("no scheme", admin.token.clone(), "must be `Bearer`"),
        ("the secret itself", format!("Bearer {SECRET}"), forged),
    ] {
        let answer = authorised_by(&app, &value).await;
        answer.refuses(case, 401, "UNAUTHENTICATED", &[words]);
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{case}");
        let modern = app.graphql().header("authorization", &value).header("accept", MODERN);
        Answer::to(modern.json(&json!({ "query": VIEWER }))).await.refuses(case, 401, "UNAUTHENTICATED", &[words]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_good_to_the_last_second_and_no_longer() {
    let app = TestApp::with(&[("LYCEUM_TOKEN_MINUTES", "10")]).await;
    let ada = app.user("Ada", Role::Student).await;
    let bearer = format!("bearer {}", ada.token);
    app.app.clock.advance(TimeDelta::seconds(599));
    assert_eq!(authorised_by(&app, &bearer).await.body()["data"]["viewer"]["user"]["id"], ada.id);
    app.app.clock.advance(TimeDelta::seconds(1));
    let answer = authorised_by(&app, &bearer).await;
    answer.refuses("expired", 401, "UNAUTHENTICATED", &["has expired", "refresh the session or sign in again"]);
    assert_eq!(answer.header("www-authenticate"), "Bearer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mutation_with_a_bad_token_does_nothing() {
    let app = TestApp::start().await;
    let register = r#"mutation { register(input: { email: "eve@people.example", name: "Eve", password: "long enough to count" }) { registration { id } } }"#;
    let request = app.graphql().bearer_auth("nonsense").json(&json!({ "query": register }));
    Answer::to(request).await.refuses("register", 401, "UNAUTHENTICATED", &["not valid"]);
    app.settle().await;
    assert!(app.mails.lock().unwrap().is_empty(), "nobody was registered");
}
