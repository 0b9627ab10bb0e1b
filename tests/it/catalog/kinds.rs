//! Lessons that are videos and lessons that are articles: what each needs to be published.

use chrono::TimeDelta;
use lyceum::media::{VideoId, VideoProcessed};
use lyceum::platform::auth::Role;
use lyceum::platform::outbox;
use serde_json::{Value, json};

use crate::support::app::Course;
use crate::support::socket::Follower;
use crate::support::{TestApp, User};

const LESSON: &str = "lesson { status kind publishAt durationSeconds video { videoId } }";

struct School {
    app: TestApp,
    ada: User,
    course: Course,
}

impl School {
    async fn open() -> School {
        let app = TestApp::start().await;
        let ada = app.user("Ada", Role::Instructor).await;
        let course = app.course(&ada, "Engines", 1).await;
        School { app, ada, course }
    }

    /// A mutation of a lesson: what it answers, and the user errors as "field CODE".
    async fn change(&self, field: &str, lesson: &str, mut input: Value) -> (Value, Vec<String>) {
        input["lessonId"] = json!(lesson);
        if field != "publishLesson" && field != "unpublishLesson" {
            input = self.app.current(&self.ada, input).await;
        }
        let mut payload = self.app.payload(&self.ada, field, LESSON, input).await;
        let errors = payload["userErrors"].as_array().unwrap().iter();
        let errors = errors.map(|error| {
            let path = error["field"].as_array().unwrap().iter().map(|part| part.as_str().unwrap());
            format!("{} {}", path.collect::<Vec<_>>().join("."), error["code"].as_str().unwrap())
        });
        let errors = errors.collect();
        (payload["lesson"].take(), errors)
    }

    async fn status(&self, lesson: &str) -> String {
        let query = "query ($id: ID!) { lesson(id: $id) { status } }";
        let data = self.app.data(Some(&self.ada.token), query, json!({ "id": lesson })).await;
        data["lesson"]["status"].as_str().unwrap().to_owned()
    }

    /// A draft lesson whose video is being processed.
    async fn processing(&self, title: &str) -> String {
        let lesson = self.app.lesson(&self.ada, &self.course, title).await;
        self.app.sql(&format!("UPDATE videos SET status = 'PROCESSING' WHERE id = '{}'", uuid(&lesson))).await;
        lesson
    }

    /// The processing of a lesson's video ends with this status.
    async fn processed(&self, lesson: &str, status: &str) {
        self.app.sql(&format!("UPDATE videos SET status = '{status}' WHERE id = '{}'", uuid(lesson))).await;
        let event = VideoProcessed { video_id: VideoId::new(uuid(lesson)), duration_seconds: None };
        let app = &self.app.app;
        app.db.transaction(async |tx| outbox::record(tx, &app.clock, &event).await).await.unwrap();
        self.app.settle().await;
    }
}

/// The id of the lesson, which is also that of its video.
fn uuid(lesson: &str) -> uuid::Uuid {
    lesson.parse::<lyceum::catalog::LessonId>().unwrap().uuid()
}

#[tokio::test]
async fn a_video_lesson_needs_a_video_to_be_published_and_keeps_it() {
    let school = School::open().await;
    let lesson = school.app.lesson_without_video(&school.ada, &school.course, "Piston").await;
    assert_eq!(school.change("publishLesson", &lesson, json!({})).await.1, ["lessonId NOT_ALLOWED"]);
    // A schedule may be made before the upload is there; without it, nothing is published.
    let (scheduled, _) = school.change("scheduleLesson", &lesson, json!({ "publishAt": "2026-11-20T10:00:00Z" })).await;
    assert_eq!(scheduled["status"], "SCHEDULED");
    school.app.app.clock.advance(TimeDelta::hours(2));
    school.app.settle().await;
    let status =
        format!("SELECT publish_at IS NULL AND published_at IS NULL FROM lessons WHERE id = '{}'", uuid(&lesson));
    assert_eq!(school.app.sql(&status).await, "t");
}

#[tokio::test]
async fn a_published_video_lesson_keeps_its_video_until_it_is_an_article() {
    let school = School::open().await;
    let lesson = school.app.lesson(&school.ada, &school.course, "Piston").await;
    school.app.publish(&school.ada, &lesson).await;
    let (unchanged, errors) = school.change("setLessonVideo", &lesson, json!({ "videoId": null })).await;
    assert_eq!((unchanged, errors), (Value::Null, vec!["videoId NOT_ALLOWED".to_owned()]));
    let (article, errors) = school.change("updateLesson", &lesson, json!({ "kind": "ARTICLE" })).await;
    assert_eq!(errors, [""; 0]);
    assert_eq!(
        (&article["kind"], &article["video"], &article["status"]),
        (&json!("ARTICLE"), &Value::Null, &json!("PUBLISHED"))
    );
    let unused = format!("SELECT delete_after IS NOT NULL FROM videos WHERE id = '{}'", uuid(&lesson));
    assert_eq!(school.app.sql(&unused).await, "t", "nothing shows the video any more");
    // And back, but not while it is published.
    let (_, errors) = school.change("updateLesson", &lesson, json!({ "kind": "VIDEO" })).await;
    assert_eq!(errors, ["kind NOT_ALLOWED"]);
    let video = VideoId::new(uuid(&lesson)).encode();
    let (_, errors) = school.change("setLessonVideo", &lesson, json!({ "videoId": video })).await;
    assert_eq!(errors, ["videoId NOT_ALLOWED"], "an article has no video");
    school.change("unpublishLesson", &lesson, json!({})).await;
    assert_eq!(school.change("updateLesson", &lesson, json!({ "kind": "VIDEO" })).await.1, [""; 0]);
    assert_eq!(school.change("publishLesson", &lesson, json!({})).await.1, ["lessonId NOT_ALLOWED"]);
    assert_eq!(school.change("setLessonVideo", &lesson, json!({ "videoId": video })).await.1, [""; 0]);
    assert_eq!(school.change("publishLesson", &lesson, json!({})).await.0["status"], "PUBLISHED");
}

