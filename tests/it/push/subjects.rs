//! Whose new videos a subscription and the list deliver, and how far back they reach.

use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use super::School;
use crate::support::User;
use crate::support::app::Course;
use crate::support::socket::{Socket, beginning};

const FOLLOW: &str = "subscription ($channel: ID, $following: Boolean!, $after: String) {
    newVideo(channelId: $channel, following: $following, after: $after) { cursor isStart publishedAt lesson { title } } }";
const LIST: &str = "query ($channel: ID, $following: Boolean!) {
    newVideos(channelId: $channel, following: $following) { totalCount nodes { isStart publishedAt lesson { title } } } }";

async fn channel_of(school: &School, course: &Course) -> String {
    let query = "query ($id: ID!) { course(id: $id) { channel { id } } }";
    let data = school.app.data(None, query, json!({ "id": course.id })).await;
    data["course"]["channel"]["id"].as_str().unwrap().to_owned()
}

async fn next(socket: &mut Socket) -> Value {
    let mut message = socket.receive().await.unwrap();
    assert_eq!(message["type"], "next", "{message:#}");
    message["payload"]["data"]["newVideo"].take()
}

/// A socket of `user` that has received the start.
async fn subscribed(school: &School, user: Option<&User>, variables: Value) -> Socket {
    let mut socket = Socket::connect(&school.app.url, user.map(|user| user.token.as_str())).await;
    socket.subscribe("x", FOLLOW, variables).await;
    let start = next(&mut socket).await;
    assert_eq!(
        (&start["isStart"], &start["lesson"], &start["publishedAt"]),
        (&json!(true), &Value::Null, &Value::Null)
    );
    socket
}

async fn heard(socket: &mut Socket, titles: &[&str]) {
    for title in titles {
        let video = next(socket).await;
        assert_eq!((&video["lesson"]["title"], &video["isStart"]), (&json!(title), &json!(false)));
        assert_eq!(video["publishedAt"], "2026-11-20T09:00:00+00:00");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_can_be_followed_and_so_can_all_channels_that_the_viewer_follows() {
    let school = School::open().await;
    let bob = school.app.user("Bob", Role::Instructor).await;
    let student = school.app.user("Stu", Role::Student).await;
    let looms = school.app.course(&bob, "Looms", 1).await;
    let (engines, weaving) = (channel_of(&school, &school.course).await, channel_of(&school, &looms).await);
    let mut of_channel = subscribed(&school, None, json!({ "channel": weaving, "following": false })).await;
    let mut followed = subscribed(&school, Some(&student), json!({ "following": true })).await;
    let publish = async |teacher: &User, course: &Course, title: &str| {
        let lesson = school.app.lesson(teacher, course, title).await;
        school.app.publish(teacher, &lesson).await;
        school.app.settle().await;
    };
    publish(&bob, &looms, "Before").await;
    heard(&mut of_channel, &["Before"]).await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    school.app.mutate(&student, "followChannel", "channel { id }", json!({ "channelId": weaving })).await;
    // The list of followed channels may be a second old.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    publish(&school.ada, &school.course, "Piston").await;
    publish(&bob, &looms, "Warp").await;
    heard(&mut of_channel, &["Warp"]).await;
    heard(&mut followed, &["Warp"]).await;
    let list = async |user: Option<&User>, variables: Value| {
        let data = school.app.data(user.map(|user| user.token.as_str()), LIST, variables).await;
        let nodes = data["newVideos"]["nodes"].as_array().unwrap().iter();
        let titles: Vec<String> = nodes.map(|node| node["lesson"]["title"].as_str().unwrap().to_owned()).collect();
        assert_eq!(data["newVideos"]["totalCount"], titles.len());
        titles
    };
    assert_eq!(list(None, json!({ "channel": weaving, "following": false })).await, ["Before", "Warp"]);
    assert_eq!(list(Some(&student), json!({ "following": true })).await, ["Before", "Warp"], "those followed now");
    school.app.mutate(&student, "followChannel", "channel { id }", json!({ "channelId": engines })).await;
    assert_eq!(list(Some(&student), json!({ "following": true })).await, ["Hello", "Before", "Piston", "Warp"]);
    // One subject at most, and nobody's channels are followed by nobody.
    let both = school.app.send(Some(&student.token), LIST, json!({ "channel": weaving, "following": true })).await;
    assert_eq!(both["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{both:#}");
    let nobodys = school.app.send(None, LIST, json!({ "following": true })).await;
    assert_eq!(nobodys["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{nobodys:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_is_a_cursor_to_resume_from_and_one_older_than_the_log_has_expired() {
    let school = School::open().await;
    let mut socket = Socket::connect(&school.app.url, None).await;
    let none = json!({ "following": false });
    socket.subscribe("x", FOLLOW, none).await;
    let start = next(&mut socket).await["cursor"].take();
    drop(socket);
    school.news(&["Missed"]).await;
    let mut back = subscribed(&school, None, json!({ "following": false, "after": start })).await;
    heard(&mut back, &["Missed"]).await;
    // What it missed is no longer in the log.
    school.app.sql("DELETE FROM events").await;
    school.news(&["Kept"]).await;
    let mut late = Socket::connect(&school.app.url, None).await;
    late.subscribe("x", FOLLOW, json!({ "following": false, "after": start })).await;
    let refused = late.receive().await.unwrap().to_string();
    assert!(refused.contains("CURSOR_EXPIRED") && refused.contains("`newVideos`"), "{refused}");
    // All that there is can still be asked for.
    let mut all = subscribed(&school, None, json!({ "following": false, "after": beginning() })).await;
    heard(&mut all, &["Kept"]).await;
}
