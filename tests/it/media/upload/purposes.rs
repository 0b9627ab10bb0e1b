//! What is uploaded for what: pictures and files go the way of videos and become something else.

use bytes::Bytes;
use lyceum::platform::auth::Role;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{OTHER_PNG, PDF, PNG, Studio, UPLOAD, event, file, mp4, on_both_stores, uuid_of};

on_both_stores!(
    a_picture_and_a_file_arrive_and_are_no_videos,
    a_file_in_parts_arrives_and_is_saved_under_its_name,
    what_a_file_is_decides_and_not_what_was_said_of_it,
    each_purpose_has_its_types_and_sizes,
    others_know_nothing_of_a_file,
);

fn draft_key(upload: &Value) -> String {
    format!("uploads/files/{}", uuid_of(upload))
}

async fn begin(studio: &Studio, purpose: &str, content_type: &str, size: usize, multipart: bool) -> Value {
    let input = json!({ "purpose": purpose, "filename": "a.bin", "contentType": content_type, "sizeBytes": size,
        "multipart": multipart });
    studio.begin_with(&studio.ada, input).await
}

async fn a_picture_and_a_file_arrive_and_are_no_videos(studio: Studio) {
    for (purpose, content_type, content) in [("IMAGE", "image/png", PNG), ("FILE", "application/pdf", PDF)] {
        let upload = begin(&studio, purpose, content_type, content.len(), false).await;
        assert_eq!((&upload["purpose"], &upload["file"]), (&json!(purpose), &Value::Null));
        assert_eq!(studio.put(&upload, content.to_vec()).await.status(), StatusCode::OK);
        assert_eq!(studio.keys("").await.last(), Some(&draft_key(&upload)), "a draft, until it was looked at");
        // The store tells, and nobody else does anything.
        assert_eq!(studio.tell(&draft_key(&upload)).await, StatusCode::NO_CONTENT);
        studio.app.settle().await;
        let seen = studio.look(&upload).await;
        assert_eq!((&seen["status"], &seen["videoId"]), (&json!("COMPLETED"), &Value::Null), "{seen:#}");
        let file = &seen["file"];
        assert!(file["id"].as_str().unwrap().starts_with("file_"), "{seen:#}");
        let told = (&file["purpose"], &file["contentType"], &file["sizeBytes"]);
        assert_eq!(told, (&json!(purpose), &json!(content_type), &json!(content.len())));
        assert!(file["deletionDueAt"].is_string(), "nothing refers to it yet");
        let row = format!("SELECT object_key FROM media_files WHERE id = '{}'", uuid_of(&upload));
        let key = studio.sql(&row).await;
        assert!(key.starts_with(&format!("files/{}/original-", uuid_of(&upload))), "{key}");
        assert_eq!(studio.storage.get(&key).await.unwrap().unwrap(), content);
        assert!(!studio.has(&draft_key(&upload)).await, "the draft is gone");

        // The URL is still good, and for nothing.
        assert_eq!(studio.put(&upload, vec![0; content.len()]).await.status(), StatusCode::OK);
        let mut again = event(&draft_key(&upload));
        again["Records"][0]["s3"]["object"]["sequencer"] = json!("0A1B2C3D4E5F678902");
        assert_eq!(studio.post(&again).await, StatusCode::NO_CONTENT);
        studio.app.settle().await;
        assert_eq!(studio.storage.get(&key).await.unwrap().unwrap(), content);
        assert!(!studio.has(&draft_key(&upload)).await);
    }
    assert_eq!(studio.sql("SELECT count(*) FROM videos").await, "0");
    assert_eq!(studio.sql("SELECT count(*) FROM events WHERE kind = 'video_uploaded'").await, "0");
    assert_eq!(studio.keys("").await.len(), 3, "the picture has a rendition");
    let query = "{ viewer { uploads(filter: { statuses: [COMPLETED] }) { nodes { purpose } } } }";
    let listed = studio.app.data(Some(&studio.ada.token), query, json!({})).await;
    assert_eq!(listed["viewer"]["uploads"]["nodes"], json!([{ "purpose": "FILE" }, { "purpose": "IMAGE" }]));
}

async fn a_file_in_parts_arrives_and_is_saved_under_its_name(studio: Studio) {
    let content = file(b"PK\x03\x04", 9 << 20);
    let upload = begin(&studio, "FILE", "application/zip", content.len(), true).await;
    studio.put_parts(&upload, &content).await;
    studio.app.app.clock.advance(chrono::TimeDelta::minutes(1));
    studio.app.run("media.watch_uploads").await;
    let key = format!("files/{}/original", uuid_of(&upload));
    assert_eq!(studio.sql("SELECT object_key FROM media_files").await, key);
    let url = studio.storage.presign_get(&key, std::time::Duration::from_secs(60)).await.unwrap();
    let got = crate::support::http::get(&url).await.unwrap();
    assert_eq!(got.headers()["content-disposition"], "attachment; filename*=UTF-8''a.bin");
    assert_eq!(got.headers()["content-type"], "application/zip");
    assert_eq!(got.bytes().await.unwrap(), content);
}

