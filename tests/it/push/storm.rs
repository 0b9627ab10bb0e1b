//! Many at once.

use std::sync::Arc;
use std::time::Duration;

use lyceum::platform::outbox::dispatcher;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::School;
use crate::support::rounds;
use crate::support::socket::{Follower, PATIENCE, Video, beginning};

const PUBLISHERS: usize = 4;
const CLIENTS: usize = 6;

/// What each publisher publishes in a course, before it goes on in the next one.
const EACH: usize = 50;

fn all() -> usize {
    PUBLISHERS * rounds(EACH) + 1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_and_goes_while_many_publish_hears_everything_once_and_in_order() {
    let school = Arc::new(School::open().await);
    let app = &school.app.app;
    app.tasks.spawn(dispatcher::run(app.clone(), lyceum::app::registry().unwrap()));
    let mut courses = Vec::new();
    for round in 0..rounds(1) {
        // A course has room for 500 lessons only.
        courses.push(school.app.course(&school.ada, &format!("Round {round}"), 1).await);
    }
    let courses = Arc::new(courses);
    let mut publishers = JoinSet::new();
    for number in 0..PUBLISHERS {
        let (school, courses) = (school.clone(), courses.clone());
        publishers.spawn(async move {
            for lesson in 0..rounds(EACH) {
                school.publish(&courses[lesson / EACH], &format!("{number}/{lesson}")).await;
            }
        });
    }
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(come_and_go(school.app.url.clone()));
    }
    while let Some(done) = publishers.join_next().await {
        done.unwrap();
    }
    let heard = timeout(2 * PATIENCE * u32::try_from(rounds(1)).unwrap(), clients.join_all())
        .await
        .expect("somebody still waits for news");
    let listed = everything(&school).await;
    assert_eq!(listed.len(), all());
    let mut reconnects = 0;
    for (videos, connections) in heard {
        assert_eq!(videos, listed);
        reconnects += connections;
    }
    assert!(reconnects > 3 * CLIENTS, "too few reconnects to prove anything: {reconnects}");
}

/// Reads a few, leaves, comes back with the last cursor, until it has everything; and how often it connected.
async fn come_and_go(url: String) -> (Vec<Video>, usize) {
    let (mut heard, mut after, mut connections) = (Vec::new(), beginning(), 0);
    while heard.len() < all() {
        let mut follower = Follower::new(&url, None, Some(&after)).await;
        connections += 1;
        // Not more than a moment: it also leaves while it waits, and while something is under way to it.
        let leave = tokio::time::sleep(Duration::from_millis(rand::random_range(0..60)));
        tokio::pin!(leave);
        for _ in 0..rand::random_range(0..30) {
            tokio::select! {
                video = follower.wait() => {
                    after.clone_from(&video.cursor);
                    heard.push(video);
                }
                () = &mut leave => break,
            }
        }
    }
    (heard, connections)
}

async fn everything(school: &School) -> Vec<Video> {
    let query = "query ($after: String) { newVideos(first: 100, after: $after) { nodes { cursor lesson { title } } } }";
    let (mut listed, mut after) = (Vec::new(), beginning());
    loop {
        let data = school.app.data(None, query, json!({ "after": after })).await;
        let nodes = data["newVideos"]["nodes"].as_array().unwrap();
        let Some(last) = nodes.last() else { return listed };
        after = last["cursor"].as_str().unwrap().to_owned();
        listed.extend(nodes.iter().map(Video::read));
    }
}
