//! An instructor's own courses: all of theirs and nothing of anybody else's.

use chrono::TimeDelta;
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::{TestApp, User};

const OWN: &str = "query ($first: Int, $last: Int, $after: String, $before: String) {
    viewer { courses(first: $first, last: $last, after: $after, before: $before) {
        totalCount nodes { title status instructor { id } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }";

async fn page(app: &TestApp, user: &User, arguments: Value) -> Value {
    app.data(Some(&user.token), OWN, arguments).await["viewer"]["courses"].take()
}

fn titles(page: &Value) -> Vec<String> {
    page["nodes"].as_array().unwrap().iter().map(|course| course["title"].as_str().unwrap().to_owned()).collect()
}

/// The titles of all pages of `size`.
async fn all(app: &TestApp, user: &User, size: usize, backward: bool) -> Vec<String> {
    let (count, cursor, more, end) = match backward {
        true => ("last", "before", "hasPreviousPage", "startCursor"),
        false => ("first", "after", "hasNextPage", "endCursor"),
    };
    let (mut seen, mut place) = (Vec::new(), Value::Null);
    loop {
        let page = page(app, user, json!({ count: size, cursor: place })).await;
        assert!(seen.len() <= 100, "{page:#}");
        match backward {
            true => drop(seen.splice(0..0, titles(&page))),
            false => seen.extend(titles(&page)),
        }
        if page["pageInfo"][more] == false {
            return seen;
        }
        place = page["pageInfo"][end].clone();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instructor_sees_their_own_drafts_and_nobody_elses() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("Ada", Role::Instructor).await, app.user("Bob", Role::Instructor).await);
    let root = app.user("Root", Role::Admin).await;
    let stu = app.user("Stu", Role::Student).await;
    let draft = app.course(&ada, "Draft", 0).await;
    app.course(&bob, "Bob's draft", 0).await;
    app.course(&ada, "Published", 1).await;
    let own = page(&app, &ada, json!({})).await;
    let statuses: Vec<(&Value, &Value, &Value)> = own["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|course| (&course["title"], &course["status"], &course["instructor"]["id"]))
        .collect();
    let id = json!(ada.id);
    let expected = [(&json!("Published"), &json!("PUBLISHED"), &id), (&json!("Draft"), &json!("DRAFT"), &id)];
    assert_eq!(statuses, expected);
    assert_eq!(own["totalCount"], 2);
    assert_eq!(titles(&page(&app, &bob, json!({})).await), ["Bob's draft"]);
    assert_eq!(page(&app, &root, json!({})).await["totalCount"], 0, "an administrator's own, not everybody's");
    let body = app.send(Some(&stu.token), OWN, json!({})).await;
    assert_eq!(body["errors"][0]["extensions"]["code"], "FORBIDDEN", "a student: {body:#}");
    assert_eq!(app.data(None, OWN, json!({})).await, json!({ "viewer": null }));
    let node = "query ($id: ID!) { node(id: $id) { id } }";
    for (user, expected) in [(&ada, json!({ "id": draft.id })), (&bob, Value::Null), (&root, json!({ "id": draft.id }))]
    {
        assert_eq!(app.data(Some(&user.token), node, json!({ "id": draft.id })).await["node"], expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn own_courses_are_paged_by_creation_in_as_many_statements_for_many_as_for_one() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("Ada", Role::Instructor).await, app.user("Bob", Role::Instructor).await);
    for number in 0..23 {
        app.course(&ada, &format!("Course {number:02}"), 0).await;
        app.course(&bob, "Another", 0).await;
        // Several of each instant.
        if number % 4 == 3 {
            app.app.clock.advance(TimeDelta::seconds(1));
        }
    }
    let expected: Vec<String> = (0..23).rev().map(|number| format!("Course {number:02}")).collect();
    for size in [1, 5, 23, 100] {
        assert_eq!(all(&app, &ada, size, false).await, expected, "forward by {size}");
        assert_eq!(all(&app, &ada, size, true).await, expected, "backward by {size}");
    }
    let first = page(&app, &ada, json!({ "first": 3 })).await;
    app.course(&ada, "New", 0).await;
    let second = page(&app, &ada, json!({ "first": 3, "after": first["pageInfo"]["endCursor"] })).await;
    assert_eq!((titles(&second), &second["totalCount"]), (expected[3..6].to_vec(), &json!(24)));
    for size in [1, 20] {
        for (fields, expected) in [("nodes { title }", 1), ("totalCount nodes { title instructor { name } }", 3)] {
            let query = format!("query ($first: Int!) {{ viewer {{ courses(first: $first) {{ {fields} }} }} }}");
            let statements = app.statements(Some(&ada.token), &query, json!({ "first": size })).await;
            assert_eq!(statements, expected, "{size}: {fields}");
        }
    }
    let catalog = app.data(None, "{ courses(first: 1) { pageInfo { endCursor } } }", json!({})).await;
    assert_eq!(catalog["courses"]["pageInfo"]["endCursor"], Value::Null, "all of it drafts");
    let forged = lyceum::graphql::page::encode_cursor("viewer.courses", &(i64::MIN, uuid::Uuid::nil()));
    let body = app.send(Some(&ada.token), OWN, json!({ "first": 1, "after": forged })).await;
    assert_eq!(body["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{body:#}");
}
