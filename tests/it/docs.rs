//! What the pages say is true.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::TestApp;

const README: &str = include_str!("../../README.md");

#[test]
fn the_settings_page_is_current() {
    let page = include_str!("../../docs/settings.md");
    assert!(page == lyceum::cli::config::table(), "docs/settings.md is out of date: run `make docs`");
}

/// The codes in the sources, where errors are made, and those of the page.
#[test]
fn the_page_of_errors_has_every_code_and_no_other() {
    let page = include_str!("../../docs/errors.md");
    let mut made: BTreeSet<String> = BTreeSet::new();
    let mut folders = vec![PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for line in text.lines() {
                let makes = ["request_error(", "Unread::new(", "TooMuch(", "=> \"", "\"GRAPHQL_"];
                let is_error = path.ends_with("graphql/error.rs") || !line.contains("=> \"");
                if is_error && makes.iter().any(|make| line.contains(make)) {
                    made.extend(line.split('"').skip(1).step_by(2).filter(|text| is_code(text)).map(str::to_owned));
                }
            }
        }
    }
    let rows = page.lines().filter(|line| line.starts_with("| `")).filter_map(|line| line.split('|').nth(1));
    let told = rows.flat_map(|cell| cell.split('`').skip(1).step_by(2)).filter(|text| is_code(text));
    let told: BTreeSet<String> = told.map(str::to_owned).collect();
    assert_eq!(told, made);
}

fn is_code(text: &str) -> bool {
    text.len() > 3 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_readmes_queries_work() {
    let app = TestApp::start().await;
    let body = README.split("-d '").nth(1).unwrap().split("'\n").next().unwrap().replace('\n', " ");
    let body: Value = serde_json::from_str(&body).unwrap();
    let data = app.data(None, body["query"].as_str().unwrap(), json!({})).await;
    assert_eq!(data["courses"], json!({ "totalCount": 0, "nodes": [] }));
    let example = |number: usize| README.split("```graphql\n").nth(number).unwrap().split("```").next().unwrap();
    let data = app.data(None, example(1), json!({})).await;
    assert_eq!(data["signIn"]["userErrors"][0]["code"], "WRONG_CREDENTIALS", "there is no demo data in this test");
    app.account("instructor@lyceum.example", "Ida", "learn-with-lyceum").await;
    let data = app.data(None, example(1), json!({})).await;
    let token = data["signIn"]["refreshToken"].as_str().unwrap();
    let data = app.data(None, &example(2).replace("lyr_…", token), json!({})).await;
    assert!(data["refreshSession"]["accessToken"].is_string(), "{data:#}");
}
