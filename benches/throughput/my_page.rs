//! The case *my page*: a student's notifications, the number of unread ones, and their courses with progress.
//!
//! Each course has twenty notifications, and each student has read every third one. The server runs without its row
//! cache, like that of discussions.

use std::path::Path;

use serde_json::json;
use tokio_postgres::Client;

use super::cases::{Case, VARIETY, script};
use super::load;
use super::players::{entitled_and_signed_in, tokens, uuids};

const MINE: &str = "query MyPage { viewer { unreadNotificationCount notifications(first: 20) { nodes { id kind title \
    createdAt readAt count } pageInfo { endCursor hasNextPage } } enrollments(first: 20) { nodes { id enrolledAt \
    course { id slug title } progress { percent completedLessonCount } } } } }";

/// By which the notifications of earlier runs are found.
const GROUP: &str = "benchmark";

/// Deletes what earlier runs have written, and prepares the case.
pub(crate) async fn prepare(url: &str, folder: &Path) -> Case {
    let client = super::connect(url).await;
    forget(&client).await;
    entitled_and_signed_in(&client).await;
    let students = format!(
        "SELECT user_id::text FROM enrollments JOIN users ON users.id = user_id AND role = 'STUDENT' \
         GROUP BY user_id HAVING count(*) >= 3 ORDER BY md5(user_id::text) LIMIT {VARIETY}"
    );
    let students = tokens(uuids(&client, &students).await);
    assert!(students.len() > 50, "too few students with several courses");
    notify(&client).await;
    let body = json!({ "query": MINE }).to_string();
    let requests = students.iter().map(|student| load::post_as(&body, Some(&student.token))).collect();
    let (mut scripts, mut parameters) = (Vec::new(), Vec::new());
    for (number, student) in students.iter().enumerate() {
        parameters.push(format!("user{number}={}", student.user));
        scripts.push(script(folder, "my-page", number, &statements(number)));
    }
    Case { name: "my page", requests, scripts, parameters }
}

/// Deletes the notifications of a run.
pub(crate) async fn forget(client: &Client) {
    client.batch_execute(&format!("DELETE FROM notifications WHERE group_key LIKE '{GROUP}%'")).await.unwrap();
    for table in ["notifications", "notification_events", "notification_receipts"] {
        client.batch_execute(&format!("VACUUM ANALYZE {table}")).await.unwrap();
    }
}

async fn notify(client: &Client) {
    let sql = format!(
        "INSERT INTO notifications (id, audience, kind, group_key, subject, mute_keys, created_at, at) \
         SELECT gen_random_uuid(), 'course:' || c.id, 'NEW_VIDEO', '{GROUP}' || n, '', \
            ARRAY['course:' || c.id], now() + n * interval '1 microsecond', now() + n * interval '1 microsecond' \
         FROM courses c, generate_series(1, 20) n WHERE c.published_at IS NOT NULL; \
         INSERT INTO notification_events (id, notification_id, at, facts) \
         SELECT gen_random_uuid(), n.id, n.at, jsonb_build_object('course', l.course_id, 'lesson', l.id) \
         FROM notifications n JOIN courses c ON 'course:' || c.id = n.audience \
         JOIN LATERAL (SELECT * FROM lessons WHERE course_id = c.id ORDER BY position LIMIT 1) l ON true WHERE n.group_key LIKE '{GROUP}%'; \
         INSERT INTO notification_receipts (user_id, notification_id, read_through, read_at, kept, changed_at) \
         SELECT e.user_id, n.id, n.at, now(), false, now() FROM enrollments e \
         JOIN notifications n ON n.audience = 'course:' || e.course_id \
         WHERE n.group_key LIKE '{GROUP}%' AND right(n.group_key, 1) IN ('3', '6', '9') \
            AND e.user_id IN (SELECT user_id FROM enrollments GROUP BY user_id HAVING count(*) >= 3)"
    );
    client.batch_execute(&sql).await.unwrap();
    for table in ["notifications", "notification_events", "notification_receipts"] {
        client.batch_execute(&format!("VACUUM ANALYZE {table}")).await.unwrap();
    }
}

/// What would be written by hand: one statement for each of the three lists.
fn statements(number: usize) -> String {
    let mine = format!(
        "SELECT 'course:' || course_id AS audience, since FROM enrollments WHERE user_id = :user{number}::uuid \
         UNION ALL SELECT 'user:' || id, created_at FROM users WHERE id = :user{number}::uuid \
         UNION ALL SELECT 'everyone', created_at FROM users WHERE id = :user{number}::uuid"
    );
    format!(
        "SELECT n.id, n.kind, n.created_at, r.read_at, e.facts, c.title, l.title FROM ( \
            SELECT n.* FROM ({mine}) a CROSS JOIN LATERAL (SELECT * FROM notifications n \
                WHERE n.audience = a.audience AND n.at > a.since ORDER BY n.at DESC, n.id DESC LIMIT 21) n \
            ORDER BY n.at DESC, n.id DESC LIMIT 21) n \
         LEFT JOIN notification_receipts r ON r.user_id = :user{number}::uuid AND r.notification_id = n.id \
         CROSS JOIN LATERAL (SELECT * FROM notification_events e WHERE e.notification_id = n.id \
            ORDER BY e.at DESC, e.id DESC LIMIT 1) e \
         LEFT JOIN courses c ON c.id = (e.facts ->> 'course')::uuid \
         LEFT JOIN lessons l ON l.id = (e.facts ->> 'lesson')::uuid;\n\
         SELECT count(*) FROM (SELECT FROM ({mine}) a CROSS JOIN LATERAL (SELECT n.id, n.at FROM notifications n \
            WHERE n.audience = a.audience AND n.at > a.since ORDER BY n.at DESC LIMIT 100) n \
            WHERE NOT EXISTS (SELECT FROM notification_receipts r WHERE r.user_id = :user{number}::uuid \
                AND r.notification_id = n.id AND r.read_through >= n.at) LIMIT 100) unread;\n\
         SELECT e.id, e.since, c.id, c.slug, c.title, count(l.id), count(p.completed_at) FROM (SELECT * FROM enrollments \
            WHERE user_id = :user{number}::uuid ORDER BY coalesce(last_activity_at, since) DESC, id DESC LIMIT 21) e \
         JOIN courses c ON c.id = e.course_id \
         LEFT JOIN lessons l ON l.course_id = c.id AND l.published_at IS NOT NULL \
         LEFT JOIN lesson_progress p ON p.enrollment_id = e.id AND p.lesson_id = l.id \
         GROUP BY e.id, e.since, e.last_activity_at, c.id ORDER BY coalesce(e.last_activity_at, e.since) DESC, e.id DESC;\n"
    )
}
