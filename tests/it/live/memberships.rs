//! Seats and hours follow the membership at the time of the session.

use super::*;
use crate::support::socket::Socket;

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

    /// Changes a membership to another price at once.
    async fn choose(&self, user: &User, membership: &str, price: &str) {
        let input = json!({ "membershipId": membership, "planPriceId": price, "when": "NOW" });
        self.app.mutate(user, "changeMembership", "membership { id }", input).await;
    }

    /// A plan for all content, which has no live classes, for 20 euros a month; the id of its price.
    async fn content(&self) -> String {
        let price = json!({ "amount": { "amount": "20", "currency": "EUR" }, "interval": "MONTH" });
        let input = json!({ "kind": "ALL_ACCESS", "name": "Library", "prices": [price] });
        let made = self.app.mutate(&self.root, "createPlan", "plan { prices { id } }", input).await;
        self.settle().await;
        made["plan"]["prices"][0]["id"].as_str().unwrap().to_owned()
    }

    /// Tells once more of all that has become of memberships, the latest first.
    async fn replay(&self) {
        let events = self.app.sql("SELECT json_agg(payload) FROM events WHERE kind = 'membership_changed'").await;
        let events: Vec<Value> = serde_json::from_str(&events).unwrap();
        let run = lyceum::app::registry().unwrap().get("live.review_places").unwrap().run;
        for payload in events.into_iter().rev() {
            run(self.app.app.clone(), payload).await.unwrap();
        }
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

/// Brief 003, "Subscription Limits", and issue 16: a change of plan in mid-month.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_month_of_a_change_keeps_its_hours_also_without_a_seat() {
    // Nine in the morning of the last day of November.
    let school = School::later(&MEMBERS_ONLY, TimeDelta::days(10)).await;
    let premium = school.plan_with_rollover("Premium", "8", "50", "2").await;
    let basic = school.plan("Basic", "4", "30").await;
    let membership = school.subscribe(&school.sam, &premium, "50").await;
    school.app.sql("UPDATE memberships SET plan_since = '2026-09-10T00:00:00Z'").await;
    assert_eq!(school.hours(&school.sam, None).await, "0 0 8 10");
    school.choose(&school.sam, &membership, &basic).await;
    school.settle().await;
    assert_eq!(school.hours(&school.sam, None).await, "0 0 8 10");
    assert_eq!(school.hours(&school.sam, Some("2026-12")).await, "0 0 4 4");
    // What the months before have shown.
    for (month, expected) in [("2026-10", "0 0 8 10"), ("2026-09", "0 0 8 8"), ("2026-08", "0 0 0 0")] {
        assert_eq!(school.hours(&school.sam, Some(month)).await, expected, "{month}");
    }
    school.choose(&school.sam, &membership, &premium).await;
    school.settle().await;
    school.step(&school.sam, "pauseMembership", &membership).await;
    school.settle().await;
    assert_eq!(school.hours(&school.sam, None).await, "0 0 0 0");
    school.app.app.clock.advance(TimeDelta::hours(6));
    school.step(&school.sam, "resumeMembership", &membership).await;
    school.settle().await;
    assert_eq!(school.hours(&school.sam, None).await, "0 0 8 10", "as before the pause");
    // What tells of it may come again, and in another order.
    let stored = "SELECT string_agg(concat_ws(' ', month, allowed_minutes, rolled_over_minutes), ', ' ORDER BY month) \
        FROM live_usage";
    let before = school.app.sql(stored).await;
    assert_eq!(before, "2026-09-01 480 0, 2026-10-01 480 120, 2026-11-01 480 120");
    school.replay().await;
    assert_eq!(school.app.sql(stored).await, before);
    school.turn_to("2026-12-01T00:00:00Z".parse().unwrap()).await;
    assert_eq!(school.hours(&school.sam, None).await, "0 0 8 10");
    assert_eq!(school.hours(&school.sam, Some("2026-11")).await, "0 0 8 10");
}

