//! The ledger of hours, eligibility, and the push.

use super::*;
use crate::support::socket::Socket;

const CHECK: &str = "query ($id: ID!) { checkAttendance(liveSessionId: $id) {
    canAttend reason message usage { totalHoursAttended maxHoursAllowed remainingHours } } }";

impl School {
    async fn check(&self, user: &User, id: &str) -> Value {
        self.app.data(Some(&user.token), CHECK, json!({ "id": id })).await["checkAttendance"].take()
    }
}

/// Brief 003, "Get Current Usage".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn usage_is_what_the_brief_says() {
    let school = School::with(&[("LYCEUM_LIVE_FREE_HOURS", "4"), ("LYCEUM_LIVE_MINUTES", "60,90")]).await;
    let mut long = school.input(at(240));
    long["endsAt"] = json!(at(330));
    let ids = [
        school.session(at(120), None).await,
        school.created(&school.ada, long).await[0]["id"].as_str().unwrap().to_owned(),
    ];
    for (id, minutes) in ids.iter().zip([120, 240]) {
        school.turn_to(at(minutes)).await;
        school.join(&school.sam, id, false).await;
    }
    school.turn_to(at(330)).await;
    let query = format!("{{ viewer {{ subscriptionUsage {{ user {{ id }} {USAGE} }} }} }}");
    let data = school.app.data(Some(&school.sam.token), &query, json!({})).await;
    assert_eq!(
        data["viewer"]["subscriptionUsage"],
        json!({
            "user": { "id": school.sam.id },
            "month": "2026-11",
            "totalHoursAttended": "2.5",
            "heldHours": "0",
            "maxHoursAllowed": "4",
            "remainingHours": "1.5",
            "sessionsAttended": 2,
            "lastAttendanceDate": shown(240),
            "resetsAt": "2026-12-01T00:00:00+00:00",
            "warning": "NONE",
        })
    );
    // "Returns subscription usage history", with empty months.
    let query = "{ viewer { subscriptionUsageHistory(months: 3) { month totalHoursAttended } } }";
    let data = school.app.data(Some(&school.sam.token), query, json!({})).await;
    let month = |month: &str, hours: &str| json!({ "month": month, "totalHoursAttended": hours });
    let expected = json!([month("2026-11", "2.5"), month("2026-10", "0"), month("2026-09", "0")]);
    assert_eq!(data["viewer"]["subscriptionUsageHistory"], expected);
    let body = school
        .app
        .send(Some(&school.sam.token), "{ viewer { subscriptionUsageHistory(months: 37) { month } } }", json!({}))
        .await;
    assert_eq!(code_of(&body), "BAD_USER_INPUT");
    // Administrators see that of others.
    let query = "query ($id: ID!) { node(id: $id) { ... on User { subscriptionUsage { totalHoursAttended } } } }";
    let data = school.app.data(Some(&school.root.token), query, json!({ "id": school.sam.id })).await;
    assert_eq!(data["node"]["subscriptionUsage"]["totalHoursAttended"], "2.5");
    let body = school.app.send(Some(&school.tim.token), query, json!({ "id": school.sam.id })).await;
    assert_eq!(code_of(&body), "FORBIDDEN");
}

