//! Who is told: those who may see it at that time, and nobody else.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_loses_access_is_not_shown_what_happened_there() {
    let room = room().await;
    room.video("Wheels").await;
    let question = room.ask(&room.tim, "How?").await;
    room.answer(&room.sam, &question).await;
    assert_eq!(kinds(&room.app, &room.tim, "").await, ["REPLY_RECEIVED 1", "NEW_VIDEO 1"]);
    let id = list(&room.app, &room.tim, "").await["notifications"]["nodes"][0]["id"].take();
    let node = "query ($id: ID!) { node(id: $id) { id ... on Notification { title } } }";
    let seen =
        async |user: &User| room.app.data(Some(&user.token), node, json!({ "id": id })).await["node"]["title"].take();
    assert_eq!(seen(&room.tim).await, "New reply to “How?”");
    for stranger in [&room.eve, &room.ada, &room.root] {
        assert_eq!(seen(stranger).await, Value::Null, "{}", stranger.id);
    }
    let end = "UPDATE entitlements SET ended_at = now(), end_reason = 'REFUNDED' FROM users \
        WHERE users.id = user_id AND name = 'Tim'";
    room.app.sql(end).await;
    room.app.forget_rows();
    assert_eq!(kinds(&room.app, &room.tim, "").await, [""; 0]);
    assert_eq!((unread(&room.app, &room.tim).await, seen(&room.tim).await), (0, Value::Null));
    room.app.sql("UPDATE entitlements SET ended_at = NULL, end_reason = NULL").await;
    room.app.forget_rows();
    assert_eq!(unread(&room.app, &room.tim).await, 2, "nothing was deleted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_told_of_what_was_before_they_came() {
    let room = room().await;
    room.video("Wheels").await;
    room.app.app.clock.advance(TimeDelta::seconds(1));
    room.app.mutate(&room.eve, "enroll", "entitlement { id }", json!({ "courseId": room.course.id })).await;
    room.app.settle().await;
    assert_eq!(kinds(&room.app, &room.eve, "").await, [""; 0]);
    room.video("Levers").await;
    assert_eq!(kinds(&room.app, &room.eve, "").await, ["NEW_VIDEO 1"], "the earlier one is not counted");
    assert_eq!(kinds(&room.app, &room.sam, "").await, ["NEW_VIDEO 2"]);
    let title = list(&room.app, &room.eve, "").await["notifications"]["nodes"][0]["title"].take();
    assert_eq!(title, "New video in “Engines”");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn titles_are_those_of_now_and_hidden_ones_are_not_told() {
    let room = room().await;
    room.video("Wheels").await;
    let body = async || list(&room.app, &room.sam, "").await["notifications"]["nodes"][0]["body"].take();
    assert_eq!(body().await, "“Wheels”");
    let lesson = "query ($id: ID) { course(id: $id) { lessons(last: 1) { nodes { id } } } }";
    let lesson = room.app.data(None, lesson, json!({ "id": room.course.id })).await;
    let lesson = lesson["course"]["lessons"]["nodes"][0]["id"].clone();
    room.app.edit(&room.ada, "updateLesson", "lesson { id }", json!({ "lessonId": lesson, "title": "Cogs" })).await;
    assert_eq!(body().await, "“Cogs”");
    room.app.mutate(&room.ada, "unpublishLesson", "lesson { id }", json!({ "lessonId": lesson })).await;
    assert_eq!(body().await, "“…”");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reading_takes_a_bounded_time_with_many_receipts() {
    let room = room().await;
    room.video("Wheels").await;
    // 20,000 notifications of the course, and 40,000 receipts of others.
    let many = "INSERT INTO notifications (id, audience, kind, group_key, subject, mute_keys, created_at, at) \
        SELECT gen_random_uuid(), audience, kind, 'many' || n, subject, mute_keys, created_at, at + n * interval '1 us' \
        FROM notifications, generate_series(1, 20000) n";
    room.app.sql(many).await;
    let events = "INSERT INTO notification_events (id, notification_id, at, facts) \
        SELECT gen_random_uuid(), id, at, '{}' FROM notifications WHERE group_key LIKE 'many%'";
    room.app.sql(events).await;
    let receipts = "INSERT INTO notification_receipts (user_id, notification_id, read_through, read_at, kept, changed_at) \
        SELECT users.id, notifications.id, notifications.at, now(), false, now() FROM notifications, users \
        WHERE users.name IN ('Tim', 'Eve')";
    room.app.sql(receipts).await;
    room.app.sql("ANALYZE notifications").await;
    room.app.sql("ANALYZE notification_receipts").await;
    room.app.sql("ANALYZE notification_events").await;
    let before = std::time::Instant::now();
    for _ in 0..5 {
        let sam = list(&room.app, &room.sam, "(filter: { state: UNREAD })").await;
        assert_eq!((&sam["unreadNotificationCount"], &sam["notifications"]["totalCount"]), (&json!(100), &json!(100)));
    }
    assert!(before.elapsed() < std::time::Duration::from_secs(3), "{:?}", before.elapsed());
}
