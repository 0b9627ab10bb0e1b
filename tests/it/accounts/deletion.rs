//! Leaving: the time to change one's mind, and what is left afterwards.

use chrono::TimeDelta;
use lyceum::accounts::{self, ImportedUser};
use lyceum::platform::auth::Role;
use lyceum::platform::jobs::cron;
use serde_json::{Value, json};

use super::PASSWORD;
use crate::support::app::code_of;
use crate::support::{TestApp, User};

const SIGN_IN: &str = "mutation ($input: SignInInput!) { signIn(input: $input) {
    user { id } accessToken refreshToken userErrors { code } } }";
const REFRESH: &str = "mutation ($input: RefreshSessionInput!) { refreshSession(input: $input) {
    accessToken userErrors { code } } }";
const DELETE: &str = "mutation ($input: DeleteAccountInput!) { deleteAccount(input: $input) {
    user { id deletionDueAt } userErrors { code field } } }";
const CANCEL: &str = "mutation ($input: CancelAccountDeletionInput!) { cancelAccountDeletion(input: $input) {
    user { id deletionDueAt } userErrors { code field } } }";
const VIEWER: &str = "{ viewer { user { id deletionDueAt } } }";
const JOB: &str = "accounts.delete_due";

/// Somebody with a password.
pub(super) async fn member(app: &TestApp, name: &str, role: Role) -> User {
    let email = format!("{}@people.example", name.to_lowercase());
    let password_hash = app.app.passwords.hash(PASSWORD.to_owned()).await.unwrap();
    let person = ImportedUser { email: email.clone(), name: name.into(), role, password_hash };
    let made = accounts::import(&app.app, &[person]).await.unwrap();
    let signed_in = sign_in(app, &email).await;
    User { id: made[0].id.encode(), token: signed_in["accessToken"].as_str().unwrap().to_owned() }
}

pub(super) async fn sign_in(app: &TestApp, email: &str) -> Value {
    let input = json!({ "email": email, "password": PASSWORD });
    app.data(None, SIGN_IN, json!({ "input": input })).await["signIn"].take()
}

async fn delete(app: &TestApp, token: &str, password: Option<&str>) -> Value {
    app.data(Some(token), DELETE, json!({ "input": { "password": password } })).await["deleteAccount"].take()
}

async fn cancel(app: &TestApp, token: &str, input: Value) -> Value {
    app.send(Some(token), CANCEL, json!({ "input": input })).await
}

