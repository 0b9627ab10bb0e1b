//! Which videos lessons and courses show, and who sees what of them.

use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use super::{Studio, mp4};
use crate::support::User;

const SET: &str = "mutation ($input: SetLessonVideoInput!) { setLessonVideo(input: $input) {
    lesson { durationSeconds video { videoId } } userErrors { code field } } }";
const DEMO: &str = "mutation ($input: SetCourseDemoVideoInput!) { setCourseDemoVideo(input: $input) {
    course { demoVideo { videoId playback { url } } } userErrors { code field } } }";

fn at(seconds: i32) -> Value {
    json!({ "startSeconds": seconds, "title": format!("At {seconds}") })
}

impl Studio {
    /// Ada edits a lesson as it is now.
    async fn edit(&self, lesson: &str, mut changes: Value) -> Value {
        let version = "query ($id: ID!) { node(id: $id) { ... on Lesson { version } } }";
        let found = self.app.data(Some(&self.ada.token), version, json!({ "id": lesson })).await;
        changes["lessonId"] = json!(lesson);
        changes["version"] = found["node"]["version"].clone();
        let update =
            "mutation ($input: UpdateLessonInput!) { updateLesson(input: $input) { userErrors { code field } } }";
        self.app.data(Some(&self.ada.token), update, json!({ "input": changes })).await["updateLesson"].take()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lesson_takes_the_length_of_its_video_before_and_after_it_is_known() {
    let studio = Studio::open("length").await;
    let id = studio.arrive(&studio.ada, mp4()).await;
    let lesson = studio.lesson(id, "Ownership").await;
    let query = "query ($id: ID!) { node(id: $id) { ... on Lesson { durationSeconds course { durationSeconds } } } }";
    let lengths = async || studio.app.data(None, query, json!({ "id": lesson })).await["node"].take();
    assert_eq!(lengths().await, json!({ "durationSeconds": 300, "course": { "durationSeconds": 300 } }));
    studio.edit(&lesson, json!({ "content": { "chapters": [at(3), at(290)] } })).await;
    // Its end is an event, to which the catalog reacts.
    studio.app.settle().await;
    studio.app.settle().await;
    let expected = json!({ "durationSeconds": 14, "course": { "durationSeconds": 14 } });
    assert_eq!(lengths().await, expected);
    let kept = "query ($id: ID!) { node(id: $id) { ... on Lesson { content { chapters { startSeconds title } } } } }";
    let kept = async || studio.app.data(Some(&studio.ada.token), kept, json!({ "id": lesson })).await;
    assert_eq!(kept().await["node"]["content"]["chapters"], json!([at(3)]), "the other is after the end");
    let told = studio.edit(&lesson, json!({ "durationSeconds": 99 })).await;
    assert_eq!(
        told["userErrors"],
        json!([{ "code": "NOT_ALLOWED", "field": ["durationSeconds"] }]),
        "the video says it"
    );
    studio.show(&lesson, None).await;
    let changes = json!({ "durationSeconds": 99, "content": { "chapters": [at(50)] } });
    assert_eq!(studio.edit(&lesson, changes).await["userErrors"], json!([]));
    let input = json!({ "lessonId": lesson, "videoId": id.encode() });
    let input = studio.app.current(&studio.ada, input).await;
    let refused = studio.app.data(Some(&studio.ada.token), SET, json!({ "input": input })).await;
    let expected_error = json!([{ "code": "OUT_OF_RANGE", "field": ["videoId"] }]);
    assert_eq!(refused["setLessonVideo"]["userErrors"], expected_error, "a chapter is after its end");
    studio.edit(&lesson, json!({ "content": { "chapters": [] } })).await;
    studio.show(&lesson, Some(id)).await;
    studio.app.publish(&studio.ada, &lesson).await;
    assert_eq!(lengths().await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_ones_own_video_is_shown_in_ones_own_course() {
    let studio = Studio::with("own", None, &[]).await;
    let app = &studio.app;
    let (eve, root) = (app.user("Eve", Role::Instructor).await, app.user("Root", Role::Admin).await);
    let student = app.user("Sam", Role::Student).await;
    let (adas, eves) = (studio.arrive(&studio.ada, mp4()).await, studio.arrive(&eve, mp4()).await);
    let lesson = studio.lesson(adas, "Ownership").await;
    let course = app.sql("SELECT id FROM courses").await;
    let course = lyceum::catalog::CourseId::new(course.parse().unwrap()).encode();
    for (who, user, video, expected) in [
        ("Ada, hers", &studio.ada, adas, ""),
        ("Ada, Eve's", &studio.ada, eves, "NOT_FOUND"),
        ("Ada, none such", &studio.ada, lyceum::media::VideoId::new(uuid::Uuid::nil()), "NOT_FOUND"),
        ("Eve, hers", &eve, eves, "FORBIDDEN"),
        ("Sam", &student, adas, "FORBIDDEN"),
        ("Root, Ada's", &root, adas, ""),
        ("Root, Eve's", &root, eves, ""),
    ] {
        for (query, field, input) in [
            (SET, "setLessonVideo", json!({ "lessonId": lesson, "videoId": video.encode() })),
            (DEMO, "setCourseDemoVideo", json!({ "courseId": course, "videoId": video.encode() })),
        ] {
            let input = app.current(&studio.ada, input).await;
            let answer = app.send(Some(&user.token), query, json!({ "input": input })).await;
            let code = answer["errors"][0]["extensions"]["code"].as_str();
            let code = code.or(answer["data"][field]["userErrors"][0]["code"].as_str()).unwrap_or_default();
            assert_eq!(code, expected, "{who}, {field}: {answer:#}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn videos_are_listed_for_their_owner_and_nobody_else() {
    let studio = Studio::with("list", None, &[]).await;
    let app = &studio.app;
    let (eve, root) = (app.user("Eve", Role::Instructor).await, app.user("Root", Role::Admin).await);
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(studio.arrive(&studio.ada, vec![1]).await.encode());
        app.app.clock.advance(chrono::TimeDelta::seconds(1));
    }
    ids.reverse();
    studio.arrive(&eve, vec![1]).await;
    let query = "query ($after: String) { viewer { videos(first: 2, after: $after) { nodes { id } totalCount pageInfo { endCursor hasNextPage } } } }";
    let first = app.data(Some(&studio.ada.token), query, json!({})).await["viewer"]["videos"].take();
    assert_eq!(first["nodes"], json!([{ "id": ids[0] }, { "id": ids[1] }]));
    assert_eq!(first["totalCount"], 3);
    let after = json!({ "after": first["pageInfo"]["endCursor"] });
    let second = app.data(Some(&studio.ada.token), query, after).await["viewer"]["videos"].take();
    assert_eq!((&second["nodes"], &second["pageInfo"]["hasNextPage"]), (&json!([{ "id": ids[2] }]), &json!(false)));
    let one = "query ($id: ID!) { video(id: $id) { filename } node(id: $id) { ... on Video { filename } } }";
    let file = json!({ "filename": "ownership.mp4" });
    for (user, expected) in [(&studio.ada, &file), (&eve, &Value::Null), (&root, &file)] {
        let data = app.data(Some(&user.token), one, json!({ "id": ids[0] })).await;
        assert_eq!((&data["video"], &data["node"]), (expected, expected));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lessons_videos_cost_one_statement_however_many() {
    let studio = Studio::with("counts", None, &[]).await;
    let (app, ada) = (&studio.app, &studio.ada);
    let course = app.course(ada, "Engines", 12).await;
    for number in 1..=12 {
        let id = studio.arrive(ada, vec![1]).await;
        app.sql(&format!("UPDATE lessons SET video_id = '{}' WHERE position = {number}", id.uuid())).await;
    }
    app.forget_rows();
    let query =
        "query ($slug: String!, $n: Int!) { course(slug: $slug) { sections { nodes { lessons(first: $n) { nodes {
        title video { videoId status durationSeconds } } } } } } }";
    let count = async |n: i32| app.statements(None, query, json!({ "slug": course.slug, "n": n })).await;
    assert_eq!(count(1).await, count(12).await);
    let data = app.data(None, query, json!({ "slug": course.slug, "n": 12 })).await;
    let lessons = data["course"]["sections"]["nodes"][0]["lessons"]["nodes"].as_array().unwrap();
    assert!(lessons.iter().all(|lesson| lesson["video"]["status"] == "UPLOADED"), "{lessons:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demo_is_watched_by_everybody_once_the_course_is_published() {
    let studio = Studio::with("demo", None, &[]).await;
    let (app, ada) = (&studio.app, &studio.ada);
    let sam: User = app.user("Sam", Role::Student).await;
    let course = app.course(ada, "Engines", 0).await;
    let id = studio.arrive(ada, mp4()).await;
    let input = json!({ "courseId": course.id, "version": 1, "videoId": id.encode() });
    let set = app.data(Some(&ada.token), DEMO, json!({ "input": input })).await;
    assert!(set["setCourseDemoVideo"]["course"]["demoVideo"]["playback"]["url"].is_string(), "{set:#}");
    let query = "query ($slug: String!) { course(slug: $slug) { demoVideo { playback { url } } } }";
    let seen =
        async |token: Option<&str>| app.data(token, query, json!({ "slug": course.slug })).await["course"].take();
    assert_eq!(seen(Some(&sam.token)).await, Value::Null, "a draft does not exist for others");
    let lesson = app.lesson(ada, &course, "One").await;
    app.publish(ada, &lesson).await;
    app.mutate(ada, "publishCourse", "course { id }", json!({ "courseId": course.id })).await;
    for token in [None, Some(&*sam.token)] {
        let url = seen(token).await["demoVideo"]["playback"]["url"].as_str().unwrap().to_owned();
        assert_eq!(app.client.get(&url).send().await.unwrap().bytes().await.unwrap(), mp4());
    }
}
