//! What is read, unread and archived.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_read_is_unread_again_when_something_happens() {
    let room = room().await;
    let question = room.ask(&room.sam, "How?").await;
    room.answer(&room.tim, &question).await;
    room.answer(&room.tim, &question).await;
    let id = list(&room.app, &room.sam, "").await["notifications"]["nodes"][0]["id"].take();
    assert_eq!(mark(&room.app, &room.sam, json!({ "ids": [id], "state": "READ" })).await, 0);
    assert_eq!(kinds(&room.app, &room.sam, "(filter: { state: UNREAD })").await, [""; 0]);
    assert_eq!(kinds(&room.app, &room.sam, "(filter: { state: READ })").await, ["REPLY_RECEIVED 2"]);
    room.answer(&room.sam, &question).await;
    assert_eq!(unread(&room.app, &room.sam).await, 0, "Sam's own reply is no news for Sam");
    room.answer(&room.tim, &question).await;
    assert_eq!(kinds(&room.app, &room.sam, "(filter: { state: UNREAD })").await, ["REPLY_RECEIVED 1"]);
    assert_eq!(unread(&room.app, &room.sam).await, 1);
    assert_eq!(mark(&room.app, &room.sam, json!({ "ids": [id], "state": "ARCHIVED" })).await, 0);
    assert_eq!(kinds(&room.app, &room.sam, "").await, [""; 0]);
    assert_eq!(kinds(&room.app, &room.sam, "(filter: { state: ARCHIVED })").await, ["REPLY_RECEIVED 3"]);
    assert_eq!(mark(&room.app, &room.sam, json!({ "ids": [id], "state": "UNREAD" })).await, 1);
    assert_eq!(kinds(&room.app, &room.sam, "").await, ["REPLY_RECEIVED 3"]);
    mark(&room.app, &room.sam, json!({ "ids": [id], "state": "ARCHIVED" })).await;
    room.answer(&room.tim, &question).await;
    assert_eq!(kinds(&room.app, &room.sam, "").await, ["REPLY_RECEIVED 1"], "it returns from the archive");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_up_to_a_cursor_is_one_row_and_one_can_be_unread_again() {
    let room = room().await;
    for number in 0..4 {
        let question = room.ask(&room.sam, &format!("Question {number}")).await;
        room.answer(&room.tim, &question).await;
    }
    let all = list(&room.app, &room.sam, "").await;
    let cursor = list(&room.app, &room.sam, "(first: 2)").await["notifications"]["pageInfo"]["endCursor"].take();
    assert_eq!(mark(&room.app, &room.sam, json!({ "upTo": cursor, "state": "READ" })).await, 1, "the latest is newer");
    assert_eq!(room.app.sql("SELECT count(*) FROM notification_receipts").await, "0");
    assert_eq!(room.app.sql("SELECT count(*) FROM notification_marks").await, "1");
    let oldest = &all["notifications"]["nodes"][3]["id"];
    assert_eq!(mark(&room.app, &room.sam, json!({ "ids": [oldest], "state": "UNREAD" })).await, 2);
    let states = list(&room.app, &room.sam, "").await;
    let states: Vec<bool> =
        states["notifications"]["nodes"].as_array().unwrap().iter().map(|node| node["readAt"].is_null()).collect();
    assert_eq!(states, [true, false, false, true]);
    assert_eq!(kinds(&room.app, &room.sam, "(filter: { state: UNREAD })").await.len(), 2);
    let cursor = list(&room.app, &room.sam, "").await["notifications"]["pageInfo"]["startCursor"].take();
    assert_eq!(mark(&room.app, &room.sam, json!({ "upTo": cursor, "state": "READ" })).await, 0);
    assert_eq!(mark(&room.app, &room.sam, json!({ "upTo": cursor, "state": "ARCHIVED" })).await, 0);
    assert_eq!(kinds(&room.app, &room.sam, "").await, [""; 0]);
    // Another user's are as they were.
    assert_eq!(unread(&room.app, &room.ada).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_is_a_user_error_and_marks_nothing() {
    let room = room().await;
    let question = room.ask(&room.sam, "How?").await;
    room.answer(&room.tim, &question).await;
    let id = list(&room.app, &room.sam, "").await["notifications"]["nodes"][0]["id"].take();
    let other = lyceum::notifications::NotificationId::new(uuid::Uuid::nil()).encode();
    for (input, expected) in [
        (json!({ "state": "READ" }), "INVALID"),
        (json!({ "ids": [id], "upTo": "x", "state": "READ" }), "INVALID"),
        (json!({ "upTo": "x", "state": "READ" }), "INVALID"),
        (json!({ "upTo": "x", "state": "UNREAD" }), "NOT_ALLOWED"),
        (json!({ "ids": [id, other], "state": "READ" }), "NOT_FOUND"),
        (json!({ "ids": vec![&id; 101], "state": "READ" }), "TOO_LONG"),
    ] {
        assert_eq!(code(&room.app, &room.sam, "markNotifications", input.clone()).await, expected, "{input}");
    }
    let foreign = json!({ "ids": [id], "state": "READ" });
    assert_eq!(code(&room.app, &room.eve, "markNotifications", foreign).await, "NOT_FOUND");
    assert_eq!(unread(&room.app, &room.sam).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_ones_are_deleted_read_ones_earlier_and_receipts_with_them() {
    let room = room().await;
    let questions = [room.ask(&room.sam, "Read").await, room.ask(&room.sam, "Unread").await];
    for question in &questions {
        let reply = room.answer(&room.tim, question).await;
        let accept = json!({ "questionId": question, "replyId": reply });
        room.app.mutate(&room.sam, "acceptReply", "question { id }", accept).await;
        room.app.settle().await;
    }
    // Of Tim alone: the later one is read.
    let accepted = list(&room.app, &room.tim, "(filter: { kinds: [REPLY_ACCEPTED] })").await;
    let later = &accepted["notifications"]["nodes"][0]["id"];
    mark(&room.app, &room.tim, json!({ "ids": [later], "state": "READ" })).await;
    let counts = "SELECT (SELECT count(*) FROM notifications) || ' ' || (SELECT count(*) FROM notification_events) || ' ' || \
        (SELECT count(*) FROM notification_receipts)";
    let all = room.app.sql(counts).await;
    assert_eq!(all, "5 6 1", "two of replies, two of accepted ones, one for the team");
    room.app.app.clock.advance(TimeDelta::days(29));
    room.app.run("notifications.sweep_read").await;
    assert_eq!(room.app.sql(counts).await, all);
    room.app.app.clock.advance(TimeDelta::days(2));
    room.app.run("notifications.sweep_read").await;
    assert_eq!(room.app.sql(counts).await, "4 5 0");
    room.app.app.clock.advance(TimeDelta::days(333));
    room.app.run("notifications.sweep").await;
    assert_eq!(room.app.sql(counts).await, "4 5 0");
    room.app.app.clock.advance(TimeDelta::days(2));
    room.app.run("notifications.sweep").await;
    assert_eq!(room.app.sql(counts).await, "0 0 0");
}