async fn is_refused(app: &TestApp, token: &str) -> bool {
    let body = app.send(Some(token), VIEWER, json!({})).await;
    body["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn giving_the_account_up_takes_the_password_and_ends_all_sessions() {
    let app = TestApp::start().await;
    let ada = member(&app, "Ada", Role::Student).await;
    let other = sign_in(&app, "ada@people.example").await;
    for password in [Some(""), Some("correct horse batterY"), Some(&*"x".repeat(300))] {
        let payload = delete(&app, &ada.token, password).await;
        let error = json!([{ "code": "WRONG_CREDENTIALS", "field": ["password"] }]);
        assert_eq!(payload, json!({ "user": null, "userErrors": error }), "{password:?}");
    }
    assert!(!is_refused(&app, &ada.token).await);
    let payload = delete(&app, &ada.token, Some(PASSWORD)).await;
    let due = "2026-12-04T09:00:00+00:00";
    assert_eq!(payload, json!({ "user": { "id": ada.id, "deletionDueAt": due }, "userErrors": [] }), "14 days on");
    assert!(is_refused(&app, &ada.token).await && is_refused(&app, other["accessToken"].as_str().unwrap()).await);
    let refreshed = app.data(None, REFRESH, json!({ "input": { "refreshToken": other["refreshToken"] } })).await;
    assert_eq!(refreshed["refreshSession"]["userErrors"][0]["code"], "SESSION_OVER");

    app.settle().await;
    // Once more: nothing new but the end of the new session.
    app.app.clock.advance(TimeDelta::days(1));
    let again = sign_in(&app, "ada@people.example").await;
    let token = again["accessToken"].as_str().unwrap();
    assert_eq!(app.data(Some(token), VIEWER, json!({})).await["viewer"]["user"]["deletionDueAt"], due);
    assert_eq!(delete(&app, token, Some(PASSWORD)).await["user"]["deletionDueAt"], due);
    assert!(is_refused(&app, token).await);
    app.settle().await;
    let mails = app.mails.lock().unwrap();
    assert_eq!(mails.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), ["ada@people.example"]);
    assert!(mails[0].text.contains("Hello Ada") && mails[0].text.contains("4 December 2026"), "{}", mails[0].text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_password_cannot_be_guessed_with_a_session_in_hand() {
    let app = TestApp::start().await;
    let ada = member(&app, "Ada", Role::Student).await;
    for _ in 0..5 {
        delete(&app, &ada.token, Some("a wrong password")).await;
    }
    let body = app.send(Some(&ada.token), DELETE, json!({ "input": { "password": PASSWORD } })).await;
    assert_eq!(body["errors"][0]["extensions"]["code"], "RATE_LIMITED", "{body:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_no_password_must_have_signed_in_recently() {
    let app = TestApp::with(&[("LYCEUM_DELETION_DAYS", "0"), ("LYCEUM_TOKEN_MINUTES", "60")]).await;
    let ada = app.user("Ada", Role::Student).await;
    app.sql("UPDATE users SET password_hash = NULL").await;
    let payload = delete(&app, &ada.token, None).await;
    assert_eq!(payload["user"]["deletionDueAt"], "2026-11-20T09:00:00+00:00", "{payload:#}");
    app.run(JOB).await;
    assert_eq!(app.sql("SELECT name FROM users").await, "Deleted user");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_changes_their_mind_in_time_keeps_everything() {
    let app = TestApp::start().await;
    let (ada, eve) = (member(&app, "Ada", Role::Student).await, app.user("Eve", Role::Instructor).await);
    let root = app.user("Root", Role::Admin).await;
    for by_root in [false, true] {
        let token = sign_in(&app, "ada@people.example").await["accessToken"].as_str().unwrap().to_owned();
        delete(&app, &token, Some(PASSWORD)).await;
        let body = cancel(&app, &eve.token, json!({ "userId": ada.id })).await;
        assert_eq!(body["errors"][0]["extensions"]["code"], "FORBIDDEN", "{body:#}");
        let body = if by_root {
            cancel(&app, &root.token, json!({ "userId": ada.id })).await
        } else {
            let token = sign_in(&app, "ada@people.example").await["accessToken"].as_str().unwrap().to_owned();
            cancel(&app, &token, json!({})).await
        };
        let kept = json!({ "user": { "id": ada.id, "deletionDueAt": null }, "userErrors": [] });
        assert_eq!(body["data"]["cancelAccountDeletion"], kept, "{body:#}");
    }
    assert!(cancel(&app, &root.token, json!({})).await["data"]["cancelAccountDeletion"]["user"].is_object());
    // Nobody is told what is no longer true.
    app.settle().await;
    assert!(app.mails.lock().unwrap().is_empty());
    app.app.clock.advance(TimeDelta::days(15));
    app.run(JOB).await;
    assert_eq!(app.sql("SELECT email FROM users WHERE name = 'Ada'").await, "ada@people.example");
    let actions = "SELECT string_agg(action, ' ' ORDER BY at, id) FROM audit_entries WHERE action LIKE 'account_%'";
    assert_eq!(app.sql(actions).await, "account_given_up account_kept account_given_up account_kept");
}

/// What goes with its user, with a row of Ada's in each. A new table belongs here and into `BELONGINGS`.
const BELONGINGS: [(&str, &str); 11] = [
    (
        "api_tokens",
        "INSERT INTO api_tokens VALUES (gen_random_uuid(), 'ADA', 'x', sha256('x'), '{READ_ACCOUNT}', now(), now() + interval '1 day')",
    ),
    (
        "certificates",
        "INSERT INTO certificates VALUES (gen_random_uuid(), '0123456789AB', 'ADA', NULL, 'A', 'Engines', now())",
    ),
    ("channel_invitations", "INSERT INTO channel_invitations SELECT id, 'ADA', owner_id, now() FROM channels LIMIT 1"),
    (
        "email_changes",
        "INSERT INTO email_changes VALUES (gen_random_uuid(), 'ADA', 'a@b.example', 'c@d.example', 5, now(), now() + interval '1 day')",
    ),
    (
        "enrollments",
        "INSERT INTO enrollments (id, user_id, course_id, since) SELECT id, 'ADA', id, now() FROM courses LIMIT 1",
    ),
    (
        "identities",
        "INSERT INTO identities VALUES (gen_random_uuid(), 'issuer', 'subject', 'ADA', 'a@b.example', now(), now())",
    ),
    (
        "identity_attempts",
        "INSERT INTO identity_attempts VALUES (sha256('x'), sha256('y'), 'p', 'n', 'v', 'u', 'ADA', now())",
    ),
    ("players", "INSERT INTO players VALUES (gen_random_uuid(), 'ADA', now())"),
    ("second_factors", "INSERT INTO second_factors VALUES ('ADA', 'secret', now(), now(), 0)"),
    // The test signs in.
    ("sessions", ""),
    ("sign_in_challenges", "INSERT INTO sign_in_challenges VALUES (sha256('x'), 'ADA', now(), 5)"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_the_person_is_left_but_what_others_need() {
    let app = TestApp::start().await;
    let peer = app.peer().await;
    let ada = member(&app, "Ada", Role::Instructor).await;
    let (_, root) = (member(&app, "Eve", Role::Student).await, member(&app, "Root", Role::Admin).await);
    let profile = json!({ "bio": "Countess.", "locale": "en", "timeZone": "UTC" });
    app.mutate(&ada, "updateProfile", "user { id }", profile).await;
    let course = app.course(&ada, "Engines", 1).await;
    app.sql(
        "INSERT INTO media_files (id, owner_id, purpose, filename, object_key, content_type, size_bytes, created_at) \
         SELECT id, id, 'IMAGE', 'me', 'files/ada', 'image/png', 7, now() FROM users WHERE name = 'Ada'",
    )
    .await;
    app.sql("INSERT INTO file_references SELECT id, 'user', id FROM media_files").await;
    app.sql("UPDATE users SET avatar_id = id WHERE name = 'Ada'").await;
    app.sql("UPDATE audit_entries SET ip = '203.0.113.7', user_agent = 'Some browser'").await;
    app.sql("INSERT INTO jobs (id, handler, payload, dedupe_key, created_at, run_at, dead_at) SELECT gen_random_uuid(), \
        'accounts.warn_of_replay', json_build_object('user_id', id, 'ip', '203.0.113.7'), name, now(), now(), now() FROM users").await;
    let wrong = json!({ "input": { "email": "ada@people.example", "password": "a wrong password" } });
    app.data(None, SIGN_IN, wrong).await;
    let input = json!({ "userId": ada.id, "role": "STUDENT" });
    app.mutate(&root, "changeUserRole", "user { id }", input).await;
    let before = sign_in(&app, "ada@people.example").await;
    delete(&app, before["accessToken"].as_str().unwrap(), Some(PASSWORD)).await;
    app.settle().await;
    app.app.clock.advance(TimeDelta::days(14) - TimeDelta::seconds(1));
    app.run(JOB).await;
    assert_eq!(app.sql("SELECT count(*) FROM users WHERE deleted_at IS NOT NULL").await, "0", "a second too early");
    // A session of the last minute.
    let last = sign_in(&app, "ada@people.example").await;
    let token = last["accessToken"].as_str().unwrap();
    for node in [&app, &peer] {
        assert!(!is_refused(node, token).await);
    }
    let id = app.sql("SELECT id FROM users WHERE name = 'Ada'").await;
    for (table, row) in BELONGINGS {
        app.sql(&row.replace("ADA", &id)).await;
        assert_ne!(app.sql(&format!("SELECT count(*) FROM {table} WHERE user_id = '{id}'")).await, "0", "{table}");
    }
    let cascading = "SELECT string_agg(conrelid::regclass::text, ' ' ORDER BY 1) FROM pg_constraint \
        WHERE contype = 'f' AND confdeltype = 'c' AND confrelid = 'users'::regclass";
    let mut cascading: Vec<String> = app.sql(cascading).await.split(' ').map(str::to_owned).collect();
    cascading.sort();
    assert_eq!(cascading, BELONGINGS.map(|(table, _)| table), "what goes with its user");

    app.app.clock.advance(TimeDelta::seconds(1));
    tokio::join!(app.run(JOB), peer.run(JOB));
    tokio::join!(app.settle(), peer.settle());
    // What the other node has dispatched meanwhile.
    app.settle().await;
    for (table, _) in BELONGINGS {
        assert_eq!(app.sql(&format!("SELECT count(*) FROM {table} WHERE user_id = '{id}'")).await, "0", "{table}");
    }
    let row = app.sql(&format!("SELECT to_jsonb(users) - 'created_at' FROM users WHERE id = '{id}'")).await;
    // Ids are hexadecimal and random: one in some hundred has an "ada" of its own.
    let words = row.replace(&id, "").replace(&id.replace('-', ""), "");
    for personal in ["ada", "Ada", "Countess", "argon2", "UTC", "\"en\""] {
        assert!(!words.contains(personal), "{personal}: {row}");
    }
    let row: Value = serde_json::from_str(&row).unwrap();
    assert_eq!((&row["name"], &row["role"]), (&json!("Deleted user"), &json!("STUDENT")));
    let administrator = sign_in(&app, "root@people.example").await;
    let list = "{ users(filter: { query: \"deleted\" }) { totalCount } }";
    let listed = app.data(administrator["accessToken"].as_str(), list, json!({})).await;
    assert_eq!(listed["users"]["totalCount"], 0, "nobody is listed who is nobody");
    assert_eq!(
        app.sql("SELECT count(*) FROM events WHERE kind = 'user_deleted'").await,
        "1",
        "two nodes, one deletion"
    );
    let trail = format!(
        "SELECT count(*) FROM audit_entries WHERE (actor_id = '{id}' OR (subject_id = '{id}' \
        AND actor_id IS NULL)) AND (ip IS NOT NULL OR user_agent <> '' OR details <> '{{}}')"
    );
    assert_eq!(app.sql(&trail).await, "0");
    let kept =
        format!("SELECT string_agg(DISTINCT action, ' ' ORDER BY action) FROM audit_entries WHERE subject_id = '{id}'");
    let actions = "account_deleted account_given_up role_changed sessions_ended sign_in_failed signed_in";
    assert_eq!(app.sql(&kept).await, actions, "that something was done stays");
    let others =
        "SELECT count(*) FROM audit_entries WHERE action = 'role_changed' AND details ->> 'from' = 'INSTRUCTOR'";
    assert_eq!(app.sql(others).await, "1", "what the administrator did stays as it is");
    let dead =
        app.sql("SELECT string_agg(dedupe_key, ' ' ORDER BY dedupe_key) FROM jobs WHERE dead_at IS NOT NULL").await;
    assert_eq!(dead, "Eve Root", "what failed for the person is forgotten");
    let unused = "SELECT filename || ' ' || (unused_since <= recorded_at - interval '6 days')::text FROM media_files, events \
        WHERE kind = 'user_deleted'";
    assert_eq!(app.sql(unused).await, "deleted true", "the next sweep deletes the picture");

    // Nobody gets in any more, on any node.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !is_refused(&peer, token).await {
        assert!(std::time::Instant::now() < deadline, "the other node learns of it");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(is_refused(&app, token).await);
    let refreshed = app.data(None, REFRESH, json!({ "input": { "refreshToken": last["refreshToken"] } })).await;
    assert_eq!(refreshed["refreshSession"]["userErrors"][0]["code"], "SESSION_OVER");
    for email in ["ada@people.example", row["email"].as_str().unwrap()] {
        assert_eq!(sign_in(&app, email).await["userErrors"][0]["code"], "WRONG_CREDENTIALS", "{email}");
    }
    let root = sign_in(&app, "root@people.example").await["accessToken"].as_str().unwrap().to_owned();
    let input = json!({ "userId": ada.id, "role": "ADMIN" });
    let change = "mutation ($input: ChangeUserRoleInput!) { changeUserRole(input: $input) { userErrors { code } } }";
    let body = app.send(Some(&root), change, json!({ "input": input })).await;
    assert_eq!(code_of(&body), "NOT_FOUND", "{body:#}");
    assert_eq!(code_of(&cancel(&app, &root, json!({ "userId": ada.id })).await), "NOT_FOUND");

    // The course stays, without a name; others are untouched; the address is free.
    let query = "query ($slug: String!) { course(slug: $slug) { title instructor { id name bio avatar { url } } } }";
    // The other node may have deleted the account: this one hears of it within a second.
    let mut data = app.data(None, query, json!({ "slug": course.slug })).await;
    while data["course"]["instructor"]["name"] == "Ada" && std::time::Instant::now() < deadline {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        data = app.data(None, query, json!({ "slug": course.slug })).await;
    }
    let nobody = json!({ "id": ada.id, "name": "Deleted user", "bio": "", "avatar": null });
    assert_eq!(data["course"], json!({ "title": "Engines", "instructor": nobody }));
    assert!(sign_in(&app, "eve@people.example").await["accessToken"].is_string());
    assert_ne!(member(&app, "Ada", Role::Student).await.id, ada.id);
    let before = app.sql("SELECT md5(string_agg(users::text, '' ORDER BY id)) FROM users").await;
    app.run(JOB).await;
    assert_eq!(
        app.sql("SELECT md5(string_agg(users::text, '' ORDER BY id)) FROM users").await,
        before,
        "once is enough"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clock_deletes_and_one_who_cannot_be_deleted_does_not_hold_up_the_others() {
    let app = TestApp::start().await;
    let registry = lyceum::app::registry().unwrap();
    cron::tick(&app.app, &registry).await.unwrap();
    for name in ["Ada", "Bob", "Cleo"] {
        app.user(name, Role::Student).await;
    }
    app.sql("UPDATE users SET deletion_due_at = '2026-11-20 09:30+00'").await;
    // Bob's row can't be written.
    app.sql("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$").await;
    app.sql(
        "CREATE TRIGGER refuse BEFORE UPDATE ON users FOR EACH ROW WHEN (OLD.name = 'Bob') EXECUTE FUNCTION refuse()",
    )
    .await;
    app.app.clock.advance(TimeDelta::hours(2));
    cron::tick(&app.app, &registry).await.unwrap();
    app.settle().await;
    assert_eq!(app.sql("SELECT count(*) FROM users WHERE deleted_at IS NOT NULL").await, "2");
    assert_eq!(app.sql(&format!("SELECT attempts FROM jobs WHERE handler = '{JOB}'")).await, "1", "it is tried again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_administrator_who_stays_cannot_leave() {
    let app = TestApp::start().await;
    let (one, two) = (member(&app, "One", Role::Admin).await, member(&app, "Two", Role::Admin).await);
    assert!(delete(&app, &one.token, Some(PASSWORD)).await["user"].is_object(), "the other one stays");
    let payload = delete(&app, &two.token, Some(PASSWORD)).await;
    assert_eq!(payload["userErrors"], json!([{ "code": "NOT_ALLOWED", "field": [] }]), "{payload:#}");
    assert!(!is_refused(&app, &two.token).await);
    // Nor is the one who leaves counted when the other is to step down.
    let change = "mutation ($input: ChangeUserRoleInput!) { changeUserRole(input: $input) { userErrors { code } } }";
    let input = json!({ "userId": two.id, "role": "STUDENT" });
    let data = app.data(Some(&two.token), change, json!({ "input": input })).await;
    assert_eq!(data["changeUserRole"]["userErrors"][0]["code"], "NOT_ALLOWED");
    // Demoting the one who leaves is fine, and so is leaving once the other has changed their mind.
    let token = sign_in(&app, "one@people.example").await["accessToken"].as_str().unwrap().to_owned();
    cancel(&app, &token, json!({})).await;
    assert!(delete(&app, &two.token, Some(PASSWORD)).await["user"].is_object());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_administrators_who_leave_at_once_one_stays() {
    let app = TestApp::start().await;
    for round in 0..5 {
        let one = member(&app, &format!("One{round}"), Role::Admin).await;
        let two = member(&app, &format!("Two{round}"), Role::Admin).await;
        let (first, second) =
            tokio::join!(delete(&app, &one.token, Some(PASSWORD)), delete(&app, &two.token, Some(PASSWORD)));
        let gone = [&first, &second].iter().filter(|payload| payload["user"].is_object()).count();
        assert_eq!(gone, 1, "round {round}: {first:#} {second:#}");
        app.sql("UPDATE users SET role = 'STUDENT'").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_or_a_change_of_mind_at_the_last_moment_wins_or_loses_but_nothing_between() {
    let app = TestApp::start().await;
    for round in 0..8 {
        let name = format!("Ada{round}");
        let ada = member(&app, &name, Role::Student).await;
        app.sql(&format!("UPDATE users SET deletion_due_at = '2026-11-20 09:00+00' WHERE name = '{name}'")).await;
        let email = format!("{}@people.example", name.to_lowercase());
        let (signed_in, kept, ()) =
            tokio::join!(sign_in(&app, &email), cancel(&app, &ada.token, json!({})), app.run(JOB));
        let uuid = app.sql("SELECT id FROM users ORDER BY created_at DESC, id DESC LIMIT 1").await;
        let deleted = app.sql(&format!("SELECT deleted_at IS NOT NULL FROM users WHERE id = '{uuid}'")).await == "t";
        let sessions = app.sql(&format!("SELECT count(*) FROM sessions WHERE user_id = '{uuid}'")).await;
        if deleted {
            assert!(kept["data"]["cancelAccountDeletion"]["user"].is_null(), "round {round}: {kept:#}");
            assert_eq!(sessions, "0", "round {round}");
            if let Some(token) = signed_in["accessToken"].as_str() {
                assert!(is_refused(&app, token).await, "round {round}");
            }
        } else {
            assert_eq!(kept["data"]["cancelAccountDeletion"]["user"]["deletionDueAt"], Value::Null, "round {round}");
            assert!(signed_in["accessToken"].is_string() && sessions != "0", "round {round}: {signed_in:#}");
        }
    }
}
