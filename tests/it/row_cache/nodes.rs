//! Changes that another node makes.

use std::str::FromStr;
use std::time::Instant;

use lyceum::platform::auth::Role;
use lyceum::platform::db::CacheKey;
use serde_json::{Value, json};

use super::seen_within_the_limit;
use crate::support::TestApp;
use crate::support::eventually;
use crate::support::process::{Node, Site};
use crate::support::redis::RedisServer;
use crate::support::socket::{Follower, beginning};

const TITLES: &str = "{ courses(first: 1) { nodes { id title } } }";

/// The version in the first course's title: `Version 7`.
fn version(data: &Value) -> u64 {
    let title = data["courses"]["nodes"][0]["title"].as_str().unwrap();
    title.strip_prefix("Version ").map_or(0, |version| version.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_hears_nothing_shows_a_change_within_a_second() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Version 0", 1).await;
    let peer = app.peer().await;
    for number in 1..=3 {
        peer.data(None, TITLES, json!({})).await;
        let input = json!({ "courseId": course.id, "title": format!("Version {number}") });
        app.edit(&ada, "updateCourse", "course { id }", input).await;
        seen_within_the_limit(number, Instant::now(), async || version(&peer.data(None, TITLES, json!({})).await))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_listens_hears_of_rows_and_of_events() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Rust", 1).await;
    let peer = app.peer().await.app.clone();
    let id = lyceum::catalog::CourseId::from_str(&course.id).unwrap().uuid();
    let (row, lists) = ([CacheKey::of("course", id)], [CacheKey::all("course")]);
    let is_current = |keys: &[CacheKey], since| peer.db.invalidation().is_current(keys, since);
    let before = peer.db.invalidation().now();
    let mut listener = peer.db.listen().await.unwrap();
    assert!(!is_current(&row, before), "what was said until now was not heard");
    let before = peer.db.invalidation().now();
    let lesson = app.lesson(&ada, &course, "Ownership").await;
    eventually("the course has changed", async || !is_current(&row, before)).await;
    app.publish(&ada, &lesson).await;
    app.mutate(&ada, "archiveCourse", "course { id }", json!({ "courseId": course.id })).await;
    eventually("the lists have changed", async || !is_current(&lists, before)).await;
    listener.heard().await.expect("and the dispatcher is woken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn news_from_another_node_never_come_with_older_rows() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Rust", 1).await;
    let peer = app.peer().await;
    let mut follower = Follower::new(&peer.url, None, Some(&beginning())).await;
    let list = "{ newVideos { nodes { lesson { title } } } }";
    for number in 1..=5 {
        let title = format!("Lesson {number}!");
        let lesson = app.lesson(&ada, &course, &title).await;
        let node = "query ($id: ID!) { node(id: $id) { id } }";
        let draft = peer.data(None, node, json!({ "id": lesson })).await;
        assert_eq!(draft["node"], Value::Null, "now the other node keeps the draft");
        app.publish(&ada, &lesson).await;
        app.settle().await;
        if number % 2 == 0 {
            let listed = peer.data(None, list, json!({})).await;
            let last = listed["newVideos"]["nodes"].as_array().unwrap().last().unwrap();
            assert_eq!(last["lesson"]["title"], title.as_str(), "{listed:#}");
            continue;
        }
        // The nodes have no Redis in common: it hears of it when it comes back, from the log.
        drop(follower);
        follower = Follower::new(&peer.url, None, Some(&beginning())).await;
        for known in 1..=number {
            follower.expect(&[&format!("Lesson {known}!")]).await;
        }
    }
}

async fn retitle(node: &Node, token: &str, course: &str, number: u64) -> Instant {
    let query = "mutation ($input: UpdateCourseInput!) { updateCourse(input: $input) { course { title } } }";
    let input = json!({ "courseId": course, "version": number, "title": format!("Version {number}") });
    let data = node.data(Some(token), query, json!({ "input": input })).await;
    let committed = Instant::now();
    assert_eq!(data["updateCourse"]["course"]["title"], format!("Version {number}"));
    // Its own node at once.
    assert_eq!(version(&node.data(None, TITLES, json!({})).await), number);
    committed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_show_each_others_changes_with_and_without_redis() {
    let mut redis = RedisServer::start();
    let site = Site::new().await.set("REDIS_URL", &redis.url()).seed(1);
    let (a, b) = (site.serve().await, site.serve().await);
    let token = a.sign_in("admin").await.token;
    let course = a.data(None, TITLES, json!({})).await["courses"]["nodes"][0]["id"].as_str().unwrap().to_owned();
    for number in 1..=12 {
        if number == 7 {
            redis.kill();
        }
        let (writer, reader) = if number % 2 == 0 { (&a, &b) } else { (&b, &a) };
        reader.data(None, TITLES, json!({})).await;
        let committed = retitle(writer, &token, &course, number).await;
        seen_within_the_limit(number, committed, async || version(&reader.data(None, TITLES, json!({})).await)).await;
    }
}
