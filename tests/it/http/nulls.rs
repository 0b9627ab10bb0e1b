//! Nulls and the order of fields, as the specification has them (section 6.4).

use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::TestApp;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_that_the_viewer_may_not_see_is_null_with_an_error_and_its_key_is_there() {
    let app = TestApp::start().await;
    let (ada, eve) = (app.user("Ada", Role::Instructor).await, app.user("Eve", Role::Student).await);
    let query = "query ($id: ID!) { node(id: $id) { ... on User { name email role } } }";
    let own = app.data(Some(&ada.token), query, json!({ "id": ada.id })).await;
    assert_eq!(own["node"], json!({ "name": "Ada", "email": "ada@people.example", "role": "INSTRUCTOR" }));
    for token in [None, Some(&*eve.token)] {
        let body = app.send(token, query, json!({ "id": ada.id })).await;
        assert_eq!(body["data"]["node"], json!({ "name": "Ada", "email": null, "role": "INSTRUCTOR" }), "{body:#}");
        assert_eq!(body["errors"].as_array().unwrap().len(), 1, "{body:#}");
        let error = &body["errors"][0];
        assert_eq!((&error["extensions"]["code"], &error["path"]), (&json!("FORBIDDEN"), &json!(["node", "email"])));
        assert!(error["message"].as_str().unwrap().contains("owner"), "{error:#}");
        assert!(!body.to_string().contains("ada@people.example"), "{body:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_list_each_item_keeps_what_can_be_shown() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("Ada", Role::Instructor).await, app.user("Bob", Role::Instructor).await);
    app.course(&ada, "First", 1).await;
    app.course(&bob, "Second", 1).await;
    let query = "{ courses(last: 2) { nodes { title instructor { name mail: email } } } }";
    let body = app.send(Some(&ada.token), query, json!({})).await;
    let expected = json!([
        { "title": "Second", "instructor": { "name": "Bob", "mail": null } },
        { "title": "First", "instructor": { "name": "Ada", "mail": "ada@people.example" } },
    ]);
    assert_eq!(body["data"]["courses"]["nodes"], expected, "{body:#}");
    assert_eq!(body["errors"].as_array().unwrap().len(), 1, "{body:#}");
    assert_eq!(body["errors"][0]["path"], json!(["courses", "nodes", 0, "instructor", "mail"]), "{body:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_field_that_cannot_be_null_takes_its_nearest_nullable_ancestor_along() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Engines", 1).await;
    let failing = "sections(first: 0) { totalCount }";
    let cases: [(String, Value, Value); 6] = [
        (
            format!("{{ course(slug: \"engines\") {{ {failing} }} }}"),
            json!({ "course": null }),
            json!(["course", "sections"]),
        ),
        (
            format!("{{ viewer {{ user {{ id }} }} course(slug: \"engines\") {{ title {failing} }} }}"),
            json!({ "viewer": null, "course": null }),
            json!(["course", "sections"]),
        ),
        (
            format!("{{ a: course(slug: \"engines\") {{ title }} b: course(slug: \"engines\") {{ {failing} }} }}"),
            json!({ "a": { "title": "Engines" }, "b": null }),
            json!(["b", "sections"]),
        ),
        (
            format!(
                "{{ nodes(ids: [\"{}\", \"{}\"]) {{ ... on Course {{ {failing} }} ... on Section {{ title }} }} }}",
                course.id, course.section
            ),
            json!({ "nodes": [null, { "title": "Basics" }] }),
            json!(["nodes", 0, "sections"]),
        ),
        (
            format!("{{ __typename courses {{ nodes {{ title {failing} }} }} }}"),
            Value::Null,
            json!(["courses", "nodes", 0, "sections"]),
        ),
        ("{ __typename courses(first: 0) { nodes { title } } }".to_owned(), Value::Null, json!(["courses"])),
    ];
    for (query, data, path) in cases {
        let body = app.send(None, &query, json!({})).await;
        assert!(body.get("data").is_some(), "{query}: it was executed, so there is data: {body:#}");
        assert_eq!((&body["data"], &body["errors"][0]["path"]), (&data, &path), "{query}\n{body:#}");
        assert_eq!(body["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{query}\n{body:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fields_come_in_the_order_of_the_query_whoever_finishes_first() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    app.course(&ada, "Engines", 1).await;
    // The first needs three statements one after the other, the others one or none.
    let query = "{ z: courses(first: 2) { nodes { sections(first: 2) { nodes { lessons(first: 2) { nodes { id } } } } slow: instructor { name } quick: title } }
        y: __typename ...F a: viewer { user { id } } } fragment F on Query { x: course(slug: \"engines\") { title } w: __typename }";
    for _ in 0..5 {
        let answer = app.ask(query, json!({})).await;
        let places: Vec<usize> =
            ["{\"z\":", "\"sections\":", "\"slow\":", "\"quick\":", "\"y\":", "\"x\":", "\"w\":", "\"a\":"]
                .iter()
                .map(|key| answer.text.find(key).unwrap_or_else(|| panic!("{key}: {}", answer.text)))
                .collect();
        assert!(places.is_sorted(), "{}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_whose_fields_have_all_failed_is_still_an_object() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("Ada", Role::Instructor).await, app.user("Bob", Role::Student).await);
    let wrong = "node(id: \"nonsense\") { id }";
    let email = "... on User { email }";
    let cases: [(String, Value); 5] = [
        (format!("{{ {wrong} }}"), json!({ "node": null })),
        (format!("{{ a: {wrong} b: {wrong} }}"), json!({ "a": null, "b": null })),
        (format!("{{ node(id: \"{}\") {{ {email} }} }}", ada.id), json!({ "node": { "email": null } })),
        (
            format!("{{ nodes(ids: [\"{}\", \"{}\"]) {{ {email} }} }}", ada.id, bob.id),
            json!({ "nodes": [{ "email": null }, { "email": "bob@people.example" }] }),
        ),
        (
            "mutation { createCourse(input: { title: \"x\" }) { course { id } } }".to_owned(),
            json!({ "createCourse": null }),
        ),
    ];
    for (query, data) in cases {
        let body = app.send(Some(&bob.token), &query, json!({})).await;
        assert_eq!(body["data"], data, "{query}\n{body:#}");
        assert!(!body["errors"].as_array().unwrap().is_empty(), "{query}\n{body:#}");
    }
}
