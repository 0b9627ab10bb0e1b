//! The audits of the GraphQL-over-HTTP draft, by the npm package `graphql-http`.

use std::path::Path;

use serde_json::Value;

use crate::support::TestApp;

/// The audits that the pinned version has.
const AUDITS: usize = 61;

/// What the draft recommends or allows and we do otherwise, by the audit's id, with the reason.
const EXCEPTIONS: [(&str, &str); 0] = [];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_draft_of_graphql_over_http_is_kept() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(root.join("console/node_modules/graphql-http").exists(), "run `npm ci` in console/");
    let app = TestApp::start().await;
    let mut node = tokio::process::Command::new("node");
    node.arg(root.join("tests/browser/audit.mjs")).arg(format!("{}/graphql", app.url)).kill_on_drop(true);
    let limit = std::time::Duration::from_secs(60);
    let output = tokio::time::timeout(limit, node.output()).await.unwrap().unwrap();
    let (printed, said) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr).into_owned());
    assert!(output.status.success(), "{printed}\n{said}");
    let audits: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(audits.len(), AUDITS, "{printed}\n{said}");

    let failed: Vec<&Value> = audits.iter().filter(|audit| audit["status"] != "ok").collect();
    let shown = failed
        .iter()
        .map(|audit| format!("{} {} {}: {}", audit["id"], audit["status"], audit["name"], audit["reason"]));
    let shown = shown.collect::<Vec<_>>().join("\n");
    assert!(failed.iter().all(|audit| audit["level"] != "MUST"), "{shown}");
    let mut ids: Vec<&str> = failed.iter().map(|audit| audit["id"].as_str().unwrap()).collect();
    let mut expected = EXCEPTIONS.map(|(id, _)| id).to_vec();
    ids.sort_unstable();
    expected.sort_unstable();
    assert_eq!(ids, expected, "what fails (left) is not what is listed (right):\n{shown}");
}
