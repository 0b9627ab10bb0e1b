//! Mutations of many users: each has a result, and one that fails leaves the others.

use super::*;

const GHOST: &str = "user_00000000000000000000000001";
const RESULTS: &str = "results { id user { name role ban { reason } } userErrors { code field } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_are_banned_and_unbanned_and_one_that_fails_leaves_the_others() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    let (ada, bob) = (app.user("Ada", Role::Student).await, app.user("Bob", Role::Student).await);
    let ids = json!([ada.id, root.id, GHOST, bob.id]);
    let input = json!({ "userIds": ids, "reason": "Spam.", "endsAt": "2027-01-01T00:00:00Z" });
    let banned = app.mutate(&root, "bulkBanUsers", RESULTS, input.clone()).await;
    let error = |code: &str, place: &str| json!([{ "code": code, "field": ["userIds", place] }]);
    let expected = json!([
        { "id": ada.id, "user": { "name": "Ada", "role": "STUDENT", "ban": { "reason": "Spam." } }, "userErrors": [] },
        { "id": root.id, "user": null, "userErrors": error("NOT_ALLOWED", "1") },
        { "id": GHOST, "user": null, "userErrors": error("NOT_FOUND", "2") },
        { "id": bob.id, "user": { "name": "Bob", "role": "STUDENT", "ban": { "reason": "Spam." } }, "userErrors": [] },
    ]);
    assert_eq!(banned["results"], expected);
    for user in [&ada, &bob] {
        assert_eq!(code(&app.send(Some(&user.token), VIEWER, json!({})).await), "UNAUTHENTICATED");
    }
    assert_eq!(app.mutate(&root, "bulkBanUsers", RESULTS, input).await["results"], expected, "again is safe");
    let trail = "SELECT count(*) FROM audit_entries WHERE action = 'user_banned'";
    assert_eq!(app.sql(trail).await, "2");
    app.settle().await;
    assert_eq!(app.mails.lock().unwrap().len(), 2);

    let unbanned = app.mutate(&root, "bulkUnbanUsers", RESULTS, json!({ "userIds": [bob.id, GHOST] })).await;
    assert_eq!(unbanned["results"][0]["user"]["ban"], Value::Null);
    assert_eq!(unbanned["results"][1]["userErrors"], error("NOT_FOUND", "1"));
    assert_eq!(app.sql("SELECT string_agg(name, ' ') FROM users WHERE banned_at IS NOT NULL").await, "Ada");
    let wrong = json!({ "userIds": [bob.id], "reason": " " });
    let refused = app.mutate(&root, "bulkBanUsers", RESULTS, wrong).await;
    assert_eq!(refused["results"][0]["userErrors"], json!([{ "code": "BLANK", "field": ["reason"] }]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_role_of_many_changes_and_an_administrator_remains() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    let (ada, bob) = (app.user("Ada", Role::Student).await, app.user("Bob", Role::Student).await);
    let change = async |ids: Value, role: &str| {
        let input = json!({ "userIds": ids, "role": role });
        app.mutate(&root, "bulkChangeUserRole", RESULTS, input).await["results"].take()
    };
    let promoted = change(json!([ada.id, bob.id]), "INSTRUCTOR").await;
    for result in promoted.as_array().unwrap() {
        assert_eq!((&result["user"]["role"], &result["userErrors"]), (&json!("INSTRUCTOR"), &json!([])));
    }
    let demoted = change(json!([ada.id, root.id, bob.id]), "STUDENT").await;
    let roles: Vec<&Value> = demoted.as_array().unwrap().iter().map(|result| &result["user"]["role"]).collect();
    assert_eq!(roles, [&json!("STUDENT"), &Value::Null, &json!("STUDENT")]);
    assert_eq!(demoted[1]["userErrors"][0]["code"], "NOT_ALLOWED", "the last administrator: {demoted:#}");

    // Who is no longer an administrator after the first does nothing to the rest.
    app.user("Deputy", Role::Admin).await;
    let resigned = change(json!([root.id, ada.id]), "INSTRUCTOR").await;
    assert_eq!(resigned[0]["user"]["role"], "INSTRUCTOR");
    assert_eq!(resigned[1]["userErrors"], json!([{ "code": "NOT_ALLOWED", "field": ["userIds", "1"] }]));
    assert_eq!(app.sql("SELECT role FROM users WHERE name = 'Ada'").await, "STUDENT");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_input_that_is_wrong_as_a_whole_does_nothing() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    let ada = app.user("Ada", Role::Student).await;
    let many: Vec<String> =
        (0..101).map(|number| format!("user_000000000000000000000001{}{}", number / 10 % 10, number % 10)).collect();
    for (ids, code, field) in [
        (json!([]), "BLANK", json!(["userIds"])),
        (json!(many), "TOO_LONG", json!(["userIds"])),
        (json!([ada.id, GHOST, ada.id]), "INVALID", json!(["userIds", "2"])),
    ] {
        let input = json!({ "userIds": ids, "reason": "Spam." });
        let refused = app.payload(&root, "bulkBanUsers", RESULTS, input).await;
        assert_eq!(refused["results"], Value::Null);
        assert_eq!((&refused["userErrors"][0]["code"], &refused["userErrors"][0]["field"]), (&json!(code), &field));
    }
    assert_eq!(app.sql("SELECT count(*) FROM users WHERE banned_at IS NOT NULL").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_results_count_for_the_cost_of_the_operation() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    let query = "mutation ($input: BulkUnbanUsersInput!) { bulkUnbanUsers(input: $input) { results { user { id
        sessions(first: 100) { nodes { id user { id } } } } } } }";
    let body = app.send(Some(&root.token), query, json!({ "input": { "userIds": [root.id] } })).await;
    assert_eq!(code(&body), "TOO_COSTLY", "{body:#}");
}
