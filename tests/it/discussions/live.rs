//! What subscribers hear of, and what they do not.

use std::time::Duration;

use chrono::TimeDelta;

use super::*;
use crate::support::socket::Socket;

const FOLLOW: &str = "subscription ($course: ID, $lesson: ID, $after: String) {
    questionActivity(courseId: $course, lessonId: $lesson, after: $after) {
        cursor isStart postId question { id title voteCount } reply { id body } } }";

async fn next(socket: &mut Socket) -> Value {
    let mut message = socket.receive().await.unwrap();
    assert_eq!(message["type"], "next", "{message:#}");
    message["payload"]["data"]["questionActivity"].take()
}

impl Room {
    async fn watch(&self, user: &User, variables: Value) -> (Socket, String) {
        let mut socket = Socket::connect(&self.app.url, Some(&user.token)).await;
        socket.subscribe("x", FOLLOW, variables).await;
        let start = next(&mut socket).await;
        assert_eq!((&start["isStart"], &start["postId"]), (&json!(true), &Value::Null));
        (socket, start["cursor"].as_str().unwrap().to_owned())
    }
}

/// Nothing comes within a moment.
async fn silent(socket: &mut Socket) {
    let waited = tokio::time::timeout(Duration::from_millis(300), socket.wait()).await;
    assert!(waited.is_err(), "{waited:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_in_a_discussion_is_heard_once_and_in_order() {
    let room = Room::open().await;
    let (mut course, start) = room.watch(&room.tim, json!({ "course": room.course.id })).await;
    let (mut lesson, _) = room.watch(&room.tim, json!({ "lesson": room.lesson })).await;
    let (mut other, _) = room.watch(&room.tim, json!({ "lesson": room.other_lesson })).await;
    let id = room.ask(&room.sam, "How?").await;
    room.app.settle().await;
    for socket in [&mut course, &mut lesson] {
        let asked = next(socket).await;
        assert_eq!((&asked["postId"], &asked["question"]["title"]), (&json!(id), &json!("How?")));
        assert_eq!(asked["reply"], Value::Null);
    }
    let reply = room.reply(&room.ada, &id, "So.").await;
    room.app.settle().await;
    let replied = next(&mut course).await;
    assert_eq!((&replied["postId"], &replied["question"]["id"]), (&json!(reply), &json!(id)));
    assert_eq!(replied["reply"]["body"], "So.");
    let input = json!({ "replyId": reply, "version": 1, "body": "So!" });
    room.app.mutate(&room.ada, "updateReply", "reply { id }", input).await;
    room.app.settle().await;
    assert_eq!(next(&mut course).await["reply"]["body"], "So!");
    room.app.mutate(&room.ada, "deletePost", "deletedPostId", json!({ "postId": reply })).await;
    room.app.settle().await;
    let deleted = next(&mut course).await;
    assert_eq!((&deleted["postId"], &deleted["reply"]), (&json!(reply), &Value::Null));
    // Who comes back gets what they missed, as it is now.
    let mut again = Socket::connect(&room.app.url, Some(&room.tim.token)).await;
    again.subscribe("x", FOLLOW, json!({ "course": room.course.id, "after": start })).await;
    assert_eq!(next(&mut again).await["isStart"], true);
    let missed = [next(&mut again).await, next(&mut again).await];
    assert_eq!((&missed[0]["postId"], &missed[1]["postId"]), (&json!(id), &json!(reply)));
    assert_eq!(missed[1]["reply"], Value::Null, "it is deleted meanwhile");
    silent(&mut other).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_votes_within_a_second_are_one_event() {
    let room = Room::open().await;
    let id = room.ask(&room.sam, "How?").await;
    room.app.settle().await;
    let (mut socket, _) = room.watch(&room.sam, json!({ "course": room.course.id })).await;
    for (user, voted) in [(&room.tim, true), (&room.ada, true), (&room.tim, false), (&room.root, true)] {
        room.app.mutate(user, "votePost", "post { id }", json!({ "postId": id, "voted": voted })).await;
    }
    room.app.settle().await;
    silent(&mut socket).await;
    room.app.app.clock.advance(TimeDelta::seconds(1));
    room.app.settle().await;
    room.app.settle().await;
    let voted = next(&mut socket).await;
    assert_eq!((&voted["postId"], &voted["question"]["voteCount"]), (&json!(id), &json!(2)));
    silent(&mut socket).await;
    assert_eq!(room.app.sql("SELECT votes FROM questions").await, "2", "lists are sorted by it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_hears_of_a_lesson_that_they_may_not_see() {
    let room = Room::open().await;
    // Eve may see the course, whose first lesson is a free preview, and not its second one.
    let preview = room.lesson.parse::<lyceum::catalog::LessonId>().unwrap().uuid();
    room.app.sql(&format!("UPDATE lessons SET is_preview = true WHERE id = '{preview}'")).await;
    room.app.forget_rows();
    let query = "subscription ($lesson: ID) { questionActivity(lessonId: $lesson) { cursor } }";
    let mut refused = Socket::connect(&room.app.url, Some(&room.eve.token)).await;
    refused.subscribe("x", query, json!({ "lesson": room.other_lesson })).await;
    let message = refused.receive().await.unwrap();
    assert!(message.to_string().contains("NOT_FOUND"), "{message:#}");
    let (mut eve, start) = room.watch(&room.eve, json!({ "course": room.course.id })).await;
    let input = json!({ "lessonId": room.other_lesson, "title": "Secret", "body": "x" });
    let asked = room.app.mutate(&room.sam, "createQuestion", "question { id }", input).await;
    let secret = asked["question"]["id"].as_str().unwrap().to_owned();
    room.reply(&room.tim, &secret, "Secret, too.").await;
    let open = room.ask(&room.sam, "Open").await;
    room.app.settle().await;
    assert_eq!(next(&mut eve).await["postId"], json!(open));
    silent(&mut eve).await;
    let mut again = Socket::connect(&room.app.url, Some(&room.eve.token)).await;
    again.subscribe("x", FOLLOW, json!({ "course": room.course.id, "after": start })).await;
    next(&mut again).await;
    assert_eq!(next(&mut again).await["postId"], json!(open), "nor from the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_access_counts_that_is_there_when_something_happens() {
    let room = Room::open().await;
    let (mut tim, _) = room.watch(&room.tim, json!({ "course": room.course.id })).await;
    room.ask(&room.sam, "First").await;
    room.app.settle().await;
    assert_eq!(next(&mut tim).await["question"]["title"], "First");
    room.app
        .sql(
            "UPDATE entitlements SET ended_at = now(), end_reason = 'REFUNDED' FROM users \
        WHERE users.id = user_id AND name = 'Tim'",
        )
        .await;
    room.app.forget_rows();
    // What is known of access is known for a second.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    room.ask(&room.sam, "Second").await;
    room.app.settle().await;
    silent(&mut tim).await;
}
