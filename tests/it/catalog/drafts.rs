//! What is not published does not exist for others, on whatever way they come.

use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::TestApp;

const NODE: &str = "query ($id: ID!) { node(id: $id) { __typename id } }";
const NODES: &str = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }";
const NOBODY: &str = "_01h455vb4pex5vsknk084sn02q";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_course_is_found_by_its_owner_and_by_administrators_only() {
    let app = TestApp::start().await;
    let (ada, root) = (app.user("Ada", Role::Instructor).await, app.user("Root", Role::Admin).await);
    let (bob, stu) = (app.user("Bob", Role::Instructor).await, app.user("Stu", Role::Student).await);
    let course = app.course(&ada, "Engines", 0).await;
    let lesson = app.lesson(&ada, &course, "First").await;
    app.publish(&ada, &lesson).await;
    let by_slug = "query ($slug: String!) { course(slug: $slug) { id } }";
    let people = [None, Some(&stu), Some(&bob), Some(&ada), Some(&root)];
    for (user, sees) in people.into_iter().zip([false, false, false, true, true]) {
        let token = user.map(|user| user.token.as_str());
        let found = app.data(token, by_slug, json!({ "slug": course.slug })).await;
        assert_eq!(found["course"]["id"].is_string(), sees, "{user:?}: by slug");
        for id in [&course.id, &course.section, &lesson] {
            let found = app.data(token, NODE, json!({ "id": id })).await;
            assert_eq!(found["node"]["id"] == **id, sees, "{user:?}: {id}");
            assert_eq!(found["node"].is_null(), !sees, "{user:?}: {id}");
        }
        let list = app.data(token, "{ courses { totalCount nodes { id } } }", json!({})).await;
        assert_eq!(list["courses"], json!({ "totalCount": 0, "nodes": [] }), "{user:?}: the catalog is for all");
        let videos = "query ($id: ID) { newVideos(courseId: $id) { totalCount } }";
        let body = app.send(token, videos, json!({ "id": course.id })).await;
        let code = body["errors"][0]["extensions"]["code"].as_str().unwrap_or("");
        assert_eq!(code, if sees { "" } else { "NOT_FOUND" }, "{user:?}: {body:#}");
    }
    app.mutate(&ada, "publishCourse", "course { id }", json!({ "courseId": course.id })).await;
    for id in [&course.id, &course.section, &lesson] {
        assert_eq!(app.data(None, NODE, json!({ "id": id })).await["node"]["id"], **id, "published");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_lesson_of_a_published_course_is_neither_shown_nor_counted() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("Ada", Role::Instructor).await, app.user("Bob", Role::Instructor).await);
    let course = app.course(&ada, "Engines", 2).await;
    let draft = app.lesson(&ada, &course, "Draft").await;
    let page = "query ($slug: String!) { course(slug: $slug) { lessonCount durationSeconds
        sections { nodes { lessonCount lessons { totalCount nodes { title } } } } } }";
    for (token, lessons) in [(None, 2), (Some(&*bob.token), 2), (Some(&*ada.token), 3)] {
        let found = app.data(token, page, json!({ "slug": course.slug })).await;
        assert_eq!((&found["course"]["lessonCount"], &found["course"]["durationSeconds"]), (&json!(2), &json!(600)));
        let section = &found["course"]["sections"]["nodes"][0];
        assert_eq!(section["lessonCount"], lessons);
        assert_eq!(section["lessons"]["totalCount"], lessons);
        assert_eq!(section["lessons"]["nodes"].as_array().unwrap().len(), lessons);
        let node = app.data(token, NODE, json!({ "id": draft })).await;
        assert_eq!(node["node"].is_null(), lessons == 2, "{token:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_come_in_the_order_of_their_ids_with_null_for_what_is_not_found() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Engines", 1).await;
    let hidden = app.course(&ada, "Hidden", 0).await;
    let never: Vec<String> =
        ["user", "course", "section", "lesson"].iter().map(|prefix| format!("{prefix}{NOBODY}")).collect();
    let ids = json!([
        course.section,
        never[0],
        ada.id,
        hidden.id,
        course.id,
        never[1],
        course.id,
        never[2],
        hidden.section,
        never[3]
    ]);
    let found = app.data(None, NODES, json!({ "ids": ids })).await;
    let found: Vec<&Value> = found["nodes"].as_array().unwrap().iter().map(|node| &node["id"]).collect();
    let null = Value::Null;
    let (section, user, id) = (json!(course.section), json!(ada.id), json!(course.id));
    assert_eq!(found, [&section, &null, &user, &null, &id, &null, &id, &null, &null, &null]);
    let own = app.data(Some(&ada.token), NODES, json!({ "ids": [hidden.section, hidden.id] })).await;
    assert_eq!(own["nodes"], json!([{ "id": hidden.section }, { "id": hidden.id }]));
    assert_eq!(app.data(None, NODES, json!({ "ids": [] })).await["nodes"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_most_a_hundred_nodes_are_loaded_at_once() {
    let app = TestApp::start().await;
    let ids = |count: usize| json!({ "ids": vec![format!("course{NOBODY}"); count] });
    let found = app.data(None, NODES, ids(100)).await;
    assert_eq!(found["nodes"].as_array().unwrap().len(), 100);
    let body = app.send(None, NODES, ids(101)).await;
    assert_eq!(body["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{body:#}");
    let message = body["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("101") && message.contains("at most 100"), "{message}");
}
