//! Sessions are created, changed, canceled and deleted.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instructor_creates_a_session_of_exactly_sixty_minutes() {
    let school = School::open().await;
    let made = school.created(&school.ada, school.input(at(120))).await;
    let session = &made[0];
    assert_eq!(made.len(), 1);
    assert_eq!(
        (&session["status"], &session["version"], &session["host"]["name"]),
        (&json!("SCHEDULED"), &json!(1), &json!("Ada"))
    );
    assert_eq!((&session["startsAt"], &session["endsAt"]), (&json!(shown(120)), &json!(shown(180))));
    assert_eq!((&session["course"]["id"], &session["seriesId"]), (&json!(school.course.id), &Value::Null));

    // Brief 003: "All live class lessons must be exactly 60 minutes", with its message.
    let mut short = school.input(at(240));
    short["endsAt"] = json!(at(285));
    let (code, message) = school.error(Some(&school.ada), "createLiveSession", short).await;
    let text = "Live class sessions must be exactly 60 minutes duration. Current duration: 45 minutes.";
    assert_eq!((code.as_str(), message.as_str()), ("OUT_OF_RANGE", text));

    let with = |field: &str, value: Value| {
        let mut input = school.input(at(240));
        input[field] = value;
        input
    };
    let mut past = school.input(at(-60));
    past["endsAt"] = json!(at(0));
    for (input, code) in [
        (past, "OUT_OF_RANGE"),
        (with("title", json!("  ")), "BLANK"),
        (with("capacity", json!(0)), "OUT_OF_RANGE"),
        (with("meetingUrl", json!("javascript:alert(1)")), "INVALID"),
        (with("endsAt", json!(at(300) + TimeDelta::milliseconds(1))), "OUT_OF_RANGE"),
        (with("recurrence", json!({ "rule": "FREQ=HOURLY;COUNT=2", "timeZone": "UTC" })), "INVALID"),
        (with("recurrence", json!({ "rule": "FREQ=DAILY;COUNT=2", "timeZone": "Mars" })), "INVALID"),
        (with("courseId", json!("course_01h455vb4pex5vsknk084sn02q")), "NOT_FOUND"),
    ] {
        assert_eq!(school.error(Some(&school.ada), "createLiveSession", input.clone()).await.0, code, "{input}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_create_and_manage_a_session() {
    let school = School::open().await;
    let eve = school.app.user("Eve", Role::Instructor).await;
    let input = school.input(at(120));
    let mut free = input.clone();
    free["courseId"] = Value::Null;
    let mut hers = input.clone();
    hers["hostId"] = json!(eve.id);
    for (user, input, code) in [
        (None, &input, "UNAUTHENTICATED"),
        (Some(&school.sam), &input, "FORBIDDEN"),
        (Some(&eve), &input, "FORBIDDEN"),
        (Some(&eve), &free, "FORBIDDEN"),
        (Some(&school.ada), &hers, "FORBIDDEN"),
    ] {
        assert_eq!(school.error(user, "createLiveSession", input.clone()).await.0, code);
    }
    // Administrators create any, for any instructor.
    let made = school.created(&school.root, hers).await;
    assert_eq!(made[0]["host"]["name"], "Eve");
    let mut students = free.clone();
    students["hostId"] = json!(school.sam.id);
    assert_eq!(school.error(Some(&school.root), "createLiveSession", students).await.0, "NOT_FOUND");
    let made = school.created(&school.root, free).await;
    assert_eq!((&made[0]["course"], &made[0]["host"]["name"]), (&Value::Null, &json!("Root")));
    // And only they and the host manage it.
    let id = &made[0]["id"];
    for (field, input) in [
        ("updateLiveSession", json!({ "liveSessionId": id, "version": 1, "title": "Mine" })),
        ("cancelLiveSession", json!({ "liveSessionId": id })),
        ("deleteLiveSession", json!({ "liveSessionId": id })),
        ("recordAttendance", json!({ "liveSessionId": id, "entries": [{ "userId": eve.id, "attended": true }] })),
    ] {
        assert_eq!(school.error(Some(&eve), field, input.clone()).await.0, "FORBIDDEN", "{field}");
        assert_eq!(school.error(Some(&school.sam), field, input).await.0, "FORBIDDEN", "{field}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_is_not_in_two_sessions_at_once() {
    let school = School::open().await;
    let id = school.session(at(120), None).await;
    let over = school.error(Some(&school.ada), "createLiveSession", school.input(at(150))).await;
    assert_eq!(over, ("TAKEN".into(), "The host is in another session at this time.".into()));
    // One right after the other is fine.
    let next = school.session(at(180), None).await;
    let input = json!({ "liveSessionId": next, "version": 1, "startsAt": at(170), "endsAt": at(230) });
    assert_eq!(school.error(Some(&school.ada), "updateLiveSession", input).await.0, "TAKEN");
    // A canceled one is in nobody's way.
    school.cancel(&school.ada, &id).await;
    school.session(at(120), None).await;
    // Two at the same instant.
    let race = [school.input(at(600)), school.input(at(630))];
    let codes =
        futures_util::future::join_all(race.map(|input| school.error(Some(&school.ada), "createLiveSession", input)))
            .await;
    assert_eq!(codes.iter().filter(|(code, _)| code == "TAKEN").count(), 1, "{codes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_changed_by_who_has_read_it() {
    let school = School::open().await;
    let id = school.session(at(120), None).await;
    let input = json!({ "liveSessionId": id, "version": 1, "title": "Pistons", "capacity": 5, "meetingUrl": null });
    let changed = school.change(&school.ada, input.clone()).await;
    assert_eq!(
        (&changed[0]["title"], &changed[0]["version"], &changed[0]["capacity"]),
        (&json!("Pistons"), &json!(2), &json!(5))
    );
    assert_eq!(school.seen(Some(&school.ada), &id, "meetingUrl").await["meetingUrl"], Value::Null);
    let payload = school.app.payload(&school.ada, "updateLiveSession", "liveSessions { version }", input).await;
    assert_eq!(
        (&payload["userErrors"][0]["code"], &payload["liveSessions"][0]["version"]),
        (&json!("CONFLICT"), &json!(2))
    );
    let nothing = json!({ "liveSessionId": id, "version": 2 });
    assert_eq!(school.error(Some(&school.ada), "updateLiveSession", nothing).await.0, "BLANK");
    // Not fewer seats than are taken.
    school.join(&school.sam, &id, false).await;
    school.join(&school.tim, &id, false).await;
    let fewer = json!({ "liveSessionId": id, "version": 2, "capacity": 1 });
    assert_eq!(school.error(Some(&school.ada), "updateLiveSession", fewer).await.0, "OUT_OF_RANGE");
    // Once it has started, it stays as it is.
    school.turn_to(at(120)).await;
    let late = json!({ "liveSessionId": id, "version": 2, "title": "Late" });
    assert_eq!(school.error(Some(&school.ada), "updateLiveSession", late).await.0, "NOT_ALLOWED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_deleted_only_before_a_user_has_joined() {
    let school = School::open().await;
    let (id, other) = (school.session(at(120), None).await, school.session(at(240), None).await);
    school.join(&school.sam, &id, false).await;
    school.leave(&school.sam, &id).await;
    let input = json!({ "liveSessionId": id });
    assert_eq!(school.error(Some(&school.ada), "deleteLiveSession", input).await.0, "NOT_ALLOWED");
    let deleted = school
        .app
        .mutate(&school.ada, "deleteLiveSession", "deletedLiveSessionId", json!({ "liveSessionId": other }))
        .await;
    assert_eq!(deleted["deletedLiveSessionId"], other.as_str());
    assert_eq!(school.seen(Some(&school.ada), &other, "id").await, Value::Null);
    // Brief 003: "Session <id> not found".
    let gone = school.error(Some(&school.ada), "deleteLiveSession", json!({ "liveSessionId": other })).await;
    assert_eq!(gone, ("NOT_FOUND".into(), format!("Session {other} not found")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_link_is_for_those_who_are_let_in() {
    let school = School::open().await;
    let id = school.session(at(120), None).await;
    let uma = school.app.user("Uma", Role::Student).await;
    let link = async |user: Option<&User>| school.seen(user, &id, "meetingUrl").await["meetingUrl"].is_string();
    for user in [&school.sam, &uma] {
        assert_eq!(school.join(user, &id, false).await, "ELIGIBLE HELD");
    }
    for (minutes, sam) in [(0, false), (104, false), (105, true), (179, true), (180, false)] {
        school.app.app.clock.advance(at(minutes) - school.now());
        // Uma has a seat and does not enter: she gets the hour back in the end, and is not shown the way.
        assert!(minutes > 105 || !link(Some(&school.sam)).await, "a seat alone, after {minutes} minutes");
        if minutes <= 105 {
            let input = json!({ "liveSessionId": id });
            let joined = school.app.mutate(&school.sam, "joinLiveSession", "liveSession { meetingUrl }", input).await;
            let answer = if sam { json!("https://meet.example/valves") } else { Value::Null };
            assert_eq!(joined["liveSession"]["meetingUrl"], answer, "after {minutes} minutes");
        }
        let seen = [link(Some(&school.sam)).await, link(Some(&uma)).await, link(Some(&school.tim)).await];
        assert_eq!((seen, link(None).await), ([sam, false, false], false), "after {minutes} minutes");
        assert_eq!([link(Some(&school.ada)).await, link(Some(&school.root)).await], [true, true]);
    }
    school.sweep().await;
    assert_eq!(
        (school.place(&school.sam, &id).await, school.place(&uma, &id).await),
        ("ATTENDED".into(), "ABSENT".into())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_left_enters_again_to_see_the_link() {
    let school = School::open().await;
    let id = school.session(at(120), None).await;
    let link = async || school.seen(Some(&school.sam), &id, "meetingUrl").await["meetingUrl"].is_string();
    school.turn_to(at(125)).await;
    school.join(&school.sam, &id, false).await;
    assert!(link().await);
    assert_eq!(school.leave(&school.sam, &id).await, "HELD");
    assert!(!link().await);
    school.join(&school.sam, &id, false).await;
    assert!(link().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_request_creates_nothing() {
    let school = School::open().await;
    let mut input = school.input(at(120));
    input["idempotencyKey"] = json!("one");
    input["recurrence"] = json!({ "rule": "FREQ=DAILY;COUNT=3", "timeZone": "UTC" });
    let (first, second) = (school.created(&school.ada, input.clone()).await, school.created(&school.ada, input).await);
    assert_eq!((first.len(), &first), (3, &second));
    assert_eq!(school.app.sql("SELECT count(*) FROM live_sessions").await, "3");
}