/// Issue 16: a change of plan that applies with the renewal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_is_chosen_for_the_renewal_counts_from_then_on() {
    // Nine in the morning of the last day of November.
    let school = School::later(&MEMBERS_ONLY, TimeDelta::days(10)).await;
    let (basic, premium) = (school.plan("Basic", "4", "30").await, school.plan("Premium", "8", "50").await);
    let sam = school.subscribe(&school.sam, &premium, "50").await;
    let tim = school.subscribe(&school.tim, &basic, "30").await;
    for (user, membership, price) in [(&school.sam, &sam, &basic), (&school.tim, &tim, &premium)] {
        let input = json!({ "membershipId": membership, "planPriceId": price, "when": "RENEWAL" });
        school.app.mutate(user, "changeMembership", "membership { id }", input).await;
    }
    school.settle().await;
    let hours = async |month: &str| {
        [school.hours(&school.sam, Some(month)).await, school.hours(&school.tim, Some(month)).await]
    };
    for month in ["2026-11", "2026-12"] {
        assert_eq!(hours(month).await, ["0 0 8 8", "0 0 4 4"], "{month}");
    }
    for membership in [&sam, &tim] {
        school.renew(membership).await;
    }
    assert_eq!(hours("2026-11").await, ["0 0 8 8", "0 0 8 8"], "the month of the change has what is more");
    assert_eq!(hours("2026-12").await, ["0 0 4 4", "0 0 8 8"]);
}

/// Issue 16: the history.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_that_is_over_shows_what_it_showed_at_its_end() {
    let school = School::later(&MEMBERS_ONLY, TimeDelta::days(10)).await;
    let (basic, premium) = (school.plan("Basic", "4", "30").await, school.plan("Premium", "8", "50").await);
    let sam = school.subscribe(&school.sam, &basic, "30").await;
    let tim = school.subscribe(&school.tim, &basic, "30").await;
    let id = school.session(school.now() + TimeDelta::hours(2), None).await;
    assert_eq!(school.join(&school.sam, &id, false).await, "ELIGIBLE HELD");
    school.choose(&school.sam, &sam, &premium).await;
    school.settle().await;
    let november: [&str; 2] = ["0 0 8 8", "0 0 4 4"];
    school.turn_to("2026-12-01T00:00:00Z".parse().unwrap()).await;
    let shown = async || {
        let month = Some("2026-11");
        [school.hours(&school.sam, month).await, school.hours(&school.tim, month).await]
    };
    assert_eq!(shown().await, november);
    // Also after another change, a pause and the end.
    school.choose(&school.sam, &sam, &basic).await;
    school.choose(&school.tim, &tim, &premium).await;
    school.settle().await;
    assert_eq!(shown().await, november);
    school.step(&school.sam, "pauseMembership", &sam).await;
    school.step(&school.tim, "pauseMembership", &tim).await;
    school.settle().await;
    school.step(&school.tim, "cancelMembership", &tim).await;
    school.settle().await;
    assert_eq!(shown().await, november);
    assert_eq!(school.hours(&school.tim, None).await, "0 0 0 0");
}

/// Issue 16: `subscriptionUsageChanged` pushes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_becomes_of_a_membership_is_pushed() {
    let school = School::with(&MEMBERS_ONLY).await;
    let (basic, premium) = (school.plan("Basic", "4", "30").await, school.plan("Premium", "8", "50").await);
    let mut socket = Socket::connect(&school.app.url, Some(&school.sam.token)).await;
    let query = "subscription { subscriptionUsageChanged { usage { month maxHoursAllowed } } }";
    socket.subscribe("usage", query, json!({})).await;
    async fn next(socket: &mut Socket) -> Value {
        socket.receive().await.unwrap()["payload"]["data"]["subscriptionUsageChanged"]["usage"].take()
    }
    let hours = |hours: &str| json!({ "month": "2026-11", "maxHoursAllowed": hours });
    assert_eq!(next(&mut socket).await, hours("0"));
    let membership = school.subscribe(&school.sam, &basic, "30").await;
    assert_eq!(next(&mut socket).await, hours("4"));
    school.choose(&school.sam, &membership, &premium).await;
    school.settle().await;
    assert_eq!(next(&mut socket).await, hours("8"));
    school.step(&school.sam, "pauseMembership", &membership).await;
    school.settle().await;
    assert_eq!(next(&mut socket).await, hours("0"));
}

