//! Courses, sections and lessons through the API.

mod arrange;
mod browse;
mod categories;
mod content;
mod counts;
mod drafts;
mod facts;
mod own;
mod paging;
mod permissions;
mod publication;
mod search;
mod slugs;
mod texts;
mod versions;

use lyceum::platform::auth::Role;
use serde_json::json;

use crate::support::TestApp;

const CATALOG: &str =
    "query ($first: Int) { courses(first: $first) { totalCount nodes { title lessonCount instructor { name } } } }";

const PAGE: &str = "query ($slug: String!) { course(slug: $slug) { title lessonCount instructor { name }
    sections { nodes { title lessonCount lessons { nodes { title durationSeconds status } } } } } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_course_grows_from_a_draft_to_a_page_in_the_catalog() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Analytical Engines", 2).await;
    let draft = app.lesson(&ada, &course, "Still a draft").await;
    assert_eq!(course.slug, "analytical-engines");
    let catalog = app.data(None, CATALOG, json!({})).await;
    let expected = json!([{ "title": "Analytical Engines", "lessonCount": 2, "instructor": { "name": "Ada" } }]);
    assert_eq!(catalog["courses"], json!({ "totalCount": 1, "nodes": expected }));
    let page = app.data(None, PAGE, json!({ "slug": course.slug })).await;
    let lessons = &page["course"]["sections"]["nodes"][0]["lessons"]["nodes"];
    assert_eq!(lessons.as_array().unwrap().len(), 2, "a stranger sees no draft: {page:#}");
    let own = app.data(Some(&ada.token), PAGE, json!({ "slug": course.slug })).await;
    assert_eq!(own["course"]["sections"]["nodes"][0]["lessons"]["nodes"][2]["status"], "DRAFT", "{draft}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_rows_need_as_many_statements_as_one() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    for number in 0..20 {
        app.course(&ada, &format!("Course {number}"), 3).await;
    }
    let catalog = "query ($first: Int) { courses(first: $first) { nodes { title instructor { name } sections(first: 2) { nodes { title lessonCount lessons(first: 4) { nodes { title section { title } } } } } } } }";
    let one = app.statements(None, catalog, json!({ "first": 1 })).await;
    let twenty = app.statements(None, catalog, json!({ "first": 20 })).await;
    // courses, instructors, sections, lessons, sections of lessons
    assert_eq!((one, twenty), (5, 5));
}
