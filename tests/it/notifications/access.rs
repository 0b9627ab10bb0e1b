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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gets_a_role_is_told_of_nothing_from_before() {
    let room = room().await;
    let app = &room.app;
    let report = async |number: usize| {
        let question = room.ask(&room.sam, &format!("Question {number}")).await;
        app.mutate(&room.tim, "reportPost", "report { id }", json!({ "postId": question, "reason": "Spam" })).await;
        told(app).await;
        app.app.clock.advance(TimeDelta::seconds(1));
    };
    report(1).await;
    let promote = json!({ "userId": room.eve.id, "role": "ADMIN" });
    app.mutate(&room.root, "changeUserRole", "user { role }", promote).await;
    app.app.clock.advance(TimeDelta::seconds(1));
    // Her earlier token says that she is a student.
    let eve = signed_in(app, &room.eve).await;
    assert_eq!(kinds(app, &eve, "").await, [""; 0]);
    report(2).await;
    assert_eq!(kinds(app, &eve, "").await, ["REPORT_RECEIVED 1"], "the earlier one is not counted");
    assert_eq!(kinds(app, &room.root, "").await, ["REPORT_RECEIVED 2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_in_the_team_of_a_course_is_told_of_a_report_once() {
    let room = room().await;
    let app = &room.app;
    app.sql("UPDATE courses SET instructor_id = (SELECT id FROM users WHERE name = 'Root')").await;
    app.forget_rows();
    app.app.clock.advance(TimeDelta::seconds(1));
    let (mut listener, _) = super::live::Listener::new(app, &room.root, None).await;
    let question = room.ask(&room.sam, "How?").await;
    told(app).await;
    app.app.clock.advance(TimeDelta::seconds(1));
    app.mutate(&room.tim, "reportPost", "report { id }", json!({ "postId": question, "reason": "Spam" })).await;
    told(app).await;
    assert_eq!(kinds(app, &room.root, "").await, ["REPORT_RECEIVED 1", "QUESTION_ASKED 1"]);
    listener.expect(&[("New question in “Engines”", 1), ("A post was reported in “Engines”", 2)]).await;
    listener.silent().await;
    let both = "SELECT count(*) FROM notifications WHERE kind = 'REPORT_RECEIVED'";
    assert_eq!(app.sql(both).await, "2", "for the team and for administrators");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_held_is_told_when_it_is_shown_and_once() {
    let room = Room::with(TestApp::with(&[("LYCEUM_BLOCKED_WORDS", "casino")]).await).await;
    let app = &room.app;
    told(app).await;
    app.sql("DELETE FROM notifications").await;
    let later = || app.app.clock.advance(TimeDelta::seconds(1));
    later();
    let question = json!({ "lessonId": room.lesson, "title": "Held", "body": "A casino?" });
    let question = app.mutate(&room.sam, "createQuestion", "question { id }", question).await["question"]["id"].take();
    let review = json!({ "courseId": room.course.id, "stars": 5, "body": "Like a casino." });
    let review = app.mutate(&room.tim, "createReview", "review { id }", review).await["review"]["id"].take();
    told(app).await;
    assert_eq!(kinds(app, &room.ada, "").await, ["REPORT_RECEIVED 2"], "it waits for the team");
    let moderate = async |post: &Value, action: &str| {
        later();
        app.mutate(&room.ada, "moderatePost", "post { id }", json!({ "postId": post, "action": action })).await;
        told(app).await;
    };
    for (post, news) in [(&question, "QUESTION_ASKED 1"), (&review, "REVIEW_RECEIVED 1")] {
        for action in ["RESTORE", "HIDE", "RESTORE"] {
            moderate(post, action).await;
        }
        assert_eq!(kinds(app, &room.ada, "").await[0], news);
    }
    later();
    let reply = json!({ "parentId": question, "body": "No casino." });
    let reply = app.mutate(&room.tim, "createReply", "reply { id }", reply).await["reply"]["id"].take();
    told(app).await;
    assert_eq!(kinds(app, &room.sam, "").await, [""; 0]);
    for action in ["RESTORE", "HIDE", "RESTORE"] {
        moderate(&reply, action).await;
    }
    assert_eq!(kinds(app, &room.sam, "").await, ["REPLY_RECEIVED 1"]);
}
