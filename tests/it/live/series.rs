//! Series of sessions.

use super::*;

impl School {
    /// A series of Ada's; the ids.
    async fn series(&self, start: DateTime<Utc>, rule: &str, zone: &str) -> Vec<String> {
        let mut input = self.input(start);
        input["recurrence"] = json!({ "rule": rule, "timeZone": zone });
        let made = self.created(&self.ada, input).await;
        assert!(made.iter().all(|row| row["seriesId"] == made[0]["seriesId"] && row["seriesId"].is_string()));
        made.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    }

    /// A value of each session.
    async fn each(&self, ids: &[String], field: &str) -> Vec<String> {
        let mut values = Vec::new();
        for id in ids {
            let value = self.seen(Some(&self.ada), id, field).await[field].take();
            values.push(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
        values
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_series_stays_at_its_local_time_when_it_is_created_and_when_it_is_moved() {
    let school = School::open().await;
    // Summer time begins in Berlin on March 28, 2027.
    let first: DateTime<Utc> = "2027-03-18T17:00:00Z".parse().unwrap();
    let ids = school.series(first, "FREQ=WEEKLY;COUNT=3", "Europe/Berlin").await;
    let starts = school.each(&ids, "startsAt").await;
    assert_eq!(starts, ["2027-03-18T17:00:00+00:00", "2027-03-25T17:00:00+00:00", "2027-04-01T16:00:00+00:00"]);
    // The second one and those after it, to the next day at the same time.
    let start = first + TimeDelta::days(8);
    let input = json!({
        "liveSessionId": ids[1], "version": 1, "scope": "FOLLOWING", "startsAt": start,
        "endsAt": start + TimeDelta::hours(1), "title": "Moved",
    });
    assert_eq!(school.change(&school.ada, input).await.len(), 2);
    let starts = school.each(&ids, "startsAt").await;
    assert_eq!(starts, ["2027-03-18T17:00:00+00:00", "2027-03-26T17:00:00+00:00", "2027-04-02T16:00:00+00:00"]);
    assert_eq!(school.each(&ids, "title").await, ["Valves", "Moved", "Moved"]);
    // Only one.
    let input = json!({ "liveSessionId": ids[2], "version": 2, "title": "Alone" });
    school.change(&school.ada, input).await;
    assert_eq!(school.each(&ids, "title").await, ["Valves", "Moved", "Alone"]);
    // All, from one in the middle.
    let input = json!({ "liveSessionId": ids[1], "version": 2, "scope": "ALL", "capacity": 7 });
    school.change(&school.ada, input).await;
    assert_eq!(school.each(&ids, "capacity").await, ["7", "7", "7"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_series_moves_by_as_much_as_lies_between_two_of_its_sessions() {
    let school = School::open().await;
    let ids = school.series(at(120), "FREQ=DAILY;COUNT=3", "UTC").await;
    // Each takes the time of the next one, which is no conflict in the end.
    let start = at(120) + TimeDelta::days(1);
    let input = json!({
        "liveSessionId": ids[0], "version": 1, "scope": "ALL", "startsAt": start, "endsAt": start + TimeDelta::hours(1),
    });
    school.change(&school.ada, input).await;
    let days = school.each(&ids, "startsAt").await;
    assert_eq!(days, ["2026-11-21T11:00:00+00:00", "2026-11-22T11:00:00+00:00", "2026-11-23T11:00:00+00:00"]);
    // Into the past: not even one of them.
    let start = at(30);
    let input = json!({
        "liveSessionId": ids[2], "version": 2, "scope": "ALL", "startsAt": start, "endsAt": start + TimeDelta::hours(1),
    });
    assert_eq!(school.error(Some(&school.ada), "updateLiveSession", input).await.0, "OUT_OF_RANGE");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_started_stays_when_a_series_is_canceled() {
    let school = School::open().await;
    let ids = school.series(at(60), "FREQ=DAILY;COUNT=4", "UTC").await;
    for id in &ids[..2] {
        school.join(&school.sam, id, false).await;
    }
    assert_eq!(school.hours(&school.sam, None).await, "0 2 2 0");
    school.turn_to(at(65)).await;
    let input = json!({ "liveSessionId": ids[2], "scope": "ALL" });
    school.app.mutate(&school.ada, "cancelLiveSession", "liveSessions { status }", input).await;
    assert_eq!(school.each(&ids, "status").await, ["LIVE", "CANCELED", "CANCELED", "CANCELED"]);
    assert_eq!(school.hours(&school.sam, None).await, "0 1 2 1");
    let again = school.error(Some(&school.ada), "cancelLiveSession", json!({ "liveSessionId": ids[2] })).await.0;
    assert_eq!(again, "NOT_ALLOWED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_series_of_ten_costs_as_many_statements_as_one_of_three() {
    let school = School::open().await;
    let cost = async |count: i64| {
        let work = async || {
            let mutate = async |field: &str, input: Value| {
                school.app.mutate(&school.ada, field, "liveSessions { id }", input).await["liveSessions"].take()
            };
            school.app.forget_rows();
            let mut input = school.input(at(120));
            input["recurrence"] = json!({ "rule": format!("FREQ=DAILY;COUNT={count}"), "timeZone": "UTC" });
            let made = mutate("createLiveSession", input).await;
            let id = &made[0]["id"];
            let input = json!({
                "liveSessionId": id, "version": 1, "scope": "ALL", "startsAt": at(180), "endsAt": at(240),
                "capacity": 5,
            });
            assert_eq!(mutate("updateLiveSession", input).await.as_array().unwrap().len() as i64, count);
            // So that the next ones are at a time that is free.
            mutate("cancelLiveSession", json!({ "liveSessionId": id, "scope": "ALL" })).await;
        };
        school.app.counted(work).await.0
    };
    assert_eq!(cost(3).await, cost(10).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_series_that_moves_by_a_month_gives_all_hours_back_before_it_takes_others() {
    let school = School::open().await;
    // Two in November and two in December, as many as Sam has hours for.
    let first = at(120) + TimeDelta::days(9);
    let ids = school.series(first, "FREQ=DAILY;COUNT=4", "UTC").await;
    for id in &ids {
        assert_eq!(school.join(&school.sam, id, false).await, "ELIGIBLE HELD");
    }
    let start = first + TimeDelta::days(31);
    let input = json!({
        "liveSessionId": ids[0], "version": 1, "scope": "ALL", "startsAt": start, "endsAt": start + TimeDelta::hours(1),
    });
    assert_eq!(school.change(&school.ada, input).await.len(), 4);
    for id in &ids {
        assert_eq!(school.place(&school.sam, id).await, "HELD");
    }
    for (month, hours) in [("2026-11", "0 0 2 2"), ("2026-12", "0 2 2 0"), ("2027-01", "0 2 2 0")] {
        assert_eq!(school.hours(&school.sam, Some(month)).await, hours, "{month}");
    }
}
