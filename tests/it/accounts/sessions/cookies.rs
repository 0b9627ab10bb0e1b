//! Tokens in cookies: what a browser gets, when it is believed, and how it gets rid of them.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::browser::Page;
use super::{Phone, SESSIONS, SIGN_IN, SIGN_OUT, VIEWER, code, somebody};
use crate::accounts::PASSWORD;
use crate::support::TestApp;

const EVIL: &str = "https://evil.example";
const WRITE: &str = "mutation { register(input: { email: \"new@people.example\", name: \"New\", \
    password: \"correct horse battery\" }) { userErrors { code } } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_stays_signed_in_without_ever_seeing_a_token() {
    let app = TestApp::with(&[("LYCEUM_TOKEN_MINUTES", "10")]).await;
    let other = app.peer().await;
    let id = somebody(&app, "ada").await;
    let page = Page::of(&app);
    let answer = page.sign_in("ada").await;
    let payload = &answer.body["data"]["signIn"];
    assert_eq!(
        (&payload["user"]["id"], &payload["accessToken"], &payload["refreshToken"]),
        (&json!(id), &Value::Null, &Value::Null)
    );
    assert_eq!(payload["expiresAt"], "2026-11-20T09:10:00+00:00", "{payload:#}");
    assert_eq!(answer.set.len(), 2, "{:?}", answer.set);
    for (name, cookie) in page.cookies() {
        assert!(!name.starts_with("__Secure-") && !cookie.attributes.contains_key("secure"), "{name}: this is http");
        assert!(cookie.attributes.contains_key("httponly"), "{name}: no script reads it");
        assert_eq!((&*cookie.attributes["samesite"], &*cookie.attributes["path"]), ("Lax", "/graphql"), "{name}");
        assert!(!cookie.attributes.contains_key("domain"), "{name}: not for other hosts");
    }
    assert_eq!(page.cookie("access").unwrap().attributes["max-age"], "600");
    assert_eq!(page.cookie("refresh").unwrap().attributes["max-age"], (30 * 86_400).to_string());
    assert_eq!((page.viewer().await, page.on(&other).viewer().await), (json!(id), json!(id)));
    let before = page.cookies();
    for _ in 0..3 {
        app.app.clock.advance(TimeDelta::minutes(10));
        assert!(page.cookie("access").is_none(), "the browser drops it when it ends");
        assert_eq!(page.viewer().await, Value::Null, "and is nobody then, not an error");
        let answer = page.renew().await;
        let payload = &answer.body["data"]["refreshSession"];
        assert_eq!((code(payload), &payload["user"]["id"]), ("", &json!(id)), "{:#}", answer.body);
        assert_eq!((&payload["accessToken"], &payload["refreshToken"]), (&Value::Null, &Value::Null));
        assert_eq!((page.viewer().await, page.on(&other).viewer().await), (json!(id), json!(id)));
    }
    assert_ne!(page.cookie("refresh").unwrap().value, before["lyceum-refresh"].value);
    let sessions = page.send(SESSIONS, json!({})).await;
    assert_eq!(sessions.body["data"]["viewer"]["sessions"]["totalCount"], 1, "{:#}", sessions.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_out_removes_the_cookies_and_ends_the_session() {
    let app = TestApp::start().await;
    let other = app.peer().await;
    let id = somebody(&app, "ada").await;
    let page = Page::of(&app);
    page.sign_in("ada").await;
    let copied = page.cookies();
    let others = page.send(SIGN_OUT, json!({ "input": { "sessions": "OTHERS" } })).await;
    assert_eq!(
        (others.body["data"]["signOut"]["endedCount"].as_i64(), others.set.len()),
        (Some(0), 0),
        "this one stays"
    );
    // With another session's token in the header it is that one that ends, not the browser's.
    let phone = Phone::of(&app, "ada").await;
    let answer =
        page.with("authorization", &format!("Bearer {}", phone.access)).send(SIGN_OUT, json!({ "input": {} })).await;
    assert_eq!((answer.body["data"]["signOut"]["endedCount"].as_i64(), answer.set.len()), (Some(1), 0));
    assert_eq!((page.viewer().await, phone.is_in().await), (json!(id), false));

    let answer = page.send(SIGN_OUT, json!({ "input": {} })).await;
    assert_eq!(answer.body["data"]["signOut"], json!({ "endedCount": 1, "userErrors": [] }), "{:#}", answer.body);
    assert_eq!((answer.set.len(), page.cookies().len()), (2, 0), "{:?}", answer.set);
    // Who had copied them has nothing.
    page.plant(copied);
    assert_eq!(page.viewer().await, Value::Null);
    super::soon("the other node", async || page.on(&other).viewer().await == Value::Null).await;
    let refused = page.send(SESSIONS, json!({})).await;
    assert_eq!(refused.body["data"], json!({ "viewer": null }), "{:#}", refused.body);
    let renewed = page.renew().await;
    assert_eq!((code(&renewed.body["data"]["refreshSession"]), renewed.set.len()), ("SESSION_OVER", 2));
    assert_eq!(page.cookies().len(), 0, "what is worth nothing is removed");
    // A browser that had them can sign in again.
    assert_eq!(page.sign_in("ada").await.body["data"]["signIn"]["user"]["id"], *id);
    assert_eq!(page.viewer().await, json!(id));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_site_cannot_use_a_browsers_cookies() {
    let app = TestApp::with(&[("LYCEUM_CORS_ORIGINS", "https://app.school.example")]).await;
    let id = somebody(&app, "ada").await;
    let page = Page::of(&app);
    page.sign_in("ada").await;
    let users = async || app.sql("SELECT count(*) FROM users").await;
    let own = [
        page.clone(),
        page.from(Some("https://app.school.example")),
        page.from(None).with("x-lyceum-csrf", "1"),
        page.from(Some(&app.app.config.public_url)),
    ];
    for page in own {
        assert_eq!(page.viewer().await, json!(id), "{:?}", page.origin);
    }
    let foreign =
        [Some(EVIL), Some("null"), None, Some("http://192.0.2.1:1"), Some("https://app.school.example.evil.example")];
    for origin in foreign {
        let page = page.from(origin);
        for query in [WRITE, VIEWER] {
            let answer = page.send(query, json!({})).await;
            assert_eq!((answer.status, answer.code()), (403, "FORBIDDEN"), "{origin:?}: {:#}", answer.body);
            assert!(answer.body.get("data").is_none(), "{:#}", answer.body);
            let message = answer.body["errors"][0]["message"].as_str().unwrap();
            assert!(message.contains("x-lyceum-csrf"), "it says how to mend it: {message}");
        }
        // The refresh token alone is as good as the access token, and no page may use it up.
        let mut cookies = page.cookies();
        cookies.retain(|name, _| name.ends_with("refresh"));
        let kept = page.cookies();
        page.plant(cookies);
        let answer = page.renew().await;
        assert_eq!((answer.status, answer.set.len()), (403, 0), "{origin:?}: {:#}", answer.body);
        page.plant(kept);
        // A form of another site could send this, were it read.
        let form = page.with("content-type", "text/plain").post(json!({ "query": WRITE })).await;
        assert!([403, 415].contains(&form.status), "{origin:?}: {:#}", form.body);
        let answer = page.get(VIEWER).await;
        assert!(answer.headers.get("access-control-allow-origin").is_none_or(|origin| origin != EVIL));
    }
    assert_eq!(users().await, "1", "nothing was done");
    // Nor can it sign a browser in as somebody else.
    page.plant(Default::default());
    for origin in [Some(EVIL), None] {
        let answer = page.from(origin).sign_in("ada").await;
        assert_eq!((answer.code(), answer.set.len()), ("BAD_USER_INPUT", 0), "{:#}", answer.body);
        let message = answer.body["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains("x-lyceum-csrf"), "it says how to mend it: {message}");
    }
    // A page that may use cookies is also told so before it asks, and may read the answer; another one is not.
    for (origin, allowed) in [("https://app.school.example", true), (EVIL, false)] {
        let preflight = app.client.request(reqwest::Method::OPTIONS, format!("{}/graphql", app.url));
        let preflight = preflight.header("origin", origin).header("access-control-request-method", "POST");
        let answer = preflight.header("access-control-request-headers", "x-lyceum-csrf").send().await.unwrap();
        let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header("access-control-allow-origin").as_deref() == Some(origin), allowed, "{origin}");
        if allowed {
            assert_eq!(header("access-control-allow-credentials").as_deref(), Some("true"));
            assert!(header("access-control-allow-headers").unwrap().contains("x-lyceum-csrf"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_with_cookies_reads_but_does_not_write() {
    let app = TestApp::start().await;
    let id = somebody(&app, "ada").await;
    let page = Page::of(&app);
    page.sign_in("ada").await;
    // Somebody follows a link: no Origin, and Lax cookies come along.
    let link = page.from(None);
    let answer = link.get(VIEWER).await;
    assert_eq!(answer.body["data"]["viewer"]["user"]["id"], *id, "{:#}", answer.body);
    let caching = answer.headers.get("cache-control").map(|value| value.to_str().unwrap()).unwrap_or_default();
    assert!(caching.contains("private") || caching.contains("no-store"), "no proxy shows it to others: {caching:?}");
    for mutation in [
        WRITE,
        "mutation { signOut(input: {}) { endedCount } }",
        "mutation { refreshSession(input: {}) { expiresAt } }",
    ] {
        for page in [&link, &page, &page.with("x-lyceum-csrf", "1")] {
            let answer = page.get(mutation).await;
            assert_eq!((answer.status, answer.set.len()), (405, 0), "{mutation}: {:#}", answer.body);
        }
    }
    assert_eq!(app.sql("SELECT count(*) FROM users").await, "1");
    assert_eq!(page.viewer().await, json!(id), "still signed in");
    assert_eq!(code(&page.renew().await.body["data"]["refreshSession"]), "", "with an unused refresh token");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_https_cookies_are_secure_and_named_so() {
    let app = TestApp::with(&[("LYCEUM_PUBLIC_URL", "https://school.example")]).await;
    let id = somebody(&app, "ada").await;
    let page = Page::behind_tls(&app, "school.example");
    page.sign_in("ada").await;
    let names: Vec<String> = page.cookies().into_keys().collect();
    assert_eq!(names, ["__Secure-lyceum-access", "__Secure-lyceum-refresh"]);
    assert!(page.cookies().values().all(|cookie| cookie.attributes.contains_key("secure")));
    assert_eq!(page.viewer().await, json!(id));
    // A page that came by http, which somebody on the way may have written, is another origin.
    let answer = page.from(Some("http://school.example")).send(WRITE, json!({})).await;
    assert_eq!(answer.status, 403, "{:#}", answer.body);
    // Cookies under the plain names, which somebody on the way may have planted, are nobody's.
    let genuine = page.cookies();
    let plain = genuine.clone().into_iter().map(|(name, cookie)| (name.replace("__Secure-", ""), cookie)).collect();
    page.plant(plain);
    assert_eq!(page.viewer().await, Value::Null);
    page.plant(genuine);
    assert_eq!(code(&page.renew().await.body["data"]["refreshSession"]), "");
    let answer = page.send(SIGN_OUT, json!({ "input": {} })).await;
    assert!(
        answer.set.iter().all(|cookie| cookie.contains("; Secure") && cookie.starts_with("__Secure-")),
        "{:?}",
        answer.set
    );
    assert!(page.cookies().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_one_request() {
    let app = TestApp::start().await;
    let id = somebody(&app, "ada").await;
    let page = Page::of(&app);
    let sign_in = json!({ "query": SIGN_IN, "variables": { "input": {
        "email": "ada@people.example", "password": PASSWORD, "transport": "COOKIE" } } });
    let viewer = json!({ "query": VIEWER });
    let answer = page.post(json!([viewer, sign_in])).await;
    assert_eq!(answer.body[0]["data"]["viewer"]["user"], Value::Null, "who asks is the same for the whole batch");
    assert_eq!(answer.body[1]["data"]["signIn"]["user"]["id"], *id, "{:#}", answer.body);
    assert_eq!(answer.set.len(), 2, "{:?}", answer.set);
    assert_eq!(page.viewer().await, json!(id));
    // The same cookie twice at once: one succeeds, and its cookies are the ones that are set.
    let refresh = json!({ "query": super::REFRESH, "variables": { "input": {} } });
    let answer = page.post(json!([refresh, refresh, viewer])).await;
    let mut codes: Vec<&str> = (0..2).map(|index| code(&answer.body[index]["data"]["refreshSession"])).collect();
    codes.sort_unstable();
    assert_eq!((codes, answer.set.len()), (vec!["", "TRY_AGAIN"], 2), "{:#}", answer.body);
    assert_eq!(answer.body[2]["data"]["viewer"]["user"]["id"], *id);
    app.app.clock.advance(TimeDelta::minutes(1));
    assert_eq!(code(&page.renew().await.body["data"]["refreshSession"]), "");
    let answer = page.from(Some(EVIL)).post(json!([viewer, { "query": WRITE }])).await;
    assert_eq!((answer.status, answer.code()), (403, "FORBIDDEN"), "{:#}", answer.body);
    let sign_out = json!({ "query": SIGN_OUT, "variables": { "input": {} } });
    let answer = page.post(json!([viewer, sign_out])).await;
    assert_eq!(answer.body[1]["data"]["signOut"]["endedCount"], 1, "{:#}", answer.body);
    assert!(page.cookies().is_empty(), "{:?}", answer.set);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_counts_more_than_cookies() {
    let app = TestApp::start().await;
    let (ada, eve) = (somebody(&app, "ada").await, somebody(&app, "eve").await);
    let page = Page::of(&app);
    page.sign_in("ada").await;
    let eves = Phone::of(&app, "eve").await;
    let with_header = page.with("authorization", &format!("Bearer {}", eves.access));
    assert_eq!((with_header.viewer().await, page.viewer().await), (json!(eve), json!(ada)));
    // Also from elsewhere: a header is never sent by itself.
    assert_eq!(with_header.from(Some(EVIL)).viewer().await, json!(eve));
    let bad = page.with("authorization", "Bearer nonsense").send(VIEWER, json!({})).await;
    assert_eq!((bad.status, bad.code()), (401, "UNAUTHENTICATED"), "it does not fall back: {:#}", bad.body);
}
