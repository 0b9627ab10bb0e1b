//! What runs each minute, and each time that a seat is free, is found by an index.

use super::*;
use crate::support::plans::{Plans, most_rows, whole_tables};

/// Two thousand sessions that are settled, with two hundred places that were given up in each of the latest fifty.
const OLD: &str = "
    INSERT INTO users (id, email, name, role, created_at, updated_at)
        SELECT gen_random_uuid(), 'member' || n || '@example.org', 'Member', 'STUDENT', now(), now()
        FROM generate_series(1, 200) n;
    INSERT INTO live_sessions (id, host_id, title, starts_at, ends_at, created_at, ended_at, settled_at)
        SELECT gen_random_uuid(), (SELECT id FROM users WHERE name = 'Ada'), 'Old', at, at + interval '1 hour', at,
            at + interval '1 hour', at + interval '1 hour'
        FROM (SELECT timestamptz '2026-11-01T00:00:00Z' - n * interval '2 hours' AS at
            FROM generate_series(1, 2000) n) times;
    INSERT INTO live_attendances (id, session_id, user_id, status, minutes, month, since)
        SELECT gen_random_uuid(), s.id, u.id, 'RELEASED', 60, '2026-10-01', starts_at
        FROM (SELECT * FROM live_sessions WHERE title = 'Old' ORDER BY starts_at DESC LIMIT 50) s, users u
        WHERE u.name = 'Member';
    ANALYZE live_sessions; ANALYZE live_attendances";
const TABLES: [&str; 2] = ["live_sessions", "live_attendances"];

/// Brief 003, "Performance Considerations": each look-up has an index.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_due_and_who_waits_is_found_by_an_index() {
    let school = School::open().await;
    let id = school.session(at(60), Some(1)).await;
    school.join(&school.sam, &id, false).await;
    school.join(&school.tim, &id, true).await;
    school.app.sql(OLD).await;
    let mut plans = Plans::of(&school.app).await;
    // The reminder of the open doors is due, and no session is over.
    school.app.app.clock.advance(TimeDelta::minutes(50));
    for (job, part) in [("live.settle", "\"settled_at\" IS NULL"), ("live.remind", "\"remind_at\" <= ")] {
        school.app.run(job).await;
        check(&mut plans, part).await;
    }
    school.leave(&school.sam, &id).await;
    check(&mut plans, "\"live_attendances\".\"since\" >= ").await;
    assert_eq!(school.place(&school.tim, &id).await, "HELD");
}

/// Checks that the statements with a part of text read a few rows and no whole table.
async fn check(plans: &mut Plans, part: &str) {
    for plan in plans.next(part, 1).await {
        let rows = most_rows(&plan["Plan"]);
        assert!(rows <= 10.0 && whole_tables(&plan["Plan"], &TABLES).is_empty(), "{rows} rows: {plan:#}");
    }
}
