//! How much of a video completes its lesson, and lessons that are gone.

use super::progress::{enrolled, report};
use super::*;
use crate::support::app::code_of;

const SHARE: &str = "query ($id: ID!) { course(id: $id) { version completionPercent } }";

impl School {
    async fn set_share(&self, percent: Option<i32>) {
        let input = json!({ "courseId": self.course.id, "completionPercent": percent });
        let selection = "course { completionPercent }";
        let made = self.app.edit(&self.ada, "updateCourse", selection, input).await;
        assert_eq!(made["course"]["completionPercent"], json!(percent));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_share_that_completes_a_lesson_is_a_setting_of_the_course() {
    let (school, lessons) = enrolled().await;
    let peer = school.app.peer().await;
    let (now, half) = (school.now(), [(0, 150)]);
    let by_default = school.saved(&[report(&lessons[0], now, 150, &half)]).await;
    assert_eq!(by_default["completedLessonCount"], 0, "the server's default is 90 %");
    school.set_share(Some(50)).await;
    // Another node reads it, too.
    let entries = [report(&lessons[1], now, 149, &[(0, 149)])];
    let below = school.save_as(&peer, &school.sam, &entries).await;
    assert_eq!(below["enrollments"][0]["progress"]["completedLessonCount"], 0, "{below:#}");
    let enough = school.saved(&[report(&lessons[1], now, 150, &half)]).await;
    assert_eq!(enough["completedLessonCount"], 1);
    // What was watched before is enough now: the next report completes it.
    let again = school.saved(&[report(&lessons[0], now, 150, &[])]).await;
    assert_eq!((&again["completedLessonCount"], &again["percent"]), (&json!(2), &json!(100)));
    school.set_share(None).await;
    assert_eq!(school.progress().await["viewerEnrollment"]["progress"]["percent"], 100, "completed stays completed");
    let other = school.app.course(&school.ada, "Other", 1).await;
    let others = school.app.data(Some(&school.ada.token), SHARE, json!({ "id": other.id })).await;
    assert_eq!(others["course"]["completionPercent"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_share_is_from_1_to_100_and_for_the_team_to_see_and_set() {
    let school = school().await;
    let id = json!({ "id": school.course.id });
    let read = SHARE.replace("version ", "");
    for wrong in [0, 101, -1] {
        let version = school.app.data(Some(&school.ada.token), SHARE, id.clone()).await["course"]["version"].take();
        let input = json!({ "courseId": school.course.id, "version": version, "completionPercent": wrong });
        let refused = school.refused(&school.ada, "updateCourse", input).await;
        assert_eq!(refused, [("OUT_OF_RANGE".to_owned(), json!(["completionPercent"]))]);
    }
    school.set_share(Some(100)).await;
    for user in [&school.ada, &school.root] {
        let seen = school.app.data(Some(&user.token), &read, id.clone()).await;
        assert_eq!(seen["course"]["completionPercent"], 100);
    }
    for token in [None, Some(&*school.sam.token)] {
        let body = school.app.send(token, &read, id.clone()).await;
        assert_eq!((code_of(&body), &body["data"]["course"]["completionPercent"]), ("FORBIDDEN", &Value::Null));
    }
    let input = json!({ "courseId": school.course.id, "version": 1, "completionPercent": 1 });
    let query = "mutation ($input: UpdateCourseInput!) { updateCourse(input: $input) { course { id } } }";
    let body = school.app.send(Some(&school.sam.token), query, json!({ "input": input })).await;
    assert!(body["errors"].is_array(), "{body:#}");
    assert_eq!(school.app.sql("SELECT completion_percent FROM course_settings").await, "100");
}

/// A node may not have heard yet that a lesson was deleted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lesson_that_was_deleted_meanwhile_fails_nobody_elses_report() {
    let (school, lessons) = enrolled().await;
    let eve = school.app.user("Eve", Role::Student).await;
    school.grant(&eve, None).await;
    school.began_long_ago().await;
    let now = school.now();
    let begun = [report(&lessons[0], now, 5, &[(0, 5)]), report(&lessons[1], now, 5, &[(0, 5)])];
    school.saved(&begun).await;
    school.app.sql("DELETE FROM lessons WHERE title = 'Lesson 1'").await;
    let both = [report(&lessons[0], now, 9, &[(0, 9)]), report(&lessons[1], now, 9, &[(0, 9)])];
    let (sam, eve) =
        tokio::join!(school.save_as(&school.app, &school.sam, &both), school.save_as(&school.app, &eve, &both));
    for saved in [sam, eve] {
        assert_eq!(saved["enrollments"].as_array().unwrap().len(), 1, "{saved:#}");
    }
    let kept =
        "SELECT string_agg(watched_seconds::text, ' ') FROM lesson_progress JOIN lessons ON lessons.id = lesson_id";
    assert_eq!(school.app.sql(kept).await, "9 9");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_was_offline_reports_hours_later_and_out_of_order() {
    let (school, lessons) = enrolled().await;
    // Three hours on a train, without a network: the phone notes a report every minute.
    let began = school.now() - TimeDelta::hours(3);
    let noted: Vec<Value> = (1..=5)
        .map(|minute| {
            let (from, to) = (60 * minute - 60, 60 * minute);
            report(&lessons[0], began + TimeDelta::minutes(i64::from(minute)), to, &[(from, to)])
        })
        .collect();
    // Meanwhile the same user has gone on at another device, whose position is the latest.
    let late = school.now() - TimeDelta::minutes(1);
    school.saved(&[report(&lessons[0], late, 20, &[(10, 20)])]).await;
    let mut backward = noted.clone();
    backward.reverse();
    let done = school.saved(&backward).await;
    assert_eq!((&done["completedLessonCount"], &done["watchedSeconds"]), (&json!(1), &json!(300)));
    let lesson = school.progress().await["lessons"]["nodes"][0]["viewerProgress"].take();
    assert_eq!((&lesson["positionSeconds"], &lesson["watchedSeconds"]), (&json!(20), &json!(300)));
    assert_eq!(school.saved(&noted).await, done, "again changes nothing");
    let state = school.progress().await["viewerEnrollment"]["lastActivityAt"].take();
    assert_eq!(state, late.to_rfc3339(), "what is late is not the last activity");
}
