//! Who hears what.

use serde_json::json;

use super::School;
use crate::support::socket::{Follower, Socket, Video, beginning};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_sockets_hear_each_publication_once_and_in_order() {
    let school = School::open().await;
    let mut first = Follower::after_hearing(&school.app.url, None, &["Hello"]).await;
    let mut second = Follower::after_hearing(&school.app.url, None, &["Hello"]).await;
    school.news(&["One", "Two"]).await;
    school.news(&["Three"]).await;
    for follower in [&mut first, &mut second] {
        follower.expect(&["One", "Two", "Three"]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_cursor_it_begins_now() {
    let school = School::open().await;
    let mut follower = Follower::new(&school.app.url, None, None).await;
    school.news(&["One", "Two"]).await;
    follower.expect(&["One", "Two"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_course_can_be_followed_alone() {
    let school = School::open().await;
    let looms = school.app.course(&school.ada, "Looms", 1).await;
    school.publish(&looms, "Hello, loom").await;
    school.app.settle().await;
    let mut engines = Follower::after_hearing(&school.app.url, Some(&school.course.id), &["Hello"]).await;
    let mut weaving = Follower::after_hearing(&school.app.url, Some(&looms.id), &["Hello, loom"]).await;
    let mut all = Follower::after_hearing(&school.app.url, None, &["Hello", "Hello, loom"]).await;
    school.publish(&looms, "Warp").await;
    school.publish(&school.course, "Piston").await;
    school.publish(&looms, "Weft").await;
    school.publish(&school.course, "Valve").await;
    school.app.settle().await;
    engines.expect(&["Piston", "Valve"]).await;
    weaving.expect(&["Warp", "Weft"]).await;
    all.expect(&["Warp", "Piston", "Weft", "Valve"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_course_is_no_news_and_publishing_again_is_none_either() {
    let school = School::open().await;
    let mut follower = Follower::after_hearing(&school.app.url, None, &["Hello"]).await;
    let draft = school.app.course(&school.ada, "Secret", 0).await;
    school.publish(&draft, "Hidden").await;
    let lesson = school.app.lesson(&school.ada, &school.course, "Once").await;
    school.app.publish(&school.ada, &lesson).await;
    school.app.settle().await;
    school.app.publish(&school.ada, &lesson).await;
    school.app.settle().await;
    school.news(&["Next"]).await;
    follower.expect(&["Once", "Next"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_hears_what_was_missed_and_then_what_happens() {
    let school = School::open().await;
    let mut follower = Follower::after_hearing(&school.app.url, None, &["Hello"]).await;
    school.news(&["Seen"]).await;
    let seen = follower.next().await;
    drop(follower);
    school.news(&["Missed 1", "Missed 2"]).await;
    school.publish(&school.course, "Under way").await;
    let mut back = Follower::new(&school.app.url, None, Some(&seen.cursor)).await;
    back.expect(&["Missed 1", "Missed 2"]).await;
    school.news(&["Live"]).await;
    back.expect(&["Under way", "Live"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_socket_follows_several_courses() {
    let school = School::open().await;
    let mut socket = Socket::connect(&school.app.url, Some(&school.ada.token)).await;
    let query = "subscription ($course: ID, $after: String) {
        newVideo(courseId: $course, after: $after) { cursor isStart lesson { title } course { title } } }";
    let looms = school.app.course(&school.ada, "Looms", 1).await;
    for course in [&school.course.id, &looms.id] {
        socket.subscribe(course, query, json!({ "course": course, "after": beginning() })).await;
    }
    school.publish(&looms, "Warp").await;
    school.app.settle().await;
    let mut heard = Vec::new();
    while heard.len() < 2 {
        let message = socket.receive().await.unwrap();
        let video = &message["payload"]["data"]["newVideo"];
        if video["isStart"] == true {
            continue;
        }
        heard.push((message["id"].clone(), Video::read(video).title, video["course"]["title"].clone()));
    }
    heard.sort_by_key(|(_, title, _)| title.clone());
    let expected = [
        (json!(school.course.id), "Hello".to_owned(), json!("Engines")),
        (json!(looms.id), "Warp".to_owned(), json!("Looms")),
    ];
    assert_eq!(heard, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_of_news_has_the_cursors_of_the_push() {
    let school = School::open().await;
    let mut follower = Follower::after_hearing(&school.app.url, None, &["Hello"]).await;
    school.news(&["One", "Two", "Three", "Four"]).await;
    let mut pushed = Vec::new();
    for _ in 0..4 {
        pushed.push(follower.next().await);
    }
    let query = "query ($first: Int, $after: String, $last: Int, $before: String, $course: ID) {
        newVideos(first: $first, after: $after, last: $last, before: $before, courseId: $course) {
            totalCount pageInfo { hasNextPage hasPreviousPage endCursor }
            edges { cursor node { cursor lesson { title } } } } }";
    let page = async |variables: serde_json::Value| {
        let data = school.app.data(None, query, variables).await;
        let edges = data["newVideos"]["edges"].as_array().unwrap().clone();
        assert!(edges.iter().all(|edge| edge["cursor"] == edge["node"]["cursor"]), "{data:#}");
        assert_eq!(data["newVideos"]["totalCount"], 5);
        let videos: Vec<Video> = edges.iter().map(|edge| Video::read(&edge["node"])).collect();
        (videos, data["newVideos"]["pageInfo"].clone())
    };
    let (videos, info) = page(json!({ "first": 3, "course": school.course.id })).await;
    assert_eq!((videos[0].title.as_str(), &videos[1..]), ("Hello", &pushed[..2]));
    assert_eq!((&info["hasNextPage"], &info["endCursor"]), (&json!(true), &json!(pushed[1].cursor)));
    let (videos, info) = page(json!({ "first": 3, "after": pushed[1].cursor })).await;
    assert_eq!((videos.as_slice(), &info["hasNextPage"]), (&pushed[2..], &json!(false)));
    let (videos, _) = page(json!({ "last": 2, "before": pushed[3].cursor })).await;
    assert_eq!(videos, pushed[1..3]);
    // And the other way round: a cursor of the list is where the push goes on.
    let mut back = Follower::new(&school.app.url, None, Some(&videos[0].cursor)).await;
    back.expect(&["Three", "Four"]).await;
}
