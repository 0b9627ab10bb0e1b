//! How a stream ends.

use chrono::TimeDelta;
use serde_json::json;

use super::{EVENTS, PARTS, Said, School};
use crate::support::eventually;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_its_session() {
    let school = School::open(&[]).await;
    let mut anonymous = school.follow(EVENTS, None).await;
    let mut readers =
        [school.follow(EVENTS, Some(&school.ada.token)).await, school.follow(PARTS, Some(&school.ada.token)).await];
    let sign_out = "mutation { signOut(input: {}) { endedCount } }";
    assert_eq!(school.app.data(Some(&school.ada.token), sign_out, json!({})).await["signOut"]["endedCount"], 1);
    for reader in &mut readers {
        assert_eq!(reader.failure().await, ("UNAUTHENTICATED".into(), Said::Complete));
    }
    let grace = school.app.user("Grace", lyceum::platform::auth::Role::Instructor).await;
    let course = school.app.course(&grace, "Looms", 1).await;
    let lesson = school.app.lesson(&grace, &course, "Warp").await;
    school.app.publish(&grace, &lesson).await;
    school.app.settle().await;
    assert_eq!(anonymous.title().await, "Warp", "others go on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_its_token() {
    let school = School::open(&[]).await;
    // A token lives for an hour; this one has a second left.
    school.app.app.clock.advance(TimeDelta::hours(1) - TimeDelta::seconds(1));
    for accept in [EVENTS, PARTS] {
        let mut reader = school.follow(accept, Some(&school.ada.token)).await;
        assert_eq!(reader.failure().await, ("UNAUTHENTICATED".into(), Said::Complete));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_of_the_server_is_announced_and_waits_for_no_stream() {
    let school = School::open(&[]).await;
    let mut readers = [school.follow(EVENTS, None).await, school.follow(PARTS, None).await];
    school.app.app.stopping.cancel();
    for reader in &mut readers {
        assert_eq!(reader.failure().await, ("UNAVAILABLE".into(), Said::Complete));
    }
    let tasks = &school.app.app.tasks;
    tasks.close();
    tokio::time::timeout(super::PATIENCE, tasks.wait()).await.expect("a task remains");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_leaves_is_forgotten() {
    let school = School::open(&[]).await;
    let readers = [school.follow(EVENTS, Some(&school.ada.token)).await, school.follow(PARTS, None).await];
    let held = school.app.app.sockets.clone();
    drop(readers);
    let address = [127, 0, 0, 1].into();
    let most = school.app.app.config.limits.client_sockets;
    eventually("all places are free", async || {
        let taken: Vec<_> = (0..most).map_while(|_| held.take(address)).collect();
        taken.len() == most
    })
    .await;
}
