//! Adding people to the team: those who have an account, and those who are invited.

use chrono::TimeDelta;
use futures_util::future::join_all;

use super::*;
use crate::support::User;

const ADD: &str = "mutation ($input: AddTeamMemberInput!) { addTeamMember(input: $input) {
    user { id name role } invitation { id email name role sentAt expiresAt invitedBy { id } }
    userErrors { code field message } } }";
const ACCEPT: &str = "mutation ($input: AcceptTeamInvitationInput!) { acceptTeamInvitation(input: $input) {
    user { id name email role } accessToken userErrors { code field message } } }";
const REVOKE: &str = "mutation ($input: RevokeTeamInvitationInput!) { revokeTeamInvitation(input: $input) {
    invitationId userErrors { code field } } }";
const INVITATIONS: &str = "query ($first: Int, $after: String) { teamInvitations(first: $first, after: $after) {
    totalCount nodes { email role invitedBy { name } } pageInfo { hasNextPage endCursor } } }";

/// The payload of `addTeamMember`.
async fn add(app: &TestApp, by: &User, email: &str, role: &str) -> Value {
    let input = json!({ "email": email, "name": "Grace", "role": role });
    app.data(Some(&by.token), ADD, json!({ "input": input })).await["addTeamMember"].take()
}

/// The payload of `acceptTeamInvitation`.
async fn accept(app: &TestApp, token: &str) -> Value {
    let input = json!({ "token": token, "password": PASSWORD });
    app.data(None, ACCEPT, json!({ "input": input })).await["acceptTeamInvitation"].take()
}

/// The texts of the mails to an address since the last look at any.
async fn mails(app: &TestApp, email: &str) -> Vec<String> {
    app.settle().await;
    let mails = std::mem::take(&mut *app.mails.lock().unwrap());
    mails.into_iter().filter(|mail| mail.to == email).map(|mail| mail.text).collect()
}