/// Brief 003, "Check Attendance Eligibility" and "Insufficient Hours".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_reason_has_its_code_and_text() {
    let school = School::with(&[("LYCEUM_LIVE_FREE_HOURS", "2"), ("LYCEUM_LIVE_MINUTES", "60,90")]).await;
    let mut long = school.input(at(120));
    long["endsAt"] = json!(at(210));
    let long = school.created(&school.ada, long).await[0]["id"].as_str().unwrap().to_owned();
    let id = school.session(at(300), Some(1)).await;
    let usage =
        |remaining: &str| json!({ "totalHoursAttended": "0", "maxHoursAllowed": "2", "remainingHours": remaining });
    let text = "You can attend this session.";
    let expected = json!({ "canAttend": true, "reason": "ELIGIBLE", "message": text, "usage": usage("2") });
    assert_eq!(school.check(&school.sam, &id).await, expected);

    school.join(&school.sam, &long, false).await;
    let text = "Insufficient subscription hours. You have 0.5 hours remaining, but this session requires 1 hours.";
    let expected =
        json!({ "canAttend": false, "reason": "INSUFFICIENT_HOURS", "message": text, "usage": usage("0.5") });
    assert_eq!(school.check(&school.sam, &id).await, expected);
    assert_eq!(school.join(&school.sam, &id, true).await, "INSUFFICIENT_HOURS -");

    let reason = async |user: &User, id: &str| school.check(user, id).await["reason"].as_str().unwrap().to_owned();
    assert_eq!(reason(&school.sam, &long).await, "ALREADY_JOINED");
    school.join(&school.tim, &id, false).await;
    assert_eq!(reason(&school.root, &id).await, "FULL");
    school.cancel(&school.ada, &id).await;
    assert_eq!(reason(&school.tim, &id).await, "CANCELED");
    school.turn_to(at(210)).await;
    assert_eq!(reason(&school.tim, &long).await, "ENDED");

    let unknown = "live_session_01h455vb4pex5vsknk084sn02q";
    let body = school.app.send(Some(&school.sam.token), CHECK, json!({ "id": unknown })).await;
    assert_eq!(
        (code_of(&body), &body["errors"][0]["message"]),
        ("NOT_FOUND", &json!(format!("Session {unknown} not found")))
    );
    let (code, text) = school.error(Some(&school.sam), "joinLiveSession", json!({ "liveSessionId": unknown })).await;
    assert_eq!((code, text), ("NOT_FOUND".into(), format!("Session {unknown} not found")));
}

/// Brief 003, "Duration Enforcement", and "Planned Features" 1.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_no_membership_and_what_has_another_length() {
    let school = School::with(&[("LYCEUM_LIVE_FREE_HOURS", "0")]).await;
    let id = school.session(at(120), None).await;
    assert_eq!(school.check(&school.sam, &id).await["reason"], "NO_MEMBERSHIP");
    assert_eq!(school.join(&school.sam, &id, false).await, "NO_MEMBERSHIP -");
    assert_eq!(school.app.sql("SELECT count(*) FROM live_usage").await, "0");

    // "canUserAttendSession validates session duration", and so does "recordSessionAttendance".
    let school = School::open().await;
    let id = school.session(at(120), None).await;
    school.join(&school.sam, &id, false).await;
    school.app.sql("UPDATE live_sessions SET ends_at = ends_at - interval '15 minutes'").await;
    let checked = school.check(&school.tim, &id).await;
    let text = "Live class sessions must be exactly 60 minutes duration. Current duration: 45 minutes.";
    assert_eq!((&checked["reason"], &checked["message"]), (&json!("INVALID_DURATION"), &json!(text)));
    assert_eq!(school.join(&school.tim, &id, false).await, "INVALID_DURATION -");
    school.turn_to(at(120)).await;
    assert_eq!(school.record(&school.ada, &id, &[(&school.sam, true)]).await, "NOT_ALLOWED");
}

