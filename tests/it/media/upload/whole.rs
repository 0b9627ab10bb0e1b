//! The way of a file: whole and in parts.

use lyceum::platform::auth::Role;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::checksum::hex;
use super::{Studio, draft_key, mp4, on_both_stores, parts_key, uuid_of};

on_both_stores!(
    a_whole_file_becomes_a_video_that_its_url_cannot_change,
    a_file_in_parts_is_resumed_and_becomes_a_video_that_its_urls_cannot_change,
    an_upload_completes_when_nobody_waits_and_nothing_is_told,
    an_upload_that_is_given_up_leaves_nothing,
    nobody_else_has_the_upload,
);

async fn a_whole_file_becomes_a_video_that_its_url_cannot_change(studio: Studio) {
    let file = mp4(3000);
    let upload = studio.begin("video/mp4", file.len(), false).await;
    assert!(upload["url"].as_str().unwrap().contains("X-Amz-Signature="), "{upload:#}");
    let expected = json!({ "filename": "a b.mp4", "contentType": "video/mp4", "sizeBytes": 3000, "status": "CREATED",
        "progressPercent": 0, "partCount": null, "videoId": null, "headers": [{ "name": "content-type", "value": "video/mp4" }] });
    for (field, expected) in expected.as_object().unwrap() {
        assert_eq!(&upload[field], expected, "{field}");
    }
    if studio.checks_signatures() {
        assert_eq!(studio.put(&upload, mp4(3001)).await.status(), StatusCode::FORBIDDEN, "longer than announced");
    }
    let early = studio.complete(&studio.ada, &upload).await;
    assert_eq!(early["userErrors"][0]["code"], "NOT_ALLOWED", "{early:#}");
    assert_eq!(studio.put(&upload, file.clone()).await.status(), StatusCode::OK);

    let payload = studio.complete(&studio.ada, &upload).await;
    let video = payload["upload"]["videoId"].as_str().unwrap_or_else(|| panic!("{payload:#}"));
    assert!(video.starts_with("video_"), "{video}");
    assert_eq!(
        (&payload["upload"]["status"], &payload["upload"]["progressPercent"]),
        (&json!("COMPLETED"), &json!(100))
    );
    let row = "SELECT concat_ws(' ', filename, content_type, size_bytes, status, owner_id = uploads_user) \
        FROM (SELECT videos.*, uploads.user_id AS uploads_user FROM videos JOIN uploads USING (id)) AS joined";
    // USING (id) leaves one filename too many.
    let row = row.replace(
        "videos.*, uploads.user_id AS uploads_user",
        "videos.filename, videos.content_type, \
        videos.size_bytes, videos.status, owner_id, uploads.user_id AS uploads_user",
    );
    assert_eq!(studio.sql(&row).await, "a b.mp4 video/mp4 3000 UPLOADED t");
    let key = studio.sql("SELECT object_key FROM videos").await;
    assert_eq!(studio.storage.get(&key).await.unwrap().unwrap(), file);
    let kept = studio.storage.head(&key).await.unwrap().unwrap();
    assert_eq!(kept.content_type, "video/mp4");
    let sum = studio.sql("SELECT encode(sha256, 'hex') FROM videos").await;
    let expected = if studio.checks_signatures() { String::new() } else { hex(&file) };
    assert_eq!(sum, expected, "moto computes it as it copies, the embedded store does not");

    // The URL is still good, and for nothing.
    assert_eq!(studio.put(&upload, vec![0; 3000]).await.status(), StatusCode::OK);
    assert_eq!(studio.tell(&draft_key(&upload)).await, StatusCode::NO_CONTENT);
    studio.app.settle().await;
    assert_eq!(studio.storage.get(&key).await.unwrap().unwrap(), file);
    assert!(!studio.has(&draft_key(&upload)).await, "the draft is gone");
    assert_eq!(studio.complete(&studio.ada, &upload).await["upload"]["videoId"], video, "once more is the same");
    assert_eq!(studio.look(&upload).await["url"], Value::Null);
    assert_eq!(studio.sql("SELECT count(*) FROM events WHERE kind = 'video_uploaded'").await, "1");
    assert_eq!(studio.keys("").await, [key]);
}

