//! What could hand an account over to someone else: what it needs, whom it tells, what it leaves in the audit trail.

use chrono::TimeDelta;
use lyceum::platform::auth::{Grant, Role};
use serde_json::{Value, json};

use super::second_factor::{code, enable, later, person as member};
use super::social::{World, ada, input};
use super::{PASSWORD, codes, fault, mail, mails, payload, refusal, sign_in, text, token};
use crate::support::eventually;
use crate::support::issuer::Callback;
use crate::support::{TestApp, User};

/// What an action needs besides a session.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Needs {
    /// A sign-in or `reauthenticate` within the last 15 minutes.
    Recent,
    /// The same, or the password in the input.
    RecentOrPassword,
    /// A code of the second factor in the input.
    Code,
    /// The current password in the input.
    Password,
}

/// The table: action, what it needs, the subject of the email, the entry of the audit trail. In an order in which one
/// user can do all of it.
const ACTIONS: [(&str, Needs, &str, &str); 10] = [
    ("linkIdentity", Needs::Recent, "You can sign in with Acme now", "identity_linked"),
    ("unlinkIdentity", Needs::Recent, "You no longer sign in with Acme", "identity_unlinked"),
    ("createApiToken", Needs::Recent, "A new API token of your account", "api_token_created"),
    ("changeEmail", Needs::RecentOrPassword, "Your e-mail address is about to change", "email_change_requested"),
    // The email and the entry come with the first code.
    ("startSecondFactor", Needs::RecentOrPassword, "", ""),
    ("confirmSecondFactor", Needs::Code, "Two-step sign-in is on", "second_factor_enabled"),
    ("renewRecoveryCodes", Needs::Code, "New recovery codes were made", "recovery_codes_renewed"),
    ("disableSecondFactor", Needs::Code, "Two-step sign-in is off", "second_factor_disabled"),
    ("changePassword", Needs::Password, "Your password was changed", "password_changed"),
    ("deleteAccount", Needs::RecentOrPassword, "Your account will be deleted", "account_given_up"),
];

/// What the actions need to know of each other.
struct Case {
    world: World,
    ada: User,
    callback: Callback,
    browser_key: String,
    secret: String,
}

impl Case {
    /// The input of an action, with a secret that is right or wrong if it needs one.
    async fn input(&self, action: &str, right: bool) -> Value {
        let code = if right && !self.secret.is_empty() { code(&self.world.app, &self.secret) } else { "000000".into() };
        match action {
            "linkIdentity" => input(&self.callback, &self.browser_key),
            "unlinkIdentity" => json!({ "identityId": self.world.linked(&self.ada).await[0] }),
            "createApiToken" => {
                json!({ "name": "Report", "scopes": ["READ_COURSES"], "expiresAt": "2026-12-24T09:00:00Z" })
            }
            "changeEmail" => json!({ "newEmail": "ada@new.example" }),
            "startSecondFactor" | "deleteAccount" => json!({ "password": null }),
            "changePassword" => {
                let current = if right { PASSWORD } else { "a wrong password" };
                json!({ "currentPassword": current, "newPassword": "another good password" })
            }
            _ => json!({ "code": code }),
        }
    }

    async fn call(&mut self, action: &str, input: Value) -> Value {
        let selection = if action == "startSecondFactor" { "secret" } else { "" };
        let payload = self.world.app.payload(&self.ada, action, selection, input).await;
        if let Some(secret) = payload["secret"].as_str() {
            self.secret = secret.to_owned();
        }
        payload
    }

    async fn audited(&self, action: &str) -> usize {
        self.world.audited(action).await
    }
}

/// The same user in the same session, with the access token that a refresh would give.
async fn renewed(app: &TestApp, user: User) -> User {
    let found = "SELECT session.id || ' ' || users.id || ' ' || token_version FROM sessions AS session
        JOIN users ON users.id = session.user_id WHERE ended_at IS NULL ORDER BY session.created_at LIMIT 1";
    let found = app.sql(found).await;
    let mut parts = found.split(' ');
    let mut id = || parts.next().unwrap().parse().unwrap();
    let (session, subject) = (id(), id());
    let version = parts.next().unwrap().parse().unwrap();
    let grant = Grant { user: subject, role: Role::Student, session, version };
    User { token: app.app.tokens.issue(grant).unwrap().0, ..user }
}

