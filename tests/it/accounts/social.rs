//! Signing in with another service, through the API, against an issuer that this test starts.

use chrono::TimeDelta;
use lyceum::platform::auth::Role;
use lyceum::platform::jobs::cron;
use serde_json::{Value, json};

use super::second_factor;
use crate::support::app::start as the_start;
use crate::support::issuer::{CLIENT_ID, CLIENT_SECRET, Callback, Issuer, Mischief, Person, person};
use crate::support::{TestApp, User};

const START: &str = "mutation ($input: StartSocialSignInInput!) { startSocialSignIn(input: $input) {
    authorizationUrl state browserKey expiresAt userErrors { code field message } } }";
const COMPLETE: &str = "mutation ($input: CompleteSocialSignInInput!) { completeSocialSignIn(input: $input) {
    user { id name role } accessToken expiresAt refreshToken refreshExpiresAt
    challenge { token } secondFactorRequired userErrors { code field message } } }";
const LINK: &str = "mutation ($input: LinkIdentityInput!) { linkIdentity(input: $input) {
    identity { id email provider { key name } } userErrors { code field message } } }";
const UNLINK: &str = "mutation ($input: UnlinkIdentityInput!) { unlinkIdentity(input: $input) {
    identityId userErrors { code field message } } }";
const IDENTITIES: &str =
    "{ viewer { user { id identities { totalCount nodes { id email provider { key name } } } } } }";
const BACK: &str = "https://app.acme.org/signed-in";

pub(super) struct World {
    pub(super) app: TestApp,
    pub(super) issuer: Issuer,
}

/// A browser that has begun.
#[derive(Clone, Debug)]
pub(super) struct Begun {
    pub(super) url: String,
    state: String,
    pub(super) key: String,
}

impl World {
    pub(super) async fn new() -> World {
        let clock = lyceum::platform::clock::Clock::manual(the_start());
        let issuer = Issuer::start(&clock).await;
        let app = TestApp::with(&[
            ("LYCEUM_OIDC_ISSUER", &issuer.url),
            ("LYCEUM_OIDC_NAME", "Acme"),
            ("LYCEUM_OIDC_CLIENT_ID", CLIENT_ID),
            ("LYCEUM_OIDC_CLIENT_SECRET", CLIENT_SECRET),
            ("LYCEUM_CORS_ORIGINS", "https://app.acme.org"),
        ])
        .await;
        issuer.keep_time_with(&app.app.clock);
        World { app, issuer }
    }

    /// The payload of a mutation.
    async fn call(&self, token: Option<&str>, mutation: &str, input: Value) -> Value {
        let mut data = self.app.data(token, mutation, json!({ "input": input })).await;
        data.as_object_mut().unwrap().values_mut().next().unwrap().take()
    }

    pub(super) async fn begin(&self, token: Option<&str>) -> Begun {
        let payload = self.call(token, START, json!({ "provider": "oidc", "redirectUri": BACK })).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        let text = |field: &str| payload[field].as_str().unwrap().to_owned();
        Begun { url: text("authorizationUrl"), state: text("state"), key: text("browserKey") }
    }

    async fn complete(&self, callback: &Callback, key: &str) -> Value {
        self.call(None, COMPLETE, input(callback, key)).await
    }

    /// From the beginning to the end.
    async fn sign_in(&self, who: &Person) -> Value {
        let begun = self.begin(None).await;
        let callback = self.issuer.visit(&begun.url, who).await;
        self.complete(&callback, &begun.key).await
    }

    /// From the beginning to the end, by somebody who is signed in.
    pub(super) async fn link(&self, user: &User, who: &Person) -> Value {
        let begun = self.begin(Some(&user.token)).await;
        let callback = self.issuer.visit(&begun.url, who).await;
        self.call(Some(&user.token), LINK, input(&callback, &begun.key)).await
    }

    /// The ids of what is linked to a user.
    pub(super) async fn linked(&self, user: &User) -> Vec<String> {
        let data = self.app.data(Some(&user.token), IDENTITIES, json!({})).await;
        let nodes = data["viewer"]["user"]["identities"]["nodes"].as_array().unwrap().clone();
        nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
    }

    async fn unlink(&self, user: &User, id: &str) -> Value {
        self.call(Some(&user.token), UNLINK, json!({ "identityId": id })).await
    }

