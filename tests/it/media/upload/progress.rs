//! Following an upload.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Studio, mp4, on_both_stores};
use crate::support::socket::{PATIENCE, Socket};

const FOLLOW: &str = "subscription ($id: ID!, $after: String) { uploadProgress(uploadId: $id, after: $after) {
    cursor isStart status progressPercent upload { videoId video { id } } } }";

on_both_stores!(
    who_follows_an_upload_hears_of_each_step_once_and_of_its_end,
    who_follows_an_upload_hears_of_parts_that_nobody_tells_about,
);

async fn follow(studio: &Studio, token: &str, upload: &Value, after: Option<&str>) -> Socket {
    let mut socket = Socket::connect(&studio.app.url, Some(token)).await;
    socket.subscribe("up", FOLLOW, json!({ "id": upload["id"], "after": after })).await;
    socket
}

async fn next(socket: &mut Socket) -> Value {
    let mut message = socket.receive().await.unwrap();
    assert_eq!(message["type"], "next", "{message:#}");
    message["payload"]["data"]["uploadProgress"].take()
}

async fn who_follows_an_upload_hears_of_each_step_once_and_of_its_end(studio: Studio) {
    let (file, upload) = (mp4(20 << 20), studio.begin("video/mp4", 20 << 20, true).await);
    let mut socket = follow(&studio, &studio.ada.token, &upload, None).await;
    let start = next(&mut socket).await;
    assert_eq!((&start["isStart"], &start["status"]), (&json!(true), &json!("CREATED")), "{start:#}");
    let urls = studio.part_urls(&upload, Value::Null).await;
    studio.put_part(&urls[0], &upload, &file).await;
    studio.part_urls(&upload, Value::Null).await;
    studio.part_urls(&upload, Value::Null).await;
    studio.app.settle().await;
    let first = next(&mut socket).await;
    assert_eq!((&first["status"], &first["progressPercent"]), (&json!("UPLOADING"), &json!(40)));
    studio.put_part(&urls[1], &upload, &file).await;
    studio.app.app.clock.advance(chrono::TimeDelta::minutes(1));
    studio.app.run("media.watch_uploads").await;
    studio.app.settle().await;
    let second = next(&mut socket).await;
    assert_eq!((&second["status"], &second["progressPercent"]), (&json!("UPLOADING"), &json!(80)));
    drop(socket);
    // Back again, with a cursor: where the upload is now, what was missed, and what comes.
    let mut back = follow(&studio, &studio.ada.token, &upload, first["cursor"].as_str()).await;
    let start = next(&mut back).await;
    assert_eq!((&start["isStart"], &start["progressPercent"]), (&json!(true), &json!(80)));
    assert_eq!(start["cursor"], first["cursor"], "nothing is left out");
    assert_eq!(next(&mut back).await["cursor"], second["cursor"]);
    studio.put_part(&urls[2], &upload, &file).await;
    let payload = studio.complete(&studio.ada, &upload).await;
    for _ in 0..3 {
        studio.app.settle().await;
    }
    let last = next(&mut back).await;
    assert_eq!((&last["status"], &last["progressPercent"]), (&json!("COMPLETED"), &json!(100)));
    assert_eq!(last["upload"]["videoId"], payload["upload"]["videoId"]);
    assert_eq!(last["upload"]["video"]["id"], payload["upload"]["videoId"]);
    // The processing of the video is the rest of it.
    while back.receive().await.unwrap()["type"] != "complete" {}
    // Who comes after the end is told of it at once.
    let mut late = follow(&studio, &studio.ada.token, &upload, None).await;
    let start = next(&mut late).await;
    assert_eq!((&start["isStart"], &start["status"]), (&json!(true), &json!("COMPLETED")), "{start:#}");
    assert_eq!(late.receive().await.unwrap()["type"], "complete");
    // Nobody else's business.
    let eve = studio.app.user("Eve", lyceum::platform::auth::Role::Instructor).await;
    let mut foreign = follow(&studio, &eve.token, &upload, None).await;
    let refused = foreign.receive().await.unwrap();
    assert!(refused["payload"].to_string().contains("There is no such upload."), "{refused:#}");
}

async fn who_follows_an_upload_hears_of_parts_that_nobody_tells_about(studio: Studio) {
    let (file, upload) = (mp4(9 << 20), studio.begin("video/mp4", 9 << 20, true).await);
    let mut socket = follow(&studio, &studio.ada.token, &upload, None).await;
    assert_eq!(next(&mut socket).await["isStart"], true);
    let urls = studio.part_urls(&upload, Value::Null).await;
    let mut hear = async || {
        let news = async {
            loop {
                studio.app.settle().await;
                if let Ok(message) = timeout(Duration::from_millis(100), socket.receive()).await {
                    break message.unwrap()["payload"]["data"]["uploadProgress"].take();
                }
            }
        };
        let news = timeout(PATIENCE, news).await.expect("nobody looks at the upload");
        format!("{} {}", news["status"].as_str().unwrap(), news["progressPercent"])
    };
    for (url, heard) in urls.iter().zip(["UPLOADING 88", "UPLOADING 100"]) {
        studio.put_part(url, &upload, &file).await;
        assert_eq!(hear().await, heard);
    }
    assert_eq!(hear().await, "COMPLETED 100");
}
