//! Lost, repeated and overtaken pushes.

use lyceum::catalog::LessonPublished;
use lyceum::platform::internal_error::InternalError;
use lyceum::platform::outbox::{self, dispatcher};
use serde_json::json;

use super::School;
use crate::support::TestApp;
use crate::support::socket::{Follower, Socket, beginning};

/// As if the node that numbered everything had died before it told anybody.
async fn forget_the_pushes(app: &TestApp) {
    app.sql("UPDATE events SET pushed_at = NULL").await;
    end_the_lease(app).await;
}

async fn end_the_lease(app: &TestApp) {
    app.sql("UPDATE event_pusher SET leased_until = '-infinity'").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_node_with_the_lease_pushes() {
    let school = School::open().await;
    let other = school.app.peer().await;
    let mut follower = Follower::after_hearing(&other.url, None, &["Hello"]).await;
    school.publish(&school.course, "First").await;
    let unpushed = "SELECT count(*) FROM events WHERE pushed_at IS NULL";
    other.settle().await;
    assert_ne!(school.app.sql(unpushed).await, "0", "the first node has the lease");
    end_the_lease(&school.app).await;
    other.settle().await;
    assert_eq!(school.app.sql(unpushed).await, "0");
    follower.expect(&["First"]).await;
    let holder = format!("SELECT node = '{}' FROM event_pusher", other.app.node);
    assert_eq!(school.app.sql(&holder).await, "t");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_node_did_not_push_another_one_does() {
    let school = School::open().await;
    let survivor = school.app.peer().await;
    let mut follower = Follower::after_hearing(&survivor.url, None, &["Hello"]).await;
    // The first node numbers it. The nodes have no Redis in common, so the survivor's sockets hear nothing of it.
    school.news(&["Lost"]).await;
    forget_the_pushes(&school.app).await;
    survivor.settle().await;
    follower.expect(&["Lost"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_pushed_again_is_heard_once() {
    let school = School::open().await;
    let mut follower = Follower::after_hearing(&school.app.url, None, &["Hello"]).await;
    school.news(&["One", "Two"]).await;
    for _ in 0..3 {
        forget_the_pushes(&school.app).await;
        school.app.settle().await;
    }
    school.news(&["Three"]).await;
    follower.expect(&["One", "Two", "Three"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_that_never_came_is_read_when_the_next_one_tells_of_it() {
    let school = School::open().await;
    let other = school.app.peer().await;
    let mut follower = Follower::after_hearing(&other.url, None, &["Hello"]).await;
    // Numbered and marked as pushed, but this node heard nothing: as when Redis drops a message.
    school.news(&["Dropped 1", "Dropped 2"]).await;
    school.publish(&school.course, "Heard").await;
    end_the_lease(&school.app).await;
    other.settle().await;
    follower.expect(&["Dropped 1", "Dropped 2", "Heard"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_too_slow_for_the_push_still_gets_everything() {
    const EVENTS: usize = 400;
    let school = School::open().await;
    // 20 KB in each message: what 400 of them need fits in no buffer of the operating system.
    let input = json!({ "courseId": school.course.id, "description": "x".repeat(20_000) });
    school.app.edit(&school.ada, "updateCourse", "course { id }", input).await;
    let mut socket = Socket::open_narrow(&school.app.url).await.init(None).await;
    let query = "subscription ($after: String) { newVideo(after: $after) { cursor course { description } } }";
    socket.subscribe("slow", query, json!({ "after": beginning() })).await;
    for _ in ["start", "Hello"] {
        assert_eq!(socket.receive().await.unwrap()["type"], "next");
    }
    // It reads nothing from here on, while everything is pushed at once.
    let hello = school.app.sql("SELECT payload FROM events WHERE kind = 'lesson_published'").await;
    let event: LessonPublished = serde_json::from_str(&hello).unwrap();
    let app = &school.app.app;
    let recorded = app.db.transaction(async |tx| {
        for _ in 0..EVENTS {
            outbox::record(tx, &app.clock, &event).await?;
        }
        Ok::<_, InternalError>(())
    });
    recorded.await.unwrap();
    dispatcher::tick(app, &lyceum::app::registry().unwrap()).await.unwrap();
    let mut heard = Vec::new();
    for _ in 0..EVENTS {
        let message = socket.receive().await.unwrap();
        heard.push(message["payload"]["data"]["newVideo"]["cursor"].as_str().unwrap().to_owned());
    }
    let query = "query ($after: String) { newVideos(first: 100, after: $after) { nodes { cursor } } }";
    let (mut listed, mut after) = (Vec::new(), beginning());
    while listed.len() < EVENTS + 1 {
        let data = school.app.data(None, query, json!({ "after": after })).await;
        let nodes = data["newVideos"]["nodes"].as_array().unwrap();
        listed.extend(nodes.iter().map(|node| node["cursor"].as_str().unwrap().to_owned()));
        after = listed.last().unwrap().clone();
    }
    assert_eq!(heard, listed[1..], "all after the first one");
}
