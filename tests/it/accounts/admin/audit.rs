//! The audit trail as administrators read it.

use chrono::TimeDelta;

use super::*;
use crate::support::User;

const ENTRIES: &str = "query ($filter: AuditFilter, $first: Int, $last: Int, $after: String, $before: String) {
    auditEntries(filter: $filter, first: $first, last: $last, after: $after, before: $before) {
        totalCount nodes { id createdAt action actorId actor { name } subjectId subject { name } ip device { name browser os } details }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

async fn page(app: &TestApp, root: &User, arguments: Value) -> Value {
    app.data(Some(&root.token), ENTRIES, arguments).await["auditEntries"].take()
}

fn ids(page: &Value) -> Vec<String> {
    page["nodes"].as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap().to_owned()).collect()
}

/// Signs in, or fails to, with a browser.
async fn knock(app: &TestApp, email: &str, password: &str) {
    let input = json!({ "email": email, "password": password });
    let body = json!({ "query": SIGN_IN, "variables": { "input": input } });
    let request = app.client.post(format!("{}/graphql", app.url)).header("user-agent", FIREFOX).json(&body);
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert!(answer.get("errors").is_none(), "{answer:#}");
}

/// Six things happen to Ada, or nearly, a minute apart, after Root signed in at nine.
async fn story(app: &TestApp) -> (User, String) {
    let root = app.user("Root", Role::Admin).await;
    let ada = person(app, "Ada", Role::Student).await;
    let minute = || app.app.clock.advance(TimeDelta::minutes(1));
    minute();
    knock(app, "eve@people.example", PASSWORD).await;
    minute();
    knock(app, "ada@people.example", "wrong horse battery").await;
    minute();
    knock(app, "ada@people.example", PASSWORD).await;
    minute();
    change_role(app, &root.token, &ada, "INSTRUCTOR").await;
    minute();
    ban(app, &root.token, &ada, json!("2027-01-01T00:00:00Z")).await;
    minute();
    app.data(Some(&root.token), UNBAN, json!({ "input": { "userId": ada } })).await;
    (root, ada)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_trail_tells_who_did_what_to_whom_when_and_from_where() {
    let app = TestApp::start().await;
    let (root, ada) = story(&app).await;
    let page = page(&app, &root, json!({})).await;
    assert_eq!(page["totalCount"], 7);
    let (by_root, by_ada) = ((json!(root.id), json!("Root")), (json!(ada), json!("Ada")));
    let nobody = (Value::Null, Value::Null);
    let until = json!("2027-01-01T00:00:00Z");
    let expected = [
        (6, "USER_UNBANNED", &by_root, &by_ada, Some(json!({ "reason": "Advertisements.", "endsAt": until }))),
        (5, "USER_BANNED", &by_root, &by_ada, Some(json!({ "reason": "Advertisements.", "endsAt": until }))),
        (4, "ROLE_CHANGED", &by_root, &by_ada, Some(json!({ "from": "STUDENT", "to": "INSTRUCTOR" }))),
        (3, "SIGNED_IN", &by_ada, &by_ada, None),
        (2, "SIGN_IN_FAILED", &nobody, &by_ada, Some(json!({}))),
        (1, "SIGN_IN_FAILED", &nobody, &nobody, Some(json!({}))),
        (0, "SIGNED_IN", &by_root, &by_root, None),
    ];
    for (entry, (minute, action, actor, subject, details)) in page["nodes"].as_array().unwrap().iter().zip(expected) {
        assert_eq!(entry["createdAt"], format!("2026-11-20T09:0{minute}:00+00:00"), "{entry:#}");
        assert_eq!(entry["action"], action, "{entry:#}");
        assert_eq!((&entry["actorId"], &entry["actor"]["name"]), (&actor.0, &actor.1), "{entry:#}");
        assert_eq!((&entry["subjectId"], &entry["subject"]["name"]), (&subject.0, &subject.1), "{entry:#}");
        assert!(entry["id"].as_str().unwrap().starts_with("audit_"), "{entry:#}");
        assert!(details.is_none_or(|details| entry["details"] == details), "{entry:#}");
    }
    let browser = json!({ "name": "Firefox on Linux", "browser": "Firefox", "os": "Linux" });
    for number in [3, 4, 5] {
        let entry = &page["nodes"][number];
        assert_eq!((&entry["ip"], &entry["device"]), (&json!("127.0.0.1"), &browser), "{entry:#}");
    }
    assert_eq!(page["nodes"][6]["ip"], Value::Null, "not over the network");
    assert!(page["nodes"][3]["details"]["sessionId"].is_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_trail_is_filtered_by_action_actor_subject_and_time() {
    let app = TestApp::start().await;
    let (root, ada) = story(&app).await;
    for (filter, minutes) in [
        (json!({ "actions": ["SIGNED_IN"] }), vec![3, 0]),
        (json!({ "actions": ["SESSIONS_ENDED"] }), vec![]),
        (json!({ "actorId": root.id }), vec![6, 5, 4, 0]),
        (json!({ "actorId": ada }), vec![3]),
        (json!({ "subjectId": ada }), vec![6, 5, 4, 3, 2]),
        (json!({ "actorId": root.id, "subjectId": ada, "actions": ["USER_BANNED"] }), vec![5]),
        (json!({ "createdFrom": "2026-11-20T09:02:00Z", "createdTo": "2026-11-20T09:04:00Z" }), vec![3, 2]),
        (json!({ "createdFrom": "2026-11-20T09:05:00Z", "subjectId": ada }), vec![6, 5]),
        (json!({ "createdTo": "0001-01-01T00:00:00Z" }), vec![]),
        (json!({ "actorId": "user_01h455vb4pex5vsknk084sn02q" }), vec![]),
    ] {
        let page = page(&app, &root, json!({ "filter": filter })).await;
        let found: Vec<&Value> = page["nodes"].as_array().unwrap().iter().map(|entry| &entry["createdAt"]).collect();
        let expected: Vec<String> = minutes.iter().map(|minute| format!("2026-11-20T09:0{minute}:00+00:00")).collect();
        assert_eq!(
            found,
            expected.iter().map(|at| json!(at)).collect::<Vec<_>>().iter().collect::<Vec<_>>(),
            "{filter}"
        );
        assert_eq!(page["totalCount"], minutes.len(), "{filter}");
    }
    let foreign =
        app.send(Some(&root.token), ENTRIES, json!({ "filter": { "actorId": "course_01h455vb4pex5vsknk084sn02q" } }));
    let message = foreign.await["errors"][0]["message"].to_string();
    assert!(message.contains("expected the id of a user"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_trail_outlives_people_and_versions() {
    let app = TestApp::start().await;
    let (root, ada) = story(&app).await;
    app.sql("DELETE FROM users WHERE name = 'Ada'").await;
    app.sql(
        "INSERT INTO audit_entries (id, at, action, user_agent, details)
        VALUES (gen_random_uuid(), '2026-11-20T10:00:00Z', 'from_the_future', '', '[1, null]')",
    )
    .await;
    let page = page(&app, &root, json!({})).await;
    let future = &page["nodes"][0];
    assert_eq!((&future["action"], &future["details"]), (&Value::Null, &json!([1, null])), "{future:#}");
    let banned = &page["nodes"][2];
    assert_eq!((&banned["subjectId"], &banned["subject"]), (&json!(ada), &Value::Null), "{banned:#}");
    assert_eq!(banned["actor"]["name"], "Root");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_trail_is_paged_newest_first_however_it_grows() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    let ada = person(&app, "Ada", Role::Student).await;
    // Several of each instant.
    for number in 0..24 {
        let role = ["INSTRUCTOR", "STUDENT"][number % 2];
        change_role(&app, &root.token, &ada, role).await;
        if number % 4 == 3 {
            app.app.clock.advance(TimeDelta::seconds(1));
        }
    }
    let whole = ids(&page(&app, &root, json!({ "first": 100 })).await);
    assert_eq!(whole.len(), 25);
    for (size, backward) in [(1, false), (7, false), (25, false), (1, true), (7, true), (25, true)] {
        let (count, cursor, more, end) = match backward {
            true => ("last", "before", "hasPreviousPage", "startCursor"),
            false => ("first", "after", "hasNextPage", "endCursor"),
        };
        let (mut seen, mut place) = (Vec::new(), Value::Null);
        loop {
            let page = page(&app, &root, json!({ count: size, cursor: place })).await;
            assert!(seen.len() <= 100, "{page:#}");
            match backward {
                true => drop(seen.splice(0..0, ids(&page))),
                false => seen.extend(ids(&page)),
            }
            if page["pageInfo"][more] == false {
                break;
            }
            place = page["pageInfo"][end].clone();
        }
        assert_eq!(seen, whole, "by {size}, backward: {backward}");
    }
    let first = page(&app, &root, json!({ "first": 5 })).await;
    change_role(&app, &root.token, &ada, "ADMIN").await;
    let second = page(&app, &root, json!({ "first": 5, "after": first["pageInfo"]["endCursor"] })).await;
    assert_eq!(ids(&second), whole[5..10], "what is new comes before");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_the_trail_costs_the_same_whatever_its_size() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    for number in 0..20 {
        let somebody = person(&app, &format!("P{number}"), Role::Student).await;
        change_role(&app, &root.token, &somebody, "INSTRUCTOR").await;
    }
    for size in [1, 20] {
        for (query, expected) in [
            ("nodes { createdAt action ip device { name } details }", 1),
            ("totalCount nodes { createdAt }", 2),
            ("nodes { actor { name email } subject { name ban { reason } } }", 2),
        ] {
            let query = format!("query ($first: Int!) {{ auditEntries(first: $first) {{ {query} }} }}");
            let statements = app.statements(Some(&root.token), &query, json!({ "first": size })).await;
            assert_eq!(statements, expected, "{size}: {query}");
        }
    }
}
