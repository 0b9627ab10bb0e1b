//! What a lesson's video comes with, and who sees it.

use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::{TestApp, User};

const CONTENT: &str = "content { disclaimer description descriptionHtml chapters { startSeconds title }
    links { url label } resources { name url } }";

async fn update(app: &TestApp, user: &User, input: Value) -> Value {
    let query = format!(
        "mutation ($input: UpdateLessonInput!) {{ updateLesson(input: $input) {{ lesson {{ isPreview {CONTENT} }}
            userErrors {{ code field message }} }} }}"
    );
    let input = app.current(user, input).await;
    app.data(Some(&user.token), &query, json!({ "input": input })).await["updateLesson"].take()
}

fn codes(payload: &Value) -> Vec<String> {
    let errors = payload["userErrors"].as_array().unwrap();
    let path = |error: &Value| {
        let path = error["field"].as_array().unwrap().iter().map(|part| part.as_str().unwrap().to_owned());
        path.collect::<Vec<_>>().join(".")
    };
    errors.iter().map(|error| format!("{} {}", path(error), error["code"].as_str().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_video_comes_with_texts_chapters_links_and_resources() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Engines", 1).await;
    let lesson = app.lesson(&ada, &course, "Draft").await;
    let told = json!({
        "disclaimer": "Loud.", "description": "**Steam** <script>x</script>",
        "chapters": [{ "startSeconds": 300, "title": "End" }, { "startSeconds": 0, "title": " Start " }],
        "links": [{ "url": "https://a.example/x?y=1", "label": "More" }],
        "resources": [{ "name": "Plan", "source": { "url": "http://a.example/plan.pdf" } }],
    });
    let answer = update(&app, &ada, json!({ "lessonId": lesson, "isPreview": true, "content": told })).await;
    let mut expected = json!({
        "disclaimer": "Loud.", "description": "**Steam** <script>x</script>",
        "descriptionHtml": "<p><strong>Steam</strong> x</p>\n",
        "chapters": [{ "startSeconds": 0, "title": "Start" }, { "startSeconds": 300, "title": "End" }],
        "links": [{ "url": "https://a.example/x?y=1", "label": "More" }],
        "resources": [{ "name": "Plan", "url": "http://a.example/plan.pdf" }],
    });
    assert_eq!(answer["lesson"], json!({ "isPreview": true, "content": expected }), "{answer:#}");
    expected["links"] = json!([]);
    let answer = update(&app, &ada, json!({ "lessonId": lesson, "content": { "links": [] } })).await;
    assert_eq!(answer["lesson"], json!({ "isPreview": true, "content": expected }), "the rest stays");

    let many = |count: usize, item: Value| vec![item; count];
    let link = |url: &str| json!({ "links": [{ "url": url, "label": "x" }] });
    for (content, expected) in [
        (json!({ "disclaimer": "x".repeat(2001) }), vec!["content.disclaimer TOO_LONG"]),
        (json!({ "description": "x".repeat(20_001) }), vec!["content.description TOO_LONG"]),
        (json!({ "chapters": [{ "startSeconds": 301, "title": "x" }] }), vec!["content.chapters OUT_OF_RANGE"]),
        (json!({ "chapters": [{ "startSeconds": -1, "title": "x" }] }), vec!["content.chapters OUT_OF_RANGE"]),
        (json!({ "chapters": [{ "startSeconds": 1, "title": " " }] }), vec!["content.chapters.0.title BLANK"]),
        (json!({ "chapters": many(2, json!({ "startSeconds": 1, "title": "x" })) }), vec!["content.chapters INVALID"]),
        (
            json!({ "links": many(51, json!({ "url": "https://a.example", "label": "x" })) }),
            vec!["content.links TOO_LONG"],
        ),
        (link("javascript:alert(1)"), vec!["content.links.0.url INVALID"]),
        (link("data:text/html,x"), vec!["content.links.0.url INVALID"]),
        (link("//a.example"), vec!["content.links.0.url INVALID"]),
        (link("https://"), vec!["content.links.0.url INVALID"]),
        (link(""), vec!["content.links.0.url BLANK"]),
        (
            json!({ "resources": [{ "name": "", "source": { "url": "ftp://a.example" } }] }),
            vec!["content.resources.0.name BLANK", "content.resources.0.source.url INVALID"],
        ),
    ] {
        let answer = update(&app, &ada, json!({ "lessonId": lesson, "content": content })).await;
        let expected: Vec<String> = expected.iter().map(|code| code.to_string()).collect();
        assert_eq!((codes(&answer), &answer["lesson"]), (expected, &Value::Null), "{content}: {answer:#}");
    }
    let shorter = update(&app, &ada, json!({ "lessonId": lesson, "durationSeconds": 299 })).await;
    assert_eq!(codes(&shorter), ["durationSeconds OUT_OF_RANGE"], "a chapter would be outside");
    let both = json!({ "lessonId": lesson, "durationSeconds": 299, "content": { "chapters": [] } });
    assert_eq!(codes(&update(&app, &ada, both).await), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_is_for_who_may_edit_it_and_previews_are_for_all() {
    let app = TestApp::start().await;
    let (ada, root) = (app.user("Ada", Role::Instructor).await, app.user("Root", Role::Admin).await);
    let (bob, stu) = (app.user("Bob", Role::Instructor).await, app.user("Stu", Role::Student).await);
    let course = app.course(&ada, "Engines", 1).await;
    let draft = app.lesson(&ada, &course, "Draft").await;
    let (closed, preview) = (app.lesson(&ada, &course, "Closed").await, app.lesson(&ada, &course, "Preview").await);
    for (lesson, is_preview) in [(&draft, true), (&closed, false), (&preview, true)] {
        let content = json!({ "disclaimer": "Secret" });
        update(&app, &ada, json!({ "lessonId": lesson, "isPreview": is_preview, "content": content })).await;
    }
    app.publish(&ada, &closed).await;
    app.publish(&ada, &preview).await;
    let query = "query ($id: ID!) { node(id: $id) { ... on Lesson { content { disclaimer } } } }";
    for (user, edits) in
        [(None, false), (Some(&stu), false), (Some(&bob), false), (Some(&ada), true), (Some(&root), true)]
    {
        for (lesson, open) in [(&draft, false), (&closed, false), (&preview, true)] {
            let found = app.send(user.map(|user| user.token.as_str()), query, json!({ "id": lesson })).await;
            let shown = found["data"]["node"]["content"]["disclaimer"] == "Secret";
            assert_eq!(shown, edits || open, "{user:?}: {found:#}");
            assert!(found.get("errors").is_none(), "{user:?}: viewerAccess tells why, not an error: {found:#}");
        }
    }
    let outline = "query ($slug: String!) { course(slug: $slug) { sections { nodes { lessons { nodes {
        content { disclaimer descriptionHtml } } } } } } }";
    let statements = app.statements(Some(&ada.token), outline, json!({ "slug": course.slug })).await;
    assert_eq!(statements, 5, "the course, its sections, its lessons, what all of them come with, the texts");
}