/// Brief 003, "Monthly Reset".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_begins_at_its_first_instant_in_the_time_zone_of_the_school() {
    // In Kolkata, November ends at 18:30 UTC.
    let settings = [("LYCEUM_TIMEZONE", "Asia/Kolkata"), ("LYCEUM_LIVE_FREE_HOURS", "1")];
    let school = School::with(&settings).await;
    let reset: DateTime<Utc> = "2026-11-30T18:30:00Z".parse().unwrap();
    let (last, first) = (school.session(reset - TimeDelta::hours(1), None).await, school.session(reset, None).await);
    assert_eq!(school.join(&school.sam, &last, false).await, "ELIGIBLE HELD");
    assert_eq!(school.join(&school.sam, &first, false).await, "ELIGIBLE HELD", "it is charged to December");
    assert_eq!(school.hours(&school.sam, None).await, "0 1 1 0");
    assert_eq!(school.hours(&school.sam, Some("2026-12")).await, "0 1 1 0");
    let data = school
        .app
        .data(Some(&school.sam.token), "{ viewer { subscriptionUsage { resetsAt warning } } }", json!({}))
        .await;
    assert_eq!(data["viewer"]["subscriptionUsage"], json!({ "resetsAt": reset.to_rfc3339(), "warning": "USED_UP" }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_refuses_a_month_that_is_overspent() {
    let school = School::open().await;
    let id = school.session(at(120), None).await;
    school.join(&school.sam, &id, false).await;
    let spent = "WITH spent AS (UPDATE live_usage SET attended_minutes = 61 RETURNING 1) SELECT count(*) FROM spent";
    let client = crate::support::cluster::connect(crate::support::cluster::throwaway()).await;
    let failed = client.batch_execute(&format!("SET search_path = {}; {spent}", school.app.schema)).await.unwrap_err();
    assert_eq!(failed.as_db_error().unwrap().constraint(), Some("live_usage_is_not_overspent"));
}

/// Brief 003, "Caching": usage takes few queries, however much was attended; what is recorded is seen at once, also on
/// another node; and the months before stay as they are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn usage_is_a_row_that_each_node_sees_as_it_is() {
    let school = School::with(&[("LYCEUM_LIVE_FREE_HOURS", "100")]).await;
    let peer = school.app.peer().await;
    let query =
        format!("{{ viewer {{ subscriptionUsage {{ {USAGE} }} subscriptionUsageHistory(months: 6) {{ {USAGE} }} }} }}");
    let past = "INSERT INTO live_usage (user_id, month, allowed_minutes, attended_minutes, sessions_attended)
        SELECT id, '2026-10-01', 6000, 120, 2 FROM users WHERE name = 'Sam'";
    school.app.sql(past).await;
    let none = school.app.statements(Some(&school.sam.token), &query, json!({})).await;
    for number in 1..=5 {
        let id = school.session(at(60 * number), None).await;
        school.turn_to(at(60 * number)).await;
        school.join(&school.sam, &id, false).await;
        for node in [&school.app, &peer] {
            let viewer = node.data(Some(&school.sam.token), &query, json!({})).await["viewer"].take();
            let (now, before) = (&viewer["subscriptionUsage"], &viewer["subscriptionUsageHistory"][1]);
            let held = (&now["heldHours"], &now["totalHoursAttended"]);
            assert_eq!(held, (&json!("1"), &json!((number - 1).to_string())));
            assert_eq!((&before["month"], &before["totalHoursAttended"]), (&json!("2026-10"), &json!("2")));
        }
    }
    assert_eq!(school.app.statements(Some(&school.sam.token), &query, json!({})).await, none);
}

/// Brief 003, "Integration Points" 4: usage in real time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_of_the_hours_are_pushed() {
    let school = School::open().await;
    let id = school.session(at(120), None).await;
    let mut socket = Socket::connect(&school.app.url, Some(&school.sam.token)).await;
    let query = "subscription { subscriptionUsageChanged { isStart usage { month heldHours remainingHours } } }";
    socket.subscribe("usage", query, json!({})).await;
    async fn next(socket: &mut Socket) -> Value {
        socket.receive().await.unwrap()["payload"]["data"].take()
    }
    let event = |is_start: bool, held: &str, left: &str| {
        let usage = json!({ "month": "2026-11", "heldHours": held, "remainingHours": left });
        json!({ "subscriptionUsageChanged": { "isStart": is_start, "usage": usage } })
    };
    assert_eq!(next(&mut socket).await, event(true, "0", "2"));
    school.join(&school.tim, &id, false).await;
    school.join(&school.sam, &id, false).await;
    school.app.settle().await;
    assert_eq!(next(&mut socket).await, event(false, "1", "1"));
    school.cancel(&school.ada, &id).await;
    school.app.settle().await;
    assert_eq!(next(&mut socket).await, event(false, "0", "2"));
}
