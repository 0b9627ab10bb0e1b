//! Seats and hours follow the membership at the time of the session.

use super::*;

/// The settings of a school in which only members take part.
pub(super) const MEMBERS_ONLY: [(&str, &str); 1] = [("LYCEUM_LIVE_FREE_HOURS", "0")];
const LOST: &str = "LIVE_SESSION_CHANGED You no longer have a seat in “Valves”";

/// Eleven in the morning, so many days after the start of every test's clock. A membership that begins then is paid for
/// until December 20.
fn day(days: i64) -> DateTime<Utc> {
    at(120) + TimeDelta::days(days)
}

impl School {
    /// Cancels or pauses a membership; nothing has reacted to it yet.
    async fn step(&self, user: &User, field: &str, membership: &str) {
        self.app.mutate(user, field, "membership { id }", json!({ "membershipId": membership })).await;
    }

    async fn reason(&self, user: &User, id: &str) -> String {
        let seen = self.seen(Some(user), id, "viewerEligibility { reason }").await;
        seen["viewerEligibility"]["reason"].as_str().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seats_that_a_canceled_membership_no_longer_covers_are_given_back() {
    let school = School::with(&MEMBERS_ONLY).await;
    // Users are told of what happens after they have signed up.
    school.turn_to(at(1)).await;
    let price = school.plan("Basic", "4", "30").await;
    let membership = school.subscribe(&school.sam, &price, "30").await;
    school.subscribe(&school.tim, &price, "30").await;
    let (paid, after) = (school.session(day(20), None).await, school.session(day(40), Some(1)).await);
    let awaited = school.session(day(41), Some(1)).await;
    for id in [&paid, &after] {
        assert_eq!(school.join(&school.sam, id, false).await, "ELIGIBLE HELD");
    }
    assert_eq!(school.join(&school.tim, &after, true).await, "FULL WAITING");
    assert_eq!(school.join(&school.tim, &awaited, false).await, "ELIGIBLE HELD");
    assert_eq!(school.join(&school.sam, &awaited, true).await, "FULL WAITING");
    assert_eq!(school.hours(&school.sam, Some("2026-12")).await, "0 2 4 2");
    school.step(&school.sam, "cancelMembership", &membership).await;
    school.settle().await;
    let mut places = Vec::new();
    for id in [&paid, &after, &awaited] {
        places.push(format!("{} {}", school.place(&school.sam, id).await, school.place(&school.tim, id).await));
    }
    assert_eq!(places, ["HELD -", "RELEASED HELD", "RELEASED HELD"]);
    assert_eq!(school.hours(&school.sam, Some("2026-12")).await, "0 1 4 3");
    assert_eq!(school.hours(&school.tim, Some("2026-12")).await, "0 2 4 2");
    let (sam, tim) = (school.told(&school.sam).await, school.told(&school.tim).await);
    assert_eq!(sam.iter().filter(|told| *told == LOST).count(), 1, "{sam:?}");
    assert!(tim.contains(&"LIVE_SESSION_CHANGED You have a seat in “Valves”".to_owned()), "{tim:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn free_hours_cover_the_earliest_seats_of_a_month() {
    let school = School::with(&[("LYCEUM_LIVE_FREE_HOURS", "1")]).await;
    let price = school.plan("Basic", "4", "30").await;
    let membership = school.subscribe(&school.sam, &price, "30").await;
    // In January, the later one is booked first.
    let (later, earlier) = (school.session(day(51), None).await, school.session(day(50), None).await);
    for id in [&later, &earlier] {
        assert_eq!(school.join(&school.sam, id, false).await, "ELIGIBLE HELD");
    }
    school.step(&school.sam, "cancelMembership", &membership).await;
    school.settle().await;
    assert_eq!(school.place(&school.sam, &earlier).await, "HELD");
    assert_eq!(school.place(&school.sam, &later).await, "RELEASED");
    assert_eq!(school.hours(&school.sam, Some("2027-01")).await, "0 1 1 0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_enters_needs_the_membership_again() {
    let school = School::with(&MEMBERS_ONLY).await;
    let price = school.plan("Basic", "4", "30").await;
    let membership = school.subscribe(&school.sam, &price, "30").await;
    let id = school.session(at(120), None).await;
    assert_eq!(school.join(&school.sam, &id, false).await, "ELIGIBLE HELD");
    assert_eq!(school.reason(&school.sam, &id).await, "ALREADY_JOINED");
    school.app.app.clock.advance(at(110) - school.now());
    school.step(&school.sam, "pauseMembership", &membership).await;
    assert_eq!(school.reason(&school.sam, &id).await, "NO_MEMBERSHIP");
    assert_eq!(school.join(&school.sam, &id, false).await, "NO_MEMBERSHIP HELD");
    let seen = school.seen(Some(&school.sam), &id, "startedAt viewerAttendance { joinedAt }").await;
    assert_eq!(seen, json!({ "startedAt": null, "viewerAttendance": { "joinedAt": null } }));
    school.settle().await;
    assert_eq!(school.place(&school.sam, &id).await, "RELEASED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canceled_membership_books_nothing_after_its_end() {
    let school = School::with(&MEMBERS_ONLY).await;
    let price = school.plan("Basic", "4", "30").await;
    let membership = school.subscribe(&school.sam, &price, "30").await;
    school.step(&school.sam, "cancelMembership", &membership).await;
    // Both in December.
    let (before, after) = (school.session(day(20), None).await, school.session(day(35), None).await);
    assert_eq!(school.reason(&school.sam, &before).await, "ELIGIBLE");
    assert_eq!(school.reason(&school.sam, &after).await, "NO_MEMBERSHIP");
    assert_eq!(school.join(&school.sam, &after, false).await, "NO_MEMBERSHIP -");
    assert_eq!(school.join(&school.sam, &before, false).await, "ELIGIBLE HELD");
    assert_eq!(school.hours(&school.sam, Some("2026-12")).await, "0 1 4 3");
}

/// Brief 003, "Subscription Limits": the hours are those of the plan.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fewer_hours_count_from_the_next_month_on_also_if_it_was_booked_before() {
    // Nine in the morning of the last day of November.
    let school = School::later(&MEMBERS_ONLY, TimeDelta::days(10)).await;
    let (premium, basic) = (school.plan("Premium", "8", "50").await, school.plan("Basic", "4", "30").await);
    let membership = school.subscribe(&school.sam, &premium, "50").await;
    for hours in [2, 24] {
        let id = school.session(school.now() + TimeDelta::hours(hours), None).await;
        assert_eq!(school.join(&school.sam, &id, false).await, "ELIGIBLE HELD");
    }
    assert_eq!(school.hours(&school.sam, Some("2026-12")).await, "0 1 8 7");
    let input = json!({ "membershipId": membership, "planPriceId": basic, "when": "NOW" });
    school.app.mutate(&school.sam, "changeMembership", "membership { id }", input).await;
    school.settle().await;
    assert_eq!(school.hours(&school.sam, None).await, "0 1 8 7", "the month of the change keeps its hours");
    assert_eq!(school.hours(&school.sam, Some("2026-12")).await, "0 1 4 3");
    school.turn_to("2026-12-01T00:00:00Z".parse().unwrap()).await;
    assert_eq!(school.hours(&school.sam, None).await, "0 1 4 3");
    let id = school.session(school.now() + TimeDelta::hours(2), None).await;
    assert_eq!(school.join(&school.sam, &id, false).await, "ELIGIBLE HELD");
    assert_eq!(school.hours(&school.sam, None).await, "0 2 4 2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memberships_are_read_once() {
    let school = School::open().await;
    let mut input = school.input(at(120));
    input["courseId"] = Value::Null;
    let made = school.created(&school.root, input).await;
    let query = "query ($id: ID!) { checkAttendance(liveSessionId: $id) { reason usage { remainingHours } } }";
    let statements = school.app.statements(Some(&school.sam.token), query, json!({ "id": made[0]["id"] })).await;
    assert_eq!(statements, 7, "session, user, their place, seats, the month, its extra hours, the memberships");
}
