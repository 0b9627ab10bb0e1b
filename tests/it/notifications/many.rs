//! What lists cost where there are a million receipts. `auto_explain` writes what the statements of this test have read
//! into the log of the cluster.

use diesel_async::RunQueryDsl;

use super::*;
use crate::support::{cluster, eventually};

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

/// Writes the plans of the node's statements, with what they have read, into the log.
const EXPLAIN: [&str; 6] = [
    "LOAD 'auto_explain'",
    "SET auto_explain.log_min_duration = 0",
    "SET auto_explain.log_analyze = on",
    "SET auto_explain.log_timing = off",
    "SET auto_explain.log_buffers = on",
    "SET auto_explain.log_format = 'json'",
];

/// The plans of the node's statements about notifications since a place in the log, which moves.
fn plans(place: &mut usize) -> Vec<Value> {
    let log = std::fs::read(cluster::folder().join("postgres/postgres.log")).unwrap();
    let new = String::from_utf8_lossy(&log[*place..]).into_owned();
    // Those of other tests are not JSON. The last one may be written only in part.
    let plans = new.split("  plan:\n").skip(1).filter(|plan| !plan.starts_with("\tQuery Text"));
    let read = |plan: &str| serde_json::Deserializer::from_str(plan).into_iter::<Value>().next()?.ok();
    let Some(plans) = plans.map(read).collect::<Option<Vec<Value>>>() else { return Vec::new() };
    *place += new.len();
    plans.into_iter().filter(|plan| plan["Query Text"].as_str().unwrap().starts_with("WITH viewers")).collect()
}

/// The rows that the nodes of a plan have read from tables and indexes, the most of one node.
fn most_rows(node: &Value) -> f64 {
    let number = |name: &str| node[name].as_f64().unwrap_or_default();
    let read = number("Actual Rows") + number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
    let own = if node["Relation Name"].is_string() { read * number("Actual Loops") } else { 0.0 };
    let below = node["Plans"].as_array().into_iter().flatten();
    below.map(most_rows).fold(own, f64::max)
}

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
    let connections = futures_util::future::join_all((0..4).map(|_| app.app.db.read())).await;
    for conn in connections {
        let mut conn = conn.unwrap();
        for setting in EXPLAIN {
            diesel::sql_query(setting).execute(&mut *conn).await.unwrap();
        }
    }
    let mut place = std::fs::metadata(cluster::folder().join("postgres/postgres.log")).unwrap().len() as usize;
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
        // The page, the total and the number of unread ones. The log is written by other processes.
        let mut seen = Vec::new();
        eventually("the plans are in the log", async || {
            seen.extend(plans(&mut place));
            seen.len() >= 3
        })
        .await;
        for plan in seen {
            let plan = &plan["Plan"];
            let buffers = plan["Shared Hit Blocks"].as_f64().unwrap() + plan["Shared Read Blocks"].as_f64().unwrap();
            // Of each of 500 audiences a row with its receipt, and a page or a hundred.
            let (rows, read) = (most_rows(plan), whole_tables(plan));
            assert!(rows <= 1000.0 && buffers <= 10_000.0, "{filter}: {rows} rows, {buffers} buffers: {plan:#}");
            assert!(read.is_empty(), "{filter}: {read:?}");
        }
    }
    let pages = backward_and_forward(app, &room.sam).await;
    assert_eq!(pages, 31, "pages of all unread ones, in both directions");
}

/// The tables that grow and that a plan reads from one end to the other.
fn whole_tables(node: &Value) -> Vec<String> {
    let below = node["Plans"].as_array().into_iter().flatten().flat_map(whole_tables);
    let table = node["Relation Name"].as_str().filter(|_| node["Node Type"] == "Seq Scan");
    let growing = ["notifications", "notification_events", "notification_receipts"];
    below.chain(table.filter(|table| growing.contains(table)).map(str::to_owned)).collect()
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
