//! Who may administer: everything by everybody.

use super::*;
use crate::support::User;

fn bulk(field: &str) -> String {
    let ty = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
    format!("mutation ($input: {ty}!) {{ {field}(input: $input) {{ results {{ id }} userErrors {{ code }} }} }}")
}

struct Scene {
    app: TestApp,
    people: [(&'static str, Option<User>); 4],
    /// Whom it is about.
    bob: User,
}

impl Scene {
    async fn new() -> Scene {
        let app = TestApp::start().await;
        let people = [
            ("anonymous", None),
            ("a student", Some(app.user("Stu", Role::Student).await)),
            ("an instructor", Some(app.user("Ada", Role::Instructor).await)),
            ("an administrator", Some(app.user("Root", Role::Admin).await)),
        ];
        let bob = app.user("Bob", Role::Student).await;
        Scene { app, people, bob }
    }

    fn operations(&self) -> Vec<(String, Value)> {
        let bob = &self.bob.id;
        vec![
            ("{ users { nodes { id } } }".into(), json!({})),
            ("{ users { totalCount } }".into(), json!({})),
            ("{ auditEntries { nodes { id } } }".into(), json!({})),
            ("{ jobs { nodes { id } } }".into(), json!({})),
            ("{ sessions { totalCount nodes { ip } } }".into(), json!({})),
            (bulk("bulkBanUsers"), json!({ "input": { "userIds": [bob], "reason": "Spam" } })),
            (bulk("bulkUnbanUsers"), json!({ "input": { "userIds": [bob] } })),
            (bulk("bulkChangeUserRole"), json!({ "input": { "userIds": [bob], "role": "INSTRUCTOR" } })),
            (BAN.into(), json!({ "input": { "userId": bob, "reason": "Spam" } })),
            (UNBAN.into(), json!({ "input": { "userId": bob } })),
            (CHANGE_ROLE.into(), json!({ "input": { "userId": bob, "role": "INSTRUCTOR" } })),
            (
                "mutation ($input: ReplayJobInput!) { replayJob(input: $input) { userErrors { code } } }".into(),
                json!({ "input": { "jobId": "job_00000000000000000000000000" } }),
            ),
        ]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_administrators_administer() {
    let scene = Scene::new().await;
    for ((who, user), expected) in scene.people.iter().zip(["UNAUTHENTICATED", "FORBIDDEN", "FORBIDDEN", ""]) {
        for (query, variables) in scene.operations() {
            let token = user.as_ref().map(|user| &*user.token);
            let body = scene.app.send(token, &query, variables).await;
            assert_eq!(code(&body), expected, "{query} by {who}: {body:#}");
            if !expected.is_empty() {
                let untouched =
                    scene.app.sql("SELECT role || coalesce(ban_reason, '') FROM users WHERE name = 'Bob'").await;
                assert_eq!(untouched, "STUDENT", "{query} by {who}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_and_a_ban_are_seen_by_their_user_and_administrators_only() {
    let scene = Scene::new().await;
    let root = scene.people[3].1.clone().unwrap();
    let query = "query ($id: ID!) { node(id: $id) { ... on User { name email ban { reason endsAt } } } }";
    let people: Vec<(&str, Option<User>, bool)> = scene
        .people
        .iter()
        .map(|(who, user)| (*who, user.clone(), *who == "an administrator"))
        .chain([("himself", Some(scene.bob.clone()), true)])
        .collect();
    for banned in [false, true] {
        for (who, user, sees) in &people {
            if banned && *who == "himself" {
                continue;
            }
            let token = user.as_ref().map(|user| &*user.token);
            let body = scene.app.send(token, query, json!({ "id": scene.bob.id })).await;
            let node = &body["data"]["node"];
            assert_eq!(node["name"], "Bob", "{who}: {body:#}");
            let (email, ban) = match (sees, banned) {
                (false, _) => (Value::Null, Value::Null),
                (true, false) => (json!("bob@people.example"), Value::Null),
                (true, true) => (json!("bob@people.example"), json!({ "reason": "Advertisements.", "endsAt": null })),
            };
            assert_eq!((&node["email"], &node["ban"]), (&email, &ban), "{who}: {body:#}");
            let codes: Vec<&Value> =
                body["errors"].as_array().into_iter().flatten().map(|error| &error["extensions"]["code"]).collect();
            let expected = if *sees { vec![] } else { vec!["FORBIDDEN", "FORBIDDEN"] };
            assert_eq!(codes, expected, "{who}: {body:#}");
        }
        ban(&scene.app, &root.token, &scene.bob.id, Value::Null).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demoted_administrator_whose_token_still_looks_good_changes_nothing() {
    let scene = Scene::new().await;
    let root = scene.people[3].1.clone().unwrap();
    // Behind the program's back: no node has learned that the token is outdated.
    scene.app.sql("UPDATE users SET role = 'STUDENT' WHERE name = 'Root'").await;
    // What reads needs a valid token only; the bulk mutations say it for each user (`bulk`).
    for (query, variables) in scene.operations().split_off(8) {
        let body = scene.app.send(Some(&root.token), &query, variables).await;
        assert_eq!(code(&body), "FORBIDDEN", "{query}: {body:#}");
    }
    assert_eq!(scene.app.sql("SELECT role FROM users WHERE name = 'Bob'").await, "STUDENT");
}
