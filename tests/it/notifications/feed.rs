//! What is told to whom, how it is grouped, and what that costs.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn similar_events_are_one_notification_and_the_actor_is_not_told() {
    let room = room().await;
    room.video("Wheels").await;
    room.video("Levers").await;
    let question = room.ask(&room.sam, "How?").await;
    room.app.settle().await;
    for user in [&room.tim, &room.ada, &room.tim, &room.sam] {
        room.answer(user, &question).await;
    }
    let sam = list(&room.app, &room.sam, "").await;
    assert_eq!(sam["unreadNotificationCount"], 2, "{sam:#}");
    let [reply, video] = &sam["notifications"]["nodes"].as_array().unwrap()[..] else { panic!("{sam:#}") };
    assert_eq!((&reply["kind"], &reply["count"]), (&json!("REPLY_RECEIVED"), &json!(3)), "Sam's own is not counted");
    assert_eq!(reply["title"], "3 new replies to “How?”");
    assert_eq!(reply["body"], "The latest is by Tim.");
    assert_eq!((&reply["actor"]["name"], &reply["subject"]["id"]), (&json!("Tim"), &json!(question)));
    assert_eq!((&video["title"], &video["body"]), (&json!("2 new videos in “Engines”"), &json!("“Levers” and 1 more")));
    assert_eq!((&video["readAt"], &video["subject"]["__typename"]), (&Value::Null, &json!("Course")));
    // Tim follows the question since his first reply, and is told of those of others.
    assert_eq!(kinds(&room.app, &room.tim, "").await, ["REPLY_RECEIVED 2", "NEW_VIDEO 2"]);
    // The team is told of the question; Ada is told of the replies since hers.
    assert_eq!(kinds(&room.app, &room.ada, "").await, ["REPLY_RECEIVED 2", "QUESTION_ASKED 1"]);
    assert_eq!(kinds(&room.app, &room.eve, "").await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_runs_twice_tells_once() {
    let room = room().await;
    room.video("Wheels").await;
    let replay = "INSERT INTO jobs (id, handler, payload, dedupe_key, run_at, created_at) \
        SELECT gen_random_uuid(), 'notifications.new_video', payload, 'again', '2020-01-01', now() \
        FROM events WHERE kind = 'lesson_published' ORDER BY position DESC LIMIT 1";
    room.app.sql(replay).await;
    room.app.settle().await;
    assert_eq!(room.app.sql("SELECT count(*) FROM jobs").await, "0");
    assert_eq!(kinds(&room.app, &room.sam, "").await, ["NEW_VIDEO 1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rows_do_not_depend_on_the_number_of_students() {
    let room = room().await;
    let enroll = "WITH made AS (INSERT INTO users (id, email, name, role, created_at, updated_at, password_hash) \
            SELECT gen_random_uuid(), 'many' || n || '@people.example', 'Many', 'STUDENT', now(), now(), 'x' \
            FROM generate_series(1, 1000) n RETURNING id) \
        INSERT INTO entitlements (id, user_id, scope, course_id, source, starts_at, note) \
        SELECT gen_random_uuid(), made.id, 'COURSE', courses.id, 'GIFT', now(), '' FROM made, courses";
    let rows = "SELECT (SELECT count(*) FROM notifications) || ' ' || (SELECT count(*) FROM notification_events) || ' ' || \
        (SELECT count(*) FROM notification_receipts) || ' ' || (SELECT count(*) FROM events)";
    let before: Vec<i64> = room.app.sql(rows).await.split(' ').map(|part| part.parse().unwrap()).collect();
    room.video("For two").await;
    let two: Vec<i64> = room.app.sql(rows).await.split(' ').map(|part| part.parse().unwrap()).collect();
    room.app.sql(enroll).await;
    assert_eq!(room.app.sql("SELECT count(*) FROM enrollments").await, "1002");
    room.video("For a thousand").await;
    let thousand: Vec<i64> = room.app.sql(rows).await.split(' ').map(|part| part.parse().unwrap()).collect();
    assert_eq!(two[0] - before[0], 1);
    assert_eq!(
        (thousand[0] - two[0], thousand[1] - two[1], thousand[2]),
        (0, 1, 0),
        "one notification, one event more"
    );
    assert_eq!(thousand[3] - two[3], two[3] - before[3]);
    assert_eq!(kinds(&room.app, &room.sam, "").await, ["NEW_VIDEO 2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_in_order_in_both_directions() {
    let room = room().await;
    for number in 0..5 {
        let question = room.ask(&room.sam, &format!("Question {number}")).await;
        room.answer(&room.tim, &question).await;
    }
    let titles = |list: &Value| -> Vec<String> {
        let nodes = list["notifications"]["nodes"].as_array().unwrap();
        nodes.iter().map(|node| node["title"].as_str().unwrap().replace("New reply to ", "")).collect()
    };
    let first = list(&room.app, &room.sam, "(first: 2)").await;
    assert_eq!(titles(&first), ["“Question 4”", "“Question 3”"]);
    assert_eq!(first["notifications"]["pageInfo"]["hasNextPage"], true);
    let after = first["notifications"]["pageInfo"]["endCursor"].as_str().unwrap();
    let second = list(&room.app, &room.sam, &format!("(first: 2, after: \"{after}\")")).await;
    assert_eq!(titles(&second), ["“Question 2”", "“Question 1”"]);
    assert_eq!(second["notifications"]["totalCount"], 5);
    let before = second["notifications"]["pageInfo"]["startCursor"].as_str().unwrap();
    let back = list(&room.app, &room.sam, &format!("(last: 1, before: \"{before}\")")).await;
    assert_eq!(titles(&back), ["“Question 3”"]);
    assert_eq!(back["notifications"]["pageInfo"]["hasPreviousPage"], true);
    // What happens again comes to the top, and what is of another kind is left out.
    let oldest = "SELECT id FROM posts WHERE kind = 'QUESTION' ORDER BY id LIMIT 1";
    let oldest = lyceum::discussions::QuestionId::new(room.app.sql(oldest).await.parse().unwrap()).encode();
    room.answer(&room.ada, &oldest).await;
    room.video("Wheels").await;
    let replies = list(&room.app, &room.sam, "(first: 1, filter: { kinds: [REPLY_RECEIVED] })").await;
    assert_eq!(titles(&replies), ["2 new replies to “Question 0”"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_costs_the_same_for_one_and_for_twenty() {
    let room = room().await;
    let query = "query ($first: Int) { viewer { unreadNotificationCount notifications(first: $first) { nodes { \
        title body count actor { name } subject { __typename } } } } }";
    for number in 0..20 {
        let question = room.ask(&room.sam, &format!("Question {number}")).await;
        room.app.app.clock.advance(TimeDelta::seconds(1));
        room.reply(&room.tim, &question, "So.").await;
    }
    room.app.settle().await;
    let mut costs = Vec::new();
    for first in [1, 20] {
        let count = async || {
            let data = room.app.data(Some(&room.sam.token), query, json!({ "first": first })).await;
            data["viewer"]["notifications"]["nodes"].as_array().unwrap().len()
        };
        let (cost, found) = room.app.counted(count).await;
        assert_eq!(found, first);
        costs.push(cost);
    }
    // On a busy machine keys come late for their batch; a statement for each row would be 19 more.
    assert!(costs[0].abs_diff(costs[1]) < 3 && costs[0] <= 22, "{costs:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_kind_reaches_whom_it_concerns() {
    let room = room().await;
    let (app, course) = (&room.app, &room.course);
    // Before anything happens, Eve follows the channel.
    let channel = app.sql("SELECT id FROM channels").await;
    app.sql(&format!(
        "INSERT INTO channel_follows (user_id, channel_id, followed_at) \
            SELECT id, '{channel}', '2020-01-01' FROM users WHERE name = 'Eve'"
    ))
    .await;
    let review = json!({ "courseId": course.id, "stars": 5, "body": "Good." });
    let review = app.mutate(&room.sam, "createReview", "review { id }", review).await;
    let review = review["review"]["id"].as_str().unwrap().to_owned();
    app.settle().await;
    assert_eq!(kinds(app, &room.ada, "").await, ["REVIEW_RECEIVED 1"]);
    app.app.clock.advance(TimeDelta::seconds(1));
    app.mutate(&room.ada, "createReply", "reply { id }", json!({ "parentId": review, "body": "Thanks." })).await;
    app.settle().await;
    let sam = list(app, &room.sam, "").await;
    assert_eq!(sam["notifications"]["nodes"][0]["title"], "Response to your review of “Engines”");

    let question = room.ask(&room.sam, "How?").await;
    let reply = room.answer(&room.tim, &question).await;
    app.app.clock.advance(TimeDelta::seconds(1));
    let accept = json!({ "questionId": question, "replyId": reply });
    app.mutate(&room.sam, "acceptReply", "question { id }", accept).await;
    app.settle().await;
    let tim = list(app, &room.tim, "").await;
    assert_eq!(tim["notifications"]["nodes"][0]["title"], "Your reply to “How?” was accepted");
    assert_eq!(tim["notifications"]["nodes"][0]["actor"]["name"], "Sam");

    let report = json!({ "postId": reply, "reason": "Spam" });
    app.app.clock.advance(TimeDelta::seconds(1));
    app.mutate(&room.sam, "reportPost", "report { id }", report).await;
    app.settle().await;
    assert_eq!(list(app, &room.ada, "").await["notifications"]["nodes"][0]["kind"], "REPORT_RECEIVED");
    let root = list(app, &room.root, "").await;
    assert_eq!(root["notifications"]["nodes"][0]["title"], "A post was reported in “Engines”");

    app.app.clock.advance(TimeDelta::seconds(1));
    app.course(&room.ada, "Looms", 1).await;
    app.settle().await;
    let eve = list(app, &room.eve, "").await;
    assert_eq!(eve["notifications"]["nodes"][0]["title"], "New course in “Ada”");
    assert_eq!(eve["notifications"]["nodes"][0]["body"], "“Looms”");

    let died = "INSERT INTO events (id, kind, topics, payload, recorded_at) \
        VALUES (gen_random_uuid(), 'job_died', '{}', '{\"handler\": \"mails.send\", \"payload\": {}}', now())";
    app.app.clock.advance(TimeDelta::seconds(1));
    app.sql(died).await;
    app.settle().await;
    let root = list(app, &room.root, "").await;
    assert_eq!(root["notifications"]["nodes"][0]["title"], "A job has failed: mails.send");
    assert_eq!(root["notifications"]["nodes"][0]["subject"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn articles_are_told_as_an_update_of_the_course_and_edits_are_no_news() {
    let room = room().await;
    let app = &room.app;
    let mut lessons = Vec::new();
    for title in ["Notes", "Sources", "Tables"] {
        app.app.clock.advance(TimeDelta::seconds(1));
        let new = json!({ "sectionId": room.course.section, "title": title, "kind": "ARTICLE" });
        let lesson = app.mutate(&room.ada, "createLesson", "lesson { id }", new).await["lesson"]["id"].take();
        app.publish(&room.ada, lesson.as_str().unwrap()).await;
        told(app).await;
        lessons.push(lesson);
    }
    let sam = list(app, &room.sam, "").await;
    let [update] = &sam["notifications"]["nodes"].as_array().unwrap()[..] else { panic!("{sam:#}") };
    assert_eq!((&update["kind"], &update["title"]), (&json!("COURSE_UPDATED"), &json!("3 new lessons in “Engines”")));
    assert_eq!((&update["body"], &update["subject"]["id"]), (&json!("“Tables” and 2 more"), &json!(room.course.id)));
    assert_eq!(kinds(app, &room.ada, "").await, [""; 0], "who has published them");
    assert_eq!(kinds(app, &room.eve, "").await, [""; 0]);
    let edit = json!({ "lessonId": lessons[0], "title": "Notes, second edition" });
    app.edit(&room.ada, "updateLesson", "lesson { id }", edit).await;
    for field in ["unpublishLesson", "publishLesson"] {
        app.mutate(&room.ada, field, "lesson { id }", json!({ "lessonId": lessons[0] })).await;
    }
    room.video("Wheels").await;
    assert_eq!(kinds(app, &room.sam, "").await, ["NEW_VIDEO 1", "COURSE_UPDATED 3"]);
}
