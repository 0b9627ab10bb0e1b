//! The queue in the console: `jobs` and `replayJob`.

use chrono::TimeDelta;
use lyceum::platform::auth::Role;
use lyceum::platform::jobs::MAX_ATTEMPTS;
use serde_json::{Value, json};

use super::{FRAGILE, clear, count, drain, enqueue, handler, notes, registry, set};
use crate::support::{TestApp, User};

const LIST: &str = "query ($filter: JobFilter, $first: Int, $after: String, $last: Int, $before: String) {
    jobs(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
        totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        nodes { id kind state attempts createdAt runAt diedAt lastError } } }";
const REPLAY: &str = "mutation ($input: ReplayJobInput!) { replayJob(input: $input) {
    job { id state attempts diedAt lastError } userErrors { code field message } } }";

async fn jobs(app: &TestApp, root: &User, variables: Value) -> Value {
    app.data(Some(&root.token), LIST, variables).await["jobs"].take()
}

async fn replay(app: &TestApp, root: &User, id: &Value) -> Value {
    app.data(Some(&root.token), REPLAY, json!({ "input": { "jobId": id } })).await["replayJob"].take()
}

/// The first values of the nodes' field.
fn field(list: &Value, name: &str) -> Vec<Value> {
    list["nodes"].as_array().unwrap().iter().map(|node| node[name].clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_finds_a_dead_job_and_has_it_tried_again() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    app.settle().await;
    app.sql("DELETE FROM jobs RETURNING 1").await;
    let registry = registry([handler("fragile", FRAGILE)]);
    set(&app, "broken", "yes");
    enqueue(&app.app, "fragile", json!({ "name": "secret-payload" }), "key").await;
    let waiting = jobs(&app, &root, json!({})).await;
    assert_eq!((field(&waiting, "state"), field(&waiting, "kind")), (vec![json!("WAITING")], vec![json!("fragile")]));
    let id = waiting["nodes"][0]["id"].clone();
    assert!(id.as_str().unwrap().starts_with("job_"), "{id}");

    drain(&app.app, &registry).await;
    let retrying = jobs(&app, &root, json!({ "filter": { "states": ["RETRYING"] } })).await;
    assert_eq!((&retrying["totalCount"], &retrying["nodes"][0]["attempts"]), (&json!(1), &json!(1)), "{retrying:#}");
    let refused = replay(&app, &root, &id).await;
    assert_eq!((&refused["userErrors"][0]["code"], &refused["job"]), (&json!("NOT_ALLOWED"), &Value::Null));
    for _ in 1..MAX_ATTEMPTS {
        app.app.clock.advance(TimeDelta::hours(2));
        drain(&app.app, &registry).await;
    }
    // A worker has it in hand.
    enqueue(&app.app, "busy", json!({}), "busy").await;
    app.sql(
        "UPDATE jobs SET attempts = 1, leased_until = now() + interval '100 years' WHERE handler = 'busy' RETURNING 1",
    )
    .await;

    let root = app.user("Root again", Role::Admin).await;
    for (filter, kinds) in [
        (json!({ "states": ["DEAD"] }), vec!["fragile"]),
        (json!({ "states": ["RUNNING"] }), vec!["busy"]),
        (json!({ "states": ["RUNNING", "DEAD"], "kinds": ["fragile", "busy"] }), vec!["busy", "fragile"]),
        (json!({ "states": ["RETRYING"], "kinds": ["fragile", "busy"] }), vec![]),
        (json!({ "states": [] }), vec![]),
        (json!({ "kinds": ["nothing"] }), vec![]),
    ] {
        let found = jobs(&app, &root, json!({ "filter": filter })).await;
        assert_eq!(
            (field(&found, "kind"), &found["totalCount"]),
            (kinds.iter().map(|kind| json!(kind)).collect(), &json!(kinds.len())),
            "{filter}"
        );
    }
    let dead = jobs(&app, &root, json!({ "filter": { "states": ["DEAD"] } })).await["nodes"][0].take();
    assert_eq!(
        (&dead["id"], &dead["attempts"], &dead["lastError"]),
        (&id, &json!(MAX_ATTEMPTS), &json!("it is broken"))
    );
    assert!(dead["diedAt"].is_string() && !dead.to_string().contains("secret-payload"), "{dead:#}");
    let node =
        app.data(Some(&root.token), "query ($id: ID!) { node(id: $id) { ... on Job { kind } } }", json!({ "id": id }));
    assert_eq!(node.await["node"]["kind"], "fragile");

    clear(&app, "broken");
    let replayed = replay(&app, &root, &id).await;
    assert_eq!(replayed["userErrors"], json!([]));
    assert_eq!(
        (&replayed["job"]["state"], &replayed["job"]["attempts"]),
        (&json!("WAITING"), &json!(0)),
        "{replayed:#}"
    );
    let runs = notes(&app).len();
    drain(&app.app, &registry).await;
    assert_eq!((notes(&app).len(), count(&app, "jobs WHERE handler = 'fragile'").await), (runs + 1, 0));
    assert_eq!(replay(&app, &root, &id).await["userErrors"][0]["code"], "NOT_FOUND", "it is done");

    let query = "{ auditEntries(filter: { actions: [JOB_REPLAYED] }) { nodes { actorId subjectId target { id }
        details { ... on AuditJobDetails { jobId kind } } } } }";
    let entries = app.data(Some(&root.token), query, json!({})).await["auditEntries"]["nodes"].take();
    let expected = json!([{ "actorId": root.id, "subjectId": null, "target": null, "details": { "jobId": id, "kind": "fragile" } }]);
    assert_eq!(entries, expected, "once, for the one that was replayed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_queue_has_pages_that_cost_the_same_and_nobody_else_sees_it() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    let student = app.user("Stu", Role::Student).await;
    app.settle().await;
    app.sql("DELETE FROM jobs RETURNING 1").await;
    for number in 0..5 {
        enqueue(&app.app, &format!("kind-{number}"), json!({}), &number.to_string()).await;
    }
    let all = jobs(&app, &root, json!({})).await;
    let kinds: Vec<Value> = (0..5).rev().map(|number| json!(format!("kind-{number}"))).collect();
    assert_eq!((field(&all, "kind"), &all["totalCount"]), (kinds.clone(), &json!(5)), "newest first");
    let (mut seen, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = jobs(&app, &root, json!({ "first": 2, "after": after })).await;
        seen.extend(field(&page, "kind"));
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(seen, kinds);
    let before = jobs(&app, &root, json!({ "last": 2, "before": after })).await;
    assert_eq!(field(&before, "kind"), kinds[2..4]);

    let ids: Vec<Value> = field(&all, "id");
    let nodes = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Job { kind state } } }";
    let one = app.statements(Some(&root.token), nodes, json!({ "ids": [ids[0]] })).await;
    assert_eq!(app.statements(Some(&root.token), nodes, json!({ "ids": ids })).await, one);
    let page = |first: i32| app.statements(Some(&root.token), LIST, json!({ "first": first }));
    assert_eq!(page(1).await, page(5).await);
    for token in [None, Some(&*student.token)] {
        let found = app.data(token, nodes, json!({ "ids": ids })).await;
        assert_eq!(found["nodes"], json!([null, null, null, null, null]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_replay_a_job_one_does() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    enqueue(&app.app, "fragile", json!({}), "key").await;
    app.sql("UPDATE jobs SET dead_at = now(), attempts = 8 WHERE handler = 'fragile' RETURNING 1").await;
    let id = jobs(&app, &root, json!({ "filter": { "states": ["DEAD"] } })).await["nodes"][0]["id"].take();
    let (one, two) = tokio::join!(replay(&app, &root, &id), replay(&app, &root, &id));
    let done = [&one, &two].map(|payload| payload["job"].is_object());
    assert!(done[0] != done[1], "{one:#} {two:#}");
    assert_eq!(count(&app, "audit_entries WHERE action = 'job_replayed'").await, 1);
}
