//! `@skip` and `@include` through the API.

use serde_json::json;

use crate::support::TestApp;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_default_of_a_variable_decides_a_condition_when_no_value_is_sent() {
    let app = TestApp::start().await;
    let query = "query ($on: Boolean! = true, $off: Boolean = false) { courses(first: 1) {
        a: totalCount @include(if: $on) b: totalCount @skip(if: $on) c: totalCount @include(if: $off) d: totalCount @skip(if: $off) } }";
    // Twice: the second time the document is known.
    for _ in 0..2 {
        let data = app.data(None, query, json!({})).await;
        assert_eq!(data["courses"], json!({ "a": 0, "d": 0 }));
        let data = app.data(None, query, json!({ "on": false, "off": true })).await;
        assert_eq!(data["courses"], json!({ "b": 0, "c": 0 }));
    }
}