/// Issue 16: more hours count at once, also when a session is recorded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_hours_of_a_plan_count_when_a_session_is_recorded() {
    let school = School::with(&MEMBERS_ONLY).await;
    let basic = school.plan("Basic", "1", "30").await;
    school.subscribe(&school.sam, &basic, "30").await;
    let (missed, attended) = (school.session(at(60), None).await, school.session(at(180), None).await);
    assert_eq!(school.join(&school.sam, &missed, false).await, "ELIGIBLE HELD");
    school.turn_to(at(120)).await;
    assert_eq!(school.join(&school.sam, &attended, false).await, "ELIGIBLE HELD");
    school.turn_to(at(170)).await;
    school.join(&school.sam, &attended, false).await;
    school.turn_to(at(240)).await;
    assert_eq!(school.record(&school.ada, &missed, &[(&school.sam, true)]).await, "NOT_ALLOWED");
    let plan = school.app.data(None, "{ plans { nodes { id } } }", json!({})).await["plans"]["nodes"][0]["id"].take();
    let input = json!({ "planId": plan, "liveHoursPerMonth": "2" });
    school.app.mutate(&school.root, "updatePlan", "plan { liveHoursPerMonth }", input).await;
    assert_eq!(school.hours(&school.sam, None).await, "1 0 2 1");
    assert_eq!(school.record(&school.ada, &missed, &[(&school.sam, true)]).await, "ATTENDED");
    assert_eq!(school.hours(&school.sam, None).await, "2 0 2 0");
}

/// Issue 16: the history.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_job_takes_nothing_from_a_month_that_is_over() {
    let school = School::later(&MEMBERS_ONLY, TimeDelta::days(10)).await;
    let (basic, premium) = (school.plan("Basic", "4", "30").await, school.plan("Premium", "8", "50").await);
    let membership = school.subscribe(&school.sam, &basic, "30").await;
    school.app.sql("UPDATE memberships SET plan_since = '2026-09-10T00:00:00Z'").await;
    school.choose(&school.sam, &membership, &premium).await;
    school.settle().await;
    school.turn_to("2026-12-01T00:00:00Z".parse().unwrap()).await;
    school.step(&school.sam, "pauseMembership", &membership).await;
    school.settle().await;
    for round in ["at once", "late"] {
        for (month, expected) in [("2026-10", "0 0 4 4"), ("2026-11", "0 0 8 8"), ("2026-12", "0 0 0 0")] {
            assert_eq!(school.hours(&school.sam, Some(month)).await, expected, "{month}, {round}");
        }
        school.replay().await;
    }
}

/// Issue 16: "the hours come from the plan".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_membership_for_other_content_changes_no_hours_of_another() {
    let school = School::later(&MEMBERS_ONLY, TimeDelta::days(10)).await;
    let (premium, other) = (school.plan("Premium", "8", "50").await, school.content().await);
    let mut memberships = Vec::new();
    for user in [&school.sam, &school.tim] {
        school.subscribe(user, &other, "20").await;
        memberships.push(school.subscribe(user, &premium, "50").await);
    }
    // Sam has had the other one for as long, and Tim has it since today.
    let sam = school.sam.id.parse::<lyceum::accounts::UserId>().unwrap().uuid();
    let since = "UPDATE memberships SET plan_since = '2026-09-10T00:00:00Z' WHERE kind = 'LIVE_CLASS' OR user_id";
    school.app.sql(&format!("{since} = '{sam}'")).await;
    for (user, membership) in [&school.sam, &school.tim].into_iter().zip(&memberships) {
        assert_eq!(school.hours(user, None).await, "0 0 8 8");
        school.step(user, "pauseMembership", membership).await;
        school.settle().await;
        for (month, expected) in [("2026-09", "0 0 8 8"), ("2026-10", "0 0 8 8"), ("2026-11", "0 0 0 0")] {
            assert_eq!(school.hours(user, Some(month)).await, expected, "{month}");
        }
    }
    let id = school.session(school.now() + TimeDelta::hours(2), None).await;
    assert_eq!(school.reason(&school.sam, &id).await, "WRONG_PLAN");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_becomes_of_a_membership_for_other_content_is_not_told_as_hours() {
    let school = School::with(&MEMBERS_ONLY).await;
    let (basic, other) = (school.plan("Basic", "4", "30").await, school.content().await);
    let membership = school.subscribe(&school.sam, &other, "20").await;
    school.renew(&membership).await;
    let told = "SELECT count(*) FROM events WHERE kind = 'live_usage_changed'";
    assert_eq!(school.app.sql(told).await, "0");
    school.subscribe(&school.sam, &basic, "30").await;
    assert_ne!(school.app.sql(told).await, "0");
}