async fn a_file_in_parts_is_resumed_and_becomes_a_video_that_its_urls_cannot_change(studio: Studio) {
    let file = mp4(20 << 20);
    let upload = studio.begin("video/mp4", file.len(), true).await;
    assert_eq!((&upload["partSizeBytes"], &upload["partCount"]), (&json!(8 << 20), &json!(3)), "{upload:#}");
    assert_eq!((&upload["url"], &upload["headers"], &upload["parts"]), (&Value::Null, &json!([]), &json!([])));
    let urls = studio.part_urls(&upload, Value::Null).await;
    let sizes: Vec<_> = urls.iter().map(|part| part["sizeBytes"].as_u64().unwrap()).collect();
    assert_eq!(sizes, [8 << 20, 8 << 20, 4 << 20]);
    if studio.checks_signatures() {
        let short = studio.app.client.put(urls[1]["url"].as_str().unwrap()).body("short").send().await.unwrap();
        assert_eq!(short.status(), StatusCode::FORBIDDEN);
    }
    // The last one first, the second twice.
    for place in [2, 1, 1] {
        let put = studio.put_part(&urls[place], &upload, &file).await;
        assert_eq!(put.status(), StatusCode::OK);
        assert!(put.headers().contains_key("etag"));
    }
    let seen = studio.look(&upload).await;
    let parts = json!([{ "number": 2, "sizeBytes": 8 << 20 }, { "number": 3, "sizeBytes": 4 << 20 }]);
    assert_eq!(seen["parts"], parts, "{seen:#}");
    let early = studio.complete(&studio.ada, &upload).await;
    assert_eq!(early["userErrors"][0]["message"], "2 of 3 parts have arrived.", "{early:#}");

    // Elsewhere, later: another node, which knows of nothing but the database and the store.
    let peer = studio.app.peer().await;
    let query = "mutation ($input: UploadPartUrlsInput!) { uploadPartUrls(input: $input) {
        upload { status progressPercent receivedBytes } partUrls { number sizeBytes url } } }";
    let input = json!({ "input": { "uploadId": upload["id"] } });
    let data = peer.data(Some(&studio.ada.token), query, input).await;
    let progress = json!({ "status": "UPLOADING", "progressPercent": 60, "receivedBytes": 12 << 20 });
    assert_eq!(data["uploadPartUrls"]["upload"], progress);
    let missing = data["uploadPartUrls"]["partUrls"].as_array().unwrap();
    assert_eq!(missing.iter().map(|part| &part["number"]).collect::<Vec<_>>(), [&json!(1)]);
    let uploads = "{ viewer { uploads { totalCount nodes { id progressPercent } } } }";
    let listed = studio.app.data(Some(&studio.ada.token), uploads, json!({})).await;
    let expected = json!({ "totalCount": 1, "nodes": [{ "id": upload["id"], "progressPercent": 60 }] });
    assert_eq!(listed["viewer"]["uploads"], expected);
    assert_eq!(studio.put_part(&missing[0], &upload, &file).await.status(), StatusCode::OK);

    let payload = studio.complete(&studio.ada, &upload).await;
    assert_eq!(payload["upload"]["status"], "COMPLETED", "{payload:#}");
    assert_eq!(studio.storage.get(&parts_key(&upload)).await.unwrap().unwrap(), file);
    assert_eq!(studio.sql("SELECT object_key FROM videos").await, parts_key(&upload));
    // Its URLs are signed for hours yet, and good for nothing.
    assert!(studio.refuses_part(&urls[0], &vec![0; 20 << 20]).await);
    assert_eq!(studio.tell(&parts_key(&upload)).await, StatusCode::NO_CONTENT);
    studio.app.settle().await;
    assert_eq!(studio.storage.get(&parts_key(&upload)).await.unwrap().unwrap(), file);
    assert_eq!(studio.sql("SELECT count(*) FROM events WHERE kind = 'video_uploaded'").await, "1");
}

