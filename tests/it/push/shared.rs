//! What is executed once for many, and what is each viewer's own.

use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use super::School;
use crate::support::socket::Socket;

const QUERY: &str = "subscription ($course: ID!, $alias: Boolean = false) { newVideo(courseId: $course) {
    isStart lesson { title } course { title again: title @include(if: $alias) } } }";

/// Sockets of the instructor, of a student and of nobody in particular that follow the course.
async fn follow(school: &School, query: &str, variables: Value) -> Vec<Socket> {
    let bob = school.app.user("Bob", Role::Student).await;
    let mut sockets = Vec::new();
    for token in [Some(&school.ada.token), Some(&bob.token), None] {
        let mut socket = Socket::connect(&school.app.url, token.map(String::as_str)).await;
        socket.subscribe("1", query, variables.clone()).await;
        assert_eq!(socket.receive().await.unwrap()["payload"]["data"]["newVideo"]["isStart"], true);
        sockets.push(socket);
    }
    sockets
}

async fn heard(sockets: &mut [Socket]) -> Vec<Value> {
    let mut heard = Vec::new();
    for socket in sockets {
        heard.push(socket.receive().await.unwrap()["payload"]["data"]["newVideo"].take());
    }
    heard
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_viewer_gets_what_that_viewer_may_see() {
    let school = School::open().await;
    let mut sockets = follow(&school, QUERY, json!({ "course": school.course.id })).await;
    school.news(&["Public"]).await;
    let public = json!({ "isStart": false, "lesson": { "title": "Public" }, "course": { "title": "Engines" } });
    assert_eq!(heard(&mut sockets).await, [public.clone(), public.clone(), public.clone()]);
    // Withdrawn before the event is told: only its instructor still sees the lesson.
    let lesson = school.app.lesson(&school.ada, &school.course, "Withdrawn").await;
    school.app.publish(&school.ada, &lesson).await;
    school.app.mutate(&school.ada, "unpublishLesson", "lesson { id }", json!({ "lessonId": lesson })).await;
    school.app.settle().await;
    let withdrawn = |lesson: Value| json!({ "isStart": false, "lesson": lesson, "course": { "title": "Engines" } });
    let expected = [withdrawn(json!({ "title": "Withdrawn" })), withdrawn(Value::Null), withdrawn(Value::Null)];
    assert_eq!(heard(&mut sockets).await, expected);
    school.news(&["Public"]).await;
    assert_eq!(heard(&mut sockets).await, [public.clone(), public.clone(), public]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_that_asks_for_the_viewer_is_each_viewers_own() {
    let school = School::open().await;
    let query = "subscription ($course: ID!) { newVideo(courseId: $course) {
        isStart lesson { title viewerAccess { granted reason } } } }";
    let mut sockets = follow(&school, query, json!({ "course": school.course.id })).await;
    for title in ["One", "Two"] {
        school.news(&[title]).await;
        let granted: Vec<Value> =
            heard(&mut sockets).await.iter_mut().map(|video| video["lesson"]["viewerAccess"].take()).collect();
        assert_eq!(granted[0]["granted"], true, "{granted:?}");
        assert_ne!(granted[0]["reason"], granted[1]["reason"], "{granted:?}");
        assert_ne!(granted[1]["reason"], granted[2]["reason"], "{granted:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_variables_and_other_ids_have_results_of_their_own() {
    let school = School::open().await;
    let mut socket = Socket::connect(&school.app.url, None).await;
    for (id, alias) in [("a \"quoted\" id", false), ("2", true), ("3", false)] {
        let variables = json!({ "course": school.course.id, "alias": alias });
        socket.subscribe(id, QUERY, variables).await;
        assert_eq!(socket.receive().await.unwrap()["id"], id);
    }
    school.news(&["One"]).await;
    let mut heard = Vec::new();
    for _ in 0..3 {
        let message = socket.receive().await.unwrap();
        assert_eq!(message["type"], "next", "{message:#}");
        assert_eq!(message["payload"]["extensions"]["cost"]["actual"], 3, "{message:#}");
        let again = message["payload"]["data"]["newVideo"]["course"]["again"].is_string();
        heard.push((message["id"].as_str().unwrap().to_owned(), again));
    }
    heard.sort();
    assert_eq!(heard, [("2".into(), true), ("3".into(), false), ("a \"quoted\" id".into(), false)]);
}
