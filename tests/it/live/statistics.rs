//! What administrators see of a month.

use super::*;
use crate::support::plans::{Plans, most_rows, whole_tables};

const QUERY: &str = "query ($month: YearMonth) { subscriptionStatistics(month: $month) {
    month participants totalHoursUsed totalHoursRemaining attendanceRate engagementRate computedAt
    topUsers { user { name } totalHoursAttended } distribution { fromHours toHours users }
    trend { month hours members } } }";

/// Brief 003, "Admin Statistics".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_current_month_is_as_of_now() {
    let school = School::open().await;
    let ids = [school.session(at(60), None).await, school.session(at(180), None).await];
    let statistics =
        async |user: &User, month: Value| school.app.send(Some(&user.token), QUERY, json!({ "month": month })).await;
    let empty = statistics(&school.root, Value::Null).await["data"]["subscriptionStatistics"].take();
    assert_eq!((&empty["participants"], &empty["attendanceRate"]), (&json!(0), &json!(0.0)));
    // Sam is in both, Tim misses the second.
    for (id, minutes) in ids.iter().zip([50, 170]) {
        for user in [&school.sam, &school.tim] {
            school.join(user, id, false).await;
        }
        school.turn_to(at(minutes)).await;
        school.join(&school.sam, id, false).await;
        if minutes == 50 {
            school.join(&school.tim, id, false).await;
        }
    }
    school.turn_to(at(240)).await;
    let found = statistics(&school.root, Value::Null).await["data"]["subscriptionStatistics"].take();
    for (field, expected) in [
        ("month", json!("2026-11")),
        ("participants", json!(2)),
        ("totalHoursUsed", json!("3")),
        ("totalHoursRemaining", json!("1")),
        ("attendanceRate", json!(0.75)),
        ("engagementRate", json!(1.0)),
        ("computedAt", json!(shown(240))),
        (
            "topUsers",
            json!([
                { "user": { "name": "Sam" }, "totalHoursAttended": "2" },
                { "user": { "name": "Tim" }, "totalHoursAttended": "1" },
            ]),
        ),
        (
            "distribution",
            json!([
                { "fromHours": "1", "toHours": "2", "users": 1 },
                { "fromHours": "2", "toHours": "3", "users": 1 },
            ]),
        ),
    ] {
        assert_eq!(found[field], expected, "{field}");
    }
    let trend = found["trend"].as_array().unwrap();
    assert_eq!((trend.len(), &trend[0]), (12, &json!({ "month": "2025-12", "hours": "0", "members": 0 })));
    assert_eq!(trend[11], json!({ "month": "2026-11", "hours": "3", "members": 2 }));
    // A correction counts at once.
    school.record(&school.ada, &ids[1], &[(&school.tim, true)]).await;
    let found = statistics(&school.root, json!("2026-11")).await;
    assert_eq!(found["data"]["subscriptionStatistics"]["attendanceRate"], 1.0);
    assert_eq!(code_of(&statistics(&school.ada, Value::Null).await), "FORBIDDEN");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gets_no_seat_is_no_participant() {
    let school = School::with(&[("LYCEUM_LIVE_FREE_HOURS", "1"), ("LYCEUM_LIVE_MINUTES", "60,90")]).await;
    let full = school.session(at(120), Some(1)).await;
    let mut input = school.input(at(240));
    input["endsAt"] = json!(at(330));
    let long = school.created(&school.ada, input).await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(school.join(&school.sam, &full, false).await, "ELIGIBLE HELD");
    assert_eq!(school.join(&school.tim, &full, false).await, "FULL -");
    assert_eq!(school.join(&school.tim, &long, false).await, "INSUFFICIENT_HOURS -");
    assert_eq!(school.join(&school.tim, &full, true).await, "FULL WAITING");
    let body = school.app.send(Some(&school.root.token), QUERY, json!({})).await;
    let found = &body["data"]["subscriptionStatistics"];
    assert_eq!((&found["participants"], &found["totalHoursRemaining"]), (&json!(1), &json!("0")));
}