async fn an_upload_completes_when_nobody_waits_and_nothing_is_told(studio: Studio) {
    let whole = studio.sent("video/mp4", mp4(2000)).await;
    let (file, parts) = (mp4(9 << 20), studio.begin("video/mp4", 9 << 20, true).await);
    studio.put_parts(&parts, &file).await;
    let nothing = studio.begin("video/mp4", 2000, false).await;
    studio.app.run("media.watch_uploads").await;
    assert_eq!(studio.status(&whole).await, "CREATED", "the store has a minute to tell by itself");
    studio.app.app.clock.advance(chrono::TimeDelta::minutes(1));
    studio.app.run("media.watch_uploads").await;
    assert_eq!(studio.status(&whole).await, "COMPLETED");
    assert_eq!(studio.status(&parts).await, "COMPLETED");
    assert_eq!(studio.status(&nothing).await, "CREATED");
    assert_eq!(studio.storage.get(&parts_key(&parts)).await.unwrap().unwrap(), file);
    assert_eq!(studio.sql("SELECT count(*) FROM videos").await, "2");
}

async fn an_upload_that_is_given_up_leaves_nothing(studio: Studio) {
    let whole = studio.sent("video/mp4", mp4(2000)).await;
    let (file, parts) = (mp4(9 << 20), studio.begin("video/mp4", 9 << 20, true).await);
    let urls = studio.part_urls(&parts, json!([2])).await;
    assert_eq!(studio.put_part(&urls[0], &parts, &file).await.status(), StatusCode::OK);
    for upload in [&whole, &parts] {
        for _ in 0..2 {
            let input = json!({ "uploadId": upload["id"] });
            let payload = studio.call(&studio.ada, "cancelUpload", "upload { status }", input).await;
            assert_eq!(payload["upload"]["status"], "CANCELED", "{payload:#}");
        }
    }
    studio.app.settle().await;
    assert_eq!(studio.keys("").await, [""; 0]);
    assert!(studio.refuses_part(&urls[0], &file).await);
    for upload in [&whole, &parts] {
        let payload = studio.complete(&studio.ada, upload).await;
        assert_eq!(payload["userErrors"][0]["code"], "NOT_ALLOWED", "{payload:#}");
    }
    // Two out of three are free again.
    for _ in 0..3 {
        studio.begin("video/mp4", 2000, false).await;
    }
    assert_eq!(studio.sql("SELECT count(*) FROM videos").await, "0");
}

async fn nobody_else_has_the_upload(studio: Studio) {
    let (eve, root) = (studio.app.user("Eve", Role::Instructor).await, studio.app.user("Root", Role::Admin).await);
    let upload = studio.sent("video/mp4", mp4(2000)).await;
    for other in [&eve, &root] {
        for field in ["completeUpload", "cancelUpload", "uploadPartUrls"] {
            let payload = studio.call(other, field, "upload { id }", json!({ "uploadId": upload["id"] })).await;
            assert_eq!(payload["upload"], Value::Null);
            assert_eq!(payload["userErrors"][0]["code"], "NOT_FOUND", "{field}: {payload:#}");
        }
        let query = "query ($id: ID!) { upload(id: $id) { url } viewer { uploads { totalCount nodes { id } } } }";
        let data = studio.app.data(Some(&other.token), query, json!({ "id": upload["id"] })).await;
        assert_eq!(data, json!({ "upload": null, "viewer": { "uploads": { "totalCount": 0, "nodes": [] } } }));
    }
    let student = studio.app.user("Stu", Role::Student).await;
    let create = "mutation { createUpload(input: { filename: \"a\", contentType: \"video/mp4\", sizeBytes: 1 }) { upload { id } } }";
    let refused = studio.app.send(Some(&student.token), create, json!({})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN", "{refused:#}");
    assert_eq!(studio.status(&upload).await, "CREATED");
    assert_eq!(uuid_of(&upload).len(), 32);
}
