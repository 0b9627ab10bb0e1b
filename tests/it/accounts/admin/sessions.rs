//! The sessions of a user and of everybody, and the last sign-in.

use chrono::TimeDelta;

use super::*;
use crate::support::User;

const ALL: &str = "query ($filter: SessionFilter, $first: Int, $last: Int, $after: String, $before: String) {
    sessions(filter: $filter, first: $first, last: $last, after: $after, before: $before) { totalCount
        nodes { id ip createdAt endedAt endReason user { name } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
const OF_USER: &str = "query ($id: ID!) { user(id: $id) { lastSignInAt sessions { totalCount nodes {
    id ip device { name } endedAt endReason isCurrent user { name } } } } }";

/// Ada signs in twice and Bob once, a minute apart, after Root did at nine, each from an address of their own.
async fn story(app: &TestApp) -> (User, String, String) {
    let root = app.user("Root", Role::Admin).await;
    let (ada, bob) = (person(app, "Ada", Role::Student).await, person(app, "Bob", Role::Student).await);
    for (name, ip) in [("ada", "192.0.2.7"), ("ada", "192.0.3.7"), ("bob", "2001:db8::7")] {
        app.app.clock.advance(TimeDelta::minutes(1));
        sign_in(app, name, PASSWORD).await;
        app.sql(&format!("UPDATE sessions SET ip = '{ip}' WHERE created_at = (SELECT max(created_at) FROM sessions)"))
            .await;
    }
    (root, ada, bob)
}

async fn all(app: &TestApp, root: &User, arguments: Value) -> Value {
    app.data(Some(&root.token), ALL, arguments).await["sessions"].take()
}

