//! `kill -9` while mails are sent to a real mail server.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::support::eventually;
use crate::support::process::Site;
use crate::support::smtp::SmtpServer;

const STUDENTS: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_kill_each_recipient_has_each_mail_once() {
    let server = SmtpServer::start(Duration::from_millis(40)).await;
    let smtp = format!("smtp://127.0.0.1:{}", server.port);
    let site = Site::new().await.set("SMTP_URL", &smtp).seed(1);
    // Of ten, one has an address that does not exist, and one has a mail server that wants to be asked twice.
    site.sql(&format!(
        "WITH made AS (INSERT INTO users (id, email, name, role, created_at, updated_at)
            SELECT gen_random_uuid(),
                CASE n % 10 WHEN 1 THEN 'nobody' WHEN 2 THEN 'later' ELSE 'student' END || n || '@people.example',
                'Student ' || n, 'STUDENT', '2026-01-01', '2026-01-01' FROM generate_series(1, {STUDENTS}) AS n
            RETURNING id),
        wishes AS (INSERT INTO notification_settings (user_id, preferences, digest)
            SELECT id, '{{\"NEW_VIDEO\": {{\"inApp\": true, \"email\": true, \"push\": false}}}}', 'OFF' FROM made)
        INSERT INTO entitlements (id, user_id, scope, course_id, source, starts_at, note)
        SELECT gen_random_uuid(), made.id, 'COURSE', courses.id, 'GRANT', '2026-01-01', ''
        FROM made, courses JOIN users ON users.id = instructor_id WHERE users.email = 'instructor@lyceum.example'"
    ))
    .await;
    let mut node = site.serve().await;
    let teacher = node.sign_in("instructor").await;
    let section = node.section(&teacher).await;
    node.news(&teacher, &section, "News").await;
    let students = || -> Vec<(String, String)> {
        let of_course = |to: &str| to.ends_with("@people.example");
        server.accepted().into_iter().filter(|(to, _)| of_course(to)).collect()
    };
    eventually("some mails are sent", async || students().len() >= 10).await;
    node.kill();
    assert!(students().len() < STUDENTS - 10, "it was killed in the middle: {}", students().len());
    // The leases of the killed node end.
    site.sql("UPDATE notification_deliveries SET due_at = now() WHERE status = 'SENDING'").await;
    site.sql("UPDATE jobs SET leased_until = now() WHERE leased_until IS NOT NULL").await;
    let node = site.serve().await;
    let open = "SELECT count(*) FROM notification_deliveries WHERE ended_at IS NULL";
    let untried = format!("{open} AND last_error IS NULL");
    eventually("all mails are tried", async || site.sql(&untried).await == "0").await;
    site.sql("UPDATE notification_deliveries SET due_at = now() WHERE ended_at IS NULL").await;
    site.sql(
        "INSERT INTO jobs (id, handler, payload, dedupe_key, run_at, created_at)
            SELECT gen_random_uuid(), 'notifications.send', '{}', 'again', '2020-01-01', now()",
    )
    .await;
    eventually("all mails are sent", async || site.sql(open).await == "0").await;
    drop(node);
    let mails = students();
    let mut by_recipient: HashMap<&str, Vec<&str>> = HashMap::new();
    for (to, id) in &mails {
        by_recipient.entry(to).or_default().push(id);
    }
    assert_eq!(by_recipient.len(), STUDENTS - 4);
    for (to, ids) in &by_recipient {
        let distinct: HashSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), 1, "{to} has one mail, whose repetition is recognized: {ids:?}");
    }
    // At most what was in flight when the node was killed was sent again.
    assert!(mails.len() <= STUDENTS - 4 + 8, "{}", mails.len());
    // If it was killed between the suppression of an address and the end of its mail, that mail is not tried again.
    let refused = "SELECT count(*) FROM notification_deliveries WHERE status IN ('FAILED', 'SUPPRESSED')";
    assert_eq!(site.sql(refused).await, "4");
    assert_eq!(site.sql("SELECT string_agg(DISTINCT reason, ' ') || count(*) FROM mail_suppressions").await, "BOUNCE4");
}
