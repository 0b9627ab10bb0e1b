//! What participants are told.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn participants_are_reminded_a_day_before_and_when_they_are_let_in() {
    let school = School::open().await;
    let id = school.session(at(26 * 60), None).await;
    school.join(&school.sam, &id, false).await;
    assert_eq!(school.told(&school.sam).await, [""; 0]);
    school.turn_to(at(2 * 60)).await;
    school.sweep().await;
    assert_eq!(school.told(&school.sam).await, ["LIVE_SESSION_SOON “Valves” starts in 24 hours"]);
    assert_eq!(school.told(&school.tim).await, [""; 0]);
    // Moved by an hour: the reminder comes an hour later.
    let input = json!({ "liveSessionId": id, "version": 1, "startsAt": at(27 * 60), "endsAt": at(28 * 60) });
    school.change(&school.ada, input).await;
    let told = school.told(&school.sam).await;
    assert!(told.contains(&"LIVE_SESSION_CHANGED “Valves” is at another time".to_owned()), "{told:?}");
    let due = "SELECT count(*) FROM live_sessions WHERE remind_at = '2026-11-20T12:00:00Z'";
    assert_eq!(school.app.sql(due).await, "1");
    let short = school.session(at(6 * 60), None).await;
    school.join(&school.sam, &short, false).await;
    school.turn_to(at(6 * 60 - 15)).await;
    school.sweep().await;
    let all = school.told(&school.sam).await;
    let soon = all.iter().filter(|told| **told == "LIVE_SESSION_SOON “Valves” starts in 15 minutes");
    assert_eq!(soon.count(), 1, "{all:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn participants_hear_of_changes_and_of_their_hours() {
    let school = School::open().await;
    // Users are told of what happens after they have signed up.
    school.turn_to(at(1)).await;
    let (id, other) = (school.session(at(600), Some(1)).await, school.session(at(720), None).await);
    school.join(&school.sam, &id, false).await;
    school.join(&school.tim, &id, true).await;
    assert_eq!(school.told(&school.sam).await, [""; 0], "half of the hours are spent");
    school.join(&school.sam, &other, false).await;
    assert_eq!(school.told(&school.sam).await, ["HOURS_USED_UP Your hours of live classes are used up"]);
    school.leave(&school.sam, &id).await;
    assert_eq!(school.told(&school.tim).await, ["LIVE_SESSION_CHANGED You have a seat in “Valves”"]);
    school.cancel(&school.ada, &id).await;
    let told = school.told(&school.tim).await;
    assert!(told.contains(&"LIVE_SESSION_CHANGED “Valves” was canceled".to_owned()), "{told:?}");
    // Once a month.
    let third = school.session(at(840), None).await;
    school.join(&school.sam, &third, false).await;
    assert_eq!(school.told(&school.sam).await.len(), 1);
}

/// Brief 003, "Planned Features" 3, "Usage Alerts".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_is_warned_at_eighty_percent() {
    let school = School::with(&[("LYCEUM_LIVE_FREE_HOURS", "5")]).await;
    school.turn_to(at(1)).await;
    for hours in 10..14 {
        let id = school.session(at(60 * hours), None).await;
        assert_eq!(school.told(&school.sam).await, [""; 0]);
        school.join(&school.sam, &id, false).await;
    }
    assert_eq!(school.told(&school.sam).await, ["HOURS_NEARLY_USED Your hours of live classes are nearly used up"]);
    let warning = "{ viewer { subscriptionUsage { warning } } }";
    let data = school.app.data(Some(&school.sam.token), warning, json!({})).await;
    assert_eq!(data["viewer"]["subscriptionUsage"]["warning"], "NEARLY_USED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_session_is_reminded_of_in_a_transaction_of_its_own() {
    let school = School::open().await;
    for (user, hours) in [(&school.sam, 26), (&school.tim, 27)] {
        let id = school.session(at(60 * hours), None).await;
        school.join(user, &id, false).await;
    }
    school.turn_to(at(60 * 4)).await;
    for user in [&school.sam, &school.tim] {
        assert_eq!(school.told(user).await, ["LIVE_SESSION_SOON “Valves” starts in 24 hours"]);
    }
    // What has written the row last.
    assert_eq!(school.app.sql("SELECT count(DISTINCT xmin::text) FROM live_sessions").await, "2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn participants_are_reminded_in_batches_and_each_once() {
    let school = School::open().await;
    let id = school.session(at(60 * 26), None).await;
    let person = |number: i32| lyceum::accounts::ImportedUser {
        email: format!("p{number}@people.example"),
        name: format!("P{number}"),
        role: Role::Student,
        password_hash: "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$nobody".into(),
    };
    let people: Vec<_> = (0..130).map(person).collect();
    lyceum::accounts::import(&school.app.app, &people).await.unwrap();
    let session = id.parse::<lyceum::live::LiveSessionId>().unwrap().uuid();
    let seats = format!(
        "INSERT INTO live_attendances (id, session_id, user_id, status, minutes, month, since) \
        SELECT id, '{session}', id, 'HELD', 60, '2026-11-01', created_at FROM users WHERE role = 'STUDENT'"
    );
    school.app.sql(&seats).await;
    school.app.app.clock.advance(TimeDelta::hours(2));
    school.app.run("live.remind").await;
    let told = "SELECT concat_ws(' ', count(*), count(DISTINCT payload ->> 'participant')) FROM events \
        WHERE kind = 'live_session_soon'";
    assert_eq!(school.app.sql(told).await, "132 132", "with Sam and Tim");
}
