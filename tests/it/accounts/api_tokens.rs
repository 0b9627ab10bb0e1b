//! Personal API tokens from their making to their end.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use futures_util::StreamExt;
use lyceum::accounts;
use lyceum::platform::auth::{Client, Role, hash_token, opaque};
use serde_json::{Value, json};

use crate::support::socket::{Closed, PATIENCE, Socket};
use crate::support::{TestApp, User};

const CREATE: &str = "mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) {
    apiToken { id name scopes createdAt expiresAt lastUsedAt lastUsedIp } token userErrors { code field message } } }";
const REVOKE: &str = "mutation ($input: RevokeApiTokenInput!) { revokeApiToken(input: $input) {
    apiTokenId userErrors { code field message } } }";
const LIST: &str = "{ viewer { apiTokens { totalCount nodes { id name scopes expiresAt lastUsedAt lastUsedIp } } } }";
const VIEWER: &str = "{ viewer { user { id email } } }";
const CREATE_COURSE: &str = "mutation ($input: CreateCourseInput!) { createCourse(input: $input) {
    course { id slug status } userErrors { code } } }";
const EVERYTHING: [&str; 6] =
    ["READ_ACCOUNT", "READ_COURSES", "WRITE_COURSES", "READ_LEARNING", "WRITE_LEARNING", "READ_USERS"];

/// A token as its owner's program has it.
struct Token {
    id: String,
    text: String,
}

fn input(app: &TestApp, scopes: &[&str], life: TimeDelta) -> Value {
    json!({ "name": "importer", "scopes": scopes, "expiresAt": app.app.clock.now() + life })
}

async fn make_for(app: &TestApp, user: &User, scopes: &[&str], life: TimeDelta) -> Token {
    let variables = json!({ "input": input(app, scopes, life) });
    let made = app.data(Some(&user.token), CREATE, variables).await["createApiToken"].take();
    assert_eq!(made["userErrors"], json!([]));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Token { id: text(&made["apiToken"]["id"]), text: text(&made["token"]) }
}

async fn make(app: &TestApp, user: &User, scopes: &[&str]) -> Token {
    make_for(app, user, scopes, TimeDelta::days(30)).await
}

async fn revoke(app: &TestApp, user: &User, token: &Token) -> Value {
    let input = json!({ "apiTokenId": token.id });
    app.data(Some(&user.token), REVOKE, json!({ "input": input })).await["revokeApiToken"].take()
}

