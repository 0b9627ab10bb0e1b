//! The audit trail as administrators read it.

use chrono::TimeDelta;

use super::*;
use crate::support::User;

const ENTRIES: &str = "query ($filter: AuditFilter, $first: Int, $last: Int, $after: String, $before: String) {
    auditEntries(filter: $filter, first: $first, last: $last, after: $after, before: $before) {
        totalCount nodes { id createdAt action actorId actor { name } subjectId subject { name } ip device { name browser os }
            requestId target { __typename id }
            details {
                __typename
                ... on AuditRoleChange { from to }
                ... on AuditBanDetails { reason endsAt }
                ... on AuditSessionDetails { sessionIds endReason }
                ... on AuditSignInFailure { isBanned isSocial message }
                ... on AuditAccessDetails { courseId expiresAt reason }
                ... on AuditInvitationDetails { invitationId email role invitedBy { name } }
                ... on AuditApiTokenDetails { apiTokenId name scopes expiresAt }
                ... on AuditIdentityDetails { identityId provider issuer }
                ... on AuditEmailChangeDetails { emailChangeId }
                ... on AuditDeletionDetails { dueAt }
                ... on AuditCourseTransfer { courseId previousInstructor { name } newInstructor { name } }
                ... on AuditCategoryDetails { categoryId categoryName categorySlug }
                ... on AuditChannelDetails { channelId channelName channelSlug }
                ... on AuditJobDetails { jobId kind }
            } }
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
    let until = json!("2027-01-01T00:00:00+00:00");
    let banned = json!({ "__typename": "AuditBanDetails", "reason": "Advertisements.", "endsAt": until });
    let role = json!({ "__typename": "AuditRoleChange", "from": "STUDENT", "to": "INSTRUCTOR" });
    let expected = [
        (6, "USER_UNBANNED", &by_root, &by_ada, Some(banned.clone())),
        (5, "USER_BANNED", &by_root, &by_ada, Some(banned.clone())),
        (4, "ROLE_CHANGED", &by_root, &by_ada, Some(role)),
        (3, "SIGNED_IN", &by_ada, &by_ada, None),
        (2, "SIGN_IN_FAILED", &nobody, &by_ada, Some(Value::Null)),
        (1, "SIGN_IN_FAILED", &nobody, &nobody, Some(Value::Null)),
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
    let signed_in = &page["nodes"][3];
    let session = &signed_in["details"]["sessionIds"][0];
    assert_eq!(signed_in["target"], json!({ "__typename": "Session", "id": session }));
    assert_eq!(page["nodes"][2]["target"], json!({ "__typename": "User", "id": ada }));
    assert_eq!(page["nodes"][5]["target"], Value::Null, "nobody has the address");
    for number in 0..6 {
        assert!(page["nodes"][number]["requestId"].as_str().unwrap().len() >= 8, "{page:#}");
    }
    assert_eq!(page["nodes"][6]["requestId"], Value::Null);
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
    assert_eq!((&future["action"], &future["details"]), (&Value::Null, &Value::Null), "{future:#}");
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
            ("nodes { createdAt action ip device { name } details { __typename } requestId }", 1),
            ("nodes { target { id ... on User { name } } }", 2),
            ("totalCount nodes { createdAt }", 2),
            ("nodes { actor { name email } subject { name ban { reason } } }", 2),
        ] {
            let query = format!("query ($first: Int!) {{ auditEntries(first: $first) {{ {query} }} }}");
            let statements = app.statements(Some(&root.token), &query, json!({ "first": size })).await;
            assert_eq!(statements, expected, "{size}: {query}");
        }
    }
}

