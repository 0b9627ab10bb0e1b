//! Courses, sections and lessons through the API.

mod administration;
mod arrange;
mod browse;
mod categories;
mod content;
mod counts;
mod drafts;
mod facets;
mod facts;
mod kinds;
mod own;
mod paging;
mod permissions;
mod publication;
mod search;
mod slugs;
mod suggestions;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lessons_are_listed_without_sections_and_know_their_neighbors() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Engines", 2).await;
    let section = json!({ "courseId": course.id, "title": "More" });
    let section = app.mutate(&ada, "createSection", "section { id }", section).await;
    let section = section["section"]["id"].as_str().unwrap().to_owned();
    let more = crate::support::app::Course { section, ..course };
    let last = app.lesson(&ada, &more, "Lesson 3").await;
    let flat = "query ($id: ID) { course(id: $id) { lessons(first: 500) { totalCount nodes { title
        previousLesson { title } nextLesson { title } } } } }";
    let titles = async |token: Option<&str>| {
        let data = app.data(token, flat, json!({ "id": more.id })).await;
        let title = |lesson: &serde_json::Value| lesson["title"].as_str().unwrap_or("-").replace("Lesson ", "");
        let nodes = data["course"]["lessons"]["nodes"].as_array().unwrap().clone();
        let each = nodes
            .iter()
            .map(|node| format!("{}<{}>{}", title(&node["previousLesson"]), title(node), title(&node["nextLesson"])));
        each.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(titles(None).await, "-<1>2 1<2>-", "the third is a draft");
    assert_eq!(titles(Some(&ada.token)).await, "-<1>2 1<2>3 2<3>-");
    let lesson = "query ($id: ID!) { lesson(id: $id) { title } }";
    assert_eq!(app.data(Some(&ada.token), lesson, json!({ "id": last })).await["lesson"]["title"], "Lesson 3");
    assert_eq!(app.data(None, lesson, json!({ "id": last })).await["lesson"], json!(null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn administrators_list_courses_of_every_status_and_nobody_else_does() {
    let app = TestApp::start().await;
    let (ada, root) = (app.user("Ada", Role::Instructor).await, app.user("Root", Role::Admin).await);
    app.course(&ada, "Published", 1).await;
    app.course(&ada, "Draft", 0).await;
    let list = "query ($filter: CourseFilter, $sort: CourseSort) { courses(filter: $filter, sort: $sort) {
        totalCount nodes { title status } } }";
    let found = async |statuses: &[&str]| {
        let data = app.data(Some(&root.token), list, json!({ "filter": { "statuses": statuses } })).await;
        let nodes = data["courses"]["nodes"].as_array().unwrap().clone();
        assert_eq!(data["courses"]["totalCount"], nodes.len(), "{data:#}");
        nodes.iter().map(|node| node["title"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(found(&[]).await, "Published", "no status restricts nothing: published ones, as for everybody");
    assert_eq!(found(&["DRAFT"]).await, "Draft");
    app.course(&ada, "Later", 0).await;
    assert_eq!(found(&["DRAFT"]).await, "Later Draft", "a new draft is there at once");
    assert_eq!(found(&["DRAFT", "PUBLISHED", "ARCHIVED", "SCHEDULED"]).await, "Later Draft Published");
    let sort = json!({ "field": "PUBLISHED_AT", "direction": "ASC" });
    for (who, token, sort, code) in [
        ("nobody", None, json!(null), "FORBIDDEN"),
        ("an instructor", Some(&ada.token), json!(null), "FORBIDDEN"),
        ("an administrator by a time that drafts lack", Some(&root.token), sort, "BAD_USER_INPUT"),
    ] {
        let variables = json!({ "filter": { "statuses": ["DRAFT"] }, "sort": sort });
        let body = app.send(token.map(String::as_str), list, variables).await;
        assert_eq!(body["errors"][0]["extensions"]["code"], code, "{who}: {body:#}");
    }
}
