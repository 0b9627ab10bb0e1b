//! `viewer`: what is one's own, and the nodes that only their owners see.

use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::TestApp;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_viewer_has_what_is_theirs() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Student).await;
    let own = "{ viewer { id user { id } hasPassword secondFactorRequired pendingEmailChange { newEmail } secondFactor { enabledAt } } }";
    let data = app.data(Some(&ada.token), own, json!({})).await;
    let expected = json!({
        "id": ada.id.replace("user_", "viewer_"), "user": { "id": ada.id }, "hasPassword": true,
        "secondFactorRequired": false, "pendingEmailChange": null, "secondFactor": null,
    });
    assert_eq!(data["viewer"], expected);
    assert_eq!(app.data(None, own, json!({})).await["viewer"], Value::Null);
    // A field that is refused leaves the others.
    let mixed = app.send(Some(&ada.token), "{ viewer { user { name } courses { totalCount } } }", json!({})).await;
    assert_eq!(mixed["data"]["viewer"], json!({ "user": { "name": "Ada" }, "courses": null }));
    assert_eq!(mixed["errors"][0]["extensions"]["code"], "FORBIDDEN", "{mixed:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_somebodys_is_for_them_and_for_administrators() {
    let app = TestApp::start().await;
    let (ada, eve) = (app.user("Ada", Role::Student).await, app.user("Eve", Role::Student).await);
    let root = app.user("Root", Role::Admin).await;
    let ban = json!({ "userId": eve.id, "reason": "Advertisements." });
    app.mutate(&root, "banUser", "user { id }", ban).await;
    app.mutate(&root, "unbanUser", "user { id }", json!({ "userId": eve.id })).await;
    let invited = json!({ "email": "new@people.example", "name": "New", "role": "ADMIN" });
    let invitation = app.mutate(&root, "addTeamMember", "invitation { id }", invited).await;
    let mine = "{ viewer { sessions { nodes { id } } securityLog(last: 1) { nodes { id } } } }";
    let mine = app.data(Some(&ada.token), mine, json!({})).await;
    let trail = "query ($id: ID) { auditEntries(filter: { subjectId: $id, actions: [USER_BANNED] }) { nodes { id } } }";
    let trail = app.data(Some(&root.token), trail, json!({ "id": eve.id })).await;
    let node = "query ($id: ID!) { node(id: $id) { id ... on AuditEntry { ip } } }";
    let session = &mine["viewer"]["sessions"]["nodes"][0]["id"];
    let entry = &mine["viewer"]["securityLog"]["nodes"][0]["id"];
    let banned = &trail["auditEntries"]["nodes"][0]["id"];
    for (what, id, by_ada, by_eve, by_root) in [
        ("a session", session, true, false, true),
        ("an entry about Ada", entry, true, false, true),
        ("an entry about Eve", banned, false, false, true),
        ("an invitation", &invitation["invitation"]["id"], false, false, true),
    ] {
        assert!(id.is_string(), "{what}");
        for (who, sees) in [(&ada, by_ada), (&eve, by_eve), (&root, by_root)] {
            let body = app.send(Some(&who.token), node, json!({ "id": id })).await;
            assert_eq!(body["data"]["node"]["id"].is_string(), sees, "{what} for {}: {body:#}", who.id);
        }
        assert_eq!(app.data(None, node, json!({ "id": id })).await["node"], Value::Null, "{what} for nobody");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_security_log_does_not_say_from_where_others_acted() {
    let app = TestApp::start().await;
    let (ada, root) = (app.user("Ada", Role::Student).await, app.user("Root", Role::Admin).await);
    let course = app.course(&app.user("Ida", Role::Instructor).await, "Engines", 1).await;
    let access = json!({ "userId": ada.id, "courseId": course.id });
    app.mutate(&root, "grantCourseAccess", "entitlement { id }", access).await;
    app.sql("UPDATE audit_entries SET ip = '192.0.2.1', user_agent = 'curl/8.0' WHERE subject_id IS NOT NULL").await;
    let log = "{ viewer { securityLog { nodes { id action ip device { name } } } } }";
    let data = app.data(Some(&ada.token), log, json!({})).await;
    let entries = data["viewer"]["securityLog"]["nodes"].as_array().unwrap();
    for entry in entries {
        let others = entry["action"] == "COURSE_ACCESS_GRANTED";
        assert_eq!(entry["ip"].is_null(), others, "{entry:#}");
    }
    assert_eq!(entries.len(), 2, "the sign-in and the access: {data:#}");
    let granted = entries.iter().find(|entry| entry["ip"].is_null()).unwrap();
    let node = "query ($id: ID!) { node(id: $id) { ... on AuditEntry { ip } } }";
    let by = async |token: &str| app.data(Some(token), node, json!({ "id": granted["id"] })).await["node"]["ip"].take();
    assert_eq!((by(&ada.token).await, by(&root.token).await), (Value::Null, json!("192.0.2.1")));
}
