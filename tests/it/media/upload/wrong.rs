//! Files that are not what they were said to be, and wishes that cannot be granted.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Studio, draft_key, file, mp4, on_both_stores, parts_key};

const WEBM: &[u8] = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm\x42\x87\x81\x04";
const MOV: &[u8] = b"\0\0\0\x14ftypqt  \0\0\0\0qt  ";

on_both_stores!(
    the_file_decides_and_not_what_was_said_of_it,
    a_file_in_parts_is_looked_at_too,
    what_cannot_be_uploaded_is_refused_at_once,
);

/// Puts something at a key past all URLs: as a store that checks no signatures lets everybody.
async fn smuggle(studio: &Studio, key: &str, content: Vec<u8>) {
    studio.storage.put(key, "video/mp4", Bytes::from(content)).await.unwrap();
}

async fn the_file_decides_and_not_what_was_said_of_it(studio: Studio) {
    let cases: [(&str, Vec<u8>, &str); 5] = [
        ("video/mp4", mp4(1999), "The file has 1999 bytes; 2000 were announced."),
        ("video/mp4", mp4(2001), "The file has 2001 bytes; 2000 were announced."),
        ("video/mp4", file(b"#!/bin/sh", 2000), "The file is not an MP4, QuickTime, WebM or Matroska video."),
        ("video/mp4", file(WEBM, 2000), "The file is video/webm; video/mp4 was announced."),
        ("video/webm", mp4(2000), "The file is video/mp4; video/webm was announced."),
    ];
    for (content_type, content, why) in cases {
        let upload = studio.begin(content_type, 2000, false).await;
        smuggle(&studio, &draft_key(&upload), content).await;
        let payload = studio.complete(&studio.ada, &upload).await;
        let error = &payload["userErrors"][0];
        assert_eq!((&error["code"], &error["message"]), (&json!("INVALID"), &json!(why)), "{payload:#}");
        let seen = studio.look(&upload).await;
        assert_eq!((&seen["status"], &seen["failure"]), (&json!("FAILED"), &json!(why)));
        assert_eq!(seen["url"], Value::Null);
        studio.app.settle().await;
        assert_eq!(studio.keys("").await, [""; 0], "{why}");
        // It was the store that told of the next one; the first stays failed.
        let again = studio.complete(&studio.ada, &upload).await;
        assert_eq!(again["userErrors"][0]["message"], why);
    }
    assert_eq!(studio.sql("SELECT count(*) FROM videos").await, "0");
    // What the ending of the name confuses is not a lie.
    let upload = studio.sent("video/mp4", file(MOV, 2000)).await;
    let payload = studio.complete(&studio.ada, &upload).await;
    assert_eq!(payload["upload"]["status"], "COMPLETED", "{payload:#}");
    assert_eq!(studio.sql("SELECT content_type FROM videos").await, "video/quicktime");
}

async fn a_file_in_parts_is_looked_at_too(studio: Studio) {
    let content = file(b"<html>", 9 << 20);
    let upload = studio.begin("video/mp4", content.len(), true).await;
    studio.put_parts(&upload, &content).await;
    let payload = studio.complete(&studio.ada, &upload).await;
    let why = "The file is not an MP4, QuickTime, WebM or Matroska video.";
    assert_eq!(payload["userErrors"][0]["message"], why, "{payload:#}");
    studio.app.settle().await;
    assert!(!studio.has(&parts_key(&upload)).await);
    assert_eq!(studio.keys("").await, [""; 0]);
    assert_eq!(studio.sql("SELECT count(*) FROM videos").await, "0");
}

async fn what_cannot_be_uploaded_is_refused_at_once(studio: Studio) {
    let input = |name: &str, content_type: &str, size: u64| json!({ "filename": name, "contentType": content_type, "sizeBytes": size });
    let all = studio.call(&studio.ada, "createUpload", "upload { id }", input(" ", "image/png", 0)).await;
    let told: Vec<_> =
        all["userErrors"].as_array().unwrap().iter().map(|error| (&error["code"], &error["field"][0])).collect();
    let expected = [("BLANK", "filename"), ("INVALID", "contentType"), ("OUT_OF_RANGE", "sizeBytes")];
    let expected = expected.map(|(code, field)| (json!(code), json!(field)));
    assert_eq!(told, expected.iter().map(|(code, field)| (code, field)).collect::<Vec<_>>(), "{all:#}");
    let large = studio.call(&studio.ada, "createUpload", "upload { id }", input("a", "video/mp4", (1 << 30) + 1)).await;
    assert_eq!(large["userErrors"][0]["code"], "OUT_OF_RANGE", "{large:#}");
    // The largest goes in parts without being asked.
    let largest = "upload { url partSizeBytes partCount }";
    let payload = studio.call(&studio.ada, "createUpload", largest, input("a", "video/mp4", 1 << 30)).await;
    assert_eq!(payload["upload"], json!({ "url": null, "partSizeBytes": 8 << 20, "partCount": 128 }));
    let upload = studio.begin("video/mp4", 20 << 20, true).await;
    for numbers in [json!([0]), json!([4]), json!([1, -1]), json!([]), json!(vec![1; 101])] {
        let input = json!({ "uploadId": upload["id"], "numbers": numbers });
        let payload = studio.call(&studio.ada, "uploadPartUrls", "partUrls { url }", input).await;
        assert_eq!(payload["userErrors"][0]["field"], json!(["numbers"]), "{payload:#}");
    }
    let whole = studio.begin("video/mp4", 2000, false).await;
    let payload =
        studio.call(&studio.ada, "uploadPartUrls", "partUrls { url }", json!({ "uploadId": whole["id"] })).await;
    assert_eq!(payload["userErrors"][0]["code"], "NOT_ALLOWED", "{payload:#}");
    // Three are in progress; of ten at once none gets through.
    let more =
        (0..10).map(|_| studio.call(&studio.ada, "createUpload", "upload { id }", input("a", "video/mp4", 2000)));
    for payload in futures_util::future::join_all(more).await {
        assert_eq!(payload["userErrors"][0]["code"], "NOT_ALLOWED", "{payload:#}");
    }
    assert_eq!(studio.sql("SELECT count(*) FROM uploads").await, "3");
}
