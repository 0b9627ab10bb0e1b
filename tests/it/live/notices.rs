//! What participants are told.

use super::*;

impl School {
    /// The titles of a user's notifications, latest first.
    async fn told(&self, user: &User) -> Vec<String> {
        for _ in 0..2 {
            self.app.settle().await;
        }
        let query = "{ viewer { notifications { nodes { kind title } } } }";
        let data = self.app.data(Some(&user.token), query, json!({})).await;
        let nodes = data["viewer"]["notifications"]["nodes"].as_array().unwrap();
        let told = |node: &Value| format!("{} {}", node["kind"].as_str().unwrap(), node["title"].as_str().unwrap());
        nodes.iter().map(told).collect()
    }
}

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
