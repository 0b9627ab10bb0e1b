//! Whose hours count for a user who has, or had, those of a family.

use super::family::Home;
use super::*;
use crate::support::socket::Socket;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_who_joins_past_midnight_is_told_the_same_before() {
    let home = Home::later("1", json!({ "familySize": 2 }), TimeDelta::days(10)).await;
    let school = &home.school;
    let start: DateTime<Utc> = "2026-12-01T00:00:00Z".parse().unwrap();
    let id = school.session(start - TimeDelta::minutes(30), None).await;
    school.app.app.clock.advance(start + TimeDelta::minutes(5) - school.now());
    for user in [&school.tim, &school.sam] {
        let seen = school.seen(Some(user), &id, "viewerEligibility { reason }").await;
        let reason = seen["viewerEligibility"]["reason"].as_str().unwrap().to_owned();
        let joined = school.join(user, &id, false).await;
        assert_eq!(joined.split(' ').next().unwrap(), reason);
    }
    assert_eq!(school.hours(&school.sam, Some("2026-11")).await, "0 1 1 0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_higher_share_counts_when_a_session_is_recorded() {
    let home = Home::of("4", json!({ "familySize": 2, "familyMemberHours": "1" })).await;
    let school = &home.school;
    let (missed, attended) = (school.session(at(60), None).await, school.session(at(180), None).await);
    assert_eq!(school.join(&school.tim, &missed, false).await, "ELIGIBLE HELD");
    school.turn_to(at(120)).await;
    school.join(&school.tim, &attended, false).await;
    school.turn_to(at(170)).await;
    school.join(&school.tim, &attended, false).await;
    school.turn_to(at(240)).await;
    assert_eq!(school.record(&school.ada, &missed, &[(&school.tim, true)]).await, "NOT_ALLOWED");
    let plan = school.app.data(None, "{ plans { nodes { id } } }", json!({})).await["plans"]["nodes"][0]["id"].take();
    let input = json!({ "planId": plan, "familyMemberHours": "2" });
    school.app.mutate(&school.root, "updatePlan", "plan { familyMemberHours }", input).await;
    assert_eq!(school.record(&school.ada, &missed, &[(&school.tim, true)]).await, "ATTENDED");
    assert_eq!(school.hours(&school.sam, None).await, "2 0 4 2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_with_hours_of_a_family_and_then_ones_own() {
    let home = Home::later("4", json!({ "familySize": 2 }), TimeDelta::days(10)).await;
    let school = &home.school;
    let own = school.plan("Basic", "3", "20").await;
    let time = |minutes: i64| at(minutes) + TimeDelta::days(10);
    let (first, second) = (school.session(time(60), None).await, school.session(time(180), None).await);
    school.turn_to(time(50)).await;
    assert_eq!(school.join(&school.tim, &first, false).await, "ELIGIBLE HELD");
    school.turn_to(time(120)).await;
    school.subscribe(&school.tim, &own, "20").await;
    school.turn_to(time(170)).await;
    assert_eq!(school.join(&school.tim, &second, false).await, "ELIGIBLE HELD");
    school.turn_to(time(240)).await;
    assert_eq!(school.hours(&school.tim, None).await, "1 0 3 2");
    school.turn_to("2026-12-01T00:00:00Z".parse().unwrap()).await;
    let november = Some("2026-11");
    assert_eq!(school.hours(&school.tim, november).await, "1 0 3 2", "what it showed at its end");
    assert_eq!(school.hours(&school.sam, november).await, "1 0 4 3");
    let query = "{ subscriptionStatistics(month: \"2026-11\") { topUsers { user { name } totalHoursAttended } } }";
    let found = school.app.data(Some(&school.root.token), query, json!({})).await["subscriptionStatistics"].take();
    assert_eq!(found["topUsers"], json!([{ "user": { "name": "Tim" }, "totalHoursAttended": "2" }]));
}

/// Issue 16: the history.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_that_is_over_has_the_hours_of_the_family_in_which_a_user_was_at_its_end() {
    let home = Home::later("4", json!({ "familySize": 2 }), TimeDelta::days(10)).await;
    let (school, uma) = (&home.school, &home.uma);
    school.adopt(&school.sam, &home.membership, uma, "uma").await;
    school.app.app.clock.advance(TimeDelta::hours(1));
    home.leave(uma).await;
    school.turn_to("2026-12-01T00:00:00Z".parse().unwrap()).await;
    let november = async || {
        let month = Some("2026-11");
        [school.hours(&school.tim, month).await, school.hours(uma, month).await]
    };
    assert_eq!(november().await, ["0 0 4 4", "0 0 0 0"]);
    // Also after a while without it, and when it has no hours anymore.
    home.leave(&school.tim).await;
    assert_eq!(school.hours(&school.tim, None).await, "0 0 0 0");
    assert_eq!(november().await, ["0 0 4 4", "0 0 0 0"]);
    home.step("pauseMembership").await;
    assert_eq!(november().await, ["0 0 4 4", "0 0 0 0"]);
    home.step("cancelMembership").await;
    assert_eq!(november().await, ["0 0 4 4", "0 0 0 0"]);
    school.forget(&school.tim).await;
    assert_eq!(school.app.sql("SELECT count(*) FROM family_stays").await, "1", "Uma's");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_joins_or_leaves_a_family_is_pushed_their_hours() {
    let home = Home::of("4", json!({ "familySize": 2 })).await;
    let (school, uma) = (&home.school, &home.uma);
    let mut socket = Socket::connect(&school.app.url, Some(&uma.token)).await;
    let query = "subscription { subscriptionUsageChanged { usage { maxHoursAllowed } } }";
    socket.subscribe("usage", query, json!({})).await;
    async fn next(socket: &mut Socket) -> String {
        let usage = socket.receive().await.unwrap()["payload"]["data"]["subscriptionUsageChanged"]["usage"].take();
        usage["maxHoursAllowed"].as_str().unwrap().to_owned()
    }
    assert_eq!(next(&mut socket).await, "0");
    school.adopt(&school.sam, &home.membership, uma, "uma").await;
    school.settle().await;
    assert_eq!(next(&mut socket).await, "4");
    home.leave(uma).await;
    assert_eq!(next(&mut socket).await, "0");
}