/// Brief 003, "Key Metrics" and "Admin Dashboard": members by plan, upgrades.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_has_its_members_by_plan_and_who_wanted_more() {
    let school = School::with(&[("LYCEUM_LIVE_FREE_HOURS", "0")]).await;
    let (basic, premium) = (school.plan("Basic", "4", "30").await, school.plan("Premium", "8", "50").await);
    let sam = school.subscribe(&school.sam, &basic, "30").await;
    school.subscribe(&school.tim, &basic, "30").await;
    school.app.app.clock.advance(TimeDelta::hours(20));
    let change = json!({ "membershipId": sam, "planPriceId": premium, "when": "NOW" });
    school.app.mutate(&school.sam, "changeMembership", "membership { id }", change).await;
    school.settle().await;
    let query =
        "query ($month: YearMonth) { subscriptionStatistics(month: $month) { activeMembers upgrades engagementRate
        membersByPlan { members plan { name } } } }";
    for (month, found) in [
        ("2026-10", json!({ "activeMembers": 0, "upgrades": 0, "engagementRate": 0.0, "membersByPlan": [] })),
        (
            "2026-11",
            json!({ "activeMembers": 2, "upgrades": 1, "engagementRate": 0.0, "membersByPlan": [
                { "members": 2, "plan": { "name": "Basic" } }, { "members": 1, "plan": { "name": "Premium" } },
            ] }),
        ),
    ] {
        let seen = school.app.data(Some(&school.root.token), query, json!({ "month": month })).await;
        assert_eq!(seen["subscriptionStatistics"], found, "{month}");
    }
}

/// A million attendances: 5,000 members, who have attended 200 sessions each in twelve months.
const MILLION: &str = "
    SET session_replication_role = replica;
    INSERT INTO live_sessions (id, host_id, title, starts_at, ends_at, created_at, settled_at)
        SELECT gen_random_uuid(), (SELECT id FROM users WHERE name = 'Ada'), 'Class', at, at + interval '1 hour', at, at
        FROM (SELECT timestamptz '2025-12-01' + n * interval '42 hours' AS at FROM generate_series(1, 200) n) times;
    INSERT INTO users (id, email, name, role, created_at, updated_at)
        SELECT gen_random_uuid(), 'member' || n || '@example.org', 'Member', 'STUDENT', now(), now()
        FROM generate_series(1, 5000) n;
    INSERT INTO live_attendances (id, session_id, user_id, status, minutes, month, since)
        SELECT gen_random_uuid(), s.id, u.id, 'ATTENDED', 60, date_trunc('month', starts_at), starts_at
        FROM live_sessions s, users u WHERE u.name = 'Member';
    INSERT INTO live_usage (user_id, month, allowed_minutes, attended_minutes, sessions_attended)
        SELECT user_id, month, 6000, sum(minutes), count(*) FROM live_attendances GROUP BY 1, 2;
    ANALYZE live_attendances; ANALYZE live_usage; ANALYZE live_sessions";

/// Brief 003, "Performance Considerations": each look-up has an index.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_attendances_do_not_slow_what_is_read() {
    let school = School::open().await;
    let app = &school.app;
    app.sql(MILLION).await;
    app.forget_rows();
    assert_eq!(app.sql("SELECT count(*) FROM live_attendances").await, "1000000");
    let member = app.sql("SELECT id FROM users WHERE name = 'Member' LIMIT 1").await;
    let member = lyceum::accounts::UserId::new(member.parse().unwrap()).encode();
    let mut plans = Plans::of(app).await;
    // The sums, the distribution and the top of a month read its rows; the trend those of twelve.
    let month = app.send(Some(&school.root.token), QUERY, json!({ "month": "2026-05" })).await;
    assert_eq!(month["data"]["subscriptionStatistics"]["participants"], 5000, "{month:#}");
    for plan in plans.next("live_usage", 5).await {
        let (plan, is_trend) = (&plan["Plan"], plan["Query Text"].as_str().unwrap().contains("BETWEEN"));
        let rows = most_rows(plan);
        assert!(rows <= if is_trend { 61_000.0 } else { 5_000.0 }, "{rows} rows: {plan:#}");
        assert!(is_trend || whole_tables(plan, &["live_usage"]).is_empty(), "{plan:#}");
    }
    // A member's month is a row, and a page of attendances is a page.
    let usage = "query ($id: ID!) { node(id: $id) { ... on User { subscriptionUsage(month: \"2026-05\") {
        totalHoursAttended sessionsAttended } } } }";
    let usage = app.data(Some(&school.root.token), usage, json!({ "id": member })).await;
    assert!(usage["node"]["subscriptionUsage"]["sessionsAttended"].as_i64().unwrap() > 15, "{usage:#}");
    let session = app.sql("SELECT id FROM live_sessions LIMIT 1").await;
    let session = lyceum::live::LiveSessionId::new(session.parse().unwrap()).encode();
    let page = "query ($id: ID!) { node(id: $id) { ... on LiveSession { attendances(first: 50) {
        nodes { status user { name } } pageInfo { hasNextPage } } } } }";
    let page = app.data(Some(&school.root.token), page, json!({ "id": session })).await;
    assert_eq!(page["node"]["attendances"]["pageInfo"]["hasNextPage"], true, "{page:#}");
    for plan in plans.next("live_", 3).await {
        let plan = &plan["Plan"];
        let rows = most_rows(plan);
        // There are no more than 200 sessions, which are a few blocks.
        assert!(rows <= 200.0, "{rows} rows: {plan:#}");
    }
}
