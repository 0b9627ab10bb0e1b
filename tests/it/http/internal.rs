//! Our own failures: the client learns a request id and nothing else.

use diesel_async::RunQueryDsl;
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use super::Answer;
use crate::support::TestApp;

/// Words that would tell how the program is made.
const SECRETS: [&str; 12] = [
    "courses_gone",
    "lesson_count",
    "users",
    "relation",
    "constraint",
    "select",
    "SELECT",
    "diesel",
    "postgres",
    "tokio",
    ".rs",
    "SQL",
];

async fn sql(app: &TestApp, statement: &str) {
    let mut conn = app.app.db.read().await.unwrap();
    diesel::sql_query(statement).execute(&mut *conn).await.unwrap();
}

fn internal(answer: &Answer, case: &str) {
    let body = answer.body();
    let error = &body["errors"][0];
    answer.labelled(case, error, "INTERNAL", &["on our side", "request id"]);
    for secret in SECRETS {
        assert!(!answer.text.contains(secret), "{case}: {secret:?} leaks: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_of_the_database_tells_the_client_nothing_about_it() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Engines", 1).await;
    sql(&app, "ALTER TABLE courses RENAME TO courses_gone").await;
    let send = |query: &str| Answer::to(app.graphql().bearer_auth(&ada.token).json(&json!({ "query": query })));

    let list = send("{ courses { nodes { title } } }").await;
    internal(&list, "a non-null list");
    assert_eq!((list.status, &list.body()["data"]), (200, &Value::Null), "{}", list.text);

    let one = send("{ viewer { user { name } } course(slug: \"engines\") { title } }").await;
    internal(&one, "a nullable field beside a good one");
    assert_eq!(one.body()["data"], json!({ "viewer": { "user": { "name": "Ada" } }, "course": null }), "{}", one.text);

    let node = send(&format!("{{ node(id: \"{}\") {{ id }} }}", course.id)).await;
    internal(&node, "a batched load");

    let create =
        send("mutation { createCourse(input: { title: \"x\" }) { course { id } userErrors { message } } }").await;
    internal(&create, "a mutation");
    assert_eq!(create.body()["data"], json!({ "createCourse": null }), "{}", create.text);

    sql(&app, "ALTER TABLE courses_gone RENAME TO courses").await;
    let again = send("{ courses { nodes { title } } }").await;
    assert_eq!(again.body()["data"]["courses"]["nodes"][0]["title"], "Engines", "the program has outlived it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_of_the_database_that_the_program_does_not_foresee_is_internal_too() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    sql(&app, "ALTER TABLE courses ADD CONSTRAINT no_engines CHECK (title <> 'Engines')").await;
    let query = "mutation { createCourse(input: { title: \"Engines\" }) { course { id } userErrors { message } } }";
    let answer = Answer::to(app.graphql().bearer_auth(&ada.token).json(&json!({ "query": query }))).await;
    internal(&answer, "an unforeseen check");
    assert!(!answer.text.contains("no_engines"), "{}", answer.text);
}
