//! Who may listen, to what, and for how long.

use chrono::TimeDelta;
use lyceum::graphql::page::encode_cursor;
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use super::School;
use crate::support::socket::{Closed, Follower, Socket, beginning};

/// The errors with which a subscription is refused.
async fn refused(school: &School, token: Option<&str>, variables: Value) -> Vec<(Value, Value)> {
    let mut socket = Socket::connect(&school.app.url, token).await;
    let query = "subscription ($course: ID, $after: String) { newVideo(courseId: $course, after: $after) { cursor } }";
    socket.subscribe("x", query, variables).await;
    let message = socket.receive().await.unwrap();
    let errors = match message["type"].as_str() {
        Some("error") => &message["payload"],
        Some("next") => &message["payload"]["errors"],
        _ => panic!("{message:#}"),
    };
    let errors = errors.as_array().unwrap_or_else(|| panic!("not refused: {message:#}"));
    // The subscription is over, the socket isn't.
    if message["type"] == "next" {
        assert_eq!(socket.receive().await.unwrap(), json!({ "type": "complete", "id": "x" }));
    }
    socket.subscribe("x", "{ __typename }", json!({})).await;
    assert_eq!(socket.receive().await.unwrap()["payload"]["data"]["__typename"], "Query");
    errors.iter().map(|error| (error["extensions"]["code"].clone(), error["message"].clone())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_of_another_list_is_refused() {
    let school = School::open().await;
    let courses = school.app.data(None, "{ courses { edges { cursor } } }", json!({})).await;
    let foreign = &courses["courses"]["edges"][0]["cursor"];
    let expected = (json!("BAD_USER_INPUT"), json!("after is a cursor of courses; use one that newVideos returned."));
    assert_eq!(refused(&school, None, json!({ "after": foreign })).await, [expected]);
    let unreadable = (json!("BAD_USER_INPUT"), json!("after is not a cursor; use one that newVideos returned."));
    for after in ["!".to_owned(), encode_cursor("newVideos", &"one")] {
        assert_eq!(
            refused(&school, None, json!({ "after": after })).await.as_slice(),
            std::slice::from_ref(&unreadable)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_course_that_one_may_not_know_of_is_not_found() {
    let school = School::open().await;
    let draft = school.app.course(&school.ada, "Secret", 0).await;
    let bob = school.app.user("Bob", Role::Instructor).await;
    let unknown = "course_01jcqf9d2ee3atvq5sm2zxw9cf";
    let expected = refused(&school, None, json!({ "course": unknown })).await;
    assert_eq!(expected.len(), 1);
    assert_eq!(expected[0].0, "NOT_FOUND");
    assert_eq!(refused(&school, None, json!({ "course": draft.id })).await, expected);
    assert_eq!(refused(&school, Some(&bob.token), json!({ "course": draft.id })).await, expected);
    // Its own instructor may wait for the first news of it.
    let socket = Socket::connect(&school.app.url, Some(&school.ada.token)).await;
    let mut own = Follower::on(socket, Some(&draft.id), Some(&beginning())).await;
    school.publish(&draft, "First").await;
    school.app.mutate(&school.ada, "publishCourse", "course { id }", json!({ "courseId": draft.id })).await;
    school.publish(&draft, "Second").await;
    school.app.settle().await;
    own.expect(&["Second"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_not_ours_closes_the_socket() {
    let school = School::open().await;
    let forbidden = |reason: &str| Closed { code: 4403, reason: format!("Forbidden: {reason}") };
    let mut socket = Socket::open(&school.app.url).await;
    socket.greet(Some("nonsense")).await;
    assert_eq!(socket.closed().await, forbidden("The access token is not valid."));
    school.app.app.clock.advance(TimeDelta::hours(2));
    let mut socket = Socket::open(&school.app.url).await;
    socket.greet(Some(&school.ada.token)).await;
    assert_eq!(socket.closed().await, forbidden("The access token has expired; refresh the session or sign in again."));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_ends_with_its_token() {
    let school = School::open().await;
    // A token lives for an hour; this one has a second left.
    school.app.app.clock.advance(TimeDelta::hours(1) - TimeDelta::seconds(1));
    let socket = Socket::connect(&school.app.url, Some(&school.ada.token)).await;
    let mut follower = Follower::on(socket, None, Some(&beginning())).await;
    follower.expect(&["Hello"]).await;
    let closed = follower.0.closed().await;
    assert_eq!(closed, Closed { code: 4403, reason: "Forbidden: session expired".into() });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishing_writes_as_many_rows_for_thirty_followers_as_for_one() {
    let school = School::open().await;
    let tables = "SELECT coalesce(sum((xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %I', \
                  table_name), false, true, '')))[1]::text::bigint), 0) FROM information_schema.tables \
                  WHERE table_schema = current_schema()";
    let rows = async || school.app.sql(tables).await.parse::<i64>().unwrap();
    let mut followers = vec![Follower::after_hearing(&school.app.url, None, &["Hello"]).await];
    // The first video of a day begins the notification to which the others are added.
    school.news(&["One"]).await;
    followers[0].expect(&["One"]).await;
    let before = rows().await;
    school.news(&["Two"]).await;
    followers[0].expect(&["Two"]).await;
    let for_one = rows().await - before;
    for _ in 1..30 {
        followers.push(Follower::after_hearing(&school.app.url, None, &["Hello", "One", "Two"]).await);
    }
    let before = rows().await;
    school.news(&["Three"]).await;
    for follower in &mut followers {
        follower.expect(&["Three"]).await;
    }
    // The lesson, its video and the reference to it; its event, and the event's place in the topics of the course, the
    // channel and the platform. Of the notification, the same, in two topics; and how far its audience was walked.
    assert_eq!((for_one, rows().await - before), (12, 12));
}