    async fn verify(&self, user: &User) {
        let name = self.app.data(Some(&user.token), "{ viewer { user { email } } }", json!({})).await;
        let email = name["viewer"]["user"]["email"].as_str().unwrap();
        self.app.sql(&format!("UPDATE users SET email_verified_at = now() WHERE email = '{email}'")).await;
    }

    pub(super) async fn count(&self, table: &str) -> usize {
        self.app.sql(&format!("SELECT count(*) FROM {table}")).await.parse().unwrap()
    }

    pub(super) async fn audited(&self, action: &str) -> usize {
        self.count(&format!("audit_entries WHERE action = '{action}'")).await
    }
}

pub(super) fn input(callback: &Callback, key: &str) -> Value {
    json!({ "code": callback.code, "state": callback.state, "browserKey": key })
}

pub(super) fn ada() -> Person {
    person("ada", "Ada@People.example", true)
}

/// The code of the only user error.
fn refused(payload: &Value) -> &str {
    let errors = payload["userErrors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{payload:#}");
    assert!(payload["accessToken"].is_null() && payload["user"].is_null() && payload["identity"].is_null());
    assert!(errors[0]["message"].as_str().unwrap().ends_with('.'), "a sentence for people: {payload:#}");
    errors[0]["code"].as_str().unwrap()
}

