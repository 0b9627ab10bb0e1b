//! Large audiences.

use serde_json::Value;

use super::*;
use crate::support::app::Course;
use lyceum::platform::auth::Role;

/// The students of a course, of whom `count` are written to the database at once, and who want emails about videos.
async fn students(app: &TestApp, course: &Course, count: usize) {
    let course = course.id.parse::<lyceum::catalog::CourseId>().unwrap().uuid();
    app.sql(&format!(
        "WITH made AS (INSERT INTO users (id, email, name, role, created_at, updated_at)
            SELECT gen_random_uuid(), 'student' || n || '@people.example', 'Student ' || n, 'STUDENT', '2026-01-01',
                '2026-01-01' FROM generate_series(1, {count}) AS n RETURNING id),
        wishes AS (INSERT INTO notification_settings (user_id, preferences, digest)
            SELECT id, '{{\"NEW_VIDEO\": {{\"inApp\": true, \"email\": true, \"push\": false}}}}', 'OFF' FROM made)
        INSERT INTO entitlements (id, user_id, scope, course_id, source, starts_at, note)
        SELECT gen_random_uuid(), id, 'COURSE', '{course}', 'GRANT', '2026-01-01', '' FROM made"
    ))
    .await;
}

/// Publishes a lesson and sends what follows; the event.
async fn published(app: &TestApp, instructor: &User, course: &Course) -> Value {
    let lesson = app.lesson(instructor, course, "News").await;
    app.publish(instructor, &lesson).await;
    work(app).await;
    let event = app.sql("SELECT event_id FROM notification_deliveries LIMIT 1").await;
    json!({ "occurrence": event })
}

async fn run(app: &TestApp, job: &str, payload: &Value) {
    let run = lyceum::app::registry().unwrap().get(job).unwrap().run;
    run(app.app.clone(), payload.clone()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_audience_is_walked_in_batches_and_from_where_it_was_interrupted() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Engines", 1).await;
    app.settle().await;
    students(&app, &course, 1200).await;
    let event = published(&app, &ada, &course).await;
    app.settle().await;
    assert_eq!(app.sql("SELECT count(*) FROM notification_deliveries").await, "1200");
    assert_eq!(app.sql("SELECT count(DISTINCT user_id) FROM notification_deliveries").await, "1200");
    assert_eq!(count(&app, "SENT").await, "1200");
    assert_eq!(list_mails(&app).len(), 1200);
    assert_eq!(app.sql("SELECT count(*) FROM notifications WHERE kind = 'NEW_VIDEO'").await, "1");

    // The job runs again after it was done.
    run(&app, "notifications.walk", &event).await;
    assert_eq!(app.sql("SELECT count(*) FROM notification_deliveries").await, "1200");

    // The node was killed after the first batch was committed.
    app.sql(
        "WITH first AS (SELECT user_id FROM enrollments ORDER BY user_id LIMIT 500),
        moved AS (UPDATE notification_walks SET ended_at = NULL,
            position = (SELECT max(user_id::text)::uuid FROM first)
            WHERE event_id IN (SELECT event_id FROM notification_deliveries))
        DELETE FROM notification_deliveries WHERE user_id NOT IN (SELECT user_id FROM first)",
    )
    .await;
    let before = app.app.db.statements();
    run(&app, "notifications.walk", &event).await;
    let statements = app.app.db.statements() - before;
    assert!(statements < 80, "for two batches, whatever their size: {statements}");
    assert_eq!(count(&app, "PENDING").await, "700");
    assert_eq!(app.sql("SELECT count(DISTINCT user_id) FROM notification_deliveries").await, "1200");
    assert_eq!(app.sql("SELECT count(*) FROM notification_walks WHERE ended_at IS NULL").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reading_what_is_due_takes_the_same_statements_for_one_and_for_many() {
    let mut per_mail = Vec::new();
    for size in [1, 20] {
        let app = TestApp::start().await;
        let ada = app.user("Ada", Role::Instructor).await;
        let course = app.course(&ada, "Engines", 1).await;
        students(&app, &course, size).await;
        published(&app, &ada, &course).await;
        app.settle().await;
        list_mails(&app);
        app.sql("UPDATE notification_deliveries SET status = 'PENDING', ended_at = NULL, due_at = '2020-01-01'").await;
        app.forget_rows();
        let before = app.app.db.statements();
        run(&app, "notifications.send", &json!({})).await;
        assert_eq!(list_mails(&app).len(), size);
        // Each mail is marked by one.
        per_mail.push(app.app.db.statements() - before - size as u64);
    }
    assert!(per_mail[1] < per_mail[0] + 10, "{per_mail:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_send_each_mail_once() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Engines", 1).await;
    students(&app, &course, 300).await;
    published(&app, &ada, &course).await;
    app.settle().await;
    list_mails(&app);
    // Half of them are digests.
    app.sql(
        "UPDATE notification_deliveries SET status = 'PENDING', ended_at = NULL, due_at = '2026-01-01',
        digest_at = CASE WHEN user_id::text < '8' THEN timestamptz '2026-01-01' END",
    )
    .await;
    let peer = app.peer().await;
    let nothing = json!({});
    tokio::join!(run(&app, "notifications.send", &nothing), run(&peer, "notifications.send", &nothing));
    let (here, there) = (list_mails(&app), list_mails(&peer));
    assert_eq!(here.len() + there.len(), 300);
    let mut recipients: Vec<&str> = here.iter().chain(&there).map(|mail| mail.to.as_str()).collect();
    recipients.sort_unstable();
    recipients.dedup();
    assert_eq!(recipients.len(), 300);
}
