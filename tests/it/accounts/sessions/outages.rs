//! Two real servers on one real PostgreSQL, which stops answering, is locked, goes away and comes back.

use std::time::Duration;

use lyceum::platform::embedded::postgres::{Options, Postgres};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{Phone, REFRESH, SIGN_OUT, VIEWER, code, soon};
use crate::support::cluster;
use crate::support::eventually;
use crate::support::process::{Node, Site};
use crate::support::socket::Socket;

/// Reads nothing from the database.
const NOTHING: &str = "{ __typename }";

/// A demo account on a node.
async fn phone(node: &Node, who: &str) -> Phone {
    let mut phone = Phone::new(&node.url, "lyceum-phone/1.0");
    let payload = phone.sign_in(&format!("{who}@lyceum.example"), "learn-with-lyceum").await;
    assert_eq!(code(&payload), "", "{payload:#}");
    phone
}

/// The status and the code of the first error of an answer to a request that reads nothing.
async fn ask(phone: &Phone, token: Option<&str>) -> (u16, String) {
    let mut request = phone.client.post(format!("{}/graphql", phone.url)).json(&json!({ "query": NOTHING }));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    (status, body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned())
}

fn at(phone: &Phone, node: &Node) -> Phone {
    Phone { url: node.url.clone(), ..phone.clone() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_server_ends_the_other_refuses_within_a_second() {
    let site = Site::new().await.seed(1);
    let (a, b) = (site.serve().await, site.serve().await);
    let mut worst = Duration::ZERO;
    for round in 0..5 {
        let mut phone = phone(&a, "student").await;
        assert!(at(&phone, &b).is_in().await);
        let socket = Socket::connect(&b.url, Some(&phone.access)).await;
        // Refreshed on one, used on the other.
        let payload = at(&phone, &b).exchange(&phone.refresh).await;
        phone.keep(payload);
        phone.ask("signOut", SIGN_OUT, json!({ "input": {} })).await;
        let begun = Instant::now();
        assert!(!phone.is_in().await, "round {round}: on the same server at once");
        let closed = socket.closed().await;
        assert_eq!((closed.code, &*closed.reason), (4403, "Forbidden: session revoked"), "round {round}");
        assert!(!at(&phone, &b).is_in().await, "round {round}: whoever closes the socket knows");
        worst = worst.max(begun.elapsed());
    }
    assert!(worst < super::SOON + Duration::from_millis(500), "{worst:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_refreshes_at_once_on_two_servers_and_then_an_honest_retry() {
    let site = Site::new().await.seed(1);
    let (a, b) = (site.serve().await, site.serve().await);
    let mut phone = phone(&a, "student").await;
    let (here, there) = (at(&phone, &a), at(&phone, &b));
    let attempts = (0..50).map(|number| if number % 2 == 0 { &here } else { &there });
    let payloads = futures_util::future::join_all(attempts.map(|phone| phone.exchange(&phone.refresh))).await;
    let won = payloads.iter().filter(|payload| code(payload).is_empty()).count();
    let told = payloads.iter().filter(|payload| code(payload) == "TRY_AGAIN").count();
    assert_eq!((won, told), (1, 49), "{payloads:#?}");
    // The one answer gets lost on its way; the client knows only its old token and asks again, with the real clock.
    eventually("the retry succeeds", async || code(&at(&phone, &b).exchange(&phone.refresh).await).is_empty()).await;
    // That answer, too. The last one arrives.
    let payload = phone.exchange(&phone.refresh).await;
    phone.keep(payload);
    assert!(phone.is_in().await && at(&phone, &b).is_in().await);
    assert_eq!(code(&phone.renew().await), "");
    assert_eq!(site.sql("SELECT count(*) FROM sessions WHERE ended_at IS NOT NULL").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_tables_are_locked_nobody_is_let_in_unchecked_and_nobody_waits_for_ever() {
    let site = Site::new().await.seed(1);
    let (a, b) = (site.serve().await, site.serve().await);
    let (one, two) = (phone(&a, "student").await, phone(&a, "instructor").await);
    let mut socket = Socket::connect(&b.url, Some(&one.access)).await;
    let gate = cluster::connect(site.database()).await;
    gate.batch_execute("BEGIN; LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE").await.unwrap();
    // For a second the list in memory is believed; then nobody knows, and says so, in a bounded time.
    let mut slowest = Duration::ZERO;
    eventually("tokens can't be checked", async || ask(&at(&one, &b), Some(&one.access)).await.0 == 503).await;
    for _ in 0..2 {
        let begun = Instant::now();
        assert_eq!(ask(&at(&one, &b), Some(&one.access)).await, (503, "UNAVAILABLE".to_owned()));
        slowest = slowest.max(begun.elapsed());
        assert_eq!(ask(&at(&one, &b), None).await, (200, String::new()), "who is nobody needs no check");
        let forged = format!("{}x", one.access);
        assert_eq!(ask(&at(&one, &b), Some(&forged)).await, (401, "UNAUTHENTICATED".to_owned()), "no need to ask");
    }
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
    let mut late = Socket::open(&b.url).await;
    late.greet(Some(&one.access)).await;
    assert_eq!(late.closed().await.code, 1013, "try again later");
    // Whoever holds the lock also ends a session. When it is over, that counts.
    gate.batch_execute(
        "UPDATE sessions SET ended_at = now(), end_reason = 'revoked' WHERE user_id = (SELECT id FROM users
            WHERE email = 'instructor@lyceum.example'); COMMIT",
    )
    .await
    .unwrap();
    eventually("it is known again", async || ask(&at(&one, &b), Some(&one.access)).await.0 == 200).await;
    assert_eq!(ask(&at(&two, &b), Some(&two.access)).await.0, 401, "first of all who is out");
    socket.subscribe("q", VIEWER, json!({})).await;
    assert!(
        socket.receive().await.unwrap()["payload"]["data"]["viewer"]["user"].is_object(),
        "an open socket has lived on"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_cannot_be_read_is_replaced_by_asking() {
    let site = Site::new().await.seed(1);
    let (a, b) = (site.serve().await, site.serve().await);
    let (one, two) = (phone(&a, "student").await, phone(&a, "instructor").await);
    let socket = Socket::connect(&b.url, Some(&two.access)).await;
    // The list can't be read any more, while a single session can.
    let rename = async |from: &str, to: &str| site.sql(&format!("ALTER TABLE users RENAME {from} TO {to}")).await;
    rename("tokens_changed_at", "hidden").await;
    two.ask("signOut", SIGN_OUT, json!({ "input": {} })).await;
    soon("another server", async || ask(&at(&two, &b), Some(&two.access)).await.0 == 401).await;
    let until = Instant::now() + 2 * super::SOON;
    while Instant::now() < until {
        for node in [&a, &b] {
            assert_eq!(ask(&at(&one, node), Some(&one.access)).await.0, 200, "nobody is turned away");
            assert_eq!(ask(&at(&two, node), Some(&two.access)).await.0, 401, "the database tells who is out");
        }
        sleep(Duration::from_millis(20)).await;
    }
    let mut late = Socket::open(&b.url).await;
    late.greet(Some(&two.access)).await;
    assert_eq!(late.closed().await.code, 4403);
    assert!(b.output().contains("cannot read which sessions have ended"), "{}", b.output());
    // An open socket can't be known to be over before the list is read again.
    rename("hidden", "tokens_changed_at").await;
    assert_eq!(socket.closed().await.code, 4403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_stops_for_a_moment_signs_nobody_out() {
    let site = Site::embedded();
    let folder = site.data().join("its own");
    let start = async || {
        let options = Options { folder: folder.clone(), durable: false, search_path: cluster::search_path() };
        Postgres::start(options).await.unwrap()
    };
    let postgres = start().await;
    let url = postgres.url().to_owned();
    let site = site.set("DATABASE_URL", &url).seed(1);
    let (a, b) = (site.serve().await, site.serve().await);
    let mut one = phone(&a, "student").await;
    let socket = Socket::connect(&b.url, Some(&one.access)).await;
    postgres.stop().await.unwrap();
    eventually("tokens can't be checked", async || ask(&at(&one, &b), Some(&one.access)).await.0 == 503).await;
    assert_eq!(ask(&at(&one, &b), None).await.0, 200);
    let body = one.send_as(None, REFRESH, json!({ "input": { "refreshToken": one.refresh } })).await;
    assert_eq!(body["errors"][0]["extensions"]["code"], "UNAVAILABLE", "not over, and not used up: {body:#}");
    let postgres = start().await;
    eventually("tokens are checked", async || ask(&at(&one, &b), Some(&one.access)).await.0 == 200).await;
    // The socket was open all the time, and closes as soon as it should.
    let payload = at(&one, &b).exchange(&one.refresh).await;
    one.keep(payload);
    eventually("the other one is back", async || ask(&one, Some(&one.access)).await.0 == 200).await;
    one.ask("signOut", SIGN_OUT, json!({ "input": {} })).await;
    let begun = Instant::now();
    assert_eq!(socket.closed().await.code, 4403);
    assert!(begun.elapsed() < super::SOON + Duration::from_millis(500), "{:?}", begun.elapsed());
    soon("the other server", async || !at(&one, &b).is_in().await).await;
    drop((a, b));
    postgres.stop().await.unwrap();
}
