//! Hours that are left of a month and count in the next one.

use super::memberships::MEMBERS_ONLY;
use super::*;

/// So many minutes after the start of December.
fn december(minutes: i64) -> DateTime<Utc> {
    let start: DateTime<Utc> = "2026-12-01T00:00:00Z".parse().unwrap();
    start + TimeDelta::minutes(minutes)
}

impl School {
    /// Nine in the morning of the last day of November. Sam and Tim are members since then, of a plan with so many hours
    /// of which so many roll over.
    async fn rolling(hours: &str, rollover: &str) -> School {
        let school = School::later(&MEMBERS_ONLY, TimeDelta::days(10)).await;
        let price = school.plan_with_rollover("Rolling", hours, "30", rollover).await;
        for user in [&school.sam, &school.tim] {
            school.subscribe(user, &price, "30").await;
        }
        school
    }

    /// Makes the members ones since the start of November.
    async fn backdate(&self) {
        self.app.sql("UPDATE memberships SET plan_since = '2026-11-01T00:00:00Z'").await;
    }

    async fn in_december(&self, user: &User) -> String {
        self.hours(user, Some("2026-12")).await
    }
}

/// Brief 003, "Planned Features" 4.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_of_a_month_counts_in_the_next_one_up_to_a_cap() {
    let school = School::rolling("4", "2").await;
    let id = school.session(at(120) + TimeDelta::days(10), None).await;
    let later = school.session(december(120), None).await;
    school.join(&school.sam, &id, false).await;
    school.turn_to(at(115) + TimeDelta::days(10)).await;
    school.join(&school.sam, &id, false).await;
    school.turn_to(december(-1)).await;
    assert_eq!(school.hours(&school.sam, None).await, "1 0 4 3");
    assert_eq!(school.in_december(&school.sam).await, "0 0 4 4", "November is not over");
    school.turn_to(december(0)).await;
    assert_eq!(school.in_december(&school.sam).await, "0 0 4 6");
    let query = "{ viewer { subscriptionUsage { rolledOverHours } } }";
    let data = school.app.data(Some(&school.sam.token), query, json!({})).await;
    assert_eq!(data["viewer"]["subscriptionUsage"]["rolledOverHours"], "2");
    assert_eq!(school.hours(&school.sam, Some("2027-01")).await, "0 0 4 4");
    // Of a month without a seat, all is left.
    assert_eq!(school.in_december(&school.tim).await, "0 0 4 6");
    assert_eq!(school.join(&school.tim, &later, false).await, "ELIGIBLE HELD");
    assert_eq!(school.in_december(&school.tim).await, "0 1 4 5");
    let stored = "SELECT string_agg(rolled_over_minutes::text, ' ') FROM live_usage WHERE month = '2026-12-01'";
    assert_eq!(school.app.sql(stored).await, "120");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_rolls_over_is_spent_once() {
    let school = School::rolling("1", "1").await;
    let last = school.session(december(-60), None).await;
    let (first, second) = (school.session(december(60), None).await, school.session(december(120), None).await);
    school.join(&school.sam, &last, false).await;
    school.app.app.clock.advance(december(0) - school.now());
    assert_eq!(school.in_december(&school.sam).await, "0 0 1 1", "the seat holds the hour until it is settled");
    school.sweep().await;
    assert_eq!(school.in_december(&school.sam).await, "0 0 1 2", "he was not there");
    assert_eq!(school.join(&school.sam, &first, false).await, "ELIGIBLE HELD");
    // The host remembers him after all: the hour is taken back as long as it is not spent.
    assert_eq!(school.record(&school.ada, &last, &[(&school.sam, true)]).await, "ATTENDED");
    assert_eq!(school.in_december(&school.sam).await, "0 1 1 0");
    assert_eq!(school.join(&school.sam, &second, false).await, "INSUFFICIENT_HOURS -");
    assert_eq!(school.record(&school.ada, &last, &[(&school.sam, false)]).await, "ABSENT");
    assert_eq!(school.in_december(&school.sam).await, "0 1 1 1");
    assert_eq!(school.join(&school.sam, &second, false).await, "ELIGIBLE HELD");
    assert_eq!(school.record(&school.ada, &last, &[(&school.sam, true)]).await, "NOT_ALLOWED");
    assert_eq!(school.in_december(&school.sam).await, "0 2 1 0");
    school.leave(&school.sam, &second).await;
    assert_eq!(school.record(&school.ada, &last, &[(&school.sam, true)]).await, "ATTENDED");
    assert_eq!(school.in_december(&school.sam).await, "0 1 1 0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_joins_past_midnight_pays_with_the_month_before() {
    let school = School::rolling("1", "1").await;
    school.backdate().await;
    let last = school.session(december(-30), None).await;
    let (first, second) = (school.session(december(60), None).await, school.session(december(120), None).await);
    school.app.app.clock.advance(december(5) - school.now());
    // What is checked is what joining says, also of who has no seat in the month yet.
    let reason = async |user: &User| {
        let seen = school.seen(Some(user), &last, "viewerEligibility { reason }").await;
        seen["viewerEligibility"]["reason"].as_str().unwrap().to_owned()
    };
    assert_eq!((reason(&school.sam).await, reason(&school.tim).await), ("ELIGIBLE".into(), "ELIGIBLE".into()));
    for id in [&first, &second] {
        assert_eq!(school.join(&school.sam, id, false).await, "ELIGIBLE HELD");
    }
    assert_eq!(school.in_december(&school.sam).await, "0 2 1 0");
    assert_eq!(reason(&school.sam).await, "INSUFFICIENT_HOURS");
    assert_eq!(school.join(&school.sam, &last, false).await, "INSUFFICIENT_HOURS -", "November's hour is spent");
    school.leave(&school.sam, &second).await;
    assert_eq!(reason(&school.sam).await, "ELIGIBLE");
    assert_eq!(school.join(&school.sam, &last, false).await, "ELIGIBLE HELD");
    assert_eq!(school.in_december(&school.sam).await, "0 1 1 0");
    assert_eq!(school.join(&school.sam, &second, false).await, "INSUFFICIENT_HOURS RELEASED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_rolls_over_into_a_month_that_was_booked_before_is_written_when_it_is_settled() {
    let school = School::rolling("1", "1").await;
    school.backdate().await;
    let id = school.session(december(60), None).await;
    school.join(&school.sam, &id, false).await;
    let stored = "SELECT concat_ws(' ', allowed_minutes, rolled_over_minutes, held_minutes) FROM live_usage";
    assert_eq!(school.app.sql(stored).await, "60 0 60");
    school.turn_to(december(120)).await;
    assert_eq!(school.app.sql(stored).await, "60 60 0");
    assert_eq!(school.in_december(&school.sam).await, "0 0 1 2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hours_that_rolled_over_cover_no_seat_after_the_membership() {
    let school = School::later(&MEMBERS_ONLY, TimeDelta::days(10)).await;
    let price = school.plan_with_rollover("Rolling", "1", "30", "1").await;
    let membership = school.subscribe(&school.sam, &price, "30").await;
    school.backdate().await;
    // It is paid for until December 30.
    let id = school.session(december(60 * 24 * 30), None).await;
    school.turn_to(december(0)).await;
    assert_eq!(school.join(&school.sam, &id, false).await, "ELIGIBLE HELD");
    assert_eq!(school.in_december(&school.sam).await, "0 1 1 1");
    let input = json!({ "membershipId": membership });
    school.app.mutate(&school.sam, "cancelMembership", "membership { id }", input).await;
    school.settle().await;
    assert_eq!(school.place(&school.sam, &id).await, "RELEASED");
}
