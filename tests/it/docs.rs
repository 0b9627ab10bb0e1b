//! What the pages say is true.

use serde_json::{Value, json};

use crate::support::TestApp;

const README: &str = include_str!("../../README.md");

#[test]
fn the_settings_page_is_current() {
    let page = include_str!("../../docs/settings.md");
    assert!(page == lyceum::cli::config::table(), "docs/settings.md is out of date: run `make docs`");
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
