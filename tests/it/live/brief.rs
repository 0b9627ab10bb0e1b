//! The operations of `docs/live.md`, which take the place of the brief's REST endpoints.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_endpoint_of_the_brief_has_an_operation() {
    let page = include_str!("../../../docs/live.md");
    let blocks: Vec<&str> =
        page.split("```graphql\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    let [usage, check, record, history, statistics] = blocks[..] else { panic!("{} operations", blocks.len()) };
    // The table has the endpoints of the operations, in their order.
    let quoted = |line: &'static str, before: &str| line.strip_prefix(before)?.split('`').next();
    let endpoints = |before: &str| -> Vec<&'static str> {
        page.lines().filter_map(|line| quoted(line, before)).filter(|found| found.contains(" /api/")).collect()
    };
    let table = endpoints("| `");
    assert_eq!((table.len(), &table), (5, &endpoints("`")));
    let school = School::with(&[("LYCEUM_LIVE_FREE_HOURS", "4")]).await;
    let (id, next) = (school.session(at(60), None).await, school.session(at(180), None).await);
    school.join(&school.sam, &id, false).await;
    school.turn_to(at(65)).await;
    let run = async |user: &User, operation: &str, variables: Value| {
        school.app.data(Some(&user.token), operation, variables).await
    };
    let variables = json!({ "sessionId": id, "userId": school.sam.id, "attended": true });
    let recorded = run(&school.ada, record, variables).await;
    assert_eq!(recorded["recordAttendance"], json!({ "attendances": [{ "status": "HELD" }], "userErrors": [] }));
    school.turn_to(at(120)).await;
    let data = run(&school.sam, usage, json!({})).await;
    let expected = json!({
        "user": { "id": school.sam.id },
        "month": "2026-11",
        "totalHoursAttended": "1",
        "maxHoursAllowed": "4",
        "remainingHours": "3",
        "sessionsAttended": 1,
        "lastAttendanceDate": shown(60),
    });
    assert_eq!(data["viewer"]["subscriptionUsage"], expected);
    let data = run(&school.sam, check, json!({ "sessionId": next })).await;
    let usage = json!({ "totalHoursAttended": "1", "maxHoursAllowed": "4", "remainingHours": "3" });
    let message = "You can attend this session.";
    assert_eq!(data["checkAttendance"], json!({ "canAttend": true, "message": message, "usage": usage }));
    let data = run(&school.sam, history, json!({})).await;
    let months = data["viewer"]["subscriptionUsageHistory"].as_array().unwrap();
    assert_eq!((months.len(), &months[5]["month"]), (6, &json!("2026-06")));
    assert_eq!(months[0], json!({ "month": "2026-11", "totalHoursAttended": "1", "sessionsAttended": 1 }));
    let data = run(&school.root, statistics, json!({})).await;
    let found = &data["subscriptionStatistics"];
    assert_eq!((&found["totalHoursUsed"], &found["attendanceRate"]), (&json!("1"), &json!(1.0)));
    assert_eq!(found["topUsers"], json!([{ "user": { "id": school.sam.id }, "totalHoursAttended": "1" }]));
}