/// The token of the link in the only mail to an address.
async fn mailed(app: &TestApp, email: &str) -> String {
    let mails = mails(app, email).await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    let (_, rest) = mails[0].split_once("/join?token=").unwrap();
    rest.split_whitespace().next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_student_gets_the_role_and_a_notice() {
    let app = TestApp::start().await;
    let (root, ada) = (app.user("Root", Role::Admin).await, app.user("Ada", Role::Student).await);
    let added = add(&app, &root, " ADA@people.example ", "INSTRUCTOR").await;
    let member = json!({ "id": ada.id, "name": "Ada", "role": "INSTRUCTOR" });
    assert_eq!(added, json!({ "user": member, "invitation": null, "userErrors": [] }), "and keeps the own name");
    let old = app.send(Some(&ada.token), VIEWER, json!({})).await;
    assert_eq!(code(&old), "UNAUTHENTICATED", "the old role is in the old token: {old:#}");
    let told = mails(&app, "ada@people.example").await;
    assert!(told.len() == 1 && told[0].contains("you are an instructor"), "{told:?}");
    assert_eq!(add(&app, &root, "ada@people.example", "INSTRUCTOR").await["user"], member, "nothing is left to do");
    assert!(mails(&app, "ada@people.example").await.is_empty(), "and nothing to tell");
    assert_eq!(app.sql("SELECT count(*) FROM audit_entries WHERE action = 'role_changed'").await, "1");
    let team =
        "{ users(filter: { roles: [INSTRUCTOR, ADMIN] }, sort: { field: NAME, direction: ASC }) { nodes { name } } }";
    let listed = app.data(Some(&root.token), team, json!({})).await;
    assert_eq!(listed["users"]["nodes"], json!([{ "name": "Ada" }, { "name": "Root" }]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_in_the_team_or_cannot_join_is_not_added() {
    let app = TestApp::start().await;
    let (root, ada) = (app.user("Root", Role::Admin).await, app.user("Ada", Role::Instructor).await);
    let (bob, eve) = (app.user("Bob", Role::Student).await, app.user("Eve", Role::Student).await);
    ban(&app, &root.token, &bob.id, Value::Null).await;
    app.sql("UPDATE users SET deletion_due_at = now() + interval '1 day' WHERE name = 'Eve'").await;
    for (email, role) in [
        ("ada@people.example", "ADMIN"),
        ("root@people.example", "INSTRUCTOR"),
        ("bob@people.example", "INSTRUCTOR"),
        ("eve@people.example", "INSTRUCTOR"),
    ] {
        let refused = add(&app, &root, email, role).await;
        assert_eq!((&refused["user"], &refused["invitation"]), (&Value::Null, &Value::Null), "{email}: {refused:#}");
        assert_eq!(user_error(&refused).0, "NOT_ALLOWED", "{email}: {refused:#}");
    }
    let roles = app.sql("SELECT string_agg(role, ' ' ORDER BY name) FROM users").await;
    assert_eq!(roles, "INSTRUCTOR STUDENT STUDENT ADMIN", "{ada:?} {bob:?} {eve:?}");
    let input = json!({ "email": "no address", "name": " ", "role": "STUDENT" });
    let wrong = app.data(Some(&root.token), ADD, json!({ "input": input })).await["addTeamMember"].take();
    let errors = wrong["userErrors"].as_array().unwrap();
    let found: Vec<(&Value, &Value)> = errors.iter().map(|error| (&error["field"][0], &error["code"])).collect();
    let expected = [("email", "INVALID"), ("name", "BLANK"), ("role", "INVALID")].map(|(a, b)| (json!(a), json!(b)));
    assert_eq!(found, expected.iter().map(|(field, code)| (field, code)).collect::<Vec<_>>(), "all at once");
    assert_eq!(app.sql("SELECT count(*) FROM team_invitations").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_no_account_is_invited_and_joins_with_a_password() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    let added = add(&app, &root, "Grace@people.example", "ADMIN").await;
    let invitation = &added["invitation"];
    let id = invitation["id"].as_str().unwrap();
    let expected = json!({ "id": id, "email": "grace@people.example", "name": "Grace", "role": "ADMIN",
        "sentAt": "2026-11-20T09:00:00+00:00", "expiresAt": "2026-11-27T09:00:00+00:00", "invitedBy": { "id": root.id } });
    assert_eq!(added, json!({ "user": null, "invitation": expected, "userErrors": [] }));
    assert!(app.mails.lock().unwrap().is_empty(), "no mail leaves inside the request");
    assert_eq!(app.sql("SELECT count(*) FROM users").await, "1", "nobody has an account yet");
    let token = mailed(&app, "grace@people.example").await;
    let events = app.sql("SELECT string_agg(payload::text, '') FROM events").await;
    let jobs = app.sql("SELECT string_agg(payload::text, '') FROM jobs").await;
    assert!(!events.contains(&token) && !jobs.contains(&token), "the link is in the mail only");

    let weak = app.data(None, ACCEPT, json!({ "input": { "token": token, "password": "short" } })).await;
    assert_eq!(user_error(&weak["acceptTeamInvitation"]).0, "TOO_SHORT", "which does not use the link up");
    let joined = accept(&app, &token).await;
    let grace =
        json!({ "id": joined["user"]["id"], "name": "Grace", "email": "grace@people.example", "role": "ADMIN" });
    assert_eq!((&joined["user"], &joined["userErrors"]), (&grace, &json!([])));
    let users = app.data(joined["accessToken"].as_str(), "{ users { totalCount } }", json!({})).await;
    assert_eq!(users["users"]["totalCount"], 2, "the role counts at once");
    assert!(sign_in(&app, "grace", PASSWORD).await["accessToken"].is_string());
    assert_eq!(app.sql("SELECT email_verified_at IS NOT NULL FROM users WHERE name = 'Grace'").await, "t");
    assert_eq!(user_error(&accept(&app, &token).await).0, "EXPIRED", "it is good once");
    let welcome = mails(&app, "grace@people.example").await;
    assert!(welcome.len() == 1 && welcome[0].contains("your account is ready"), "{welcome:?}");
    let trail = "{ auditEntries(last: 3) { nodes { action actor { name } subject { name } } } }";
    let trail = app.data(Some(&root.token), trail, json!({})).await;
    let told =
        |action: &str| trail["auditEntries"]["nodes"].as_array().unwrap().iter().any(|entry| entry["action"] == action);
    assert!(told("TEAM_MEMBER_INVITED") && told("TEAM_INVITATION_ACCEPTED"), "{trail:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_ends_when_it_is_old_withdrawn_replaced_or_its_sender_is_none_any_more() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    let ended = async |token: &str| user_error(&accept(&app, token).await).0 == "EXPIRED";
    let invited = async |by: &User, name: &str| {
        let email = format!("{name}@people.example");
        let added = add(&app, by, &email, "INSTRUCTOR").await;
        let id = added["invitation"]["id"].as_str().unwrap().to_owned();
        (id, mailed(&app, &email).await)
    };
    let (first, replaced) = invited(&root, "grace").await;
    let (second, token) = invited(&root, "grace").await;
    assert_ne!(first, second);
    assert!(ended(&replaced).await, "another one was sent");

    let revoke = async |id: &str| {
        let input = json!({ "input": { "invitationId": id } });
        app.data(Some(&root.token), REVOKE, input).await["revokeTeamInvitation"].take()
    };
    assert_eq!(revoke(&second).await, json!({ "invitationId": second, "userErrors": [] }));
    assert!(ended(&token).await, "withdrawn");
    assert_eq!(user_error(&revoke(&second).await).0, "NOT_FOUND");

    let (mallory, oscar) = (app.user("Mallory", Role::Admin).await, app.user("Oscar", Role::Admin).await);
    let ((_, banned), (_, demoted)) = (invited(&mallory, "one").await, invited(&oscar, "two").await);
    ban(&app, &root.token, &mallory.id, Value::Null).await;
    change_role(&app, &root.token, &oscar.id, "INSTRUCTOR").await;
    assert!(ended(&banned).await && ended(&demoted).await, "who was shut out leaves no back door");

    let ((_, good), (_, old)) = (invited(&root, "good").await, invited(&root, "old").await);
    let last = good.chars().next_back().unwrap();
    let forged = format!("{}{}", &good[..good.len() - 1], if last == 'A' { 'E' } else { 'A' });
    for token in [&*forged, "", "x", "\0"] {
        assert!(ended(token).await, "{token:?}");
    }
    assert_eq!(accept(&app, &good).await["userErrors"], json!([]));
    assert_eq!(app.sql("SELECT count(*) FROM users WHERE role = 'INSTRUCTOR'").await, "2", "Oscar and the good one");
    app.app.clock.advance(TimeDelta::days(7));
    assert!(ended(&old).await, "a week is over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gets_an_account_in_another_way_meanwhile_signs_in_with_that() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    add(&app, &root, "grace@people.example", "INSTRUCTOR").await;
    let token = mailed(&app, "grace@people.example").await;
    let grace = person(&app, "Grace", Role::Student).await;
    assert_eq!(user_error(&accept(&app, &token).await).0, "TAKEN", "nobody's password is replaced");
    assert_eq!(app.sql("SELECT role FROM users WHERE name = 'Grace'").await, "STUDENT");
    let added = add(&app, &root, "grace@people.example", "INSTRUCTOR").await;
    assert_eq!((&added["user"]["id"], &added["user"]["role"]), (&json!(grace), &json!("INSTRUCTOR")));
    assert_eq!(user_error(&accept(&app, &token).await).0, "EXPIRED", "there is nothing to be invited to any more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_one_invites_and_one_joins() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    for round in 0..3 {
        let email = format!("grace{round}@people.example");
        let added = join_all((0..4).map(|_| add(&app, &root, &email, "INSTRUCTOR"))).await;
        assert!(added.iter().all(|added| added["invitation"].is_object()), "{added:?}");
        assert_eq!(app.sql(&format!("SELECT count(*) FROM team_invitations WHERE email = '{email}'")).await, "1");
        let token = mailed(&app, &email).await;
        let joined = join_all((0..3).map(|_| accept(&app, &token))).await;
        let outcomes: Vec<&str> = joined.iter().map(|joined| user_error(joined).0).collect();
        let won = outcomes.iter().filter(|outcome| outcome.is_empty()).count();
        assert_eq!(won, 1, "round {round}: {outcomes:?}");
        assert!(outcomes.iter().all(|outcome| ["", "EXPIRED"].contains(outcome)), "round {round}: {outcomes:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn administrators_see_who_is_invited_and_nobody_else_does() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    for number in 0..21 {
        add(&app, &root, &format!("p{number:02}@people.example"), "INSTRUCTOR").await;
        app.app.clock.advance(TimeDelta::seconds(1));
    }
    let (mut seen, mut after) = (Vec::new(), Value::Null);
    loop {
        let data = app.data(Some(&root.token), INVITATIONS, json!({ "first": 8, "after": after })).await;
        let page = &data["teamInvitations"];
        assert_eq!(page["totalCount"], 21);
        seen.extend(page["nodes"].as_array().unwrap().iter().map(|node| node["email"].as_str().unwrap().to_owned()));
        assert!(seen.len() <= 21, "{page:#}");
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    let expected: Vec<String> = (0..21).rev().map(|number| format!("p{number:02}@people.example")).collect();
    assert_eq!(seen, expected, "the latest first");
    for size in [1, 20] {
        assert_eq!(app.statements(Some(&root.token), INVITATIONS, json!({ "first": size })).await, 2, "{size}");
    }
    app.app.clock.advance(TimeDelta::days(7));
    let data = app.data(Some(&app.user("New", Role::Admin).await.token), INVITATIONS, json!({})).await;
    assert_eq!(data["teamInvitations"]["totalCount"], 0, "what is over is not listed");
    let (ada, stu) = (app.user("Ada", Role::Instructor).await, app.user("Stu", Role::Student).await);
    let id = "invitation_01h455vb4pex5vsknk084sn02q";
    for (who, token, expected) in [
        ("anonymous", None, "UNAUTHENTICATED"),
        ("a student", Some(&*stu.token), "FORBIDDEN"),
        ("an instructor", Some(&*ada.token), "FORBIDDEN"),
    ] {
        for (query, variables) in [
            (INVITATIONS, json!({})),
            (ADD, json!({ "input": { "email": "me@people.example", "name": "Me", "role": "ADMIN" } })),
            (REVOKE, json!({ "input": { "invitationId": id } })),
        ] {
            let body = app.send(token, query, variables).await;
            assert_eq!(code(&body), expected, "{query} by {who}: {body:#}");
        }
    }
}