fn minutes(page: &Value) -> Vec<String> {
    let nodes = page["nodes"].as_array().unwrap().iter();
    nodes.map(|node| node["createdAt"].as_str().unwrap()[14..16].to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_sessions_are_listed_with_filters_newest_first() {
    let app = TestApp::start().await;
    let (root, ada, bob) = story(&app).await;
    app.app.clock.advance(TimeDelta::minutes(1));
    ban(&app, &root.token, &bob, Value::Null).await;
    app.sql("UPDATE sessions SET expires_at = '2026-11-20T09:03:30Z' WHERE ip = '192.0.2.7'").await;
    for (filter, expected) in [
        (json!(null), vec!["03", "02", "01", "00"]),
        (json!({ "userId": ada }), vec!["02", "01"]),
        (json!({ "ip": "192.0.2.7" }), vec!["01"]),
        (json!({ "ip": "192.0.2.0/24" }), vec!["01"]),
        (json!({ "ip": "192.0.2.9/23" }), vec!["02", "01"]),
        (json!({ "ip": "0.0.0.0/0" }), vec!["02", "01"]),
        (json!({ "ip": "2001:db8::/32" }), vec!["03"]),
        (json!({ "ip": "2001:DB8:0::7" }), vec!["03"]),
        (json!({ "ip": "10.0.0.0/8" }), vec![]),
        (json!({ "ip": "192.0.0.0/16", "userId": bob }), vec![]),
        (json!({ "isActive": true }), vec!["02", "00"]),
        (json!({ "isActive": false }), vec!["03", "01"]),
        (json!({ "isActive": true, "userId": ada }), vec!["02"]),
        (json!({ "createdFrom": "2026-11-20T09:01:00Z", "createdTo": "2026-11-20T09:03:00Z" }), vec!["02", "01"]),
    ] {
        let page = all(&app, &root, json!({ "filter": filter })).await;
        assert_eq!(minutes(&page), expected, "{filter}");
        assert_eq!(page["totalCount"], expected.len(), "{filter}");
    }
    let newest = all(&app, &root, json!({ "first": 1 })).await["nodes"][0].take();
    assert_eq!((&newest["user"]["name"], &newest["ip"]), (&json!("Bob"), &json!("2001:db8::7")));
    assert_eq!((&newest["endReason"], newest["endedAt"].is_string()), (&json!("BANNED"), true));
    for ip in ["home", "192.0.2.0/33", "192.0.2.0/x", ""] {
        let body = app.send(Some(&root.token), ALL, json!({ "filter": { "ip": ip } })).await;
        assert_eq!(code(&body), "BAD_USER_INPUT", "{ip}: {body:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_is_paged_both_ways() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    for number in 0..9 {
        // Several of each instant.
        app.user(&format!("P{number}"), Role::Student).await;
        if number % 3 == 2 {
            app.app.clock.advance(TimeDelta::seconds(1));
        }
    }
    let ids = |page: &Value| -> Vec<Value> {
        page["nodes"].as_array().unwrap().iter().map(|node| node["id"].clone()).collect()
    };
    let whole = ids(&all(&app, &root, json!({})).await);
    assert_eq!(whole.len(), 10);
    for (backward, size) in [(false, 4), (true, 4), (false, 1), (true, 1)] {
        let (count, cursor, more, end) = match backward {
            true => ("last", "before", "hasPreviousPage", "startCursor"),
            false => ("first", "after", "hasNextPage", "endCursor"),
        };
        let (mut seen, mut place) = (Vec::new(), Value::Null);
        loop {
            let page = all(&app, &root, json!({ count: size, cursor: place })).await;
            match backward {
                true => drop(seen.splice(0..0, ids(&page))),
                false => seen.extend(ids(&page)),
            }
            if page["pageInfo"][more] == false || seen.len() > 10 {
                break;
            }
            place = page["pageInfo"][end].clone();
        }
        assert_eq!(seen, whole, "by {size}, backward: {backward}");
    }
    let one = app.statements(Some(&root.token), ALL, json!({ "first": 1 })).await;
    let ten = app.statements(Some(&root.token), ALL, json!({ "first": 10 })).await;
    assert_eq!((one, ten), (3, 3), "sessions, their number, users");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_filter_has_an_index() {
    let app = TestApp::start().await;
    app.user("Root", Role::Admin).await;
    app.sql(
        "INSERT INTO users (id, email, name, role, created_at, updated_at)
        SELECT gen_random_uuid(), n || '@people.example', 'P', 'STUDENT', now(), now() FROM generate_series(1, 200) n;
        INSERT INTO sessions (id, user_id, user_agent, ip, created_at, last_used_at, expires_at, authenticated_at)
        SELECT gen_random_uuid(), ids[1 + n % 200], '', '10.0.' || (n / 256 % 256) || '.' || (n % 256),
            timestamptz '2026-01-01' + n * interval '1 second', now(), now(), now()
        FROM generate_series(1, 20000) n, (SELECT array_agg(id) AS ids FROM users) users",
    )
    .await;
    app.sql("ANALYZE sessions").await;
    let user = app.sql("SELECT id FROM users WHERE name = 'P' LIMIT 1").await;
    let plan = async |condition: &str| {
        app.sql(&format!(
            "EXPLAIN (FORMAT JSON) SELECT * FROM sessions WHERE {condition} ORDER BY created_at DESC, id DESC LIMIT 21"
        ))
        .await
    };
    for (condition, index) in [
        ("true", "sessions_created_at"),
        (&*format!("user_id = '{user}'"), "sessions_user_created_at"),
        ("ip::inet = '10.0.1.7'::inet", "sessions_ip"),
        ("ip::inet BETWEEN '10.0.1.0'::inet AND '10.0.1.15'::inet", "sessions_ip"),
        ("created_at >= '2026-01-01T03:00:00Z' AND created_at < '2026-01-01T03:01:00Z'", "sessions_created_at"),
    ] {
        let plan = plan(condition).await;
        assert!(plan.contains(&format!("\"{index}\"")), "{condition}: {plan}");
        assert!(!plan.contains("Seq Scan"), "{condition}: {plan}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_users_sessions_are_seen_by_the_user_and_administrators_only() {
    let app = TestApp::start().await;
    let (root, ada, _) = story(&app).await;
    let own = sign_in(&app, "ada", PASSWORD).await;
    let token = own["accessToken"].as_str().unwrap();
    let out = "mutation { signOut(input: { sessions: OTHERS }) { endedCount } }";
    assert_eq!(app.data(Some(token), out, json!({})).await["signOut"]["endedCount"], 2);
    for (who, current) in [(&*root.token, false), (token, true)] {
        let user = app.data(Some(who), OF_USER, json!({ "id": ada })).await["user"].take();
        assert_eq!(user["lastSignInAt"], "2026-11-20T09:03:00+00:00");
        assert_eq!(user["sessions"]["totalCount"], 3);
        let nodes = user["sessions"]["nodes"].as_array().unwrap();
        let ended: Vec<&Value> = nodes.iter().map(|node| &node["endReason"]).collect();
        assert_eq!(ended, [&Value::Null, &json!("REVOKED"), &json!("REVOKED")]);
        assert_eq!((&nodes[0]["isCurrent"], &nodes[0]["user"]["name"]), (&json!(current), &json!("Ada")));
        for node in nodes {
            let query = "query ($id: ID!) { node(id: $id) { id } }";
            let found = app.data(Some(who), query, json!({ "id": node["id"] })).await;
            assert_eq!(found["node"]["id"], node["id"]);
        }
    }
    let bob = sign_in(&app, "bob", PASSWORD).await;
    let session =
        app.data(Some(&root.token), OF_USER, json!({ "id": ada })).await["user"]["sessions"]["nodes"][0].take();
    for stranger in [None, bob["accessToken"].as_str()] {
        for field in ["lastSignInAt", "sessions { totalCount }"] {
            let query = format!("query ($id: ID!) {{ user(id: $id) {{ name {field} }} }}");
            let body = app.send(stranger, &query, json!({ "id": ada })).await;
            assert_eq!(code(&body), "FORBIDDEN", "{field}: {body:#}");
            assert_eq!(body["data"]["user"]["name"], "Ada", "the rest is there");
        }
        let found =
            app.data(stranger, "query ($id: ID!) { node(id: $id) { id } }", json!({ "id": session["id"] })).await;
        assert_eq!(found["node"], Value::Null);
    }
    // An API token of an administrator sees when, not where from.
    let input = json!({ "name": "Report", "scopes": ["READ_USERS"], "expiresAt": "2027-01-01T00:00:00Z" });
    let made = app.mutate(&root, "createApiToken", "token", input).await;
    let api = made["token"].as_str();
    let query = "query ($id: ID!) { user(id: $id) { lastSignInAt } }";
    assert!(app.data(api, query, json!({ "id": ada })).await["user"]["lastSignInAt"].is_string());
    let body = app.send(api, OF_USER, json!({ "id": ada })).await;
    assert_eq!((code(&body), &body["data"]["user"]["sessions"]), ("FORBIDDEN", &Value::Null), "{body:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_sign_in_outlives_its_session_and_comes_from_it_for_old_rows() {
    let app = TestApp::start().await;
    let (root, ada, bob) = story(&app).await;
    let eve = person(&app, "Eve", Role::Student).await;
    let last = async |id: &str| {
        let query = "query ($id: ID!) { user(id: $id) { lastSignInAt } }";
        app.data(Some(&root.token), query, json!({ "id": id })).await["user"]["lastSignInAt"].take()
    };
    assert_eq!(last(&eve).await, Value::Null, "she never did");
    // As written by a version without the column.
    app.sql("UPDATE users SET last_sign_in_at = NULL WHERE name = 'Bob'").await;
    assert_eq!(last(&bob).await, "2026-11-20T09:03:00+00:00");
    app.sql("DELETE FROM sessions WHERE user_id IN (SELECT id FROM users WHERE name <> 'Root')").await;
    assert_eq!(last(&ada).await, "2026-11-20T09:02:00+00:00");
    let list = "query ($first: Int) { users(first: $first) { nodes { name lastSignInAt } } }";
    let one = app.statements(Some(&root.token), list, json!({ "first": 1 })).await;
    let four = app.statements(Some(&root.token), list, json!({ "first": 4 })).await;
    assert_eq!((one, four), (2, 2));
}