#[tokio::test]
async fn an_article_is_published_without_a_video_and_is_no_new_video() {
    let school = School::open().await;
    let mut follower = Follower::new(&school.app.url, None, None).await;
    let input = json!({ "sectionId": school.course.section, "title": "To read", "kind": "ARTICLE" });
    let made = school.app.mutate(&school.ada, "createLesson", "lesson { id kind durationSeconds }", input).await;
    assert_eq!((&made["lesson"]["kind"], &made["lesson"]["durationSeconds"]), (&json!("ARTICLE"), &Value::Null));
    let article = made["lesson"]["id"].as_str().unwrap().to_owned();
    school.app.publish(&school.ada, &article).await;
    let timed = school.change("updateLesson", &article, json!({ "durationSeconds": 90 })).await.0;
    assert_eq!(timed["durationSeconds"], 90);
    let course = "query ($id: ID!) { course(id: $id) { lessonCount durationSeconds } }";
    let counted = school.app.data(None, course, json!({ "id": school.course.id })).await;
    assert_eq!(counted["course"], json!({ "lessonCount": 2, "durationSeconds": 390 }));
    let untimed = school.change("updateLesson", &article, json!({ "durationSeconds": null })).await.0;
    assert_eq!(untimed["durationSeconds"], Value::Null);
    let counted = school.app.data(None, course, json!({ "id": school.course.id })).await;
    assert_eq!(counted["course"]["durationSeconds"], 300);
    let film = school.app.lesson(&school.ada, &school.course, "To watch").await;
    school.app.publish(&school.ada, &film).await;
    school.app.settle().await;
    follower.expect(&["To watch"]).await;
}

#[tokio::test]
async fn a_lesson_is_published_when_its_video_can_be_watched() {
    let school = School::open().await;
    let mut follower = Follower::new(&school.app.url, None, None).await;
    let (good, bad) = (school.processing("Piston").await, school.processing("Valve").await);
    for lesson in [&good, &bad] {
        let (waits, errors) = school.change("publishLesson", lesson, json!({})).await;
        assert_eq!((&waits["status"], errors), (&json!("SCHEDULED"), vec![]), "it waits for its video");
        let again = school.change("publishLesson", lesson, json!({})).await.0;
        assert_eq!((&again["status"], &again["publishAt"]), (&json!("SCHEDULED"), &waits["publishAt"]));
    }
    school.app.run("catalog.publish_missed").await;
    assert_eq!(school.status(&good).await, "SCHEDULED");
    school.processed(&good, "READY").await;
    school.processed(&bad, "FAILED").await;
    assert_eq!((school.status(&good).await, school.status(&bad).await), ("PUBLISHED".into(), "DRAFT".into()));
    let again = school.change("publishLesson", &bad, json!({})).await.1;
    assert_eq!(again, ["lessonId NOT_ALLOWED"], "this video can't be watched");
    school.app.settle().await;
    follower.expect(&["Piston"]).await;
}

#[tokio::test]
async fn a_course_waits_for_the_video_of_its_first_lesson() {
    let mut school = School::open().await;
    school.course = school.app.course(&school.ada, "Looms", 0).await;
    let lesson = school.processing("Warp").await;
    let publish = json!({ "courseId": school.course.id });
    let early = school.app.payload(&school.ada, "publishCourse", "course { status }", publish.clone()).await;
    assert_eq!(early["userErrors"][0]["code"], "NOT_ALLOWED", "no lesson is to be published");
    school.change("publishLesson", &lesson, json!({})).await;
    let waits = school.app.payload(&school.ada, "publishCourse", "course { status }", publish).await;
    assert_eq!(waits["course"]["status"], "SCHEDULED", "{waits:#}");
    school.app.run("catalog.publish_missed").await;
    school.processed(&lesson, "READY").await;
    let query = "query ($id: ID!) { course(id: $id) { status lessonCount } }";
    let course = school.app.data(None, query, json!({ "id": school.course.id })).await;
    assert_eq!(course["course"], json!({ "status": "PUBLISHED", "lessonCount": 1 }));
}