/// The status and the body of a request with this token from this address, as the proxy in front tells it.
async fn from(app: &TestApp, address: &str, token: &str, query: &str) -> (u16, Value) {
    let request = app.client.post(format!("{}/graphql", app.url)).bearer_auth(token).header("x-forwarded-for", address);
    let response = request.json(&json!({ "query": query })).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn status(app: &TestApp, token: &str) -> u16 {
    from(app, "192.0.2.1", token, "{ __typename }").await.0
}

/// Waits until it is so; returns how long it took.
async fn until(what: &str, is_so: impl AsyncFn() -> bool) -> Duration {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    started.elapsed()
}

/// Waits until the first use of any token is written down, so that it does not disturb what is counted.
async fn until_noted(app: &TestApp) {
    let sql = "SELECT count(*) FROM audit_entries WHERE action = 'api_token_used'";
    until("the use is written down", async || app.sql(sql).await != "0").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_shown_once_and_stored_as_a_hash() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Student).await;
    let variables =
        json!({ "input": input(&app, &["READ_ACCOUNT", "WRITE_COURSES", "READ_ACCOUNT"], TimeDelta::days(366)) });
    let made = app.data(Some(&ada.token), CREATE, variables).await["createApiToken"].take();
    let token = made["token"].as_str().unwrap();
    assert!(token.starts_with("lyp_") && token.len() == 47, "{token}");
    assert!(made["apiToken"]["id"].as_str().unwrap().starts_with("api_token_"), "{made:#}");
    assert_eq!(made["apiToken"]["scopes"], json!(["READ_ACCOUNT", "WRITE_COURSES"]));
    assert_eq!(made["apiToken"]["expiresAt"], "2027-11-21T09:00:00+00:00");
    assert_eq!(made["apiToken"]["lastUsedAt"], Value::Null);

    let hash: String = hash_token(token).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(app.sql("SELECT encode(hash, 'hex') FROM api_tokens").await, hash);
    let secret = &token[4..];
    for table in ["api_tokens", "audit_entries", "events", "jobs"] {
        let found = app.sql(&format!("SELECT count(*) FROM {table} AS row WHERE row::text LIKE '%{secret}%'")).await;
        assert_eq!(found, "0", "{table}");
    }
    let listed = app.data(Some(&ada.token), LIST, json!({})).await["viewer"]["apiTokens"].take();
    assert_eq!(listed["totalCount"], 1);
    assert_eq!(listed["nodes"][0]["id"], made["apiToken"]["id"]);
    assert!(!listed.to_string().contains(secret));
    let audited = app.sql("SELECT details->>'name' || ' ' || (details->'scopes')::text FROM audit_entries WHERE action = 'api_token_created'");
    assert_eq!(audited.await, r#"importer ["READ_ACCOUNT", "WRITE_COURSES"]"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_is_wrong_with_a_new_token_comes_at_once() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Student).await;
    let errors = async |input: Value| {
        let made = app.data(Some(&ada.token), CREATE, json!({ "input": input })).await["createApiToken"].take();
        assert_eq!((&made["apiToken"], &made["token"]), (&Value::Null, &Value::Null), "{made:#}");
        let errors = made["userErrors"].as_array().unwrap().iter();
        errors.map(|error| format!("{} {}", error["code"].as_str().unwrap(), error["field"])).collect::<Vec<_>>()
    };
    let now = app.app.clock.now();
    let all = errors(json!({ "name": " ", "scopes": [], "expiresAt": now })).await;
    assert_eq!(all, [r#"BLANK ["name"]"#, r#"BLANK ["scopes"]"#, r#"OUT_OF_RANGE ["expiresAt"]"#]);
    let late = now + TimeDelta::days(366) + TimeDelta::seconds(1);
    let long = json!({ "name": "x".repeat(101), "scopes": ["READ_USERS"], "expiresAt": late });
    assert_eq!(errors(long).await, [r#"TOO_LONG ["name"]"#, r#"OUT_OF_RANGE ["expiresAt"]"#]);
    assert_eq!(app.sql("SELECT count(*) FROM api_tokens").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_at_once_are_not_both_the_last_that_is_allowed() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Student).await;
    let bob = app.user("Bob", Role::Student).await;
    make(&app, &ada, &["READ_ACCOUNT"]).await;
    // With those that do not count: revoked, expired, somebody else's.
    for (number, whose, revoked, expires) in [
        (98, "ada", "NULL::timestamptz", "1 day"),
        (50, "ada", "created_at", "1 day"),
        (50, "ada", "NULL", "-1 day"),
        (50, "bob", "NULL", "1 day"),
    ] {
        app.sql(&format!(
            "INSERT INTO api_tokens (id, user_id, name, hash, scopes, created_at, expires_at, revoked_at)
             SELECT gen_random_uuid(), users.id, 'x', sha256(gen_random_uuid()::text::bytea), scopes,
                 api_tokens.created_at - interval '2 days', api_tokens.created_at + interval '{expires}', {}
             FROM api_tokens, users, generate_series(1, {number}) WHERE api_tokens.name = 'importer'
                 AND users.email = '{whose}@people.example'",
            revoked.replace("created_at", "api_tokens.created_at")
        ))
        .await;
    }
    let variables = json!({ "input": input(&app, &["READ_ACCOUNT"], TimeDelta::days(1)) });
    let (one, two) = tokio::join!(
        app.data(Some(&ada.token), CREATE, variables.clone()),
        app.data(Some(&ada.token), CREATE, variables.clone())
    );
    let mut codes = [one, two].map(|data| data["createApiToken"]["userErrors"][0]["code"].to_string());
    codes.sort();
    assert_eq!(codes, [r#""NOT_ALLOWED""#, "null"]);
    make(&app, &bob, &["READ_ACCOUNT"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_acts_for_its_owner_within_its_scopes() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let author = make(&app, &ada, &["WRITE_COURSES"]).await;
    let reader = make(&app, &ada, &["READ_ACCOUNT"]).await;
    let course = json!({ "input": { "title": "Imported" } });

    let refused = app.send(Some(&reader.text), CREATE_COURSE, course.clone()).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN", "{refused:#}");
    assert_eq!(
        app.data(Some(&reader.text), VIEWER, json!({})).await["viewer"]["user"],
        json!({ "id": ada.id, "email": "ada@people.example" })
    );

    let made = app.data(Some(&author.text), CREATE_COURSE, course).await["createCourse"].take();
    let slug = made["course"]["slug"].as_str().unwrap();
    let owner = app.sql("SELECT users.name FROM courses JOIN users ON users.id = instructor_id").await;
    assert_eq!((owner.as_str(), &made["course"]["status"]), ("Ada", &json!("DRAFT")));
    let draft = format!("{{ course(slug: \"{slug}\") {{ title }} }}");
    assert_eq!(app.data(Some(&author.text), &draft, json!({})).await["course"]["title"], "Imported");
    assert_eq!(app.data(Some(&reader.text), &draft, json!({})).await["course"], Value::Null);
    let partly = app.send(Some(&author.text), VIEWER, json!({})).await;
    assert_eq!(partly["data"]["viewer"]["user"], json!({ "id": ada.id, "email": null }), "it knows whose it is");
    assert_eq!(partly["errors"][0]["extensions"]["code"], "FORBIDDEN", "{partly:#}");

    // Neither makes nor ends tokens, lists them, nor ends sessions.
    let all = make(&app, &ada, &EVERYTHING).await;
    let (input, id) = (
        json!({ "input": input(&app, &EVERYTHING, TimeDelta::days(1)) }),
        json!({ "input": { "apiTokenId": all.id } }),
    );
    for (query, variables) in [(CREATE, input), (REVOKE, id), (LIST, json!({}))] {
        let refused = app.send(Some(&all.text), query, variables).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN", "{refused:#}");
        assert!(refused["errors"][0]["message"].as_str().unwrap().contains("session"), "{refused:#}");
    }
    let sign_out = "mutation { signOut(input: { sessions: ALL }) { endedCount userErrors { code } } }";
    let nobody = app.data(Some(&all.text), sign_out, json!({})).await;
    assert_eq!(nobody["signOut"], json!({ "endedCount": null, "userErrors": [{ "code": "BLANK" }] }));
    assert_eq!(app.sql("SELECT count(*) FROM api_tokens WHERE revoked_at IS NULL").await, "3");
    assert_eq!(app.sql("SELECT count(*) FROM sessions WHERE ended_at IS NOT NULL").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_comes_in_the_header_and_no_other_way() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Student).await;
    let token = make(&app, &ada, &["READ_ACCOUNT"]).await;
    let request = app.client.post(format!("{}/graphql", app.url)).json(&json!({ "query": VIEWER }));
    let cookie = request.header("cookie", format!("lyceum-access={}", token.text)).header("x-lyceum-csrf", "1");
    let body: Value = cookie.send().await.unwrap().json().await.unwrap();
    assert_eq!(body["data"]["viewer"]["user"], Value::Null, "{body:#}");
    for wrong in [&token.text[..46], &format!("{}A", token.text), "lyp_", "lyp_nonsense"] {
        let (status, body) = from(&app, "192.0.2.1", wrong, VIEWER).await;
        assert_eq!((status, &body["errors"][0]["extensions"]["code"]), (401, &json!("UNAUTHENTICATED")), "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_in_use_costs_no_statement() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Student).await;
    let token = make(&app, &ada, &["READ_ACCOUNT"]).await;
    assert_eq!(status(&app, &token.text).await, 200);
    until_noted(&app).await;
    // When this machine is so busy that the list of what has ended gets old, the database is asked: hence until.
    until("twenty requests without a statement", async || {
        let before = app.app.db.statements();
        for _ in 0..20 {
            assert_eq!(status(&app, &token.text).await, 200);
        }
        app.app.db.statements() == before
    })
    .await;
    // What is remembered is too old after half a minute. No round would do with one if each asked for itself.
    until("twenty requests at once with one statement", async || {
        app.app.clock.advance(TimeDelta::seconds(30));
        let before = app.app.db.statements();
        let client = Client::new(None, "test");
        let asking = (0..20).map(|_| accounts::authenticate(&app.app, &client, &token.text));
        assert!(futures_util::future::join_all(asking).await.iter().all(|actor| matches!(actor, Ok(Some(_)))));
        app.app.db.statements() == before + 1
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_token_does_not_reach_the_database_for_long() {
    let app = TestApp::with(&[("LYCEUM_PROXIES", "1")]).await;
    let ada = app.user("Ada", Role::Student).await;
    let token = make(&app, &ada, &["READ_ACCOUNT"]).await;
    assert_eq!(status(&app, &token.text).await, 200);
    until_noted(&app).await;

    let before = app.app.db.statements();
    let (unknown, _) = opaque("lyp_");
    for _ in 0..50 {
        assert_eq!(status(&app, &unknown).await, 401);
    }
    assert_eq!(app.app.db.statements(), before + 1, "the same text is looked up once");
    for _ in 0..200 {
        let (text, _) = opaque("lyp_");
        let answer = status(&app, &text).await;
        assert!(answer == 401 || answer == 429, "{answer}");
    }
    let spent = app.app.db.statements() - before;
    assert!((50..=110).contains(&spent), "{spent} statements");
    let (text, _) = opaque("lyp_");
    let request =
        app.client.post(format!("{}/graphql", app.url)).bearer_auth(&text).header("x-forwarded-for", "192.0.2.1");
    let refused = request.json(&json!({ "query": VIEWER })).send().await.unwrap();
    assert_eq!(refused.status(), 429);
    assert!(refused.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    let body: Value = refused.json().await.unwrap();
    assert_eq!(body["errors"][0]["extensions"]["code"], "RATE_LIMITED", "{body:#}");
    let mut socket = Socket::open(&app.url).await;
    socket.greet(Some(&text)).await;
    // The socket comes from another address than the requests: there it is looked up.
    assert_eq!(socket.receive().await.unwrap_err().code, 4403);

    // Who is known does not suffer, even when it is time to ask the database again.
    assert_eq!(status(&app, &token.text).await, 200);
    app.app.clock.advance(TimeDelta::seconds(30));
    until("the address has to wait again", async || status(&app, &opaque("lyp_").0).await == 429).await;
    let before = app.app.db.statements();
    assert_eq!(status(&app, &token.text).await, 200);
    assert_eq!(app.app.db.statements(), before + 1);
    assert_eq!(from(&app, "192.0.2.2", &opaque("lyp_").0, VIEWER).await.0, 401, "nor do other addresses");
    let fresh = make(&app, &ada, &["READ_ACCOUNT"]).await;
    assert_eq!(from(&app, "192.0.2.2", &fresh.text, VIEWER).await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn good_tokens_that_are_new_to_a_node_do_not_count_as_guesses() {
    let app = TestApp::start().await;
    let mut tokens = Vec::new();
    for name in ["Ada", "Bob"] {
        let user = app.user(name, Role::Student).await;
        for _ in 0..60 {
            tokens.push(make(&app, &user, &["READ_ACCOUNT"]).await);
        }
    }
    let requests = tokens.iter().map(|token| status(&app, &token.text));
    let answers: Vec<u16> = futures_util::stream::iter(requests).buffered(10).collect().await;
    assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_token_is_refused_on_every_node_and_its_sockets_close() {
    let (one, ada) = {
        let app = TestApp::start().await;
        let ada = app.user("Ada", Role::Student).await;
        (app, ada)
    };
    let two = one.peer().await;
    let (token, stays) = (make(&one, &ada, &["READ_ACCOUNT"]).await, make(&one, &ada, &["READ_ACCOUNT"]).await);
    for node in [&one, &two] {
        assert_eq!((status(node, &token.text).await, status(node, &stays.text).await), (200, 200));
    }
    let here = Socket::connect(&one.url, Some(&token.text)).await;
    let there = Socket::connect(&two.url, Some(&token.text)).await;
    assert_eq!(revoke(&one, &ada, &token).await, json!({ "apiTokenId": token.id, "userErrors": [] }));
    // The clock stands still: what the nodes remember does not get old.
    assert_eq!(status(&one, &token.text).await, 401, "at once where it was revoked");
    let took = until("the other node knows", async || status(&two, &token.text).await == 401).await;
    assert!(took < Duration::from_secs(5), "{took:?}; it is meant to be one, but the machine may be busy");
    let closed = || Closed { code: 4403, reason: "Forbidden: session revoked".into() };
    assert_eq!((here.closed().await, there.closed().await), (closed(), closed()));
    for node in [&one, &two] {
        assert_eq!(status(node, &stays.text).await, 200);
    }
    assert_eq!(two.sql("SELECT count(*) FROM audit_entries WHERE action = 'api_token_revoked'").await, "1");
    let listed = one.data(Some(&ada.token), LIST, json!({})).await["viewer"]["apiTokens"].take();
    assert_eq!((&listed["totalCount"], &listed["nodes"][0]["id"]), (&json!(1), &json!(stays.id)));
    let again = revoke(&one, &ada, &token).await;
    assert_eq!(again["userErrors"][0]["code"], "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_elses_token_is_not_found() {
    let app = TestApp::start().await;
    let (ada, eve) = (app.user("Ada", Role::Student).await, app.user("Eve", Role::Admin).await);
    let token = make(&app, &ada, &["READ_ACCOUNT"]).await;
    assert_eq!(revoke(&app, &eve, &token).await["userErrors"][0]["code"], "NOT_FOUND");
    assert_eq!(app.data(Some(&eve.token), LIST, json!({})).await["viewer"]["apiTokens"]["totalCount"], 0);
    assert_eq!(status(&app, &token.text).await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_ends_when_it_says_and_so_do_its_sockets() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Student).await;
    let token = make_for(&app, &ada, &["READ_ACCOUNT"], TimeDelta::seconds(10)).await;
    assert_eq!(status(&app, &token.text).await, 200);
    app.app.clock.advance(TimeDelta::seconds(9));
    assert_eq!(status(&app, &token.text).await, 200, "remembered");
    // One second is left of it, by the clock on the wall too.
    let socket = Socket::connect(&app.url, Some(&token.text)).await;
    assert_eq!(socket.closed().await, Closed { code: 4403, reason: "Forbidden: session expired".into() });
    app.app.clock.advance(TimeDelta::seconds(1));
    assert_eq!(status(&app, &token.text).await, 401, "remembered, but over");
    app.app.clock.advance(TimeDelta::minutes(5));
    let (status, body) = from(&app, "192.0.2.1", &token.text, VIEWER).await;
    assert_eq!((status, &body["errors"][0]["extensions"]["code"]), (401, &json!("UNAUTHENTICATED")));
    assert!(body["errors"][0]["message"].as_str().unwrap().contains("API token"), "{body:#}");
    let mut late = Socket::open(&app.url).await;
    late.greet(Some(&token.text)).await;
    assert_eq!(late.receive().await.unwrap_err().code, 4403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_follows_its_owners_role_and_ban() {
    let app = TestApp::start().await;
    let (ada, root) = (app.user("Ada", Role::Instructor).await, app.user("Root", Role::Admin).await);
    let token = make(&app, &ada, &["WRITE_COURSES"]).await;
    let create = async |title: &str| {
        let body = app.send(Some(&token.text), CREATE_COURSE, json!({ "input": { "title": title } })).await;
        body["errors"][0]["extensions"]["code"].as_str().unwrap_or("ok").to_owned()
    };
    assert_eq!(create("One").await, "ok");
    let socket = Socket::connect(&app.url, Some(&token.text)).await;
    app.mutate(&root, "changeUserRole", "user { role }", json!({ "userId": ada.id, "role": "STUDENT" })).await;
    assert_eq!(create("Two").await, "FORBIDDEN");
    assert_eq!(socket.closed().await.code, 4403, "it was an instructor's");
    Socket::connect(&app.url, Some(&token.text)).await;
    app.mutate(&root, "changeUserRole", "user { role }", json!({ "userId": ada.id, "role": "INSTRUCTOR" })).await;
    assert_eq!(create("Three").await, "ok");

    let peer = app.peer().await;
    assert_eq!(status(&peer, &token.text).await, 200);
    let there = Socket::connect(&peer.url, Some(&token.text)).await;
    let ban = json!({ "userId": ada.id, "reason": "spam", "endsAt": app.app.clock.now() + TimeDelta::minutes(10) });
    app.mutate(&root, "banUser", "user { id }", ban).await;
    assert_eq!(create("Four").await, "UNAUTHENTICATED", "at once where it was said");
    assert_eq!(there.closed().await.code, 4403);
    until("the other node knows", async || status(&peer, &token.text).await == 401).await;
    app.app.clock.advance(TimeDelta::minutes(10) - TimeDelta::seconds(30));
    assert_eq!(create("Five").await, "UNAUTHENTICATED");
    app.app.clock.advance(TimeDelta::seconds(30));
    assert_eq!(create("Six").await, "ok", "the ban is over");

    app.mutate(&root, "banUser", "user { id }", json!({ "userId": ada.id, "reason": "spam" })).await;
    assert_eq!(create("Seven").await, "UNAUTHENTICATED");
    app.mutate(&root, "unbanUser", "user { id }", json!({ "userId": ada.id })).await;
    app.app.clock.advance(TimeDelta::seconds(30));
    assert_eq!(create("Eight").await, "ok", "half a minute later at the latest");
    Socket::connect(&app.url, Some(&token.text)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gives_the_account_up_leaves_no_token() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Student).await;
    let token = make(&app, &ada, &["READ_ACCOUNT"]).await;
    assert_eq!(status(&app, &token.text).await, 200);
    app.sql("UPDATE users SET password_hash = NULL").await;
    app.mutate(&ada, "deleteAccount", "user { id }", json!({})).await;
    assert_eq!(status(&app, &token.text).await, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_nobody_tells_what_has_ended_the_database_is_asked() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Student).await;
    let token = make(&app, &ada, &["READ_ACCOUNT"]).await;
    let client = Client::new(None, "test");
    let good = async || accounts::authenticate(&app.app, &client, &token.text).await.unwrap().is_some();
    assert!(good().await);
    // The watch ends with the server.
    app.app.stopping.cancel();
    // Its last reading may still be on the way, for as long as its timeout.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    until("the list is old", async || !app.app.revocations.is_fresh()).await;
    assert!(good().await);
    app.sql("UPDATE api_tokens SET revoked_at = '2026-11-20 09:00:00Z'").await;
    assert!(!good().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_use_is_noted_once_a_minute_and_audited_once_a_day_for_each_address() {
    let app = TestApp::with(&[("LYCEUM_PROXIES", "1")]).await;
    let ada = app.user("Ada", Role::Student).await;
    let token = make(&app, &ada, &["READ_ACCOUNT"]).await;
    let used = async |address: &str| assert_eq!(from(&app, address, &token.text, "{ __typename }").await.0, 200);
    let last = async |at: &str, ip: &str| {
        let sql = "SELECT concat_ws(' ', to_char(last_used_at AT TIME ZONE 'UTC', 'DD HH24:MI:SS'), last_used_ip) FROM api_tokens";
        until(&format!("{at} {ip}"), async || app.sql(sql).await == format!("{at} {ip}")).await;
    };
    let audited = async |expected: &str| {
        let sql = "SELECT string_agg(to_char(at AT TIME ZONE 'UTC', 'DD HH24:MI ') || ip, ', ' ORDER BY at, ip) FROM audit_entries WHERE action = 'api_token_used'";
        until(expected, async || app.sql(sql).await == expected).await;
    };
    used("192.0.2.1").await;
    last("20 09:00:00", "192.0.2.1").await;
    audited("20 09:00 192.0.2.1").await;
    // A second address within the minute: on record, though not the last use.
    used("192.0.2.2").await;
    audited("20 09:00 192.0.2.1, 20 09:00 192.0.2.2").await;
    last("20 09:00:00", "192.0.2.1").await;
    app.app.clock.advance(TimeDelta::seconds(59));
    used("192.0.2.1").await;
    app.app.clock.advance(TimeDelta::seconds(1));
    used("192.0.2.2").await;
    last("20 09:01:00", "192.0.2.2").await;
    let listed = app.data(Some(&ada.token), LIST, json!({})).await["viewer"]["apiTokens"]["nodes"][0].take();
    assert_eq!(
        (&listed["lastUsedAt"], &listed["lastUsedIp"]),
        (&json!("2026-11-20T09:01:00+00:00"), &json!("192.0.2.2"))
    );

    // Another node remembers nothing, but the trail does.
    let two = app.peer().await;
    app.app.clock.advance(TimeDelta::hours(23));
    assert_eq!(from(&two, "192.0.2.1", &token.text, "{ __typename }").await.0, 200);
    last("21 08:01:00", "192.0.2.1").await;
    audited("20 09:00 192.0.2.1, 20 09:00 192.0.2.2").await;
    app.app.clock.advance(TimeDelta::minutes(59));
    used("192.0.2.1").await;
    audited("20 09:00 192.0.2.1, 20 09:00 192.0.2.2, 21 09:00 192.0.2.1").await;
    let who = r"SELECT count(*) FROM audit_entries JOIN api_tokens ON actor_id = user_id AND subject_id = user_id
        WHERE action = 'api_token_used' AND details->>'apiTokenId' LIKE 'api\_token\_%'";
    assert_eq!(app.sql(who).await, "3");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_been_over_for_a_month_is_deleted() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Student).await;
    let life = TimeDelta::days(40);
    let (_lives, revoked) =
        (make_for(&app, &ada, &["READ_ACCOUNT"], life).await, make_for(&app, &ada, &["READ_ACCOUNT"], life).await);
    make_for(&app, &ada, &["READ_ACCOUNT"], TimeDelta::minutes(1)).await;
    revoke(&app, &ada, &revoked).await;
    let sweep = async |days: i64, hours: i64, left: &str| {
        app.app.clock.advance(TimeDelta::days(days) + TimeDelta::hours(hours));
        app.sql("INSERT INTO jobs (id, handler, payload, dedupe_key, created_at, run_at) VALUES
            (gen_random_uuid(), 'accounts.sweep_api_tokens', 'null', gen_random_uuid()::text, '2026-11-20', '2026-11-20')").await;
        app.settle().await;
        assert_eq!(app.sql("SELECT count(*) FROM api_tokens").await, left);
    };
    sweep(29, 23, "3").await;
    sweep(0, 2, "1").await;
    sweep(40, 0, "0").await;
}