async fn what_a_file_is_decides_and_not_what_was_said_of_it(studio: Studio) {
    let html: &[u8] = b"<!doctype html><script>alert(1)</script>";
    for (purpose, said, content, why) in [
        ("IMAGE", "image/jpeg", PNG, "The file is image/png; image/jpeg was announced."),
        ("IMAGE", "image/png", html, "The file is not a JPEG, PNG or WebP picture."),
        ("FILE", "application/pdf", html, "The file does not begin as application/pdf does."),
        ("FILE", "text/plain", &[0; 40], "The file does not begin as text/plain does."),
    ] {
        let upload = begin(&studio, purpose, said, content.len(), false).await;
        assert_eq!(studio.put(&upload, content.to_vec()).await.status(), StatusCode::OK);
        let payload = studio.complete(&studio.ada, &upload).await;
        assert_eq!(payload["userErrors"][0]["message"], why, "{payload:#}");
        assert_eq!(studio.look(&upload).await["file"], Value::Null);
        studio.app.settle().await;
        assert_eq!(studio.keys("").await, [""; 0], "{why}");
    }
    let upload = begin(&studio, "FILE", "application/pdf", PDF.len(), false).await;
    studio.storage.put(&draft_key(&upload), "text/html", Bytes::from([PDF, b"more"].concat())).await.unwrap();
    let payload = studio.complete(&studio.ada, &upload).await;
    assert_eq!(payload["userErrors"][0]["message"], "The file has 20 bytes; 16 were announced.", "{payload:#}");
    assert_eq!(studio.sql("SELECT count(*) FROM media_files").await, "0");
}

async fn each_purpose_has_its_types_and_sizes(studio: Studio) {
    const MIB: u64 = 1 << 20;
    for (purpose, content_type, size, expected) in [
        ("IMAGE", "image/png", 10 * MIB, ""),
        ("IMAGE", "image/png", 10 * MIB + 1, "sizeBytes OUT_OF_RANGE"),
        ("IMAGE", "image/svg+xml", 1, "contentType INVALID"),
        ("IMAGE", "video/mp4", 1, "contentType INVALID"),
        ("FILE", "application/pdf", 500 * MIB, ""),
        ("FILE", "application/pdf", 500 * MIB + 1, "sizeBytes OUT_OF_RANGE"),
        ("FILE", "text/html", 1, "contentType INVALID"),
        ("FILE", "image/svg+xml", 1, "contentType INVALID"),
        ("FILE", "text/plain; charset=utf-8", 1, "contentType INVALID"),
        ("VIDEO", "image/png", 1, "contentType INVALID"),
        ("VIDEO", "video/mp4", 501 * MIB, ""),
    ] {
        let input = json!({ "purpose": purpose, "filename": "a", "contentType": content_type, "sizeBytes": size });
        let payload = studio.call(&studio.ada, "createUpload", "upload { id }", input).await;
        let error = &payload["userErrors"][0];
        let told = error["code"].as_str().map(|code| format!("{} {code}", error["field"][0].as_str().unwrap()));
        assert_eq!(told.unwrap_or_default(), expected, "{purpose} {content_type} {size}: {payload:#}");
    }
    // A name that others see has nothing in it that can't be seen.
    let input =
        json!({ "purpose": "FILE", "filename": "a\u{202e}fdp.exe", "contentType": "text/plain", "sizeBytes": 1 });
    let payload = studio.call(&studio.ada, "createUpload", "upload { id }", input).await;
    assert_eq!(payload["userErrors"][0]["field"], json!(["filename"]), "{payload:#}");
}

async fn others_know_nothing_of_a_file(studio: Studio) {
    let (eve, root) = (studio.app.user("Eve", Role::Instructor).await, studio.app.user("Root", Role::Admin).await);
    let sam = studio.app.user("Sam", Role::Student).await;
    let id = studio.uploaded(&studio.ada, "IMAGE", "image/png", OTHER_PNG).await;
    let query = "query ($id: ID!) { node(id: $id) { ... on MediaFile { filename } } }";
    let seen = json!({ "filename": "Plan B, größer.pdf" });
    for (user, expected) in [
        (Some(&studio.ada), &seen),
        (Some(&root), &seen),
        (Some(&eve), &Value::Null),
        (Some(&sam), &Value::Null),
        (None, &Value::Null),
    ] {
        let token = user.map(|user| user.token.as_str());
        assert_eq!(&studio.app.data(token, query, json!({ "id": id })).await["node"], expected, "{user:?}");
    }
    let create = format!(
        "mutation {{ createUpload(input: {{ purpose: IMAGE, filename: \"a\", contentType: \"image/png\", sizeBytes: 1 }}) {{ upload {{ {UPLOAD} }} }} }}"
    );
    let refused = studio.app.send(Some(&sam.token), &create, json!({})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN", "{refused:#}");
    // A video of the same time is no file, and the other way round.
    let upload = studio.sent("video/mp4", mp4(2000)).await;
    assert_eq!(studio.complete(&studio.ada, &upload).await["upload"]["file"], Value::Null);
}
