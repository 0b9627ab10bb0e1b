//! What only those who have access may see is shown to nobody else, on whatever way they come to it.

use chrono::TimeDelta;
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use super::Studio;
use crate::support::User;

/// What a lesson hides, and where a video is.
const SECRETS: [&str; 5] = ["Do not tell", "secret.example", "X-Amz-Signature", "/media/hls/", "plan.pdf"];
const HIDDEN: &str = "id content { disclaimer descriptionHtml links { url } resources { url } }
    video { videoId playback { url hlsUrl captions { url } } }";

/// Every way to the lesson: as a node, among nodes, below its course, and as news.
fn ways() -> [(&'static str, String); 5] {
    [
        ("node", format!("query ($lesson: ID!) {{ node(id: $lesson) {{ ... on Lesson {{ {HIDDEN} }} }} }}")),
        ("nodes", format!("query ($lesson: ID!) {{ nodes(ids: [$lesson]) {{ ... on Lesson {{ {HIDDEN} }} }} }}")),
        (
            "outline",
            format!(
                "query ($slug: String!) {{ course(slug: $slug) {{ sections(first: 3) {{ nodes {{ lessons(first: 3) {{ nodes {{ {HIDDEN} }} }} }} }} }} }}"
            ),
        ),
        (
            "search",
            format!(
                "{{ searchCourses(query: \"engines\", first: 2) {{ nodes {{ course {{ sections(first: 3) {{ nodes {{ lessons(first: 3) {{ nodes {{ {HIDDEN} }} }} }} }} }} }} }} }}"
            ),
        ),
        ("news", format!("{{ newVideos(first: 5) {{ nodes {{ lesson {{ {HIDDEN} }} }} }} }}")),
    ]
}

/// Asks on every way; the reasons that are given when nothing is shown, `None` if anything is.
async fn reasons(studio: &Studio, user: Option<&User>, lesson: &str, slug: &str) -> Option<Vec<String>> {
    let mut reasons = Vec::new();
    for (way, query) in ways() {
        let variables = json!({ "lesson": lesson, "slug": slug });
        let body = studio.app.send(user.map(|user| &*user.token), &query, variables).await;
        let shown = SECRETS.iter().any(|secret| body.to_string().contains(secret));
        assert!(body.to_string().contains(lesson), "{way}: the lesson itself is no secret: {body:#}");
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        if shown {
            assert!(errors.is_empty(), "{way}: {body:#}");
            continue;
        }
        assert_eq!(errors.len(), 1, "{way}, a refusal is told once: {body:#}");
        for error in errors {
            assert_eq!(error["extensions"]["code"], "FORBIDDEN", "{way}: {body:#}");
            reasons.push(error["extensions"]["reason"].as_str().unwrap_or("none").to_owned());
        }
    }
    assert!(reasons.is_empty() || reasons.len() == ways().len(), "all ways are alike: {reasons:?}");
    reasons.dedup();
    (!reasons.is_empty()).then_some(reasons)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_and_video_are_for_those_who_have_access_and_nobody_else() {
    let mut studio = Studio::with("leaks", None, &[]).await;
    let (mut sam, eve) = (studio.app.user("Sam", Role::Student).await, studio.app.user("Eve", Role::Instructor).await);
    let course = studio.app.course(&studio.ada, "Engines", 0).await;
    let lesson = studio.app.lesson(&studio.ada, &course, "Steam").await;
    let video = studio.arrive(&studio.ada, vec![0; 100]).await;
    studio.show(&lesson, Some(video)).await;
    let content = json!({ "disclaimer": "Do not tell", "links": [{ "url": "https://secret.example", "label": "x" }],
        "resources": [{ "name": "Plan", "source": { "url": "https://files.example/plan.pdf" } }] });
    let input = studio.app.current(&studio.ada, json!({ "lessonId": lesson, "content": content })).await;
    studio.app.mutate(&studio.ada, "updateLesson", "lesson { id }", input).await;
    // A course has to have a lesson that is published before it can be, and news are of published courses.
    let first = studio.app.lesson(&studio.ada, &course, "Water").await;
    studio.app.publish(&studio.ada, &first).await;
    studio.app.mutate(&studio.ada, "publishCourse", "course { id }", json!({ "courseId": course.id })).await;
    studio.app.publish(&studio.ada, &lesson).await;
    let gone = json!({ "lessonId": first });
    studio.app.mutate(&studio.ada, "deleteLesson", "course { id }", gone).await;
    // The video is processed, which publishes the lesson, which is news.
    for _ in 0..3 {
        studio.app.settle().await;
    }
    let root = studio.app.user("Root", Role::Admin).await;
    let seen = async |studio: &Studio, user: Option<&User>| reasons(studio, user, &lesson, &course.slug).await;
    let only = |reason: &str| Some(vec![reason.to_owned()]);

    assert_eq!(seen(&studio, None).await, only("SIGN_IN_REQUIRED"));
    assert_eq!(seen(&studio, Some(&sam)).await, only("NOT_ENROLLED"));
    assert_eq!(seen(&studio, Some(&eve)).await, only("NOT_ENROLLED"), "another instructor");
    assert_eq!(seen(&studio, Some(&studio.ada)).await, None, "her own");
    assert_eq!(seen(&studio, Some(&root)).await, None);

    let until = studio.app.app.clock.now() + TimeDelta::minutes(30);
    let grant = json!({ "userId": sam.id, "courseId": course.id, "expiresAt": until });
    studio.app.mutate(&root, "grantCourseAccess", "entitlement { id }", grant).await;
    assert_eq!(seen(&studio, Some(&sam)).await, None, "who has access");
    let locked = json!({ "lessonId": lesson, "unlock": { "afterDays": 1 } });
    studio.app.edit(&studio.ada, "setLessonUnlock", "lesson { id }", locked).await;
    assert_eq!(seen(&studio, Some(&sam)).await, only("LOCKED_UNTIL"), "not yet");
    let open = json!({ "lessonId": lesson, "unlock": Value::Null });
    studio.app.edit(&studio.ada, "setLessonUnlock", "lesson { id }", open).await;
    assert_eq!(seen(&studio, Some(&sam)).await, None);
    studio.later(TimeDelta::minutes(30)).await;
    sam.token = studio.another_session(&sam).await;
    assert_eq!(seen(&studio, Some(&sam)).await, only("EXPIRED"), "no longer");
    studio.preview(&lesson, true).await;
    assert_eq!(seen(&studio, None).await, None, "a preview is for everybody");
}
