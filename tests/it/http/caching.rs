//! What shared caches are told.

use lyceum::platform::auth::Role;
use reqwest::header::{ACCEPT, AUTHORIZATION, COOKIE, IF_NONE_MATCH, ORIGIN};
use serde_json::{Value, json};

use super::{Answer, MODERN};
use crate::support::TestApp;

const CATALOG: &str = "{ courses { totalCount nodes { title } } }";
const PRIVATE: &str = "private, no-store";

impl TestApp {
    async fn get_with(&self, query: &str, headers: &[(reqwest::header::HeaderName, &str)]) -> Answer {
        let mut url = url::Url::parse(&format!("{}/graphql", self.url)).unwrap();
        url.query_pairs_mut().append_pair("query", query);
        let mut request = self.client.get(url);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        Answer::to(request).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_everybody_may_see_is_public() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    app.course(&ada, "Engines", 1).await;
    for (query, expected) in [
        (CATALOG, "public, max-age=10"),
        ("{ course(slug: \"engines\") { title sections { nodes { title } } } }", "public, max-age=10"),
        ("{ searchCourses(query: \"engines\") { nodes { course { title } } } }", "public, max-age=10"),
        ("{ a: courses { totalCount } b: course(slug: \"nope\") { id } __typename }", "public, max-age=10"),
        (
            "query ($n: Int) { courses(first: $n) { nodes { ...T } } } fragment T on Course { title }",
            "public, max-age=10",
        ),
        (
            "{ course(slug: \"nope\") { sections { nodes { lessons { nodes { content { resources { name } } } } } } } }",
            "public, max-age=10",
        ),
        (
            "{ course(slug: \"nope\") { sections { nodes { lessons { nodes { content { resources { url } } } } } } } }",
            PRIVATE,
        ),
        ("{ viewer { user { id } } }", PRIVATE),
        ("{ courses { totalCount } viewer { user { id } } }", PRIVATE),
        ("{ courses { totalCount } ... on Query { viewer { user { id } } } }", PRIVATE),
        ("{ newVideos { totalCount } }", PRIVATE),
        ("{ __typename }", PRIVATE),
        ("{ __schema { description } }", PRIVATE),
        // With errors, whether something came of it or not.
        ("{ courses(first: 0) { totalCount } }", PRIVATE),
        ("{ a: course(slug: \"engines\") { title } b: courses(first: 0) { totalCount } }", PRIVATE),
        ("{ courses { nope } }", PRIVATE),
        ("{ courses { ", PRIVATE),
        ("", PRIVATE),
        ("mutation { logout { userErrors { code } } }", PRIVATE),
    ] {
        for accept in ["application/json", MODERN] {
            let answer = app.get_with(query, &[(ACCEPT, accept)]).await;
            assert_eq!(answer.header("cache-control"), expected, "{query} {}", answer.text);
            assert_eq!(answer.headers.contains_key("etag"), expected != PRIVATE, "{query}");
            assert_eq!(answer.header("vary"), "accept, authorization, cookie", "{query}");
        }
        let posted = app.ask(query, json!({})).await;
        assert_eq!(posted.header("cache-control"), PRIVATE, "POST {query}");
        assert!(!posted.headers.contains_key("etag"), "POST {query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_tells_who_they_are_gets_an_answer_of_their_own() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let bearer = format!("Bearer {}", ada.token);
    let cookie = |token: &str| format!("theme=dark; lyceum-access={token}");
    for (name, value, expected) in [
        (AUTHORIZATION, bearer.clone(), PRIVATE),
        (AUTHORIZATION, "Bearer nonsense".into(), PRIVATE),
        (AUTHORIZATION, "Basic eDp5".into(), PRIVATE),
        (COOKIE, cookie(&ada.token), PRIVATE),
        (COOKIE, cookie("expired"), PRIVATE),
        (COOKIE, "lyceum-refresh=something".into(), PRIVATE),
        (COOKIE, "_ga=GA1.1; theme=dark".into(), "public, max-age=10"),
    ] {
        let answer = app.get_with(CATALOG, &[(name, &value)]).await;
        assert_eq!(answer.header("cache-control"), expected, "{value}: {}", answer.text);
        assert!(answer.header("vary").contains("authorization, cookie"), "{:?}", answer.headers);
    }
    // The cookies' names are what the server itself gives them.
    let signed_in = app.get_with("{ viewer { user { name } } }", &[(COOKIE, &cookie(&ada.token))]).await;
    assert_eq!(signed_in.body()["data"]["viewer"]["user"]["name"], "Ada", "{}", signed_in.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_to_other_origins_are_kept_apart() {
    let app = TestApp::with(&[("LYCEUM_CORS_ORIGINS", "https://app.school.example")]).await;
    for origin in ["https://app.school.example", "https://evil.example"] {
        let answer = app.get_with(CATALOG, &[(ORIGIN, origin)]).await;
        let vary: Vec<&str> = answer.headers.get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
        let vary = vary.join(", ");
        assert!(vary.contains("origin") && vary.contains("accept, authorization, cookie"), "{vary}");
        assert_eq!(answer.header("cache-control"), "public, max-age=10");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_has_the_answer_is_told_so_until_it_changes() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    app.course(&ada, "Engines", 1).await;
    let first = app.get_with(CATALOG, &[]).await;
    let tag = first.header("etag").to_owned();
    for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".into()] {
        let again = app.get_with(CATALOG, &[(IF_NONE_MATCH, &known)]).await;
        assert_eq!((again.status, again.text.as_str()), (304, ""), "{known}");
        assert_eq!((again.header("etag"), again.header("cache-control")), (&*tag, "public, max-age=10"));
        assert!(again.header("vary").contains("cookie"));
    }
    let other_form = app.get_with(CATALOG, &[(IF_NONE_MATCH, &tag), (ACCEPT, MODERN)]).await;
    assert_eq!(other_form.status, 200, "the other media type is another answer");
    let private = app.get_with("{ viewer { user { id } } }", &[(IF_NONE_MATCH, "*")]).await;
    assert_eq!(private.status, 200);
    app.course(&ada, "More engines", 1).await;
    let changed = app.get_with(CATALOG, &[(IF_NONE_MATCH, &tag)]).await;
    assert_eq!((changed.status, &changed.body()["data"]["courses"]["totalCount"]), (200, &json!(2)));
    assert_ne!(changed.header("etag"), tag);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_setting_is_the_most_and_none_turns_it_off() {
    for (setting, expected) in [("0", PRIVATE), ("1", "public, max-age=1"), ("86400", "public, max-age=300")] {
        let app = TestApp::with(&[("LYCEUM_CACHE_SECONDS", setting)]).await;
        assert_eq!(app.get_with(CATALOG, &[]).await.header("cache-control"), expected, "{setting}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_anonymous_answer_has_nothing_that_only_some_may_see() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let draft = app.course(&ada, "Secret plans", 0).await;
    let query = format!("{{ course(slug: \"{}\") {{ title }} courses {{ nodes {{ title }} }} }}", draft.slug);
    let own = app.get_with(&query, &[(AUTHORIZATION, &format!("Bearer {}", ada.token))]).await;
    assert_eq!((own.header("cache-control"), own.text.contains("Secret")), (PRIVATE, true), "{}", own.text);
    let answer = app.get_with(&query, &[]).await;
    assert_eq!(answer.header("cache-control"), "public, max-age=10");
    assert_eq!(answer.body()["data"]["course"], Value::Null);
    assert!(!answer.text.contains("Secret"), "{}", answer.text);
}