/// Makes the last authentication of all sessions just too old.
async fn grow_old(app: &TestApp) {
    app.sql(&format!("UPDATE sessions SET authenticated_at = '{}'", app.app.clock.now() - TimeDelta::minutes(15)))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sensitive_actions_need_recent_authentication_send_an_email_and_are_audited() {
    let world = World::new().await;
    let user = member(&world.app, "Ada", Role::Student).await;
    let begun = world.begin(Some(&user.token)).await;
    let callback = world.issuer.visit(&begun.url, &ada()).await;
    let mut case = Case { world, ada: user, callback, browser_key: begun.key, secret: String::new() };
    for (action, needs, subject, entry) in ACTIONS {
        let before = case.audited(entry).await;
        grow_old(&case.world.app).await;
        let wrong = case.input(action, false).await;
        let expected = match needs {
            Needs::Recent | Needs::RecentOrPassword => "REAUTHENTICATION_REQUIRED",
            Needs::Code => "WRONG_CODE",
            Needs::Password => "WRONG_CREDENTIALS",
        };
        assert_eq!(refusal(&case.call(action, wrong.clone()).await), expected, "{action}");
        if needs == Needs::RecentOrPassword {
            let mut wrong = wrong;
            wrong["password"] = json!("a wrong password");
            assert_eq!(refusal(&case.call(action, wrong).await), "WRONG_CREDENTIALS", "{action}");
        }
        assert_eq!((case.audited(entry).await, mails(&case.world.app).await), (before, vec![]), "{action}: refused");

        if matches!(needs, Needs::Recent | Needs::RecentOrPassword) {
            let password = if action == "deleteAccount" { "another good password" } else { PASSWORD };
            let again =
                case.world.app.payload(&case.ada, "reauthenticate", "validUntil", json!({ "password": password }));
            assert_eq!(again.await["userErrors"], json!([]), "{action}");
        }
        let right = case.input(action, true).await;
        let payload = case.call(action, right).await;
        assert_eq!(payload["userErrors"], json!([]), "{action}");
        later(&case.world.app);
        if action != "deleteAccount" {
            case.ada = renewed(&case.world.app, case.ada).await;
        }
        if action == "startSecondFactor" {
            continue;
        }
        assert_eq!(case.audited(entry).await, before + 1, "{action}");
        let sent = mails(&case.world.app).await;
        let subjects: Vec<&str> =
            sent.iter().filter(|mail| mail.to == "ada@people.example").map(|mail| &*mail.subject).collect();
        assert_eq!(subjects, [subject], "{action}: to the owner's address");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_password_in_the_input_is_as_good_as_a_recent_authentication() {
    let app = TestApp::start().await;
    let ada = member(&app, "Ada", Role::Student).await;
    grow_old(&app).await;
    let with_password = [
        ("changeEmail", json!({ "newEmail": "ada@new.example", "password": PASSWORD })),
        ("startSecondFactor", json!({ "password": PASSWORD })),
        ("deleteAccount", json!({ "password": PASSWORD })),
    ];
    for (action, input) in with_password {
        assert_eq!(app.payload(&ada, action, "", input).await["userErrors"], json!([]), "{action}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authentication_is_recent_for_a_quarter_of_an_hour_in_one_session() {
    let app = TestApp::with(&[("LYCEUM_TOKEN_MINUTES", "60")]).await;
    let ada = member(&app, "Ada", Role::Student).await;
    let token = |name: &str| json!({ "name": name, "scopes": ["READ_COURSES"], "expiresAt": "2026-12-24T09:00:00Z" });
    let create = async |user: &User, name: &str| app.payload(user, "createApiToken", "", token(name)).await;
    app.app.clock.advance(TimeDelta::minutes(15) - TimeDelta::seconds(1));
    assert_eq!(create(&ada, "just in time").await["userErrors"], json!([]), "after the sign-in");
    app.app.clock.advance(TimeDelta::seconds(1));
    assert_eq!(refusal(&create(&ada, "too late").await), "REAUTHENTICATION_REQUIRED");

    let signed_in = sign_in(&app, "ada@people.example", PASSWORD).await;
    let other = User { id: ada.id.clone(), token: text(&signed_in["accessToken"]) };
    assert_eq!(refusal(&create(&ada, "another session").await), "REAUTHENTICATION_REQUIRED");
    assert_eq!(create(&other, "the new session").await["userErrors"], json!([]));

    let again = app.payload(&ada, "reauthenticate", "validUntil", json!({ "password": PASSWORD })).await;
    assert_eq!(again["validUntil"], "2026-11-20T09:30:00+00:00", "{again:#}");
    assert_eq!(create(&ada, "again").await["userErrors"], json!([]));
    app.app.clock.advance(TimeDelta::minutes(15));
    assert_eq!(refusal(&create(&ada, "over").await), "REAUTHENTICATION_REQUIRED");
    assert_eq!(app.sql("SELECT count(*) FROM audit_entries WHERE action = 'reauthenticated'").await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn authenticating_again_takes_what_a_sign_in_takes() {
    let app = TestApp::start().await;
    let ada = member(&app, "Ada", Role::Student).await;
    let again = async |input: Value| app.payload(&ada, "reauthenticate", "", input).await;
    assert_eq!(codes(&again(json!({})).await), [("password".to_owned(), "BLANK".to_owned())]);
    assert_eq!(refusal(&again(json!({ "password": "a wrong password" })).await), "WRONG_CREDENTIALS");
    assert_eq!(again(json!({ "password": PASSWORD, "code": "unused" })).await["userErrors"], json!([]));

    let (secret, recovery) = enable(&app, &ada).await;
    let ada = renewed(&app, ada).await;
    let again = async |input: Value| app.payload(&ada, "reauthenticate", "", input).await;
    let both = [("password".to_owned(), "BLANK".to_owned()), ("code".to_owned(), "BLANK".to_owned())];
    assert_eq!(codes(&again(json!({})).await), both);
    let wrong = again(json!({ "password": PASSWORD, "code": "000000" })).await;
    assert_eq!(refusal(&wrong), "WRONG_CODE");
    let now = code(&app, &secret);
    assert_eq!(refusal(&again(json!({ "password": "a wrong password", "code": now })).await), "WRONG_CREDENTIALS");
    assert_eq!(again(json!({ "password": PASSWORD, "code": now })).await["userErrors"], json!([]), "not used up");
    assert_eq!(refusal(&again(json!({ "password": PASSWORD, "code": now })).await), "WRONG_CODE", "once");

    // Without a password the code is enough; without both there is nothing to ask for.
    app.sql("UPDATE users SET password_hash = NULL").await;
    assert_eq!(again(json!({ "code": recovery[0] })).await["userErrors"], json!([]));
    app.sql("DELETE FROM second_factors").await;
    assert_eq!(refusal(&again(json!({ "password": PASSWORD, "code": now })).await), "NOT_ALLOWED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_password_cannot_be_guessed_with_a_session_in_hand() {
    let app = TestApp::start().await;
    let ada = member(&app, "Ada", Role::Student).await;
    for _ in 0..5 {
        let refused = app.payload(&ada, "reauthenticate", "", json!({ "password": "a wrong password" })).await;
        assert_eq!(refusal(&refused), "WRONG_CREDENTIALS");
    }
    let query = "mutation ($input: ReauthenticateInput!) { reauthenticate(input: $input) { validUntil } }";
    let body = app.send(Some(&ada.token), query, json!({ "input": { "password": PASSWORD } })).await;
    assert_eq!(fault(&body), "RATE_LIMITED", "{body:#}");
    assert_eq!(app.sql("SELECT count(*) FROM audit_entries WHERE action = 'password_refused'").await, "5");
}

/// A session that a reset ends while its sensitive action waits for the user's row does nothing any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_ends_meanwhile_does_nothing() {
    let app = TestApp::start().await;
    let ada = member(&app, "Ada", Role::Student).await;
    // What a reset does: it locks the user and ends the sessions; here it waits for the mutation in between.
    let reset = "DO $$ BEGIN
        PERFORM 1 FROM users FOR NO KEY UPDATE;
        WHILE NOT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid) LOOP PERFORM pg_sleep(0.02); END LOOP;
        UPDATE sessions SET ended_at = created_at, end_reason = 'password_reset';
    END $$";
    let create = async {
        let sleeping = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%{}%'",
            app.schema
        );
        eventually("the row is locked", async || app.sql(&sleeping).await == "1").await;
        let query = "mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { token } }";
        let input = json!({ "name": "Thief", "scopes": ["READ_COURSES"], "expiresAt": "2026-12-24T09:00:00Z" });
        app.send(Some(&ada.token), query, json!({ "input": input })).await
    };
    let (_, body) = tokio::join!(app.sql(reset), create);
    assert_eq!(fault(&body), "UNAUTHENTICATED", "{body:#}");
    assert_eq!(app.sql("SELECT count(*) FROM api_tokens").await, "0");
}

/// A reset of the password lists the linked accounts, and unlinks them on request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_password_can_close_the_other_doors() {
    let world = World::new().await;
    let user = member(&world.app, "Ada", Role::Student).await;
    assert_eq!(world.link(&user, &ada()).await["userErrors"], json!([]));
    for (unlink, left) in [(None, 1), (Some(true), 0)] {
        mails(&world.app).await;
        let input = json!({ "email": "ada@people.example" });
        payload(&world.app, None, "requestPasswordReset", input).await;
        let mail = mail(&world.app, "ada@people.example").await;
        assert!(mail.text.contains("You can also sign in with Acme"), "{}", mail.text);
        let input = json!({
            "token": token(&mail), "newPassword": "another good password", "unlinkIdentities": unlink.unwrap_or(false)
        });
        let payload = payload(&world.app, None, "resetPassword", input).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        assert_eq!(world.count("identities").await, left, "{unlink:?}");
        let subjects: Vec<String> = mails(&world.app).await.into_iter().map(|mail| mail.subject).collect();
        assert_eq!(subjects.iter().filter(|subject| subject.contains("no longer")).count(), 1 - left, "{subjects:?}");
    }
    assert_eq!(world.audited("identity_unlinked").await, 1);
}
