//! Paging visits everything once, whatever happens meanwhile.

use std::collections::HashSet;

use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::{TestApp, User};

const COURSES: &str = "query ($first: Int, $last: Int, $after: String, $before: String) {
    list: courses(first: $first, last: $last, after: $after, before: $before) {
        totalCount edges { cursor node { title } } nodes { title }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
const OUTLINE: &str = "query ($id: ID!, $first: Int, $last: Int, $after: String, $before: String) {
    node(id: $id) {
        ... on Course { list: sections(first: $first, last: $last, after: $after, before: $before) {
            totalCount edges { cursor node { title } } nodes { title }
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }
        ... on Section { list: lessons(first: $first, last: $last, after: $after, before: $before) {
            totalCount edges { cursor node { title } } nodes { title }
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } } }";

/// A list to go through: the catalog, or what is below a node.
struct List<'a> {
    app: &'a TestApp,
    token: Option<&'a str>,
    node: Option<&'a str>,
}

impl List<'_> {
    async fn page(&self, mut arguments: Value) -> Value {
        let query = if self.node.is_some() { OUTLINE } else { COURSES };
        if let Some(node) = self.node {
            arguments["id"] = json!(node);
        }
        let mut data = self.app.data(self.token, query, arguments).await;
        let list = if self.node.is_some() { data["node"]["list"].take() } else { data["list"].take() };
        check(&list);
        list
    }

    /// The titles of all pages of `size`, from the front or from the back, in the order of the list.
    async fn all(&self, size: usize, backward: bool) -> Vec<String> {
        let (count, cursor, more, end) = if backward {
            ("last", "before", "hasPreviousPage", "startCursor")
        } else {
            ("first", "after", "hasNextPage", "endCursor")
        };
        let (mut seen, mut place) = (Vec::new(), Value::Null);
        loop {
            let page = self.page(json!({ count: size, cursor: place })).await;
            let titles = titles(&page);
            assert!(titles.len() <= size, "{page:#}");
            assert!(!titles.is_empty(), "a page that was announced has something: {page:#}");
            let go_on = page["pageInfo"][more].as_bool().unwrap();
            assert!(!go_on || titles.len() == size, "only the last page is short: {page:#}");
            if backward {
                seen.splice(0..0, titles);
            } else {
                seen.extend(titles);
            }
            assert!(seen.len() < 1000, "it never ends");
            if !go_on {
                return seen;
            }
            place = page["pageInfo"][end].clone();
        }
    }
}

/// What holds for every page: edges and nodes agree, and the page's cursors are its first and last edge's.
fn check(page: &Value) {
    let edges = page["edges"].as_array().unwrap();
    let nodes: Vec<Value> = edges.iter().map(|edge| edge["node"].clone()).collect();
    assert_eq!(page["nodes"], json!(nodes), "{page:#}");
    let cursor = |edge: Option<&Value>| edge.map_or(Value::Null, |edge| edge["cursor"].clone());
    assert_eq!(page["pageInfo"]["startCursor"], cursor(edges.first()), "{page:#}");
    assert_eq!(page["pageInfo"]["endCursor"], cursor(edges.last()), "{page:#}");
}

fn titles(page: &Value) -> Vec<String> {
    page["nodes"].as_array().unwrap().iter().map(|node| node["title"].as_str().unwrap().to_owned()).collect()
}

/// Published courses, newest last, all at the same instant: the clock stands still.
async fn publish(app: &TestApp, ada: &User, names: impl IntoIterator<Item = String>) {
    for name in names {
        app.course(ada, &name, 1).await;
    }
}