/// An entry of an action with these details, as another version may have written it.
async fn write(app: &TestApp, action: &str, details: &Value) {
    app.sql(&format!(
        "INSERT INTO audit_entries (id, at, action, user_agent, details)
        VALUES (gen_random_uuid(), clock_timestamp(), '{action}', '', '{details}')"
    ))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn details_have_a_type_and_unknown_ones_break_no_page() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Engines", 1).await;
    let grant = json!({ "userId": ada.id, "courseId": course.id, "reason": "A secret." });
    app.mutate(&root, "grantCourseAccess", "entitlement { id }", grant).await;
    let newest = async || page(&app, &root, json!({ "first": 1 })).await["nodes"][0].take();
    let entry = newest().await;
    let expected =
        json!({ "__typename": "AuditAccessDetails", "courseId": course.id, "expiresAt": null, "reason": "A secret." });
    assert_eq!((&entry["details"], &entry["target"]["__typename"]), (&expected, &json!("Course")), "{entry:#}");
    let log = "{ viewer { securityLog { nodes { action requestId details { ... on AuditAccessDetails { courseId reason } } } } } }";
    let own = app.data(Some(&ada.token), log, json!({})).await["viewer"]["securityLog"]["nodes"][0].take();
    assert_eq!(own["details"], json!({ "courseId": course.id, "reason": "" }), "not for its subject");
    assert_eq!((&own["action"], &own["requestId"]), (&json!("COURSE_ACCESS_GRANTED"), &Value::Null));

    let input = json!({ "email": "new@people.example", "name": "New", "role": "INSTRUCTOR" });
    app.mutate(&root, "addTeamMember", "invitation { id }", input).await;
    let invited = newest().await;
    assert_eq!(
        (&invited["details"]["email"], &invited["details"]["role"]),
        (&json!("new@people.example"), &json!("INSTRUCTOR"))
    );
    assert_eq!(invited["target"], json!({ "__typename": "TeamInvitation", "id": invited["details"]["invitationId"] }));
    let revoked = json!({ "invitationId": invited["details"]["invitationId"] });
    app.mutate(&root, "revokeTeamInvitation", "invitationId", revoked).await;
    assert_eq!(newest().await["target"], Value::Null, "it is gone");

    let token = json!({ "name": "Importer", "scopes": ["READ_COURSES"], "expiresAt": "2027-01-01T00:00:00Z" });
    app.mutate(&root, "createApiToken", "apiToken { id }", token).await;
    let made = newest().await;
    assert_eq!((&made["details"]["name"], &made["details"]["scopes"]), (&json!("Importer"), &json!(["READ_COURSES"])));
    assert_eq!(made["target"]["id"], made["details"]["apiTokenId"]);

    for (action, details, ty) in [
        ("sessions_ended", json!({ "sessionIds": ["session_x"], "reason": "banned" }), "AuditSessionDetails"),
        ("sessions_ended", json!({ "sessionIds": [], "reason": "from_the_future" }), "AuditSessionDetails"),
        ("password_changed", json!({ "endedSessionIds": ["session_x", "session_y"] }), "AuditSessionDetails"),
        ("sign_in_failed", json!({ "banned": true }), "AuditSignInFailure"),
        ("sign_in_failed", json!({ "social": true, "why": ["No.", "Never."] }), "AuditSignInFailure"),
        ("api_token_used", json!({ "apiTokenId": "api_token_x" }), "AuditApiTokenDetails"),
        (
            "identity_linked",
            json!({ "identityId": "018f0000-0000-7000-8000-000000000000", "provider": "google" }),
            "AuditIdentityDetails",
        ),
        (
            "email_changed",
            json!({ "emailChangeId": "018f0000-0000-7000-8000-000000000000" }),
            "AuditEmailChangeDetails",
        ),
        ("account_given_up", json!({ "dueAt": "2027-01-01T00:00:00Z" }), "AuditDeletionDetails"),
        (
            "team_invitation_accepted",
            json!({ "invitationId": "invitation_x", "role": "ADMIN", "invitedBy": root.id }),
            "AuditInvitationDetails",
        ),
        (
            "team_invitation_accepted",
            json!({ "invitationId": "invitation_x", "role": "ADMIN", "invitedBy": "?" }),
            "AuditInvitationDetails",
        ),
        ("registered", json!({ "registrationId": "018f0000-0000-7000-8000-000000000000" }), ""),
        ("role_changed", json!({ "from": "STUDENT", "to": "EMPEROR" }), ""),
        ("user_banned", json!("spam"), ""),
        ("user_banned", json!({ "why": "spam" }), ""),
        ("signed_in", json!({ "sessionId": 7 }), ""),
        ("course_transferred", json!({ "courseId": null }), ""),
        ("channel_deleted", json!({ "channelId": "channel_x", "name": "Lab", "slug": "lab" }), "AuditChannelDetails"),
        (
            "category_archived",
            json!({ "categoryId": "category_x", "name": "Arts", "slug": "arts" }),
            "AuditCategoryDetails",
        ),
        ("job_replayed", json!({ "jobId": "job_x", "kind": "accounts.welcome" }), "AuditJobDetails"),
        ("job_replayed", json!({ "kind": "accounts.welcome" }), ""),
        ("order_refunded", json!({ "orderId": "order_x", "reason": "Late" }), "AuditRefundDetails"),
        ("payment_event_replayed", json!({ "paymentEventId": "payment_event_x" }), "AuditPaymentEventDetails"),
        ("from_the_future", json!({ "courseId": "comet_x" }), ""),
    ] {
        write(&app, action, &details).await;
        // The clock of the test stands before that of the database.
        let entry = newest().await;
        assert_eq!(entry["details"]["__typename"].as_str().unwrap_or_default(), ty, "{action} {details}: {entry:#}");
        assert_eq!(entry["target"], Value::Null, "{action} {details}");
        app.sql("UPDATE audit_entries SET at = '2026-11-20T08:00:00Z' WHERE at > '2026-11-21T00:00:00Z' OR at < '2026-11-20T00:00:00Z'").await;
    }
}
