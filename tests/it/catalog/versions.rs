//! Edits of a version: nobody overwrites what they have not read.

use futures_util::future::join_all;
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::{TestApp, cluster};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_of_an_old_version_changes_nothing_and_shows_what_is_there() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Engines", 1).await;
    let lesson = app.lesson(&ada, &course, "Draft").await;
    for (thing, id) in [("course", &course.id), ("section", &course.section), ("lesson", &lesson)] {
        let (field, key) = (format!("update{}{}", thing[..1].to_uppercase(), &thing[1..]), format!("{thing}Id"));
        let selection = format!("{thing} {{ id title version }}");
        let edit = async |version: i32, title: &str| {
            app.payload(&ada, &field, &selection, json!({ &key: id, "version": version, "title": title })).await
        };
        let first = edit(1, "Hers").await;
        assert_eq!(first[thing], json!({ "id": id, "title": "Hers", "version": 2 }), "{first:#}");
        for version in [1, 3, 0, -1, i32::MAX] {
            let refused = edit(version, "His").await;
            let error = &refused["userErrors"][0];
            assert_eq!((&error["code"], &error["field"]), (&json!("CONFLICT"), &json!(["version"])), "{refused:#}");
            assert!(error["message"].as_str().unwrap().contains("version is 2 now"), "{refused:#}");
            assert_eq!(refused[thing], json!({ "id": id, "title": "Hers", "version": 2 }), "as it is now");
        }
        assert_eq!(edit(2, "Both").await[thing], json!({ "id": id, "title": "Both", "version": 3 }));
        let wrong = edit(1, "").await;
        assert_eq!((&wrong["userErrors"][0]["code"], &wrong[thing]), (&json!("BLANK"), &Value::Null));
    }
    // What does not come from a form is no edit: a form that is open meanwhile stays good.
    app.publish(&ada, &lesson).await;
    app.mutate(&ada, "createSection", "section { id }", json!({ "courseId": course.id, "title": "More" })).await;
    let query = "query ($ids: [ID!]!) { nodes(ids: $ids) {
        ... on Course { version } ... on Section { version } ... on Lesson { version } } }";
    let found = app.data(None, query, json!({ "ids": [course.id, course.section, lesson] })).await;
    assert_eq!(found["nodes"], json!([{ "version": 3 }, { "version": 3 }, { "version": 3 }]));
}

/// The edits that are not a form's: each is refused for an old version, and makes a new one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn arranging_scheduling_and_showing_are_edits_too() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Engines", 0).await;
    let lesson = app.lesson(&ada, &course, "Draft").await;
    let order = json!([{ "sectionId": course.section, "lessonIds": [lesson] }]);
    let at = "2026-12-24T09:00:00Z";
    for (field, thing, rest, changes) in [
        ("reorderCourse", "course", json!({ "sections": order }), true),
        ("scheduleCourse", "course", json!({ "publishAt": at }), true),
        ("setCourseDemoVideo", "course", json!({ "videoId": null }), false),
        ("setCourseThumbnail", "course", json!({ "fileId": null }), false),
        ("scheduleLesson", "lesson", json!({ "publishAt": at }), true),
        ("setLessonUnlock", "lesson", json!({ "unlock": { "afterDays": 3 } }), true),
        ("setLessonVideo", "lesson", json!({ "videoId": null }), true),
    ] {
        let id = if thing == "course" { &course.id } else { &lesson };
        let mut input = rest.clone();
        input[format!("{thing}Id")] = json!(id);
        let now = app.current(&ada, input.clone()).await["version"].as_i64().unwrap();
        let edit = async |version: i64| {
            let mut input = input.clone();
            input["version"] = json!(version);
            app.payload(&ada, field, &format!("{thing} {{ version }}"), input).await
        };
        for old in [now - 1, now + 1] {
            let refused = edit(old).await;
            assert_eq!(refused["userErrors"][0]["code"], "CONFLICT", "{field}: {refused:#}");
            assert_eq!(refused[thing]["version"], now, "{field}");
        }
        let saved = edit(now).await;
        assert_eq!(
            (&saved["userErrors"], &saved[thing]["version"]),
            (&json!([]), &json!(now + i64::from(changes))),
            "{field}"
        );
    }
}

/// What commands ensure is guarded by the database as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_published_and_archived_or_scheduled_at_once() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    app.course(&ada, "Engines", 1).await;
    let database = cluster::connect(cluster::throwaway()).await;
    for (statement, constraint) in [
        ("UPDATE courses SET archived_at = now()", "courses_published_or_archived"),
        ("UPDATE courses SET publish_at = now()", "courses_published_or_scheduled"),
        (
            "UPDATE courses SET published_at = NULL, archived_at = now(), publish_at = now()",
            "courses_published_or_scheduled",
        ),
        ("UPDATE lessons SET publish_at = now()", "lessons_published_or_scheduled"),
    ] {
        let statement = format!("SET search_path = {}; {statement}", app.schema);
        let refused = database.simple_query(&statement).await.unwrap_err();
        let refused = format!("{refused:?}");
        assert!(refused.contains(constraint), "{statement}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_edits_of_one_version_exactly_one_is_saved() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Engines", 0).await;
    let lesson = app.lesson(&ada, &course, "Draft").await;
    for (thing, id) in [("course", &course.id), ("section", &course.section), ("lesson", &lesson)] {
        let (field, key) = (format!("update{}{}", thing[..1].to_uppercase(), &thing[1..]), format!("{thing}Id"));
        let selection = format!("{thing} {{ title version }}");
        let edits = (0..20).map(|number| {
            let input = json!({ &key: id, "version": 1, "title": format!("Edit {number}") });
            app.payload(&ada, &field, &selection, input)
        });
        let answers = join_all(edits).await;
        let saved: Vec<&Value> = answers.iter().filter(|answer| answer["userErrors"] == json!([])).collect();
        assert_eq!(saved.len(), 1, "{thing}: {answers:#?}");
        for answer in &answers {
            assert_eq!(answer[thing], saved[0][thing], "everybody is shown what was saved");
        }
        assert_eq!(saved[0][thing]["version"], 2);
    }
}