fn names(range: std::ops::Range<usize>) -> impl DoubleEndedIterator<Item = String> {
    range.map(|number| format!("Course {number:02}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_catalog_is_gone_through_once_in_either_direction_with_any_size() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    publish(&app, &ada, names(0..45)).await;
    app.course(&ada, "A draft", 0).await;
    let catalog = List { app: &app, token: None, node: None };
    let expected: Vec<String> = names(0..45).rev().collect();
    for size in [1, 7, 9, 44, 45, 46, 100] {
        assert_eq!(catalog.all(size, false).await, expected, "forward by {size}");
        assert_eq!(catalog.all(size, true).await, expected, "backward by {size}");
    }
    let page = catalog.page(json!({})).await;
    assert_eq!((titles(&page).len(), &page["totalCount"]), (20, &json!(45)), "20 if nothing is said");
    let info = |page: &Value| (page["pageInfo"]["hasPreviousPage"].clone(), page["pageInfo"]["hasNextPage"].clone());
    assert_eq!(info(&page), (json!(false), json!(true)));
    let end = page["pageInfo"]["endCursor"].clone();
    let second = catalog.page(json!({ "first": 5, "after": end })).await;
    assert_eq!((titles(&second), info(&second)), (expected[20..25].to_vec(), (json!(true), json!(true))));
    let start = second["pageInfo"]["startCursor"].clone();
    let back = catalog.page(json!({ "last": 5, "before": start })).await;
    assert_eq!((titles(&back), info(&back)), (expected[15..20].to_vec(), (json!(true), json!(true))));
    let between = catalog.page(json!({ "first": 100, "after": end, "before": second["edges"][3]["cursor"] })).await;
    assert_eq!(titles(&between), expected[20..23], "after and before together");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn courses_published_meanwhile_neither_hide_nor_repeat_the_others() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    // Drafts from before, so that some of what is published later sorts into the middle: equal instants sort by id.
    let mut late = Vec::new();
    for number in 0..5 {
        publish(&app, &ada, names(number * 5..number * 5 + 5)).await;
        let draft = app.course(&ada, &format!("Late {number}"), 0).await;
        let lesson = app.lesson(&ada, &draft, "First").await;
        app.publish(&ada, &lesson).await;
        late.push(draft);
    }
    let catalog = List { app: &app, token: None, node: None };
    let (mut seen, mut place) = (Vec::new(), Value::Null);
    for number in 0..100 {
        let page = catalog.page(json!({ "first": 4, "after": place })).await;
        seen.extend(titles(&page));
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        place = page["pageInfo"]["endCursor"].clone();
        app.course(&ada, &format!("New {number}"), 1).await;
        if let Some(course) = late.pop() {
            app.mutate(&ada, "publishCourse", "course { id }", json!({ "courseId": course.id })).await;
        }
    }
    let unique: HashSet<&String> = seen.iter().collect();
    assert_eq!(unique.len(), seen.len(), "nothing twice: {seen:?}");
    let old: Vec<&String> = seen.iter().filter(|title| title.starts_with("Course")).collect();
    let expected: Vec<String> = names(0..25).rev().collect();
    assert_eq!(old, expected.iter().collect::<Vec<_>>(), "nothing is missing: {seen:?}");
    assert!(!seen.iter().any(|title| title.starts_with("New")), "what is newer than the start is not below: {seen:?}");
    assert!(seen.iter().any(|title| title.starts_with("Late")), "some sorted into what was still to come: {seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_published_later_comes_first() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let old_draft = app.course(&ada, "Old draft", 0).await;
    let lesson = app.lesson(&ada, &old_draft, "First").await;
    app.publish(&ada, &lesson).await;
    publish(&app, &ada, names(0..3)).await;
    app.app.clock.advance(chrono::TimeDelta::microseconds(1));
    app.mutate(&ada, "publishCourse", "course { id }", json!({ "courseId": old_draft.id })).await;
    let catalog = List { app: &app, token: None, node: None };
    for size in [1, 2, 10] {
        let expected = ["Old draft", "Course 02", "Course 01", "Course 00"];
        assert_eq!(catalog.all(size, false).await, expected, "forward by {size}");
        assert_eq!(catalog.all(size, true).await, expected, "backward by {size}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_outline_of_a_course_is_paged_like_any_list() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Engines", 7).await;
    for number in 0..3 {
        app.lesson(&ada, &course, &format!("Draft {number}")).await;
    }
    for number in 2..=8 {
        let input = json!({ "courseId": course.id, "title": format!("Section {number}") });
        app.mutate(&ada, "createSection", "section { id }", input).await;
    }
    let sections: Vec<String> =
        std::iter::once("Basics".to_owned()).chain((2..=8).map(|number| format!("Section {number}"))).collect();
    let lessons: Vec<String> = (1..=7).map(|number| format!("Lesson {number}")).collect();
    let own: Vec<String> = lessons.iter().cloned().chain((0..3).map(|number| format!("Draft {number}"))).collect();
    let lists = [
        (List { app: &app, token: Some(&ada.token), node: Some(&course.id) }, sections),
        (List { app: &app, token: None, node: Some(&course.id) }, vec!["Basics".to_owned()]),
        (List { app: &app, token: None, node: Some(&course.section) }, lessons),
        (List { app: &app, token: Some(&ada.token), node: Some(&course.section) }, own),
    ];
    for (list, expected) in lists {
        for size in [1, 2, 3, expected.len(), 100] {
            assert_eq!(list.all(size, false).await, expected, "forward by {size}");
            assert_eq!(list.all(size, true).await, expected, "backward by {size}");
        }
        assert_eq!(list.page(json!({ "first": 1 })).await["totalCount"], expected.len());
    }
}
