//! A file's SHA-256: what was announced, what the store says, and what it really is.

use bytes::Bytes;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{PDF, Studio, draft_key, mp4, on_both_stores, parts_key};

on_both_stores!(
    an_announced_sum_is_signed_checked_and_kept,
    another_content_is_refused_however_it_came_and_fails_the_upload,
    a_sum_that_the_store_still_has_of_an_earlier_content_is_not_believed,
    the_sum_of_a_file_in_parts_is_computed,
    a_sum_has_to_be_one,
);

/// The SHA-256 as people write it.
pub(super) fn hex(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn begin(studio: &Studio, size: usize, multipart: bool, sum: &str) -> Value {
    let input = json!({ "filename": "a.mp4", "contentType": "video/mp4", "sizeBytes": size, "multipart": multipart,
        "sha256": sum });
    studio.begin_with(&studio.ada, input).await
}

async fn an_announced_sum_is_signed_checked_and_kept(studio: Studio) {
    let file = mp4(3000);
    let upload = begin(&studio, file.len(), false, &hex(&file).to_uppercase()).await;
    assert_eq!(upload["sha256"], hex(&file));
    let headers = upload["headers"].as_array().unwrap();
    assert_eq!(headers[1]["name"], "x-amz-checksum-sha256", "{headers:#?}");
    if studio.checks_signatures() {
        let url = upload["url"].as_str().unwrap();
        let bare = studio.app.client.put(url).header("content-type", "video/mp4").body(file.clone());
        let bare = bare.send().await.unwrap();
        assert_eq!(bare.status(), StatusCode::FORBIDDEN, "without the header that was signed");
    }
    assert_eq!(studio.put(&upload, file.clone()).await.status(), StatusCode::OK);
    let payload = studio.complete(&studio.ada, &upload).await;
    assert_eq!(payload["upload"]["status"], "COMPLETED", "{payload:#}");
    assert_eq!(studio.sql("SELECT encode(sha256, 'hex') FROM videos").await, hex(&file));
}

async fn another_content_is_refused_however_it_came_and_fails_the_upload(studio: Studio) {
    let (file, mut other) = (mp4(3000), mp4(3000));
    other[2999] ^= 1;
    let upload = begin(&studio, 3000, false, &hex(&file)).await;
    let put = studio.put(&upload, other.clone()).await.status();
    // moto does not look; nor would a store that knows no such header.
    assert_eq!(put, if studio.checks_signatures() { StatusCode::BAD_REQUEST } else { StatusCode::OK });
    studio.storage.put(&draft_key(&upload), "video/mp4", Bytes::from(other.clone())).await.unwrap();
    let payload = studio.complete(&studio.ada, &upload).await;
    let why = format!("The file's SHA-256 is {}; {} was announced.", hex(&other), hex(&file));
    let error = &payload["userErrors"][0];
    assert_eq!((&error["code"], &error["message"]), (&json!("INVALID"), &json!(why)), "{payload:#}");
    let seen = studio.look(&upload).await;
    assert_eq!((&seen["status"], &seen["failure"]), (&json!("FAILED"), &json!(why)));
    studio.app.settle().await;
    assert_eq!(studio.keys("").await, [""; 0]);
    assert_eq!(studio.sql("SELECT count(*) FROM videos").await, "0");
}

async fn a_sum_that_the_store_still_has_of_an_earlier_content_is_not_believed(studio: Studio) {
    let (file, mut other) = (mp4(3000), mp4(3000));
    other[2999] ^= 1;
    let upload = begin(&studio, 3000, false, &hex(&file)).await;
    assert_eq!(studio.put(&upload, file.clone()).await.status(), StatusCode::OK);
    // The embedded store refuses this, has it all the same, and goes on telling the sum of what was there before.
    drop(studio.put(&upload, other.clone()).await);
    let payload = studio.complete(&studio.ada, &upload).await;
    assert_eq!(studio.status(&upload).await, "FAILED", "{payload:#}");
    assert_eq!(studio.sql("SELECT count(*) FROM videos").await, "0");
}

async fn the_sum_of_a_file_in_parts_is_computed(studio: Studio) {
    let file = mp4(9 << 20);
    let right = begin(&studio, file.len(), true, &hex(&file)).await;
    assert_eq!(right["headers"], json!([]));
    studio.put_parts(&right, &file).await;
    let payload = studio.complete(&studio.ada, &right).await;
    assert_eq!(payload["upload"]["status"], "COMPLETED", "{payload:#}");
    assert_eq!(studio.sql("SELECT encode(sha256, 'hex') FROM videos").await, hex(&file));

    let wrong = begin(&studio, file.len(), true, &hex(b"something else")).await;
    studio.put_parts(&wrong, &file).await;
    let payload = studio.complete(&studio.ada, &wrong).await;
    let why = format!("The file's SHA-256 is {}; {} was announced.", hex(&file), hex(b"something else"));
    assert_eq!(payload["userErrors"][0]["message"], why, "{payload:#}");
    studio.app.settle().await;
    assert!(!studio.has(&parts_key(&wrong)).await);
    assert_eq!(studio.sql("SELECT count(*) FROM videos").await, "1");
}

async fn a_sum_has_to_be_one(studio: Studio) {
    for (sum, size, code) in [
        ("", 2000, "INVALID"),
        ("abc", 2000, "INVALID"),
        (&"g".repeat(64), 2000, "INVALID"),
        (&"a".repeat(66), 2000, "INVALID"),
        (&hex(PDF), 33_u64 << 30, "OUT_OF_RANGE NOT_ALLOWED"),
    ] {
        let input = json!({ "filename": "a", "contentType": "video/mp4", "sizeBytes": size, "sha256": sum });
        let payload = studio.call(&studio.ada, "createUpload", "upload { id }", input).await;
        let errors = payload["userErrors"].as_array().unwrap();
        let codes: Vec<_> = errors.iter().map(|error| error["code"].as_str().unwrap()).collect();
        assert_eq!(codes.join(" "), code, "{sum}: {payload:#}");
        assert_eq!(errors.last().unwrap()["field"], json!(["sha256"]));
    }
}
