//! Everybody at once.

use futures_util::future::join_all;
use serde_json::json;

use super::{Studio, draft_key, mp4, on_both_stores};

on_both_stores!(twenty_who_complete_an_upload_at_once_make_one_video, the_store_and_the_owner_at_once_make_one_video);

async fn twenty_who_complete_an_upload_at_once_make_one_video(studio: Studio) {
    let whole = studio.sent("video/mp4", mp4(2000)).await;
    let (file, parts) = (mp4(9 << 20), studio.begin("video/mp4", 9 << 20, true).await);
    studio.put_parts(&parts, &file).await;
    let peer = studio.app.peer().await;
    let query = "mutation ($input: CompleteUploadInput!) { completeUpload(input: $input) {
        upload { status videoId } userErrors { message } } }";
    for upload in [&whole, &parts] {
        let input = json!({ "input": { "uploadId": upload["id"] } });
        let nodes = [&studio.app, &peer].into_iter().cycle().take(20);
        let answers = join_all(nodes.map(|node| node.data(Some(&studio.ada.token), query, input.clone()))).await;
        for answer in &answers {
            assert_eq!(answer["completeUpload"]["upload"]["status"], "COMPLETED", "{answer:#}");
            assert_eq!(answer, &answers[0]);
        }
    }
    studio.app.settle().await;
    let rows = "SELECT concat_ws(' ', (SELECT count(*) FROM videos), \
        (SELECT count(*) FROM events WHERE kind = 'video_uploaded'), (SELECT count(*) FROM jobs))";
    assert_eq!(studio.sql(rows).await, "2 2 0");
    let mut kept: Vec<String> =
        studio.sql("SELECT string_agg(object_key, ' ') FROM videos").await.split(' ').map(str::to_owned).collect();
    kept.sort();
    assert_eq!(studio.keys("").await, kept, "no copy is left over");
}

async fn the_store_and_the_owner_at_once_make_one_video(studio: Studio) {
    for round in 1..=20 {
        let upload = studio.sent("video/mp4", mp4(2000 + round)).await;
        studio.tell(&draft_key(&upload)).await;
        let (payload, ()) = tokio::join!(studio.complete(&studio.ada, &upload), studio.app.settle());
        assert_eq!(payload["upload"]["status"], "COMPLETED", "round {round}: {payload:#}");
        studio.app.settle().await;
        let rows = "SELECT concat_ws(' ', (SELECT count(*) FROM videos), \
            (SELECT count(*) FROM events WHERE kind = 'video_uploaded'), (SELECT count(*) FROM jobs))";
        assert_eq!(studio.sql(rows).await, format!("{round} {round} 0"));
        assert_eq!(studio.keys("").await.len(), round, "the videos and nothing else");
    }
}
