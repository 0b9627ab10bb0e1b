//! Sessions and WebSockets: who may open one with cookies, and that one ends with its session.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::browser::Page;
use super::{Phone, REFRESH, SIGN_IN, VIEWER, address, somebody};
use crate::accounts::PASSWORD;
use crate::support::TestApp;
use crate::support::socket::{Closed, Socket};

/// The first answer to an operation.
async fn ask(socket: &mut Socket, query: &str, variables: Value) -> Value {
    socket.subscribe("q", query, variables).await;
    let mut message = socket.receive().await.unwrap();
    assert_eq!(message["type"], "next", "{message:#}");
    assert_eq!(socket.receive().await.unwrap(), json!({ "type": "complete", "id": "q" }));
    message["payload"].take()
}

fn forbidden(reason: &str) -> Closed {
    Closed { code: 4403, reason: format!("Forbidden: {reason}") }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn own_pages_open_sockets_with_cookies_and_others_do_not() {
    let app = TestApp::with(&[("LYCEUM_CORS_ORIGINS", "https://app.school.example")]).await;
    let (ada, eve) = (somebody(&app, "ada").await, somebody(&app, "eve").await);
    let page = Page::of(&app);
    page.sign_in("ada").await;
    for page in [page.clone(), page.from(Some("https://app.school.example"))] {
        let mut socket = page.socket().await.init(None).await;
        assert_eq!(
            ask(&mut socket, VIEWER, json!({})).await["data"]["viewer"]["user"]["id"],
            *ada,
            "{:?}",
            page.origin
        );
    }
    for origin in [Some("https://evil.example"), Some("null"), None] {
        let foreign = page.from(origin);
        let mut socket = foreign.socket().await;
        socket.greet(None).await;
        let expected = forbidden("The upgrade has cookies but comes from a page of another origin.");
        assert_eq!(socket.closed().await, expected, "{origin:?}");
        // With a token of its own a page may do as it likes, but with that one only.
        let eves = Phone::of(&app, "eve").await;
        let mut socket = foreign.socket().await.init(Some(&eves.access)).await;
        assert_eq!(ask(&mut socket, VIEWER, json!({})).await["data"]["viewer"]["user"]["id"], *eve, "{origin:?}");
    }
    // Without cookies everybody is nobody.
    page.plant(Default::default());
    let mut socket = page.from(Some("https://evil.example")).socket().await.init(None).await;
    assert_eq!(ask(&mut socket, VIEWER, json!({})).await["data"]["viewer"]["user"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_cookies_are_given_out_or_used_up_over_a_socket() {
    let app = TestApp::start().await;
    somebody(&app, "ada").await;
    let page = Page::of(&app);
    page.sign_in("ada").await;
    let mut socket = page.socket().await.init(None).await;
    let input = json!({ "email": address("ada"), "password": PASSWORD, "transport": "COOKIE" });
    let refused = ask(&mut socket, SIGN_IN, json!({ "input": input })).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{refused:#}");
    assert_eq!(app.sql("SELECT count(*) FROM sessions").await, "1", "nothing was begun that nobody could use");
    let refused = ask(&mut socket, REFRESH, json!({ "input": {} })).await;
    assert_eq!(refused["data"]["refreshSession"]["userErrors"][0]["code"], "BLANK", "{refused:#}");
    // With the tokens in the answer both work.
    let input = json!({ "email": address("ada"), "password": PASSWORD });
    let signed_in = ask(&mut socket, SIGN_IN, json!({ "input": input })).await;
    let token = signed_in["data"]["signIn"]["refreshToken"].as_str().unwrap().to_owned();
    let refreshed = ask(&mut socket, REFRESH, json!({ "input": { "refreshToken": token } })).await;
    assert!(refreshed["data"]["refreshSession"]["accessToken"].is_string(), "{refreshed:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_ends_within_a_second_of_its_session_on_every_node() {
    let app = TestApp::start().await;
    let other = app.peer().await;
    somebody(&app, "ada").await;
    let page = Page::of(&app);
    page.sign_in("ada").await;
    let (phone, laptop) = (Phone::of(&app, "ada").await, Phone::of(&app, "ada").await);
    let mut nobodys = Socket::connect(&other.url, None).await;
    let mut laptops = Socket::connect(&other.url, Some(&laptop.access)).await;
    let mut doomed = vec![("cookies", page.on(&other).socket().await.init(None).await)];
    for (node, url) in [("the same node", &app.url), ("another node", &other.url)] {
        doomed.push((node, Socket::connect(url, Some(&phone.access)).await));
    }
    for (case, socket) in &mut doomed {
        socket.subscribe("news", "subscription { newVideo { isStart } }", json!({})).await;
        assert_eq!(socket.receive().await.unwrap()["payload"]["data"]["newVideo"]["isStart"], true, "{case}");
        assert!(ask(socket, VIEWER, json!({})).await["data"]["viewer"]["user"].is_object(), "{case}");
    }
    let begun = tokio::time::Instant::now();
    let input = json!({ "input": { "sessions": "OTHERS" } });
    let ended = laptop.ask("signOut", super::SIGN_OUT, input).await;
    assert_eq!(ended["endedCount"], 2);
    for (case, socket) in doomed {
        assert_eq!(socket.closed().await, forbidden("session revoked"), "{case}");
    }
    assert!(begun.elapsed() < super::SOON + std::time::Duration::from_millis(500), "{:?}", begun.elapsed());
    for socket in [&mut nobodys, &mut laptops] {
        ask(socket, "{ __typename }", json!({})).await;
    }
    // A socket that comes now is refused, with either.
    let mut late = Socket::open(&other.url).await;
    late.greet(Some(&phone.access)).await;
    let reason = "The access token is no longer good; refresh the session or sign in again.";
    assert_eq!(late.closed().await, forbidden(reason));
    let mut late = page.on(&other).socket().await.init(None).await;
    assert_eq!(
        ask(&mut late, VIEWER, json!({})).await["data"]["viewer"]["user"],
        Value::Null,
        "a dead cookie is no cookie"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_by_cookies_ends_with_its_token_and_a_refreshed_one_opens_again() {
    let app = TestApp::with(&[("LYCEUM_TOKEN_MINUTES", "10")]).await;
    let id = somebody(&app, "ada").await;
    let page = Page::of(&app);
    page.sign_in("ada").await;
    app.app.clock.advance(TimeDelta::minutes(10) - TimeDelta::seconds(1));
    let socket = page.socket().await.init(None).await;
    page.renew().await;
    assert_eq!(socket.closed().await, forbidden("session expired"), "what it was opened with counts");
    app.app.clock.advance(TimeDelta::seconds(1));
    let mut socket = page.socket().await.init(None).await;
    assert_eq!(ask(&mut socket, VIEWER, json!({})).await["data"]["viewer"]["user"]["id"], *id);
}
