//! The program as a process, with its own store: killed in the middle of an upload, and completing one by itself.

use std::time::Instant;

use serde_json::{Value, json};

use super::mp4;
use crate::support::process::{Node, Site};
use crate::support::socket::PATIENCE;

async fn begin(node: &Node, token: &str, size: usize, multipart: bool) -> Value {
    let query = "mutation ($input: CreateUploadInput!) { createUpload(input: $input) {
        upload { id url partSizeBytes partCount } userErrors { message } } }";
    let input = json!({ "filename": "a.mp4", "contentType": "video/mp4", "sizeBytes": size, "multipart": multipart });
    node.data(Some(token), query, json!({ "input": input })).await["createUpload"]["upload"].take()
}

/// Where to send the parts that are missing.
async fn missing(node: &Node, token: &str, upload: &Value) -> Vec<Value> {
    let query = "mutation ($input: UploadPartUrlsInput!) { uploadPartUrls(input: $input) {
        partUrls { number sizeBytes url } userErrors { message } } }";
    let data = node.data(Some(token), query, json!({ "input": { "uploadId": upload["id"] } })).await;
    data["uploadPartUrls"]["partUrls"].as_array().unwrap_or_else(|| panic!("{data:#}")).clone()
}

async fn put(node: &Node, url: &Value, bytes: &[u8]) {
    let request = node.client.put(url.as_str().unwrap()).header("content-type", "video/mp4");
    let answer = request.body(bytes.to_vec()).send().await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_in_parts_goes_on_where_a_killed_server_left_it() {
    let site = Site::new().await.seed(1);
    let file = mp4(20 << 20);
    let part = |number: usize| &file[(number - 1) * (8 << 20)..file.len().min(number * (8 << 20))];
    let mut node = site.serve().await;
    let ada = node.sign_in("instructor").await;
    let upload = begin(&node, &ada.token, file.len(), true).await;
    let urls = missing(&node, &ada.token, &upload).await;
    assert_eq!(urls.len(), 3);
    put(&node, &urls[1]["url"], part(2)).await;
    node.kill();

    let node = site.serve().await;
    let query = "query ($id: ID!) { upload(id: $id) { status parts { number sizeBytes } } }";
    let seen = node.data(Some(&ada.token), query, json!({ "id": upload["id"] })).await;
    assert_eq!(seen["upload"]["parts"], json!([{ "number": 2, "sizeBytes": 8 << 20 }]));
    let urls = missing(&node, &ada.token, &upload).await;
    assert_eq!(urls.iter().map(|url| url["number"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 3]);
    put(&node, &urls[0]["url"], part(1)).await;
    put(&node, &urls[1]["url"], part(3)).await;
    let query = "mutation ($input: CompleteUploadInput!) { completeUpload(input: $input) {
        upload { status videoId } userErrors { message } } }";
    let data = node.data(Some(&ada.token), query, json!({ "input": { "uploadId": upload["id"] } })).await;
    assert_eq!(data["completeUpload"]["upload"]["status"], "COMPLETED", "{data:#}");
    assert_eq!(site.sql("SELECT size_bytes FROM videos WHERE filename = 'a.mp4'").await, file.len().to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_store_tells_of_a_file_and_nobody_has_to_wait_for_it() {
    let site = Site::new().await.seed(1);
    let node = site.serve().await;
    let ada = node.sign_in("instructor").await;
    let upload = begin(&node, &ada.token, 2000, false).await;
    put(&node, &upload["url"], &mp4(2000)).await;
    let deadline = Instant::now() + PATIENCE;
    while site.sql("SELECT status FROM uploads").await != "COMPLETED" {
        assert!(Instant::now() < deadline, "never complete:\n{}", node.output());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // Told, not found by chance: the job that looks by itself leaves a new upload alone for most of a minute.
    assert_eq!(site.sql("SELECT count(*) > 0 FROM inbox WHERE source = 'storage'").await, "t");
    assert_eq!(site.sql("SELECT count(*) FROM videos WHERE filename = 'a.mp4'").await, "1");
}
