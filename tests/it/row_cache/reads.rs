//! Reads through the API after each kind of change.

use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use super::everything;
use crate::support::{TestApp, User};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_read_a_moment_ago_needs_no_statement() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    for number in 0..3 {
        app.course(&ada, &format!("Course {number}"), 2).await;
    }
    let catalog = "{ courses(first: 20) { totalCount nodes { title instructor { name } } } }";
    let page = "{ course(slug: \"course-1\") { title description instructor { name }
        sections { nodes { title lessons { nodes { title } } } } } }";
    let missing = "{ course(slug: \"nowhere\") { title } viewer { user { name } } }";
    for query in [catalog, page, missing] {
        assert!(app.statements(Some(&ada.token), query, json!({})).await > 0, "a cold read asks: {query}");
        let mut fewest = u64::MAX;
        // A machine that stands still for a second between two reads gets another chance.
        for _ in 0..100 {
            let before = app.app.db.statements();
            app.data(Some(&ada.token), query, json!({})).await;
            fewest = fewest.min(app.app.db.statements() - before);
            if fewest == 0 {
                break;
            }
        }
        assert_eq!(fewest, 0, "{query}");
    }
}

/// What is kept shows, before and after a change, what the database has; and the change can be seen.
async fn changes(
    app: &TestApp,
    user: &User,
    slugs: &[&str],
    ids: &mut Vec<String>,
    field: &str,
    input: Value,
) -> Value {
    // Twice: from the database, and from what is kept.
    everything(app, &user.token, slugs, ids).await;
    let before = everything(app, &user.token, slugs, ids).await;
    let thing = ["Course", "Section", "Lesson", "User"].into_iter().find(|thing| field.contains(thing)).unwrap();
    let thing = thing.to_lowercase();
    let input = if field.starts_with("update") { app.current(user, input).await } else { input };
    let made = app.mutate(user, field, &format!("{thing} {{ id }}"), input).await[&thing].take();
    let kept = everything(app, &user.token, slugs, ids).await;
    app.forget_rows();
    let stored = everything(app, &user.token, slugs, ids).await;
    assert_eq!(kept, stored, "after {field}");
    assert_ne!(kept, before, "{field} shows");
    let id = made["id"].as_str().unwrap().to_owned();
    if !ids.contains(&id) {
        ids.push(id);
    }
    made
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_is_read_at_once() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    let bob = app.user("Bob", Role::Student).await;
    let (slugs, mut ids) = (["rust", "ferris"], vec![bob.id.clone()]);
    let mut change = async |field: &str, input: Value| {
        // The clock stands still otherwise, and with it updatedAt.
        app.app.clock.advance(chrono::TimeDelta::seconds(1));
        changes(&app, &root, &slugs, &mut ids, field, input).await["id"].as_str().unwrap().to_owned()
    };
    let course = change("createCourse", json!({ "title": "Rust", "slug": "rust" })).await;
    change("updateCourse", json!({ "courseId": course, "description": "Long", "title": "Rust!" })).await;
    change("updateCourse", json!({ "courseId": course, "slug": "ferris" })).await;
    change("updateCourse", json!({ "courseId": course, "slug": "rust" })).await;
    let section = change("createSection", json!({ "courseId": course, "title": "One" })).await;
    change("updateSection", json!({ "sectionId": section, "title": "First" })).await;
    let lesson = json!({ "sectionId": section, "title": "Ownership", "kind": "ARTICLE", "durationSeconds": 60 });
    let (first, second) = (change("createLesson", lesson.clone()).await, change("createLesson", lesson).await);
    change("updateLesson", json!({ "lessonId": first, "title": "Borrowing", "durationSeconds": 70 })).await;
    change("publishLesson", json!({ "lessonId": first })).await;
    change("publishCourse", json!({ "courseId": course })).await;
    change("publishLesson", json!({ "lessonId": second })).await;
    change("updateLesson", json!({ "lessonId": second, "durationSeconds": 80 })).await;
    change("changeUserRole", json!({ "userId": bob.id, "role": "INSTRUCTOR" })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answer_of_a_mutation_shows_what_the_mutations_before_it_did() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Rust", 1).await;
    let query = "mutation ($section: ID!) {
        one: createLesson(input: { sectionId: $section, title: \"One\", durationSeconds: 1 }) { ...lessons }
        two: createLesson(input: { sectionId: $section, title: \"Two\", durationSeconds: 1 }) { ...lessons }
        three: updateSection(input: { sectionId: $section, version: 1, title: \"New\" }) { section { title lessonCount
            course { sections { nodes { title } } } } }
    } fragment lessons on CreateLessonPayload { lesson { section { lessonCount title lessons { nodes { title } } } } }";
    let data = app.data(Some(&ada.token), query, json!({ "section": course.section })).await;
    let titles = |lesson: &Value| -> Vec<String> {
        let nodes = lesson["lesson"]["section"]["lessons"]["nodes"].as_array().unwrap();
        nodes.iter().map(|node| node["title"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(titles(&data["one"]), ["Lesson 1", "One"]);
    assert_eq!(titles(&data["two"]), ["Lesson 1", "One", "Two"]);
    assert_eq!(data["three"]["section"]["lessonCount"], 3);
    assert_eq!(data["three"]["section"]["course"]["sections"]["nodes"], json!([{ "title": "New" }]));
}