/// Somebody who came in.
fn user(payload: &Value) -> User {
    assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    User { id: text(&payload["user"]["id"]), token: text(&payload["accessToken"]) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_new_gets_an_account_and_is_the_same_user_the_next_time() {
    let world = World::new().await;
    let providers = "{ identityProviders { totalCount nodes { key name } } }";
    let data = world.app.data(None, providers, json!({})).await;
    let expected = json!({ "totalCount": 1, "nodes": [{ "key": "oidc", "name": "Acme" }] });
    assert_eq!(data["identityProviders"], expected);

    let payload = world.sign_in(&ada()).await;
    assert_eq!((&payload["user"]["name"], &payload["user"]["role"]), (&json!("Person ada"), &json!("STUDENT")));
    let first = user(&payload);
    let viewer =
        world.app.data(Some(&first.token), "{ viewer { user { id email } sessions { totalCount } } }", json!({})).await;
    let expected = json!({ "viewer": { "user": { "id": first.id, "email": "ada@people.example" }, "sessions": { "totalCount": 1 } } });
    assert_eq!(viewer, expected);
    let data = world.app.data(Some(&first.token), IDENTITIES, json!({})).await;
    let node = &data["viewer"]["user"]["identities"]["nodes"][0];
    assert_eq!(node["provider"], json!({ "key": "oidc", "name": "Acme" }));
    assert_eq!(node["email"], "Ada@People.example");

    // Known by the subject: neither another address nor an unverified one makes a difference.
    let moved = Person { email: Some("ada@elsewhere.example".into()), verified: false, ..ada() };
    assert_eq!(user(&world.sign_in(&moved).await).id, first.id);
    assert_eq!(world.count("users").await, 1);
    assert_eq!(world.app.sql("SELECT email FROM identities").await, "ada@elsewhere.example");
    assert_eq!((world.audited("identity_linked").await, world.audited("signed_in").await), (1, 2));
    world.app.settle().await;
    assert_eq!(world.app.mails.lock().unwrap().iter().filter(|mail| mail.to == "ada@people.example").count(), 1);

    let sign_in = "mutation { signIn(input: { email: \"ada@people.example\", password: \"\" }) { accessToken } }";
    let data = world.app.data(None, sign_in, json!({})).await;
    assert_eq!(data["signIn"]["accessToken"], Value::Null, "there is no password, not even an empty one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_can_come_in_cookies() {
    let world = World::new().await;
    let begun = world.begin(None).await;
    let callback = world.issuer.visit(&begun.url, &ada()).await;
    let mut input = input(&callback, &begun.key);
    input["transport"] = "COOKIE".into();
    let request = world.app.client.post(format!("{}/graphql", world.app.url)).header("x-lyceum-csrf", "1");
    let body = json!({ "query": COMPLETE, "variables": { "input": input } });
    let response = request.json(&body).send().await.unwrap();
    let cookies: Vec<String> =
        response.headers().get_all("set-cookie").iter().map(|value| value.to_str().unwrap().to_owned()).collect();
    assert_eq!(cookies.len(), 2, "{cookies:?}");
    let body: Value = response.json().await.unwrap();
    let payload = &body["data"]["completeSocialSignIn"];
    assert_eq!((&payload["userErrors"], &payload["accessToken"]), (&json!([]), &Value::Null), "{body:#}");
    assert_eq!((&payload["user"]["name"], &payload["refreshToken"]), (&json!("Person ada"), &Value::Null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_is_good_once_and_only_for_the_browser_that_began() {
    let world = World::new().await;
    let begun = world.begin(None).await;
    let others = world.begin(None).await;
    let callback = world.issuer.visit(&begun.url, &ada()).await;
    // A code and a state that somebody else saw, or planted, with a browser that did not begin this.
    assert_eq!(refused(&world.complete(&callback, &others.key).await), "ATTEMPT_OVER");
    assert_eq!(refused(&world.complete(&callback, "made up").await), "ATTEMPT_OVER");
    let swapped = Callback { state: others.state.clone(), ..callback.clone() };
    assert_eq!(refused(&world.complete(&swapped, &begun.key).await), "ATTEMPT_OVER");
    let forged = Callback { state: "forged".into(), ..callback.clone() };
    assert_eq!(refused(&world.complete(&forged, &begun.key).await), "ATTEMPT_OVER");
    assert_eq!(world.issuer.count().tokens, 0, "the issuer is not even asked");
    // None of that was in the way of the one who began.
    user(&world.complete(&callback, &begun.key).await);
    assert_eq!(world.issuer.count().tokens, 1);
    assert_eq!(refused(&world.complete(&callback, &begun.key).await), "ATTEMPT_OVER");
    assert_eq!(world.issuer.count().tokens, 1);

    // A forged code, and then the right one: the attempt is spent. So is a code of another attempt (PKCE).
    let begun = world.begin(None).await;
    let callback = world.issuer.visit(&begun.url, &ada()).await;
    let forged = Callback { code: "forged".into(), ..callback.clone() };
    assert_eq!(refused(&world.complete(&forged, &begun.key).await), "ATTEMPT_OVER");
    assert_eq!(refused(&world.complete(&callback, &begun.key).await), "ATTEMPT_OVER");
    let swapped = Callback { state: others.state, ..callback };
    assert_eq!(refused(&world.complete(&swapped, &others.key).await), "ATTEMPT_OVER");
    assert_eq!(world.count("sessions").await, 1);
    assert_eq!(world.audited("sign_in_failed").await, 2, "what was begun and failed, not what anybody makes up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_are_ten_minutes_to_come_back() {
    let world = World::new().await;
    let (late, in_time) = (world.begin(None).await, world.begin(None).await);
    let callback = world.issuer.visit(&in_time.url, &ada()).await;
    world.app.app.clock.advance(TimeDelta::minutes(10) - TimeDelta::seconds(1));
    user(&world.complete(&callback, &in_time.key).await);
    let callback = world.issuer.visit(&late.url, &ada()).await;
    world.app.app.clock.advance(TimeDelta::seconds(1));
    assert_eq!(refused(&world.complete(&callback, &late.key).await), "ATTEMPT_OVER");

    let fresh = world.begin(None).await;
    let registry = lyceum::app::registry().unwrap();
    cron::tick(&world.app.app, &registry).await.unwrap();
    world.app.app.clock.advance(TimeDelta::minutes(9));
    let later = world.begin(None).await;
    world.app.app.clock.advance(TimeDelta::minutes(1));
    cron::tick(&world.app.app, &registry).await.unwrap();
    world.app.settle().await;
    assert_eq!(world.count("identity_attempts").await, 1, "what is over is deleted");
    let callback = world.issuer.visit(&later.url, &ada()).await;
    user(&world.complete(&callback, &later.key).await);
    let callback = world.issuer.visit(&fresh.url, &ada()).await;
    assert_eq!(refused(&world.complete(&callback, &fresh.key).await), "ATTEMPT_OVER");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_links_only_when_both_sides_have_verified_it() {
    let world = World::new().await;
    let ada_here = world.app.user("Ada", Role::Instructor).await;
    let unverified = Person { verified: false, ..ada() };
    let nobody = Person { email: None, ..ada() };
    let stranger = person("eve", "eve@people.example", false);
    // Whether the address is registered, and verified here, is not told to those who did not prove that it is theirs.
    let told = world.sign_in(&stranger).await;
    assert_eq!(refused(&told), "UNVERIFIED");
    assert_eq!(world.sign_in(&unverified).await, told);
    assert_eq!(world.sign_in(&nobody).await, told);
    let here = world.sign_in(&ada()).await;
    assert_eq!(refused(&here), "UNVERIFIED");
    assert!(here["userErrors"][0]["message"].as_str().unwrap().contains("registered here"), "{here:#}");
    world.verify(&ada_here).await;
    assert_eq!(world.sign_in(&unverified).await, told);
    assert_eq!((world.count("identities").await, world.count("users").await), (0, 1));

    let linked = user(&world.sign_in(&ada()).await);
    assert_eq!(linked.id, ada_here.id);
    assert_eq!(world.linked(&ada_here).await.len(), 1);
    assert_eq!((world.count("users").await, world.audited("identity_linked").await), (1, 1));
    let role = world.app.data(Some(&linked.token), "{ viewer { user { role } } }", json!({})).await;
    assert_eq!(role["viewer"]["user"]["role"], "INSTRUCTOR");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_banned_does_not_come_in_this_way_either() {
    let world = World::new().await;
    let known = user(&world.sign_in(&ada()).await);
    let bob = world.app.user("Bob", Role::Student).await;
    world.verify(&bob).await;
    world.app.sql("UPDATE users SET banned_at = '2026-11-20T09:00:00Z', ban_reason = 'Spam.'").await;
    for who in [ada(), person("bob", "bob@people.example", true)] {
        let payload = world.sign_in(&who).await;
        assert_eq!(refused(&payload), "BANNED");
        assert!(payload["userErrors"][0]["message"].as_str().unwrap().contains("Spam."), "{payload:#}");
    }
    assert_eq!(world.count("identities").await, 1, "nothing is linked on the way");
    assert_eq!(world.count("sessions").await, 2, "those from before");
    world.app.sql("UPDATE users SET banned_at = NULL, ban_reason = NULL").await;
    assert_eq!(user(&world.sign_in(&ada()).await).id, known.id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_signed_in_links_an_account_whatever_its_address() {
    let world = World::new().await;
    let bob = world.app.user("Bob", Role::Student).await;
    let eve = world.app.user("Eve", Role::Student).await;
    let unverified = person("robert", "robert@elsewhere.example", false);
    let payload = world.link(&bob, &unverified).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
    assert_eq!(payload["identity"]["email"], "robert@elsewhere.example");
    assert_eq!(world.linked(&bob).await, [payload["identity"]["id"].as_str().unwrap()]);
    assert_eq!(user(&world.sign_in(&unverified).await).id, bob.id);
    // Again is no mistake; somebody else's is.
    let again = world.link(&bob, &unverified).await;
    assert_eq!(again["identity"]["id"], payload["identity"]["id"]);
    assert_eq!(refused(&world.link(&eve, &unverified).await), "TAKEN");
    assert_eq!((world.linked(&bob).await.len(), world.linked(&eve).await.len()), (1, 0));

    // A link that one began, another can't end, whoever gives them the key: it would be the other's way in.
    let begun = world.begin(Some(&eve.token)).await;
    let callback = world.issuer.visit(&begun.url, &ada()).await;
    let given = input(&callback, &begun.key);
    assert_eq!(refused(&world.call(Some(&bob.token), LINK, given.clone()).await), "ATTEMPT_OVER");
    assert_eq!(refused(&world.complete(&callback, &begun.key).await), "ATTEMPT_OVER");
    assert_eq!(world.call(Some(&eve.token), LINK, given).await["userErrors"], json!([]));
    // Nor is what began as a sign-in a link.
    let begun = world.begin(None).await;
    let callback = world.issuer.visit(&begun.url, &person("carl", "carl@people.example", true)).await;
    let given = input(&callback, &begun.key);
    assert_eq!(refused(&world.call(Some(&bob.token), LINK, given).await), "ATTEMPT_OVER");
    assert_eq!(world.audited("identity_linked").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_linked_is_its_owners_and_the_administrators_business() {
    let world = World::new().await;
    let stranger = user(&world.sign_in(&ada()).await);
    let eve = world.app.user("Eve", Role::Instructor).await;
    let admin = world.app.user("Root", Role::Admin).await;
    world.link(&eve, &person("eve", "eve@elsewhere.example", true)).await;
    world.app.course(&eve, "Spying", 1).await;
    let query = "{ courses { nodes { instructor { name identities { totalCount } } } } }";
    for (token, sees) in
        [(Some(&eve.token), true), (Some(&admin.token), true), (Some(&stranger.token), false), (None, false)]
    {
        let body = world.app.send(token.map(String::as_str), query, json!({})).await;
        let instructor = &body["data"]["courses"]["nodes"][0]["instructor"];
        assert_eq!(instructor["name"], "Eve");
        let (expected, code) =
            if sees { (json!({ "totalCount": 1 }), Value::Null) } else { (Value::Null, json!("FORBIDDEN")) };
        assert_eq!(
            (&instructor["identities"], &body["errors"][0]["extensions"]["code"]),
            (&expected, &code),
            "{body:#}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_only_way_in_stays() {
    let world = World::new().await;
    let ada_here = user(&world.sign_in(&ada()).await);
    let [only] = &world.linked(&ada_here).await[..] else { panic!() };
    assert_eq!(refused(&world.unlink(&ada_here, only).await), "NOT_ALLOWED");
    let eve = world.app.user("Eve", Role::Student).await;
    assert_eq!(refused(&world.unlink(&eve, only).await), "NOT_FOUND");
    // One of a service that is no longer set up is no way in.
    let gone = "INSERT INTO identities SELECT gen_random_uuid(), 'https://gone.example', 'ada', id, NULL, created_at,
        created_at FROM users WHERE email = 'ada@people.example'";
    world.app.sql(gone).await;
    let identities = world.app.data(Some(&ada_here.token), IDENTITIES, json!({})).await;
    let nodes = identities["viewer"]["user"]["identities"]["nodes"].as_array().unwrap().clone();
    assert!(nodes.iter().any(|node| node["provider"].is_null() && node["email"].is_null()), "{nodes:#?}");
    assert_eq!(refused(&world.unlink(&ada_here, only).await), "NOT_ALLOWED");
    // It can go, the other one then still can't.
    let gone = nodes.iter().find(|node| node["provider"].is_null()).unwrap()["id"].as_str().unwrap();
    assert_eq!(world.unlink(&ada_here, gone).await["identityId"], gone);

    // Of two, one can go, even when both are to go at once.
    for round in 0..20 {
        let another = person(&format!("ada{round}"), "a@b.example", false);
        assert_eq!(world.link(&ada_here, &another).await["userErrors"], json!([]));
        let two = world.linked(&ada_here).await;
        let (one, other) = tokio::join!(world.unlink(&ada_here, &two[0]), world.unlink(&ada_here, &two[1]));
        let gone = [&one, &other].iter().filter(|payload| payload["identityId"].is_string()).count();
        assert_eq!((gone, world.linked(&ada_here).await.len()), (1, 1), "{one:#} {other:#}");
    }

    // With a password all can go, and then the service's account is nobody's.
    let bob = world.app.user("Bob", Role::Student).await;
    let robert = person("robert", "robert@elsewhere.example", true);
    let linked = world.link(&bob, &robert).await["identity"]["id"].as_str().unwrap().to_owned();
    assert_eq!(world.unlink(&bob, &linked).await["identityId"], *linked);
    assert_eq!(refused(&world.unlink(&bob, &linked).await), "NOT_FOUND");
    assert_ne!(user(&world.sign_in(&robert).await).id, bob.id);
    assert_eq!(world.audited("identity_unlinked").await, 22);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_at_once_are_one_user() {
    let world = World::new().await;
    for round in 0..5 {
        let who = person(&format!("twin{round}"), &format!("twin{round}@people.example"), true);
        let begun = [world.begin(None).await, world.begin(None).await];
        let callbacks = [world.issuer.visit(&begun[0].url, &who).await, world.issuer.visit(&begun[1].url, &who).await];
        let (one, other) =
            tokio::join!(world.complete(&callbacks[0], &begun[0].key), world.complete(&callbacks[1], &begun[1].key));
        assert_eq!(user(&one).id, user(&other).id);
        assert_eq!((world.count("users").await, world.count("identities").await), (round + 1, round + 1));

        let begun = world.begin(None).await;
        let callback = world.issuer.visit(&begun.url, &who).await;
        let (one, other) = tokio::join!(world.complete(&callback, &begun.key), world.complete(&callback, &begun.key));
        let won = [&one, &other].iter().filter(|payload| payload["user"].is_object()).count();
        assert_eq!(won, 1, "one attempt, one session: {one:#} {other:#}");
    }
    world.app.settle().await;
    assert_eq!(world.app.mails.lock().unwrap().len(), 5, "each is welcomed once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_comes_in_when_the_issuer_misbehaves() {
    let world = World::new().await;
    for mischief in [Mischief::OtherNonce, Mischief::OtherAudience, Mischief::AlgNone, Mischief::Fails] {
        world.issuer.misbehave(mischief);
        assert_eq!(refused(&world.sign_in(&ada()).await), "ATTEMPT_OVER", "{mischief:?}");
    }
    assert_eq!((world.count("users").await, world.count("sessions").await), (0, 0));
    assert_eq!(world.audited("sign_in_failed").await, 4);
    world.issuer.misbehave(Mischief::DescribesAnother);
    world.app.app.clock.advance(TimeDelta::hours(2));
    let input = json!({ "provider": "oidc", "redirectUri": BACK });
    let payload = world.call(None, START, input).await;
    assert_eq!(payload["userErrors"][0]["code"], "TRY_AGAIN", "{payload:#}");
    assert_eq!(payload["authorizationUrl"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn codes_are_sent_to_known_pages_only() {
    let world = World::new().await;
    let public_url = world.app.app.config.public_url.clone();
    for (provider, redirect, expected) in [
        ("oidc", BACK, json!([])),
        ("oidc", &*format!("{public_url}/console"), json!([])),
        ("oidc", "https://evil.example/", json!([["redirectUri"]])),
        ("oidc", "https://app.acme.org.evil.example/", json!([["redirectUri"]])),
        ("oidc", "javascript:alert(1)", json!([["redirectUri"]])),
        ("oidc", "signed-in", json!([["redirectUri"]])),
        ("google", BACK, json!([["provider"]])),
        ("", "", json!([["provider"], ["redirectUri"]])),
    ] {
        let payload = world.call(None, START, json!({ "provider": provider, "redirectUri": redirect })).await;
        let errors = payload["userErrors"].as_array().unwrap();
        let fields: Vec<Value> = errors.iter().map(|error| error["field"].clone()).collect();
        assert_eq!(json!(fields), expected, "{provider} {redirect}: {payload:#}");
    }
    assert_eq!(world.count("identity_attempts").await, 2);
    let stored = world.app.sql("SELECT string_agg(identity_attempts::text, ' ') FROM identity_attempts").await;
    let begun = world.begin(None).await;
    assert!(!stored.contains(&begun.state) && !stored.contains(&begun.key));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_begins_again_and_again_waits_and_who_ends_what_they_begin_does_not() {
    let world = World::new().await;
    for _ in 0..3 {
        user(&world.sign_in(&ada()).await);
    }
    for _ in 0..100 {
        world.begin(None).await;
    }
    let body = world.app.send(None, START, json!({ "input": { "provider": "oidc", "redirectUri": BACK } })).await;
    assert_eq!(body["errors"][0]["extensions"]["code"], "RATE_LIMITED", "{body:#}");
    world.app.app.clock.advance(TimeDelta::seconds(1));
    world.begin(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_factor_is_asked_for_here_too() {
    let world = World::new().await;
    let ada_here = second_factor::person(&world.app, "Ada", Role::Student).await;
    world.verify(&ada_here).await;
    let (secret, _) = second_factor::enable(&world.app, &ada_here).await;
    for _ in 0..2 {
        let asked = world.sign_in(&ada()).await;
        let nothing = [&asked["user"], &asked["accessToken"], &asked["refreshToken"], &asked["secondFactorRequired"]];
        assert_eq!((&asked["userErrors"], nothing), (&json!([]), [&Value::Null; 4]), "{asked:#}");
        let code = second_factor::code(&world.app, &secret);
        let signed_in = second_factor::complete(&world.app, &asked["challenge"], &code).await;
        assert_eq!(signed_in["user"]["id"], ada_here.id, "{signed_in:#}");
        assert!(signed_in["accessToken"].is_string());
        second_factor::later(&world.app);
    }
}
