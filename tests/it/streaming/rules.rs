//! Who may open a stream, and how many.

use serde_json::{Value, json};

use super::{EVENTS, NEWS, PARTS, Reader, School};
use crate::support::eventually;
use crate::support::socket::Socket;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_takes_the_place_of_a_socket() {
    let school = School::open(&[("LYCEUM_MAX_CLIENT_SOCKETS", "3")]).await;
    let socket = Socket::connect(&school.app.url, None).await;
    let (first, second) = (school.follow(EVENTS, None).await, school.follow(PARTS, None).await);
    let open = async |count: usize| {
        let metrics = school.app.client.get(format!("{}/metrics", school.app.url)).send().await.unwrap();
        metrics.text().await.unwrap().contains(&format!("lyceum_sockets {count}\n"))
    };
    assert!(open(3).await);
    for accept in [EVENTS, PARTS] {
        let response = school.post(accept, NEWS, json!({})).send().await.unwrap();
        assert_eq!(response.status(), 429);
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["errors"][0]["extensions"]["code"], "TOO_MANY_SUBSCRIPTIONS", "{body:#}");
    }
    // A query by POST needs no place.
    let query = school.post("application/json", "{ __typename }", json!({})).send().await.unwrap();
    assert_eq!(query.status(), 200);
    drop(first);
    eventually("a place", async || school.post(EVENTS, NEWS, json!({})).send().await.unwrap().status() == 200).await;
    drop((second, socket));
    eventually("all are gone", async || open(0).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_token_is_a_401() {
    let school = School::open(&[]).await;
    for accept in [EVENTS, PARTS] {
        let response = school.post(accept, NEWS, json!({})).bearer_auth("nonsense").send().await.unwrap();
        assert_eq!(response.status(), 401, "{accept}");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{body:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_other_sites_get_no_stream_with_cookies() {
    let school = School::open(&[("LYCEUM_CORS_ORIGINS", "https://app.school.example")]).await;
    let cookie = format!("lyceum-access={}", school.ada.token);
    let viewer = "{ viewer { user { name } } }";
    for by_get in [false, true] {
        let request = |origin: Option<&str>, cookies: bool| {
            let mut url = url::Url::parse(&format!("{}/graphql", school.app.url)).unwrap();
            let request = match by_get {
                true => {
                    url.query_pairs_mut().append_pair("query", viewer);
                    school.app.client.get(url).header("accept", EVENTS)
                }
                false => school.post(EVENTS, viewer, json!({})),
            };
            let request = if cookies { request.header("cookie", &cookie) } else { request };
            match origin {
                Some(origin) => request.header("origin", origin),
                None => request,
            }
        };
        let mut own = Reader::of(request(Some("https://app.school.example"), true)).await;
        assert_eq!(own.payload().await["data"]["viewer"]["user"]["name"], "Ada", "by GET: {by_get}");
        let foreign = request(Some("https://evil.example"), true).send().await.unwrap();
        assert_eq!(foreign.status(), 403, "by GET: {by_get}");
        let mut anonymous = Reader::of(request(Some("https://evil.example"), false)).await;
        assert_eq!(anonymous.payload().await["data"]["viewer"]["user"], Value::Null, "by GET: {by_get}");
        // A page sends no origin with a GET to its own server.
        if by_get {
            let mut own = Reader::of(request(None, true)).await;
            assert_eq!(own.payload().await["data"]["viewer"]["user"]["name"], "Ada");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_not_streamed() {
    let school = School::open(&[]).await;
    let url = format!("{}/graphql", school.app.url);
    let batch = json!([{ "query": "{ __typename }" }]);
    let refused = school.app.client.post(&url).header("accept", EVENTS).json(&batch).send().await.unwrap();
    assert_eq!(refused.status(), 400);
    let answered = school.app.client.post(&url).header("accept", PARTS).json(&batch).send().await.unwrap();
    assert_eq!(answered.json::<Value>().await.unwrap()[0]["data"]["__typename"], "Query");
}
