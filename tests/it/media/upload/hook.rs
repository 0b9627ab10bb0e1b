//! What the object store tells.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{SECRET, Studio, draft_key, event, mp4, on_both_stores, parts_key};

on_both_stores!(
    the_stores_word_completes_an_upload_once_however_often_it_comes,
    minio_and_sns_tell_it_in_other_words,
    the_store_has_to_prove_itself,
);

async fn the_stores_word_completes_an_upload_once_however_often_it_comes(studio: Studio) {
    let upload = studio.begin("video/mp4", 2000, false).await;
    // Before there is anything.
    assert_eq!(studio.tell(&draft_key(&upload)).await, StatusCode::NO_CONTENT);
    studio.app.settle().await;
    assert_eq!(studio.status(&upload).await, "CREATED");
    assert_eq!(studio.put(&upload, mp4(2000)).await.status(), StatusCode::OK);
    let mut told = event(&draft_key(&upload));
    told["Records"][0]["s3"]["object"]["sequencer"] = json!("1");
    let mut removed = told.clone();
    removed["Records"][0]["eventName"] = json!("ObjectRemoved:Delete");
    assert_eq!(studio.post(&removed).await, StatusCode::NO_CONTENT);
    for _ in 0..3 {
        assert_eq!(studio.post(&told).await, StatusCode::NO_CONTENT);
    }
    assert_eq!(studio.status(&upload).await, "CREATED", "it is kept, and worked on later");
    assert_eq!(studio.sql("SELECT count(*) FROM inbox").await, "2");
    studio.app.settle().await;
    assert_eq!(studio.status(&upload).await, "COMPLETED");
    studio.post(&told).await;
    studio.tell(&parts_key(&upload)).await;
    studio.app.settle().await;
    assert_eq!(studio.sql("SELECT count(*) FROM events WHERE kind = 'video_uploaded'").await, "1");
    assert_eq!(studio.keys("").await, [studio.sql("SELECT object_key FROM videos").await]);
    assert_eq!(studio.sql("SELECT count(*) FROM jobs").await, "0", "nothing failed");
}

async fn minio_and_sns_tell_it_in_other_words(studio: Studio) {
    let first = studio.sent("video/mp4", mp4(2000)).await;
    let mut minio = event(&draft_key(&first).replace('/', "%2F").replace("%2F", "/"));
    minio["EventName"] = json!("s3:ObjectCreated:Put");
    minio["Key"] = json!(format!("lyceum/{}", draft_key(&first)));
    minio["Records"][0]["eventName"] = json!("s3:ObjectCreated:Put");
    minio["Records"][0]["s3"]["object"]["key"] = json!(draft_key(&first).replace('/', "%2F"));
    assert_eq!(studio.post(&minio).await, StatusCode::NO_CONTENT);
    let second = studio.sent("video/mp4", mp4(2001)).await;
    let sns = json!({ "Type": "Notification", "Message": event(&draft_key(&second)).to_string() });
    // SNS calls its JSON a plain text, and has only the address to hold the secret.
    let url = format!("{}/hooks/storage?token={SECRET}", studio.app.url);
    let request = studio.app.client.post(url).header("content-type", "text/plain; charset=UTF-8");
    assert_eq!(request.body(sns.to_string()).send().await.unwrap().status(), StatusCode::NO_CONTENT);
    studio.app.settle().await;
    for upload in [first, second] {
        assert_eq!(studio.status(&upload).await, "COMPLETED");
    }
}

async fn the_store_has_to_prove_itself(studio: Studio) {
    let upload = studio.sent("video/mp4", mp4(2000)).await;
    let url = format!("{}/hooks/storage", studio.app.url);
    let told = event(&draft_key(&upload));
    let post = || studio.app.client.post(&url).json(&told);
    let longer = format!("{SECRET}x");
    for request in [
        post(),
        post().bearer_auth(""),
        post().bearer_auth(&longer),
        post().bearer_auth(&SECRET[1..]),
        post().header("authorization", SECRET),
        post().header("authorization", format!("Basic {SECRET}")),
        studio.app.client.post(format!("{url}?token=")).json(&told),
        studio.app.client.post(format!("{url}?secret={SECRET}")).json(&told),
    ] {
        assert_eq!(request.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    }
    let get = studio.app.client.get(&url).bearer_auth(SECRET).send().await.unwrap();
    assert_eq!(get.status(), StatusCode::METHOD_NOT_ALLOWED);
    // Not on a connection that is used again: the server closes it when it has read enough.
    let text = |body: String| studio.app.client.post(&url).bearer_auth(SECRET).body(body);
    assert_eq!(text("{".into()).send().await.unwrap().status(), StatusCode::BAD_REQUEST);
    // The answer may come while the rest is still being sent, which this client then takes for a broken connection.
    let large = text(" ".repeat(1 << 21)).header("connection", "close").send().await;
    assert!(large.is_err() || large.is_ok_and(|answer| answer.status() == StatusCode::PAYLOAD_TOO_LARGE));
    let unknown = [json!({}), json!({ "Event": "s3:TestEvent" }), event("avatars/x"), event("videos/x/y"), Value::Null];
    for event in unknown {
        assert_eq!(studio.post(&event).await, StatusCode::NO_CONTENT, "{event}");
    }
    assert_eq!(studio.sql("SELECT count(*) FROM inbox").await, "0");
    let named = post().basic_auth("store", Some(SECRET)).send().await.unwrap();
    assert_eq!(named.status(), StatusCode::NO_CONTENT);
    assert_eq!(studio.sql("SELECT count(*) FROM inbox").await, "1");
}
