//! Sessions that are settled while the server is killed at random points.

use std::time::Duration;

use rand::RngExt;
use tokio::time::sleep;

use crate::support::process::Site;
use crate::support::{eventually, rounds};

/// How often the server is killed; `make faults` has ten times more.
const KILLS: usize = 5;
const MEMBERS: usize = 100;

/// Sessions of the last months that are over, so many for each kill. All members have a seat in each, and every second
/// one was there.
fn sessions(kills: usize) -> String {
    format!(
        "SET session_replication_role = replica;
        INSERT INTO users (id, email, name, role, created_at, updated_at)
            SELECT gen_random_uuid(), 'member' || n || '@people.example', 'Member ' || n, 'STUDENT', now(), now()
            FROM generate_series(1, {MEMBERS}) n;
        INSERT INTO live_sessions (id, host_id, title, starts_at, ends_at, created_at)
            SELECT gen_random_uuid(), (SELECT id FROM users WHERE role = 'INSTRUCTOR' LIMIT 1), 'Class',
                at, at + interval '1 hour', at
            FROM (SELECT now() - n * interval '2 hours' AS at FROM generate_series(10, 10 + {kills} * 60) n) times;
        INSERT INTO live_attendances (id, session_id, user_id, status, minutes, month, since, joined_at)
            SELECT gen_random_uuid(), s.id, u.id, 'HELD', 60, date_trunc('month', starts_at AT TIME ZONE 'UTC'), s.created_at,
                CASE WHEN (hashtext(s.id::text) # hashtext(u.id::text)) % 2 = 0 THEN starts_at END
            FROM live_sessions s, users u WHERE title = 'Class' AND email LIKE 'member%';
        INSERT INTO live_usage (user_id, month, allowed_minutes, held_minutes)
            SELECT user_id, month, sum(minutes), sum(minutes) FROM live_attendances
            WHERE user_id IN (SELECT id FROM users WHERE email LIKE 'member%') GROUP BY 1, 2;
        SELECT count(*) FROM live_sessions"
    )
}

const SETTLE: &str = "INSERT INTO jobs (id, handler, payload, dedupe_key, created_at, run_at)
    VALUES (gen_random_uuid(), 'live.settle', '{}', gen_random_uuid()::text, now(), now()) RETURNING id";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_settles_each_seat_once() {
    let kills = rounds(KILLS);
    let site = Site::new().await.seed(1);
    site.sql(&sessions(kills)).await;
    let unsettled =
        "SELECT count(*) FROM live_sessions WHERE settled_at IS NULL AND ends_at < now() AND title = 'Class'";
    let mut interrupted = 0;
    for _ in 0..kills {
        let mut node = site.serve().await;
        let before = site.sql(unsettled).await;
        site.sql(SETTLE).await;
        let begun = async || site.sql(unsettled).await != before;
        eventually("it settles", begun).await;
        sleep(Duration::from_millis(rand::rng().random_range(0..100))).await;
        node.kill();
        interrupted += usize::from(site.sql(unsettled).await != "0");
    }
    assert!(interrupted > 0, "it was killed while it settled");
    let node = site.serve().await;
    site.sql(SETTLE).await;
    // However many are left: what counts is that it goes on.
    loop {
        let before = site.sql(unsettled).await;
        if before == "0" {
            break;
        }
        eventually("it settles the next one", async || site.sql(unsettled).await != before).await;
    }
    let wrong = "SELECT count(*) FROM live_usage u WHERE user_id IN (SELECT id FROM users WHERE email LIKE 'member%')
        AND (held_minutes <> 0 OR (attended_minutes, sessions_attended, sessions_missed) <> (
            SELECT coalesce(sum(minutes) FILTER (WHERE joined_at IS NOT NULL), 0),
                count(*) FILTER (WHERE joined_at IS NOT NULL), count(*) FILTER (WHERE joined_at IS NULL)
            FROM live_attendances a WHERE a.user_id = u.user_id AND a.month = u.month))";
    assert_eq!(site.sql(wrong).await, "0", "{}", node.output());
    let states = "SELECT count(*) FROM live_attendances WHERE status <> CASE WHEN joined_at IS NULL THEN 'ABSENT' ELSE
        'ATTENDED' END AND user_id IN (SELECT id FROM users WHERE email LIKE 'member%')";
    assert_eq!(site.sql(states).await, "0");
}
