//! Around GraphQL: CORS, request ids, the few other routes.

use std::collections::BTreeSet;

use lyceum::platform::auth::Role;
use reqwest::Method;
use serde_json::json;

use super::Answer;
use crate::support::TestApp;

const APP: &str = "https://app.example";

async fn preflight(app: &TestApp, origin: &str) -> Answer {
    let request = app.client.request(Method::OPTIONS, format!("{}/graphql", app.url));
    let request = request.header("origin", origin).header("access-control-request-method", "POST");
    Answer::to(request.header("access-control-request-headers", "authorization,content-type")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn browser_apps_of_the_configured_origins_may_call_and_others_may_not() {
    let app = TestApp::with(&[("LYCEUM_CORS_ORIGINS", APP)]).await;
    let allowed = preflight(&app, APP).await;
    assert_eq!((allowed.status, allowed.header("access-control-allow-origin")), (200, APP), "{:?}", allowed.headers);
    let (methods, headers) =
        (allowed.header("access-control-allow-methods"), allowed.header("access-control-allow-headers"));
    assert!(methods.contains("POST") && methods.contains("GET"), "{methods}");
    assert!(["content-type", "authorization", "accept"].iter().all(|name| headers.contains(name)), "{headers}");
    assert_eq!(allowed.header("access-control-allow-credentials"), "true", "cookies may come along");
    for origin in ["https://evil.example", "http://app.example", "https://app.example.evil.example", "null"] {
        let refused = preflight(&app, origin).await;
        assert_eq!(refused.header("access-control-allow-origin"), "", "{origin}");
    }

    let send = |origin: &str| app.graphql().header("origin", origin).json(&json!({ "query": "{ __typename }" }));
    let own = Answer::to(send(APP)).await;
    assert_eq!(own.header("access-control-allow-origin"), APP);
    assert_eq!(own.header("access-control-expose-headers"), "x-request-id,retry-after");
    let mut vary = own.headers.get_all("vary").iter().map(|value| value.to_str().unwrap());
    assert!(vary.any(|names| names.contains("origin")), "{:?}", own.headers);
    let refused = Answer::to(send(APP).bearer_auth("x")).await;
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (401, APP), "an error can be read too");
    assert_eq!(Answer::to(send("https://evil.example")).await.header("access-control-allow-origin"), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_configured_origins_only_pages_of_this_machine_may_call() {
    let app = TestApp::start().await;
    for origin in [APP, "null", "http://localhost.evil.example:3000", "https://localhost:3000"] {
        assert_eq!(preflight(&app, origin).await.header("access-control-allow-origin"), "", "{origin}");
    }
    for origin in ["http://localhost:3000", "http://127.0.0.1:5173"] {
        assert_eq!(preflight(&app, origin).await.header("access-control-allow-origin"), origin);
        let cookie = app.graphql().header("origin", origin).header("cookie", "lyceum-access=x");
        let answer = Answer::to(cookie.json(&json!({ "query": "{ __typename }" }))).await;
        assert_eq!(answer.status, 200, "with cookies, too: {}", answer.text);
        let playlist =
            Answer::to(app.client.get(format!("{}/media/hls/x/master.m3u8", app.url)).header("origin", origin));
        assert_eq!(playlist.await.header("access-control-allow-origin"), origin);
    }
    let cookie = app.graphql().header("origin", APP).header("cookie", "lyceum-access=x");
    assert_eq!(Answer::to(cookie.json(&json!({ "query": "{ __typename }" }))).await.status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_is_told_where_things_are_and_a_program_in_json() {
    const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let app = TestApp::start().await;
    let start = app.get("/", &[]).await;
    let urls: Vec<_> = start.body()["places"].as_array().unwrap().iter().map(|place| place["url"].clone()).collect();
    let public = &app.app.config.public_url;
    for path in ["/graphql", "/console", "/openapi.json", "/healthz", "/readyz", "/metrics", "/dev/mail"] {
        assert!(urls.contains(&json!(format!("{public}{path}"))), "{path}: {urls:?}");
    }
    let browse = |path: &str| Answer::to(app.client.get(format!("{}{path}", app.url)).header("accept", BROWSER));
    let page = browse("/").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    for path in ["/graphql", "/console", "/openapi.json", "/healthz", "/readyz", "/metrics", "/dev/mail"] {
        assert!(page.text.replace("&#x2f;", "/").contains(&format!("href=\"{path}\"")), "{path}: {}", page.text);
    }
    // The address of the API in a browser's address bar.
    let page = browse("/graphql").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.text.replace("&#x2f;", "/").contains("href=\"/console\""), "{}", page.text);
    let answer = browse("/graphql?query=%7B__typename%7D").await;
    assert_eq!(answer.body()["data"]["__typename"], "Query", "with a query it gets its answer");
    assert_eq!(app.get("/graphql", &[]).await.status, 400, "a program is told what is wrong");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_has_an_id_the_proxys_own_if_that_is_a_plain_one() {
    let app = TestApp::start().await;
    let query = json!({ "query": "{ nope }" });
    let mut seen = std::collections::HashSet::new();
    for _ in 0..3 {
        let answer = Answer::to(app.graphql().json(&query)).await;
        answer.refuses("no id given", 200, "GRAPHQL_VALIDATION_FAILED", &[]);
        assert!(seen.insert(answer.header("x-request-id").to_owned()), "each request has an id of its own");
    }
    for id in ["0123456789abcdef", "3f2c9a9e-7c1a-4a7e-9c3b-0d5a1c9e7f11", "edge_01-A", &"x".repeat(64)] {
        let answer = Answer::to(app.graphql().header("x-request-id", id).json(&query)).await;
        answer.refuses(id, 200, "GRAPHQL_VALIDATION_FAILED", &[]);
        assert_eq!(answer.header("x-request-id"), id);
    }
    for nasty in ["short", "", "with spaces in it", "<script>alert(1)</script>", "\"},{\"a\":\"b", &"x".repeat(65)] {
        let answer = Answer::to(app.graphql().header("x-request-id", nasty).json(&query)).await;
        answer.refuses(nasty, 200, "GRAPHQL_VALIDATION_FAILED", &[]);
        assert_ne!(answer.header("x-request-id"), nasty);
        assert!(nasty.is_empty() || !answer.text.contains(nasty), "{}", answer.text);
    }
    let good = Answer::to(app.graphql().json(&json!({ "query": "{ __typename }" }))).await;
    assert_eq!(good.header("x-request-id").len(), 16, "also when all is well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn load_balancers_and_dashboards_are_answered() {
    use diesel_async::RunQueryDsl;
    let app = TestApp::start().await;
    let alive = app.get("/healthz", &[]).await;
    assert_eq!((alive.status, alive.text.as_str()), (200, "ok\n"));
    let ready = app.get("/readyz", &[]).await;
    assert_eq!((ready.status, ready.body()), (200, json!({ "ready": true, "database": "ok", "push": "ok" })));

    app.ask("{ __typename }", json!({})).await;
    app.ask("{ courses(first: 0) { totalCount } }", json!({})).await;
    app.ask("{ nope }", json!({})).await;
    let metrics = app.get("/metrics", &[]).await;
    assert_eq!(metrics.status, 200);
    assert!(metrics.header("content-type").starts_with("application/openmetrics-text"), "{:?}", metrics.headers);
    for words in ["outcome=\"ok\"", "outcome=\"error\"", "outcome=\"rejected\"", "db_statements", "# EOF"] {
        assert!(metrics.text.contains(words), "{words} is missing in\n{}", metrics.text);
    }

    // Every connection is in use: the node lives but is not ready.
    let mut held = Vec::new();
    for _ in 0..4 {
        let mut conn = app.app.db.read().await.unwrap();
        diesel::sql_query("SELECT 1").execute(&mut *conn).await.unwrap();
        held.push(conn);
    }
    let busy = app.get("/readyz", &[]).await;
    assert_eq!((busy.status, &busy.body()["database"]), (503, &json!("unavailable")), "{}", busy.text);
    assert_eq!(app.get("/healthz", &[]).await.status, 200);
    drop(held);
    assert_eq!(app.get("/readyz", &[]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_description_of_the_other_routes_is_true() {
    let app = TestApp::start().await;
    let document = app.get("/openapi.json", &[]).await;
    assert_eq!((document.status, &document.body()["openapi"]), (200, &json!("3.1.0")));
    let described: BTreeSet<String> = document.body()["paths"].as_object().unwrap().keys().cloned().collect();
    // Every route that there is in production; the others are in dev.rs.
    let router = include_str!("../../../src/http/mod.rs").split(".route(\"").skip(1);
    let routes = router.map(|rest| rest.split('"').next().unwrap().replace("{*path}", "{path}"));
    assert_eq!(routes.collect::<BTreeSet<String>>(), described);
    for (path, item) in document.body()["paths"].as_object().unwrap() {
        let (method, operation) = item.as_object().unwrap().iter().next().unwrap();
        let answer = match method.as_str() {
            "get" => app.get(path, &[]).await,
            "post" => Answer::to(app.client.post(format!("{}{path}", app.url))).await,
            other => panic!("{other} {path}"),
        };
        let responses = operation["responses"].as_object().unwrap();
        // The console is not built in every checkout.
        let known = responses.contains_key(&answer.status.to_string())
            || (path.starts_with("/console") && answer.status == 503);
        assert!(known, "{path} answers {}", answer.status);
        let described = responses.get(&answer.status.to_string());
        if let Some(content) = described.and_then(|response| response.get("content")) {
            let media = answer.header("content-type").split(';').next().unwrap();
            assert!(content.get(media).is_some(), "{path} answers with {media}: {content}");
        }
    }
    assert_eq!(app.get("/nowhere", &[]).await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_has_a_bounded_number_of_connections_and_sockets() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let app = TestApp::with(&[("LYCEUM_MAX_CLIENT_CONNECTIONS", "4"), ("LYCEUM_MAX_CLIENT_SOCKETS", "2")]).await;
    let address = app.url.strip_prefix("http://").unwrap().to_owned();
    let upgrade = "GET /graphql HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let plain = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut open = Vec::new();
    for (request, expected) in [
        (upgrade, "HTTP/1.1 101"),
        (upgrade, "HTTP/1.1 101"),
        (plain, "HTTP/1.1 200"),
        (plain, "HTTP/1.1 200"),
        (plain, "closed"),
    ] {
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        _ = stream.write_all(request.as_bytes()).await;
        let mut answer = [0; 12];
        let read = stream.read_exact(&mut answer).await;
        let answer = read.map_or("closed".into(), |_| String::from_utf8_lossy(&answer).into_owned());
        assert_eq!(answer, expected, "connection {}", open.len() + 1);
        open.push(stream);
    }
    // Without the plain ones there are places again, but not for a third socket.
    open.truncate(2);
    crate::support::eventually("a place", async || {
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        _ = stream.write_all(upgrade.as_bytes()).await;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.is_ok_and(|_| answer == *b"HTTP/1.1 429")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_have_an_address_of_their_own_if_one_is_set() {
    let app = TestApp::with(&[("LYCEUM_METRICS_ADDR", "127.0.0.1:9")]).await;
    assert_eq!(app.get("/metrics", &[]).await.status, 404);
}

async fn ask_as(app: &TestApp, token: Option<&str>, query: &str) -> Answer {
    let request = app.graphql().json(&json!({ "query": query }));
    Answer::to(match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn administrators_alone_read_the_schema_if_it_is_so_set() {
    let app = TestApp::with(&[("LYCEUM_INTROSPECTION", "administrators")]).await;
    let (admin, ada) = (app.user("Root", Role::Admin).await, app.user("Ada", Role::Instructor).await);
    let query = "{ __schema { queryType { name } } __type(name: \"Query\") { name } }";
    for token in [None, Some(ada.token.as_str())] {
        let answer = ask_as(&app, token, query).await;
        answer.refuses(query, 200, "FORBIDDEN", &["administrators"]);
        let wrong = ask_as(&app, token, "{ curses { nodes { id } } }").await;
        assert!(!wrong.text.contains("Did you mean"), "{}", wrong.text);
        assert_eq!(ask_as(&app, token, "{ __typename }").await.status, 200);
    }
    let data = app.data(Some(&admin.token), query, json!({})).await;
    assert_eq!(data["__schema"]["queryType"]["name"], "Query");
    let wrong = ask_as(&app, Some(&admin.token), "{ curses { nodes { id } } }").await;
    assert!(wrong.text.contains("Did you mean `courses`?"), "{}", wrong.text);
}
