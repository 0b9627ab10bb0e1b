//! How much of a video completes its lesson.

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
