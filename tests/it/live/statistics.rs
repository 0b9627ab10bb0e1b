//! What administrators see of a month.

use super::*;

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
