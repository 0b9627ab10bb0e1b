//! What lists cost where there are a million receipts.

use super::*;
use crate::support::plans::{Plans, most_rows, whole_tables};

/// 500 courses, which Sam, Tim and Eve learn, with 200 notifications each. Sam has read all but 30 of them one by one,
/// Tim has archived them one by one, Eve none, and eight others have read all.
const MANY: &str = "
    SET session_replication_role = replica;
    INSERT INTO courses SELECT (jsonb_populate_record(courses, jsonb_build_object(
            'id', gen_random_uuid(), 'slug', 'many-' || n, 'title', 'Course ' || n))).*
        FROM courses, generate_series(1, 499) AS n;
    INSERT INTO entitlements (id, user_id, scope, course_id, source, starts_at, note)
        SELECT gen_random_uuid(), users.id, 'COURSE', courses.id, 'GIFT', '2025-01-01', '' FROM users, courses
        WHERE users.name IN ('Sam', 'Tim', 'Eve') ON CONFLICT DO NOTHING;
    INSERT INTO enrollments (id, user_id, course_id, since)
        SELECT gen_random_uuid(), user_id, course_id, starts_at FROM entitlements ON CONFLICT DO NOTHING;
    UPDATE enrollments SET since = '2025-01-01';
    INSERT INTO notifications (id, audience, kind, group_key, subject, mute_keys, created_at, at)
        SELECT gen_random_uuid(), 'course:' || courses.id, 'NEW_VIDEO', 'NEW_VIDEO/' || n, '', '{}', at, at
        FROM courses, generate_series(1, 200) AS n,
            LATERAL (SELECT timestamptz '2026-01-01' + n * interval '1 day'
                + hashtext(courses.id::text) % 40000 * interval '1 second') AS made (at);
    INSERT INTO notification_events (id, notification_id, at, facts) SELECT gen_random_uuid(), id, at, '{}' FROM notifications;
    CREATE TEMP TABLE definitions AS SELECT indexname, indexdef FROM pg_indexes
        WHERE schemaname = current_schema() AND tablename = 'notification_receipts' AND indexname NOT LIKE '%pkey';
    DO $$ DECLARE name text; BEGIN
        FOR name IN SELECT indexname FROM definitions LOOP EXECUTE 'DROP INDEX ' || name; END LOOP; END $$;
    ALTER TABLE notification_receipts DROP CONSTRAINT notification_receipts_pkey;
    INSERT INTO notification_receipts (user_id, notification_id, read_through, read_at, archived_through, archived_at, kept,
            changed_at, at)
        SELECT who.id, n.id, n.at, n.at, CASE WHEN archives THEN n.at END, CASE WHEN archives THEN n.at END, false, n.at, n.at
        FROM (SELECT id, name = 'Tim' AS archives FROM users WHERE name IN ('Sam', 'Tim')
            UNION ALL SELECT gen_random_uuid(), false FROM generate_series(1, 8)) AS who, notifications AS n
        WHERE NOT (who.id = (SELECT id FROM users WHERE name = 'Sam')
            AND n.id IN (SELECT id FROM notifications ORDER BY at, id LIMIT 30));
    SET maintenance_work_mem = '256MB';
    ALTER TABLE notification_receipts ADD PRIMARY KEY (user_id, notification_id);
    DO $$ DECLARE definition text; BEGIN
        FOR definition IN SELECT indexdef FROM definitions LOOP EXECUTE definition; END LOOP; END $$;
    ANALYZE notifications; ANALYZE notification_receipts; ANALYZE notification_events";

/// The tables that grow.
const GROWING: [&str; 3] = ["notifications", "notification_events", "notification_receipts"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_receipts_do_not_slow_a_list() {
    let room = room().await;
    let app = &room.app;
    app.sql(MANY).await;
    app.forget_rows();
    assert_eq!(app.sql("SELECT count(*) FROM notification_receipts").await, "999970");
    // Each marks one more, which moves their marks.
    app.sql("INSERT INTO notification_marks SELECT id, 'epoch', now(), NULL, NULL, 100000 FROM users").await;
    for (user, state) in [(&room.sam, "READ"), (&room.tim, "ARCHIVED")] {
        room.video(state).await;
        let id = list(app, user, "(first: 1)").await["notifications"]["nodes"][0]["id"].take();
        mark(app, user, json!({ "ids": [id], "state": state })).await;
        app.app.clock.advance(TimeDelta::minutes(2));
        told(app).await;
    }
    assert_eq!(app.sql("SELECT count(*) FROM jobs WHERE handler = 'notifications.compact'").await, "0");
    let mut plans = Plans::of(app).await;
    // Sam has 31 unread ones: those left out, and the video that Tim has archived.
    for (user, filter, nodes, total) in [
        (&room.sam, "UNREAD", 20, 31),
        (&room.sam, "READ", 20, 100),
        (&room.sam, "ARCHIVED", 0, 0),
        (&room.sam, "", 20, 100),
        (&room.tim, "UNREAD", 0, 0),
        (&room.tim, "READ", 0, 0),
        (&room.tim, "ARCHIVED", 20, 100),
        (&room.tim, "", 0, 0),
        (&room.eve, "UNREAD", 20, 100),
        (&room.eve, "READ", 0, 0),
        (&room.eve, "ARCHIVED", 0, 0),
        (&room.eve, "", 20, 100),
    ] {
        let arguments = if filter.is_empty() { String::new() } else { format!("(filter: {{ state: {filter} }})") };
        let found = list(app, user, &arguments).await;
        let counts = (found["notifications"]["nodes"].as_array().unwrap().len(), &found["notifications"]["totalCount"]);
        assert_eq!(counts, (nodes, &json!(total)), "{filter}");
        // The page, the total and the number of unread ones.
        for plan in plans.next("WITH viewers", 3).await {
            let plan = &plan["Plan"];
            let buffers = plan["Shared Hit Blocks"].as_f64().unwrap() + plan["Shared Read Blocks"].as_f64().unwrap();
            // Of each of 500 audiences a row with its receipt, and a page or a hundred.
            let (rows, read) = (most_rows(plan), whole_tables(plan, &GROWING));
            assert!(rows <= 1000.0 && buffers <= 10_000.0, "{filter}: {rows} rows, {buffers} buffers: {plan:#}");
            assert!(read.is_empty(), "{filter}: {read:?}");
        }
    }
    let pages = backward_and_forward(app, &room.sam).await;
    assert_eq!(pages, 31, "pages of all unread ones, in both directions");
}

/// Reads all unread notifications page by page, and back; returns their number.
async fn backward_and_forward(app: &TestApp, user: &User) -> usize {
    let (mut forward, mut backward) = (Vec::new(), Vec::new());
    for (found, first, edge, more) in [
        (&mut forward, "first: 7, after", "endCursor", "hasNextPage"),
        (&mut backward, "last: 7, before", "startCursor", "hasPreviousPage"),
    ] {
        let mut place = "null".to_owned();
        loop {
            let page = list(app, user, &format!("({first}: {place}, filter: {{ state: UNREAD }})")).await;
            let page = &page["notifications"];
            let ids = page["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap().to_owned());
            if edge == "endCursor" {
                found.extend(ids)
            } else {
                found.splice(0..0, ids).for_each(drop)
            }
            if page["pageInfo"][more] == false {
                break;
            }
            place = page["pageInfo"][edge].to_string();
        }
    }
    assert_eq!(forward, backward);
    forward.len()
}
